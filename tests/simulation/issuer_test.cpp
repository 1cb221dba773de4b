// The account of an AcmeIssuer: its key, its binding, its end, and what the CA offers; crashed at every change.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using When = Moments::When;

class Issuer {
 public:
  explicit Issuer(const std::function<void(api::AcmeIssuer&)>& change = [](auto& /*as it is*/) {}) {
    edit([&](auto& issuer) {
      issuer.spec.account_key_ref.name = "le-account";
      change(issuer);
    });
  }

  World world;
  reconcile::World ports = world.ports();

  void edit(const std::function<void(api::AcmeIssuer&)>& change) {
    api::AcmeIssuer issuer = *now();
    change(issuer);
    world.issuers.put(issuer);
  }
  void annotate(std::string_view annotation, const std::string& value) {
    edit([&](auto& issuer) { issuer.meta.annotations[std::string(annotation)] = value; });
  }
  [[nodiscard]] std::shared_ptr<const api::AcmeIssuer> now() const { return world.issuers.get({"voice", "le"}); }
  [[nodiscard]] std::string ready() const {
    const auto* said = api::find(now()->status.conditions, api::condition::kReady);
    return said == nullptr ? "" : said->reason;
  }
  // As the operator would: a crash makes a new one, and what failed is tried again.
  void settle(int passes = 4) {
    auto reconciler = std::make_unique<reconcile::IssuerReconciler>(ports);
    for (int i = 0; i < passes; ++i) {
      try {
        reconciler->reconcile({"voice", "le"}, {});
      } catch (const Crash&) {
        reconciler = std::make_unique<reconcile::IssuerReconciler>(ports);
      }
      world.clock.advance(2h);
    }
  }
  std::string stored(const std::string& secret, const std::string& key) {
    const auto object = ports.secrets.read({"voice", secret}, {});
    const auto found = object ? object->data.find(key) : decltype(object->data.find(key)){};
    return object && found != object->data.end() ? std::string(found->second.expose()) : "";
  }
  [[nodiscard]] int said(const std::string& reason) const {
    return static_cast<int>(
        std::ranges::count_if(world.events, [&](const auto& event) { return event.reason == reason; }));
  }
};

// Runs a story once for each change of the world, crashed before it and after it.
void crash_everywhere(const std::function<void(Issuer&)>& begin, const std::function<void(Issuer&)>& check) {
  for (const When when : {When::kBefore, When::kAfter}) {
    for (int change = 1;; ++change) {
      SCOPED_TRACE(testing::Message() << (when == When::kBefore ? "before" : "after") << " change " << change);
      Issuer issuer;
      issuer.settle();
      issuer.world.moments.crash_at(issuer.world.moments.count() + change, when);
      begin(issuer);
      issuer.settle(8);
      check(issuer);
      if (!issuer.world.moments.has_crashed()) break;
      ASSERT_LT(change, 20);
    }
  }
}

TEST(IssuerRollover, GivesTheAccountAnotherKeyOnceForEachValue) {
  Issuer issuer;
  issuer.settle();
  const std::string first = issuer.stored("le-account", "tls.key");
  ASSERT_FALSE(first.empty());
  issuer.annotate(api::kRolloverRequestedAt, "1");
  issuer.settle();
  const std::string second = issuer.stored("le-account", "tls.key");
  EXPECT_NE(second, first);
  EXPECT_EQ(issuer.world.account_keys.back(), second);
  EXPECT_EQ(issuer.world.account_keys.size(), 2U);
  EXPECT_EQ(issuer.stored("le-account", "tls.key.next"), "");
  EXPECT_EQ(issuer.now()->status.handled_requests->rollover, "1");
  EXPECT_EQ(issuer.said("AccountKeyChanged"), 1);
  EXPECT_EQ(issuer.ready(), "Ready");
  issuer.annotate(api::kRolloverRequestedAt, "2");
  issuer.settle();
  EXPECT_EQ(issuer.world.account_keys.size(), 3U);
}

TEST(IssuerRollover, EndsWithOneNewKeyWhereverItIsInterrupted) {
  crash_everywhere([](Issuer& issuer) { issuer.annotate(api::kRolloverRequestedAt, "1"); },
                   [](Issuer& issuer) {
                     EXPECT_EQ(issuer.world.account_keys.size(), 2U) << "one value, one change";
                     EXPECT_EQ(issuer.stored("le-account", "tls.key"), issuer.world.account_keys.back());
                     EXPECT_EQ(issuer.stored("le-account", "tls.key.next"), "");
                     EXPECT_EQ(issuer.now()->status.handled_requests->rollover, "1");
                   });
}

// Whoever brings the key also brings the next one.
TEST(IssuerRollover, TakesTheKeyThatIsThere) {
  Issuer issuer;
  issuer.settle();
  auto secret = issuer.ports.secrets.read({"voice", "le-account"}, {}).value();
  issuer.edit([](auto& i) { i.spec.account_key_ref.create = api::CreateKey::kNever; });
  issuer.annotate(api::kRolloverRequestedAt, "1");
  issuer.settle();
  EXPECT_EQ(issuer.ready(), "AccountRefused");
  EXPECT_EQ(issuer.world.account_keys.size(), 1U);
  secret.data.insert_or_assign("tls.key.next", Secret("my own"));
  ASSERT_TRUE(issuer.ports.secrets.update(secret, {}));
  issuer.settle();
  EXPECT_EQ(issuer.world.account_keys.back(), "my own");
  EXPECT_EQ(issuer.stored("le-account", "tls.key"), "my own");
  EXPECT_EQ(issuer.ready(), "Ready");
}

