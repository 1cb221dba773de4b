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
  seen.served = ports::ChainFacts{.serial_number = "0a",
                                  .fingerprint_sha256 = kOurs,
                                  .not_before = kNoon - 24h,
                                  .not_after = kNoon + 24h,
                                  .certificates = 2};
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

// Beside what is looked at: a trunk that was up before, and is so now.
EdgeLook witnessed(EdgeLook seen, ports::TrunkState state, TimePoint since = kNoon) {
  seen.evidence.emplace();
  seen.evidence->trunks = {{.name = "SBC", .state = state, .since = since}};
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
  const Assessment found = assess(tested.seen, {kOurs, tested.probe_counts});
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
  EXPECT_EQ(assess(serving(look(EdgeState::kOk, SipState::kUp), "other"), {"", true}).health, Health::kGood);
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

// --- what worked before

Assessment with_trunk_up_before(const EdgeLook& seen) {
  return assess(seen, {.fingerprint = kOurs,
                       .port_answered = true,
                       .baseline = {.peers = {}, .trunks = {"SBC"}},
                       .since = kNoon - 1min});
}

TEST(Witnesses, AreAskedAfterTheStatusAndThePort) {
  using ports::TrunkState;
  const EdgeLook well = look(EdgeState::kOk, SipState::kUp);
  EXPECT_EQ(with_trunk_up_before(witnessed(well, TrunkState::kUp)).health, Health::kGood);
  const Assessment down = with_trunk_up_before(witnessed(well, TrunkState::kDown));
  EXPECT_EQ(down.health, Health::kBad);
  EXPECT_EQ(down.reason, "trunk SBC went down");
  EXPECT_FALSE(down.of_certificate);
  EXPECT_EQ(with_trunk_up_before(witnessed(well, TrunkState::kUnknown)).health, Health::kUnknown);
  EXPECT_EQ(with_trunk_up_before(well).health, Health::kGood) << "a look at less says nothing of them";
  // Without the status call nobody says anything.
  EXPECT_EQ(with_trunk_up_before(witnessed(unanswered(well), TrunkState::kDown)).health, Health::kUnknown);
  // A trunk that is down makes up for words that nobody knows; one that is up does not.
  const EdgeLook wordless = look(EdgeState::kUnknown, SipState::kUnknown);
  EXPECT_EQ(with_trunk_up_before(witnessed(wordless, TrunkState::kDown)).health, Health::kBad);
  EXPECT_EQ(with_trunk_up_before(witnessed(wordless, TrunkState::kUp)).health, Health::kUnknown);
  EXPECT_EQ(with_trunk_up_before(witnessed(look(EdgeState::kCritical, SipState::kUp), TrunkState::kUp)).health,
            Health::kSevere);
}

// --- the chain that the port sends

TEST(ServedChain, MustHoldAllThatWasPushedAndMayHoldMore) {
  const auto sending = [](std::vector<std::string> others) {
    EdgeLook seen = look(EdgeState::kOk, SipState::kUp);
    seen.served->others_sha256 = std::move(others);
    return assess(seen, {.fingerprint = kOurs, .port_answered = true, .others_sha256 = {"sub 2", "sub 1"}});
  };
  EXPECT_EQ(sending({"sub 2", "sub 1"}).health, Health::kGood);
  EXPECT_EQ(sending({"sub 1", "sub 2", "root"}).health, Health::kGood);
  for (const auto& others : {std::vector<std::string>{}, {"sub 2"}, {"sub 1", "root"}}) {
    const Assessment short_of_one = sending(others);
    EXPECT_EQ(short_of_one.health, Health::kBad);
    EXPECT_TRUE(short_of_one.of_certificate);
    EXPECT_EQ(short_of_one.reason,
              "the SIP-TLS port does not send the whole chain: peers would have to fetch what is missing");
  }
}

TEST(ServedChain, MustBeWithinItsDates) {
  const auto at = [](TimePoint when) {
    EdgeLook seen = look(EdgeState::kOk, SipState::kUp);
    seen.at = when;
    return assess(seen, {kOurs, true});
  };
  EXPECT_EQ(at(kNoon + 24h - 1s).health, Health::kGood);
  EXPECT_EQ(at(kNoon + 24h).health, Health::kBad);
  EXPECT_THAT(at(kNoon + 24h).reason, testing::HasSubstr("expired at 2026-11-23T12:00:00Z"));
  EXPECT_EQ(at(kNoon - 24h - 1s).health, Health::kBad);
  EXPECT_EQ(assess(look(EdgeState::kOk, SipState::kUp), {"", true}).health, Health::kGood) << "whichever it is";
}

// --- an outage of the site

TEST(Fold, AnOutageOfTheSiteBeginsEverythingAnew) {
  const HealthRecord before{.bad_in_row = 3, .severe_in_row = 1, .good_for = 1min, .last = Health::kBad};
  const HealthRecord after = fold(before, {Health::kHeld, "the site is down"}, kNoon, 1min);
  EXPECT_EQ(after.bad_in_row, 0);
  EXPECT_EQ(after.severe_in_row, 0);
  EXPECT_EQ(after.good_for, 0s);
  EXPECT_EQ(after.last, Health::kHeld);
  EXPECT_EQ(after.reason, "the site is down");
}

// --- what is told of it

TEST(EvidenceOf, IsShortAndHasTheCorrelationId) {
  using ports::TrunkState;
  EdgeLook seen = witnessed(look(EdgeState::kWarning, SipState::kDown), TrunkState::kDown);
  seen.health->correlation_id = "0f0f-1";
  EXPECT_EQ(evidence_of(seen),
            "status Warning, SIP_DOWN (correlation id 0f0f-1); port: serial 0a, chain of 2; trunks: 0 up, 1 down "
            "(SBC)");
  EdgeLook mute = silent(unanswered(look(EdgeState::kOk, SipState::kUp)));
  mute.health_error->correlation_id = "0f0f-2";
  EXPECT_EQ(evidence_of(mute), "no status (correlation id 0f0f-2); port: no handshake");
  EXPECT_EQ(evidence_of(unprobed(look(EdgeState::kOk, SipState::kUp))), "status OK, SIP_UP");
  for (int i = 0; i < 100; ++i)
    seen.evidence->trunks->push_back({.name = std::string(60, 'x'), .state = TrunkState::kDown});
  EXPECT_LE(evidence_of(seen).size(), 320U);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
