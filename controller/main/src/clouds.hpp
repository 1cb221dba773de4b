#pragma once
// What the operator's process knows of clouds: the identity that its pod was given, and where their APIs are. Given by
// whoever runs the operator, never by an object: whoever may write an AcmeIssuer must not be able to send a credential
// elsewhere.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace edgetrust {

struct Clouds {
  // A pod's identity, by the variables that the clouds' own webhooks set (IRSA; Azure workload identity). Empty: none.
  std::string aws_role_arn;          // AWS_ROLE_ARN
  std::string aws_token_file;        // AWS_WEB_IDENTITY_TOKEN_FILE
  std::string aws_region;            // AWS_REGION
  std::string azure_client_id;       // AZURE_CLIENT_ID
  std::string azure_tenant_id;       // AZURE_TENANT_ID
  std::string azure_token_file;      // AZURE_FEDERATED_TOKEN_FILE
  std::string azure_authority_host;  // AZURE_AUTHORITY_HOST

  // URLs that stand in for the published ones (--dns-endpoint), by kDnsEndpoints.
  std::map<std::string, std::string> endpoints;
  // PEM: CA certificates trusted beside the public ones for APIs of DNS providers without a bundle (--dns-ca-file).
  std::string ca_pem;

  [[nodiscard]] std::string endpoint(const std::string& name, const std::string& published) const {
    const auto found = endpoints.find(name);
    return found == endpoints.end() ? published : found->second;
  }
};

inline const std::vector<std::string> kDnsEndpoints{"cloudflare", "route53", "sts", "azure", "azure-login"};

// "cloudflare=https://127.0.0.1:8443" as a name and a URL. Errors: kInvalid.
Result<std::pair<std::string, std::string>> parse_dns_endpoint(const std::string& text);

// Reads a file of at most 64 kB each time it is called. Errors: kInvalid, which names the file.
std::function<Result<Secret>()> token_file(std::string path);

}  // namespace edgetrust
