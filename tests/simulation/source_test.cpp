// A certificate that somebody else renews: delivered, replaced, rolled back, never put together from two. Crashed at
// every change of the world.
#include "edgetrust/api/conditions.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }
const api::EdgeCertificateStatus& status_of(const World& world) { return certificate(world).status; }
std::string reason_of(const World& world) {
  return api::find(status_of(world).conditions, api::condition::kReady)->reason;
}
std::string message_of(const World& world) {
  return api::find(status_of(world).conditions, api::condition::kReady)->message;
}

std::string serial_in(const std::string& chain) {
  const auto token = Token::parse(chain);
  return token ? token->serial : "nothing";
}

// Leaf "s<n>" for key "k<n>".
Token leaf(const World& world, int n) {
  return {.serial = "s" + std::to_string(n),
          .key = "k" + std::to_string(n),
          .names = {"edge01.example.com"},
          .not_before = world.clock.now() - 1h,
          .not_after = world.clock.now() + 90 * 24h};
}
void renew(World& world, int n) { world.put_source(leaf(world, n), "k" + std::to_string(n)); }

template <class Change>
void change_spec(World& world, Change change) {
  api::EdgeCertificate changed = certificate(world);
  change(changed.spec);
  ++changed.meta.generation;
  world.certificates.put(changed);
}

std::unique_ptr<World> fed_by_a_secret() {
  auto world = std::make_unique<World>();
  change_spec(*world, [](api::EdgeCertificateSpec& spec) {
    spec.issuer_ref.reset();
    spec.dns_names.clear();
    spec.source_secret_ref = api::LocalRef{World::kSource};
  });
  world->issuers.erase({"voice", "le"});
  return world;
}
// Leaf s1 is live.
std::unique_ptr<World> live() {
  auto world = fed_by_a_secret();
  renew(*world, 1);
  EXPECT_TRUE(run(*world, 10min));
  EXPECT_EQ(serial_in(world->installed), "s1");
  EXPECT_EQ(status_of(*world).phase, api::Phase::kReady);
  return world;
}

// Whatever is stored or installed is a pair. Empty when it is.
std::string mixed_in(const World& world) {
  const auto secrets = world.secret_texts();
  for (const auto& [name, text] : secrets) {
    const auto slash = name.find("/tls.crt");
    if (slash == std::string::npos || name.starts_with(World::kSource)) continue;
    const std::string base = name.substr(0, slash);
    const auto key =
        secrets.contains(base + "/tls.key") ? secrets.find(base + "/tls.key") : secrets.find(base + "-key/tls.key");
    if (key == secrets.end()) return base + " has no key";
    if (Token::parse(text)->key != key->second) return base + " is put together from two";
  }
  return {};
}

TEST(SourceStory, TheFirstCertificateIsDeliveredAndNothingIsOrdered) {
  const auto world = live();
  EXPECT_EQ(world->orders, 0);
  EXPECT_EQ(world->uploads, 1);
  const auto secrets = world->secret_texts();
  EXPECT_EQ(serial_in(secrets.at("edge01-r1/tls.crt")), "s1");
  EXPECT_EQ(secrets.at("edge01-r1-key/tls.key"), "k1");
  EXPECT_EQ(serial_in(secrets.at("edge01-tls/tls.crt")), "s1");
  EXPECT_EQ(secrets.at("edge01-tls/ca.crt"), "roots");
  EXPECT_EQ(status_of(*world).next, "waits for Secret from-elsewhere");
  EXPECT_TRUE(certificate(*world).meta.finalizers.empty());
  // At rest means at rest.
  const int before = world->moments.count();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run(*world, 1h));
  EXPECT_EQ(world->moments.count(), before);
  EXPECT_EQ(mixed_in(*world), "");
}

TEST(SourceStory, ASecretThatComesLaterIsTakenThen) {
  const auto world = fed_by_a_secret();
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(status_of(*world).phase, api::Phase::kPending);
  EXPECT_EQ(reason_of(*world), "SourceNotFound");
  renew(*world, 1);
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(status_of(*world).phase, api::Phase::kReady);
}

