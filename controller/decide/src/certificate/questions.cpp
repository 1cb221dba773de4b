#include "certificate/questions.hpp"

#include "certificate/sourced.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>
#include <set>

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;

const std::string* handled_value(const api::EdgeCertificateStatus& status, std::string_view annotation) {
  if (!status.handled_requests) return nullptr;
  if (annotation == api::kRenewRequestedAt) return &status.handled_requests->renew;
  if (annotation == api::kRotateRequestedAt) return &status.handled_requests->rotate;
  if (annotation == api::kRollbackRequestedAt) return &status.handled_requests->rollback;
  if (annotation == api::kRevokeRequestedAt) return &status.handled_requests->revoke;
  return nullptr;
}

template <class Names>
std::set<std::string> as_set(const Names& names) {
  std::set<std::string> all;
  for (const auto& name : names) all.insert(api::canonical_identifier(name));
  return all;
}

TimePoint renewal_by_rule(const Observation& o, const ports::ChainFacts& chain) {
  return renewal_time(chain.not_before, chain.not_after, o.object.spec.renew_before, rotation_of(o).spread,
                      stable_fraction(o.object.meta.uid));
}

}  // namespace

bool holds_finalizer(const Observation& o) { return o.object.meta.has_finalizer(api::kFinalizer); }

api::EffectiveRotation rotation_of(const Observation& o) {
  return api::effective_rotation(o.object.spec.rotation.value_or(api::RotationOverrides{}),
                                 o.policy ? &o.policy->spec : nullptr);
}

std::string time_zone_of(const Observation& o) {
  return o.edge ? decide::time_zone_of(*o.edge, o.connection.get()) : std::string{};
}

ports::SubjectNames wanted_names(const api::EdgeCertificateSpec& spec) {
  return {spec.common_name, spec.dns_names, spec.ip_addresses};
}

ports::KeySpec wanted_key(const api::EdgeCertificateSpec& spec) {
  const api::PrivateKeySpec key = spec.private_key.value_or(api::PrivateKeySpec{});
  if (key.algorithm == api::KeyAlgorithm::kEcdsa) return {ports::KeyAlgorithm::kEcdsa, key.size.value_or(256)};
  return {ports::KeyAlgorithm::kRsa, key.size.value_or(2048)};
}

bool fits_spec(const Observation& o, const StoredRevision& revision) {
  const auto& spec = o.object.spec;
  if (is_sourced(o)) return covers_all(*revision.chain, names_to_cover(spec, o.edge.get()));
  std::set<std::string> asked_for = as_set(revision.asked_for);
  if (asked_for.empty()) {  // imported, or stored by an earlier version: what it holds has to do
    asked_for = as_set(revision.chain->dns_names);
    asked_for.merge(as_set(revision.chain->ip_addresses));
  }
  return asked_for == wanted_identifiers(spec) && revision.chain->key == wanted_key(spec);
}

bool has_ended_badly(const api::HistoryEntry& entry) {
  return entry.result == api::RevisionResult::kRolledBack || entry.result == api::RevisionResult::kRejected;
}

std::string what_is_missing(const Observation& o) {
  const std::string edge = "Edge " + o.object.spec.edge_ref.name;
  if (!o.edge) return edge + " is gone";
  if (o.edge->broken) return edge + " cannot be read (" + o.edge->broken->message() + ")";
  const std::string connection = "GenesysConnection " + o.edge->spec.connection_ref.name;
  if (!o.connection) return connection + " is gone";
  if (o.connection->broken) return connection + " cannot be read (" + o.connection->broken->message() + ")";
  return {};
}

const StoredRevision* stored(const Observation& o, int revision) {
  const auto found = o.revisions.find(revision);
  return found == o.revisions.end() ? nullptr : &found->second;
}

const StoredRevision* active(const Observation& o) {
  const StoredRevision* revision = o.object.status.revision ? stored(o, *o.object.status.revision) : nullptr;
  return revision != nullptr && revision->chain ? revision : nullptr;
}

