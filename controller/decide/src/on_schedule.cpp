#include "edgetrust/decide/on_schedule.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide {
namespace {

constexpr std::chrono::milliseconds kLongestPatience = std::chrono::hours{24 * 10};
constexpr int kPatientShare = 3;

std::optional<std::string> needs_a_person(const api::EdgeCertificateStatus& status) {
  const auto* stalled = api::find(status.conditions, api::condition::kStalled);
  if (stalled != nullptr && stalled->status == api::Truth::kTrue) return "is stalled (" + stalled->reason + ")";
  const bool given_up = status.phase == api::Phase::kFailed || status.phase == api::Phase::kHeld;
  if (given_up) return "is " + std::string(to_string(*status.phase));
  return std::nullopt;
}

}  // namespace

std::chrono::milliseconds patience(TimePoint renewal, TimePoint not_after) {
  const auto left = std::max<std::chrono::milliseconds>(not_after - renewal, std::chrono::milliseconds{0});
  return std::min(left / kPatientShare, kLongestPatience);
}

std::optional<std::string> behind_schedule(const api::EdgeCertificate& certificate, TimePoint now) {
  if (certificate.broken) return "cannot be read";
  const auto& status = certificate.status;
  if (auto why = needs_a_person(status)) return why;
  if (!status.not_after) {
    const bool overdue = certificate.meta.creation_time && now > *certificate.meta.creation_time + kLongestPatience;
    return overdue ? std::optional<std::string>("has no certificate on its Edge yet") : std::nullopt;
  }
  if (now >= *status.not_after) return "has expired";
  if (status.renewal_time && now > *status.renewal_time + patience(*status.renewal_time, *status.not_after)) {
    return "was due " + format_rfc3339(*status.renewal_time);
  }
  return std::nullopt;
}

}  // namespace edgetrust::decide
