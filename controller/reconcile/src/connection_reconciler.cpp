#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using api::Truth;

constexpr auto kCheckAgain = 5min;

std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  const std::string rest = begin == std::string::npos ? url : url.substr(begin + 3);
  return rest.substr(0, rest.find('/'));
}

bool is_ready(const api::Edge& edge) {
  const auto* ready = api::find(edge.status.conditions, api::condition::kReady);
  return ready != nullptr && ready->status == Truth::kTrue;
}

}  // namespace

Outcome ConnectionReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto connection = world_.connections.get(key);
  if (!connection) {
    retries_.succeeded(key);
    return {};
  }
  api::GenesysConnection next = *connection;
  const TimePoint now = world_.clock.now();
  const auto condition = [&](std::string_view type, Truth truth, const std::string& reason,
                             const std::string& message) {
    set_condition(next.status.conditions, type, truth, reason, message, next.meta.generation, now);
  };
  if (const auto finding = unusable(*connection)) {
    report(next, *finding, now);
    return record(world_, world_.connections, *connection, next, {}, stop);
  }
  next.status.upload_host =
      connection->spec.certificate_upload ? host_of(connection->spec.certificate_upload->endpoint) : "-";
  std::vector<std::shared_ptr<const api::Edge>> edges = world_.edges.list(key.ns);
  std::erase_if(edges, [&](const auto& edge) { return edge->spec.connection_ref.name != key.name; });
  next.status.edges = api::EdgeCounts{.total = static_cast<int>(edges.size())};

  const auto fleet = world_.backends.fleet(*connection, stop);
  const Status checked = fleet ? (*fleet)->check(stop) : Status(tl::unexpected(fleet.error()));
  if (!checked) {
    if (checked.error().kind == ErrorKind::kCancelled) return {};
    const Finding finding = failed("Connection", checked.error());
    const bool credentials = checked.error().kind == ErrorKind::kUnauthorized;
    condition(api::condition::kCredentialsValid, credentials ? Truth::kFalse : Truth::kUnknown, finding.reason,
              finding.message);
    report(next, finding, now);
    const TimePoint again = retries_.failed(key, checked.error(), now);
    return but_failed(record(world_, world_.connections, *connection, next, again, stop), "CheckConnection",
                      checked.error());
  }
  retries_.succeeded(key);
  condition(api::condition::kCredentialsValid, Truth::kTrue, "LoggedIn", "the OAuth client logs in");
  std::optional<Error> endpoint_trouble;
  if (!connection->spec.certificate_upload) {
    condition(api::condition::kEndpointsAvailable, Truth::kFalse, "NoDeliveryChannel",
              "there is no certificateUpload: nothing is delivered");
  } else if (!edges.empty()) {
    // One Edge's status call tells whether the endpoint offers the guide's calls at all: one that the API knows.
    const auto known = std::ranges::find_if(edges, [](const auto& edge) { return is_ready(*edge); });
    const auto& asked = known == edges.end() ? edges.front() : *known;
    const auto health = (*fleet)->health(ports::EdgeId{lower(asked->spec.edge_id)}, stop);
    if (!health) endpoint_trouble = health.error();
    const Truth available = health                                        ? Truth::kTrue
                            : health.error().kind == ErrorKind::kNotFound ? Truth::kFalse
                                                                          : Truth::kUnknown;
    condition(api::condition::kEndpointsAvailable, available,
              health ? "Answered" : failed("Endpoint", health.error()).reason,
              health ? "the status call answers" : health.error().message());
  } else {
    condition(api::condition::kEndpointsAvailable, Truth::kUnknown, "NoEdge", "no Edge names this connection yet");
  }
  report(next, good("logged in"), now);
  Outcome outcome = record(world_, world_.connections, *connection, next, now + kCheckAgain, stop);
  // Worth a line of the log when it is news.
  if (endpoint_trouble && outcome.wrote_status) return but_failed(std::move(outcome), "AskStatus", *endpoint_trouble);
  return outcome;
}

}  // namespace edgetrust::reconcile
