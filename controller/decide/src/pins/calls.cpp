#include "edgetrust/decide/pins/calls.hpp"

#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;

constexpr auto kSeenAgainAfter = 5s;  // the API lags behind
constexpr auto kEdgeAgainAfter = 1min;

CallsDecision wait(const CallsSituation& s, std::string why, std::chrono::milliseconds until) {
  return {.step = CallsStep::kWait, .drain = s.drain, .why = std::move(why), .wake_at = s.now + until};
}

// Nothing was changed. It goes back into service next.
CallsDecision call_off(const CallsSituation& s, std::string why) {
  CallsDecision decision = wait(s, std::move(why), 0s);
  decision.drain->ended_at = std::chrono::floor<std::chrono::seconds>(s.now);
  decision.called_off = true;
  return decision;
}

// Out of service by another hand it would never come back by ours: it is looked at right before.
CallsDecision begin(const CallsSituation& s) {
  if (!s.seen) return wait(s, s.trouble, kEdgeAgainAfter);
  if (!is_in_service(*s.seen)) return wait(s, "the Edge is out of service: somebody has taken it out", kEdgeAgainAfter);
  if (s.waits_for_software && updates_software(*s.seen))
    return wait(s, "the Edge updates its software", kEdgeAgainAfter);
  return {.step = CallsStep::kTakeOut,
          .drain = api::DrainStatus{.since = std::chrono::floor<std::chrono::seconds>(s.now), .ended_at = {}},
          .why = "the Edge is taken out of service; its calls have " + format_duration(s.timeout) + " to end",
          .wake_at = s.now};
}

CallsDecision wait_for_calls(const CallsSituation& s) {
  if (!s.may_begin) return call_off(s, "the change is called off before anything was done");
  const ports::EdgeInfo* edge = s.seen ? &*s.seen : nullptr;
  const bool has_had_time = s.now >= s.drain->since + s.interval;
  if (edge != nullptr && is_free_of_calls(*edge, has_had_time)) {
    CallsDecision decision{.step = CallsStep::kChange, .drain = s.drain};
    decision.drain->ended_at = std::chrono::floor<std::chrono::seconds>(s.now);
    return decision;
  }
  const TimePoint deadline = s.drain->since + s.timeout;
  if (s.now >= deadline) return call_off(s, describe_calls(edge) + " after " + format_duration(s.timeout));
  if (edge != nullptr && edge->in_service) {
    if (s.now > s.drain->since + kAskedOutWithin)
      return call_off(s, "the Edge is in service: somebody has put it back, or it did not go out");
    if (!s.asked_out)
      return {
          .step = CallsStep::kTakeOut, .drain = s.drain, .why = "the Edge is taken out of service", .wake_at = s.now};
  }
  CallsDecision decision =
      wait(s, "the Edge is out of service; its calls have until " + format_rfc3339(deadline) + " to end", s.interval);
  decision.wake_at = std::min(*decision.wake_at, deadline);
  return decision;
}

// Seen in service after it was asked back; or when no request to go out can be on its way any more.
CallsDecision go_back(const CallsSituation& s) {
  const bool nothing_on_its_way = s.now >= s.drain->since + kAskedOutWithin + kAllAnsweredWithin;
  if (s.seen && s.seen->in_service && (s.asked_back || nothing_on_its_way)) return {.step = CallsStep::kGone};
  std::string why = std::string(kGoesBack) + (s.seen || s.trouble.empty() ? "" : " (" + s.trouble + ")");
  if (s.asked_back) return wait(s, std::move(why), kSeenAgainAfter);
  return {.step = CallsStep::kPutBack, .drain = s.drain, .why = std::move(why), .wake_at = s.now + kSeenAgainAfter};
}

}  // namespace

CallsDecision decide(const CallsSituation& s) {
  if (!s.drain) return s.may_begin ? begin(s) : CallsDecision{};
  if (s.changes) return {.step = CallsStep::kChange, .drain = s.drain};
  return s.drain->ended_at ? go_back(s) : wait_for_calls(s);
}

}  // namespace edgetrust::decide::pins
