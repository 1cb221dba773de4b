#pragma once
// ports::CertificateAuthority by ACME (RFC 8555, RFC 8738 for IP addresses, RFC 9773 for renewal information and an
// order's `replaces`; an order's `profile`): one account at one server.
//
// Called by: main makes one for each AcmeIssuer, reconcile uses it. Threads: any; no lock is held over a request.
// Nothing waits: a call returns after its requests, and only three answers are retried, all of which mean "not
// executed": badNonce (with the fresh nonce of that answer, at most 20 in a row), accountDoesNotExist (registers the
// same key again, once), and a signature that is refused because the account's key was changed meanwhile (once).
//
// Trust: every URL that the server or a caller names must be https, on the directory's host or one of `allowed_hosts`;
// no request goes anywhere else (kProtocol, naming the host). Redirects are not followed. Answers are bounded, tokens
// checked, texts from the server made printable.
//
// Errors: Error.code is the problem's type (RFC 8555 section 6.7) where there is one; src/problem.cpp has the table of
// types and kinds. An answer without a problem document never stops the retrying for good. maybe_executed is set only
// when the mutating request of the call itself may have been executed.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/http/transport.hpp"
#include "edgetrust/ports/certificate_authority.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::acme {

// RFC 8555 section 7.3.4.
struct ExternalAccountBinding {
  std::string key_id;
  Secret hmac_key;                                 // as the CA hands it out: base64url text
  crypto::Hash algorithm = crypto::Hash::kSha256;  // HS256, HS384, HS512
};

struct Config {
  std::string directory_url;
  Secret account_key_pem;  // RSA 2048 to 4096, ECDSA P-256 or P-384
  // The key that a change of keys was under way to; empty for none. The server is asked first whether it is the
  // account's by now: nobody knows what an interrupted change has come to.
  Secret next_account_key_pem;
  std::string contact_email;  // empty for none
  std::optional<ExternalAccountBinding> external_account;
  std::vector<std::string> allowed_hosts;  // beside the directory's own; names or addresses, no ports
  std::string user_agent = "edgetrust";    // RFC 8555 section 6.1 wants one
  std::string profile;                     // for orders that name none
  std::string preferred_chain;             // the common name of the root that chains should end at; empty for any
};

// `clock` must outlive the client. Errors: kInvalid names the setting that cannot be used.
Result<std::unique_ptr<ports::CertificateAuthority>> make_client(Config config,
                                                                 std::shared_ptr<http::Transport> transport,
                                                                 const Clock& clock);

}  // namespace edgetrust::acme
