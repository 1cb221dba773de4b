// Meaning of a PinPolicy's spec that lives in code.
#include "edgetrust/api/pin_policy.hpp"

#include <algorithm>

namespace edgetrust::api {

bool PinRotation::follows(PinSource source) const {
  return sources.empty() || std::ranges::find(sources, source) != sources.end();
}

bool selects(const PinPolicySpec& policy, const ObjectMeta& edge) {
  if (std::ranges::find(policy.edges, edge.name) != policy.edges.end()) return true;
  return policy.edge_selector && fits(*policy.edge_selector, edge.labels);
}

std::string_view server_name(const PinEndpoint& endpoint) {
  return endpoint.server_name.empty() ? endpoint.host : endpoint.server_name;
}

std::vector<std::string> cipher_suites(const PinTls& tls) {
  if (!tls.cipher_suites.empty()) return tls.cipher_suites;
  return {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"};
}

bool names_secret(const PinPolicy& policy, std::string_view secret_name) {
  const auto names = [&](const CaBundleRef& ref) { return ref.kind == BundleKind::kSecret && ref.name == secret_name; };
  const auto& roots = policy.spec.endpoint.ca_bundle_ref;
  return (roots && names(*roots)) ||
         std::ranges::any_of(policy.spec.trusted_intermediaries, names, &TrustedIntermediary::ca_ref);
}

}  // namespace edgetrust::api
