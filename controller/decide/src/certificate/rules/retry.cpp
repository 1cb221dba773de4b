// How long a failed effect is waited for, and what it is called.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/random.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;

// A rollback must not wait; what only a person can mend need not be asked often (a change of spec or Secret wakes the
// object anyway).
Backoff backoff_for(const Failure& failure, bool rolling_back) {
  if (rolling_back) return {.first = 1s, .ceiling = 10s};
  if (retry_of(failure.error) == Retry::kAfterChange) return {.first = 15s, .ceiling = 10min};
  return {.first = 1s, .ceiling = 5min};
}

std::chrono::milliseconds server_wish(const Error& error) {
  if (!error.retry_after) return 0s;
  return std::clamp<std::chrono::milliseconds>(*error.retry_after, 1s, 24h);
}

// Who failed, as the first half of a reason.
std::string_view subject_of(const std::string& effect) {
  if (effect == effect::NewOrder::kName || effect == effect::LookAtOrder::kName ||
      effect == effect::AnswerChallenge::kName || effect == effect::FinalizeOrder::kName ||
      effect == effect::StoreBundle::kName) {
    return "Issuer";
  }
  if (effect == effect::PresentRecord::kName || effect == effect::RemoveRecord::kName ||
      effect == effect::LookForRecords::kName)
    return "Dns";
  if (effect == effect::Push::kName) return "Upload";
  if (effect == effect::StoreImport::kName) return "Import";
  return "Cluster";
}

}  // namespace

std::optional<TimePoint> retry_time(const Observation& o) {
  if (!o.failure) return std::nullopt;
  const bool rolling_back = o.object.status.delivery && o.object.status.delivery->rolling_back_since;
  const auto wait =
      std::max(backoff_for(*o.failure, rolling_back).after(o.failure->count, stable_fraction(o.object.meta.uid)),
               server_wish(o.failure->error));
  const TimePoint at = o.failure->at + wait;
  return o.now < at ? std::optional(at) : std::nullopt;
}

std::string reason_of(const Failure& failure) {
  return std::string(subject_of(failure.effect)) + std::string(api::manner_of(failure.error.kind));
}

}  // namespace edgetrust::decide::certificate::rules
