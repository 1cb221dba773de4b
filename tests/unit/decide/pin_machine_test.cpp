// What an Edge's machine needs besides its pin file, the exceptions that end by themselves, and how long they last.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/pins/intermediary.hpp"
#include "edgetrust/decide/pins/machine.hpp"
#include "edgetrust/decide/pins/override.hpp"

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;
using ports::HostState;
using ports::TimeService;
using testing::HasSubstr;
namespace effect = machine_effect;

const TimePoint kNow = parse_rfc3339("2026-11-29T12:00:00Z").value();

template <class Effect>
const Effect* effect_of(const MachineDecision& decision) {
  return std::get_if<Effect>(&decision.effect);
}
bool does_nothing(const MachineDecision& decision) { return effect_of<std::monostate>(decision) != nullptr; }

// --- time servers

HostState with_chrony(std::vector<std::string> servers = {}, bool synchronised = true) {
  HostState host;
  host.time_service = TimeService::kChrony;
  host.time_servers = std::move(servers);
  host.clock_synchronised = synchronised;
  return host;
}
MachineDecision with_servers(const std::vector<std::string>& servers, const HostState& host) {
  return prepare_clock(servers, host);
}

TEST(PinMachine, TimeServersArePutIntoChronyAndWaitedFor) {
  const std::vector<std::string> wanted{"ntp1.example.com", "192.0.2.1"};
  auto decision = with_servers(wanted, with_chrony());
  ASSERT_NE(effect_of<effect::SetTimeServers>(decision), nullptr);
  EXPECT_EQ(effect_of<effect::SetTimeServers>(decision)->servers, wanted);
  EXPECT_NE(decision.hindered, "") << "nothing else is begun before they are there";

  decision = with_servers(wanted, with_chrony(wanted, false));
  EXPECT_TRUE(does_nothing(decision));
  EXPECT_THAT(decision.hindered, HasSubstr("not in sync with clock.servers"));
  decision = with_servers(wanted, with_chrony(wanted));
  EXPECT_TRUE(does_nothing(decision));
  EXPECT_EQ(decision.hindered, "");
}

TEST(PinMachine, ServersThatAreNoLongerWantedGo) {
  const auto decision = with_servers({}, with_chrony({"ntp1.example.com"}));
  ASSERT_NE(effect_of<effect::SetTimeServers>(decision), nullptr);
  EXPECT_TRUE(effect_of<effect::SetTimeServers>(decision)->servers.empty());
  EXPECT_EQ(with_servers({}, with_chrony({}, false)).hindered, "") << "its clock is compared then";
}

TEST(PinMachine, NtpdIsAskedWhereItRunsInstead) {
  HostState host;
  host.time_service = TimeService::kNtpd;
  host.time_servers_trouble = "chrony does not run there";
  EXPECT_THAT(with_servers({"ntp1.example.com"}, host).hindered, HasSubstr("ntpd"));
  host.clock_synchronised = true;
  const auto decision = with_servers({"ntp1.example.com"}, host);
  EXPECT_EQ(decision.hindered, "");
  EXPECT_TRUE(does_nothing(decision));
}

TEST(PinMachine, WhereServersHaveNoPlaceItIsSaid) {
  HostState host = with_chrony();
  host.time_servers_trouble = "its configuration needs the line sourcedir";
  const auto decision = with_servers({"ntp1.example.com"}, host);
  EXPECT_TRUE(does_nothing(decision)) << "or it would be tried for ever";
  EXPECT_THAT(decision.hindered, HasSubstr("needs the line sourcedir"));
}

// --- trusted intermediaries

ports::CaCertificate ca(const std::string& name) { return {.pem = name, .sha256 = "hash of " + name}; }
MachineDecision with_anchors(const std::vector<ports::CaCertificate>& wanted, std::vector<ports::HostAnchor> there) {
  HostState host = with_chrony();
  host.anchors = std::move(there);
  return prepare_anchors(wanted, host);
}

TEST(PinMachine, WantedCasComeAndOthersOfOursGo) {
  auto decision = with_anchors({ca("a"), ca("b")}, {{"hash of a", true}});
  ASSERT_NE(effect_of<effect::Trust>(decision), nullptr);
  EXPECT_EQ(effect_of<effect::Trust>(decision)->certificate.pem, "b");
  EXPECT_NE(decision.hindered, "");
  decision = with_anchors({ca("a")}, {{"hash of a", false}});
  EXPECT_NE(effect_of<effect::Trust>(decision), nullptr) << "an update of the Edge's software has taken it away";
  EXPECT_TRUE(does_nothing(with_anchors({ca("a")}, {{"hash of a", true}})));

  decision = with_anchors({ca("b")}, {{"hash of a", false}});
  ASSERT_NE(effect_of<effect::Distrust>(decision), nullptr) << "that first";
  EXPECT_EQ(effect_of<effect::Distrust>(decision)->sha256, "hash of a");
  EXPECT_NE(effect_of<effect::Distrust>(with_anchors({}, {{"hash of a", true}})), nullptr);
}

TEST(PinMachine, WithoutATrustStoreItIsSaid) {
  HostState host = with_chrony();
  host.anchors_trouble = "there is none";
  const auto decision = prepare_anchors({ca("a")}, host);
  EXPECT_TRUE(does_nothing(decision));
  EXPECT_THAT(decision.hindered, HasSubstr("trustedIntermediaries cannot be served: there is none"));
  EXPECT_EQ(prepare_anchors({}, host).hindered, "");
}

