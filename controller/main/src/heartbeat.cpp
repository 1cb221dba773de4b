#include "heartbeat.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/http/forbidden_host.hpp"

namespace edgetrust {
namespace {

constexpr std::chrono::seconds kTimeout{15};
constexpr std::size_t kMaxAnswer = std::size_t{64} << 10;

class UrlHeartbeat final : public ports::Heartbeat {
 public:
  UrlHeartbeat(const http::Url& url, std::string kept_in, std::shared_ptr<http::Transport> transport)
      : kept_in_(std::move(kept_in)), transport_(std::move(transport)) {
    request_.method = http::Method::kGet;
    request_.url = url;
    request_.timeout = kTimeout;
    request_.max_body = kMaxAnswer;
    request_.name = "ping";
  }
  UrlHeartbeat(const UrlHeartbeat&) = delete;
  UrlHeartbeat& operator=(const UrlHeartbeat&) = delete;
  ~UrlHeartbeat() override { cleanse(request_.url.target.data(), request_.url.target.size()); }

  Status ping(std::stop_token stop) override {
    const auto response = transport_->send(request_, std::move(stop));
    if (!response) return refuse(response.error().kind, "cannot be asked (" + why(response.error().kind) + ")");
    if (response->ok()) return {};
    const ErrorKind kind = response->status == 404 || response->status == 410 ? ErrorKind::kNotFound
                           : response->status == 429                          ? ErrorKind::kRateLimited
                           : response->status >= 500                          ? ErrorKind::kUnavailable
                                                                              : ErrorKind::kProtocol;
    return refuse(kind, "is answered with " + std::to_string(response->status));
  }

 private:
  static std::string why(ErrorKind kind) { return std::string(to_string(kind)); }
  [[nodiscard]] tl::unexpected<Error> refuse(ErrorKind kind, const std::string& what) const {
    return fail(kind, "the heartbeat's URL (" + kept_in_ + ") " + what);
  }

  http::Request request_;
  const std::string kept_in_;
  const std::shared_ptr<http::Transport> transport_;
};

}  // namespace

Result<std::shared_ptr<ports::Heartbeat>> make_heartbeat(const Secret& url, std::string kept_in,
                                                         std::shared_ptr<http::Transport> transport) {
  const auto parsed = http::Url::parse(trim(url.expose()));
  if (!parsed || !parsed->is_https()) {
    return fail(ErrorKind::kInvalid, "the heartbeat's URL (" + kept_in + ") must be an https URL");
  }
  if (http::is_forbidden_host(parsed->host)) {
    return fail(ErrorKind::kInvalid, "the heartbeat's URL (" + kept_in + ") leads to a link-local or metadata address");
  }
  return std::make_shared<UrlHeartbeat>(*parsed, std::move(kept_in), std::move(transport));
}

}  // namespace edgetrust
