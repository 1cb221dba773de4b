#pragma once
// The account's key and what it says about itself.
#include "edgetrust/acme/client.hpp"
#include "edgetrust/crypto/key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::acme {

class AccountKey {
 public:
  static Result<AccountKey> create(const Secret& pem);

  // A flattened JWS (RFC 8555 section 6.2): with the public key itself when `kid` is empty, else with the account's
  // URL.
  [[nodiscard]] Result<std::string> sign(const std::string& kid, const std::string& nonce, const std::string& url,
                                         const std::string& payload) const;
  // The same without a nonce: what a keyChange carries inside (section 7.3.5).
  [[nodiscard]] Result<std::string> sign_without_nonce(const std::string& url, const std::string& payload) const;
  [[nodiscard]] const std::string& thumbprint() const { return thumbprint_; }
  // What proves that this account's owner knows of a challenge (section 8.1).
  [[nodiscard]] std::string key_authorization(std::string_view token) const;
  // What a dns-01 record must hold for this token (section 8.4).
  [[nodiscard]] std::string dns_record_value(std::string_view token) const;
  [[nodiscard]] const std::string& jwk() const { return jwk_; }  // JSON text
  [[nodiscard]] bool is(const AccountKey& other) const { return thumbprint_ == other.thumbprint_; }

 private:
  explicit AccountKey(crypto::PrivateKey key) : key_(std::move(key)) {}
  crypto::PrivateKey key_;
  std::string jwk_;
  std::string thumbprint_;
};

// Who registers: section 7.3, with the terms of service agreed to.
class Registration {
 public:
  // Errors: kInvalid for an address or a MAC key that cannot be used.
  static Result<Registration> create(const std::string& email, std::optional<ExternalAccountBinding> binding);

  [[nodiscard]] bool has_external_account() const { return binding_.has_value(); }
  // newAccount's payload.
  [[nodiscard]] Result<std::string> payload(const AccountKey& key, const std::string& new_account_url) const;
  // The contact URLs that the account shall have (section 7.3): none, or one.
  [[nodiscard]] std::vector<std::string> contacts() const;

 private:
  std::string email_;
  std::optional<ExternalAccountBinding> binding_;  // its key decoded
};

}  // namespace edgetrust::acme
