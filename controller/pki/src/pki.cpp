#include "edgetrust/pki/pki.hpp"

#include "edgetrust/crypto/chain.hpp"
#include "edgetrust/crypto/csr.hpp"
#include "given_roots.hpp"

#include <array>

namespace edgetrust::pki {
namespace {

using crypto::Certificate;
using ports::ChainRequirements;
using ports::KeySpec;

crypto::KeyKind to_kind(const KeySpec& spec) {
  const bool rsa = spec.algorithm == ports::KeyAlgorithm::kRsa;
  return {.family = rsa ? crypto::KeyFamily::kRsa : crypto::KeyFamily::kEcdsa, .bits = spec.size};
}
KeySpec to_spec(const crypto::KeyKind& kind) {
  const bool rsa = kind.family == crypto::KeyFamily::kRsa;
  return {.algorithm = rsa ? ports::KeyAlgorithm::kRsa : ports::KeyAlgorithm::kEcdsa, .size = kind.bits};
}

// The roots that count for one question.
class Roots {
 public:
  Roots(crypto::TrustStore own, std::shared_ptr<const crypto::TrustStore> everyones)
      : own_(std::move(own)), everyones_(std::move(everyones)) {}
  [[nodiscard]] std::vector<const crypto::TrustStore*> stores() const {
    std::vector<const crypto::TrustStore*> list{&own_};
    if (everyones_) list.push_back(everyones_.get());
    return list;
  }

 private:
  crypto::TrustStore own_;
  std::shared_ptr<const crypto::TrustStore> everyones_;
};

// Below an unknown root: what can be told from the chain alone. See the README.
Status complete_by_structure(const crypto::Arranged& arranged) {
  const Certificate& last = arranged.chain.back();
  if (arranged.chain.size() > 1 && arranged.left_over.empty()) return {};
  std::string what =
      "the chain is incomplete: \"" + last.facts().issuer + "\", the issuer of \"" + last.name() + "\", is missing";
  if (arranged.chain.size() == 1) what += ", or is a root that is not among those given (the issuer's caBundleRef)";
  if (!arranged.left_over.empty()) what += ", and \"" + arranged.left_over.front().name() + "\" has no place in it";
  return fail(ErrorKind::kInvalid, what);
}

struct Complete {
  std::vector<Certificate> chain;
  bool to_known_root = true;
};

Result<Complete> complete(const std::vector<Certificate>& given, const Roots& roots, bool require_known_root) {
  EDGETRUST_TRY_ASSIGN(crypto::Arranged arranged, crypto::arrange(given, roots.stores()));
  const Status reaches = crypto::reaches_root(arranged.chain, roots.stores());
  if (!reaches && require_known_root) return fail(reaches.error());
  if (!reaches) EDGETRUST_TRY(complete_by_structure(arranged));
  return Complete{.chain = std::move(arranged.chain), .to_known_root = reaches.has_value()};
}

Status check_names(const Certificate& leaf, const ports::SubjectNames& names) {
  const auto check = [&](const std::string& name) -> Status {
    if (leaf.covers(name)) return {};
    return fail(ErrorKind::kInvalid, "the certificate does not cover \"" + name + "\"");
  };
  if (!names.common_name.empty()) EDGETRUST_TRY(check(names.common_name));
  for (const auto& name : names.dns_names) EDGETRUST_TRY(check(name));
  for (const auto& address : names.ip_addresses) EDGETRUST_TRY(check(address));
  return {};
}

// A name that nobody asked for would let whoever has the key speak for that too.
Status check_no_other_names(const Certificate& leaf, const std::set<std::string>& only) {
  if (only.empty()) return {};
  for (const auto* names : {&leaf.facts().dns_names, &leaf.facts().ip_addresses}) {
    for (const auto& name : *names) {
      if (!only.contains(name))
        return fail(ErrorKind::kInvalid, "the certificate is also for \"" + name + "\", which was not asked for");
    }
  }
  return {};
}

Status lacks_root(const Certificate& last) {
  return fail(ErrorKind::kInvalid,
              "among its roots is no \"" + last.facts().issuer + "\", the issuer of \"" + last.name() + "\"");
}

class OpensslPki final : public ports::Pki {
 public:
  explicit OpensslPki(std::shared_ptr<crypto::PublicRoots> public_roots) : public_roots_(std::move(public_roots)) {}

  Result<Secret> generate_key(const KeySpec& spec) override {
    EDGETRUST_TRY_ASSIGN(const auto key, crypto::PrivateKey::generate(to_kind(spec)));
    return key.to_pem();
  }
  Result<KeySpec> key_spec(const Secret& key_pem) override {
    EDGETRUST_TRY_ASSIGN(const auto key, crypto::PrivateKey::from_pem(key_pem));
    return to_spec(key.kind());
  }
  Result<std::string> public_key_sha256(const Secret& key_pem) override {
    EDGETRUST_TRY_ASSIGN(const auto key, crypto::PrivateKey::from_pem(key_pem));
    return key.spki_sha256();
  }
  Result<std::string> csr(const Secret& key_pem, const ports::SubjectNames& names) override {
    EDGETRUST_TRY_ASSIGN(const auto key, crypto::PrivateKey::from_pem(key_pem));
    return crypto::make_csr(key, {names.common_name, names.dns_names, names.ip_addresses});
  }
  Result<ports::ChainFacts> inspect(const std::string& chain_pem) override;
  Result<std::string> arrange(const std::string& chain_pem, const ChainRequirements& requirements) override;
  Status check(const std::string& chain_pem, const Secret& key_pem, const ChainRequirements& requirements) override;
  Status accepted_by(const ports::PeerRequirements& peer, const std::string& chain_pem) override;

