#include "edgetrust/decide/budget.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;
using api::Phase;

constexpr auto kShortestMemory = 7 * 24h;

// A Lease's name has to be a DNS name, and a site is any text: what can be read of it, and what tells it apart.
std::string slot_prefix(const std::string& kind, const std::string& identity, const std::string& readable) {
  constexpr std::size_t kLongestReadable = 60;
  std::string slug;
  for (const char c : readable.substr(0, kLongestReadable)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    if (plain || upper) {
      slug += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  auto hash = static_cast<std::uint64_t>(stable_fraction(identity) * 0x1p48);
  std::string digits;
  for (int i = 0; i < 12; ++i, hash >>= 4) digits += "0123456789abcdef"[hash & 15U];
  return "edgetrust-" + kind + "-" + (slug.empty() ? "" : slug + "-") + digits + "-";
}

// When what it serves expires; what serves nothing of ours comes before all others.
TimePoint end_of(const api::EdgeCertificate& certificate) {
  return certificate.status.not_after.value_or(TimePoint::min());
}

// Those whose status names slots, which are few.
std::vector<const api::EdgeCertificate*> with_slots(const Fleet& fleet) {
  std::vector<const api::EdgeCertificate*> found;
  for (const Member& member : fleet.members) {
    if (member.certificate->status.slots) found.push_back(member.certificate.get());
  }
  return found;
}

// Whether the slot's holder still works under it: its status names a slot before it is claimed and until it is free.
bool is_held(const ports::BudgetSlot& slot, const std::vector<const api::EdgeCertificate*>& users,
             const std::vector<PinWork>& pins) {
  if (!slot.holder) return false;
  if (std::ranges::any_of(pins, [&](const PinWork& work) {
        return work.uid == slot.holder->uid && std::ranges::count(work.slots, slot.meta.name) > 0;
      }))
    return true;
  return std::ranges::any_of(users, [&](const api::EdgeCertificate* user) {
    return user->meta.uid == slot.holder->uid && std::ranges::count(user->status.slots->names, slot.meta.name) > 0;
  });
}

// The free slots of each pool, in their order.
class Vacancies {
 public:
  explicit Vacancies(const Fleet& fleet) {
    const auto users = with_slots(fleet);
    for (const auto& slot : fleet.slots) {
      if (is_held(slot, users, fleet.pins)) held_.insert(slot.meta.name);
    }
    for (const PinWork& work : fleet.pins) held_.insert(work.slots.begin(), work.slots.end());
    // Somebody may have deleted the Lease: what is named by a delivery under way is in use all the same.
    for (const auto* user : users) {
      const auto& names = user->status.slots->names;
      if (is_rotating(*user)) held_.insert(names.begin(), names.end());
    }
  }
  // Never more than the limit leaves, whichever of them are held: it may have been lowered.
  std::deque<std::string>& of(const Pool& pool) {
    const auto [known, is_new] = free_.try_emplace(pool.slot_prefix);
    auto& free = known->second;
    if (!is_new) return free;
    for (int index = 0; index < pool.limit; ++index) {
      if (!held_.contains(pool.slot(index))) free.push_back(pool.slot(index));
    }
    const auto held =
        std::ranges::count_if(held_, [&](const auto& name) { return name.starts_with(pool.slot_prefix); });
    free.resize(std::min(free.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, pool.limit - held))));
    return free;
  }

 private:
  std::set<std::string> held_;
  std::map<std::string, std::deque<std::string>> free_;  // by prefix
};

// When a new certificate went wrong last.
std::optional<TimePoint> last_setback(const api::EdgeCertificateStatus& status) {
  std::optional<TimePoint> last;
  const auto take = [&](const std::optional<TimePoint>& at) {
    if (at && (!last || *at > *last)) last = at;
  };
  if (const auto& delivery = status.delivery) {
    take(delivery->rolling_back_since);
    if (!delivery->verdict.empty()) take(delivery->installed_at);
  }
  for (const auto& entry : status.history) {
    if (entry.result == api::RevisionResult::kRolledBack) take(entry.at);
  }
  return last;
}

