#pragma once
// TXT records at Cloudflare, by its API v4 with an API token.
// Made by: main, for AcmeIssuer.spec.solvers[].dns01.cloudflare. Called by: reconcile, through ports::DnsZone. Threads:
// any.
//
// A value is a record of its own there, so adding and removing one touches no other. Errors: kUnauthorized (the token
// is refused), kForbidden (it may not do this: what to grant is named), kNotFound (no zone of that name for this token;
// or no zone holds the name), kRateLimited with Retry-After, kConflict (records of another type are in the way),
// kUnavailable, kTimeout, kCancelled, kProtocol. Error::code is Cloudflare's own number.
#include "edgetrust/dns/delegation.hpp"
#include "edgetrust/dns/rest/rest.hpp"
#include "edgetrust/json/view.hpp"
#include "edgetrust/ports/dns_zone.hpp"

namespace edgetrust::dns {

inline constexpr std::string_view kCloudflareApi = "https://api.cloudflare.com/client/v4";

struct CloudflareOptions {
  std::string api{kCloudflareApi};
  Secret token{};
  std::string credential{};  // where the token is kept, for messages: "Secret cf key token"
};

class CloudflareZone final : public ports::DnsZone {
 public:
  // kInvalid when an option cannot be used.
  static Result<std::unique_ptr<CloudflareZone>> create(CloudflareOptions options,
                                                        std::shared_ptr<http::Transport> transport, FindZone find_zone,
                                                        const Clock& clock);

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override;

 private:
  CloudflareZone(http::Url api, Secret token, Rest rest, FindZone find_zone)
      : api_(std::move(api)), token_(std::move(token)), rest_(std::move(rest)), find_zone_(std::move(find_zone)) {}

  // The ids of the TXT records at the name that hold the value, and of their zone.
  struct Found {
    std::string zone;
    std::vector<std::string> records;
  };
  [[nodiscard]] Result<Found> find(const std::string& name, const std::string& value, const Until& until) const;
  [[nodiscard]] Result<std::string> zone_id(const std::string& name, const Until& until) const;
  [[nodiscard]] Result<http::Response> ask(http::Method method, const std::string& path, std::string body,
                                           const Until& until) const;
  // The document, when Cloudflare says that it was a success; else what it says.
  [[nodiscard]] Result<json::Document> read(const http::Response& response) const;

  const http::Url api_;
  const Secret token_;
  const Rest rest_;
  const FindZone find_zone_;
};

}  // namespace edgetrust::dns
