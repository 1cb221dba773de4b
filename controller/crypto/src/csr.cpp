#include "edgetrust/crypto/csr.hpp"

#include "edgetrust/base/text.hpp"
#include "openssl.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace edgetrust::crypto {
namespace {

using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

constexpr std::size_t kMaxCommonName = 64;

tl::unexpected<Error> cannot_build() {
  return fail(ErrorKind::kInternal, "OpenSSL could not build a certificate request");
}

// Letters, digits and inner hyphens (RFC 5890 section 2.3.1), 1 to 63 octets.
bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_dns_name(std::string_view name) {
  if (name.size() > 253) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  const auto labels = split(name, '.');
  return labels.size() >= 2 && std::all_of(labels.begin(), labels.end(), is_label);
}

// Four or sixteen octets, empty when it is no address.
std::string address_octets(const std::string& text) {
  std::array<unsigned char, 16> octets{};
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return to_text(octets.data(), 4);
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return to_text(octets.data(), 16);
  return {};
}

bool push(GENERAL_NAMES* names, int type, std::string_view value) {
  const bool address = type == GEN_IPADD;
  std::unique_ptr<ASN1_STRING, Freed<ASN1_STRING_free>> text(
      ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  std::unique_ptr<GENERAL_NAME, Freed<GENERAL_NAME_free>> name(GENERAL_NAME_new());
  if (!text || !name || ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size())) != 1) return false;
  GENERAL_NAME_set0_value(name.get(), type, text.release());
  if (sk_GENERAL_NAME_push(names, name.get()) == 0) return false;
  static_cast<void>(name.release());  // the list owns it now
  return true;
}

Result<Names> alternative_names(const RequestedNames& wanted) {
  const std::size_t count = wanted.dns_names.size() + wanted.ip_addresses.size();
  if (count == 0) return fail(ErrorKind::kInvalid, "a certificate request needs a name");
  if (count > kMaxRequestedNames) {
    return fail(ErrorKind::kInvalid, "more than " + std::to_string(kMaxRequestedNames) + " names in one request");
  }
  Names names(sk_GENERAL_NAME_new_null());
  for (const auto& dns : wanted.dns_names) {
    if (!is_dns_name(dns)) return fail(ErrorKind::kInvalid, "not a DNS name: \"" + printable(dns, 260) + "\"");
    if (!push(names.get(), GEN_DNS, lower(dns))) return cannot_build();
  }
  for (const auto& ip : wanted.ip_addresses) {
    const std::string address = address_octets(ip);
    if (address.empty()) return fail(ErrorKind::kInvalid, "not an IP address: \"" + printable(ip, 64) + "\"");
    if (!push(names.get(), GEN_IPADD, address)) return cannot_build();
  }
  return names;
}

Status set_subject(X509_REQ* request, const RequestedNames& wanted) {
  const std::string& name = wanted.common_name;
  if (name.empty()) return {};
  const auto among = [&](const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](const auto& other) { return lower(other) == lower(name); });
  };
  if (name.size() > kMaxCommonName) return fail(ErrorKind::kInvalid, "the common name is longer than 64 octets");
  if (!among(wanted.dns_names) && !among(wanted.ip_addresses)) {
    return fail(ErrorKind::kInvalid, "the common name must be one of the certificate's names");
  }
  const int added = X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName, MBSTRING_UTF8,
                                               octets(name), static_cast<int>(name.size()), -1, 0);
  if (added != 1) return cannot_build();
  return {};
}

bool add_extension(X509_REQ* request, GENERAL_NAMES* names, bool critical) {
  const Extension extension(X509V3_EXT_i2d(NID_subject_alt_name, critical ? 1 : 0, names));
  if (!extension) return false;
  STACK_OF(X509_EXTENSION)* list = sk_X509_EXTENSION_new_null();
  const bool added = list != nullptr && sk_X509_EXTENSION_push(list, extension.get()) > 0 &&
                     X509_REQ_add_extensions(request, list) == 1;
  sk_X509_EXTENSION_free(list);
  return added;
}

}  // namespace

Result<std::string> make_csr(const PrivateKey& key, const RequestedNames& wanted) {
  const ErrorScope errors;
  EDGETRUST_TRY_ASSIGN(const Names names, alternative_names(wanted));
  const Request request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1) return cannot_build();
  EDGETRUST_TRY(set_subject(request.get(), wanted));
  const EVP_MD* hash = key.kind().bits == 384 ? EVP_sha384() : EVP_sha256();
  if (!add_extension(request.get(), names.get(), wanted.common_name.empty()) ||
      X509_REQ_set_pubkey(request.get(), key.handle()) != 1 || X509_REQ_sign(request.get(), key.handle(), hash) <= 0) {
    return cannot_build();
  }
  return to_der<X509_REQ>(request.get(), i2d_X509_REQ);
}

}  // namespace edgetrust::crypto
