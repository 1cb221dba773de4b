#pragma once
// One pass of a connection, and what its parts share.
#include "connection/census.hpp"
#include "connection/news.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"

#include <algorithm>

namespace edgetrust::reconcile {

inline constexpr std::chrono::milliseconds kCheckAgain = std::chrono::minutes{5};

// One pass: the object as it becomes, and what is new of it.
struct ConnectionReconciler::Pass {
  const api::GenesysConnection& before;
  api::GenesysConnection next;
  TimePoint now;
  Edges edges;
  std::vector<std::shared_ptr<const api::EdgeCertificate>> certificates;
  bool asked = false;  // the API, in this pass
  std::string did;     // an effect on what Genesys holds
  News news;
  std::string trouble_with;  // an effect that failed, where that is no finding about the whole
  std::optional<Error> trouble;

  void condition(std::string_view type, api::Truth truth, const std::string& reason, const std::string& message) {
    set_condition(next.status.conditions, type, truth, reason, message, next.meta.generation, now);
  }
};

inline bool is_true(const api::GenesysConnection& connection, std::string_view type) {
  const auto* condition = api::find(connection.status.conditions, type);
  return condition != nullptr && condition->status == api::Truth::kTrue;
}

inline std::string some_of(std::vector<std::string> names, std::string_view separator) {
  constexpr std::size_t kMostNamed = 5;
  const std::size_t more = names.size() - std::min(names.size(), kMostNamed);
  names.resize(names.size() - more);
  return join(names, separator) + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

}  // namespace edgetrust::reconcile
