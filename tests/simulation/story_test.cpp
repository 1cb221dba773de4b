// The SIP_DOWN story: a certificate is live, the next one breaks SIP, the first is put back. Crashed at every change of
// the world.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/telemetry/trace.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }

std::string installed_serial(const World& world) {
  const auto token = Token::parse(world.installed);
  return token ? token->serial : "nothing";
}

void ask_for_renewal(World& world) {
  api::EdgeCertificate changed = certificate(world);
  changed.meta.annotations[std::string(api::kRenewRequestedAt)] = "2026-11-22T13:00:00Z";
  world.certificates.put(changed);
}

// The whole story in a new world; the crash comes at the n-th change after the first certificate is live, or never.
struct Told {
  std::unique_ptr<World> world = std::make_unique<World>();
  bool came_to_rest = false;
  int changes = 0;              // of the second half
  std::size_t said_before = 0;  // Events of the first half

  // The n-th change of the second half.
  [[nodiscard]] const std::string& crashed_at(int n) const {
    return world->moments.log.at(static_cast<std::size_t>(world->moments.count() - changes + n - 1));
  }
};
Told tell(int crash_at, When when, bool save_later = false) {
  Told told;
  World& world = *told.world;
  EXPECT_TRUE(run(world, 10min));
  EXPECT_EQ(installed_serial(world), "serial1");
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  world.bad_serials = {"serial2", "serial3"};  // whatever comes next breaks SIP
  told.said_before = world.events.size();
  ask_for_renewal(world);
  const int before = world.moments.count();
  world.save_later = save_later;
  if (crash_at > 0) world.moments.crash_at(before + crash_at, when);
  told.came_to_rest = run(world, 30min);
  told.changes = world.moments.count() - before;
  return told;
}

// Each half is one rotation, and each Event says which: also after a crash, and of the rollback.
std::string wrongly_traced(const Told& told) {
  const World& world = *told.world;
  const std::string& uid = certificate(world).meta.uid;
  for (std::size_t i = 0; i < world.events.size(); ++i) {
    const auto& event = world.events[i];
    const std::string expected = telemetry::trace_id(uid, i < told.said_before ? "1" : "2");
    if (event.kind == "EdgeCertificate" && event.trace_id != expected)
      return event.reason + " (" + event.message + ") has the id \"" + event.trace_id + "\" and not " + expected;
  }
  return {};
}

// What must hold at the end, whatever happened on the way. Empty when it does.
std::string wrong_about(const Told& told) {
  const World& world = *told.world;
  const auto& status = certificate(world).status;
  if (!told.came_to_rest) return "the engine does not come to rest";
  if (installed_serial(world) != "serial1") return "the Edge ends with " + installed_serial(world);
  if (status.revision != 1 || status.phase != api::Phase::kRolledBack) return "the status does not say so";
  if (status.delivery || status.order) return "something is still under way";
  if (status.history.empty() || status.history.front().result != api::RevisionResult::kRolledBack)
    return "the history does not tell";
  if (world.orders != 2) return std::to_string(world.orders) + " orders instead of 2";
  for (const auto& [key, count] : world.orders_by_key) {
    if (count != 1) return "key " + key + " has " + std::to_string(count) + " certificates";
  }
  if (!world.records.empty()) return "a TXT record is left behind";
  if (!certificate(world).meta.finalizers.empty()) return "a finalizer is left behind";
  for (const auto& slot : world.slots().list("voice")) {
    if (slot.holder) return "a slot of the budget is left behind";
  }
  if (status.slots) return "the status still names slots";
  const auto secrets = world.secret_texts();
  if (!secrets.contains("edge01-r2-key/tls.key") || !secrets.contains("edge01-r2/tls.crt")) return "revision 2 is lost";
  if (!secrets.contains("edge01-r1-key/tls.key") || !secrets.contains("edge01-r1/tls.crt")) return "revision 1 is lost";
  if (const auto token = Token::parse(secrets.at("edge01-tls/tls.crt")); !token || token->serial != "serial1")
    return "secretName does not hold what the Edge serves";
  if (secrets.at("edge01-tls/tls.key") != secrets.at("edge01-r1-key/tls.key")) return "secretName has a foreign key";
  return wrongly_traced(told);
}

TEST(Story, FirstIssueEndsReady) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  const auto& status = certificate(world).status;
  EXPECT_EQ(status.phase, api::Phase::kReady);
  EXPECT_EQ(status.revision, 1);
  EXPECT_EQ(installed_serial(world), "serial1");
  EXPECT_EQ(world.orders, 1);
  EXPECT_EQ(world.uploads, 1);
  EXPECT_TRUE(world.records.empty());
  EXPECT_TRUE(certificate(world).meta.finalizers.empty());
  // At rest means at rest: ten more looks write nothing.
  const int before = world.moments.count();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run(world, 1h));
  EXPECT_EQ(world.moments.count(), before);
}

