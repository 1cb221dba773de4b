#include "edgetrust/reconcile/pin_board.hpp"

#include <tuple>

namespace edgetrust::reconcile {

bool PinBoard::post(const api::ObjectKey& policy, PinsInForce pins) {
  const auto what = [](const PinsInForce& one) {
    return std::tie(one.uid, one.generation, one.accepted, one.leaf, one.seen.chain, one.objection, one.no_backup,
                    one.intermediaries);
  };
  const std::scoped_lock lock(mutex_);
  const auto known = in_force_.find(policy);
  const bool is_news = known == in_force_.end() || what(known->second) != what(pins);
  in_force_.insert_or_assign(policy, std::move(pins));
  return is_news;
}

void PinBoard::forget_policy(const api::ObjectKey& policy) {
  const std::scoped_lock lock(mutex_);
  in_force_.erase(policy);
}

std::optional<PinsInForce> PinBoard::in_force(const api::PinPolicy& policy) const {
  const std::scoped_lock lock(mutex_);
  const auto found = in_force_.find(policy.meta.key());
  if (found == in_force_.end()) return std::nullopt;
  const bool is_of_it = found->second.uid == policy.meta.uid && found->second.generation == policy.meta.generation;
  return is_of_it ? std::optional(found->second) : std::nullopt;
}

void PinBoard::saw(const api::ObjectKey& edge, const api::ObjectKey& policy, decide::pins::Sight sight, TimePoint at) {
  const std::scoped_lock lock(mutex_);
  seen_.insert_or_assign(edge, Seen{policy, std::move(sight), at});
}

void PinBoard::forget_edge(const api::ObjectKey& edge) {
  const std::scoped_lock lock(mutex_);
  seen_.erase(edge);
  waiting_.erase(edge);
  taken_.erase(edge);
}

std::vector<decide::pins::Sight> PinBoard::sights(const api::ObjectKey& policy, TimePoint since) const {
  const std::scoped_lock lock(mutex_);
  std::vector<decide::pins::Sight> all;
  for (const auto& [edge, seen] : seen_) {
    if (seen.policy == policy && seen.at >= since) all.push_back(seen.sight);
  }
  return all;
}

void PinBoard::line_up(const api::ObjectKey& edge, const std::string& rotation_policy) {
  const std::scoped_lock lock(mutex_);
  waiting_.insert_or_assign(edge, rotation_policy);
}

void PinBoard::leave_line(const api::ObjectKey& edge) {
  const std::scoped_lock lock(mutex_);
  waiting_.erase(edge);
}

std::vector<api::ObjectKey> PinBoard::before(const api::ObjectKey& edge, const std::string& rotation_policy) const {
  const std::scoped_lock lock(mutex_);
  std::vector<api::ObjectKey> all;
  for (const auto& [other, policy] : waiting_) {
    if (other.ns == edge.ns && policy == rotation_policy && other < edge) all.push_back(other);
  }
  return all;
}

void PinBoard::take(const api::ObjectKey& edge, std::vector<std::string> slots) {
  const std::scoped_lock lock(mutex_);
  taken_.insert_or_assign(edge, std::move(slots));
}

void PinBoard::give_back(const api::ObjectKey& edge) {
  const std::scoped_lock lock(mutex_);
  taken_.erase(edge);
}

std::vector<std::string> PinBoard::taken_by_others(const api::ObjectKey& edge) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [other, slots] : taken_) {
    if (other.ns == edge.ns && other != edge) all.insert(all.end(), slots.begin(), slots.end());
  }
  return all;
}

std::vector<api::ObjectKey> PinBoard::first_in_line(const std::string& ns) const {
  constexpr std::size_t kMost = 8;  // in several sites at once
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::vector<api::ObjectKey>> lines;
  for (const auto& [edge, policy] : waiting_) {
    if (edge.ns == ns && lines[policy].size() < kMost) lines[policy].push_back(edge);
  }
  std::vector<api::ObjectKey> all;
  for (const auto& [policy, line] : lines) all.insert(all.end(), line.begin(), line.end());
  return all;
}

}  // namespace edgetrust::reconcile