bool is_rejected(const Observation& o, int revision) {
  const StoredRevision* kept = stored(o, revision);
  if (kept != nullptr && kept->marked_rejected) return true;
  return std::ranges::any_of(o.object.status.history, [&](const api::HistoryEntry& entry) {
    return entry.revision == revision && has_ended_badly(entry);
  });
}

std::optional<int> candidate(const Observation& o) {
  // Numbers are taken in their order: what is older than a revision that has ended was passed over, or forgotten by the
  // history after it was rejected.
  int ended = o.object.status.revision.value_or(-1);
  for (const auto& entry : o.object.status.history) ended = std::max(ended, entry.revision);
  if (is_sourced(o)) return sourced_candidate(o, ended);
  int best = -1;
  // Revision 0 is an import: something to return to, never something to deliver.
  for (const auto& [number, revision] : o.revisions) {
    if (number <= std::max(ended, 0) || revision.marked_rejected) continue;
    if (is_to_be_revoked(o, number) || is_revoked(o, number)) continue;
    // What cannot be read is a candidate too: it has to be refused.
    if (revision.has_bundle() && (!revision.chain || fits_spec(o, revision))) best = number;
  }
  const auto& order = o.object.status.order;
  const StoredRevision* ordered = order ? stored(o, order->revision) : nullptr;
  const bool under_way = order && order->revision > ended && (ordered == nullptr || !ordered->has_bundle());
  if (under_way) best = std::max(best, order->revision);
  return best < 0 ? std::nullopt : std::optional(best);
}

bool asks_for_orders(const Observation& o) {
  if (is_sourced(o) || !o.issuer || o.issuer->broken || !limits_of(o.issuer->spec).any()) return false;
  const auto& order = o.object.status.order;
  if (order) return order->url.empty();
  const auto next = candidate(o);
  const StoredRevision* waiting = next ? stored(o, *next) : nullptr;
  const bool is_stale = waiting != nullptr && waiting->chain && o.now >= renewal_of(o, *waiting);
  return next ? is_stale : due(o).has_value();
}

bool asks_for_fleet(const Observation& o) {
  if (o.policy && !o.policy->spec.waves.empty()) return true;  // a later wave may want it renewed early
  if (asks_for_orders(o)) return true;                         // others may wait for the same CA
  const auto next = candidate(o);
  const StoredRevision* revision = next ? stored(o, *next) : nullptr;
  return revision != nullptr && revision->has_bundle() && !o.object.status.delivery;
}

int next_revision(const Observation& o) {
  int highest = o.object.status.revision.value_or(0);
  for (const auto& [number, revision] : o.revisions) highest = std::max(highest, number);
  for (const auto& entry : o.object.status.history) highest = std::max(highest, entry.revision);
  if (o.object.status.order) highest = std::max(highest, o.object.status.order->revision);
  return highest + 1;
}

Expected expected_of(const Observation& o, const std::optional<api::DeliveryStatus>& delivery) {
  if (!delivery) return {};
  Expected expected{.fingerprint = {},
                    .port_answered = delivery->port_answered,
                    .others_sha256 = {},
                    .baseline = delivery->baseline.value_or(api::Baseline{}),
                    .since = delivery->started_at};
  if (const StoredRevision* installed = stored(o, delivery->revision); installed != nullptr && installed->chain) {
    expected.fingerprint = installed->chain->fingerprint_sha256;
    expected.others_sha256 = installed->chain->others_sha256;
  }
  return expected;
}

std::optional<int> fallback(const Observation& o) {
  const int serving = o.object.status.revision.value_or(-1);
  const bool serving_is_good = !is_rejected(o, serving);
  return previous(o, serving_is_good ? serving + 1 : serving);
}

std::optional<int> previous(const Observation& o, int below) {
  const api::EffectiveRotation rotation = rotation_of(o);
  const TimePoint long_enough = o.now + rotation.settle + rotation.period;
  const int serving = o.object.status.revision.value_or(-1);
  const auto& delivery = o.object.status.delivery;
  const auto tried = delivery ? std::optional(delivery->revision) : candidate(o);
  const StoredRevision* coming = tried ? stored(o, *tried) : nullptr;
  return newest_before(o, below, [&](const StoredRevision& revision) {
    // The same leaf under an older number is no way back from itself.
    if (coming != nullptr && coming->chain && has_leaf(revision, coming->chain->fingerprint_sha256)) return false;
    const bool proved = revision.number == serving || was_live(o, revision.number);
    const bool fit = proved || (!revision.defect && !revision.unjudged);
    return fit && can_return_to(o, revision.number) && revision.chain->not_after > long_enough;
  });
}

