#include "connection/pass.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using api::Truth;

std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  const std::string rest = begin == std::string::npos ? url : url.substr(begin + 3);
  return rest.substr(0, rest.find('/'));
}

}  // namespace

Outcome ConnectionReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto connection = world_.connections.get(key);
  if (!connection) {
    forget(key);
    return {};
  }
  Pass pass{.before = *connection,
            .next = *connection,
            .now = world_.clock.now(),
            .edges = edges_of(world_, key),
            .certificates = {},
            .asked = false,
            .did = {},
            .news = {},
            .trouble_with = {},
            .trouble = {}};
  if (const auto finding = unusable(*connection)) {
    report(pass.next, *finding, pass.now);
    return record(world_, world_.connections, *connection, pass.next, {}, stop);
  }
  pass.certificates = certificates_of(world_, key.ns, pass.edges);
  take_census(pass);
  const auto fleet = world_.backends.fleet(*connection, stop);
  std::optional<TimePoint> again = not_before(pass, fleet ? *fleet : nullptr);
  if (!again) {
    const Status checked = fleet ? check(pass, **fleet, stop) : tl::unexpected(fleet.error());
    if (!checked && checked.error().kind == ErrorKind::kCancelled) return {};
    again = checked ? pass.now + kCheckAgain : failed_check(pass, checked.error());
    remember(pass, fleet ? *fleet : nullptr, *again);
    pass.asked = true;
  }
  if (is_true(pass.next, api::condition::kReady)) {
    discover(pass, stop);
    const auto sooner = [&](std::optional<TimePoint> wish) {
      if (!wish || *wish >= *again) return;
      again = wish;
      recount(key);  // nothing but that is due then
    };
    sooner(beat(pass, stop));
    sooner(keep_anchors(pass, **fleet, stop));
  }
  return conclude(pass, *again, stop);
}

Outcome ConnectionReconciler::conclude(Pass& pass, TimePoint again, const std::stop_token& stop) {
  Outcome outcome = record(world_, world_.connections, pass.before, pass.next, again, stop);
  // What was found and is no news is neither said nor logged again; what was done is.
  if (!outcome.wrote_status && pass.did.empty()) return outcome;
  outcome.said = pass.news.tell(world_.events, pass.next.meta);
  outcome.effect = pass.did;
  if (pass.trouble) return but_failed(std::move(outcome), pass.trouble_with, *pass.trouble);
  return outcome;
}

void ConnectionReconciler::take_census(Pass& pass) {
  const auto& upload = pass.before.spec.certificate_upload;
  pass.next.status.upload_host = upload ? host_of(upload->endpoint) : "-";
  api::EdgeCounts counts = count(pass.edges, pass.certificates);
  if (pass.before.status.edges && pass.before.spec.reports_unmanaged()) {
    counts.unmanaged = pass.before.status.edges->unmanaged;
  }
  pass.next.status.edges = counts;
}

Status ConnectionReconciler::check(Pass& pass, ports::EdgeFleet& fleet, const std::stop_token& stop) {
  EDGETRUST_TRY(fleet.check(stop));
  retries_.succeeded(pass.before.meta.key());
  listings_.forgive(pass.before.meta.key());
  describe_client(pass, fleet.client(stop));
  ask_endpoint(pass, fleet, stop);
  report(pass.next, good("logged in"), pass.now);
  return {};
}

TimePoint ConnectionReconciler::failed_check(Pass& pass, const Error& error) {
  const Finding finding = failed("Connection", error);
  const bool credentials = error.kind == ErrorKind::kUnauthorized;
  pass.condition(api::condition::kCredentialsValid, credentials ? Truth::kFalse : Truth::kUnknown, finding.reason,
                 finding.message);
  report(pass.next, finding, pass.now);
  pass.trouble_with = "CheckConnection";
  pass.trouble = error;
  return retries_.failed(pass.before.meta.key(), error, pass.now);
}

void ConnectionReconciler::describe_client(Pass& pass, const ports::ClientInfo& client) {
  const std::string deleted_before = pass.before.status.credentials ? pass.before.status.credentials->delete_after : "";
  pass.next.status.credentials =
      api::CredentialState{.client = client.id, .state = client.state, .delete_after = client.delete_after};
  const auto* was = api::find(pass.before.status.conditions, api::condition::kCredentialsValid);
  const bool was_standby = was != nullptr && was->reason == "StandbyInUse";
  if (client.standby) {
    const std::string message = "the client of standbyCredentialsRef is used, for " + client.trouble;
    pass.condition(api::condition::kCredentialsValid, Truth::kTrue, "StandbyInUse", message);
    if (!was_standby) pass.news.warn("StandbyInUse", message);
  } else if (!client.trouble.empty()) {
    const bool news = was == nullptr || was->reason != "StandbyUnusable";
    pass.condition(api::condition::kCredentialsValid, Truth::kTrue, "StandbyUnusable", client.trouble);
    if (news) pass.news.warn("StandbyUnusable", client.trouble);
  } else {
    pass.condition(api::condition::kCredentialsValid, Truth::kTrue, "LoggedIn", "the OAuth client logs in");
    if (was_standby) pass.news.tell_good("LoggedIn", "the client of credentialsRef logs in again and is used");
  }
  if (!client.delete_after.empty() && client.delete_after != deleted_before) {
    pass.news.warn("ClientWillBeDeleted", "the vendor deletes the OAuth client " + client.id + " after " +
                                              client.delete_after + ": use it again, or make another one");
  }
}

