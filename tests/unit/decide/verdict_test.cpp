// Every sequence of looks up to a length, judged by the rules and by an oracle that looks at the whole sequence at
// once. F27 of the reliability bar: health lies by flapping, by not knowing, by being good once.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using ports::EdgeState;
using ports::SipState;

constexpr auto kInterval = 10s;

struct Setting {
  api::Duration settle;
  api::Duration period;
  int fail_after;
};

// G good, B SIP_DOWN, S Critical, U no answer.
EdgeLook seen(char what, TimePoint at) {
  EdgeLook found = look(2, at);
  if (what == 'B') return with_health(found, EdgeState::kOk, SipState::kDown);
  if (what == 'S') return with_health(found, EdgeState::kCritical, SipState::kUp);
  if (what == 'U') {
    found.health.reset();
    found.health_error = error(ErrorKind::kTimeout);
  }
  return found;
}

enum class Verdict { kWatch, kPromote, kRollBack };

// Written from the contract, not from the code. The n-th look (from 0) is made n intervals after the installation.
class Oracle {
 public:
  Oracle(Setting setting, std::string_view looks) : setting_(setting), looks_(looks) {}

  [[nodiscard]] Verdict verdict() const {
    if (looks_.empty()) return Verdict::kWatch;
    const std::size_t last = looks_.size() - 1;
    const bool settled = last * kInterval >= setting_.settle;
    // Critical so many times in a row, unknown aside: at once.
    if (looks_[last] == 'S' && run_of("S") >= setting_.fail_after) return Verdict::kRollBack;
    // Anything bad so many times in a row, unknown aside, and still so once the Edge has settled.
    if (settled && (looks_[last] == 'B' || looks_[last] == 'S') && run_of("BS") >= setting_.fail_after)
      return Verdict::kRollBack;
    if (settled && looks_[last] == 'G' && healthy_time() >= setting_.period) return Verdict::kPromote;
    return Verdict::kWatch;
  }

 private:
  // How many of the last looks are of these kinds, unknown ones not counted and not ending it.
  [[nodiscard]] int run_of(std::string_view kinds) const {
    int count = 0;
    for (std::size_t i = looks_.size(); i-- > 0;) {
      if (looks_[i] == 'U') continue;
      if (kinds.find(looks_[i]) == std::string_view::npos) break;
      ++count;
    }
    return count;
  }
  // Time since the last bad look that lies between two good ones.
  [[nodiscard]] api::Duration healthy_time() const {
    api::Duration sum{};
    for (std::size_t i = looks_.size(); i-- > 1;) {
      if (looks_[i] == 'B' || looks_[i] == 'S') break;
      if (looks_[i] == 'G' && looks_[i - 1] == 'G') sum += kInterval;
    }
    return sum;
  }
  Setting setting_;
  std::string_view looks_;
};

class Sequences {
 public:
  Sequences(Setting setting, std::string alphabet, std::size_t length)
      : setting_(setting), alphabet_(std::move(alphabet)), length_(length) {}

  // Tries everything that can follow `so_far`, which the rules and the oracle both want to watch on.
  void try_all(const Observation& before, const std::string& so_far) {
    if (so_far.size() == length_) return;
    for (const char next : alphabet_) {
      const std::string looks = so_far + next;
      Observation o = before;
      o.look = seen(next, o.now);
      o.health = fold(o.health, assess(*o.look, {fingerprint(2), true}), o.now, 3 * kInterval);
      const Decision decision = decide(o);
      const Verdict expected = Oracle(setting_, looks).verdict();
      const Verdict found = verdict_of(decision);
      ++tried;
      if (found != expected || testing::Test::HasFatalFailure()) {
        ADD_FAILURE() << looks << ": " << summary(o, decision);
        return;
      }
      if (found == Verdict::kPromote) ++promoted;
      if (found == Verdict::kRollBack) ++rolled_back;
      if (found != Verdict::kWatch) continue;
      ASSERT_EQ(decision.wake_at, o.now + kInterval) << looks;
      o.object.status = decision.status;
      o.now += kInterval;
      ASSERT_EQ(name_of(decide(o).effect.value()), "LookAtEdge") << looks;
      try_all(o, looks);
    }
  }

  int tried = 0;
  int promoted = 0;
  int rolled_back = 0;

 private:
  static Verdict verdict_of(const Decision& decision) {
    if (decision.status.phase == api::Phase::kReady) return Verdict::kPromote;
    if (push_of(decision) != nullptr) return Verdict::kRollBack;
    return Verdict::kWatch;
  }
  Setting setting_;
  std::string alphabet_;
  std::size_t length_;
};

