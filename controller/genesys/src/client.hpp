#pragma once
// One call to Genesys: allow-list, budget, token, one new login on 401, errors in our words. Threads: any.
#include "budget.hpp"
#include "edgetrust/genesys/calls.hpp"
#include "edgetrust/genesys/fleet.hpp"
#include "logins.hpp"
#include "vendor_error.hpp"

#include <memory>
#include <optional>

namespace edgetrust::genesys {

struct Outgoing {
  Host host = Host::kApi;
  http::Method method = http::Method::kGet;
  std::string path;   // encoded, without the endpoint's own path
  std::string query;  // without '?'
  Secret body;        // JSON; wiped after the call
  Urgency urgency = Urgency::kNormal;
  std::chrono::milliseconds timeout{15'000};
  std::size_t max_body = std::size_t{256} << 10;  // of the answer
  std::vector<std::string_view> secrets;          // that a refusal might repeat; of the caller, alive during the call
};

struct Refusal {
  Error error;
  VendorError said;  // empty when there was no answer
  int status = 0;    // 0: there was no answer
};

class Client {
 public:
  struct Site {
    http::Url url;
    std::shared_ptr<http::Transport> transport;
    std::shared_ptr<Logins> tokens;
  };
  Client(Site api, std::optional<Site> upload, AllowList allowed, int requests_per_minute, const Clock& clock);

  // The answer when it is 2xx, all else as a Refusal.
  tl::expected<http::Response, Refusal> call(const Outgoing& outgoing, const std::stop_token& stop);
  // The OAuth client that speaks to the API.
  [[nodiscard]] Logins::InUse in_use() const { return api_.tokens->in_use(); }
  // The upload endpoint may have an OAuth client of its own: is it let in?
  Status prove_upload_login(const std::stop_token& stop);

 private:
  tl::expected<http::Response, Refusal> attempt(const Site& site, http::Request& request, const Token& token,
                                                const Outgoing& outgoing, const std::stop_token& stop);
  Refusal refusal(const http::Response& response, const Outgoing& outgoing, const Token& token);

  const Site api_;
  const std::optional<Site> upload_;
  const AllowList allowed_;
  const Clock& clock_;
  Budget budget_;
};

}  // namespace edgetrust::genesys
