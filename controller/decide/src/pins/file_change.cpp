#include "edgetrust/decide/pins/file_change.hpp"

#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;
using api::EdgePinState;
using api::PinStep;

constexpr auto kLookSoon = 2s;
constexpr auto kTimerAgain = 10s;
constexpr auto kOneHour = 1h;
constexpr auto kProofHolds = 30s;
constexpr std::size_t kMostRestartsKept = 8;

// The status in the making.
class File {
 public:
  explicit File(const FileSituation& situation) : s_(situation) {
    if (s_.before) next_.status = *s_.before;
    next_.status.policy = s_.policy;
    heed_clock();
    std::erase_if(next_.status.restarts, [&](TimePoint at) { return at + kOneHour <= s_.now; });
  }

  FileDecision decide() {
    if (!s_.host) return unseen();
    next_.status.file_sha256 = host().sha256;
    if (next_.status.change) {
      if (auto going_on = go_on()) return std::move(*going_on);
    }
    return refusing(begin());
  }

 private:
  [[nodiscard]] const ports::HostState& host() const { return *s_.host; }
  [[nodiscard]] api::PinChange& change() { return *next_.status.change; }

  FileDecision rest(EdgePinState state, std::string message) {
    next_.status.state = state;
    next_.status.message = std::move(message);
    return std::move(next_);
  }
  FileDecision later(EdgePinState state, std::string message, std::chrono::milliseconds wait) {
    next_.wake_at = s_.now + wait;
    return rest(state, std::move(message));
  }
  template <class Effect>
  FileDecision act(EdgePinState state, std::string message, Effect effect) {
    if (fails() > 1) message += "; the last try: " + s_.failure;
    next_.effect = std::move(effect);
    next_.wake_at = s_.now + kLookSoon;
    return rest(state, std::move(message));
  }

  // A time to come is of a clock that has been set back since: what it was written for begins anew.
  void heed_clock() {
    const auto not_later = [&](TimePoint& at) {
      if (at > s_.now) at = std::chrono::floor<std::chrono::seconds>(s_.now);
    };
    std::ranges::for_each(next_.status.restarts, not_later);
    if (auto& change = next_.status.change) {
      if (change->at) not_later(*change->at);
      if (change->restarted_at) not_later(*change->restarted_at);
    }
    if (next_.status.rolled_back_at) not_later(*next_.status.rolled_back_at);
  }

  // How often this step has failed in a row; without a change that of taking away what is left of one.
  [[nodiscard]] int fails() const {
    const auto& was = s_.before ? s_.before->change : std::nullopt;
    const auto& is = next_.status.change;
    if (!was && !is) return s_.failures;
    return was && is && was->step == is->step ? s_.failures : 0;
  }
  [[nodiscard]] bool is_old(std::chrono::seconds age) const {
    return s_.now >= next_.status.change->at.value_or(TimePoint{}) + age;
  }
  // Until when what the wanted file was rolled back for is heeded; empty: as long as it is that file.
  [[nodiscard]] std::optional<TimePoint> rejected_until() const {
    const auto& until = next_.status.rejected_until;
    if (!s_.refuses) return until;
    const TimePoint soon = next_.status.rolled_back_at.value_or(s_.now) + kRefusingTriesAfter;
    return until ? std::min(*until, soon) : soon;
  }
  [[nodiscard]] bool is_rejected() const {
    const auto until = rejected_until();
    return s_.wanted->sha256 == next_.status.rejected_sha256 && !s_.switches_off && (!until || s_.now < *until);
  }
  // There is a previous file that is another one, and that may be gone back to.
  [[nodiscard]] bool has_way_back() const {
    const auto& change = *next_.status.change;
    return s_.pins && change.file_sha256 != change.previous_sha256;
  }
  // Whether the service was started anew with the new file there, so that it is again when that is taken back. Of a
  // machine that is silent it is taken to be as it was told.
  [[nodiscard]] bool was_read() const {
    const auto& change = *next_.status.change;
    if (s_.host) return host().invocation != change.invocation;
    return change.step != PinStep::kInstalling && change.file_sha256 != change.previous_sha256;
  }
  void count_restart() {
    auto& restarts = next_.status.restarts;
    restarts.push_back(s_.now);
    if (restarts.size() > kMostRestartsKept) restarts.erase(restarts.begin());
  }

