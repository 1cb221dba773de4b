#pragma once
// The engine around the rules for the pin file of one Edge, in memory: look, decide, record, act. It can be crashed
// before or after one of its writes, and loses what it remembers then; the status is what stays. For the tests of those
// rules, and of what is made of the statuses that they write.
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/pins/file_change.hpp"
#include "support/pin_machine.hpp"

#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace edgetrust::support {

namespace file_effect = decide::pins::file_effect;
using decide::pins::FileDecision;
using decide::pins::FileEffect;
using decide::pins::Proof;

// Hashes are the texts themselves: nothing here looks into them.
struct StoryMachine final : PinMachine {
  StoryMachine() : PinMachine(parse_rfc3339("2026-11-22T12:00:00Z").value()) { file = running = "old"; }
  std::set<std::string> bad;         // files with which the service does not come up
  std::set<std::string> locked_out;  // files with which the endpoint is refused
  bool cut_off = false;              // the endpoint cannot be reached at all
  bool is_deaf = false;              // it takes the order to restart the service, and does nothing

  [[nodiscard]] bool comes_up(const std::string& text) const override { return !bad.contains(text); }
  [[nodiscard]] std::string sha256_of(const std::string& text) const override { return text; }

  void run(const file_effect::Install& effect) {
    std::ignore = put(effect.document, effect.replaces, decide::pins::kRestoreAfter);
  }
  void run(const file_effect::Restart& effect) {
    if (!is_deaf) restart_once(effect.invocation);
  }
  void run(const file_effect::Confirm& effect) { std::ignore = keep(effect.sha256); }
  void run(const file_effect::Restore& effect) { std::ignore = take_back(effect.sha256); }
  void run(const file_effect::Clean& /*effect*/) { tidy(); }
};

struct Crash {};

struct PinStory {
  StoryMachine machine;
  std::optional<api::EdgePins> status;
  std::optional<std::string> wanted = "new";
  bool enforced = true;
  std::string waits_for;
  std::string hindered;
  std::string missing;
  int unread_by = 0;  // the invocation that has not read what came after its start
  api::Duration clock_offset{0};
  Proof proof = Proof::kNone;
  TimePoint proof_at;
  bool refuses = false;                                 // the previous file is known to refuse the endpoint
  bool switches_off = false;                            // the wanted file pins nothing
  bool online = false;                                  // the cloud sees the Edge
  bool is_silent = false;                               // the machine does not answer
  int proofs = 0;                                       // that were asked for
  std::function<bool(const FileEffect& effect)> fails;  // an effect does not get through
  std::optional<api::PinStep> failed_at;                // empty: without a change
  int failures = 0;
  int writes = 0;
  int crash_at = -1;
  bool crash_before = false;
  std::chrono::milliseconds down_for{10'000};
  std::vector<std::optional<api::EdgePins>> written{std::nullopt};  // the statuses, as they followed each other

  template <class Write>
  void write(Write commit) {
    const bool crashes = ++writes == crash_at;
    if (crashes && crash_before) throw Crash{};
    commit();
    if (crashes) throw Crash{};
  }

  // What one pass would decide.
  [[nodiscard]] FileDecision decided() const {
    std::optional<ports::HostState> host = machine.state();
    host->clock_offset = clock_offset;
    if (is_silent) host.reset();
    return decide::pins::decide(
        {.policy = "cloud",
         .before = status,
         .host = host,
         .host_trouble = "no answer in time",
         .wanted = wanted ? std::optional(ports::PinDocument{.text = *wanted, .sha256 = *wanted}) : std::nullopt,
         .blocked = "no set of pins",
         .hindered = hindered,
         .missing = missing,
         .unread = machine.invocation == unread_by ? "it has not read the CA" : "",
         .online = online,
         .refuses = refuses && machine.file == "old",
         .enforced = enforced,
         .pins = !switches_off || machine.file != wanted,
         .switches_off = switches_off,
         .waits_for = waits_for,
         .proof = proof,
         .proof_at = proof_at,
         .failures = step() == failed_at ? failures : 0,
         .failure = "exit status 71",
         .now = machine.now});
  }
  [[nodiscard]] std::optional<api::PinStep> step() const {
    return status && status->change ? std::optional(status->change->step) : std::nullopt;
  }
  static bool differ(const std::optional<api::EdgePins>& before, const api::EdgePins& after) {
    const auto text = [](const api::EdgePins& pins) {
      const auto& change = pins.change;
      return std::tuple(pins.state, pins.message, pins.file_sha256, pins.applied_at, pins.restarts,
                        pins.rejected_sha256, change.has_value(), change ? change->step : api::PinStep::kInstalling,
                        change ? change->invocation : "");
    };
    return !before || text(*before) != text(after);
  }
  // Returns when the next pass is wanted.
  std::optional<TimePoint> pass() {
    FileDecision decision = decided();
    if (!is_silent && !decision.status.change) {
      EXPECT_GE(decision.status.restarts.size(), machine.restarts_within(std::chrono::hours{1}))
          << "none goes uncounted";
    }
    if (differ(status, decision.status)) {
      write([&] {
        status = decision.status;
        written.push_back(status);
      });
    }
    std::visit(
        [&](const auto& effect) {
          using Effect = std::decay_t<decltype(effect)>;
          if (fails && fails(decision.effect)) {
            failures = failed_at == step() ? failures + 1 : 1;
            failed_at = step();
          } else if constexpr (std::is_same_v<Effect, file_effect::Prove>) {
            ++proofs;
            proof_at = machine.now;
            proof = machine.cut_off                                          ? Proof::kUnreachable
                    : machine.locked_out.contains(machine.file.value_or("")) ? Proof::kRefused
                                                                             : Proof::kGood;
          } else if constexpr (!std::is_same_v<Effect, std::monostate>) {
            proof = Proof::kNone;
            failures = 0;
            write([&] { machine.run(effect); });
          }
        },
        decision.effect);
    return decision.wake_at;
  }
  // Until it rests; false when it does not within the time.
  bool run(std::chrono::milliseconds limit = std::chrono::minutes{30}) {
    const TimePoint end = machine.now + limit;
    while (machine.now < end) {
      try {
        const auto wake_at = pass();
        if (!wake_at) return true;
        machine.advance(std::max<std::chrono::milliseconds>(*wake_at - machine.now, std::chrono::milliseconds{1}));
      } catch (const Crash&) {
        crash_at = -1;
        proof = Proof::kNone;
        machine.advance(down_for);
      }
    }
    return false;
  }
  // How each change has ended.
  [[nodiscard]] std::vector<decide::pins::ChangeEnd> ends() const {
    std::vector<decide::pins::ChangeEnd> all;
    for (std::size_t i = 1; i < written.size(); ++i)
      if (const auto end = decide::pins::change_end(written[i - 1], *written[i])) all.push_back(*end);
    return all;
  }
  // Those that were rolled back.
  [[nodiscard]] int rolled_back() const {
    int count = 0;
    for (const auto end : ends())
      count += end == decide::pins::ChangeEnd::kTakenBack || end == decide::pins::ChangeEnd::kStillThere ? 1 : 0;
    return count;
  }
  [[nodiscard]] api::EdgePinState state() const { return status->state; }
};

}  // namespace edgetrust::support