TEST(SourceStory, ARenewedSecretReplacesWhatIsServed) {
  const auto world = live();
  renew(*world, 2);
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(serial_in(world->installed), "s2");
  EXPECT_EQ(status_of(*world).revision, 2);
  renew(*world, 2);  // written again with the same content
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(world->uploads, 2);
  EXPECT_FALSE(world->secret_texts().contains("edge01-r3/tls.crt"));
  renew(*world, 1);  // somebody goes back
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(serial_in(world->installed), "s1");
  EXPECT_EQ(status_of(*world).revision, 3);
  EXPECT_EQ(status_of(*world).phase, api::Phase::kReady);
}

TEST(SourceStory, AKeyThatDoesNotFitIsRefusedUntilItDoes) {
  const auto world = live();
  world->put_source(leaf(*world, 2), "k7");
  const int before = world->moments.count();
  ASSERT_TRUE(run(*world, 24h));
  EXPECT_EQ(reason_of(*world), "SourceRefused");
  EXPECT_NE(message_of(*world).find("tls.key"), std::string::npos);
  EXPECT_EQ(status_of(*world).phase, api::Phase::kFailed);
  EXPECT_LE(world->moments.count() - before, 1) << "said once, and no hot loop";
  EXPECT_EQ(serial_in(world->installed), "s1");
  renew(*world, 2);
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(serial_in(world->installed), "s2");
  EXPECT_EQ(status_of(*world).phase, api::Phase::kReady);
}

// The names are judged against the Edge as it is now.
TEST(SourceStory, AnEdgeOfAnotherNameRefusesTheCertificate) {
  const auto world = live();
  api::Edge edge = *world->edges.get({"voice", "edge01"});
  edge.spec.sip.host = "renamed.example.com";
  world->edges.put(edge);
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(reason_of(*world), "SourceRefused");
  EXPECT_EQ(world->uploads, 1);
}

// --- a Secret that changes under the reader

TEST(SourceStory, ASecretThatChangesBetweenTwoReadsIsNeverStoredMixed) {
  for (int at = 1; at <= 6; ++at) {
    const auto world = live();
    renew(*world, 2);
    int reads = 0;
    world->before_reading_source([&] {
      if (++reads == at) renew(*world, 3);
    });
    ASSERT_TRUE(run(*world, 10min));
    EXPECT_EQ(mixed_in(*world), "") << "changed before read " << at;
    ASSERT_GE(reads, 2) << "once to judge it, once to copy it";
    EXPECT_EQ(serial_in(world->installed), reads >= at ? "s3" : "s2") << "changed before read " << at;
  }
}

TEST(SourceStory, ASecretThatChangesWhileTheOperatorIsDownLeavesNoMixedPair) {
  const auto story = [](int crash_at, When when) {
    auto world = live();
    renew(*world, 2);
    bool crashed = false;
    if (crash_at > 0) world->moments.crash_at(world->moments.count() + crash_at, when);
    // A new engine reads anew: by then somebody has renewed once more.
    world->before_reading_source([&, shared = world.get()] {
      if (crash_at > 0 && shared->moments.has_crashed() && !std::exchange(crashed, true)) renew(*shared, 3);
    });
    EXPECT_TRUE(run(*world, 30min));
    world->before_reading_source([] {});
    return world;
  };
  const int changes = story(0, When::kBefore)->moments.count() - live()->moments.count();
  ASSERT_GT(changes, 8);
  for (int n = 1; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      const auto world = story(n, when);
      const std::string at =
          "crash at change " + std::to_string(n) + " after it: " + (when == When::kAfter ? "y" : "n");
      EXPECT_EQ(mixed_in(*world), "") << at;
      EXPECT_EQ(serial_in(world->installed), "s3") << at;
      EXPECT_EQ(status_of(*world).phase, api::Phase::kReady) << at;
    }
  }
}

// --- the rollback