TEST(Story, SipDownIsRolledBackWithOneExtraUpload) {
  const Told told = tell(0, When::kBefore);
  EXPECT_EQ(wrong_about(told), "");
  EXPECT_EQ(told.world->uploaded_serials, (std::vector<std::string>{"serial1", "serial2", "serial1"}));
}

TEST(Story, AGoodSecondCertificateReplacesTheFirst) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  ask_for_renewal(world);
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(installed_serial(world), "serial2");
  EXPECT_EQ(certificate(world).status.revision, 2);
  EXPECT_EQ(world.uploads, 2);
  EXPECT_TRUE(world.secret_texts().contains("edge01-r1/tls.crt")) << "the previous revision is kept";
}

// The spec still asks for what was rolled back: the next try is waited for, and nothing is held meanwhile.
// A GitOps tool may delete and make again: a good certificate is not thrown away for want of its issuer.
TEST(Story, AnIssuerThatGoesAndComesBackCostsNothing) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  api::EdgeCertificate closed = certificate(world);
  closed.spec.rotation = api::RotationOverrides{.windows = {{.start = "03:00", .duration = 2h, .days = {}}}};
  world.certificates.put(closed);
  ask_for_renewal(world);
  ASSERT_TRUE(run(world, 10min));
  ASSERT_EQ(certificate(world).status.phase, api::Phase::kWaiting);
  const api::AcmeIssuer issuer = *world.issuers.get({"voice", "le"});
  world.issuers.erase({"voice", "le"});
  ASSERT_TRUE(run(world, 10min));
  const auto& conditions = certificate(world).status.conditions;
  EXPECT_EQ(api::find(conditions, api::condition::kReady)->reason, "ChainNotJudged");
  EXPECT_EQ(certificate(world).status.history.front().result, api::RevisionResult::kActive);
  world.issuers.put(issuer);
  ASSERT_TRUE(run(world, 24h));
  EXPECT_EQ(installed_serial(world), "serial2");
  EXPECT_EQ(world.orders, 2);
}

// What another EdgeCertificate holds under this policy is waited for, and taken over when that one is gone.
TEST(Story, ASlotOfAnotherIsWaitedForWhileThatOneSaysThatItHasIt) {
  World world;
  api::EdgeCertificate other = certificate(world);
  const std::string slot = decide::policy_pool("default", 1).slot(0);
  other.meta.name = "edge02";
  other.meta.uid = "uid-edge02";
  other.spec.edge_ref.name = "edge02";
  other.status.slots = api::SlotsStatus{.revision = 4, .names = {slot}};
  world.certificates.put(other);
  ASSERT_TRUE(world.slots().create({"voice", slot}, {.uid = "uid-edge02", .revision = 4, .name = "edge02"}, {}));
  ASSERT_TRUE(run(world, 1h));
  EXPECT_EQ(api::find(certificate(world).status.conditions, api::condition::kReady)->reason, "WaitingForTurn");
  EXPECT_EQ(world.uploads, 0);
  // Its status names the slot no more; the Lease still says that it has it.
  other.status.slots.reset();
  world.certificates.put(other);
  ASSERT_TRUE(run(world, 1h));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_EQ(world.uploads, 1);
}

// The cache does not show yet that another has it: the claim does, and nothing has been pushed.
TEST(Story, WhoLosesTheRaceForASlotHasPushedNothing) {
  World world;
  api::EdgeCertificate other = certificate(world);
  const std::string slot = decide::policy_pool("default", 1).slot(0);
  other.meta.name = "edge02";
  other.meta.uid = "uid-edge02";
  other.spec.edge_ref.name = "edge02";
  world.slots_are_old_news = true;
  ASSERT_TRUE(world.slots().create({"voice", slot}, {.uid = "uid-edge02", .revision = 4, .name = "edge02"}, {}));
  other.status.slots = api::SlotsStatus{.revision = 4, .names = {slot}};
  world.certificates.put(other);
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(world.tried_uploads, 0);
  const auto& status = certificate(world).status;
  EXPECT_FALSE(status.delivery);
  EXPECT_EQ(status.phase, api::Phase::kWaiting);
  EXPECT_EQ(world.slots().read({"voice", slot}, {})->holder->name, "edge02");
  other.status.slots.reset();
  world.certificates.put(other);
  ASSERT_TRUE(world.slots().update(*world.slots().read({"voice", slot}, {}), std::nullopt, {}));
  ASSERT_TRUE(run(world, 1h));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
}

