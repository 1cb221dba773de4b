#include "edgetrust/acme/client.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/certificate.hpp"
#include "edgetrust/json/value.hpp"
#include "links.hpp"
#include "messages.hpp"
#include "problem.hpp"
#include "renewal_info.hpp"
#include "session.hpp"

#include <algorithm>
#include <ranges>

namespace edgetrust::acme {
namespace {

using ports::Order;
using ports::RenewalInfo;

constexpr std::size_t kMaxChain = 95'000;
constexpr int kMaxPages = 100;  // Pebble shows three orders a page
constexpr std::size_t kMaxLooks = 50;
constexpr std::size_t kMaxAlternates = 8;
constexpr std::size_t kMaxRenewalInfo = std::size_t{1} << 14;
constexpr const char* kChainType = "application/pem-certificate-chain";

// Adds what was being done: "order: …".
auto while_doing(const char* what) {
  return [what](Error error) { return within(what, std::move(error)); };
}

// The server knows us, but no longer what we asked for.
bool is_gone(const Error& error) {
  return error.kind == ErrorKind::kNotFound && !is_problem(error, "accountDoesNotExist");
}

bool is_passing(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout ||
         error.kind == ErrorKind::kRateLimited || error.kind == ErrorKind::kCancelled;
}

Call download(const std::string& certificate_url) {
  return {.url = certificate_url,
          .name = "certificate",
          .purpose = Purpose::kCertificate,
          .accept = kChainType,
          .max_body = kMaxChain};
}

Status is_chain(const std::string& body) {
  if (body.size() <= kMaxChain && trim(body).starts_with("-----BEGIN CERTIFICATE-----")) return {};
  return fail(ErrorKind::kProtocol, "the answer is no certificate chain");
}

// Whether that is the common name of the issuer of a chain's last certificate.
bool ends_at(const std::string& chain_pem, const std::string& root) {
  const auto chain = crypto::parse_chain(trim(chain_pem));
  return chain && chain->back().facts().issuer == root;
}

class Client final : public ports::CertificateAuthority {
 public:
  struct Wishes {
    std::string profile;
    std::string preferred_chain;
  };
  Client(Session::Parts parts, Wishes wishes, std::shared_ptr<http::Transport> transport, const Clock& clock)
      : session_(std::move(parts), std::move(transport), clock), wishes_(std::move(wishes)) {}

  Result<std::string> account(std::stop_token stop) override;
  Result<ports::Offers> offers(std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const auto offers, session_.directory(std::move(stop)));
    return ports::Offers{.profiles = offers->profiles, .terms_of_service = offers->terms_of_service};
  }
  Status change_key(const Secret& next_key_pem, std::stop_token stop) override {
    return try_change_key(next_key_pem, stop).map_error(while_doing("keyChange"));
  }
  Status deactivate_account(std::stop_token stop) override;
  Result<Order> new_order(const ports::OrderRequest& request, std::stop_token stop) override {
    return try_new_order(request, std::move(stop)).map_error(while_doing("newOrder"));
  }
  Result<std::optional<Order>> open_order(const ports::OrderRequest& request, std::stop_token stop) override {
    return try_open_order(request, stop).map_error(while_doing("orders"));
  }
  Result<Order> order(const std::string& order_url, std::stop_token stop) override {
    return try_order(order_url, std::move(stop)).map_error(while_doing("order"));
  }
  Status answer(const std::string& challenge_url, std::stop_token stop) override;
  Result<Order> finalize(const std::string& order_url, const std::string& csr_der, std::stop_token stop) override {
    return try_finalize(order_url, csr_der, std::move(stop)).map_error(while_doing("finalize"));
  }
  Result<std::string> certificate(const std::string& certificate_url, std::stop_token stop) override {
    return try_certificate(certificate_url, stop).map_error(while_doing("certificate"));
  }
  Status deactivate_authorization(const std::string& authorization_url, std::stop_token stop) override;
  Status revoke(const std::string& chain_pem, ports::RevocationReason reason, const Secret& leaf_key_pem,
                std::stop_token stop) override {
    return try_revoke(chain_pem, reason, leaf_key_pem, stop).map_error(while_doing("revokeCert"));
  }
  Result<std::optional<RenewalInfo>> renewal_info(const ports::CertificateId& certificate,
                                                  std::stop_token stop) override {
    return try_renewal_info(certificate, std::move(stop)).map_error(while_doing("renewalInfo"));
  }

