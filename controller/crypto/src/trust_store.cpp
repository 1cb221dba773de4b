#include "edgetrust/crypto/trust_store.hpp"

#include "edgetrust/crypto/chain.hpp"
#include "openssl.hpp"
#include "pem.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace edgetrust::crypto {
namespace {

constexpr std::size_t kMaxBundle = std::size_t{1} << 20;
constexpr std::size_t kMaxRoots = 1000;

unsigned long key_of(const X509_NAME* name) { return X509_NAME_hash_ex(name, nullptr, nullptr, nullptr); }

}  // namespace

Result<TrustStore> TrustStore::from_pem(std::string_view pem) {
  const ErrorScope errors;
  if (pem.size() > kMaxBundle) {
    return fail(ErrorKind::kInvalid, "the bundle of roots is larger than " + std::to_string(kMaxBundle) + " octets");
  }
  EDGETRUST_TRY_ASSIGN(const PemText text, scan_pem(pem, kMaxRoots));
  TrustStore store;
  for (const auto& block : text.blocks) {
    if (block.label != "CERTIFICATE") {
      return fail(ErrorKind::kInvalid, "the bundle of roots holds a PEM block that is no certificate");
    }
    EDGETRUST_TRY_ASSIGN(const std::string der, decode_pem(block));
    EDGETRUST_TRY_ASSIGN(const Certificate certificate, Certificate::from_der(der));
    if (!certificate.facts().self_signed || store.contains(certificate)) continue;
    store.roots_.emplace(key_of(X509_get_subject_name(certificate.handle())), certificate);
  }
  return store;
}

bool TrustStore::contains(const Certificate& certificate) const {
  const auto [begin, end] = roots_.equal_range(key_of(X509_get_subject_name(certificate.handle())));
  return std::any_of(begin, end, [&](const auto& entry) { return entry.second == certificate; });
}

std::vector<Certificate> TrustStore::issuers_of(const Certificate& certificate) const {
  std::vector<Certificate> issuers;
  const auto [begin, end] = roots_.equal_range(key_of(X509_get_issuer_name(certificate.handle())));
  for (auto at = begin; at != end; ++at) {
    if (issued_by(certificate, at->second)) issuers.push_back(at->second);
  }
  return issuers;
}

Result<std::shared_ptr<const TrustStore>> PublicRoots::get() {
  const std::lock_guard lock(mutex_);
  if (store_) return store_;
  std::ifstream file(path_, std::ios::binary);
  if (!file) return fail(ErrorKind::kUnavailable, "the public roots cannot be read from " + path_);
  std::string pem(kMaxBundle + 1, '\0');
  file.read(pem.data(), static_cast<std::streamsize>(pem.size()));
  pem.resize(static_cast<std::size_t>(file.gcount()));
  EDGETRUST_TRY_ASSIGN(TrustStore store,
                       TrustStore::from_pem(pem).map_error([&](Error e) { return within(path_, std::move(e)); }));
  store_ = std::make_shared<const TrustStore>(std::move(store));
  return store_;
}

}  // namespace edgetrust::crypto
