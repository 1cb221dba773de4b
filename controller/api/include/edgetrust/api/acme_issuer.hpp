#pragma once
// AcmeIssuer: a certificate authority that speaks ACME, and how its challenges are answered.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/object.hpp"

namespace edgetrust::api {

enum class CreateKey { kIfMissing, kNever };
struct AccountKeyRef {
  std::string name;
  std::string key = "tls.key";
  CreateKey create = CreateKey::kIfMissing;
};
enum class MacAlgorithm { kHs256, kHs384, kHs512 };
struct ExternalAccountBinding {
  std::string key_id;
  std::optional<MacAlgorithm> algorithm;  // default HS256
  std::optional<SecretKeyRef> hmac_key_ref;
  std::optional<SecretKeyRef> zero_ssl_api_key_ref;
};
struct IssuerLimits {
  std::optional<int> new_orders_per_3_hours;
  std::optional<int> certificates_per_domain_per_week;
  std::optional<int> duplicates_per_week;
};
struct SolverSelector {
  std::vector<std::string> dns_zones;
  std::vector<std::string> dns_names;
};
struct CloudflareSolver {
  SecretKeyRef api_token_ref;
};
struct Route53Solver {
  std::string region;
  std::string hosted_zone_id;
  std::optional<SecretKeyRef> access_key_id_ref;
  std::optional<SecretKeyRef> secret_access_key_ref;
  std::string role_arn;
};
struct AzureDnsSolver {
  std::string subscription_id;
  std::string resource_group;
  std::string zone_name;
  std::string tenant_id;
  std::string client_id;
  std::optional<SecretKeyRef> client_secret_ref;
  std::string environment;
};
enum class TsigAlgorithm { kHmacSha256, kHmacSha384, kHmacSha512 };
struct Rfc2136Solver {
  std::string nameserver;
  std::string tsig_key_name;
  TsigAlgorithm tsig_algorithm = TsigAlgorithm::kHmacSha256;
  std::optional<SecretKeyRef> tsig_secret_ref;
};
struct AcmeDnsSolver {
  std::string host;
  SecretKeyRef account_ref;
};
struct WebhookSolver {
  std::string url;
  std::optional<CaBundleRef> ca_bundle_ref;
  std::optional<LocalRef> basic_auth_ref;
};
enum class CnameStrategy { kNone, kFollow };
struct Propagation {
  std::optional<Duration> wait;
  std::optional<Duration> timeout;
  std::vector<std::string> nameservers;
};
struct Dns01Solver {
  std::optional<CloudflareSolver> cloudflare;
  std::optional<Route53Solver> route53;
  std::optional<AzureDnsSolver> azure_dns;
  std::optional<Rfc2136Solver> rfc2136;
  std::optional<AcmeDnsSolver> acme_dns;
  std::optional<WebhookSolver> webhook;
  std::optional<CnameStrategy> cname_strategy;
  std::vector<std::string> delegation_zones;
  std::optional<Propagation> propagation;
};
struct Http01Solver {};
struct Solver {
  std::optional<SolverSelector> selector;
  std::optional<Dns01Solver> dns01;
  std::optional<Http01Solver> http01;
};
struct AcmeIssuerSpec {
  std::string server;
  std::string email;
  AccountKeyRef account_key_ref;
  std::optional<ExternalAccountBinding> external_account_binding;
  std::optional<CaBundleRef> ca_bundle_ref;
  std::vector<std::string> allowed_hosts;
  std::string profile;
  std::string preferred_chain;
  std::optional<bool> use_ari;
  std::optional<IssuerLimits> limits;
  std::vector<Solver> solvers;
};
// The CA wanted no orders for a while.
struct RefusalStatus {
  TimePoint at;
  TimePoint until;
  std::string message;  // its words, for people
  bool operator==(const RefusalStatus&) const = default;
};
struct HandledIssuerRequests {
  std::string rollover;
  std::string deactivate;
};
struct AcmeIssuerStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::string account_uri;
  std::string terms_of_service;
  std::optional<HandledIssuerRequests> handled_requests;
  std::string limited_until;                  // for the LIMITED-UNTIL column; empty once it is over
  std::optional<RefusalStatus> last_refusal;  // stays when it is over: the next may have to last longer
  std::string last_error;
};

using AcmeIssuer = Object<AcmeIssuerSpec, AcmeIssuerStatus>;

// A name in lower case, an address in the form of base/text.hpp's canonical_address.
std::string canonical_identifier(std::string_view identifier);
// The solver for a name or an address, in whichever form: the one whose selector names it, or whose zone is the longest
// suffix of it, else the one without a selector. Of those that can prove it: an address http01 alone (RFC 8738 section
// 7), a wildcard dns01 alone (the CA/Browser Forum's rules). Null when none serves it.
const Solver* solver_for(const AcmeIssuerSpec& issuer, std::string_view identifier);
// The same among those of dns01: which writes the TXT records of a name, and of the wildcard below it.
const Solver* dns_solver_for(const AcmeIssuerSpec& issuer, std::string_view dns_name);

// Where a binding that came from ZeroSSL is kept: `<issuer>-zerossl-eab`, with the keys keyId and hmacKey.
std::string binding_secret_name(const std::string& issuer_name);
// Beside the account's key in its Secret while that is being changed: the key that takes its place.
std::string next_account_key(const AccountKeyRef& ref);

inline constexpr Duration kDefaultPropagationWait = std::chrono::seconds{120};  // the guide's floor
inline constexpr Duration kDefaultPropagationTimeout = std::chrono::minutes{10};

}  // namespace edgetrust::api
