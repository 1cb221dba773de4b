#include "keys.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <array>

namespace edgetrust::ssh {
namespace {

struct Kind {
  ssh_keytypes_e type;
  const char* signatures;
};
// ssh-rsa names a kind of key; signatures with SHA-1, which once had that name too, are not among these.
constexpr std::array kKinds = {
    Kind{SSH_KEYTYPE_ED25519, "ssh-ed25519"}, Kind{SSH_KEYTYPE_ECDSA_P256, "ecdsa-sha2-nistp256"},
    Kind{SSH_KEYTYPE_ECDSA_P384, "ecdsa-sha2-nistp384"}, Kind{SSH_KEYTYPE_ECDSA_P521, "ecdsa-sha2-nistp521"},
    Kind{SSH_KEYTYPE_RSA, "rsa-sha2-512,rsa-sha2-256"}};

const Kind* kind_of(ssh_keytypes_e type) {
  const auto found = std::ranges::find(kKinds, type, &Kind::type);
  return found == kKinds.end() ? nullptr : &*found;
}

Result<KeyPtr> public_key(const std::string& line) {
  const auto words = split(trim(line), ' ');
  const auto type = words.size() < 2 ? SSH_KEYTYPE_UNKNOWN : ssh_key_type_from_name(words[0].c_str());
  if (kind_of(type) == nullptr)
    return fail(ErrorKind::kInvalid,
                "is none of ssh-ed25519, ecdsa-sha2-nistp256, -384, -521 and ssh-rsa, followed by the key in base64");
  ssh_key key = nullptr;
  if (ssh_pki_import_pubkey_base64(words[1].c_str(), type, &key) != SSH_OK)
    return fail(ErrorKind::kInvalid, "cannot be read as a key of the kind " + words[0]);
  return KeyPtr(key);
}

}  // namespace

Result<HostKeys> HostKeys::parse(const std::vector<std::string>& lines) {
  HostKeys known;
  for (const auto& line : lines) {
    auto key = public_key(line);
    if (!key) {
      Error error = std::move(key).error();
      error.what = "host key " + std::to_string(known.keys_.size() + 1) + " " + error.what;
      return fail(std::move(error));
    }
    known.keys_.push_back(std::move(*key));
  }
  if (known.keys_.empty()) return fail(ErrorKind::kInvalid, "no host key is known: a host is never trusted unseen");
  return known;
}

bool HostKeys::contain(ssh_key key) const {
  return std::ranges::any_of(
      keys_, [&](const KeyPtr& known) { return ssh_key_cmp(known.get(), key, SSH_KEY_CMP_PUBLIC) == 0; });
}

std::string HostKeys::algorithms() const {
  std::vector<std::string> wanted;
  for (const auto& kind : kKinds) {
    if (std::ranges::any_of(keys_, [&](const KeyPtr& key) { return ssh_key_type(key.get()) == kind.type; }))
      wanted.emplace_back(kind.signatures);
  }
  return join(wanted, ",");
}

Result<KeyPtr> private_key(const Secret& text) {
  Secret terminated = text.clone();
  terminated.append(std::string_view("\0", 1));
  ssh_key key = nullptr;
  // An empty passphrase is a wrong one for a key that has one; with none at all OpenSSL would ask at the terminal.
  if (ssh_pki_import_privkey_base64(terminated.expose().data(), "", nullptr, nullptr, &key) != SSH_OK)
    return fail(ErrorKind::kInvalid, "the private key cannot be read, or is encrypted");
  KeyPtr owned(key);
  if (kind_of(ssh_key_type(key)) == nullptr)
    return fail(ErrorKind::kInvalid, "the private key is of none of these kinds: Ed25519, ECDSA, RSA");
  return owned;
}

}  // namespace edgetrust::ssh