struct Contender {
  const api::EdgeCertificate* certificate;
  const api::Edge* edge;
};

// Those that wait under the same policy, and `me`; the soonest to expire first.
std::vector<Contender> contenders(const api::EdgeCertificate& me, const api::Edge& edge, const Fleet& fleet,
                                  TimePoint now) {
  const std::string& policy = policy_name(me);
  std::vector<Contender> all{{&me, &edge}};
  for (const Member& member : fleet.members) {
    const auto& other = *member.certificate;
    if (other.meta.uid == me.meta.uid || member.stuck || !member.edge || policy_name(other) != policy) continue;
    if (waits_for_turn(other, now)) all.push_back({&other, member.edge.get()});
  }
  std::ranges::sort(all, [](const Contender& a, const Contender& b) {
    return std::pair(end_of(*a.certificate), a.certificate->meta.uid) <
           std::pair(end_of(*b.certificate), b.certificate->meta.uid);
  });
  return all;
}

}  // namespace

const std::string& policy_name(const api::EdgeCertificate& certificate) {
  static const std::string kNoneNamed(kDefaultPolicy);
  return certificate.spec.policy_ref ? certificate.spec.policy_ref->name : kNoneNamed;
}

Pool policy_pool(const std::string& policy, int limit) {
  return {.name = "RotationPolicy " + policy, .slot_prefix = slot_prefix("policy", policy, policy), .limit = limit};
}

bool is_policy_slot(const std::string& slot_name) { return slot_name.starts_with("edgetrust-policy-"); }

Pool site_pool(const std::string& connection, const std::string& site, int limit) {
  return {.name = site.empty() ? "the site that is not known" : "site " + site,
          .slot_prefix = slot_prefix("site", connection + "\n" + site, connection + "-" + site),
          .limit = limit};
}

bool is_rotating(const api::EdgeCertificate& certificate) {
  return certificate.status.delivery || certificate.status.drain;
}

bool waits_for_turn(const api::EdgeCertificate& certificate, TimePoint now) {
  const auto& status = certificate.status;
  if (certificate.broken || certificate.meta.deleting() || status.phase != Phase::kWaiting) return false;
  const std::string_view reason = api::reason_said(status.conditions);
  if (reason == kWaitingForTurn || reason == kLookingAtEdge) return true;
  const auto opens = parse_rfc3339(status.next_window);
  return opens && *opens <= now;
}

Turn turn_of(const api::EdgeCertificate& me, const api::Edge& edge, const Fleet& fleet,
             const api::EffectiveRotation& rotation, TimePoint now) {
  const auto site_of_edge = [&](const api::Edge& one) {
    return site_pool(one.spec.connection_ref.name, std::string(api::site_of(one)), rotation.max_concurrent_per_site);
  };
  const Pool policy = policy_pool(policy_name(me), rotation.max_concurrent);
  const Pool site = site_of_edge(edge);
  Turn turn{.slots = {},
            .why = "it waits for its turn under " + policy.name + " (" + std::to_string(policy.limit) +
                   " at a time) and in " + site.name + " (" + std::to_string(site.limit) + " at a time)"};
  if (std::ranges::any_of(fleet.pins,
                          [&](const PinWork& work) { return work.uid == edge.meta.uid && !work.slots.empty(); })) {
    turn.why = "it waits until the change of the Edge's pin file is over";
    return turn;
  }
  // Each that goes before takes its slots in this thought already, so that those who start at one moment do not all
  // reach for the same one.
  Vacancies vacancies(fleet);
  auto& of_policy = vacancies.of(policy);
  for (const Contender& next : contenders(me, edge, fleet, now)) {
    if (of_policy.empty()) return turn;
    auto& of_site = vacancies.of(site_of_edge(*next.edge));
    if (of_site.empty() && next.certificate != &me) continue;
    if (of_site.empty()) return turn;
    if (next.certificate == &me) {
      turn.slots.assign({of_policy.front(), of_site.front()});
      return turn;
    }
    of_policy.pop_front();
    of_site.pop_front();
  }
  return turn;
}