Observation watching(Setting setting) {
  Observation o = observing();
  o.object.spec.rotation->observe = api::Observe{
      .settle = setting.settle, .period = setting.period, .interval = kInterval, .fail_after = setting.fail_after};
  return o;
}

TEST(Verdict, OfEverySequenceIsTheOracles) {
  int promoted = 0;
  int rolled_back = 0;
  for (const auto settle : {0s, 15s, 40s}) {
    for (const auto period : {10s, 30s}) {
      for (const int fail_after : {1, 2, 3}) {
        const Setting setting{settle, period, fail_after};
        SCOPED_TRACE(testing::Message() << "settle " << settle.count() << "s, period " << period.count()
                                        << "s, failAfter " << fail_after);
        Sequences sequences(setting, "GBU", 6);
        sequences.try_all(watching(setting), "");
        promoted += sequences.promoted;
        rolled_back += sequences.rolled_back;
      }
    }
  }
  EXPECT_GT(promoted, 100);
  EXPECT_GT(rolled_back, 100);
}

TEST(Verdict, OfEverySequenceWithCriticalIsTheOracles) {
  for (const int fail_after : {1, 2, 3}) {
    const Setting setting{35s, 20s, fail_after};
    Sequences sequences(setting, "GBSU", 6);
    sequences.try_all(watching(setting), "");
    EXPECT_GT(sequences.promoted, 10);
    EXPECT_GT(sequences.rolled_back, 10);
  }
}

// --- the 729 scripts: every six looks of good, bad and unknown, whatever it was that was bad or unknown

// Two intervals until it is settled, two of good time, two bad looks: docs/states.md tells the rule and these counts.
const Setting kScripts{20s, 20s, 2};
constexpr int kProved = 82;
constexpr int kRolledBack = 310;
constexpr int kWatchedOn = 337;

std::vector<std::string> scripts(std::size_t length) {
  std::vector<std::string> all{""};
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<std::string> longer;
    for (const auto& one : all) {
      for (const char next : {'G', 'B', 'U'}) longer.push_back(one + next);
    }
    all = std::move(longer);
  }
  return all;
}

// A look that is good, and then made bad or unknown by one witness.
using Spoil = void (*)(EdgeLook&);
struct Witness {
  std::string name;
  Spoil bad = nullptr;
  Spoil unknown = nullptr;
};
EdgeLook witnessed(TimePoint at) {
  EdgeLook seen = look(2, at);
  seen.evidence->options_status = 200;
  seen.evidence->peers = {{"sbc", Answer::kYes, ""}};
  seen.evidence->trunks = {{.name = "SBC", .state = ports::TrunkState::kUp}};
  return seen;
}
void unanswer(EdgeLook& seen) {
  seen.health.reset();
  seen.health_error = error(ErrorKind::kTimeout);
}
void unlist(EdgeLook& seen) { seen.evidence->trunks.reset(); }
const std::vector<Witness> kWitnesses = {
    {"status", [](EdgeLook& seen) { seen.health->sip = SipState::kDown; }, unanswer},
    {"its words", [](EdgeLook& seen) { seen.health->sip = SipState::kDown; },
     [](EdgeLook& seen) { seen.health->sip = SipState::kUnknown; }},
    {"port", [](EdgeLook& seen) { seen.served.reset(); }, unanswer},
    {"leaf", [](EdgeLook& seen) { seen.served->fingerprint_sha256 = fingerprint(1); }, unanswer},
    {"OPTIONS", [](EdgeLook& seen) { seen.evidence->options_status = 503; },
     [](EdgeLook& seen) { seen.evidence->options_status.reset(); }},
    {"peer", [](EdgeLook& seen) { seen.evidence->peers.front().accepts = Answer::kNo; },
     [](EdgeLook& seen) { seen.evidence->peers.front().accepts = Answer::kUnknown; }},
    {"trunk",
     [](EdgeLook& seen) {
       auto& trunk = seen.evidence->trunks->front();
       trunk.state = ports::TrunkState::kDown;
       trunk.since = seen.at;
     },
     [](EdgeLook& seen) { seen.evidence->trunks->front().state = ports::TrunkState::kUnknown; }},
    {"listing", [](EdgeLook& seen) { seen.health->sip = SipState::kDown; }, unlist}};