struct Told {
  std::unique_ptr<World> world = live();
  bool came_to_rest = false;
  int changes = 0;
};
// s2 comes and breaks SIP; the crash comes at the n-th change after that, or never.
Told tell(int crash_at, When when) {
  Told told;
  World& world = *told.world;
  world.bad_serials = {"s2"};
  renew(world, 2);
  const int before = world.moments.count();
  if (crash_at > 0) world.moments.crash_at(before + crash_at, when);
  told.came_to_rest = run(world, 30min);
  told.changes = world.moments.count() - before;
  return told;
}
std::string wrong_about(const Told& told) {
  const World& world = *told.world;
  const auto& status = status_of(world);
  if (!told.came_to_rest) return "the engine does not come to rest";
  if (serial_in(world.installed) != "s1") return "the Edge ends with " + serial_in(world.installed);
  if (status.revision != 1 || status.phase != api::Phase::kRolledBack) return "the status does not say so";
  if (status.delivery) return "something is still under way";
  if (status.history.front().result != api::RevisionResult::kRolledBack) return "the history does not tell";
  if (api::find(status.conditions, api::condition::kStalled) == nullptr) return "nobody is told to renew";
  if (!certificate(world).meta.finalizers.empty()) return "a finalizer is left behind";
  if (world.orders != 0) return "something was ordered";
  const auto secrets = world.secret_texts();
  if (secrets.contains("edge01-r3-key/tls.key")) return "the bad leaf was taken twice";
  if (serial_in(secrets.at("edge01-r2/tls.crt")) != "s2") return "revision 2 is lost";
  if (serial_in(secrets.at("edge01-tls/tls.crt")) != "s1") return "secretName does not hold what the Edge serves";
  return mixed_in(world);
}

TEST(SourceStory, SipDownIsRolledBackAndTheBadLeafIsNotTakenAgain) {
  const Told told = tell(0, When::kBefore);
  EXPECT_EQ(wrong_about(told), "");
  World& world = *told.world;
  EXPECT_EQ(world.uploaded_serials, (std::vector<std::string>{"s1", "s2", "s1"}));
  renew(world, 2);  // written again
  ASSERT_TRUE(run(world, 72h));
  EXPECT_EQ(world.uploads, 3);
  renew(world, 3);
  ASSERT_TRUE(run(world, 48h));
  EXPECT_EQ(serial_in(world.installed), "s3");
  EXPECT_EQ(status_of(world).revision, 3);
  EXPECT_EQ(status_of(world).phase, api::Phase::kReady);
}

TEST(SourceStory, CrashedAtEveryChangeItEndsOnThePreviousCertificate) {
  const int changes = tell(0, When::kBefore).changes;
  ASSERT_GT(changes, 15);
  for (int n = 1; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      EXPECT_EQ(wrong_about(tell(n, when)), "")
          << "crash " << (when == When::kBefore ? "before" : "after") << " change " << n;
    }
  }
}

// --- adoption, restoring, leaving

TEST(SourceStory, WhatTheEdgeServesAlreadyIsAdoptedWithoutAPush) {
  const auto world = fed_by_a_secret();
  renew(*world, 1);
  world->installed = leaf(*world, 1).text();
  ASSERT_TRUE(run(*world, 10min));
  EXPECT_EQ(status_of(*world).phase, api::Phase::kReady);
  EXPECT_EQ(status_of(*world).history.front().result, api::RevisionResult::kAdopted);
  EXPECT_EQ(world->uploads, 0);
  EXPECT_EQ(serial_in(world->secret_texts().at("edge01-tls/tls.crt")), "s1");
}

TEST(SourceStory, RestoredFromGitWithoutAStatusNothingIsPushed) {
  const Told told = tell(0, When::kBefore);
  World& world = *told.world;
  const int uploads = world.uploads;
  api::EdgeCertificate restored = certificate(world);
  restored.status = {};
  restored.meta.uid = "another";
  world.certificates.put(restored);
  ASSERT_TRUE(run(world, 72h));
  EXPECT_EQ(world.uploads, uploads) << "the bad leaf says itself that it was rejected";
  EXPECT_EQ(status_of(world).revision, 1);
  EXPECT_EQ(status_of(world).phase, api::Phase::kRolledBack);
}

TEST(SourceStory, TheSourceIsNeverTouched) {
  const Told told = tell(0, When::kBefore);
  for (const auto& change : told.world->moments.log)
    EXPECT_EQ(change.find(World::kSource), std::string::npos) << change;
}

TEST(SourceStory, FromAnIssuerToASourceAndTheServedCertificateStaysTheWayBack) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  ASSERT_EQ(serial_in(world.installed), "serial1");
  change_spec(world, [](api::EdgeCertificateSpec& spec) {
    spec.issuer_ref.reset();
    spec.source_secret_ref = api::LocalRef{World::kSource};
  });
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(reason_of(world), "SourceNotFound");
  world.bad_serials = {"s2"};
  renew(world, 2);
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(serial_in(world.installed), "serial1");
  EXPECT_EQ(world.orders, 1);
  renew(world, 3);
  ASSERT_TRUE(run(world, 48h));
  EXPECT_EQ(serial_in(world.installed), "s3");
}

}  // namespace
}  // namespace edgetrust::simulation
