#include "edgetrust/forecast/plan.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/capacity.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/decide/wave.hpp"

namespace edgetrust::forecast {
namespace {

using decide::certificate::Observation;

Place place_of(const Observation& o) {
  Place place{
      .certificate = o.object.meta.key(), .edge = o.object.spec.edge_ref.name, .policy = decide::policy_name(o.object)};
  if (!o.edge || o.edge->broken) return place;
  place.site = api::site_of(*o.edge);
  place.time_zone = decide::time_zone_of(*o.edge, o.connection.get());
  if (!o.policy) return place;
  const auto& waves = o.policy->spec.waves;
  const std::size_t wave = decide::wave_of(waves, *o.edge);
  if (wave < waves.size()) place.wave = waves[wave].name;
  return place;
}

// Follows a run and writes down what it sees.
class Scribe {
 public:
  explicit Scribe(Plan& plan) : plan_(plan) {}

  void see(const Pass& pass) {
    const Observation& o = pass.after;
    const auto& status = o.object.status;
    const std::string& uid = o.object.meta.uid;
    if (!pass.before.delivery && status.delivery) {
      if (status.not_after && *status.not_after <= o.now) plan_.expiries.push_back({place_of(o), *status.not_after});
      open_[uid] = plan_.rotations.size();
      plan_.rotations.push_back({.place = place_of(o), .revision = status.delivery->revision, .starts = o.now});
    }
    if (pass.before.delivery && !status.delivery) {
      if (const auto open = open_.find(uid); open != open_.end()) {
        plan_.rotations[open->second].ends = o.now;
        open_.erase(open);
      }
    }
    const std::string says = std::string(status.phase ? api::to_string(*status.phase) : "") + " " +
                             std::string(api::reason_said(status.conditions));
    auto& [said, since] = said_[uid];
    if (said != says) {
      said = says;
      since = o.now;
    }
  }
  [[nodiscard]] TimePoint since(const std::string& uid) const {
    const auto said = said_.find(uid);
    return said == said_.end() ? plan_.from : said->second.second;
  }

 private:
  Plan& plan_;
  std::map<std::string, std::size_t> open_;                        // rotations, by UID
  std::map<std::string, std::pair<std::string, TimePoint>> said_;  // phase and reason, and since when
};

// The same of the limits of each CA, by AcmeIssuer.
void note_limits(const Situation& situation, Plan& plan) {
  struct Group {
    std::shared_ptr<const api::AcmeIssuer> issuer;
    std::shared_ptr<const decide::OrderLog> orders;
  };
  std::map<api::ObjectKey, Group> issuers;
  std::map<std::pair<std::string, std::string>, std::vector<decide::Demand>> fleets;  // by namespace and server
  for (const Observation& o : situation.certificates) {
    if (!o.issuer || o.issuer->broken) continue;
    const std::string& ns = o.object.meta.ns;
    auto& group = issuers[{ns, o.issuer->meta.name}];
    group.issuer = o.issuer;
    if (o.orders) group.orders = o.orders;
    if (auto demand = decide::demand_on_ca(o.object, *o.issuer))
      fleets[{ns, o.issuer->spec.server}].push_back(std::move(*demand));
  }
  for (const auto& [key, group] : issuers) {
    const auto& fleet = fleets[{key.ns, group.issuer->spec.server}];
    const decide::OrderLog orders = group.orders ? *group.orders : decide::OrderLog{};
    if (auto shortage = decide::order_shortage(fleet, *group.issuer, orders, situation.now))
      plan.infeasible.push_back({"AcmeIssuer", key, std::move(shortage->reason), std::move(shortage->message)});
  }
}

void note_infeasible(const Situation& situation, Plan& plan) {
  struct Group {
    std::shared_ptr<const api::RotationPolicy> policy;
    std::vector<decide::Due> due;
  };
  std::map<api::ObjectKey, Group> policies;
  for (const Observation& o : situation.certificates) {
    auto& group = policies[{o.object.meta.ns, decide::policy_name(o.object)}];
    group.policy = o.policy;
    if (const auto due = decide::due_under_policy(o.object, o.edge.get(), o.connection.get()))
      group.due.push_back(*due);
  }
  note_limits(situation, plan);
  for (const auto& [key, group] : policies) {
    const auto rotation = api::effective_rotation({}, group.policy ? &group.policy->spec : nullptr);
    if (auto shortage = decide::shortage(group.due, rotation, situation.now)) {
      plan.infeasible.push_back({"RotationPolicy", key, std::move(shortage->reason), std::move(shortage->message)});
    }
  }
}

}  // namespace

Plan plan(Situation situation, TimePoint until) {
  Plan made{.from = situation.now, .until = until, .certificates = static_cast<int>(situation.certificates.size())};
  note_infeasible(situation, made);
  Scribe scribe(made);
  Outside outside;
  Run run(std::move(situation), outside, [&](const Pass& pass) { scribe.see(pass); });
  run.advance(made.from + std::chrono::seconds{1});
  for (std::size_t i = 0; i < run.size(); ++i) {
    const auto& object = run.observation(i).object;
    const auto* said = api::find(object.status.conditions, api::condition::kInfeasible);
    if (said != nullptr && said->status == api::Truth::kTrue)
      made.infeasible.push_back({"EdgeCertificate", object.meta.key(), said->reason, said->message});
  }
  run.advance(until);
  for (std::size_t i = 0; i < run.size(); ++i) {
    const Observation& o = run.observation(i);
    const auto& status = o.object.status;
    const auto* installed = run.installed(i);
    const auto expires = installed != nullptr ? std::optional(installed->not_after) : std::nullopt;
    if (expires && *expires <= until) made.expiries.push_back({place_of(o), *expires});
    if (status.phase == api::Phase::kReady) continue;
    const auto* said = api::said(status.conditions);
    made.unfinished.push_back({.place = place_of(o),
                               .phase = std::string(status.phase ? api::to_string(*status.phase) : "Pending"),
                               .reason = said != nullptr ? said->reason : "",
                               .message = said != nullptr ? said->message : "",
                               .since = scribe.since(o.object.meta.uid),
                               .expires = expires});
  }
  std::ranges::stable_sort(made.rotations, {}, &PlannedRotation::starts);
  return made;
}

}  // namespace edgetrust::forecast
