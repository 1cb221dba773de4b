// Sorting: which certificate issued which.
#include "edgetrust/crypto/chain.hpp"

#include "openssl.hpp"

#include <algorithm>

namespace edgetrust::crypto {
namespace {

std::vector<Certificate> without_duplicates(const std::vector<Certificate>& given) {
  std::vector<Certificate> unique;
  for (const auto& one : given) {
    if (std::find(unique.begin(), unique.end(), one) == unique.end()) unique.push_back(one);
  }
  return unique;
}

Result<Certificate> leaf_of(const std::vector<Certificate>& given) {
  std::vector<Certificate> leaves;
  std::copy_if(given.begin(), given.end(), std::back_inserter(leaves), [](const auto& c) { return !c.facts().is_ca; });
  if (leaves.empty()) return fail(ErrorKind::kInvalid, "the chain holds no end-entity certificate, only CAs");
  if (leaves.size() > 1) {
    return fail(ErrorKind::kInvalid, "the chain holds two end-entity certificates: \"" + leaves[0].name() +
                                         "\" and \"" + leaves[1].name() + "\"");
  }
  return leaves.front();
}

bool under_root(const Certificate& one, std::span<const TrustStore* const> roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const auto* store) { return !store->issuers_of(one).empty(); });
}

bool same_authority(const Certificate& a, const Certificate& b) {
  return a.facts().spki_sha256 == b.facts().spki_sha256 &&
         X509_NAME_cmp(X509_get_subject_name(a.handle()), X509_get_subject_name(b.handle())) == 0;
}

// The CAs among what was given, and what is known of each. At most kMaxChainLength, so everything may be compared with
// everything.
class Authorities {
 public:
  Authorities(const std::vector<Certificate>& given, std::span<const TrustStore* const> roots) {
    std::copy_if(given.begin(), given.end(), std::back_inserter(all_), [](const auto& c) { return c.facts().is_ca; });
    for (const auto& one : all_) reaches_.push_back(under_root(one, roots));
    // A CA reaches a known root when one of its issuers does; once per link of the longest chain is enough.
    for (std::size_t round = 0; round < all_.size(); ++round) {
      for (std::size_t i = 0; i < all_.size(); ++i) reaches_[i] = reaches_[i] || issuer_reaches(i);
    }
  }

  // The best issuer that is neither self-signed nor in `used`.
  [[nodiscard]] std::optional<Certificate> intermediate_above(const Certificate& certificate,
                                                              const std::vector<Certificate>& used) const {
    std::optional<Certificate> found;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const bool candidate = !all_[i].facts().self_signed &&
                             std::find(used.begin(), used.end(), all_[i]) == used.end() &&
                             issued_by(certificate, all_[i]);
      if (candidate && reaches_[i]) return all_[i];
      if (candidate && !found) found = all_[i];
    }
    return found;
  }
  [[nodiscard]] std::optional<Certificate> root_above(const Certificate& certificate) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& one) {
      return one.facts().self_signed && issued_by(certificate, one);
    });
    return found == all_.end() ? std::nullopt : std::optional(*found);
  }
  [[nodiscard]] const std::vector<Certificate>& all() const { return all_; }

 private:
  [[nodiscard]] bool issuer_reaches(std::size_t i) const {
    for (std::size_t j = 0; j < all_.size(); ++j) {
      if (reaches_[j] && j != i && issued_by(all_[i], all_[j])) return true;
    }
    return false;
  }

  std::vector<Certificate> all_;
  std::vector<bool> reaches_;
};

}  // namespace

bool issued_by(const Certificate& certificate, const Certificate& issuer) {
  const ErrorScope errors;
  return X509_check_issued(issuer.handle(), certificate.handle()) == X509_V_OK &&
         X509_verify(certificate.handle(), X509_get0_pubkey(issuer.handle())) == 1;
}

Result<Arranged> arrange(const std::vector<Certificate>& given, std::span<const TrustStore* const> roots) {
  const std::vector<Certificate> unique = without_duplicates(given);
  EDGETRUST_TRY_ASSIGN(const Certificate leaf, leaf_of(unique));
  const Authorities authorities(unique, roots);
  Arranged arranged;
  arranged.chain.push_back(leaf);
  while (const auto issuer = authorities.intermediate_above(arranged.chain.back(), arranged.chain)) {
    arranged.chain.push_back(*issuer);
  }
  arranged.root = authorities.root_above(arranged.chain.back());
  for (const auto& one : authorities.all()) {
    const auto same = [&](const Certificate& part) { return same_authority(one, part); };
    const bool part =
        std::any_of(arranged.chain.begin(), arranged.chain.end(), same) || (arranged.root && same(*arranged.root));
    if (!part) arranged.left_over.push_back(one);
  }
  return arranged;
}

Status reaches_root(const std::vector<Certificate>& chain, std::span<const TrustStore* const> roots) {
  if (chain.empty()) return fail(ErrorKind::kInvalid, "the chain holds no certificate");
  if (std::any_of(chain.begin(), chain.end(), [&](const auto& one) { return under_root(one, roots); })) return {};
  const Certificate& last = chain.back();
  if (last.facts().self_signed) {
    return fail(ErrorKind::kInvalid, "\"" + last.name() + "\" is signed by itself and is no known root");
  }
  return fail(ErrorKind::kInvalid, "the chain is incomplete: \"" + last.facts().issuer + "\", the issuer of \"" +
                                       last.name() + "\", is missing or no known root");
}

}  // namespace edgetrust::crypto
