#include "authority.hpp"

#include "chain.hpp"
#include "edgetrust/base/encoding.hpp"

namespace edgetrust::sim {

Authority::Authority() : root_("Simulated cloud root") {}

Identity Authority::issue(const Identity* same_key) const {
  support::TestLeafSpec spec;
  spec.common_name = "localhost";
  spec.dns = {"localhost"};
  spec.ips = {"127.0.0.1"};
  spec.key = support::TestKey::kRsa2048;
  if (same_key != nullptr) spec.key_pem = same_key->key_pem;
  support::TestCertificate made = root_.issue(spec);
  if (same_key != nullptr) made.key_pem = same_key->key_pem;
  const std::string fingerprint = read_leaf(made.chain_pem).value_or(LeafFacts{}).fingerprint;
  return {made.chain_pem, made.key_pem, to_colon_hex(from_hex(fingerprint).value_or(""))};
}

support::TestCertificate Authority::factory(const std::string& host) {
  support::TestLeafSpec spec;
  spec.common_name = "factory default";
  spec.dns = {host};
  return support::self_signed(spec);
}

Identity CloudIdentity::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::optional<Identity> CloudIdentity::next() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

void CloudIdentity::announce(bool same_key) {
  const std::lock_guard lock(mutex_);
  next_ = authority_.issue(same_key ? &current_ : nullptr);
}

void CloudIdentity::rotate(bool same_key) {
  const std::lock_guard lock(mutex_);
  current_ = next_ ? *next_ : authority_.issue(same_key ? &current_ : nullptr);
  next_.reset();
}

}  // namespace edgetrust::sim
