#include "edgetrust/crypto/certificate.hpp"

#include "edgetrust/base/text.hpp"
#include "facts.hpp"
#include "openssl.hpp"
#include "pem.hpp"

#include <openssl/pem.h>

namespace edgetrust::crypto {

Result<Certificate> Certificate::from_der(std::string_view der) {
  const ErrorScope errors;
  if (der.size() > kMaxCertificate) {
    return fail(ErrorKind::kInvalid, "a certificate is larger than " + std::to_string(kMaxCertificate) + " octets");
  }
  const unsigned char* at = octets(der);
  CertificatePtr parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!parsed || at != octets(der) + der.size()) return fail(ErrorKind::kInvalid, "not an X.509 certificate");
  EDGETRUST_TRY_ASSIGN(CertificateFacts facts, read_facts(parsed.get()));
  Certificate certificate;
  certificate.certificate_ = std::move(parsed);
  certificate.facts_ = std::make_shared<const CertificateFacts>(std::move(facts));
  return certificate;
}

std::string Certificate::to_pem() const {
  const ErrorScope errors;
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate_.get());
  return std::string(written(out.get()));
}

std::string Certificate::to_der() const {
  const ErrorScope errors;
  const int size = i2d_X509(certificate_.get(), nullptr);
  std::string der(static_cast<std::size_t>(std::max(size, 0)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  if (size > 0) i2d_X509(certificate_.get(), &out);
  return der;
}

std::string Certificate::name() const {
  if (!facts_->subject.empty()) return facts_->subject;
  if (!facts_->dns_names.empty()) return facts_->dns_names.front();
  if (!facts_->ip_addresses.empty()) return facts_->ip_addresses.front();
  return "serial number " + facts_->serial_number;
}

bool Certificate::covers(const std::string& name) const {
  if (name.empty()) return false;
  const ErrorScope errors;
  constexpr unsigned kFlags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  const int as_address = X509_check_ip_asc(certificate_.get(), name.c_str(), kFlags);
  constexpr int kNoAddress = -2;
  if (as_address != kNoAddress) return as_address == 1;
  return X509_check_host(certificate_.get(), name.data(), name.size(), kFlags, nullptr) == 1;
}

Result<std::vector<Certificate>> parse_chain(std::string_view pem) {
  if (pem.size() > kMaxChainPem) {
    return fail(ErrorKind::kInvalid, "the chain is larger than " + std::to_string(kMaxChainPem) + " octets");
  }
  EDGETRUST_TRY_ASSIGN(const PemText text, scan_pem(pem, kMaxChainLength));
  if (text.other_text) return fail(ErrorKind::kInvalid, "the chain holds something beside certificates");
  if (text.blocks.empty()) return fail(ErrorKind::kInvalid, "the chain holds no certificate");
  std::vector<Certificate> chain;
  for (const auto& block : text.blocks) {
    if (block.label != "CERTIFICATE") {
      return fail(ErrorKind::kInvalid, "the chain holds a PEM block that is no certificate");
    }
    EDGETRUST_TRY_ASSIGN(const std::string der, decode_pem(block));
    EDGETRUST_TRY_ASSIGN(Certificate certificate, Certificate::from_der(der));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

std::string to_pem(const std::vector<Certificate>& chain) {
  std::string pem;
  for (const auto& certificate : chain) pem += certificate.to_pem();
  return pem;
}

}  // namespace edgetrust::crypto