Verdict told_by_rules(const std::string& script, const Witness& witness) {
  Observation o = watching(kScripts);
  o.object.status.delivery->baseline = api::Baseline{.options_answered = true, .peers = {"sbc"}, .trunks = {"SBC"}};
  for (const char next : script) {
    EdgeLook seen = witnessed(o.now);
    if (next == 'B') witness.bad(seen);
    if (next == 'U') witness.unknown(seen);
    note_success(o, effect::LookAtEdge{.closely = true}, {.look = seen}, o, o.now);
    const Decision decision = decide(o);
    if (decision.status.phase == api::Phase::kReady) return Verdict::kPromote;
    if (push_of(decision) != nullptr) return Verdict::kRollBack;
    o.object.status = decision.status;
    o.now += kInterval;
  }
  return Verdict::kWatch;
}
Verdict told_by_contract(const std::string& script) {
  for (std::size_t length = 1; length <= script.size(); ++length) {
    const Verdict verdict = Oracle(kScripts, std::string_view(script).substr(0, length)).verdict();
    if (verdict != Verdict::kWatch) return verdict;
  }
  return Verdict::kWatch;
}

TEST(Verdict, OfEachOfThe729ScriptsIsTheContractsWhateverTheWitness) {
  const auto all = scripts(6);
  ASSERT_EQ(all.size(), 729U);
  for (const Witness& witness : kWitnesses) {
    std::map<Verdict, int> count;
    for (const auto& script : all) {
      const Verdict found = told_by_rules(script, witness);
      ++count[found];
      ASSERT_EQ(found, told_by_contract(script)) << witness.name << " " << script;
    }
    EXPECT_EQ(count[Verdict::kPromote], kProved) << witness.name;
    EXPECT_EQ(count[Verdict::kRollBack], kRolledBack) << witness.name;
    EXPECT_EQ(count[Verdict::kWatch], kWatchedOn) << witness.name;
  }
}

// What the table of the contract says in words, once more as sequences.
TEST(Verdict, ByExample) {
  const Setting contract{90s, 600s, 2};  // looks each 10 s
  const auto verdict_after = [&](const std::string& looks) {
    Observation o = watching(contract);
    std::string trace;
    for (const char next : looks) {
      o.look = seen(next, o.now);
      o.health = fold(o.health, assess(*o.look, {fingerprint(2), true}), o.now, 3 * kInterval);
      const Decision decision = decide(o);
      if (decision.status.phase == api::Phase::kReady) return "promoted after " + std::to_string(trace.size() + 1);
      if (push_of(decision) != nullptr) return "rolled back after " + std::to_string(trace.size() + 1);
      o.object.status = decision.status;
      o.now += kInterval;
      trace += next;
    }
    return std::string("watched");
  };
  const auto times = [](char what, std::size_t n) { return std::string(n, what); };
  EXPECT_EQ(verdict_after(times('G', 100)), "promoted after 61");
  EXPECT_EQ(verdict_after(times('B', 8) + times('G', 100)), "promoted after 69") << "a slow but good restart";
  EXPECT_EQ(verdict_after(times('B', 100)), "rolled back after 10") << "SIP_DOWN alone waits for the end of settle";
  EXPECT_EQ(verdict_after(times('S', 100)), "rolled back after 2") << "Critical does not";
  EXPECT_EQ(verdict_after("S" + times('G', 100)), "promoted after 62") << "unless it passes";
  EXPECT_EQ(verdict_after(times('U', 1000)), "watched") << "not knowing is no verdict";
  EXPECT_EQ(verdict_after(times('G', 60) + times('U', 50)), "watched");
  EXPECT_EQ(verdict_after(times('G', 60) + times('U', 50) + "GG"), "promoted after 112");
  EXPECT_EQ(verdict_after(times('G', 60) + "B" + times('G', 60)), "watched") << "the healthy time is unbroken";
  EXPECT_EQ(verdict_after(times('G', 60) + "BB"), "rolled back after 62");
  std::string flapping;
  for (int i = 0; i < 200; ++i) flapping += "GB";
  EXPECT_EQ(verdict_after(flapping), "watched");
}

// SIP_DOWN with a failing handshake is as good as Critical, if the port answered before.
TEST(Verdict, SipDownWithASilentPortRollsBackInsideSettle) {
  for (const bool answered_before : {true, false}) {
    Observation o = watching({90s, 600s, 2});
    o.object.status.delivery->port_answered = answered_before;
    int looks = 0;
    for (; looks < 20; ++looks) {
      o.look = with_health(look(2, o.now), EdgeState::kOk, SipState::kDown);
      o.look->served.reset();
      o.look->served_error = error(ErrorKind::kUnavailable);
      o.health = fold(o.health, assess(*o.look, {fingerprint(2), answered_before}), o.now, 3 * kInterval);
      if (push_of(decide(o)) != nullptr) break;
      o.now += kInterval;
    }
    EXPECT_EQ(looks + 1, answered_before ? 2 : 10);
  }
}

}  // namespace
}  // namespace edgetrust::decide::certificate
