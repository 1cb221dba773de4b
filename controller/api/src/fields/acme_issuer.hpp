#pragma once
// Field lists of AcmeIssuer.
#include "edgetrust/api/acme_issuer.hpp"
#include "fields/common.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::CreateKey> {
  static constexpr std::array<std::pair<api::CreateKey, std::string_view>, 2> kNames = {
      {{api::CreateKey::kIfMissing, "IfMissing"}, {api::CreateKey::kNever, "Never"}}};
};
template <>
struct EnumNames<api::MacAlgorithm> {
  static constexpr std::array<std::pair<api::MacAlgorithm, std::string_view>, 3> kNames = {
      {{api::MacAlgorithm::kHs256, "HS256"},
       {api::MacAlgorithm::kHs384, "HS384"},
       {api::MacAlgorithm::kHs512, "HS512"}}};
};
template <>
struct EnumNames<api::TsigAlgorithm> {
  static constexpr std::array<std::pair<api::TsigAlgorithm, std::string_view>, 3> kNames = {
      {{api::TsigAlgorithm::kHmacSha256, "HmacSha256"},
       {api::TsigAlgorithm::kHmacSha384, "HmacSha384"},
       {api::TsigAlgorithm::kHmacSha512, "HmacSha512"}}};
};
template <>
struct EnumNames<api::CnameStrategy> {
  static constexpr std::array<std::pair<api::CnameStrategy, std::string_view>, 2> kNames = {
      {{api::CnameStrategy::kNone, "None"}, {api::CnameStrategy::kFollow, "Follow"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// A field a line, with all that is said of it.
// clang-format off
template <class V>
void fields(V& v, AccountKeyRef& ref) {
  using namespace json;
  v("name", ref.name, required, min_length(1), max_length(253), pattern(kNamePattern), doc("Name of the Secret with the account's private key."));
  v("key", ref.key, min_length(1), max_length(253), pattern(kSecretKeyPattern), preset("\"tls.key\""), doc("Key in the Secret's data; the value is a private key in PEM."));
  v("create", ref.create, preset("\"IfMissing\""), doc("IfMissing: the operator makes the key. Never: it must exist."));
}

template <class V>
void fields(V& v, ExternalAccountBinding& eab) {
  using namespace json;
  v("keyId", eab.key_id, max_length(256), doc("The key identifier that the CA gave."));
  v("algorithm", eab.algorithm, doc("How the binding is signed: HS256, HS384 or HS512. Default HS256."));
  v("hmacKeyRef", eab.hmac_key_ref, doc("The HMAC key that the CA gave, base64url as it came."));
  v("zeroSslApiKeyRef", eab.zero_ssl_api_key_ref, doc("ZeroSSL's API key: the binding is fetched with it, once, and kept in the Secret <issuer>-zerossl-eab."));
  v.rule("has(self.zeroSslApiKeyRef) != has(self.hmacKeyRef)", "set exactly one of hmacKeyRef (with keyId) and zeroSslApiKeyRef");
  v.rule("!has(self.hmacKeyRef) || (has(self.keyId) && self.keyId.size() > 0)", "hmacKeyRef needs keyId beside it");
}

template <class V>
void fields(V& v, IssuerLimits& limits) {
  using namespace json;
  v("newOrdersPer3Hours", limits.new_orders_per_3_hours, minimum(0), maximum(100000), doc("Orders that an account may make in 3 hours; 0 for no limit. Default 300 at Let's Encrypt's own hosts, else 0."));
  v("certificatesPerDomainPerWeek", limits.certificates_per_domain_per_week, minimum(0), maximum(100000), doc("Certificates that may be ordered for one registered domain in 7 days, renewals of the same names left out; 0 for no limit. Default 50 at Let's Encrypt's own hosts, else 0."));
  v("duplicatesPerWeek", limits.duplicates_per_week, minimum(0), maximum(100000), doc("Certificates that may be ordered for one set of names in 7 days; 0 for no limit. Default 5 at Let's Encrypt's own hosts, else 0."));
}

template <class V>
void fields(V& v, SolverSelector& selector) {
  using namespace json;
  v("dnsZones", selector.dns_zones, max_items(64), item_max_length(253), item_pattern(kDnsNamePattern), doc("Zones that this solver serves; the longest matching one wins."));
  v("dnsNames", selector.dns_names, max_items(100), item_max_length(253), item_pattern(kIdentifierPattern), doc("Names and IP addresses that this solver serves; wins over zones."));
}

template <class V>
void fields(V& v, CloudflareSolver& solver) {
  using namespace json;
  v("apiTokenRef", solver.api_token_ref, required, doc("An API token with the permissions Zone:Zone:Read and Zone:DNS:Edit for the zone."));
}
template <class V>
void fields(V& v, Route53Solver& solver) {
  using namespace json;
  v("region", solver.region, max_length(64), pattern("^[a-z0-9-]*$"), doc("AWS region; it names the partition, and the STS server that a role is assumed at. Default: the pod's AWS_REGION, else us-east-1."));
  v("hostedZoneId", solver.hosted_zone_id, max_length(64), pattern("^[A-Za-z0-9]*$"), doc("Id of the hosted zone. Default: the public hosted zone with the name of the zone that holds the challenge."));
  v("accessKeyIdRef", solver.access_key_id_ref, doc("Access key id; without keys the web identity of the operator's pod is used."));
  v("secretAccessKeyRef", solver.secret_access_key_ref, doc("Secret access key."));
  v("roleArn", solver.role_arn, max_length(2048), pattern("^(arn:[a-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+)?$"), doc("Role to assume with those."));
  v.rule("has(self.accessKeyIdRef) == has(self.secretAccessKeyRef)", "set accessKeyIdRef and secretAccessKeyRef together, or neither");
}
template <class V>
void fields(V& v, AzureDnsSolver& solver) {
  using namespace json;
  v("subscriptionId", solver.subscription_id, required, min_length(1), max_length(64), pattern("^[A-Za-z0-9-]+$"), doc("Subscription of the zone."));
  v("resourceGroup", solver.resource_group, required, min_length(1), max_length(90), pattern(R"(^[-\w.()]+$)"), doc("Resource group of the zone."));
  v("zoneName", solver.zone_name, max_length(253), doc("Name of the zone. Default: the zone that holds the challenge."));
  v("tenantId", solver.tenant_id, max_length(64), pattern("^[A-Za-z0-9.-]*$"), doc("Tenant to log in to. Default: the pod's AZURE_TENANT_ID."));
  v("clientId", solver.client_id, max_length(64), pattern("^[A-Za-z0-9-]*$"), doc("Client to log in as. Default: the pod's AZURE_CLIENT_ID."));
  v("clientSecretRef", solver.client_secret_ref, doc("Client secret; without it the workload identity of the operator's pod is used."));
  v("environment", solver.environment, max_length(64), pattern("^(AzurePublicCloud|AzureUSGovernmentCloud|AzureChinaCloud)?$"), doc("Azure cloud: AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud. Default AzurePublicCloud."));
  v.rule("!has(self.clientSecretRef) || (has(self.tenantId) && self.tenantId.size() > 0 && has(self.clientId) && self.clientId.size() > 0)", "clientSecretRef needs tenantId and clientId beside it");
}
template <class V>
void fields(V& v, Rfc2136Solver& solver) {
  using namespace json;
  v("nameserver", solver.nameserver, required, min_length(1), max_length(260), pattern(R"(^(\[[0-9a-fA-F:]+\]|[^\s:\[\]]+)(:[0-9]{1,5})?$)"), doc("Server that takes dynamic updates, host or host:port."));
  v("tsigKeyName", solver.tsig_key_name, max_length(253), doc("Name of the TSIG key."));
  v("tsigAlgorithm", solver.tsig_algorithm, doc("Algorithm of the TSIG key. Default HmacSha256."));
  v("tsigSecretRef", solver.tsig_secret_ref, doc("The TSIG key, base64 as in BIND's key files."));
  v.rule("has(self.tsigSecretRef) == (has(self.tsigKeyName) && self.tsigKeyName.size() > 0)", "set tsigKeyName and tsigSecretRef together, or neither");
}
template <class V>
void fields(V& v, AcmeDnsSolver& solver) {
  using namespace json;
  v("host", solver.host, required, max_length(1024), pattern(kHttpsPattern), doc("URL of the acme-dns server, https."));
  v("accountRef", solver.account_ref, required, doc("An account of acme-dns as its /register answers, or an object of those by domain name, as lego and cert-manager keep them. The challenge's name must be a CNAME of the account's fulldomain."));
}
template <class V>
void fields(V& v, WebhookSolver& solver) {
  using namespace json;
  v("url", solver.url, required, max_length(1024), pattern(kHttpsPattern), doc("URL of a server that speaks lego's httpreq protocol."));
  v("caBundleRef", solver.ca_bundle_ref, doc("CA certificates that the server's certificate is checked against."));
  v("basicAuthRef", solver.basic_auth_ref, doc("A Secret with the keys username and password."));
}

template <class V>
void fields(V& v, Propagation& propagation) {
  using namespace json;
  v("wait", propagation.wait, doc("Shortest time between writing a record and asking the CA to look, however soon every server has it. Default 120s."));
  v("timeout", propagation.timeout, doc("Longest time for every server to have the record. Default 10m."));
  v("nameservers", propagation.nameservers, max_items(16), item_max_length(260), item_pattern(R"(^(\[[0-9a-fA-F:]+\]|[^\s:\[\]]+)(:[0-9]{1,5})?$)"), doc("Servers to ask for the record, host or host:port; also for the zone of its name and for its aliases. Default: every authoritative server of the zone, found by the resolvers of the operator's pod."));
}

template <class V>
void fields(V& v, Dns01Solver& solver) {
  using namespace json;
  v("cloudflare", solver.cloudflare, doc("Cloudflare DNS."));
  v("route53", solver.route53, doc("Amazon Route 53."));
  v("azureDns", solver.azure_dns, doc("Azure DNS."));
  v("rfc2136", solver.rfc2136, doc("Dynamic update (RFC 2136) with TSIG: BIND, Knot, PowerDNS, Windows DNS, Infoblox."));
  v("acmeDns", solver.acme_dns, doc("acme-dns."));
  v("webhook", solver.webhook, doc("A server of your own that speaks lego's httpreq protocol."));
  v("cnameStrategy", solver.cname_strategy, doc("None, or Follow: the record is written where a CNAME at the challenge's name points, within delegationZones. Default None."));
  v("delegationZones", solver.delegation_zones, max_items(16), item_max_length(253), item_pattern(kDnsNamePattern), doc("Zones that a CNAME may lead into: each name on its way must be in one of them."));
  v("propagation", solver.propagation, doc("When a record counts as visible."));
  v.rule("[has(self.cloudflare), has(self.route53), has(self.azureDns), has(self.rfc2136), has(self.acmeDns), has(self.webhook)].filter(x, x).size() == 1",
         "set exactly one of cloudflare, route53, azureDns, rfc2136, acmeDns and webhook");
  v.rule("!has(self.cnameStrategy) || self.cnameStrategy != 'Follow' || (has(self.delegationZones) && self.delegationZones.size() > 0)", "cnameStrategy Follow needs delegationZones: the zones that a CNAME may lead into");
  v.rule("!has(self.acmeDns) || !has(self.cnameStrategy) || self.cnameStrategy == 'None'", "acmeDns follows the CNAME to its own account: leave cnameStrategy out");
}

template <class V>
void fields(V& /*v*/, Http01Solver& /*solver*/) {}

template <class V>
void fields(V& v, Solver& solver) {
  using namespace json;
  v("selector", solver.selector, doc("Which names this solver serves; without one it serves all that no other does."));
  v("dns01", solver.dns01, doc("Answer by a TXT record."));
  v("http01", solver.http01, doc("Answer by HTTP: the operator gives the answer on the port of its --http01-port, to which port 80 of the name must lead. Proves addresses too, but no wildcard."));
  v.rule("has(self.dns01) != has(self.http01)", "set exactly one of dns01 and http01");
}

template <class V>
void fields(V& v, AcmeIssuerSpec& spec) {
  using namespace json;
  v("server", spec.server, required, max_length(1024), pattern(kHttpsPattern), doc("URL of the ACME directory, https."));
  v("email", spec.email, max_length(254), doc("Contact of the account."));
  v("accountKeyRef", spec.account_key_ref, required, doc("Where the account's private key is kept."));
  v("externalAccountBinding", spec.external_account_binding, doc("Binds the account to one at the CA (ZeroSSL, Vault)."));
  v("caBundleRef", spec.ca_bundle_ref, doc("CA certificates that the ACME server's own certificate is checked against. Default: the public roots."));
  v("allowedHosts", spec.allowed_hosts, max_items(16), item_max_length(253), item_pattern(kDnsNamePattern), doc("Hosts besides the directory's own that the server may name in its URLs."));
  v("profile", spec.profile, max_length(128), doc("Certificate profile to ask for."));
  v("preferredChain", spec.preferred_chain, max_length(256), doc("Common name of the root to prefer among alternate chains; where the CA offers none that ends there, its default chain is taken."));
  v("useAri", spec.use_ari, doc("Whether the CA is asked when to renew (RFC 9773), and is told which certificate an order replaces. It can bring a renewal forward, never put it off. Default true."));
  v("limits", spec.limits, doc("The CA's rate limits, kept as budgets: what would exceed one waits. An order that tells the CA which certificate it replaces (useAri) counts against none."));
  v("solvers", spec.solvers, required, min_items(1), max_items(32), doc("How challenges are answered. The longest matching zone wins; a solver without a selector serves the rest. Only http01 proves addresses, only dns01 wildcards: the other kind is passed over for them."));
}

template <class V>
void fields(V& v, RefusalStatus& refusal) {
  using namespace json;
  v("at", refusal.at, required, doc("When the CA said so."));
  v("until", refusal.until, required, doc("Until when nothing is ordered."));
  v("message", refusal.message, doc("What the CA said, for people."));
}

template <class V>
void fields(V& v, HandledIssuerRequests& handled) {
  using namespace json;
  v("rollover", handled.rollover, doc("Last value of edgetrust.io/rollover-requested-at that was acted on."));
  v("deactivate", handled.deactivate, doc("Last value of edgetrust.io/deactivate-requested-at that was acted on."));
}

template <class V>
void fields(V& v, AcmeIssuerStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready."));
  v("accountUri", status.account_uri, doc("The account at the CA."));
  v("termsOfService", status.terms_of_service, doc("The CA's terms of service that the account has agreed to."));
  v("handledRequests", status.handled_requests, doc("Requests by annotation that were acted on."));
  v("limitedUntil", status.limited_until, doc("Until when the CA wants no orders; absent when it takes some."));
  v("lastRefusal", status.last_refusal, doc("When it wanted none the last time, and until when."));
  v("lastError", status.last_error, doc("The last error, for people."));
}
// clang-format on

}  // namespace edgetrust::api
