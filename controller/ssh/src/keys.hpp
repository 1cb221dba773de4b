#pragma once
// The keys of an Edge's host and of whoever logs in there. Private to the room.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "handles.hpp"

#include <string>
#include <vector>

namespace edgetrust::ssh {

// Ed25519, ECDSA on NIST's curves, RSA. Errors: kInvalid, and says which one cannot be read.
class HostKeys {
 public:
  // Each as in known_hosts without the host: kind, base64, and perhaps a comment.
  static Result<HostKeys> parse(const std::vector<std::string>& lines);
  [[nodiscard]] bool contain(ssh_key key) const;
  // The signature algorithms to ask for, so that the host shows a key that is known if it has one.
  [[nodiscard]] std::string algorithms() const;

 private:
  std::vector<KeyPtr> keys_;
};

// An encrypted key is refused: a passphrase is never asked for.
Result<KeyPtr> private_key(const Secret& text);

// Of signatures made with such keys, for the login.
inline constexpr const char* kSignatures =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";

}  // namespace edgetrust::ssh
