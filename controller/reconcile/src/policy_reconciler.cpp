#include "certificate/order_book.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/capacity.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/decide/wave.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"
#include "slots.hpp"

#include <algorithm>
#include <map>

namespace edgetrust::reconcile {
namespace {

constexpr std::chrono::hours kCountsAgainAfter{6};  // nights pass, and nothing else tells of it

std::string describe(const api::Freeze& freeze) {
  return freeze.name + (freeze.reason.empty() ? "" : " (" + freeze.reason + ")") + " from " +
         format_rfc3339(freeze.from) + " to " + format_rfc3339(freeze.to);
}

const api::Freeze* next_freeze(const std::vector<api::Freeze>& freezes, TimePoint now) {
  const api::Freeze* next = nullptr;
  for (const api::Freeze& freeze : freezes) {
    if (freeze.from > now && (next == nullptr || freeze.from < next->from)) next = &freeze;
  }
  return next;
}

// A request to go on is acted on once: what was rolled back before it no longer counts.
void take_resumption(const api::RotationPolicy& policy, api::RotationPolicyStatus& status, TimePoint now) {
  const auto asked = policy.meta.annotation(api::kResumeRequestedAt);
  if (!asked || asked->empty() || (status.resumed && status.resumed->request == *asked)) return;
  status.resumed =
      api::ResumeStatus{.request = std::string(*asked), .at = std::chrono::floor<std::chrono::seconds>(now)};
}

// Who rotates now; the first hundred, for a status has its bounds.
std::vector<std::string> rotating(const World& world, const api::RotationPolicy& policy) {
  constexpr std::size_t kMost = 100;
  std::vector<std::string> names;
  for (const auto& certificate : world.certificates.list(policy.meta.ns)) {
    const bool ours = decide::policy_name(*certificate) == policy.meta.name;
    if (ours && decide::is_rotating(*certificate)) names.push_back(certificate->meta.name);
  }
  std::ranges::sort(names);
  if (names.size() > kMost) names.resize(kMost);
  return names;
}

std::shared_ptr<const api::AcmeIssuer> issuer_of(const World& world, const api::EdgeCertificate& certificate) {
  const std::string name = api::issuer_in_use(certificate);
  return name.empty() ? nullptr : world.issuers.get({certificate.meta.ns, name});
}

std::vector<decide::Member> members(const World& world, const std::string& ns) {
  std::vector<decide::Member> all;
  for (const auto& certificate : world.certificates.list(ns))
    all.push_back({.certificate = certificate,
                   .edge = world.edges.get({ns, certificate->spec.edge_ref.name}),
                   .issuer = issuer_of(world, *certificate)});
  return all;
}

// What has to be replaced under a policy, and when.
std::vector<decide::Due> due_under(const World& world, const api::RotationPolicy& policy,
                                   const std::vector<decide::Member>& members) {
  std::vector<decide::Due> all;
  for (const auto& [certificate, edge, stuck, issuer] : members) {
    if (!edge || decide::policy_name(*certificate) != policy.meta.name) continue;
    const auto connection = world.connections.get({edge->meta.ns, edge->spec.connection_ref.name});
    if (auto due = decide::due_under_policy(*certificate, edge.get(), connection.get())) all.push_back(std::move(*due));
  }
  return all;
}

// The limit of a CA that not all can be ordered under, of the CAs that the policy's own EdgeCertificates use. All of
// the namespace that use the same server count.
std::optional<decide::Shortage> shortage_at_ca(const World& world, OrderBook& orders, const api::ObjectKey& policy,
                                               const std::vector<decide::Member>& members, TimePoint now,
                                               std::stop_token stop) {
  std::map<std::string, std::shared_ptr<const api::AcmeIssuer>> used;
  std::map<std::string, std::vector<decide::Demand>> fleets;  // by server
  for (const auto& member : members) {
    if (!member.issuer || member.issuer->broken) continue;
    const auto demand = decide::demand_on_ca(*member.certificate, *member.issuer);
    if (demand) fleets[member.issuer->spec.server].push_back(*demand);
    const bool ours = decide::policy_name(*member.certificate) == policy.name;
    if (demand && ours && decide::limits_of(member.issuer->spec).any()) used[member.issuer->meta.name] = member.issuer;
  }
  for (const auto& [name, issuer] : used) {
    const std::string& server = issuer->spec.server;
    const auto log = orders.log(world, policy.ns, server, stop);
    if (auto found = decide::order_shortage(fleets[server], *issuer, log ? **log : decide::OrderLog{}, now))
      return found;
  }
  return std::nullopt;
}

Finding halted(const decide::Setbacks& found) {
  return refused("Halted", decide::describe(found) +
                               ", and no other Edge starts: find out why, then set the annotation " +
                               std::string(api::kResumeRequestedAt) + " to a new value");
}

// A condition that is there while it is true.
void set_while(api::RotationPolicy& policy, std::string_view type, bool holds, std::string reason, std::string message,
               TimePoint now) {
  if (!holds) return api::remove(policy.status.conditions, type);
  set_condition(policy.status.conditions, type, api::Truth::kTrue, std::move(reason), std::move(message),
                policy.meta.generation, now);
}

// What is said of the fleet while nobody knows what holds for it; what was soaked and resumed is remembered.
void forget_view(api::RotationPolicy& policy) {
  auto& status = policy.status;
  status.state.reset();
  status.rotating.clear();
  status.rollbacks.reset();
  status.wave.clear();
  status.next_freeze.clear();
  for (const auto type : {api::condition::kFrozen, api::condition::kHalted, api::condition::kInfeasible})
    api::remove(status.conditions, type);
}

}  // namespace

PolicyReconciler::PolicyReconciler(const World& world) : world_(world), orders_(std::make_unique<OrderBook>()) {}
PolicyReconciler::~PolicyReconciler() = default;

Outcome PolicyReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto policy = world_.policies.get(key);
  if (!policy) return {};
  const TimePoint now = world_.clock.now();
  api::RotationPolicy next = *policy;
  if (const auto finding = unusable(*policy)) {
    forget_view(next);
    report(next, *finding, now);
    return record(world_, world_.policies, *policy, next, {}, stop);
  }
  take_resumption(*policy, next.status, now);
  const auto fleet = members(world_, key.ns);
  const decide::Setbacks setbacks = decide::setbacks(key.name, &next, fleet, now, pin_work(world_, key.ns));
  const decide::WaveReport waves = decide::report_waves(*policy, fleet, now);
  const auto due = due_under(world_, *policy, fleet);
  auto shortage = decide::shortage(due, api::effective_rotation({}, &policy->spec), now);
  if (!shortage) shortage = shortage_at_ca(world_, *orders_, key, fleet, now, stop);
  const auto& freezes = policy->spec.freezes;
  const api::Freeze* frozen = decide::freeze_at(freezes, now);
  const api::Freeze* coming = next_freeze(freezes, now);
  next.status.state = setbacks.halted     ? api::PolicyState::kHalted
                      : frozen != nullptr ? api::PolicyState::kFrozen
                                          : api::PolicyState::kOpen;
  next.status.rotating = rotating(world_, *policy);
  next.status.rollbacks = setbacks.count;
  next.status.wave = waves.wave;
  next.status.soaked = waves.soaked;
  next.status.next_freeze = coming != nullptr ? describe(*coming) : "";
  set_while(next, api::condition::kFrozen, frozen != nullptr, "Freeze", frozen != nullptr ? describe(*frozen) : "",
            now);
  set_while(next, api::condition::kHalted, setbacks.halted, "Rollbacks", decide::describe(setbacks), now);
  set_while(next, api::condition::kInfeasible, shortage.has_value(), shortage ? shortage->reason : "",
            shortage ? shortage->message : "", now);
  report(next, setbacks.halted ? halted(setbacks) : good("in force"), now);
  // The next moment at which one of these says something else by itself.
  std::optional<TimePoint> wake_at = setbacks.until;
  const auto or_at = [&](TimePoint at) { wake_at = std::min(wake_at.value_or(at), at); };
  if (waves.next) or_at(*waves.next);
  if (!due.empty() || shortage) or_at(now + kCountsAgainAfter);
  if (frozen != nullptr) or_at(frozen->to);
  if (coming != nullptr) or_at(coming->from);
  return record(world_, world_.policies, *policy, next, wake_at, stop);
}

}  // namespace edgetrust::reconcile
