#include "messages.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "problem.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace edgetrust::acme {
namespace {

using ports::AuthorizationStatus;
using ports::ChallengeStatus;
using ports::OrderStatus;

constexpr std::size_t kMaxChallenges = 32;
constexpr std::size_t kMaxListedOrders = 1000;  // on one page

template <class Status, std::size_t N>
Result<Status> status_of(json::View view, const std::array<std::pair<std::string_view, Status>, N>& names,
                         const char* of) {
  const auto text = view["status"].string();
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& entry) { return text == entry.first; });
  if (found != names.end()) return found->second;
  return fail(ErrorKind::kProtocol, std::string("an ") + of + " without a status that RFC 8555 knows");
}

constexpr std::array<std::pair<std::string_view, OrderStatus>, 5> kOrderStatus = {
    {{"pending", OrderStatus::kPending},
     {"ready", OrderStatus::kReady},
     {"processing", OrderStatus::kProcessing},
     {"valid", OrderStatus::kValid},
     {"invalid", OrderStatus::kInvalid}}};
constexpr std::array<std::pair<std::string_view, AuthorizationStatus>, 6> kAuthorizationStatus = {
    {{"pending", AuthorizationStatus::kPending},
     {"valid", AuthorizationStatus::kValid},
     {"invalid", AuthorizationStatus::kInvalid},
     {"deactivated", AuthorizationStatus::kDeactivated},
     {"expired", AuthorizationStatus::kExpired},
     {"revoked", AuthorizationStatus::kRevoked}}};
constexpr std::array<std::pair<std::string_view, ChallengeStatus>, 4> kChallengeStatus = {
    {{"pending", ChallengeStatus::kPending},
     {"processing", ChallengeStatus::kProcessing},
     {"valid", ChallengeStatus::kValid},
     {"invalid", ChallengeStatus::kInvalid}}};

Result<std::string> allowed_url(json::View view, const char* what, const UrlPolicy& policy) {
  const auto text = view.string();
  if (!text) return fail(ErrorKind::kProtocol, std::string("no URL of the ") + what);
  EDGETRUST_TRY(policy.check(*text));
  return std::string(*text);
}

std::optional<Error> error_in(json::View view) {
  if (!view["error"].present()) return std::nullopt;
  return validation_error(view["error"]);
}

// RFC 8555 section 8.3 wants at least 128 bits of base64url. The token ends up in a DNS record, so nothing else passes.
bool is_token(std::string_view token) {
  return token.size() >= 22 && token.size() <= 128 && std::all_of(token.begin(), token.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_domain(std::string_view name) {
  constexpr std::size_t kMaxName = 253 - std::string_view("_acme-challenge.").size();
  const auto labels = split(name, '.');
  return name.size() <= kMaxName && labels.size() > 1 && std::all_of(labels.begin(), labels.end(), is_label);
}

Result<std::string> token_of(json::View challenge) {
  const auto token = challenge["token"].string();
  if (!token || !is_token(*token)) return fail(ErrorKind::kProtocol, "a challenge whose token is none");
  return std::string(*token);
}

Result<ports::DnsChallenge> parse_dns_challenge(json::View view, const std::string& domain, const AccountKey& key,
                                                const UrlPolicy& policy) {
  ports::DnsChallenge challenge;
  EDGETRUST_TRY_ASSIGN(challenge.url, allowed_url(view["url"], "challenge", policy));
  EDGETRUST_TRY_ASSIGN(challenge.status, status_of(view, kChallengeStatus, "challenge"));
  EDGETRUST_TRY_ASSIGN(const std::string token, token_of(view));
  if (!is_domain(domain)) return fail(ErrorKind::kProtocol, "an authorization for something that is no domain");
  challenge.record_name = "_acme-challenge." + domain;
  challenge.record_value = key.dns_record_value(token);
  challenge.error = error_in(view);
  return challenge;
}

Result<ports::HttpChallenge> parse_http_challenge(json::View view, const AccountKey& key, const UrlPolicy& policy) {
  ports::HttpChallenge challenge;
  EDGETRUST_TRY_ASSIGN(challenge.url, allowed_url(view["url"], "challenge", policy));
  EDGETRUST_TRY_ASSIGN(challenge.status, status_of(view, kChallengeStatus, "challenge"));
  EDGETRUST_TRY_ASSIGN(challenge.token, token_of(view));
  challenge.account_thumbprint = key.thumbprint();
  challenge.error = error_in(view);
  return challenge;
}

// The one of that type; absent when there is none.
json::View find_challenge(json::View challenges, std::string_view type) {
  json::View found;
  challenges.for_each_element([&](json::View challenge) {
    if (challenge["type"].string() == type) found = challenge;
    return !found.present();
  });
  return found;
}

// As text, in the one form of its type.
std::string identifier_of(json::View identifier) {
  const std::string name = lower(printable(identifier["value"].string_or(""), 260));
  const std::string address = identifier["type"].string() == "ip" ? canonical_address(name) : std::string{};
  return address.empty() ? name : address;
}

Result<std::vector<std::string>> allowed_urls(json::View list, const char* what, std::size_t most,
                                              const UrlPolicy& policy) {
  if (list.kind() != json::Kind::kArray || list.size() > most) {
    return fail(ErrorKind::kProtocol, std::string("no list of ") + what + "s, or too long a one");
  }
  std::vector<std::string> urls;
  Status status;
  list.for_each_element([&](json::View item) {
    auto url = allowed_url(item, what, policy);
    if (url) {
      urls.push_back(std::move(*url));
    } else {
      status = fail(std::move(url).error());
    }
    return status.has_value();
  });
  if (!status) return fail(std::move(status).error());
  return urls;
}

// One form for what can be written in several.
std::string name_of(std::string_view type, const std::string& value) {
  const std::string address = type == "ip" ? canonical_address(value) : std::string{};
  return std::string(type) + ":" + (address.empty() ? lower(value) : address);
}

void add_identifiers(json::Value& list, const char* type, const std::vector<std::string>& values) {
  for (const auto& value : values) list.push_back({{"type", type}, {"value", value}});
}

}  // namespace

Result<OrderMessage> parse_order(std::string_view text, const UrlPolicy& policy) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(text));
  const json::View root = document.root();
  OrderMessage message;
  ports::Order& order = message.order;
  EDGETRUST_TRY_ASSIGN(order.status, status_of(root, kOrderStatus, "order"));
  if (const auto expires = parse_rfc3339(root["expires"].string_or(""))) order.expires = *expires;
  EDGETRUST_TRY_ASSIGN(const auto authorizations,
                       allowed_urls(root["authorizations"], "authorization", kMaxNames, policy));
  for (const auto& url : authorizations) {
    order.authorizations.push_back({.url = url, .identifier = {}, .status = {}});
  }
  root["identifiers"].for_each_element([&](json::View identifier) {
    const std::string value(identifier["value"].string_or(""));
    message.names.insert(name_of(identifier["type"].string_or(""), value));
    order.identifiers.insert(identifier_of(identifier));
    return message.names.size() <= kMaxNames;
  });
  EDGETRUST_TRY_ASSIGN(message.finalize_url, allowed_url(root["finalize"], "order's finalize", policy));
  if (order.status == OrderStatus::kValid) {
    EDGETRUST_TRY_ASSIGN(order.certificate_url, allowed_url(root["certificate"], "certificate", policy));
  }
  order.error = error_in(root);
  return message;
}

