// Defaults that live in code: the contract forbids schema defaults in what is inherited, and names derived from other
// names.
#include "edgetrust/api/acme_issuer.hpp"
#include "edgetrust/api/edge.hpp"
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <iterator>

namespace edgetrust::api {
namespace {

using namespace std::chrono_literals;

// The member of the object's own part, else of the policy's, else the default.
template <class Part, class Member, class Default>
auto inherited(const std::optional<Part>& own, const std::optional<Part>& policy, std::optional<Member> Part::*member,
               Default otherwise) {
  if (own && (*own).*member) return *((*own).*member);
  if (policy && (*policy).*member) return *((*policy).*member);
  return static_cast<Member>(otherwise);
}

template <class Part, class Member, class Default>
Member given(const std::optional<Part>& policy, std::optional<Member> Part::*member, Default otherwise) {
  return inherited(std::optional<Part>{}, policy, member, otherwise);
}

// How well a solver's selector fits: names beat zones, longer zones beat shorter ones, no selector is the last resort,
// -1 is no fit.
int fit(const Solver& solver, std::string_view name) {
  constexpr int kByName = 1000;
  if (!solver.selector || (solver.selector->dns_names.empty() && solver.selector->dns_zones.empty())) return 0;
  if (std::ranges::find(solver.selector->dns_names, name, canonical_identifier) != solver.selector->dns_names.end())
    return kByName;
  if (name.starts_with("*.")) name.remove_prefix(2);
  int best = -1;
  for (const auto& zone : solver.selector->dns_zones) {
    const bool inside = name == zone || (name.size() > zone.size() && name.ends_with(zone) &&
                                         name[name.size() - zone.size() - 1] == '.');
    if (inside) best = std::max(best, static_cast<int>(zone.size()));
  }
  return best;
}

// Of two that fit alike the first.
template <class CanProve>
const Solver* best_solver(const AcmeIssuerSpec& issuer, std::string_view name, CanProve can_prove) {
  const Solver* best = nullptr;
  int best_fit = -1;
  const std::string wanted = canonical_identifier(name);
  for (const Solver& solver : issuer.solvers) {
    const int f = can_prove(solver) ? fit(solver, wanted) : -1;
    if (f > best_fit) {
      best = &solver;
      best_fit = f;
    }
  }
  return best;
}

}  // namespace

EffectiveRotation effective_rotation(const RotationOverrides& own, const RotationPolicySpec* policy) {
  static const RotationPolicySpec kNone;
  const RotationPolicySpec& base = policy != nullptr ? *policy : kNone;
  EffectiveRotation result{
      .windows = !own.windows.empty() ? own.windows : base.windows,
      .urgent_before = given(base.urgent, &Urgent::before, 72h),
      .urgent_may_break = given(base.urgent, &Urgent::may_break, std::vector{MayBreak::kWindow}),
      .freezes = base.freezes,
      .approval_required = given(base.approval, &Approval::required, false),
      .approval_valid_for = given(base.approval, &Approval::valid_for, 168h),
      .max_concurrent = given(base.budget, &Budget::max_concurrent, 1),
      .max_concurrent_per_site = given(base.budget, &Budget::max_concurrent_per_site, 1),
      .halt_after_rollbacks = given(base.budget, &Budget::halt_after_rollbacks, 2),
      .spread = given(base.budget, &Budget::spread, 672h),
      .software_update = base.software_update.value_or(SoftwareUpdateRule::kWait),
      .drain_timeout = {},
      .settle = inherited(own.observe, base.observe, &Observe::settle, 90s),
      .period = inherited(own.observe, base.observe, &Observe::period, 10min),
      .interval = inherited(own.observe, base.observe, &Observe::interval, 15s),
      .fail_after = inherited(own.observe, base.observe, &Observe::fail_after, 2),
      .on_site_wide_failure =
          inherited(own.observe, base.observe, &Observe::on_site_wide_failure, SiteWideFailure::kHold),
      .retry = inherited(own.retry, base.retry, &RetryRule::policy, RetryPolicy::kNextWindow),
      .retry_backoff = inherited(own.retry, base.retry, &RetryRule::backoff, 24h),
      .max_attempts = inherited(own.retry, base.retry, &RetryRule::max_attempts, 2),
  };
  if (inherited(own.drain, base.drain, &Drain::policy, DrainPolicy::kNone) == DrainPolicy::kDrain)
    result.drain_timeout = inherited(own.drain, base.drain, &Drain::timeout, 30min);
  if (result.windows.empty()) result.windows.push_back(Window{.start = "02:00", .duration = 2h, .days = {}});
  return result;
}

std::string canonical_identifier(std::string_view identifier) {
  std::string address = canonical_address(identifier);
  return address.empty() ? lower(identifier) : address;
}

const Solver* solver_for(const AcmeIssuerSpec& issuer, std::string_view identifier) {
  const bool is_address = !canonical_address(identifier).empty();
  const bool is_wildcard = identifier.starts_with("*.");
  return best_solver(issuer, identifier,
                     [=](const Solver& solver) { return solver.http01 ? !is_wildcard : !is_address; });
}
const Solver* dns_solver_for(const AcmeIssuerSpec& issuer, std::string_view dns_name) {
  return best_solver(issuer, dns_name, [](const Solver& solver) { return !solver.http01; });
}

std::string serving_secret_name(const EdgeCertificate& certificate) {
  return certificate.spec.secret_name.empty() ? certificate.meta.name + "-tls" : certificate.spec.secret_name;
}
bool uses_fallback(const EdgeCertificate& certificate) {
  const auto& [spec, order] = std::tie(certificate.spec, certificate.status.order);
  return spec.fallback && spec.issuer_ref && order && order->issuer == spec.fallback->issuer_ref.name &&
         order->issuer != spec.issuer_ref->name;
}
std::string issuer_in_use(const EdgeCertificate& certificate) {
  if (!certificate.spec.issuer_ref) return {};
  return uses_fallback(certificate) ? certificate.spec.fallback->issuer_ref.name : certificate.spec.issuer_ref->name;
}
std::set<std::string> wanted_identifiers(const EdgeCertificateSpec& spec) {
  std::set<std::string> wanted;
  for (const auto* names : {&spec.dns_names, &spec.ip_addresses})
    std::ranges::transform(*names, std::inserter(wanted, wanted.end()), canonical_identifier);
  return wanted;
}
std::string key_authorization(std::string_view token, std::string_view thumbprint) {
  return std::string(token) + "." + std::string(thumbprint);
}
std::string key_secret_name(const std::string& certificate_name, int revision) {
  return bundle_secret_name(certificate_name, revision) + "-key";
}
std::string bundle_secret_name(const std::string& certificate_name, int revision) {
  return certificate_name + "-r" + std::to_string(revision);
}
std::string name_dialled(const Edge& edge, const Peer& peer) {
  if (!peer.server_name.empty()) return lower(peer.server_name);
  const std::string& host = edge.spec.sip.host;
  const bool is_address =
      host.find_first_not_of("0123456789.") == std::string::npos || host.find(':') != std::string::npos;
  return is_address ? std::string{} : lower(host);
}
bool names_secret(const Edge& edge, std::string_view secret_name) {
  return std::ranges::any_of(edge.spec.sip.peers, [&](const Peer& peer) {
    return peer.trust_bundle_ref.kind == BundleKind::kSecret && peer.trust_bundle_ref.name == secret_name;
  });
}
bool fits(const LabelSelector& selector, const std::map<std::string, std::string>& labels) {
  return std::ranges::all_of(selector.match_labels, [&](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  });
}
std::string_view site_of(const Edge& edge) { return edge.spec.site.empty() ? edge.status.site : edge.spec.site; }
bool names_secret(const EdgeCertificate& certificate, std::string_view secret_name) {
  const auto& adoption = certificate.spec.adoption;
  return secret_name == serving_secret_name(certificate) || secret_name.starts_with(certificate.meta.name + "-r") ||
         (adoption && adoption->import_from && adoption->import_from->name == secret_name) ||
         (certificate.spec.source_secret_ref && certificate.spec.source_secret_ref->name == secret_name);
}

std::string binding_secret_name(const std::string& issuer_name) { return issuer_name + "-zerossl-eab"; }
std::string next_account_key(const AccountKeyRef& ref) { return ref.key + ".next"; }

}  // namespace edgetrust::api