  FileDecision unseen();
  FileDecision begin();
  FileDecision rolled_back();
  FileDecision begin_change();
  [[nodiscard]] FileDecision refusing(FileDecision decision) const;
  std::optional<FileDecision> go_on();
  std::optional<FileDecision> installing();
  FileDecision restarting();
  FileDecision proving();
  FileDecision confirming();
  FileDecision restoring();
  FileDecision step(PinStep to);
  FileDecision go_back(bool may_pass);
  FileDecision give_up();
  void reject();
  void end_unconfirmed();

  const FileSituation& s_;
  FileDecision next_;
};

// --- a change under way

// Whatever has become of it, after so long it is over: who answers then is judged anew.
FileDecision File::unseen() {
  if (next_.status.change && is_old(kLongestChange)) end_unconfirmed();
  if (s_.for_a_person) return rest(EdgePinState::kBlocked, s_.host_trouble);
  // At which step a machine falls silent is another one each time, and no news.
  const bool is_news = next_.status.state != EdgePinState::kUnreachable;
  return rest(EdgePinState::kUnreachable, is_news ? s_.host_trouble : next_.status.message);
}

// Empty: it is over, and the file is judged anew.
std::optional<FileDecision> File::go_on() {
  const bool has_new = host().has_file && host().sha256 == change().file_sha256;
  const bool has_previous = host().sha256 == change().previous_sha256;
  if (host().restore_armed && is_old(kLongestChange)) {
    end_unconfirmed();
    return std::nullopt;
  }
  if (change().step == PinStep::kRestoring) return restoring();
  if (!has_new && change().step == PinStep::kInstalling && has_previous) return installing();
  if (!has_new) {
    // The timer was faster, or somebody has edited the file: what the change was for is asked anew.
    if (host().restore_armed) return later(EdgePinState::kApplying, "the timer on the Edge runs", kLookSoon);
    has_previous ? end_unconfirmed() : next_.status.change.reset();
    return std::nullopt;
  }
  switch (change().step) {
    case PinStep::kInstalling:
      // Who was started while the file was put in place may have read either.
      change().invocation = host().invocation;
      // Only its mode or owner was wrong: nobody has to read it anew.
      if (change().file_sha256 == change().previous_sha256) return step(PinStep::kConfirming);
      count_restart();
      return step(PinStep::kRestarting);
    case PinStep::kRestarting: return restarting();
    case PinStep::kProving: return proving();
    case PinStep::kConfirming: return confirming();
    case PinStep::kRestoring: break;
  }
  return restoring();
}

FileDecision File::step(PinStep to) {
  change().step = to;
  switch (to) {
    case PinStep::kRestarting: return restarting();
    case PinStep::kProving: return proving();
    case PinStep::kConfirming: return confirming();
    case PinStep::kInstalling:
    case PinStep::kRestoring: break;
  }
  return restoring();
}

// The file is still the previous one: the installation failed, or its answer was lost before anything was done.
std::optional<FileDecision> File::installing() {
  if (host().restore_armed) {
    // A script that was cut off from us may still be at work, and takes no longer than its timer.
    return later(EdgePinState::kApplying, "an installation that was begun is waited for", kLookSoon);
  }
  if (fails() >= kMostTries) return give_up();
  // What it was allowed to begin by does not hold for ever: window, freeze, halt are asked anew.
  const bool may_go_on = s_.enforced && s_.intercepted.empty() && s_.hindered.empty() && !is_old(kRestoreAfter);
  if (!may_go_on || !s_.wanted || s_.wanted->sha256 != change().file_sha256) {
    next_.status.change.reset();
    return std::nullopt;
  }
  change().invocation = host().invocation;
  return act(EdgePinState::kApplying, "the new file is put in place",
             file_effect::Install{*s_.wanted, change().previous_sha256});
}

