// Trust anchors: Debian's bundle, parsed once and shared, and what a caller adds.
#include "tls_client.hpp"

#include <fstream>
#include <iterator>
#include <map>

#include <openssl/err.h>
#include <openssl/pem.h>

namespace edgetrust::http {
namespace {

using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

StorePtr new_store() {
  StorePtr store(X509_STORE_new());
  // What a caller names is trusted as it stands, also when it is an intermediate: a kubeconfig may hold one.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

void add(X509_STORE* store, const std::vector<CertificatePtr>& certificates) {
  for (const auto& certificate : certificates) X509_STORE_add_cert(store, certificate.get());
}

using Anchors = std::vector<CertificatePtr>;

Result<std::shared_ptr<const Anchors>> parse_bundle(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  if (!file) return fail(ErrorKind::kInvalid, "public roots: cannot read " + path);
  EDGETRUST_TRY_ASSIGN(auto certificates, read_certificates(pem, "public roots: " + path));
  return std::make_shared<const Anchors>(std::move(certificates));
}

// A bundle of 140 roots costs 20 ms to parse: all transports that use one file share it, as long as one of them lives.
Result<std::shared_ptr<const Anchors>> public_anchors(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const Anchors>> known;
  const std::lock_guard lock(mutex);
  auto& slot = known[path];
  if (auto anchors = slot.lock()) return anchors;
  EDGETRUST_TRY_ASSIGN(auto anchors, parse_bundle(path));
  slot = anchors;
  return anchors;
}

}  // namespace

Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem, const std::string& what) {
  const Memory in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificatePtr> certificates;
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const auto error = ERR_peek_last_error();
  ERR_clear_error();
  if (certificates.empty() || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return fail(ErrorKind::kInvalid, what + " holds no certificate, or one that cannot be read (PEM is expected)");
  }
  return certificates;
}

Result<std::shared_ptr<X509_STORE>> make_store(const TlsOptions& options) {
  StorePtr store = new_store();
  std::shared_ptr<const Anchors> shared;
  if (options.public_roots) {
    EDGETRUST_TRY_ASSIGN(shared, public_anchors(options.public_roots_file));
    add(store.get(), *shared);
  }
  if (!options.ca_pem.empty()) {
    EDGETRUST_TRY_ASSIGN(const auto own, read_certificates(options.ca_pem, "CA certificates: the text"));
    add(store.get(), own);
  }
  X509_STORE* raw = store.release();
  return std::shared_ptr<X509_STORE>(raw, [shared](X509_STORE* last) { X509_STORE_free(last); });
}

}  // namespace edgetrust::http