 private:
  Result<Order> try_new_order(const ports::OrderRequest& request, std::stop_token stop);
  Result<std::optional<Order>> try_open_order(const ports::OrderRequest& request, const std::stop_token& stop);
  Result<std::vector<std::string>> list_orders(const std::stop_token& stop);
  Result<Order> try_order(const std::string& order_url, std::stop_token stop);
  Result<Order> try_finalize(const std::string& order_url, const std::string& csr_der, std::stop_token stop);
  Status try_change_key(const Secret& next_key_pem, const std::stop_token& stop);
  Status try_revoke(const std::string& chain_pem, ports::RevocationReason reason, const Secret& leaf_key_pem,
                    const std::stop_token& stop);
  Result<std::string> try_certificate(const std::string& certificate_url, const std::stop_token& stop);
  Result<std::string> preferred_of(std::string chain, const http::Headers& headers, const std::stop_token& stop);
  Result<std::optional<RenewalInfo>> try_renewal_info(const ports::CertificateId& certificate, std::stop_token stop);
  Result<OrderMessage> fetch_order(const std::string& order_url, const std::stop_token& stop);
  // Replaces the authorizations, of which only the URLs are known, by what the server says of them now.
  Status fetch_authorizations(Order& order, const std::stop_token& stop);
  Result<OrderMessage> read_order(const http::Response& response, const std::string& order_url);
  Result<ports::Authorization> fetch_authorization(const std::string& url, const std::stop_token& stop);