FileDecision File::restarting() {
  if (host().invocation != change().invocation) return step(PinStep::kProving);
  if (fails() >= kMostTries) return give_up();
  // What speaks against the file by now is no reason to restart twice: the timer takes back what nobody has read.
  const std::string& against = s_.intercepted.empty() ? s_.hindered : s_.intercepted;
  if (has_way_back() && !against.empty()) {
    const std::string why = "the service is not restarted with the new file: " + against;
    if (host().restore_armed) return later(EdgePinState::kApplying, why, kLookSoon);
    return act(EdgePinState::kApplying, why, file_effect::Restore{change().file_sha256});
  }
  // Nor is a service waited for that is asked again and again, and not started anew.
  if (is_old(kLongestChange)) {
    if (has_way_back()) return go_back(true);
    end_unconfirmed();
    return begin();
  }
  return act(EdgePinState::kRestarting, "the service is restarted", file_effect::Restart{change().invocation});
}

// Whoever comes back after the time for it tries once all the same: the Edge's own timer has not been faster.
FileDecision File::proving() {
  if (!change().restarted_at) change().restarted_at = std::chrono::floor<std::chrono::seconds>(s_.now);
  const TimePoint restarted = *change().restarted_at;
  const bool too_late = s_.now >= restarted + kProveWithin;
  if (!host().service_active) {
    if (!too_late) return later(EdgePinState::kRestarting, "the service is not up yet", kLookSoon);
    return has_way_back() ? go_back(false) : confirming();
  }
  if (!has_way_back()) return step(PinStep::kConfirming);
  // Kept without a proof; what was seen then may be forgotten by now.
  const bool is_confirmed = !host().restore_armed && !host().has_leftovers;
  if (too_late && change().replaces_refusing && is_confirmed) return confirming();
  const TimePoint missed = change().online ? restarted + kMissedWithin : TimePoint{};
  const Proof proof = s_.now <= s_.proof_at + kProofHolds ? s_.proof : Proof::kNone;
  if (proof == Proof::kGood && s_.proof_at >= missed) return step(PinStep::kConfirming);
  if (proof == Proof::kGood && s_.now < missed)
    return later(EdgePinState::kRestarting, "the cloud has to see the Edge for a while",
                 std::chrono::ceil<std::chrono::milliseconds>(missed - s_.now));
  if (proof == Proof::kRefused) return go_back(false);
  // Nobody can say anything of the new file; of the previous one it is known that it refuses.
  if (too_late && (proof == Proof::kUnreachable || proof == Proof::kUnknown))
    return change().replaces_refusing ? confirming() : go_back(true);
  return act(EdgePinState::kRestarting, "the endpoint is tried from the Edge", file_effect::Prove{});
}

// What has no proof comes here from its step, and stays in it: the status tells the two apart.
FileDecision File::confirming() {
  if (host().restore_armed || host().has_leftovers) {
    if (fails() >= kMostTries) return give_up();
    return act(EdgePinState::kApplying, "the new file is confirmed", file_effect::Confirm{change().file_sha256});
  }
  if (change().file_sha256 != change().previous_sha256)
    next_.status.applied_at = std::chrono::floor<std::chrono::seconds>(s_.now);
  next_.status.rejected_sha256.clear();
  next_.status.rejected_until.reset();
  next_.status.unconfirmed_sha256.clear();
  next_.status.change.reset();
  return begin();
}

FileDecision File::restoring() {
  const bool has_new = host().has_file && host().sha256 == change().file_sha256;
  if (has_new || host().restore_armed) {
    if (fails() >= kMostTries && !host().restore_armed) return give_up();
    return act(EdgePinState::kRolledBack, "the previous file is put back", file_effect::Restore{change().file_sha256});
  }
  if (was_read()) count_restart();
  reject();
  return begin();
}

// What may pass by itself is no fault of the file.
FileDecision File::go_back(bool may_pass) {
  next_.status.rejected_until = may_pass ? s_.retry_at : std::nullopt;
  return step(PinStep::kRestoring);
}

// A step that fails again and again: the change ends, with what was said last.
FileDecision File::give_up() {
  const PinStep at = change().step;
  const bool has_begun = at != PinStep::kInstalling && at != PinStep::kRestoring;
  if (has_begun && has_way_back()) return go_back(true);
  if (at == PinStep::kRestoring) {
    const std::string file = change().file_sha256;
    reject();
    next_.status.unconfirmed_sha256 = file;  // and still there
    return begin();
  }
  next_.status.change.reset();
  return rest(EdgePinState::kBlocked, s_.failure);
}