std::optional<int> newest_before(const Observation& o, int below,
                                 const std::function<bool(const StoredRevision&)>& accepted) {
  std::optional<int> live;
  std::optional<int> whole;
  for (const auto& [number, revision] : o.revisions) {
    if (number >= below || is_rejected(o, number) || !revision.has_key || !revision.chain || !accepted(revision))
      continue;
    if (is_leaf_rejected(o, revision.chain->fingerprint_sha256)) continue;
    whole = number;
    if (was_live(o, number) || number == o.object.status.revision) live = number;
  }
  return live ? live : whole;
}

bool was_live(const Observation& o, int revision) {
  return revision == 0 || std::ranges::any_of(o.object.status.history, [&](const api::HistoryEntry& entry) {
           return entry.revision == revision &&
                  (entry.result == api::RevisionResult::kSuperseded || entry.result == api::RevisionResult::kActive ||
                   entry.result == api::RevisionResult::kAdopted);
         });
}

bool can_return_to(const Observation& o, int revision) {
  const StoredRevision* kept = stored(o, revision);
  return kept != nullptr && kept->has_key && kept->chain && kept->chain->not_after > o.now;
}

std::optional<int> whose(const Observation& o, const std::string& fingerprint) {
  std::optional<int> newest;
  for (const auto& [number, revision] : o.revisions) {
    if (has_leaf(revision, fingerprint)) newest = number;
  }
  return newest;
}

bool serves_foreign(const Observation& o) {
  const std::string fingerprint = o.look ? o.look->fingerprint() : std::string{};
  if (fingerprint.empty() || whose(o, fingerprint)) return false;
  const auto& status = o.object.status;
  return !status.revision || status.fingerprint_sha256 != fingerprint;  // ours, when only its Secret is lost
}

api::ForeignCertificate wish_for_foreign(const Observation& o) {
  const auto& adoption = o.object.spec.adoption;
  return adoption ? adoption->on_foreign_certificate.value_or(api::ForeignCertificate::kHold)
                  : api::ForeignCertificate::kHold;
}

bool is_requested(const Observation& o, std::string_view annotation) {
  const auto value = o.object.meta.annotation(annotation);
  if (!value || value->empty()) return false;
  const std::string* handled = handled_value(o.object.status, annotation);
  return handled == nullptr || *handled != *value;
}

std::optional<TimePoint> renewal_of(const Observation& o) {
  const StoredRevision* revision = active(o);
  if (revision == nullptr) return std::nullopt;
  return renewal_of(o, *revision);
}

TimePoint renewal_of(const Observation& o, const StoredRevision& revision) {
  const TimePoint by_rule = renewal_by_rule(o, *revision.chain);
  return std::min(by_rule, suggested_renewal(o, revision).value_or(by_rule));
}

std::string renews_at(TimePoint renewal) { return "renews " + format_rfc3339(renewal).substr(0, 10); }

std::optional<TimePoint> suggested_renewal(const Observation& o, const StoredRevision& revision) {
  const auto& info = o.object.status.renewal_info;
  if (!info || info->revision != revision.number || ari_is_off(o)) return std::nullopt;
  return info->time;
}

bool ari_is_off(const Observation& o) {
  return is_sourced(o) || (o.issuer && !o.issuer->broken && !o.issuer->spec.use_ari.value_or(true));
}

const StoredRevision* last_of_issuer(const Observation& o) {
  const StoredRevision* last = nullptr;
  if (ari_is_off(o) || !o.issuer || o.issuer->broken) return last;
  for (const auto& [number, revision] : o.revisions) {
    const bool named = revision.chain && !revision.chain->authority_key_id.empty();
    if (named && revision.server == o.issuer->spec.server) last = &revision;
  }
  return last;
}