TEST(Story, ARollbackOfAChangedSpecLeavesNothingHeld) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  world.bad_serials = {"serial2"};
  api::EdgeCertificate changed = certificate(world);
  changed.spec.dns_names.push_back("more.edge01.example.com");
  ++changed.meta.generation;
  world.certificates.put(changed);
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(installed_serial(world), "serial1");
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kRolledBack);
  EXPECT_TRUE(certificate(world).meta.finalizers.empty());
  EXPECT_FALSE(certificate(world).status.order);
  EXPECT_TRUE(world.records.empty());
}

TEST(Story, AfterAnOrderThatFailedAnotherIsMade) {
  World world;
  world.refused_orders = 2;
  ASSERT_TRUE(run(world, 59min));
  EXPECT_EQ(world.orders, 1) << "not sooner than after an hour";
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kIssuing);
  ASSERT_TRUE(run(world, 6h));
  EXPECT_EQ(world.orders, 3);
  EXPECT_EQ(installed_serial(world), "serial3");
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_TRUE(world.records.empty());
}

// Another EdgeCertificate whose order has the same record, as a CA that gives both orders one authorization makes it.
api::EdgeCertificate sharer(const std::string& url) {
  api::EdgeCertificate other;
  other.meta.ns = "voice";
  other.meta.name = "edge02";
  other.spec.edge_ref.name = "edge02";
  other.status.order = api::OrderStatus{.revision = 1, .url = url};
  other.status.order->records.push_back({"_acme-challenge.edge01.example.com", "value-order1"});
  return other;
}

TEST(Story, ARecordThatAnotherOrderStillNeedsIsLeftToIt) {
  World world;
  world.certificates.put(sharer("order-of-edge02"));
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_FALSE(certificate(world).status.order);
  EXPECT_EQ(world.records, std::set<std::string>{"_acme-challenge.edge01.example.com value-order1"});
}

TEST(Story, ARecordOfAnOrderThatWasGivenUpIsNeededByNobody) {
  World world;
  world.certificates.put(sharer(""));
  ASSERT_TRUE(run(world, 10min));
  EXPECT_TRUE(world.records.empty());
}

// A wildcard has the record of the name below it, but a solver may be chosen by the wildcard.
TEST(Story, TheSolverOfAWildcardIsItsOwn) {
  World world;
  api::EdgeCertificate changed = certificate(world);
  changed.spec.dns_names = {"*.example.com", "edge01.example.com"};
  world.certificates.put(changed);
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_EQ(world.zones_asked, (std::set<std::string>{"*.example.com", "edge01.example.com"}));
  EXPECT_TRUE(world.records.empty());
}

TEST(Story, NamesThatChangeWhileAnOrderIsOpenCostOneMoreOrder) {
  World world;
  world.refused_orders = 1;
  ASSERT_TRUE(run(world, 10min));
  api::EdgeCertificate changed = certificate(world);
  changed.spec.dns_names = {"*.example.com", "edge01.example.com"};
  ++changed.meta.generation;
  world.certificates.put(changed);
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(world.orders, 2);
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady) << "a wildcard is issued like any name";
}

TEST(Story, AnUploadThatFailsIsRepeatedSeldomAndAllIsWellAfterwards) {
  World world;
  world.uploads_fail = true;
  ASSERT_TRUE(run(world, 1h));
  EXPECT_GT(world.tried_uploads, 5);
  EXPECT_LT(world.tried_uploads, 60) << "a few tries, then ten minutes of peace";
  EXPECT_EQ(installed_serial(world), "nothing");
  world.uploads_fail = false;
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(installed_serial(world), "serial1");
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
  EXPECT_EQ(world.orders, 1);
}

// The process has had revision 1 acknowledged once: that is no proof that the rollback was.
TEST(Story, ARollbackWhoseUploadFailsIsRepeatedUntilItIsDone) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  world.bad_serials = {"serial2"};
  world.answers_lost = 1;
  world.fail_after_lost_answer = true;
  ask_for_renewal(world);
  ASSERT_TRUE(run(world, 10min));
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kRollingBack);
  EXPECT_EQ(installed_serial(world), "serial2");
  world.uploads_fail = false;
  ASSERT_TRUE(run(world, 12s));
  EXPECT_EQ(installed_serial(world), "serial1") << "tried again at least every ten seconds";
}