void File::reject() {
  next_.status.rejected_sha256 = change().file_sha256;
  next_.status.rolled_back_at = std::chrono::floor<std::chrono::seconds>(s_.now);
  next_.status.unconfirmed_sha256.clear();
  next_.status.change.reset();
}

// The timer on the Edge took the file back or will, as far as anybody can tell. That may be because the operator was
// away; a second time it is taken to be the file.
void File::end_unconfirmed() {
  const bool was_refused = change().step == PinStep::kRestoring;
  const bool is_harmless = change().step == PinStep::kInstalling || s_.switches_off || !was_read();
  const std::string file = change().file_sha256;
  if (was_read()) count_restart();  // with the previous file
  if (was_refused) return reject();
  if (!is_harmless && next_.status.unconfirmed_sha256 == file) {
    next_.status.rejected_until = s_.retry_at;
    return reject();
  }
  if (!is_harmless) next_.status.unconfirmed_sha256 = file;
  next_.status.change.reset();
}

// --- no change under way

FileDecision File::begin() {
  // Of a change whose record is lost, or that has taken too long.
  if (host().restore_armed)
    return later(EdgePinState::kBlocked,
                 "the timer on the Edge, which takes back a change, has not come to its end" +
                     (s_.failure.empty() ? "" : ": " + s_.failure),
                 kTimerAgain);
  if (!s_.intercepted.empty()) return rest(EdgePinState::kIntercepted, s_.intercepted);
  const std::string& stuck = next_.status.unconfirmed_sha256;
  const bool is_stuck = s_.wanted && !s_.switches_off && !stuck.empty() && stuck == next_.status.rejected_sha256 &&
                        stuck == host().sha256 && stuck == s_.wanted->sha256;
  if (is_stuck)
    return rest(EdgePinState::kBlocked,
                "with its file the Edge did not come back or did not reach the endpoint, and the previous one could "
                "not be put back" +
                    (s_.failure.empty() ? "" : ": " + s_.failure));
  if (host().has_leftovers && s_.enforced && fails() >= kMostTries)
    return rest(EdgePinState::kBlocked, "what a change has left there cannot be taken away: " + s_.failure);
  if (host().has_leftovers && s_.enforced)
    return act(EdgePinState::kApplying, "what a cut connection has left is taken away", file_effect::Clean{});
  if (!host().folder_trouble.empty()) return rest(EdgePinState::kBlocked, host().folder_trouble);
  if (!host().file_trouble.empty()) return rest(EdgePinState::kBlocked, host().file_trouble);
  if (!s_.wanted) return rest(EdgePinState::kBlocked, s_.blocked);
  if (host().has_file && host().sha256 == s_.wanted->sha256 && host().is_private) {
    // Of a file that was found there nobody knows since when; those who wait for it to have soaked count from now on.
    auto& applied_at = next_.status.applied_at;
    if (s_.enforced && !applied_at) applied_at = std::chrono::floor<std::chrono::seconds>(s_.now);
    next_.status.matched_sha256 = host().sha256;
    if (!s_.missing.empty()) return rest(EdgePinState::kBlocked, s_.missing);
    if (!s_.unread.empty()) return begin_change();
    return rest(EdgePinState::kMatched, "the file is as it should be");
  }
  if (is_rejected()) return rolled_back();
  if (!s_.enforced)
    return rest(EdgePinState::kDrifted,
                std::string(host().has_file ? "the file is another one" : "there is no pin file") +
                    "; nothing is written in ReportOnly");
  return begin_change();
}

FileDecision File::rolled_back() {
  std::string message =
      "with the new file the Edge did not come back or did not reach the endpoint, so the previous one is there again";
  next_.wake_at = rejected_until();
  message +=
      next_.wake_at ? "; it is tried again " + format_rfc3339(*next_.wake_at) : "; it is not tried a second time";
  if (host().service_active) return rest(EdgePinState::kRolledBack, std::move(message));
  const TimePoint due = next_.status.rolled_back_at.value_or(TimePoint{}) + kProveWithin;
  if (s_.now < due) next_.wake_at = s_.now + kLookSoon;
  return rest(EdgePinState::kRolledBack,
              message + (s_.now < due ? "" : "; with that one the service is not up either"));
}

