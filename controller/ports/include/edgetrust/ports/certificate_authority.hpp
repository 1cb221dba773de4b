#pragma once
// A certificate authority that issues by ACME (RFC 8555), as the engine sees it: one call is at most one mutating
// request, nothing waits or retries by itself (a rejected nonce aside), and everything needed to go on after a crash is
// in the order's URL and the keys. Implemented by acme/. Threads: every call may come from any thread.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

enum class OrderStatus { kPending, kReady, kProcessing, kValid, kInvalid };
enum class AuthorizationStatus { kPending, kValid, kInvalid, kDeactivated, kExpired, kRevoked };
enum class ChallengeStatus { kPending, kProcessing, kValid, kInvalid };

// dns-01 (RFC 8555 section 8.4).
struct DnsChallenge {
  std::string url;
  std::string record_name;   // "_acme-challenge.edge01.example.com", no trailing dot
  std::string record_value;  // what the TXT record must hold: base64url(SHA-256(key authorization))
  ChallengeStatus status = ChallengeStatus::kPending;
  std::optional<Error> error;  // why the server found it invalid
};

// http-01 (section 8.3): what the server wants to find at
// http://<identifier>/.well-known/acme-challenge/<token>.
struct HttpChallenge {
  std::string url;
  std::string token;               // base64url: fit for a path
  std::string account_thumbprint;  // of the account's key (RFC 7638): the answer is the token, a dot, and this
  ChallengeStatus status = ChallengeStatus::kPending;
  std::optional<Error> error;  // why the server found it invalid
};

struct Authorization {
  std::string url;
  std::string identifier;  // as ordered: "edge01.example.com", "*.example.com", "192.0.2.7"
  AuthorizationStatus status = AuthorizationStatus::kPending;
  std::optional<DnsChallenge> dns = {};    // absent when the server does not offer dns-01
  std::optional<HttpChallenge> http = {};  // absent when the server does not offer http-01
  bool is_address = false;                 // of an IP address, for which there is no dns-01 (RFC 8738 section 7)
};

struct Order {
  std::string url;                    // what a crashed operator comes back to
  std::set<std::string> identifiers;  // what it was made for, in lower case: "edge01.example.com", "*.example.com";
                                      // addresses in the form of base/text.hpp's canonical_address
  OrderStatus status = OrderStatus::kPending;
  std::optional<TimePoint> expires;
  std::vector<Authorization> authorizations;  // all of them, or none when they were not looked at: order() always does
  std::string certificate_url;                // set once valid
  std::optional<Error> error;                 // why it is invalid
  std::optional<std::chrono::seconds> retry_after;  // the server's wish for the next look, as it came
};

// What names a certificate to the CA that issued it: both lower-case hex, as ChainFacts has them.
struct CertificateId {
  std::string authority_key_id;
  std::string serial_number;
  bool operator==(const CertificateId&) const = default;
};

struct OrderRequest {
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // RFC 8738
  std::string profile;                    // empty: the server's default
  std::optional<CertificateId> replaces;  // RFC 9773 section 5; not said to a server that offers no renewal information
};

// When a CA would have a certificate renewed (RFC 9773 section 4.2).
struct RenewalInfo {
  TimePoint start;  // of the suggested window: whole seconds, and before `end`
  TimePoint end;
  std::string explanation_url;                      // for people, https; empty for none
  std::optional<std::chrono::seconds> retry_after;  // the server's wish for the next look, as it came
};

// What a server says of itself (RFC 8555 section 7.1.1).
struct Offers {
  std::vector<std::string> profiles;  // empty when it names none
  std::string terms_of_service;       // https; empty for none
};

// Why a certificate is revoked: the reasons of RFC 5280 section 5.3.1 that a subscriber may give.
enum class RevocationReason {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5
};

// Error::code when the server has opened an order, but for other names than were asked for.
inline constexpr std::string_view kOrderForOtherNames = "OrderForOtherNames";
// Error::code when the account was deactivated: the CA takes it for nothing any more.
inline constexpr std::string_view kAccountDeactivated = "AccountDeactivated";

class CertificateAuthority {
 public:
  virtual ~CertificateAuthority() = default;

  // The account's URL: found by the key, or created (RFC 8555 section 7.3). Idempotent; cached for six days,
  // then proved anew. Where the server shows another contact than ours, ours is told to it (section 7.3.2).
  virtual Result<std::string> account(std::stop_token stop) = 0;
  // What the server offers; cached for an hour.
  virtual Result<Offers> offers(std::stop_token stop) = 0;
  // Makes this the account's key (section 7.3.5), by asking first whether it is already: idempotent, also after a lost
  // answer. Later calls are signed with it. Errors: kInvalid when it is another account's key, kUnsupported when the
  // server changes no keys.
  virtual Status change_key(const Secret& next_key_pem, std::stop_token stop) = 0;
  // Ends the account for good (section 7.3.6). Idempotent.
  virtual Status deactivate_account(std::stop_token stop) = 0;
  // The order exists once the server said so: when anything after that fails, it is returned with its URL alone, as
  // pending and without authorizations: look at it with order() before acting on it. Never repeated by itself: after an
  // Error with maybe_executed see open_order.
  virtual Result<Order> new_order(const OrderRequest& request, std::stop_token stop) = 0;
  // The newest order of this account that is still open (pending, ready or processing) and names exactly what `request`
  // names: what a lost answer to new_order left behind. Empty when there is none, or when the server keeps no list (RFC
  // 8555 section 7.1.2.1 makes it optional in practice).
  virtual Result<std::optional<Order>> open_order(const OrderRequest& request, std::stop_token stop) = 0;
  // The order and all its authorizations as they are now. kNotFound when the server no longer knows it.
  virtual Result<Order> order(const std::string& order_url, std::stop_token stop) = 0;
  // Tells the server that the record is there (section 7.5.1).
  virtual Status answer(const std::string& challenge_url, std::stop_token stop) = 0;
  // Sends the CSR (DER, section 7.4). Idempotent by looking first: an order that is no longer `ready` is returned as it
  // is. After sending, the order comes without its authorizations.
  virtual Result<Order> finalize(const std::string& order_url, const std::string& csr_der, std::stop_token stop) = 0;
  // Gives up an authorization that nobody will answer any more (section 7.5.2). Success also when it is over already.
  virtual Status deactivate_authorization(const std::string& authorization_url, std::stop_token stop) = 0;
  // Revokes the leaf of this chain (section 7.6): as the account, or where that may not, with the leaf's own key, which
  // may be empty. Success also when it is revoked already.
  virtual Status revoke(const std::string& chain_pem, RevocationReason reason, const Secret& leaf_key_pem,
                        std::stop_token stop) = 0;
  // The chain of a valid order: PEM, leaf first, bounded in size (section 7.4.2); of the alternate ones that which ends
  // at the preferred root, if there is one.
  virtual Result<std::string> certificate(const std::string& certificate_url, std::stop_token stop) = 0;
  // When this certificate should be renewed. Empty when the server offers no renewal information at all. kNotFound when
  // it does not know the certificate; kProtocol also for a window that does not end after its start.
  virtual Result<std::optional<RenewalInfo>> renewal_info(const CertificateId& certificate, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