namespace {

Pool one_of_a_site(const api::Edge& edge) {
  return site_pool(edge.spec.connection_ref.name, std::string(api::site_of(edge)), 1);
}

}  // namespace

Turn turn_of_pins(const api::Edge& edge, const std::string& policy, const Fleet& fleet,
                  const api::EffectiveRotation& rotation, const std::vector<std::shared_ptr<const api::Edge>>& before) {
  const Pool all = policy_pool(policy, rotation.max_concurrent);
  const Pool site = one_of_a_site(edge);
  Turn turn{.slots = {},
            .why = "it waits for its turn under " + all.name + " (" + std::to_string(all.limit) +
                   " at a time) and in " + site.name + " (one at a time)"};
  Vacancies vacancies(fleet);
  auto& of_policy = vacancies.of(all);
  for (const auto& other : before) {
    auto& of_site = vacancies.of(one_of_a_site(*other));
    if (of_policy.empty() || of_site.empty()) continue;
    of_policy.pop_front();
    of_site.pop_front();
  }
  const auto& of_site = vacancies.of(site);
  if (!of_policy.empty() && !of_site.empty()) turn.slots.assign({of_policy.front(), of_site.front()});
  return turn;
}

Turn turn_of_site(const api::Edge& edge, const Fleet& fleet) {
  const Pool site = one_of_a_site(edge);
  Turn turn{.slots = {}, .why = "it waits for its turn in " + site.name + " (one at a time)"};
  Vacancies vacancies(fleet);
  const auto& free = vacancies.of(site);
  if (!free.empty()) turn.slots.assign({free.front()});
  return turn;
}

Setbacks setbacks(const std::string& policy_name_wanted, const api::RotationPolicy* policy,
                  const std::vector<Member>& members, TimePoint now, const std::vector<PinWork>& pins) {
  const api::EffectiveRotation rotation = api::effective_rotation({}, policy != nullptr ? &policy->spec : nullptr);
  const auto memory = std::max<api::Duration>(rotation.spread, kShortestMemory);
  TimePoint since = now - memory;
  if (policy != nullptr && policy->status.resumed) since = std::max(since, policy->status.resumed->at);
  Setbacks found;
  const auto count = [&](const std::optional<TimePoint>& last, const std::string& name) {
    if (!last || *last <= since) return;
    found.names.push_back(name);
    const TimePoint forgotten = *last + memory;
    found.until = std::min(found.until.value_or(forgotten), forgotten);
  };
  for (const Member& member : members) {
    const api::EdgeCertificate& certificate = *member.certificate;
    if (policy_name(certificate) == policy_name_wanted) count(last_setback(certificate.status), certificate.meta.name);
  }
  for (const PinWork& work : pins) {
    if (work.policy == policy_name_wanted) count(work.rolled_back_at, "Edge " + work.name);
  }
  found.count = static_cast<int>(found.names.size());
  found.halted = found.count >= rotation.halt_after_rollbacks;
  return found;
}

std::string describe(const Setbacks& found) {
  constexpr std::size_t kMostNames = 5;
  const std::vector<std::string> first(
      found.names.begin(), found.names.begin() + static_cast<std::ptrdiff_t>(std::min(kMostNames, found.names.size())));
  const std::string more =
      found.names.size() > kMostNames ? " and " + std::to_string(found.names.size() - kMostNames) + " more" : "";
  return std::to_string(found.count) + (found.count == 1 ? " rollback (" : " rollbacks (") + join(first, ", ") + more +
         ")";
}

}  // namespace edgetrust::decide
