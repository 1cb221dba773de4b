#include "edgetrust/forecast/outside.hpp"

#include "edgetrust/api/conditions.hpp"

namespace edgetrust::forecast {
namespace {

using namespace std::chrono_literals;

constexpr auto kOrderTakes = 5min;  // authorizations, the floor of the propagation wait, the CA's own work
constexpr auto kCallsLast = 5min;
constexpr auto kLifetime = 90 * 24h;

bool is_said_false(const api::Edge& edge, std::string_view condition) {
  const auto* said = api::find(edge.status.conditions, condition);
  return said != nullptr && said->status == api::Truth::kFalse;
}

// The newest chain that is stored.
const ports::ChainFacts* last_chain(const decide::certificate::Observation& o) {
  for (auto revision = o.revisions.rbegin(); revision != o.revisions.rend(); ++revision) {
    if (revision->second.chain) return &*revision->second.chain;
  }
  return nullptr;
}

}  // namespace

Result<TimePoint> Outside::order(const Observation& o, const ports::OrderRequest& /*request*/) {
  return o.now + kOrderTakes;
}

ports::ChainFacts Outside::certificate(const Observation& o) {
  const ports::ChainFacts* last = last_chain(o);
  ports::ChainFacts chain = last != nullptr ? *last : ports::ChainFacts{};
  const auto lifetime = last != nullptr ? last->not_after - last->not_before : kLifetime;
  chain.not_before = std::chrono::floor<std::chrono::seconds>(o.now);
  chain.not_after = chain.not_before + lifetime;
  chain.server_auth = true;
  return chain;
}

TimePoint Outside::calls_end(const Observation& o) { return o.now + kCallsLast; }

Status Outside::upload(const Observation& /*o*/, const ports::ChainFacts& /*chain*/) { return {}; }

Result<ports::EdgeHealth> Outside::health(const Observation& o, const ports::ChainFacts* installed) {
  ports::EdgeHealth health{.state = ports::EdgeState::kOk, .sip = ports::SipState::kUp};
  if (o.edge && is_said_false(*o.edge, api::condition::kOnline)) health.state = ports::EdgeState::kCritical;
  if (o.edge && is_said_false(*o.edge, api::condition::kSipHealthy)) health.sip = ports::SipState::kDown;
  if (installed != nullptr) health.fingerprint_sha256 = installed->fingerprint_sha256;
  return health;
}

}  // namespace edgetrust::forecast