  Session session_;
  const Wishes wishes_;
};

Result<std::string> Client::account(std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(KnownAccount account, session_.known_account(stop));
  const auto contacts = session_.registration().contacts();
  if (!account.contacts || *account.contacts == contacts) return std::move(account.url);
  const json::Value payload = {{"contact", contacts}};
  EDGETRUST_TRY(
      session_
          .post({.url = account.url, .name = "account", .purpose = Purpose::kAccount, .payload = json::dump(payload)},
                std::move(stop))
          .map_error(while_doing("account")));
  session_.contacts_told();
  return std::move(account.url);
}

// Section 7.3.5. What is inside is signed with the new key, what is around it with the old one.
Status Client::try_change_key(const Secret& next_key_pem, const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(AccountKey parsed, AccountKey::create(next_key_pem));
  const auto next = std::make_shared<const AccountKey>(std::move(parsed));
  EDGETRUST_TRY_ASSIGN(const KnownAccount account, session_.known_account(stop));
  const auto current = session_.key();
  if (next->is(*current)) return {};
  EDGETRUST_TRY_ASSIGN(const auto changed, session_.account_of(next, stop));
  if (changed && changed->url != account.url)
    return fail(ErrorKind::kInvalid, "the next key is another account's already: use one that is new");
  if (!changed) {
    EDGETRUST_TRY_ASSIGN(const auto offers, session_.directory(stop));
    if (offers->key_change.empty()) return fail(ErrorKind::kUnsupported, "the server offers no change of keys");
    EDGETRUST_TRY_ASSIGN(const json::Document old_key, json::Document::parse(current->jwk()));
    const json::Value inner = {{"account", account.url}, {"oldKey", json::to_value(old_key.root())}};
    EDGETRUST_TRY_ASSIGN(std::string payload, next->sign_without_nonce(offers->key_change, json::dump(inner)));
    const auto done = session_.post(
        {.url = offers->key_change, .name = "keyChange", .purpose = Purpose::kChange, .payload = std::move(payload)},
        stop);
    // Vault names a place for it in its directory, and has nothing there.
    if (!done && is_gone(done.error())) return fail(ErrorKind::kUnsupported, "the server changes no account's key");
    if (!done) return fail(done.error());
  }
  session_.adopt(next, account);
  return {};
}

Status Client::deactivate_account(std::stop_token stop) {
  // Servers show an account that is over, or call whoever asks for it unauthorized (Boulder, Pebble).
  const auto is_over = [](const Error& error) {
    return error.code == ports::kAccountDeactivated || is_problem(error, "unauthorized");
  };
  const auto url = session_.account(stop);
  if (!url && is_over(url.error())) return {};
  if (!url) return fail(url.error());
  const auto done = session_.post(
      {.url = *url, .name = "account", .purpose = Purpose::kChange, .payload = R"({"status":"deactivated"})"}, stop);
  if (done) {
    session_.forget_account();
    return {};
  }
  // Refused as no account's any more: an answer to an earlier try was lost. The server says which it is.
  if (done.error().kind != ErrorKind::kUnauthorized) return fail(within("account", done.error()));
  session_.forget_account();
  const auto now = session_.account(stop);
  return !now && is_over(now.error()) ? Status{} : fail(within("account", done.error()));
}

Status Client::deactivate_authorization(const std::string& authorization_url, std::stop_token stop) {
  const auto done = session_.post({.url = authorization_url,
                                   .name = "authorization",
                                   .purpose = Purpose::kAuthorization,
                                   .payload = R"({"status":"deactivated"})"},
                                  std::move(stop));
  if (done || is_gone(done.error())) return {};
  return fail(within("authorization", done.error()));
}

Status Client::try_revoke(const std::string& chain_pem, ports::RevocationReason reason, const Secret& leaf_key_pem,
                          const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(const auto offers, session_.directory(stop));
  if (offers->revoke_cert.empty()) return fail(ErrorKind::kUnsupported, "the server offers no revocation");
  EDGETRUST_TRY_ASSIGN(const auto chain, crypto::parse_chain(chain_pem));
  const json::Value payload = {{"certificate", to_base64url(chain.front().to_der())},
                               {"reason", static_cast<int>(reason)}};
  const Call call{
      .url = offers->revoke_cert, .name = "revokeCert", .purpose = Purpose::kChange, .payload = json::dump(payload)};
  auto done = session_.post(call, stop);
  const bool not_ours = !done && done.error().kind == ErrorKind::kUnauthorized;
  if (not_ours && !leaf_key_pem.empty()) {
    EDGETRUST_TRY_ASSIGN(AccountKey key, AccountKey::create(leaf_key_pem));
    done = session_.post_as(std::make_shared<const AccountKey>(std::move(key)), call, stop);
  }
  if (done || is_problem(done.error(), "alreadyRevoked")) return {};
  return fail(std::move(done).error());
}

Result<OrderMessage> Client::read_order(const http::Response& response, const std::string& order_url) {
  EDGETRUST_TRY_ASSIGN(OrderMessage message, parse_order(response.body, session_.policy()));
  message.order.url = order_url;
  message.order.retry_after = http::retry_after(response.headers, session_.now());
  return message;
}

Result<OrderMessage> Client::fetch_order(const std::string& order_url, const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(const http::Response response,
                       session_.post({.url = order_url, .name = "order", .purpose = Purpose::kOrder}, stop));
  return read_order(response, order_url);
}

Result<ports::Authorization> Client::fetch_authorization(const std::string& url, const std::stop_token& stop) {
  const auto response = session_.post({.url = url, .name = "authorization", .purpose = Purpose::kAuthorization}, stop);
  if (!response) {
    // Servers forget authorizations before the orders that had them.
    if (!is_gone(response.error())) return fail(within("authorization", response.error()));
    return ports::Authorization{.url = url, .identifier = {}, .status = ports::AuthorizationStatus::kExpired};
  }
  EDGETRUST_TRY_ASSIGN(
      ports::Authorization authorization,
      parse_authorization(response->body, *session_.key(), session_.policy()).map_error(while_doing("authorization")));
  authorization.url = url;
  return authorization;
}

Status Client::fetch_authorizations(Order& order, const std::stop_token& stop) {
  for (auto& authorization : order.authorizations) {
    EDGETRUST_TRY_ASSIGN(authorization, fetch_authorization(authorization.url, stop));
  }
  return {};
}

namespace {

// Section 7.1.3: an order is for what was asked for. One that is not would be replaced by another without end.
Status check_names(const Order& order, const ports::OrderRequest& request) {
  std::set<std::string> asked;
  for (const auto& address : request.ip_addresses) asked.insert(canonical_address(address));
  for (const auto& name : request.dns_names) asked.insert(lower(name));
  if (order.identifiers.empty() || order.identifiers == asked) return {};
  return fail(Error{.kind = ErrorKind::kProtocol,
                    .what = "the server opened an order for other names than were asked for: " +
                            join({order.identifiers.begin(), order.identifiers.end()}, ", "),
                    .code = std::string(ports::kOrderForOtherNames)});
}

// RFC 9773 section 5: for servers that offer renewal information.
std::string replaces(const ports::OrderRequest& request, const Directory& offers) {
  if (!request.replaces || offers.renewal_info.empty()) return {};
  return certificate_id(*request.replaces).value_or(std::string{});
}

}  // namespace

Result<Order> Client::try_new_order(const ports::OrderRequest& request, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const auto offers, session_.directory(stop));
  const std::string& profile = request.profile.empty() ? wishes_.profile : request.profile;
  const auto& known = offers->profiles;
  if (!profile.empty() && !known.empty() && std::find(known.begin(), known.end(), profile) == known.end()) {
    return fail(ErrorKind::kInvalid,
                "the server has no profile \"" + printable(profile, 64) + "\"; it offers " + join(known, ", "));
  }
  EDGETRUST_TRY_ASSIGN(std::string payload, order_payload(request, profile, replaces(request, *offers)));
  EDGETRUST_TRY_ASSIGN(const http::Response response, session_
                                                          .post({.url = offers->new_order,
                                                                 .name = "newOrder",
                                                                 .purpose = Purpose::kNewOrder,
                                                                 .payload = std::move(payload)},
                                                                stop)
                                                          .map_error([&](Error error) {
                                                            if (is_problem(error, "invalidProfile") && !known.empty())
                                                              error.what += "; the server offers " + join(known, ", ");
                                                            return error;
                                                          }));
  const auto broken = [](Error error) {
    error.maybe_executed = true;
    return error;
  };
  const std::string url(response.headers.get("Location").value_or(""));
  EDGETRUST_TRY(session_.policy().check(url).map_error(broken));
  // The order exists, and its URL is what must not get lost: whatever else goes wrong is seen at the next look.
  auto message = read_order(response, url);
  if (!message) return Order{.url = url};
  EDGETRUST_TRY(check_names(message->order, request).map_error(broken));
  if (!fetch_authorizations(message->order, stop)) message->order.authorizations.clear();
  return std::move(message->order);
}