// What the Edge has would refuse what it is presented, and that is all there is to be said of whatever is waited for.
FileDecision File::refusing(FileDecision decision) const {
  auto& status = decision.status;
  const bool rests = status.state == EdgePinState::kMatched || status.state == EdgePinState::kDrifted ||
                     status.state == EdgePinState::kBlocked;
  if (!s_.refuses || status.change || !rests || !s_.enforced) return decision;
  const std::string what = "the file refuses what the endpoint presents to the Edge";
  const std::string& against = status.state == EdgePinState::kMatched ? s_.hindered : status.message;
  status.state = EdgePinState::kRefusing;
  status.message = what + (against.empty() ? "" : "; " + against);
  return decision;
}

FileDecision File::begin_change() {
  const bool is_there = host().has_file && host().sha256 == s_.wanted->sha256 && host().is_private;
  const std::string why = is_there ? s_.unread + "; " : "";
  if (!s_.hindered.empty()) return rest(EdgePinState::kBlocked, why + s_.hindered);
  // In the same words however far: a clock that drifts is no news.
  if (host().clock_offset > s_.max_clock_offset && !s_.switches_off)
    return rest(EdgePinState::kBlocked, why + "the Edge's clock is off by more than " +
                                            format_duration(s_.max_clock_offset) +
                                            ": nothing is changed before it is right");
  if (!host().service_active && !s_.switches_off && !s_.refuses) {
    const auto& last = next_.status.restarts;
    if (!last.empty() && s_.now < last.back() + kProveWithin) next_.wake_at = s_.now + kLookSoon;
    return rest(EdgePinState::kBlocked, why + "the service is not up: nothing is changed before it is");
  }
  const std::string drift = is_there ? why : "the file is another one; ";
  if (!s_.waits_for.empty()) return rest(EdgePinState::kDrifted, drift + s_.waits_for);
  const auto& restarts = next_.status.restarts;
  const int most = kMostRestartsAnHour + (s_.switches_off ? kMoreToSwitchOff : 0);
  if (static_cast<int>(restarts.size()) >= most) {
    next_.wake_at = *(restarts.end() - most) + kOneHour;
    return rest(EdgePinState::kDrifted, drift + "the service has been restarted too often this hour");
  }
  next_.restarts = is_there || host().sha256 != s_.wanted->sha256;
  next_.status.change = api::PinChange{.step = is_there ? PinStep::kRestarting : PinStep::kInstalling,
                                       .file_sha256 = s_.wanted->sha256,
                                       .previous_sha256 = host().sha256,
                                       .invocation = host().invocation,
                                       .at = std::chrono::floor<std::chrono::seconds>(s_.now),
                                       .online = s_.online,
                                       .replaces_refusing = s_.refuses,
                                       .restarted_at = {}};
  if (is_there) {
    count_restart();
    return restarting();
  }
  return act(EdgePinState::kApplying, "the new file is put in place", file_effect::Install{*s_.wanted, host().sha256});
}

}  // namespace

FileDecision decide(const FileSituation& situation) { return File(situation).decide(); }

bool begins_change(const std::optional<api::EdgePins>& before, const api::EdgePins& after) {
  if (!after.change) return false;
  const auto was = before ? before->change : std::nullopt;
  return !was || was->file_sha256 != after.change->file_sha256 || was->at != after.change->at;
}

std::optional<ChangeEnd> change_end(const std::optional<api::EdgePins>& before, const api::EdgePins& after) {
  if (!before || !before->change || (after.change && !begins_change(before, after))) return std::nullopt;
  const api::PinChange& was = *before->change;
  const bool is_there = after.file_sha256 == was.file_sha256;
  if (after.rolled_back_at != before->rolled_back_at && after.rejected_sha256 == was.file_sha256)
    return is_there ? ChangeEnd::kStillThere : ChangeEnd::kTakenBack;
  const bool was_there = was.file_sha256 == was.previous_sha256;
  if (!is_there || was_there || after.applied_at == before->applied_at) return ChangeEnd::kUndone;
  return was.step == PinStep::kConfirming ? ChangeEnd::kProved : ChangeEnd::kUnproved;
}

}  // namespace edgetrust::decide::pins
