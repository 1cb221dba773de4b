#include "chain.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/freed.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace edgetrust::sim {
namespace {

using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

constexpr std::size_t kMostCertificates = 10;
constexpr std::size_t kMostRoots = 500;

Memory reader(std::string_view text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::vector<Certificate> read_certificates(std::string_view pem, std::size_t most) {
  std::vector<Certificate> certificates;
  const Memory memory = reader(pem);
  while (certificates.size() <= most) {
    Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    certificates.push_back(std::move(certificate));
  }
  ERR_clear_error();
  return certificates;
}

int no_passphrase(char* /*buffer*/, int /*size*/, int /*write*/, void* /*data*/) { return -1; }

std::string text_of(const X509_NAME* name) {
  const Memory memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

TimePoint time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  const auto day = std::chrono::year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday;
  return std::chrono::sys_days{day} + std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min} +
         std::chrono::seconds{parts.tm_sec};
}

bool issued_by(X509* certificate, X509* issuer) {
  const bool good =
      X509_check_issued(issuer, certificate) == X509_V_OK && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return good;
}

LeafFacts facts_of(X509* leaf) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(leaf, EVP_sha256(), digest.data(), &size);
  return {.fingerprint = to_hex({reinterpret_cast<const char*>(digest.data()), size}),
          .subject = text_of(X509_get_subject_name(leaf)),
          .issuer = text_of(X509_get_issuer_name(leaf)),
          .not_before = time_of(X509_get0_notBefore(leaf)),
          .not_after = time_of(X509_get0_notAfter(leaf))};
}

bool names_something(X509* leaf) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  return names && sk_GENERAL_NAME_num(names.get()) > 0;
}

// The name of the certificate that is missing; empty when there is no gap.
std::string gap_in(const std::vector<Certificate>& chain, const std::string& trust_pem) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (!issued_by(chain[i].get(), chain[i + 1].get())) return text_of(X509_get_issuer_name(chain[i].get()));
  }
  X509* leaf = chain.front().get();
  if (chain.size() > 1 || issued_by(leaf, leaf)) return {};
  for (const Certificate& root : read_certificates(trust_pem, kMostRoots)) {
    if (issued_by(leaf, root.get())) return {};  // straight under a private root
  }
  return text_of(X509_get_issuer_name(leaf));
}

bool key_fits(X509* leaf, const Secret& key_pem) {
  const Memory memory = reader(key_pem.expose());
  const Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr));
  const bool fits = key && X509_check_private_key(leaf, key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace

Result<std::vector<ChainEntry>> read_chain(const std::string& chain_pem) {
  const auto chain = read_certificates(chain_pem, kMostCertificates);
  if (chain.empty() || chain.size() > kMostCertificates) {
    return fail(ErrorKind::kInvalid, "not 1 to 10 certificates in PEM");
  }
  std::vector<ChainEntry> entries;
  for (const Certificate& one : chain) {
    const bool vouched_for =
        std::ranges::any_of(chain, [&](const Certificate& other) { return issued_by(one.get(), other.get()); });
    entries.push_back({facts_of(one.get()), vouched_for});
  }
  return entries;
}

Result<LeafFacts> read_leaf(const std::string& chain_pem) {
  return read_chain(chain_pem).map([](std::vector<ChainEntry> chain) { return std::move(chain.front().facts); });
}

std::optional<Complaint> complaint_about(const std::string& chain_pem, const Secret& key_pem,
                                         const std::string& trust_pem, TimePoint now) {
  const auto chain = read_certificates(chain_pem, kMostCertificates);
  if (chain.empty() || chain.size() > kMostCertificates) {
    return Complaint{"certificate.unreadable", "certificate", "The certificate is not 1 to 10 certificates in PEM"};
  }
  X509* leaf = chain.front().get();
  if (!key_fits(leaf, key_pem)) {
    return Complaint{"certificate.key.mismatch", "privateKey", "The private key does not belong to the certificate"};
  }
  if (const std::string missing = gap_in(chain, trust_pem); !missing.empty()) {
    return Complaint{"certificate.chain.broken", "certificate",
                     "Broken Chain: the certificate of " + missing + " is missing"};
  }
  const LeafFacts facts = facts_of(leaf);
  if (now < facts.not_before || now >= facts.not_after) {
    return Complaint{"certificate.not.valid.now", "certificate", "The certificate has expired or is not valid yet"};
  }
  if (!names_something(leaf)) {
    return Complaint{"certificate.names.missing", "certificate", "The certificate has no subject alternative name"};
  }
  return std::nullopt;
}

}  // namespace edgetrust::sim