// The URLs of the account's orders in the server's order; empty when it keeps no list.
Result<std::vector<std::string>> Client::list_orders(const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(const std::string account, session_.account(stop));
  EDGETRUST_TRY_ASSIGN(const http::Response answer,
                       session_.post({.url = account, .name = "account", .purpose = Purpose::kNewOrder}, stop));
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(answer.body));
  std::string page = document.root()["orders"].string_or("");
  std::vector<std::string> urls;
  for (int pages = 0; !page.empty() && pages < kMaxPages; ++pages) {
    const auto list = session_.post({.url = page, .name = "orders", .purpose = Purpose::kNewOrder}, stop);
    if (!list && is_gone(list.error())) break;
    if (!list) return fail(list.error());
    EDGETRUST_TRY_ASSIGN(const auto more, parse_order_list(list->body, session_.policy()));
    urls.insert(urls.end(), more.begin(), more.end());
    page = link_to(list->headers, "next");
  }
  return urls;
}

// Section 7.1.2.1 does not say in which order servers list; Pebble's oldest come first, so the last are looked at
// first.
Result<std::optional<Order>> Client::try_open_order(const ports::OrderRequest& request, const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(const auto urls, list_orders(stop));
  const auto wanted = names_of(request);
  const std::size_t looks = std::min(urls.size(), kMaxLooks);
  for (auto url = urls.rbegin(); url != urls.rbegin() + static_cast<std::ptrdiff_t>(looks); ++url) {
    auto seen = fetch_order(*url, stop);
    if (!seen && is_gone(seen.error())) continue;
    if (!seen) return fail(std::move(seen).error());
    const auto status = seen->order.status;
    const bool over = status == ports::OrderStatus::kValid || status == ports::OrderStatus::kInvalid;
    if (over || seen->names != wanted) continue;
    EDGETRUST_TRY(fetch_authorizations(seen->order, stop));
    return std::optional(std::move(seen->order));
  }
  return std::optional<Order>();
}

Result<Order> Client::try_order(const std::string& order_url, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(OrderMessage message, fetch_order(order_url, stop));
  EDGETRUST_TRY(fetch_authorizations(message.order, stop));
  return std::move(message.order);
}

Status Client::answer(const std::string& challenge_url, std::stop_token stop) {
  const auto response = session_.post(
      {.url = challenge_url, .name = "challenge", .purpose = Purpose::kChallenge, .payload = "{}"}, std::move(stop));
  if (!response) return fail(within("challenge", response.error()));
  return {};
}

