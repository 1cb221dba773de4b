#include "edgetrust/decide/certificate/health.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using ports::EdgeState;
using ports::SipState;

const TimePoint kNoon = parse_rfc3339("2026-11-22T12:00:00Z").value();
constexpr const char* kOurs = "ours";

EdgeLook look(EdgeState state, SipState sip) {
  EdgeLook seen{.at = kNoon, .probed = true};
  seen.health = ports::EdgeHealth{.state = state, .sip = sip};
  seen.served = ports::ChainFacts{.serial_number = "0a", .fingerprint_sha256 = kOurs};
  return seen;
}
EdgeLook silent(EdgeLook seen) {
  seen.served.reset();
  seen.served_error = Error{.kind = ErrorKind::kUnavailable, .what = "connection refused"};
  return seen;
}
EdgeLook unprobed(EdgeLook seen) {
  seen.served.reset();
  seen.probed = false;
  return seen;
}
EdgeLook unanswered(EdgeLook seen) {
  seen.health.reset();
  seen.health_error = Error{.kind = ErrorKind::kTimeout, .what = "no answer in time"};
  return seen;
}
EdgeLook serving(EdgeLook seen, std::string fingerprint) {
  seen.served->fingerprint_sha256 = std::move(fingerprint);
  return seen;
}
EdgeLook telling(EdgeLook seen, std::string fingerprint) {
  seen.health->fingerprint_sha256 = std::move(fingerprint);
  return seen;
}

