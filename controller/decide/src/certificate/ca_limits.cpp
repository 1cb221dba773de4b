#include "certificate/ca_limits.hpp"

#include "certificate/questions.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate {
namespace {

std::set<std::string> in_lower_case(const auto& names) {
  std::set<std::string> all;
  for (const auto& name : names) all.insert(lower(name));
  return all;
}

// The CA takes part in renewals (RFC 9773), as far as it has told: one that does not is told of no replacement.
bool is_known_to_offer_renewal_info(const Observation& o) {
  const auto is_of_this_ca = [&](int revision) {
    const StoredRevision* kept = stored(o, revision);
    return kept != nullptr && kept->server == o.issuer->spec.server;
  };
  const auto& written = o.object.status.renewal_info;
  if (written && is_of_this_ca(written->revision)) return true;
  return o.renewal_info && o.renewal_info->info && is_of_this_ca(o.renewal_info->revision);
}

// This CA has issued for the same names before.
bool was_issued_before(const Observation& o, const std::set<std::string>& names) {
  return std::ranges::any_of(o.revisions, [&](const auto& entry) {
    const StoredRevision& revision = entry.second;
    return revision.has_bundle() && revision.server == o.issuer->spec.server &&
           in_lower_case(revision.asked_for) == names;
  });
}

OrderKind kind_of(const Observation& o, const std::set<std::string>& names) {
  if (replaced_by_order(o) && is_known_to_offer_renewal_info(o)) return OrderKind::kReplacement;
  return was_issued_before(o, names) ? OrderKind::kRenewal : OrderKind::kNew;
}

// What it serves expires then; what serves nothing of ours comes before all others.
TimePoint end_of(const api::EdgeCertificate& certificate) {
  return certificate.status.not_after.value_or(TimePoint::min());
}

bool waits_for_limit(const api::EdgeCertificate& certificate) {
  if (certificate.broken || certificate.meta.deleting() || certificate.status.phase != api::Phase::kWaiting)
    return false;
  const std::string_view reason = api::reason_said(certificate.status.conditions);
  return reason == kOrdersLimit || reason == kDomainLimit || reason == kDuplicatesLimit || reason == kIssuerLimited;
}

// Which of the limits it meets, its Secrets would tell; its status does nearly as well.
OrderRecord order_of(const api::EdgeCertificate& certificate, const api::AcmeIssuerSpec& issuer) {
  const bool is_new = !certificate.status.not_after || api::reason_said(certificate.status.conditions) == kDomainLimit;
  return {.at = {},
          .kind = is_new ? OrderKind::kNew : OrderKind::kRenewal,
          .account = account_of(issuer),
          .holder = certificate.meta.uid,
          .names = ordered_names(certificate.spec)};
}

std::vector<OrderRecord> line_before(const Observation& o) {
  std::vector<std::pair<const api::EdgeCertificate*, const api::AcmeIssuer*>> line;
  const auto place = [](const api::EdgeCertificate& one) { return std::pair(end_of(one), one.meta.uid); };
  for (const Member& member : o.fleet.members) {
    const auto& other = *member.certificate;
    const bool same_server = member.issuer && member.issuer->spec.server == o.issuer->spec.server;
    if (member.stuck || !same_server || other.meta.uid == o.object.meta.uid || !waits_for_limit(other)) continue;
    if (place(other) < place(o.object)) line.emplace_back(&other, member.issuer.get());
  }
  std::ranges::sort(line, {}, [&](const auto& one) { return place(*one.first); });
  std::vector<OrderRecord> orders;
  orders.reserve(line.size());
  for (const auto& [certificate, issuer] : line) orders.push_back(order_of(*certificate, issuer->spec));
  return orders;
}

}  // namespace

OrderRecord order_of(const Observation& o, int revision) {
  const auto& order = o.object.status.order;
  const int failures = order && order->revision == revision ? order->failures.value_or(0) : 0;
  auto names = ordered_names(o.object.spec);
  const auto kind = kind_of(o, names);
  return {.at = std::chrono::floor<std::chrono::seconds>(o.now),
          .kind = kind,
          .account = account_of(o.issuer->spec),
          .holder = o.object.meta.uid + "/" + std::to_string(revision) + "/" + std::to_string(failures),
          .names = std::move(names)};
}

std::optional<OrderWait> wait_for_ca(const Observation& o) {
  if (!o.issuer || o.issuer->broken) return std::nullopt;
  const std::string issuer = "AcmeIssuer " + o.issuer->meta.name;
  if (const auto until = limited_until(*o.issuer, o.now)) {
    return OrderWait{kIssuerLimited,
                     "the CA of " + issuer + " wants no orders: " + o.issuer->status.last_refusal->message, *until};
  }
  const OrderLimits limits = limits_of(o.issuer->spec);
  if (!limits.any() || !o.orders) return std::nullopt;
  const auto& order = o.object.status.order;
  const OrderRecord mine = order_of(o, order ? order->revision : next_revision(o));
  auto wait = wait_for_order(*o.orders, mine, limits, line_before(o), o.now);
  if (wait) wait->message = issuer + ": " + wait->message;
  return wait;
}

}  // namespace edgetrust::decide::certificate