Result<Order> Client::try_finalize(const std::string& order_url, const std::string& csr_der, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(OrderMessage seen, fetch_order(order_url, stop));
  if (seen.order.status != ports::OrderStatus::kReady) {
    EDGETRUST_TRY(fetch_authorizations(seen.order, stop));
    return std::move(seen.order);
  }
  const json::Value payload = {{"csr", to_base64url(csr_der)}};
  EDGETRUST_TRY_ASSIGN(
      const http::Response response,
      session_.post(
          {.url = seen.finalize_url, .name = "finalize", .purpose = Purpose::kFinalize, .payload = json::dump(payload)},
          stop));
  // The answer is the order (section 7.4); its URL is the one we asked about: not every server repeats it.
  auto message = read_order(response, order_url);
  if (!message) {
    message.error().maybe_executed = true;
    return fail(std::move(message).error());
  }
  message->order.authorizations.clear();
  return std::move(message->order);
}

Result<std::string> Client::try_certificate(const std::string& certificate_url, const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(http::Response response, session_.post(download(certificate_url), stop));
  EDGETRUST_TRY(is_chain(response.body));
  if (wishes_.preferred_chain.empty()) return std::move(response.body);
  return preferred_of(std::move(response.body), response.headers, stop);
}

// The first of the chains that ends at the preferred root, else the one that the server prefers (section 7.4.2). One
// that cannot be read is none; one that cannot be fetched now may be the one: then nothing is decided.
Result<std::string> Client::preferred_of(std::string chain, const http::Headers& headers, const std::stop_token& stop) {
  if (ends_at(chain, wishes_.preferred_chain)) return chain;
  const auto links = links_to(headers, "alternate");
  for (const auto& link : links | std::views::take(kMaxAlternates)) {
    auto response = session_.post(download(link), stop);
    if (!response && is_passing(response.error())) return fail(within("alternate chain", response.error()));
    if (response && is_chain(response->body) && ends_at(response->body, wishes_.preferred_chain))
      return std::move(response->body);
  }
  return chain;
}

// RFC 9773 section 4.1: a GET that needs no account.
Result<std::optional<RenewalInfo>> Client::try_renewal_info(const ports::CertificateId& certificate,
                                                            std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const auto offers, session_.directory(stop));
  if (offers->renewal_info.empty()) return std::optional<RenewalInfo>();
  EDGETRUST_TRY_ASSIGN(const std::string id, certificate_id(certificate));
  const std::string slash = offers->renewal_info.ends_with('/') ? "" : "/";
  EDGETRUST_TRY_ASSIGN(const http::Response response, session_.get(offers->renewal_info + slash + id, "renewalInfo",
                                                                   kMaxRenewalInfo, std::move(stop)));
  const auto retry_after = http::retry_after(response.headers, session_.now());
  auto info = parse_renewal_info(response.body);
  if (!info) {
    info.error().retry_after = retry_after;
    return fail(std::move(info).error());
  }
  info->retry_after = retry_after;
  return std::optional(std::move(*info));
}

}  // namespace

Result<std::unique_ptr<ports::CertificateAuthority>> make_client(Config config,
                                                                 std::shared_ptr<http::Transport> transport,
                                                                 const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(UrlPolicy policy, UrlPolicy::create(config.directory_url, config.allowed_hosts));
  EDGETRUST_TRY_ASSIGN(AccountKey key, AccountKey::create(config.account_key_pem));
  std::shared_ptr<const AccountKey> next_key;
  if (!config.next_account_key_pem.empty()) {
    EDGETRUST_TRY_ASSIGN(AccountKey next, AccountKey::create(config.next_account_key_pem).map_error([](Error e) {
      return within("the next one", std::move(e));
    }));
    next_key = std::make_shared<const AccountKey>(std::move(next));
  }
  EDGETRUST_TRY_ASSIGN(Registration registration,
                       Registration::create(config.contact_email, std::move(config.external_account)));
  Session::Parts parts{.policy = std::move(policy),
                       .key = std::make_shared<const AccountKey>(std::move(key)),
                       .next_key = std::move(next_key),
                       .registration = std::move(registration),
                       .user_agent = std::move(config.user_agent)};
  return std::make_unique<Client>(
      std::move(parts),
      Client::Wishes{.profile = std::move(config.profile), .preferred_chain = std::move(config.preferred_chain)},
      std::move(transport), clock);
}

}  // namespace edgetrust::acme
