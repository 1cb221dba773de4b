#include "authority.hpp"

#include "chain.hpp"
#include "edgetrust/base/encoding.hpp"

namespace edgetrust::sim {

Authority::Authority() : root_("Simulated cloud root") {}

Identity Authority::issue(support::TestKey kind) const {
  support::TestLeafSpec spec;
  spec.key = kind;
  return issue(std::move(spec));
}

Identity Authority::issue_again(const Identity& other) const {
  support::TestLeafSpec spec;
  spec.key_pem = other.key_pem;
  Identity made = issue(std::move(spec));
  made.key_pem = other.key_pem;
  return made;
}

Identity Authority::issue(support::TestLeafSpec spec) const {
  spec.common_name = "localhost";
  spec.dns = {"localhost"};
  spec.ips = {"127.0.0.1"};
  const support::TestCertificate made = root_.issue(spec);
  const std::string fingerprint = read_leaf(made.chain_pem).value_or(LeafFacts{}).fingerprint;
  return {made.chain_pem, made.key_pem, to_colon_hex(from_hex(fingerprint).value_or(""))};
}

support::TestCertificate Authority::factory(const std::string& host) {
  support::TestLeafSpec spec;
  spec.common_name = "factory default";
  spec.dns = {host};
  return support::self_signed(spec);
}

Identity CloudIdentity::fresh(bool same_key) const {
  return same_key ? authority_.issue_again(current_) : authority_.issue(support::TestKey::kRsa2048);
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
  next_ = fresh(same_key);
}

void CloudIdentity::rotate(bool same_key) {
  const std::lock_guard lock(mutex_);
  current_ = next_ ? *next_ : fresh(same_key);
  next_.reset();
}

}  // namespace edgetrust::sim
