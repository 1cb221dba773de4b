#include "certificate/sourced.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

bool is_address(const std::string& host) {
  if (host.find(':') != std::string::npos) return true;
  const std::string last = host.substr(host.rfind('.') + 1);
  return !last.empty() && last.find_first_not_of("0123456789") == std::string::npos;
}

// A wildcard stands for one label, the first (RFC 6125 section 6.4.3).
bool covers(const ports::ChainFacts& leaf, const std::string& name) {
  const auto holds = [&](const std::string& one) {
    return std::ranges::find(leaf.dns_names, one) != leaf.dns_names.end();
  };
  const auto dot = name.find('.');
  return holds(name) || (dot != std::string::npos && holds("*" + name.substr(dot)));
}

bool is_leaf_rejected_in(const Observation& o, const api::EdgeCertificateStatus& status,
                         const std::string& fingerprint) {
  const auto in_history = [&](const api::HistoryEntry& entry) {
    return entry.fingerprint_sha256 == fingerprint && has_ended_badly(entry);
  };
  const auto marked = [&](const auto& one) { return one.second.marked_rejected && has_leaf(one.second, fingerprint); };
  return std::ranges::any_of(status.history, in_history) || std::ranges::any_of(o.revisions, marked);
}

}  // namespace

ports::SubjectNames names_to_cover(const api::EdgeCertificateSpec& spec, const api::Edge* edge) {
  ports::SubjectNames names{.dns_names = spec.dns_names, .ip_addresses = spec.ip_addresses};
  const std::string host = edge != nullptr ? lower(edge->spec.sip.host) : std::string{};
  const bool named = !host.empty() && !is_address(host);
  if (named && std::ranges::find(names.dns_names, host) == names.dns_names.end()) names.dns_names.push_back(host);
  return names;
}

bool covers_all(const ports::ChainFacts& leaf, const ports::SubjectNames& names) {
  const auto has_address = [&](const std::string& one) {
    return std::ranges::find(leaf.ip_addresses, canonical_address(one)) != leaf.ip_addresses.end();
  };
  return std::ranges::all_of(names.dns_names, [&](const auto& name) { return covers(leaf, name); }) &&
         std::ranges::all_of(names.ip_addresses, has_address);
}

bool has_leaf(const StoredRevision& revision, const std::string& fingerprint) {
  return revision.chain && revision.chain->fingerprint_sha256 == fingerprint;
}

bool is_leaf_rejected(const Observation& o, const std::string& fingerprint) {
  return is_leaf_rejected_in(o, o.object.status, fingerprint);
}

std::optional<int> sourced_candidate(const Observation& o, int ended) {
  const bool known = o.source && o.source->chain && !o.source->defect;
  std::optional<int> best;
  for (const auto& [number, revision] : o.revisions) {
    const bool fit = revision.has_key && revision.chain && !revision.defect && !revision.marked_rejected &&
                     revision.chain->not_after > o.now;
    if (number <= std::max(ended, 0) || !fit || is_leaf_rejected(o, revision.chain->fingerprint_sha256)) continue;
    if (!known || has_leaf(revision, o.source->chain->fingerprint_sha256)) best = number;
  }
  return best;
}

bool is_sourced(const Observation& o) { return o.object.spec.source_secret_ref.has_value(); }

const ports::ChainFacts* offer(const Observation& o) {
  const bool good = is_sourced(o) && o.source && o.source->chain && !o.source->defect && !o.source->unjudged;
  return good && o.source->chain->not_after > o.now ? &*o.source->chain : nullptr;
}

bool offers_another(const Observation& o, const api::EdgeCertificateStatus& status) {
  const ports::ChainFacts* leaf = offer(o);
  if (leaf == nullptr || is_leaf_rejected_in(o, status, leaf->fingerprint_sha256)) return false;
  const auto is_leaf_of = [&](std::optional<int> revision) {
    const StoredRevision* kept = revision ? stored(o, *revision) : nullptr;
    return kept != nullptr && has_leaf(*kept, leaf->fingerprint_sha256);
  };
  return !is_leaf_of(status.revision) && !(status.delivery && is_leaf_of(status.delivery->revision));
}

TimePoint overdue_from(const ports::ChainFacts& leaf) {
  const TimePoint due = renewal_time(leaf.not_before, leaf.not_after, {}, {}, 0);
  return std::chrono::floor<std::chrono::seconds>(due + (leaf.not_after - due) / 10);
}

}  // namespace edgetrust::decide::certificate
