#include "zone_maker.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/acmedns/acmedns_zone.hpp"
#include "edgetrust/dns/aliased_zone.hpp"
#include "edgetrust/dns/azuredns/azuredns_zone.hpp"
#include "edgetrust/dns/cloudflare/cloudflare_zone.hpp"
#include "edgetrust/dns/rfc2136/rfc2136_zone.hpp"
#include "edgetrust/dns/route53/route53_zone.hpp"
#include "edgetrust/dns/webhook/webhook_zone.hpp"

namespace edgetrust {
namespace {

std::string place_of(const api::SecretKeyRef& ref) { return "Secret " + ref.name + " key " + ref.key; }

std::vector<std::string> nameservers_of(const api::Dns01Solver& solver) {
  return solver.propagation ? solver.propagation->nameservers : std::vector<std::string>{};
}

dns::TsigAlgorithm to_dns(api::TsigAlgorithm algorithm) {
  switch (algorithm) {
    case api::TsigAlgorithm::kHmacSha256: return dns::TsigAlgorithm::kHmacSha256;
    case api::TsigAlgorithm::kHmacSha384: return dns::TsigAlgorithm::kHmacSha384;
    case api::TsigAlgorithm::kHmacSha512: return dns::TsigAlgorithm::kHmacSha512;
  }
  return dns::TsigAlgorithm::kHmacSha256;
}

}  // namespace

dns::Delegation ZoneMaker::delegation(const api::Dns01Solver& solver) const {
  return {resolver_, clock_, random_, {.nameservers = nameservers_of(solver)}};
}

dns::FindZone ZoneMaker::find_zone(const api::Dns01Solver& solver) const {
  return [delegation = delegation(solver)](const std::string& name, std::stop_token stop) {
    return delegation.zone_of(name, std::move(stop));
  };
}

Result<std::shared_ptr<http::Transport>> ZoneMaker::transport(const References& references) const {
  EDGETRUST_TRY_ASSIGN(http::TlsOptions trust, references.trust(std::nullopt));
  trust.ca_pem += clouds_.ca_pem;
  return http::make_transport(std::move(trust));
}

ZoneMaker::Zone ZoneMaker::make(const api::Dns01Solver& solver, const References& references) {
  EDGETRUST_TRY_ASSIGN(std::shared_ptr<ports::DnsZone> zone, provider(solver, references));
  if (solver.cname_strategy != api::CnameStrategy::kFollow || solver.acme_dns) return zone;
  return std::make_shared<dns::AliasedZone>(std::move(zone), delegation(solver), solver.delegation_zones);
}

ZoneMaker::Zone ZoneMaker::provider(const api::Dns01Solver& solver, const References& references) {
  if (solver.cloudflare) return cloudflare(solver, references);
  if (solver.route53) return route53(solver, references);
  if (solver.azure_dns) return azure_dns(solver, references);
  if (solver.rfc2136) return rfc2136(solver, references);
  if (solver.acme_dns) return acme_dns(solver, references);
  if (solver.webhook) return webhook(solver, references);
  return fail(ErrorKind::kUnsupported, "it has no provider that this version serves");
}

ZoneMaker::Zone ZoneMaker::cloudflare(const api::Dns01Solver& solver, const References& references) const {
  const auto& ref = solver.cloudflare->api_token_ref;
  dns::CloudflareOptions options{.api = clouds_.endpoint("cloudflare", std::string(dns::kCloudflareApi)),
                                 .credential = place_of(ref)};
  EDGETRUST_TRY_ASSIGN(options.token, references.secret(ref.name, ref.key));
  EDGETRUST_TRY_ASSIGN(auto http, transport(references));
  return dns::CloudflareZone::create(std::move(options), std::move(http), find_zone(solver), clock_);
}

ZoneMaker::Zone ZoneMaker::route53(const api::Dns01Solver& solver, const References& references) const {
  const auto& spec = *solver.route53;
  std::string region = spec.region.empty() ? clouds_.aws_region : spec.region;
  if (region.empty()) region = "us-east-1";
  const dns::AwsPartition partition = dns::aws_partition(region);
  dns::Route53Options options{.api = clouds_.endpoint("route53", partition.route53),
                              .signing_region = partition.signing_region,
                              .hosted_zone_id = spec.hosted_zone_id,
                              .credential = "the operator's pod (AWS_WEB_IDENTITY_TOKEN_FILE)"};
  options.login.sts = clouds_.endpoint("sts", partition.sts);
  options.login.region = region;
  options.login.role_arn = spec.role_arn;
  if (spec.access_key_id_ref && spec.secret_access_key_ref) {
    const auto& [id, secret] = std::tie(*spec.access_key_id_ref, *spec.secret_access_key_ref);
    EDGETRUST_TRY_ASSIGN(const Secret key_id, references.secret(id.name, id.key));
    EDGETRUST_TRY_ASSIGN(const Secret key, references.secret(secret.name, secret.key));
    options.login.keys = dns::AwsKeys{.access_key_id = std::string(trim(key_id.expose())),
                                      .secret_access_key = Secret(trim(key.expose())),
                                      .session_token = {}};
    options.credential = place_of(id) + " and " + place_of(secret);
  } else if (!clouds_.aws_token_file.empty()) {
    options.login.web_identity =
        dns::AwsWebIdentity{.role_arn = clouds_.aws_role_arn, .token = token_file(clouds_.aws_token_file)};
  }
  EDGETRUST_TRY_ASSIGN(auto http, transport(references));
  return dns::Route53Zone::create(std::move(options), std::move(http), find_zone(solver), clock_);
}

ZoneMaker::Zone ZoneMaker::azure_dns(const api::Dns01Solver& solver, const References& references) const {
  const auto& spec = *solver.azure_dns;
  EDGETRUST_TRY_ASSIGN(const dns::AzureCloud cloud, dns::azure_cloud(spec.environment));
  dns::AzureDnsOptions options{.management = clouds_.endpoint("azure", cloud.management),
                               .subscription = spec.subscription_id,
                               .resource_group = spec.resource_group,
                               .zone = spec.zone_name,
                               .credential = "the operator's pod (AZURE_FEDERATED_TOKEN_FILE)"};
  std::string authority = cloud.login;
  options.login.tenant = spec.tenant_id.empty() ? clouds_.azure_tenant_id : spec.tenant_id;
  options.login.client_id = spec.client_id.empty() ? clouds_.azure_client_id : spec.client_id;
  options.login.scope = cloud.management + "/.default";
  if (const auto& ref = spec.client_secret_ref) {
    EDGETRUST_TRY_ASSIGN(const Secret secret, references.secret(ref->name, ref->key));
    options.login.client_secret = Secret(trim(secret.expose()));
    options.credential = place_of(*ref);
  } else if (!clouds_.azure_token_file.empty()) {
    options.login.federated_token = token_file(clouds_.azure_token_file);
    if (!clouds_.azure_authority_host.empty()) authority = clouds_.azure_authority_host;
  }
  options.login.authority = clouds_.endpoint("azure-login", authority);
  EDGETRUST_TRY_ASSIGN(auto http, transport(references));
  return dns::AzureDnsZone::create(std::move(options), std::move(http), find_zone(solver), clock_);
}

ZoneMaker::Zone ZoneMaker::rfc2136(const api::Dns01Solver& solver, const References& references) const {
  const auto& spec = *solver.rfc2136;
  dns::Rfc2136Options options{.nameserver = spec.nameserver,
                              .tsig_key_name = spec.tsig_key_name,
                              .tsig_algorithm = to_dns(spec.tsig_algorithm)};
  const auto& ref = spec.tsig_secret_ref;
  if (ref) {
    EDGETRUST_TRY_ASSIGN(options.tsig_secret, references.secret(ref->name, ref->key));
  }
  auto zone = dns::Rfc2136Zone::create(std::move(options), resolver_, clock_, random_);
  if (!zone && ref) return tl::unexpected(within(place_of(*ref), std::move(zone).error()));
  return zone;
}

ZoneMaker::Zone ZoneMaker::acme_dns(const api::Dns01Solver& solver, const References& references) {
  const auto& spec = *solver.acme_dns;
  dns::AcmeDnsOptions options{
      .host = spec.host, .credential = place_of(spec.account_ref), .nameservers = nameservers_of(solver)};
  EDGETRUST_TRY_ASSIGN(options.accounts, references.secret(spec.account_ref.name, spec.account_ref.key));
  EDGETRUST_TRY_ASSIGN(auto http, transport(references));
  const auto end_of_aliases = [delegation = delegation(solver)](const std::string& name, std::stop_token stop) {
    return delegation.end_of_aliases(name, std::move(stop));
  };
  return dns::AcmeDnsZone::create(std::move(options), std::move(http), end_of_aliases, lookup_, clock_);
}

ZoneMaker::Zone ZoneMaker::webhook(const api::Dns01Solver& solver, const References& references) const {
  const auto& spec = *solver.webhook;
  dns::WebhookOptions options{.url = spec.url};
  if (const auto& ref = spec.basic_auth_ref) {
    EDGETRUST_TRY_ASSIGN(Secret username, references.secret(ref->name, "username"));
    EDGETRUST_TRY_ASSIGN(Secret password, references.secret(ref->name, "password"));
    options.basic_auth = dns::WebhookOptions::BasicAuth{std::move(username), std::move(password)};
    options.credential = "Secret " + ref->name;
  }
  EDGETRUST_TRY_ASSIGN(http::TlsOptions trust, references.trust(spec.ca_bundle_ref));
  EDGETRUST_TRY_ASSIGN(auto http, http::make_transport(std::move(trust)));
  return dns::WebhookZone::create(std::move(options), std::move(http), clock_);
}

}  // namespace edgetrust