// One Edge's status call tells whether the endpoint offers the guide's calls at all: one that the API knows.
void ConnectionReconciler::ask_endpoint(Pass& pass, ports::EdgeFleet& fleet, const std::stop_token& stop) {
  const auto say = [&](Truth truth, const std::string& reason, const std::string& message) {
    pass.condition(api::condition::kEndpointsAvailable, truth, reason, message);
  };
  if (!pass.before.spec.certificate_upload) {
    return say(Truth::kFalse, "NoDeliveryChannel", "there is no certificateUpload: nothing is delivered");
  }
  if (pass.edges.empty()) return say(Truth::kUnknown, "NoEdge", "no Edge names this connection yet");
  const auto known = std::ranges::find_if(pass.edges, [](const auto& edge) {
    const auto* ready = api::find(edge->status.conditions, api::condition::kReady);
    return ready != nullptr && ready->status == Truth::kTrue;
  });
  const auto& asked = known == pass.edges.end() ? pass.edges.front() : *known;
  const auto health = fleet.health(ports::EdgeId{lower(asked->spec.edge_id)}, stop);
  if (health) return say(Truth::kTrue, "Answered", "the status call answers");
  const bool absent = health.error().kind == ErrorKind::kNotFound;
  say(absent ? Truth::kFalse : Truth::kUnknown, failed("Endpoint", health.error()).reason, health.error().message());
  pass.trouble_with = "AskStatus";
  pass.trouble = health.error();
}

void ConnectionReconciler::discover(Pass& pass, const std::stop_token& stop) {
  if (!pass.before.spec.reports_unmanaged()) return;
  const auto listing = listings_.edges(pass.before, kCheckAgain, stop);
  if (!listing->content) {
    pass.trouble_with = "ListEdges";
    pass.trouble = listing->content.error();
    return;  // what was known stays
  }
  const auto names = unmanaged_among(world_, namespaces_, *listing->content);
  const int before = pass.next.status.edges->unmanaged.value_or(0);
  const int unmanaged = static_cast<int>(names.size());
  pass.next.status.edges->unmanaged = unmanaged;
  if (unmanaged <= before) return;
  pass.news.warn("UnmanagedEdges", std::to_string(unmanaged) + " in Genesys without an Edge object: " +
                                       some_of(names, ", ") + ". Make one for each, or set discovery.mode: Disabled");
}

void ConnectionReconciler::recount(const api::ObjectKey& key) {
  const std::scoped_lock lock(mutex_);
  to_recount_.insert(key);
}

std::optional<TimePoint> ConnectionReconciler::not_before(const Pass& pass,
                                                          const std::shared_ptr<ports::EdgeFleet>& fleet) {
  const std::scoped_lock lock(mutex_);
  const bool counts_only = to_recount_.erase(pass.before.meta.key()) > 0;
  const auto found = asked_.find(pass.before.meta.key());
  if (!counts_only || !fleet || found == asked_.end()) return std::nullopt;
  const Asked& asked = found->second;
  const bool same = asked.uid == pass.before.meta.uid && asked.generation == pass.before.meta.generation &&
                    asked.fleet.lock() == fleet && asked.had_edges == !pass.edges.empty();
  return same && pass.now < asked.again ? std::optional(asked.again) : std::nullopt;
}

void ConnectionReconciler::remember(const Pass& pass, const std::shared_ptr<ports::EdgeFleet>& fleet, TimePoint again) {
  const std::scoped_lock lock(mutex_);
  asked_[pass.before.meta.key()] = {.uid = pass.before.meta.uid,
                                    .generation = pass.before.meta.generation,
                                    .fleet = fleet,
                                    .had_edges = !pass.edges.empty(),
                                    .again = again};
}

void ConnectionReconciler::forget(const api::ObjectKey& key) {
  retries_.succeeded(key);
  listings_.forget(key);
  const std::scoped_lock lock(mutex_);
  to_recount_.erase(key);
  asked_.erase(key);
  failed_pings_.erase(key);
  syncing_.erase(key);
}

}  // namespace edgetrust::reconcile
