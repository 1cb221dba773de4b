// A chain as a client of the endpoint sees it.
#include "edgetrust/crypto/chain.hpp"
#include "edgetrust/pki/pki.hpp"
#include "given_roots.hpp"

#include <array>

namespace edgetrust::pki {
namespace {

using crypto::Certificate;

ports::SeenCertificate seen(const Certificate& certificate) {
  const crypto::CertificateFacts& facts = certificate.facts();
  return {.subject = certificate.name(),
          .issuer = facts.issuer,
          .not_before = facts.not_before,
          .not_after = facts.not_after,
          .certificate_sha256 = facts.fingerprint_sha256,
          .public_key_sha256 = facts.spki_sha256,
          .pem = certificate.to_pem()};
}
std::vector<ports::SeenCertificate> seen(const std::vector<Certificate>& chain) {
  std::vector<ports::SeenCertificate> all;
  all.reserve(chain.size());
  for (const auto& certificate : chain) all.push_back(seen(certificate));
  return all;
}

class OpensslChainViewer final : public ports::ChainViewer {
 public:
  explicit OpensslChainViewer(std::shared_ptr<crypto::PublicRoots> public_roots)
      : public_roots_(std::move(public_roots)) {}

  Result<ports::ChainView> view(const std::string& chain_pem, const ports::ViewRequirements& wanted) override {
    EDGETRUST_TRY_ASSIGN(const auto given, crypto::parse_chain(chain_pem));
    EDGETRUST_TRY_ASSIGN(const auto roots, roots_of(wanted));
    ports::ChainView view{.presented = seen(given), .leaf_pem = given.front().to_pem()};
    const auto validated = validate(given, *roots, wanted);
    if (validated)
      view.validated = seen(*validated);
    else
      view.problem = validated.error().message();
    return view;
  }

 private:
  Result<std::shared_ptr<const crypto::TrustStore>> roots_of(const ports::ViewRequirements& wanted) {
    if (wanted.roots_pem.empty()) return public_roots_->get();
    EDGETRUST_TRY_ASSIGN(auto own, given_roots(wanted.roots_pem));
    return std::make_shared<const crypto::TrustStore>(std::move(own));
  }

  // Whatever order its issuers come in; the leaf is the first, and no other.
  static Result<std::vector<Certificate>> validate(const std::vector<Certificate>& given,
                                                   const crypto::TrustStore& roots,
                                                   const ports::ViewRequirements& wanted) {
    const std::array<const crypto::TrustStore*, 1> stores{&roots};
    EDGETRUST_TRY_ASSIGN(const crypto::Arranged arranged, crypto::arrange(given, stores));
    if (arranged.chain.front() != given.front())
      return fail(ErrorKind::kInvalid, "the first certificate is not the endpoint's own");
    if (!given.front().covers(wanted.server_name))
      return fail(ErrorKind::kInvalid, "the certificate does not cover \"" + wanted.server_name + "\"");
    return crypto::validated_chain(arranged.chain, stores, {.at = wanted.at});
  }

  const std::shared_ptr<crypto::PublicRoots> public_roots_;
};

}  // namespace

std::unique_ptr<ports::ChainViewer> make_chain_viewer(std::shared_ptr<crypto::PublicRoots> public_roots) {
  return std::make_unique<OpensslChainViewer>(std::move(public_roots));
}

}  // namespace edgetrust::pki
