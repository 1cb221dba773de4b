#include "exec_credential.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/view.hpp"

namespace edgetrust::kube {
namespace {

tl::unexpected<Error> refused(const CredentialProgram& program, const std::string& what) {
  return fail(ErrorKind::kUnauthorized, printable(program.path, 200) + ": " + what);
}

class ExecToken final : public TokenSource {
 public:
  ExecToken(CredentialProgram program, CredentialRunner runner, ExecCredential first, const Clock& clock)
      : program_(std::move(program)), runner_(std::move(runner)), credential_(std::move(first)), clock_(clock) {}

  Result<Secret> token() override {
    const std::lock_guard lock(mutex_);
    const bool over = credential_.expires && clock_.now() >= *credential_.expires;
    if (refused_ || over) {
      EDGETRUST_TRY_ASSIGN(credential_, run_credential_program(program_, runner_));
      refused_ = false;
    }
    if (credential_.token.empty()) return fail(ErrorKind::kUnauthorized, program_.path + " gives no token any more");
    return credential_.token.clone();
  }
  void refused() override {
    const std::lock_guard lock(mutex_);
    refused_ = true;
  }

 private:
  const CredentialProgram program_;
  const CredentialRunner runner_;
  std::mutex mutex_;
  ExecCredential credential_;
  bool refused_ = false;
  const Clock& clock_;
};

}  // namespace

Result<ExecCredential> run_credential_program(const CredentialProgram& program, const CredentialRunner& runner) {
  EDGETRUST_TRY_ASSIGN(const Secret printed, runner(program));
  const auto document = json::Document::parse(printed.expose());
  if (!document || document->root()["kind"].string_or("") != "ExecCredential")
    return refused(program, "what it prints is no ExecCredential");
  const json::View status = document->root()["status"];
  ExecCredential credential;
  credential.token = Secret(status["token"].string().value_or(""));
  credential.client_certificate_pem = status["clientCertificateData"].string_or("");
  credential.client_key_pem = Secret(status["clientKeyData"].string().value_or(""));
  if (const auto expires = status["expirationTimestamp"].string()) {
    const auto moment = parse_rfc3339(*expires);
    if (!moment) return refused(program, "its expirationTimestamp is no time");
    credential.expires = *moment;
  }
  if (credential.client_certificate_pem.empty() != credential.client_key_pem.empty())
    return refused(program, "it gives a client certificate or its key, and not both");
  if (credential.token.empty() && credential.client_certificate_pem.empty())
    return refused(program, "it gives neither a token nor a client certificate");
  if (!credential.token.empty() && !is_token(credential.token.expose()))
    return refused(program, "its token is not a bearer token");
  return credential;
}

std::shared_ptr<TokenSource> exec_token(CredentialProgram program, CredentialRunner runner, ExecCredential first,
                                        const Clock& clock) {
  return std::make_shared<ExecToken>(std::move(program), std::move(runner), std::move(first), clock);
}

}  // namespace edgetrust::kube
