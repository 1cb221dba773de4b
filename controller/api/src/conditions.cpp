#include "edgetrust/api/conditions.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::api {

std::string_view manner_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kUnsupported: return "Refused";
    case ErrorKind::kUnauthorized: return "CredentialsRefused";
    case ErrorKind::kForbidden: return "Forbidden";
    case ErrorKind::kNotFound: return "NotFound";
    case ErrorKind::kConflict: return "Conflict";
    case ErrorKind::kRateLimited: return "RateLimited";
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kCancelled: return "Unavailable";
    case ErrorKind::kProtocol: return "ProtocolError";
    case ErrorKind::kInternal: return "Failed";
  }
  return "Failed";
}

const Condition* find(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

const Condition* said(const std::vector<Condition>& conditions) {
  for (const auto type : {condition::kStalled, condition::kReconciling, condition::kReady}) {
    if (const Condition* found = find(conditions, type)) return found;
  }
  return nullptr;
}

std::string_view reason_said(const std::vector<Condition>& conditions) {
  const Condition* found = said(conditions);
  return found != nullptr ? std::string_view(found->reason) : std::string_view{};
}

void set(std::vector<Condition>& conditions, Condition condition, TimePoint now) {
  condition.message = printable(condition.message, kLongestMessage);
  // Kubernetes keeps whole seconds: anything finer would differ from what is read back.
  condition.last_transition_time = std::chrono::floor<std::chrono::seconds>(now);
  const auto found = std::ranges::find(conditions, condition.type, &Condition::type);
  if (found == conditions.end()) {
    conditions.push_back(std::move(condition));
    return;
  }
  if (found->status == condition.status) condition.last_transition_time = found->last_transition_time;
  *found = std::move(condition);
}

void remove(std::vector<Condition>& conditions, std::string_view type) {
  std::erase_if(conditions, [&](const Condition& c) { return c.type == type; });
}

}  // namespace edgetrust::api
