#include "finding.hpp"

namespace edgetrust::reconcile {
Finding failed(std::string_view subject, const Error& error) {
  return {.stalled = retry_of(error) == Retry::kAfterChange,
          .reason = std::string(subject) + std::string(api::manner_of(error.kind)),
          .message = error.message()};
}

void set_condition(std::vector<api::Condition>& conditions, std::string_view type, api::Truth truth, std::string reason,
                   std::string message, std::int64_t generation, TimePoint now) {
  api::set(conditions,
           {.type = std::string(type),
            .status = truth,
            .reason = std::move(reason),
            .message = std::move(message),
            .observed_generation = generation},
           now);
}

}  // namespace edgetrust::reconcile
