#include "edgetrust/decide/pins/intermediary.hpp"

#include <algorithm>

namespace edgetrust::decide::pins {

std::vector<IntermediaryCa> trusted_at(const std::vector<IntermediaryCa>& all, TimePoint now) {
  std::vector<IntermediaryCa> trusted;
  std::ranges::copy_if(all, std::back_inserter(trusted), [&](const IntermediaryCa& ca) { return now < ca.until; });
  return trusted;
}

std::optional<TimePoint> next_end(const std::vector<IntermediaryCa>& trusted) {
  const auto first = std::ranges::min_element(trusted, {}, &IntermediaryCa::until);
  return first == trusted.end() ? std::nullopt : std::optional(first->until);
}

std::vector<ports::CaCertificate> anchors_of(const std::vector<IntermediaryCa>& trusted) {
  std::vector<ports::CaCertificate> anchors;
  anchors.reserve(trusted.size());
  for (const auto& ca : trusted) anchors.push_back({.pem = ca.pem, .sha256 = ca.link.certificate});
  return anchors;
}

std::vector<Pin> with_intermediaries(std::vector<Pin> pins, const std::vector<IntermediaryCa>& trusted) {
  for (const auto& ca : trusted) {
    const Pin pin{api::PinType::kPublicKey, ca.link.public_key};
    if (std::ranges::find(pins, pin) == pins.end()) pins.push_back(pin);
  }
  return pins;
}

const IntermediaryCa* intermediary_of(const Sight& sight, const std::vector<IntermediaryCa>& trusted) {
  if (!sight.valid()) return nullptr;
  const auto found = std::ranges::find(trusted, sight.chain.back(), &IntermediaryCa::link);
  return found == trusted.end() ? nullptr : &*found;
}

}  // namespace edgetrust::decide::pins
