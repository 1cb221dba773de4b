#include "pins/intermediaries.hpp"

namespace edgetrust::reconcile {

using decide::pins::IntermediaryCa;

Result<std::vector<IntermediaryCa>> read_intermediaries(const World& world, ports::ChainViewer& viewer,
                                                        const api::PinPolicy& policy, TimePoint now,
                                                        std::stop_token stop) {
  std::vector<IntermediaryCa> all;
  for (const auto& intermediary : policy.spec.trusted_intermediaries) {
    if (intermediary.until <= now) continue;
    const auto view = [&]() -> Result<ports::ChainView> {
      EDGETRUST_TRY_ASSIGN(const std::string bundle,
                           world.secrets.read_bundle(policy.meta.ns, intermediary.ca_ref, stop));
      return viewer.view(bundle, {.server_name = {}, .at = now, .roots_pem = bundle});
    }();
    if (!view) return fail(within("trustedIntermediaries " + intermediary.name, view.error()));
    for (const auto& ca : view->presented)
      all.push_back({.name = intermediary.name,
                     .until = intermediary.until,
                     .pem = ca.pem,
                     .link = {ca.certificate_sha256, ca.public_key_sha256}});
  }
  return all;
}

}  // namespace edgetrust::reconcile
