#pragma once
// Orders and authorizations as the server writes them (RFC 8555 sections 7.1.3, 7.1.4, 8).
#include "account.hpp"
#include "edgetrust/ports/certificate_authority.hpp"
#include "url_policy.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::acme {

inline constexpr std::size_t kMaxNames = 100;

struct OrderMessage {
  ports::Order order;  // its authorizations have their URLs only; order.url is the caller's to set
  std::string finalize_url;
  std::set<std::string> names;  // what it is for: "dns:…" and "ip:…", in one form
};
// Errors: kProtocol for anything that breaks the protocol or names a URL that is not allowed.
Result<OrderMessage> parse_order(std::string_view json, const UrlPolicy& policy);
Result<ports::Authorization> parse_authorization(std::string_view json, const AccountKey& key, const UrlPolicy& policy);

// The names of a request in the form of OrderMessage::names.
std::set<std::string> names_of(const ports::OrderRequest& request);

// One page of an account's orders (section 7.1.2.1): their URLs.
Result<std::vector<std::string>> parse_order_list(std::string_view json, const UrlPolicy& policy);

// newOrder's payload; `replaces` is a certificate's id, or empty. Errors: kInvalid without names, or with more than
// kMaxNames.
Result<std::string> order_payload(const ports::OrderRequest& request, const std::string& profile,
                                  const std::string& replaces);

}  // namespace edgetrust::acme
