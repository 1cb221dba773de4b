#pragma once
// TXT records by a server of the user's own, in lego's httpreq protocol (go-acme.github.io/lego/dns/httpreq): POST
// <url>/present and <url>/cleanup with {"fqdn": "_acme-challenge.edge01.example.com.", "value": "…"}; any 2xx is a yes.
// Made by: main, for AcmeIssuer.spec.solvers[].dns01.webhook. Called by: reconcile, through ports::DnsZone. Threads:
// any.
//
// Both calls may be repeated, after a lost answer or a restart; the server must take that, and must leave other values
// at the name alone. Errors: kUnauthorized (basic auth is refused), and those of Rest::refusal.
#include "edgetrust/dns/rest/rest.hpp"
#include "edgetrust/ports/dns_zone.hpp"

#include <optional>

namespace edgetrust::dns {

struct WebhookOptions {
  struct BasicAuth {
    Secret username;
    Secret password;
  };
  std::string url{};
  std::optional<BasicAuth> basic_auth{};
  std::string credential{};  // where that is kept, for messages
};

class WebhookZone final : public ports::DnsZone {
 public:
  // kInvalid when an option cannot be used. `clock` must outlive it.
  static Result<std::unique_ptr<WebhookZone>> create(WebhookOptions options, std::shared_ptr<http::Transport> transport,
                                                     const Clock& clock);

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override;

 private:
  WebhookZone(http::Url url, Secret authorization, Secret password, Rest rest)
      : url_(std::move(url)),
        authorization_(std::move(authorization)),
        password_(std::move(password)),
        rest_(std::move(rest)) {}
  [[nodiscard]] Status ask(const std::string& path, const std::string& name, const std::string& value,
                           std::stop_token stop) const;

  const http::Url url_;
  const Secret authorization_;  // the header's value; empty for none
  const Secret password_;       // which no message may repeat
  const Rest rest_;
};

}  // namespace edgetrust::dns
