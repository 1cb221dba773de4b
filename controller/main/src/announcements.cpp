#include "announcements.hpp"

#include "edgetrust/decide/pins/pin.hpp"
#include "edgetrust/http/forbidden_host.hpp"
#include "edgetrust/json/view.hpp"

namespace edgetrust {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr std::size_t kMaxAnswer = std::size_t{64} << 10;
constexpr int kNotFound = 404;

// A field that is there must hold a pin: no word for nothing ("null", "") is one.
Result<std::optional<std::string>> hash_in(json::View answer, std::string_view field) {
  const json::View value = answer[field];
  if (!value.present()) return std::nullopt;
  const auto text = value.string();
  const auto hash = text ? decide::pins::parse_hash(*text) : fail(ErrorKind::kInvalid, "it is no text");
  if (hash) return *hash;
  return fail(ErrorKind::kProtocol, std::string(field) + ": " + hash.error().what);
}

Result<std::optional<ports::PinAnnouncement>> read(const std::string& body) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(body, {.max_bytes = kMaxAnswer}));
  EDGETRUST_TRY_ASSIGN(const auto certificate, hash_in(document.root(), "certificateFingerprint"));
  EDGETRUST_TRY_ASSIGN(const auto next, hash_in(document.root(), "nextCertificateFingerprint"));
  if (!certificate) return fail(ErrorKind::kProtocol, "certificateFingerprint is missing");
  return ports::PinAnnouncement{.certificate_sha256 = *certificate, .next_certificate_sha256 = next};
}

class HttpAnnouncements final : public ports::PinAnnouncements {
 public:
  explicit HttpAnnouncements(TrustingTransport transport) : transport_(std::move(transport)) {}

  Result<std::optional<ports::PinAnnouncement>> ask(const ports::AnnouncementQuestion& question,
                                                    std::stop_token stop) override {
    auto answer = [&]() -> Result<std::optional<ports::PinAnnouncement>> {
      EDGETRUST_TRY_ASSIGN(const http::Url url,
                           http::Url::parse("https://" + question.host + ":" + std::to_string(question.port) +
                                            "/api/v1/security/status"));
      if (http::is_forbidden_host(url.host))
        return fail(ErrorKind::kInvalid, "the endpoint leads to a link-local or metadata address");
      EDGETRUST_TRY_ASSIGN(const auto transport, transport_(question.leaf_pem));
      http::Request request;
      request.method = http::Method::kGet;
      request.url = url;
      request.timeout = kTimeout;
      request.max_body = kMaxAnswer;
      request.name = "pinAnnouncement";
      EDGETRUST_TRY_ASSIGN(const http::Response response, transport->send(request, std::move(stop)));
      if (response.status == kNotFound) return std::optional<ports::PinAnnouncement>{};
      if (!response.ok())
        return fail(ErrorKind::kUnavailable, "it is answered with " + std::to_string(response.status));
      return read(response.body);
    }();
    if (answer) return answer;
    return fail(within("/api/v1/security/status of " + question.host, std::move(answer).error()));
  }

 private:
  const TrustingTransport transport_;
};

}  // namespace

std::unique_ptr<ports::PinAnnouncements> make_announcements(TrustingTransport transport) {
  return std::make_unique<HttpAnnouncements>(std::move(transport));
}

}  // namespace edgetrust
