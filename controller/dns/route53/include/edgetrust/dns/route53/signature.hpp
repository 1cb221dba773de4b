#pragma once
// AWS Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), in the
// Authorization header. Checked against the vectors that AWS published.
// Called by: Route53Zone, AwsLogin. Threads: pure functions. Errors: kInternal when OpenSSL fails.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/http/message.hpp"

namespace edgetrust::dns {

struct AwsKeys {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // of temporary ones; empty for none
};

struct AwsScope {
  std::string region;   // "us-east-1"
  std::string service;  // "route53"
};

// Adds X-Amz-Date, X-Amz-Security-Token where there is one, and Authorization. Every header that the request has is
// signed, and Host; none may be added later.
Status sign(http::Request& request, const AwsKeys& keys, const AwsScope& scope, TimePoint now);

}  // namespace edgetrust::dns
