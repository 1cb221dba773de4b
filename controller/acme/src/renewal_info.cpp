#include "renewal_info.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/http/url.hpp"
#include "edgetrust/json/view.hpp"

namespace edgetrust::acme {
namespace {

constexpr std::size_t kLongestExplanation = 512;  // as the status keeps it

// What RFC 3339 can write in UTC too: an offset can lead beyond.
constexpr TimePoint kFirst{};
constexpr TimePoint kLast{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}};

Result<TimePoint> time_in(json::View window, const char* name) {
  const auto time = parse_rfc3339(window[name].string_or(""));
  if (!time || *time < kFirst || *time > kLast)
    return fail(ErrorKind::kProtocol, std::string("the suggested window has no ") + name);
  return std::chrono::floor<std::chrono::seconds>(*time);
}

std::string explanation_in(json::View root) {
  const std::string text(root["explanationURL"].string_or(""));
  const auto url = http::Url::parse(text);
  return url && url->is_https() && text.size() <= kLongestExplanation ? text : std::string{};
}

}  // namespace

Result<std::string> certificate_id(const ports::CertificateId& certificate) {
  EDGETRUST_TRY_ASSIGN(const std::string issuer, from_hex(certificate.authority_key_id));
  EDGETRUST_TRY_ASSIGN(std::string serial, from_hex(certificate.serial_number));
  if (issuer.empty() || serial.empty())
    return fail(ErrorKind::kInvalid, "the certificate has no authority key identifier, or no serial number");
  // An INTEGER of DER is signed.
  if ((static_cast<unsigned char>(serial.front()) & 0x80U) != 0) serial.insert(serial.begin(), '\0');
  return to_base64url(issuer) + "." + to_base64url(serial);
}

Result<ports::RenewalInfo> parse_renewal_info(std::string_view text) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(text));
  const json::View window = document.root()["suggestedWindow"];
  ports::RenewalInfo info;
  EDGETRUST_TRY_ASSIGN(info.start, time_in(window, "start"));
  EDGETRUST_TRY_ASSIGN(info.end, time_in(window, "end"));
  if (info.end <= info.start) return fail(ErrorKind::kProtocol, "the suggested window does not end after its start");
  info.explanation_url = explanation_in(document.root());
  return info;
}

}  // namespace edgetrust::acme