TEST(IssuerDeactivation, IsForGoodUntilTheAnnotationGoes) {
  crash_everywhere([](Issuer& issuer) { issuer.annotate(api::kDeactivateRequestedAt, "1"); },
                   [](Issuer& issuer) {
                     EXPECT_TRUE(issuer.world.account_over);
                     EXPECT_EQ(issuer.ready(), "AccountDeactivated");
                     EXPECT_NE(api::find(issuer.now()->status.conditions, api::condition::kStalled), nullptr);
                   });
  Issuer issuer;
  issuer.annotate(api::kDeactivateRequestedAt, "1");
  issuer.settle();
  issuer.world.account_over = false;  // accountKeyRef names another Secret, whose account is a new one
  issuer.annotate(api::kDeactivateRequestedAt, "");
  issuer.settle();
  EXPECT_EQ(issuer.ready(), "Ready");
}

TEST(IssuerBinding, IsFetchedOnceAndKept) {
  crash_everywhere(
      [](Issuer& issuer) {
        issuer.edit([](auto& i) {
          i.spec.external_account_binding =
              api::ExternalAccountBinding{.zero_ssl_api_key_ref = api::SecretKeyRef{"zerossl", "api-key"}};
        });
      },
      [](Issuer& issuer) {
        // The one case in which a second is made: the first was not kept yet.
        EXPECT_LE(issuer.world.bindings_made, issuer.world.moments.has_crashed() ? 2 : 1);
        EXPECT_EQ(issuer.stored("le-zerossl-eab", "keyId"), "kid" + std::to_string(issuer.world.bindings_made));
        EXPECT_EQ(issuer.stored("le-zerossl-eab", "hmacKey"), "aG1hYw");
        const int made = issuer.world.bindings_made;
        issuer.settle();
        EXPECT_EQ(issuer.world.bindings_made, made) << "a restart does not fetch again";
      });
}

TEST(IssuerOffers, AProfileThatIsNotOfferedIsNamedWithThoseThatAre) {
  Issuer issuer([](auto& i) { i.spec.profile = "tlsclient"; });
  issuer.settle();
  EXPECT_EQ(issuer.ready(), "Ready") << "a CA that names none may have it";
  issuer.world.offers.profiles = {"classic", "shortlived"};
  issuer.settle();
  EXPECT_EQ(issuer.ready(), "ProfileNotOffered");
  EXPECT_THAT(api::find(issuer.now()->status.conditions, api::condition::kStalled)->message,
              testing::HasSubstr("it offers classic, shortlived"));
  issuer.world.offers.profiles.push_back("tlsclient");
  issuer.settle();
  EXPECT_EQ(issuer.ready(), "Ready") << "it is asked again";
}

TEST(IssuerOffers, OtherTermsOfServiceAreTold) {
  Issuer issuer;
  issuer.world.offers.terms_of_service = "https://ca.example/terms/1";
  issuer.settle();
  EXPECT_EQ(issuer.now()->status.terms_of_service, "https://ca.example/terms/1");
  EXPECT_EQ(issuer.said("TermsOfServiceChanged"), 0);
  issuer.world.offers.terms_of_service = "https://ca.example/terms/2";
  issuer.settle();
  EXPECT_EQ(issuer.said("TermsOfServiceChanged"), 1);
  EXPECT_EQ(issuer.now()->status.terms_of_service, "https://ca.example/terms/2");
}

// Its pass ends where it is, and the next operator ends what was begun.
TEST(IssuerLead, WhoLeadsNoLongerChangesNothing) {
  const auto ask = [](Issuer& issuer) {
    issuer.edit([](auto& i) {
      i.spec.external_account_binding =
          api::ExternalAccountBinding{.zero_ssl_api_key_ref = api::SecretKeyRef{"zerossl", "api-key"}};
    });
    issuer.annotate(api::kRolloverRequestedAt, "1");
  };
  int changes = 0;
  {
    Issuer issuer;
    ask(issuer);
    issuer.settle(1);
    changes = issuer.world.moments.count();
  }
  for (int last = 0; last < changes; ++last) {
    Issuer issuer;
    ask(issuer);
    const LeadUntil lead(issuer.world.moments, last);
    issuer.ports.leadership = &lead;
    issuer.settle(1);
    std::vector<std::string> after(issuer.world.moments.log.begin() + last, issuer.world.moments.log.end());
    std::erase(after, "status");  // the cluster refuses it where another was faster
    // What the CA has given by then is kept.
    const std::string before = last == 0 ? "" : issuer.world.moments.log[static_cast<std::size_t>(last) - 1];
    const bool keeps = before == "binding" || before == "keyChange";
    EXPECT_LE(after.size(), keeps ? 1U : 0U) << testing::PrintToString(after) << " after change " << last;
    issuer.ports.leadership = nullptr;
    issuer.settle();
    EXPECT_EQ(issuer.world.account_keys.size(), 2U) << last;
    EXPECT_EQ(issuer.stored("le-account", "tls.key"), issuer.world.account_keys.back()) << last;
    EXPECT_EQ(issuer.world.bindings_made, 1) << last;
    EXPECT_EQ(issuer.ready(), "Ready") << last;
  }
  EXPECT_GT(changes, 5);
  Issuer issuer;
  issuer.settle();
  issuer.annotate(api::kDeactivateRequestedAt, "1");
  const LeadUntil lead(issuer.world.moments, issuer.world.moments.count());
  issuer.ports.leadership = &lead;
  issuer.settle(1);
  EXPECT_FALSE(issuer.world.account_over);
}

}  // namespace
}  // namespace edgetrust::simulation
