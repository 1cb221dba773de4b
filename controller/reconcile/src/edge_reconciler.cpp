#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"
#include "peers.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using api::Truth;

constexpr auto kLookAgain = 5min;
constexpr auto kLookForItAgain = 1min;  // it may have been added since the listing
constexpr auto kProbeTimeout = 5s;
constexpr std::size_t kMostTrunks = 32;

api::TrunkStateText to_api(ports::TrunkState state) {
  switch (state) {
    case ports::TrunkState::kUp: return api::TrunkStateText::kUp;
    case ports::TrunkState::kDown: return api::TrunkStateText::kDown;
    case ports::TrunkState::kUnknown: return api::TrunkStateText::kUnknown;
  }
  return api::TrunkStateText::kUnknown;
}

// Of two Edge objects for one appliance the older holds it.
std::string holder_of(const World& world, const api::Edge& edge, const api::GenesysConnection& connection) {
  const auto age = [](const api::ObjectMeta& meta) {
    return std::tuple(meta.creation_time.value_or(TimePoint{}), meta.uid);
  };
  std::string holder;
  auto oldest = age(edge.meta);
  for (const auto& other : world.edges.list(edge.meta.ns)) {
    if (other->broken || lower(other->spec.edge_id) != lower(edge.spec.edge_id) || age(other->meta) >= oldest) continue;
    const auto its_connection = world.connections.get({other->meta.ns, other->spec.connection_ref.name});
    if (!its_connection || its_connection->spec.api_url() != connection.spec.api_url()) continue;
    oldest = age(other->meta);
    holder = other->meta.name;
  }
  return holder;
}

// Writes down what the listing says; the trunks' health where the API tells it.
void describe(api::Edge& edge, const ports::EdgeInfo& info) {
  edge.status.online_status = info.online ? "ONLINE" : "OFFLINE";
  edge.status.software_update = info.software_status;
  edge.status.service_state = info.active && info.in_service ? "InService" : "OutOfService";
  edge.status.site = edge.spec.site.empty() ? info.site : edge.spec.site;
  edge.status.time_servers = info.time_servers;
  edge.status.time_zone = !edge.spec.time_zone.empty() ? edge.spec.time_zone : info.time_zone;
}

// A condition in the making.
struct View {
  Truth truth = Truth::kUnknown;
  std::string reason = "Unknown";
  std::string message;
};

// What stops the push of a new chain is said here too, for whoever looks after the peers looks at the Edge.
std::optional<View> peers_that_stop_a_push(const World& world, const api::Edge& edge) {
  for (const auto& certificate : world.certificates.list(edge.meta.ns)) {
    if (certificate->spec.edge_ref.name != edge.meta.name) continue;
    const auto& conditions = certificate->status.conditions;
    const auto said = api::reason_said(conditions);
    const auto* ready = api::find(conditions, api::condition::kReady);
    if (ready == nullptr) continue;
    if (said == api::reason::kPeerDoesNotTrust) return View{Truth::kFalse, std::string(said), ready->message};
    if (said == api::reason::kPeersNotJudged) return View{Truth::kUnknown, std::string(said), ready->message};
  }
  return std::nullopt;
}

// Else it is about what the Edge serves.
View view_of_peers(const World& world, const api::Edge& edge, const Result<ports::ServedChain>& served,
                   const std::stop_token& stop) {
  using decide::certificate::Answer;
  if (auto stopped = peers_that_stop_a_push(world, edge)) return std::move(*stopped);
  if (!served) return {Truth::kUnknown, "NotServed", "nobody can see which chain the Edge serves"};
  const auto peers = Peers(world, edge, stop).judge_all(served->chain_pem);
  if (const auto refusing = those_who(Answer::kNo, peers); !refusing.empty())
    return {Truth::kFalse, std::string(api::reason::kPeerDoesNotTrust),
            "what the Edge serves is refused by " + refusing};
  if (const auto unknown = those_who(Answer::kUnknown, peers); !unknown.empty())
    return {Truth::kUnknown, std::string(api::reason::kPeersNotJudged), "nobody can tell of " + unknown};
  return {Truth::kTrue, "Trusted", "every peer would accept what the Edge serves"};
}

struct SipView {
  Truth healthy = Truth::kUnknown;
  std::string reason = "Unknown";
  std::string message = "the API tells nothing of the trunks";
};
SipView describe_trunks(api::Edge& edge, const std::vector<ports::Trunk>& trunks) {
  std::vector<api::TrunkStatus> next;
  int up = 0;
  std::string down;
  for (const auto& trunk : trunks) {
    up += trunk.state == ports::TrunkState::kUp ? 1 : 0;
    if (trunk.state == ports::TrunkState::kDown) down += (down.empty() ? "" : ", ") + trunk.name;
    if (next.size() < kMostTrunks)
      next.push_back({trunk.name, trunk.peer, to_api(trunk.state), trunk.since, trunk.error});
  }
  edge.status.trunks = std::move(next);
  if (!down.empty()) return {Truth::kFalse, "TrunkDown", "down: " + down};
  if (up > 0) return {Truth::kTrue, "TrunksUp", "all trunks are up"};
  return {};
}

}  // namespace

void EdgeReconciler::look_closely(const api::ObjectKey& edge) {
  const std::scoped_lock lock(mutex_);
  looked_for_[edge] = world_.clock.steady();
}

// A listing tells nothing of what has changed since it was asked for.
bool EdgeReconciler::is_too_old(const api::ObjectKey& edge, SteadyPoint listed) {
  const std::scoped_lock lock(mutex_);
  const auto wanted = looked_for_.find(edge);
  if (wanted == looked_for_.end()) return false;
  if (listed <= wanted->second) return true;
  looked_for_.erase(wanted);
  return false;
}