IntermediaryCa intermediary(const std::string& name, TimePoint until) {
  return {.name = name, .until = until, .pem = "PEM of " + name, .link = {name + " certificate", name + " key"}};
}

TEST(PinIntermediaries, TheyAreTrustedUntilTheirDate) {
  const std::vector all{intermediary("a", kNow), intermediary("b", kNow + 1h), intermediary("c", kNow + 2h)};
  const auto trusted = trusted_at(all, kNow);
  ASSERT_EQ(trusted.size(), 2U) << "at the date it is over";
  EXPECT_EQ(trusted[0].name, "b");
  EXPECT_EQ(next_end(trusted), kNow + 1h);
  EXPECT_EQ(next_end({}), std::nullopt);
  EXPECT_EQ(anchors_of(trusted),
            (std::vector<ports::CaCertificate>{{"PEM of b", "b certificate"}, {"PEM of c", "c certificate"}}));

  const Pin known{api::PinType::kPublicKey, "b key"};
  EXPECT_EQ(with_intermediaries({known}, trusted), (std::vector<Pin>{known, {api::PinType::kPublicKey, "c key"}}));
}

TEST(PinIntermediaries, AChainIsTheirsByItsRoot) {
  const std::vector trusted{intermediary("proxy", kNow + 1h)};
  Sight sight{.vantage = "edge01", .chain = {{"leaf", "leaf key"}, {"proxy certificate", "proxy key"}}};
  ASSERT_NE(intermediary_of(sight, trusted), nullptr);
  EXPECT_EQ(intermediary_of(sight, trusted)->name, "proxy");
  EXPECT_EQ(intermediary_of(sight, {}), nullptr);
  sight.problem = "it does not validate";
  EXPECT_EQ(intermediary_of(sight, trusted), nullptr);
  sight = {.vantage = "edge01", .chain = {{"proxy certificate", "proxy key"}, {"root", "root key"}}};
  EXPECT_EQ(intermediary_of(sight, trusted), nullptr) << "another root";
}

// --- the emergency override

api::PinPolicySpec overridden(TimePoint until, bool disable = true) {
  api::PinPolicySpec spec;
  spec.emergency_override = api::EmergencyOverride{.disable_pinning = disable, .until = until, .reason = "INC-1"};
  return spec;
}
api::Condition condition(api::Truth status, TimePoint since) {
  return {.type = std::string(api::condition::kOverrideActive), .status = status, .last_transition_time = since};
}

TEST(PinOverride, ItHoldsUntilItsDateAndEndsByItself) {
  const auto spec = overridden(kNow + 1h);
  EXPECT_TRUE(is_overridden(spec, kNow));
  EXPECT_FALSE(is_overridden(spec, kNow + 1h));
  EXPECT_FALSE(is_overridden(overridden(kNow + 1h, false), kNow));
  EXPECT_FALSE(is_overridden({}, kNow));

  const auto view = override_view(spec, nullptr, kNow);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->active, api::Truth::kTrue);
  EXPECT_EQ(view->reason, "Active");
  EXPECT_EQ(view->message, "pinning is switched off until 2026-11-29T13:00:00Z: INC-1");
  EXPECT_EQ(view->column, "until 2026-11-29T13:00:00Z");
  EXPECT_EQ(view->wake_at, kNow + 1h);

  const auto was = condition(api::Truth::kTrue, kNow);
  const auto over = override_view(spec, &was, kNow + 1h);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->active, api::Truth::kFalse);
  EXPECT_EQ(over->reason, "Ended");
  EXPECT_EQ(over->column, "");
  EXPECT_EQ(over->wake_at, std::nullopt);
  EXPECT_EQ(override_view({}, &was, kNow)->reason, "NotSet");
  EXPECT_FALSE(override_view({}, nullptr, kNow));
}

TEST(PinOverride, OneThatIsLongIsAlarmedUntilItsEnd) {
  EXPECT_EQ(override_view(overridden(kNow + 72h), nullptr, kNow)->reason, "Active");
  const auto spec = overridden(kNow + 72h + 1s);
  const auto view = override_view(spec, nullptr, kNow);
  EXPECT_EQ(view->reason, "TooLong");
  const auto was = condition(api::Truth::kTrue, kNow);
  EXPECT_EQ(override_view(spec, &was, kNow + 71h)->reason, "TooLong") << "the whole of it counts, not what is left";
  EXPECT_EQ(override_view(spec, &was, kNow + 71h)->message, view->message) << "no write while nothing changes";
}

// --- the site's time servers

TEST(PinMachine, TimeServersOfTheSiteAreCompared) {
  EXPECT_EQ(other_servers({}, {"ntp1"}), "");
  EXPECT_EQ(other_servers({"ntp1"}, {}), "") << "nobody knows";
  EXPECT_EQ(other_servers({"ntp1", "NTP2"}, {"ntp2", "Ntp1"}), "");
  EXPECT_EQ(other_servers({"ntp1", "ntp2"}, {"ntp3"}),
            "; clock.servers are ntp1, ntp2, and ntpSettings of its site in Genesys ntp3");
}

}  // namespace
}  // namespace edgetrust::decide::pins
