// Why a peer's certificate was refused. Its words are the peer's: bounded, made printable.
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "tls_client.hpp"

#include <array>
#include <ctime>

#include <arpa/inet.h>
#include <openssl/x509v3.h>

namespace edgetrust::http {
namespace {

constexpr int kNamesShown = 5;
constexpr std::size_t kNameLimit = 100;

using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

std::string common_name(const X509_NAME* name) {
  std::array<char, 256> text{};
  const int size = X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_commonName, text.data(), text.size());
  return size > 0 ? printable({text.data(), static_cast<std::size_t>(size)}, kNameLimit) : "without a common name";
}

std::string time_text(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return "an unreadable time";
  return format_rfc3339(
      std::chrono::time_point_cast<TimePoint::duration>(std::chrono::system_clock::from_time_t(timegm(&broken_down))));
}

std::string name_text(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    const auto* text = name->d.dNSName;
    return printable({reinterpret_cast<const char*>(text->data), static_cast<std::size_t>(text->length)}, kNameLimit);
  }
  if (name->type != GEN_IPADD) return "another kind of name";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto* address = name->d.iPAddress;
  const int family = address->length == 4 ? AF_INET : AF_INET6;
  if (address->length != 4 && address->length != 16) return "a malformed address";
  return inet_ntop(family, address->data, text.data(), text.size());
}

std::string names_of(X509* certificate) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names || sk_GENERAL_NAME_num(names.get()) == 0) return "no name";
  const int count = sk_GENERAL_NAME_num(names.get());
  std::string text;
  for (int i = 0; i < std::min(count, kNamesShown); ++i) {
    text += (i == 0 ? "" : ", ") + name_text(sk_GENERAL_NAME_value(names.get(), i));
  }
  return count > kNamesShown ? text + " and " + std::to_string(count - kNamesShown) + " more" : text;
}

// "it", or which certificate above it.
std::string subject_of(X509_STORE_CTX* context, X509* certificate) {
  if (X509_STORE_CTX_get_error_depth(context) == 0) return "it";
  return "its issuer '" + common_name(X509_get_subject_name(certificate)) + "'";
}

}  // namespace

std::string explain_refusal(X509_STORE_CTX* context, const std::string& host) {
  const int error = X509_STORE_CTX_get_error(context);
  X509* certificate = X509_STORE_CTX_get_current_cert(context);
  if (certificate == nullptr) return X509_verify_cert_error_string(error);
  const std::string subject = subject_of(context, certificate);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return subject + " expired at " + time_text(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return subject + " is not valid before " + time_text(X509_get0_notBefore(certificate));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "it is for " + names_of(certificate) + ", not for " + host;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "it is self-signed and not trusted";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "its root '" + common_name(X509_get_subject_name(certificate)) + "' is not trusted";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its issuer '" + common_name(X509_get_issuer_name(certificate)) + "' is neither trusted nor sent along";
    case X509_V_ERR_INVALID_PURPOSE: return subject + " is not for TLS servers (extended key usage)";
    default: return subject + ": " + X509_verify_cert_error_string(error);
  }
}

}  // namespace edgetrust::http
