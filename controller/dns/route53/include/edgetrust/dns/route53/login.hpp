#pragma once
// Keys of AWS for requests: static ones, or temporary ones of a role (AWS STS, 2011-06-15). A role is assumed with the
// pod's web identity token (IRSA: AssumeRoleWithWebIdentity), or with keys (AssumeRole), or with the one after the
// other.
// Made by: Route53Zone. Threads: any; one logs in while the others wait. Temporary keys are kept until five minutes
// before they end. Errors: kInvalid (nothing to log in with), kUnauthorized (keys or token are refused; their place is
// named), kForbidden (the role may not be assumed), kRateLimited, kUnavailable, kTimeout, kCancelled, kProtocol.
#include "edgetrust/dns/rest/rest.hpp"
#include "edgetrust/dns/route53/signature.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace edgetrust::dns {

struct AwsWebIdentity {
  std::string role_arn;  // of the pod; empty: only the role that is to be assumed
  // The pod's token, read anew each time, for it changes.
  std::function<Result<Secret>()> token;
};

struct AwsLoginOptions {
  std::string sts{};  // URL of STS
  std::string region{};
  std::optional<AwsKeys> keys{};
  std::optional<AwsWebIdentity> web_identity{};  // used when there are no keys
  std::string role_arn{};                        // to be assumed; empty for none
};

class AwsLogin {
 public:
  using Keys = std::shared_ptr<const AwsKeys>;

  // kInvalid when an option cannot be used.
  static Result<std::unique_ptr<AwsLogin>> create(AwsLoginOptions options, Rest rest);

  Result<Keys> keys(const Until& until);
  // They were not taken: the next ones are fetched anew. Static ones stay.
  void refused(const Keys& keys);

 private:
  struct Session {
    Keys keys;
    SteadyPoint ends;
  };
  AwsLogin(AwsLoginOptions options, http::Url sts, Rest rest);
  [[nodiscard]] Result<Session> log_in(const Until& until) const;
  [[nodiscard]] Result<Session> with_token(const std::string& role, const Until& until) const;
  [[nodiscard]] Result<Session> with_keys(const AwsKeys& keys, const std::string& role, const Until& until) const;
  [[nodiscard]] Result<Session> ask(http::Request request, const Until& until) const;

  const AwsLoginOptions options_;
  const http::Url sts_;
  const Rest rest_;
  const Keys static_keys_;  // null for none
  std::mutex mutex_;
  std::optional<Session> session_;
};

// An error document of AWS as an error: what its code means, and what to change.
Error aws_refusal(const Rest& rest, const http::Response& response, std::initializer_list<std::string_view> secrets);

}  // namespace edgetrust::dns