 private:
  Result<Roots> roots_of(const ChainRequirements& requirements);
  const std::shared_ptr<crypto::PublicRoots> public_roots_;
};

Result<Roots> OpensslPki::roots_of(const ChainRequirements& requirements) {
  EDGETRUST_TRY_ASSIGN(crypto::TrustStore own, crypto::TrustStore::from_pem(requirements.roots_pem));
  if (!requirements.public_roots) return Roots(std::move(own), nullptr);
  EDGETRUST_TRY_ASSIGN(auto everyones, public_roots_->get());
  return Roots(std::move(own), std::move(everyones));
}

Result<ports::ChainFacts> OpensslPki::inspect(const std::string& chain_pem) {
  EDGETRUST_TRY_ASSIGN(const auto chain, crypto::parse_chain(chain_pem));
  const crypto::CertificateFacts& leaf = chain.front().facts();
  if (!leaf.key) return fail(ErrorKind::kInvalid, "the certificate's key is neither RSA nor ECDSA");
  std::vector<std::string> others;
  for (std::size_t i = 1; i < chain.size(); ++i) others.push_back(chain[i].facts().fingerprint_sha256);
  return ports::ChainFacts{.serial_number = leaf.serial_number,
                           .fingerprint_sha256 = leaf.fingerprint_sha256,
                           .public_key_sha256 = leaf.spki_sha256,
                           .authority_key_id = leaf.authority_key_id,
                           .issuer = leaf.issuer,
                           .root = chain.back().facts().issuer,
                           .not_before = leaf.not_before,
                           .not_after = leaf.not_after,
                           .dns_names = leaf.dns_names,
                           .ip_addresses = leaf.ip_addresses,
                           .server_auth = leaf.server_auth,
                           .client_auth = leaf.client_auth,
                           .key = to_spec(*leaf.key),
                           .certificates = static_cast<int>(chain.size()),
                           .others_sha256 = std::move(others)};
}

Result<std::string> OpensslPki::arrange(const std::string& chain_pem, const ChainRequirements& requirements) {
  EDGETRUST_TRY_ASSIGN(const auto given, crypto::parse_chain(chain_pem));
  EDGETRUST_TRY_ASSIGN(const Roots roots, roots_of(requirements));
  EDGETRUST_TRY_ASSIGN(const Complete arranged, complete(given, roots, requirements.require_known_root));
  return crypto::to_pem(arranged.chain);
}

Status OpensslPki::check(const std::string& chain_pem, const Secret& key_pem, const ChainRequirements& requirements) {
  EDGETRUST_TRY_ASSIGN(const auto key, crypto::PrivateKey::from_pem(key_pem));
  EDGETRUST_TRY_ASSIGN(const auto given, crypto::parse_chain(chain_pem));
  EDGETRUST_TRY_ASSIGN(const Roots roots, roots_of(requirements));
  EDGETRUST_TRY_ASSIGN(const Complete arranged, complete(given, roots, requirements.require_known_root));
  if (arranged.chain != given) {
    return fail(ErrorKind::kInvalid,
                "the chain is not as it must be sent: the leaf, then its issuers in order, no root");
  }
  const Certificate& leaf = given.front();
  if (leaf.facts().spki_sha256 != key.spki_sha256()) {
    return fail(ErrorKind::kInvalid, "the certificate is for another key");
  }
  if (leaf.facts().is_ca) return fail(ErrorKind::kInvalid, "the certificate is a CA's, and could issue others");
  EDGETRUST_TRY(check_names(leaf, requirements.names));
  EDGETRUST_TRY(check_no_other_names(leaf, requirements.only_names));
  const crypto::ChainUse use{
      .server_auth = requirements.server_auth, .client_auth = requirements.client_auth, .at = requirements.at};
  return arranged.to_known_root ? crypto::verify_to_root(given, roots.stores(), use)
                                : crypto::verify_to_last(given, use);
}

Status OpensslPki::accepted_by(const ports::PeerRequirements& peer, const std::string& chain_pem) {
  EDGETRUST_TRY_ASSIGN(const crypto::TrustStore roots, given_roots(peer.roots_pem));
  const std::array<const crypto::TrustStore*, 1> stores{&roots};
  EDGETRUST_TRY_ASSIGN(const auto given, crypto::parse_chain(chain_pem));
  EDGETRUST_TRY_ASSIGN(const crypto::Arranged arranged, crypto::arrange(given, stores));
  const auto& chain = arranged.chain;
  if (!crypto::reaches_root(chain, stores)) return lacks_root(chain.back());
  if (!peer.server_name.empty() && !chain.front().covers(peer.server_name))
    return fail(ErrorKind::kInvalid, "the certificate does not cover \"" + peer.server_name + "\"");
  return crypto::verify_to_root(chain, stores, {.server_auth = true, .client_auth = peer.client_auth, .at = peer.at});
}

}  // namespace

std::unique_ptr<ports::Pki> make_pki(std::shared_ptr<crypto::PublicRoots> public_roots) {
  return std::make_unique<OpensslPki>(std::move(public_roots));
}

}  // namespace edgetrust::pki
