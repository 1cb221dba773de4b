#include "account.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/crypto/jws.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>

namespace edgetrust::acme {
namespace {

// JSON that we made ourselves a line ago.
json::Value parsed(const std::string& text) {
  const auto document = json::Document::parse(text);
  return document ? json::to_value(document->root()) : json::Value();
}

// An addr-spec without quoting (RFC 8555 section 7.3: one address, no hfields).
bool is_email(std::string_view text) {
  const auto at = text.find('@');
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("?%,;:<>()[]\\\"&#").find(c) == std::string_view::npos;
  });
  return plain && text.size() <= 254 && at != 0 && at != std::string_view::npos && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos;
}

// RFC 7518 section 3.1.
std::string_view name_of(crypto::Hash algorithm) {
  switch (algorithm) {
    case crypto::Hash::kSha256: return "HS256";
    case crypto::Hash::kSha384: return "HS384";
    case crypto::Hash::kSha512: return "HS512";
  }
  return "HS256";
}

// base64url, with or without the padding that some CAs add.
Result<Secret> decode_mac_key(const Secret& text) {
  const std::string_view in = trim(text.expose());
  Secret standard;
  for (const char& c : in) {
    const char* const other = c == '-' ? "+" : c == '_' ? "/" : &c;
    standard.append({other, 1});
  }
  while (standard.size() % 4 != 0) standard.append("=");
  auto key = secret_from_base64(standard.expose());
  if (!key || key->empty()) {
    return fail(ErrorKind::kInvalid, "the external account's MAC key is not base64url, as the CA hands it out");
  }
  return key;
}

}  // namespace

Result<AccountKey> AccountKey::create(const Secret& pem) {
  auto key = crypto::PrivateKey::from_pem(pem);
  if (!key) return fail(within("the ACME account's key", std::move(key).error()));
  AccountKey account(std::move(*key));
  EDGETRUST_TRY_ASSIGN(account.jwk_, crypto::public_jwk(account.key_));
  EDGETRUST_TRY_ASSIGN(account.thumbprint_, crypto::jwk_thumbprint(account.key_));
  return account;
}

Result<std::string> AccountKey::sign(const std::string& kid, const std::string& nonce, const std::string& url,
                                     const std::string& payload) const {
  json::Value header = {{"alg", crypto::jws_algorithm(key_)}, {"nonce", nonce}, {"url", url}};
  if (kid.empty()) {
    header["jwk"] = parsed(jwk_);
  } else {
    header["kid"] = kid;
  }
  return crypto::sign_jws(key_, json::dump(header), payload);
}

Result<std::string> AccountKey::sign_without_nonce(const std::string& url, const std::string& payload) const {
  const json::Value header = {{"alg", crypto::jws_algorithm(key_)}, {"jwk", parsed(jwk_)}, {"url", url}};
  return crypto::sign_jws(key_, json::dump(header), payload);
}

std::string AccountKey::key_authorization(std::string_view token) const {
  return std::string(token) + "." + thumbprint_;
}

std::string AccountKey::dns_record_value(std::string_view token) const {
  return to_base64url(crypto::sha256(key_authorization(token)));
}

Result<Registration> Registration::create(const std::string& email, std::optional<ExternalAccountBinding> binding) {
  if (!email.empty() && !is_email(email)) {
    return fail(ErrorKind::kInvalid, "not an e-mail address: \"" + printable(email, 260) + "\"");
  }
  Registration registration;
  registration.email_ = email;
  if (!binding) return registration;
  if (binding->key_id.empty()) return fail(ErrorKind::kInvalid, "the external account binding has no key id");
  EDGETRUST_TRY_ASSIGN(Secret key, decode_mac_key(binding->hmac_key));
  registration.binding_ =
      ExternalAccountBinding{.key_id = binding->key_id, .hmac_key = std::move(key), .algorithm = binding->algorithm};
  return registration;
}

std::vector<std::string> Registration::contacts() const {
  return email_.empty() ? std::vector<std::string>{} : std::vector{"mailto:" + email_};
}

Result<std::string> Registration::payload(const AccountKey& key, const std::string& new_account_url) const {
  json::Value payload = {{"termsOfServiceAgreed", true}};
  if (!email_.empty()) payload["contact"] = contacts();
  if (binding_) {
    const json::Value header = {
        {"alg", name_of(binding_->algorithm)}, {"kid", binding_->key_id}, {"url", new_account_url}};
    EDGETRUST_TRY_ASSIGN(const std::string jws,
                         crypto::sign_jws(binding_->algorithm, binding_->hmac_key, json::dump(header), key.jwk()));
    payload["externalAccountBinding"] = parsed(jws);
  }
  return json::dump(payload);
}

}  // namespace edgetrust::acme