// A CA may answer with the open order of the same names and account. Its certificate would be for another's key.
TEST(Story, AnOrderOfAnotherEdgeCertificateIsNotTakenForItsOwn) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  api::EdgeCertificate other = certificate(world);
  other.meta.name = "edge02";
  other.meta.uid = "uid-of-edge02";
  other.spec.edge_ref.name = "edge02";
  other.status = {};
  other.status.order = api::OrderStatus{.revision = 1, .url = "order-of-edge02"};
  world.certificates.put(other);
  world.gives_order = "order-of-edge02";
  ask_for_renewal(world);
  ASSERT_TRUE(run(world, 10min));
  ASSERT_TRUE(certificate(world).status.order);
  EXPECT_EQ(certificate(world).status.order->url, "");
  EXPECT_EQ(installed_serial(world), "serial1");
  world.gives_order.clear();
  ASSERT_TRUE(run(world, 30min));
  EXPECT_EQ(installed_serial(world), "serial2");
}

// What the CA refuses besides orders is no reason to order nothing.
TEST(Story, ARateLimitOfARevocationPutsNoIssuerToSleep) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  world.revoke_error = Error{.kind = ErrorKind::kRateLimited,
                             .what = "too many",
                             .code = "urn:ietf:params:acme:error:rateLimited",
                             .retry_after = 1h};
  api::EdgeCertificate object = certificate(world);
  object.meta.annotations[std::string(api::kRevokeRequestedAt)] = "now keyCompromise";
  world.certificates.put(object);
  ASSERT_TRUE(run(world, 30min));
  EXPECT_FALSE(world.issuers.get({"voice", "le"})->status.last_refusal);
  EXPECT_EQ(installed_serial(world), "serial2") << "it has a successor all the same";
}

// etcd is put back to the middle of a rollback; what happened since then is known to the Edge alone.
TEST(Story, ARollbackThatComesBackFromASnapshotPushesNothingOverANewerCertificate) {
  World world;
  ASSERT_TRUE(run(world, 10min));
  world.bad_serials = {"serial2"};
  ask_for_renewal(world);
  std::optional<api::EdgeCertificate> snapshot;
  for (int second = 0; second < 600 && !snapshot; ++second) {
    ASSERT_TRUE(run(world, 1s));
    world.clock.advance(1s);
    const auto& delivery = certificate(world).status.delivery;
    if (delivery && delivery->rolling_back_since) snapshot = certificate(world);
    world.uploads_fail = snapshot.has_value();
  }
  ASSERT_TRUE(snapshot);
  world.uploads_fail = false;
  ASSERT_TRUE(run(world, 1h));
  ASSERT_EQ(certificate(world).status.phase, api::Phase::kRolledBack);
  const int uploads = world.uploads;
  const Token newer{.serial = "serial9",
                    .key = "of nobody here",
                    .names = {"edge01.example.com"},
                    .not_before = world.clock.now() - 1h,
                    .not_after = world.clock.now() + 24h * 90};
  world.installed = newer.pem();
  snapshot->meta.resource_version = certificate(world).meta.resource_version;
  world.certificates.put(*snapshot);
  ASSERT_TRUE(run(world, 2h));
  EXPECT_EQ(installed_serial(world), "serial9");
  EXPECT_EQ(world.uploads, uploads);
  EXPECT_EQ(certificate(world).status.phase, api::Phase::kHeld);
  EXPECT_TRUE(certificate(world).meta.finalizers.empty());
}

TEST(Story, CrashedAtEveryChangeItEndsOnThePreviousCertificate) {
  const int changes = tell(0, When::kBefore).changes;
  ASSERT_GT(changes, 20);
  for (int n = 1; n <= changes; ++n) {
    for (const When when : {When::kBefore, When::kAfter}) {
      const Told told = tell(n, when);
      EXPECT_EQ(wrong_about(told), "") << "crash " << (when == When::kBefore ? "before" : "after") << " change " << n
                                       << " (" << told.crashed_at(n) << ")";
    }
  }
}

TEST(Story, AnEngineThatPushesFirstAndSavesLaterIsCaught) {
  const Told whole = tell(0, When::kBefore, true);
  EXPECT_EQ(wrong_about(whole), "") << "as long as nothing crashes it is harmless";
  std::set<std::string> caught;
  for (int n = 1; n <= whole.changes; ++n) {
    const Told told = tell(n, When::kAfter, true);
    if (!wrong_about(told).empty()) caught.insert(told.crashed_at(n));
  }
  EXPECT_TRUE(caught.contains("upload")) << "pushed, and its key is nowhere";
}

}  // namespace
}  // namespace edgetrust::simulation
