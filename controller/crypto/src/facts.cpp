#include "facts.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "kind.hpp"
#include "openssl.hpp"

#include <array>
#include <ctime>

#include <arpa/inet.h>

namespace edgetrust::crypto {
namespace {

constexpr std::size_t kMaxNameInMessage = 256;

std::string_view bytes_of(const ASN1_STRING* text) {
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string whole_name(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  return printable(written(out.get()), kMaxNameInMessage);
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* raw = nullptr;
  const int size = ASN1_STRING_to_UTF8(&raw, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const Buffer<unsigned char> owner(raw);
  return size > 0 ? printable(to_text(raw, static_cast<std::size_t>(size)), kMaxNameInMessage) : std::string{};
}

std::string serial_of(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  constexpr int kMostOctets = 20;  // RFC 5280 section 4.1.2.2
  if (ASN1_STRING_length(serial) > kMostOctets) return "longer than 20 octets";
  const BigNumber number(ASN1_INTEGER_to_BN(serial, nullptr));
  const Buffer<char> text(number ? BN_bn2hex(number.get()) : nullptr);
  return text ? lower(text.get()) : std::string{};
}

Result<TimePoint> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return fail(ErrorKind::kInvalid, "the certificate's dates are malformed");
  return TimePoint{std::chrono::seconds{timegm(&parts)}};
}

// A name that a message, a file or a comparison could read in two ways is refused, as OpenSSL's own checks do.
bool plain_dns_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string address_text(std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  if (octets.size() != 4 && octets.size() != 16) return {};
  return inet_ntop(family, octets.data(), text.data(), text.size()) == nullptr ? std::string{} : text.data();
}

Status read_names(X509* certificate, CertificateFacts& facts) {
  int critical = 0;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  // -1: no such extension; anything else without a result: more than one, or broken.
  if (!names && critical != -1) return fail(ErrorKind::kInvalid, "the certificate's alternative names are malformed");
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const std::string_view dns = bytes_of(name->d.dNSName);
      if (!plain_dns_name(dns)) return fail(ErrorKind::kInvalid, "the certificate has a malformed DNS name");
      facts.dns_names.push_back(lower(dns));
    } else if (name->type == GEN_IPADD) {
      facts.ip_addresses.push_back(address_text(bytes_of(name->d.iPAddress)));
      if (facts.ip_addresses.back().empty()) {
        return fail(ErrorKind::kInvalid, "the certificate has a malformed IP address");
      }
    }
  }
  return {};
}

bool signed_by_itself(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0 &&
         X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
}

void read_usages(X509* certificate, CertificateFacts& facts) {
  const bool restricted = (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0;
  const auto allowed = [&](std::uint32_t bit) {
    return !restricted || (X509_get_extended_key_usage(certificate) & (bit | XKU_ANYEKU)) != 0;
  };
  facts.server_auth = allowed(XKU_SSL_SERVER);
  facts.client_auth = allowed(XKU_SSL_CLIENT);
}

}  // namespace

Result<CertificateFacts> read_facts(X509* certificate) {
  // Reads the extensions and remembers in the certificate what they say.
  if (X509_check_purpose(certificate, -1, 0) != 1 || (X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0) {
    return fail(ErrorKind::kInvalid, "the certificate's extensions are malformed");
  }
  CertificateFacts facts;
  EDGETRUST_TRY_ASSIGN(facts.not_before, time_of(X509_get0_notBefore(certificate)));
  EDGETRUST_TRY_ASSIGN(facts.not_after, time_of(X509_get0_notAfter(certificate)));
  if (facts.not_after <= facts.not_before) return fail(ErrorKind::kInvalid, "the certificate ends before it begins");
  EDGETRUST_TRY(read_names(certificate, facts));
  read_usages(certificate, facts);
  facts.serial_number = serial_of(certificate);
  facts.subject = whole_name(X509_get_subject_name(certificate));
  facts.issuer = common_name(X509_get_issuer_name(certificate));
  if (facts.issuer.empty()) facts.issuer = whole_name(X509_get_issuer_name(certificate));
  facts.is_ca = X509_check_ca(certificate) != 0;
  facts.self_signed = signed_by_itself(certificate);
  facts.fingerprint_sha256 = to_hex(sha256(to_der<X509>(certificate, i2d_X509)));
  facts.spki_sha256 = to_hex(sha256(to_der<X509_PUBKEY>(X509_get_X509_PUBKEY(certificate), i2d_X509_PUBKEY)));
  facts.authority_key_id = to_hex(bytes_of(X509_get0_authority_key_id(certificate)));
  facts.subject_key_id = to_hex(bytes_of(X509_get0_subject_key_id(certificate)));
  facts.key = kind_of(X509_get0_pubkey(certificate), true);
  return facts;
}

}  // namespace edgetrust::crypto