const api::AcmeIssuer* issuer_of(const Observation& o, const StoredRevision& revision) {
  for (const auto* issuer : {o.issuer.get(), o.other_issuer.get()}) {
    if (issuer != nullptr && !issuer->broken && !revision.server.empty() && issuer->spec.server == revision.server)
      return issuer;
  }
  return nullptr;
}

ports::CertificateId id_of(const ports::ChainFacts& chain) { return {chain.authority_key_id, chain.serial_number}; }

std::optional<ports::CertificateId> replaced_by_order(const Observation& o) {
  const StoredRevision* last = last_of_issuer(o);
  const auto& order = o.object.status.order;
  if (last == nullptr || (order && order->replaces_refused)) return std::nullopt;
  const auto names = wanted_identifiers(o.object.spec);
  const auto is_shared = [&](const auto& name) { return names.contains(name); };
  const bool shares_name = std::ranges::any_of(last->chain->dns_names, is_shared) ||
                           std::ranges::any_of(last->chain->ip_addresses, is_shared);
  return shares_name ? std::optional(id_of(*last->chain)) : std::nullopt;
}

std::optional<TimePoint> urgent_from(const Observation& o) {
  const auto from = [&](const ports::ChainFacts& chain) {
    return urgent_time(chain.not_before, chain.not_after, rotation_of(o).urgent_before);
  };
  // What is revoked may be refused by whoever looks: it is as good as expired.
  if (const StoredRevision* serving = active(o); serving != nullptr && is_revoked(o, serving->number))
    return TimePoint{};
  if (o.look && o.look->served) return from(*o.look->served);
  if (const StoredRevision* serving = active(o)) return from(*serving->chain);
  return std::nullopt;
}

bool is_urgent(const Observation& o) {
  const auto from = urgent_from(o);
  return from && o.now >= *from;
}

bool need_not_wait_for(const Observation& o, api::MayBreak what) {
  const auto may_break = rotation_of(o).urgent_may_break;
  return std::ranges::find(may_break, what) != may_break.end() && is_urgent(o);
}

std::optional<TimePoint> foreign_renewal(const Observation& o) {
  if (!o.look || !o.look->served) return std::nullopt;
  return renewal_by_rule(o, *o.look->served);
}

bool is_revoked(const Observation& o, int revision) {
  return std::ranges::any_of(o.object.status.history, [&](const api::HistoryEntry& entry) {
    return entry.revision == revision && !entry.revoked.empty();
  });
}

bool is_to_be_revoked(const Observation& o, int revision) {
  const auto& revocation = o.object.status.revocation;
  return revocation && std::ranges::count(revocation->revisions, revision) > 0;
}

std::optional<std::string> due(const Observation& o) {
  if (is_requested(o, api::kRenewRequestedAt)) return "asked for by annotation";
  if (serves_foreign(o)) return "the Edge serves a certificate that is not ours";
  const StoredRevision* serving = active(o);
  if (serving == nullptr) return "the Edge has no certificate of ours";
  if (is_rejected(o, serving->number)) return "the Edge is not well with the certificate that it serves";
  if (is_revoked(o, serving->number)) return "the certificate that the Edge serves was revoked";
  if (is_to_be_revoked(o, serving->number)) return "the certificate that the Edge serves is to be revoked";
  if (!fits_spec(o, *serving)) return "names or key in the spec changed";
  if (!serving->has_key) return "the key of the served certificate is lost";
  if (o.now >= renewal_by_rule(o, *serving->chain)) return "renewal is due";
  if (o.now >= renewal_of(o, *serving)) return "the CA asks for an early renewal";
  if (o.policy && o.edge) return wanted_early(o.object, *o.edge, *o.policy, o.fleet.members, o.now);
  return std::nullopt;
}

bool is_too_far_ahead(const Observation& o, TimePoint at) {
  return at > o.now + std::max<api::Duration>(kLongestOrderBackoff, rotation_of(o).retry_backoff) + 1h;
}

}  // namespace edgetrust::decide::certificate
