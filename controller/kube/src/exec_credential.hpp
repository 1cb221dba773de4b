#pragma once
// Credentials that a program prints: ExecCredential of client.authentication.k8s.io (Kubernetes' reference, "client-go
// credential plugins"). Called by config.cpp. Errors: the runner's; kUnauthorized for what is no ExecCredential. No
// message holds what the program printed.
#include "edgetrust/kube/config.hpp"

#include <optional>

namespace edgetrust::kube {

struct ExecCredential {
  Secret token;  // empty: the client certificate speaks for us
  std::string client_certificate_pem;
  Secret client_key_pem;
  std::optional<TimePoint> expires;
};

Result<ExecCredential> run_credential_program(const CredentialProgram& program, const CredentialRunner& runner);

// The token of `first`; the program is run again once it has expired or was refused.
std::shared_ptr<TokenSource> exec_token(CredentialProgram program, CredentialRunner runner, ExecCredential first,
                                        const Clock& clock);

}  // namespace edgetrust::kube