Result<ports::Authorization> parse_authorization(std::string_view text, const AccountKey& key,
                                                 const UrlPolicy& policy) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(text));
  const json::View root = document.root();
  ports::Authorization authorization;
  EDGETRUST_TRY_ASSIGN(authorization.status, status_of(root, kAuthorizationStatus, "authorization"));
  const json::View identifier = root["identifier"];
  std::string name = identifier_of(identifier);
  if (name.starts_with("*.")) name.erase(0, 2);  // some servers name the wildcard itself
  const bool wildcard = root["wildcard"].boolean().value_or(false);
  authorization.identifier = wildcard ? "*." + name : name;
  authorization.is_address = identifier["type"].string() == "ip";
  const json::View challenges = root["challenges"];
  if (challenges.size() > kMaxChallenges)
    return fail(ErrorKind::kProtocol, "an authorization with too many challenges");
  const json::View dns = find_challenge(challenges, "dns-01");
  if (dns.present() && identifier["type"].string() == "dns") {
    EDGETRUST_TRY_ASSIGN(authorization.dns, parse_dns_challenge(dns, name, key, policy));
  }
  // A broken one of a kind that is not needed here is no reason to refuse the other.
  if (auto http = parse_http_challenge(find_challenge(challenges, "http-01"), key, policy))
    authorization.http = std::move(*http);
  return authorization;
}

std::set<std::string> names_of(const ports::OrderRequest& request) {
  std::set<std::string> names;
  for (const auto& dns : request.dns_names) names.insert(name_of("dns", dns));
  for (const auto& ip : request.ip_addresses) names.insert(name_of("ip", ip));
  return names;
}

Result<std::vector<std::string>> parse_order_list(std::string_view text, const UrlPolicy& policy) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(text));
  return allowed_urls(document.root()["orders"], "order", kMaxListedOrders, policy);
}

Result<std::string> order_payload(const ports::OrderRequest& request, const std::string& profile,
                                  const std::string& replaces) {
  const std::size_t names = request.dns_names.size() + request.ip_addresses.size();
  if (names == 0 || names > kMaxNames) return fail(ErrorKind::kInvalid, "an order is for 1 to 100 names");
  json::Value identifiers = json::Value::array();
  add_identifiers(identifiers, "dns", request.dns_names);
  add_identifiers(identifiers, "ip", request.ip_addresses);
  json::Value payload = {{"identifiers", std::move(identifiers)}};
  if (!profile.empty()) payload["profile"] = profile;
  if (!replaces.empty()) payload["replaces"] = replaces;
  return json::dump(payload);
}

}  // namespace edgetrust::acme