struct Case {
  std::string name;
  EdgeLook seen;
  bool probe_counts = true;
  Health health;
  std::string reason;
};
void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }
class Assess : public testing::TestWithParam<Case> {};
TEST_P(Assess, Means) {
  const Case& tested = GetParam();
  const Assessment found = assess(tested.seen, kOurs, tested.probe_counts);
  EXPECT_EQ(found.health, tested.health);
  EXPECT_EQ(found.reason, tested.reason);
}
INSTANTIATE_TEST_SUITE_P(
    Looks, Assess,
    testing::Values(
        Case{"ok_and_up", look(EdgeState::kOk, SipState::kUp), true, Health::kGood, "the Edge is healthy"},
        Case{"a_warning_is_no_reason", look(EdgeState::kWarning, SipState::kUp), true, Health::kGood,
             "the Edge is healthy"},
        Case{"critical", look(EdgeState::kCritical, SipState::kUp), true, Health::kSevere, "the Edge reports Critical"},
        Case{"critical_beats_sip_down", look(EdgeState::kCritical, SipState::kDown), true, Health::kSevere,
             "the Edge reports Critical"},
        Case{"critical_whatever_the_port_says", silent(look(EdgeState::kCritical, SipState::kUp)), false,
             Health::kSevere, "the Edge reports Critical"},
        Case{"sip_down_alone", look(EdgeState::kOk, SipState::kDown), true, Health::kBad, "the Edge reports SIP_DOWN"},
        Case{"sip_down_and_silent", silent(look(EdgeState::kOk, SipState::kDown)), true, Health::kSevere,
             "the Edge reports SIP_DOWN and its SIP-TLS port does not answer"},
        Case{"sip_down_and_a_port_that_was_silent_before", silent(look(EdgeState::kOk, SipState::kDown)), false,
             Health::kBad, "the Edge reports SIP_DOWN"},
        Case{"sip_down_without_probe", unprobed(look(EdgeState::kOk, SipState::kDown)), true, Health::kBad,
             "the Edge reports SIP_DOWN"},
        Case{"silent_alone", silent(look(EdgeState::kOk, SipState::kUp)), true, Health::kBad,
             "the SIP-TLS port does not answer: connection refused"},
        Case{"silent_as_before", silent(look(EdgeState::kOk, SipState::kUp)), false, Health::kGood,
             "the Edge is healthy"},
        Case{"not_probed", unprobed(look(EdgeState::kOk, SipState::kUp)), true, Health::kGood, "the Edge is healthy"},
        Case{"another_leaf", serving(look(EdgeState::kOk, SipState::kUp), "other"), true, Health::kBad,
             "the SIP-TLS port serves another certificate than the one installed (serial 0a)"},
        Case{"another_leaf_on_a_port_that_was_silent_before", serving(look(EdgeState::kOk, SipState::kUp), "other"),
             false, Health::kBad, "the SIP-TLS port serves another certificate than the one installed (serial 0a)"},
        Case{"another_leaf_by_the_status_call_alone", telling(unprobed(look(EdgeState::kOk, SipState::kUp)), "other"),
             true, Health::kUnknown, "the Edge's status names another certificate than the one installed"},
        Case{"our_leaf_by_the_status_call_alone", telling(unprobed(look(EdgeState::kOk, SipState::kUp)), kOurs), true,
             Health::kGood, "the Edge is healthy"},
        Case{"the_handshake_is_believed_first", telling(look(EdgeState::kOk, SipState::kUp), "stale"), true,
             Health::kGood, "the Edge is healthy"},
        Case{"no_status", unanswered(look(EdgeState::kOk, SipState::kUp)), true, Health::kUnknown,
             "no status: no answer in time"},
        Case{"no_status_and_silent", silent(unanswered(look(EdgeState::kOk, SipState::kUp))), true, Health::kUnknown,
             "no status: no answer in time"},
        Case{"nothing_at_all", EdgeLook{.at = kNoon}, true, Health::kUnknown, "no status"},
        Case{"unknown_state", look(EdgeState::kUnknown, SipState::kUp), true, Health::kUnknown,
             "the Edge's status says neither good nor bad"},
        Case{"unknown_sip", look(EdgeState::kOk, SipState::kUnknown), true, Health::kUnknown,
             "the Edge's status says neither good nor bad"},
        Case{"unknown_state_sip_down", look(EdgeState::kUnknown, SipState::kDown), true, Health::kBad,
             "the Edge reports SIP_DOWN"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Assess, WithoutAnExpectedLeafAnyIsGood) {
  EXPECT_EQ(assess(serving(look(EdgeState::kOk, SipState::kUp), "other"), {}, true).health, Health::kGood);
}

TEST(EdgeLook, TheHandshakesFingerprintIsBelievedFirst) {
  EXPECT_EQ(telling(look(EdgeState::kOk, SipState::kUp), "told").fingerprint(), kOurs);
  EXPECT_EQ(telling(silent(look(EdgeState::kOk, SipState::kUp)), "told").fingerprint(), "told");
  EXPECT_EQ(silent(look(EdgeState::kOk, SipState::kUp)).fingerprint(), "");
  EXPECT_EQ(EdgeLook{}.fingerprint(), "");
}

// --- folding

// One look each 10 s: G good, U unknown, B bad, S severe.
HealthRecord folded(std::string_view looks, api::Duration every = 10s, api::Duration longest_gap = 55s) {
  HealthRecord record;
  TimePoint now = kNoon;
  for (const char c : looks) {
    const Health health = c == 'G'   ? Health::kGood
                          : c == 'B' ? Health::kBad
                          : c == 'S' ? Health::kSevere
                                     : Health::kUnknown;
    record = fold(record, {health, std::string(1, c)}, now, longest_gap);
    now += every;
  }
  return record;
}

TEST(Fold, GoodTimeIsBetweenTwoGoodLooks) {
  EXPECT_EQ(folded("").good_for, 0s);
  EXPECT_EQ(folded("G").good_for, 0s);
  EXPECT_EQ(folded("GGGG").good_for, 30s);
  EXPECT_EQ(folded("GBGG").good_for, 10s) << "bad ends it";
  EXPECT_EQ(folded("GGSG").good_for, 0s);
}

TEST(Fold, UnknownPausesAndHidesTheTimeAroundIt) {
  EXPECT_EQ(folded("GGUGG").good_for, 20s);
  EXPECT_EQ(folded("GUGUG").good_for, 0s);
  EXPECT_EQ(folded("GGU").good_for, 10s) << "and takes nothing away";
}

TEST(Fold, LooksTooFarApartProveNothingAboutTheTimeBetween) {
  EXPECT_EQ(folded("GG", 55s).good_for, 55s);
  EXPECT_EQ(folded("GG", 56s).good_for, 0s);
  EXPECT_EQ(folded("GGG", 56s).good_for, 0s);
}

TEST(Fold, ATimeThatRunsBackwardsNeverAddsUp) {
  HealthRecord record = fold({}, {Health::kGood, ""}, kNoon, 55s);
  record = fold(record, {Health::kGood, ""}, kNoon + 10s, 55s);
  record = fold(record, {Health::kGood, ""}, kNoon - 1h, 55s);
  EXPECT_LE(record.good_for, 10s);
  EXPECT_GE(record.good_for, 0s);
}

TEST(Fold, BadLooksAreCountedUntilAGoodOne) {
  EXPECT_EQ(folded("BB").bad_in_row, 2);
  EXPECT_EQ(folded("BUB").bad_in_row, 2) << "unknown neither counts nor forgives";
  EXPECT_EQ(folded("BGB").bad_in_row, 1);
  EXPECT_EQ(folded("BS").bad_in_row, 2);
  EXPECT_EQ(folded("BS").severe_in_row, 1);
  EXPECT_EQ(folded("SS").severe_in_row, 2);
  EXPECT_EQ(folded("SBS").severe_in_row, 1) << "severe, one after the other";
  EXPECT_EQ(folded("SUS").severe_in_row, 2);
  EXPECT_EQ(folded("SGS").severe_in_row, 1);
  EXPECT_EQ(folded("SSG").bad_in_row, 0);
}

TEST(Fold, RemembersTheLastLookAndWhyItWasBad) {
  EXPECT_EQ(folded("GBU").last, Health::kUnknown);
  EXPECT_EQ(folded("GBU").reason, "B");
  EXPECT_EQ(folded("GBU").last_at, kNoon + 20s);
  EXPECT_EQ(folded("").last_at, std::nullopt);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