Result<std::vector<ports::Trunk>> EdgeReconciler::trunks_of(const api::Edge& edge,
                                                            const api::GenesysConnection& connection,
                                                            const ports::EdgeId& id, std::stop_token stop) {
  const auto listing = listings_.trunks(connection, stop);
  if (is_too_old(edge.meta.key(), listing->at)) {
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(connection, stop));
    return fleet->trunks(id, stop);
  }
  if (!listing->content) return tl::unexpected(listing->content.error());
  const auto found = listing->content->find(ports::EdgeId{lower(id.value)});
  return found == listing->content->end() ? std::vector<ports::Trunk>{} : found->second;
}

Outcome EdgeReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto edge = world_.edges.get(key);
  if (!edge) {
    retries_.succeeded(key);
    const std::scoped_lock lock(mutex_);
    looked_for_.erase(key);
    return {};
  }
  api::Edge next = *edge;
  const TimePoint now = world_.clock.now();
  const auto condition = [&](std::string_view type, Truth truth, const std::string& reason,
                             const std::string& message) {
    set_condition(next.status.conditions, type, truth, reason, message, next.meta.generation, now);
  };
  const auto finish = [&](const Finding& finding, std::optional<TimePoint> wake_at) {
    report(next, finding, now);
    return record(world_, world_.edges, *edge, next, wake_at, stop);
  };
  if (const auto finding = unusable(*edge)) return finish(*finding, {});
  const auto connection = world_.connections.get({key.ns, edge->spec.connection_ref.name});
  if (!connection || connection->broken) {
    return finish(
        {.reason = "ConnectionNotFound",
         .message = "there is no usable GenesysConnection " + edge->spec.connection_ref.name + " in this namespace"},
        {});
  }
  if (const std::string holder = holder_of(world_, *edge, *connection); !holder.empty()) {
    return finish(
        refused("Conflict", "the Edge " + holder + " is older and has the same edgeId; delete one of the two"),
        now + kLookAgain);
  }
  Result<ports::ServedChain> served = fail(ErrorKind::kUnavailable, "sip.probe is None");
  if (edge->spec.sip.probe != api::SipProbe::kNone) {
    served = world_.probe.present({.host = edge->spec.sip.host,
                                   .port = static_cast<std::uint16_t>(edge->spec.sip.port),
                                   .server_name = {},
                                   .timeout = kProbeTimeout},
                                  stop);
    const auto chain = served ? world_.pki.inspect(served->chain_pem) : tl::unexpected(served.error());
    if (!chain) {
      next.status.served_certificate.reset();
    } else if (!next.status.served_certificate ||
               next.status.served_certificate->fingerprint_sha256 != chain->fingerprint_sha256) {
      next.status.served_certificate = api::ServedCertificate{
          chain->serial_number, chain->not_after,        chain->fingerprint_sha256,
          chain->issuer,        chain->certificates > 1, std::chrono::floor<std::chrono::seconds>(now)};
    }
  }
  if (edge->spec.sip.peers.empty()) {
    api::remove(next.status.conditions, api::condition::kPeersTrustChain);
  } else {
    const View peers = view_of_peers(world_, *edge, served, stop);
    condition(api::condition::kPeersTrustChain, peers.truth, peers.reason, peers.message);
  }
  const auto listing = listings_.edges(*connection, {}, stop);
  if (!listing->content) {
    if (listing->content.error().kind == ErrorKind::kCancelled) return {};
    condition(api::condition::kOnline, Truth::kUnknown, "Unknown", listing->content.error().message());
    const Error& error = listing->content.error();
    return but_failed(finish(failed("Api", error), retries_.failed(key, error, now)), "ListEdges", error);
  }
  retries_.succeeded(key);
  const auto info = std::ranges::find_if(
      *listing->content, [&](const ports::EdgeInfo& e) { return lower(e.id.value) == lower(edge->spec.edge_id); });
  if (info == listing->content->end()) {
    condition(api::condition::kOnline, Truth::kUnknown, "Unknown", "the API does not list this Edge");
    return finish({.reason = "EdgeUnknown",
                   .message = "the API lists no Edge with id " + edge->spec.edge_id +
                              ": check spec.edgeId, or the divisions of the OAuth client"},
                  now + kLookForItAgain);
  }
  describe(next, *info);
  condition(api::condition::kOnline, info->online ? Truth::kTrue : Truth::kFalse, next.status.online_status,
            "the cloud's view of the Edge's connection");
  const auto trunks = trunks_of(*edge, *connection, info->id, stop);
  if (!trunks && trunks.error().kind == ErrorKind::kCancelled) return {};
  const SipView sip = trunks ? describe_trunks(next, *trunks) : SipView{.message = trunks.error().message()};
  condition(api::condition::kSipHealthy, sip.healthy, sip.reason, sip.message);
  if (!info->active || !info->in_service)
    return finish({.reason = "OutOfService", .message = "the Edge is not in service"}, now + kLookAgain);
  Outcome outcome = finish(info->online ? good("the Edge is online")
                                        : Finding{.reason = "Offline", .message = "the cloud does not see the Edge"},
                           now + kLookAgain);
  // Worth a line of the log when it is news.
  if (!trunks && outcome.wrote_status) return but_failed(std::move(outcome), "ListTrunks", trunks.error());
  return outcome;
}

}  // namespace edgetrust::reconcile
