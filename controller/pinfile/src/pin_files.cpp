#include "edgetrust/pinfile/pin_files.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/json/view.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace edgetrust::pinfile {
namespace {

// Keeps the order of what is there.
using Document = nlohmann::ordered_json;

constexpr const char* kPinning = "certificatePinning";
constexpr const char* kTls = "tlsSettings";

ports::PinDocument finished(std::string text) {
  std::string sha256 = to_hex(crypto::sha256(text));
  return {.text = std::move(text), .sha256 = std::move(sha256)};
}

// A document whose size, depth and names have been checked; our own reader keeps no order, so it reads twice.
Result<Document> read(std::string_view text) {
  if (text.empty()) return Document(Document::object());
  EDGETRUST_TRY_ASSIGN(const auto checked, [&]() -> Result<json::Document> {
    auto parsed = json::Document::parse(text, {.max_bytes = ports::kLargestPinFile});
    if (parsed) return parsed;
    Error error = within("the pin file", std::move(parsed).error());
    error.kind = ErrorKind::kInvalid;
    return fail(std::move(error));
  }());
  if (checked.root().kind() != json::Kind::kObject)
    return fail(ErrorKind::kInvalid, "the pin file: it is not a JSON object");
  Document document = Document::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return fail(ErrorKind::kInvalid, "the pin file: it is not JSON");
  for (const char* section : {kPinning, kTls}) {
    if (document.contains(section) && !document[section].is_object())
      return fail(ErrorKind::kInvalid, "the pin file: " + std::string(section) + " is not an object");
  }
  return document;
}

Result<std::string> colon_hex(const std::string& sha256) {
  const auto octets = from_hex(sha256);
  if (!octets || octets->size() != 32 || sha256.size() != 64)
    return fail(ErrorKind::kInvalid, "a pin is not a SHA-256 hash");
  return to_colon_hex(*octets);
}

Status put_pinning(Document& document, const ports::PinFile& wanted) {
  if (wanted.accepted.empty()) return fail(ErrorKind::kInvalid, "a pin file without pins would lock the Edge out");
  EDGETRUST_TRY_ASSIGN(const std::string fingerprint, colon_hex(wanted.fingerprint));
  Document accepted = Document::array();
  for (const auto& pin : wanted.accepted) {
    EDGETRUST_TRY_ASSIGN(const std::string hash, colon_hex(pin.sha256));
    accepted.push_back({{"type", pin.is_public_key ? "PublicKey" : "Certificate"}, {"fingerprint", hash}});
  }
  Document& pinning = document[kPinning];
  pinning["enabled"] = wanted.enabled;
  pinning["algorithm"] = "SHA256";
  pinning["fingerprint"] = fingerprint;
  pinning["fingerprints"] = std::move(accepted);
  pinning["allowRotation"] = wanted.allow_rotation;
  pinning["logValidationFailures"] = wanted.log_validation_failures;
  return {};
}

void put_tls(Document& document, const ports::PinFile& wanted) {
  Document& tls = document[kTls];
  tls["minVersion"] = wanted.min_version;
  tls["cipherSuites"] = wanted.cipher_suites;
  tls["strictValidation"] = wanted.strict_validation;
}

// The same values in another layout are no other file.
ports::PinDocument written(const Document& before, const Document& after, std::string_view existing) {
  if (!existing.empty() && before == after) return finished(std::string(existing));
  return finished(after.dump(2, ' ', false, Document::error_handler_t::replace) + "\n");
}

// The value where it has that type.
template <class T>
T value_or(const Document& section, const char* key, T otherwise) {
  const auto found = section.find(key);
  const auto* value = found == section.end() ? nullptr : found->get_ptr<const T*>();
  return value != nullptr ? *value : otherwise;
}
std::string hash_of(const std::string& colon_hex) {
  std::string digits = lower(colon_hex);
  std::erase(digits, ':');
  const auto octets = from_hex(digits);
  return octets && octets->size() == 32 ? digits : std::string{};
}

// The guide's own file has one fingerprint and no list.
ports::PinFile understood(const Document& document) {
  ports::PinFile file{.enabled = false};
  if (document.contains(kPinning)) {
    const Document& pinning = document[kPinning];
    file.enabled = value_or(pinning, "enabled", false);
    file.allow_rotation = value_or(pinning, "allowRotation", false);
    file.log_validation_failures = value_or(pinning, "logValidationFailures", false);
    file.fingerprint = hash_of(value_or(pinning, "fingerprint", std::string{}));
    const auto list = pinning.find("fingerprints");
    if (list == pinning.end()) {
      if (!file.fingerprint.empty()) file.accepted.push_back({.is_public_key = false, .sha256 = file.fingerprint});
    } else {
      for (const auto& pin : *list) {
        if (!pin.is_object()) continue;
        const ports::FilePin read{.is_public_key = value_or(pin, "type", std::string{}) == "PublicKey",
                                  .sha256 = hash_of(value_or(pin, "fingerprint", std::string{}))};
        if (!read.sha256.empty()) file.accepted.push_back(read);
      }
    }
  }
  if (document.contains(kTls)) {
    const Document& tls = document[kTls];
    file.min_version = value_or(tls, "minVersion", std::string{});
    file.strict_validation = value_or(tls, "strictValidation", false);
    const auto suites = tls.find("cipherSuites");
    if (suites != tls.end() && suites->is_array()) {
      for (const auto& suite : *suites) {
        if (suite.is_string()) file.cipher_suites.push_back(suite.get<std::string>());
      }
    }
  }
  return file;
}

class Files final : public ports::PinFiles {
 public:
  Result<ports::PinDocument> render(const ports::PinFile& wanted, std::string_view existing) override {
    EDGETRUST_TRY_ASSIGN(const Document before, pinfile::read(existing));
    Document after = before;
    EDGETRUST_TRY(put_pinning(after, wanted));
    put_tls(after, wanted);
    return written(before, after, existing);
  }
  Result<std::optional<ports::PinFile>> read(std::string_view existing) override {
    EDGETRUST_TRY_ASSIGN(const Document document, pinfile::read(existing));
    const ports::PinFile found = understood(document);
    return found.enabled && !found.accepted.empty() ? std::optional(found) : std::nullopt;
  }
  Result<ports::PinDocument> switched_off(std::string_view existing) override {
    EDGETRUST_TRY_ASSIGN(const Document before, pinfile::read(existing));
    Document after = before;
    after[kPinning]["enabled"] = false;
    return written(before, after, existing);
  }
};

}  // namespace

std::unique_ptr<ports::PinFiles> make_pin_files() { return std::make_unique<Files>(); }

}  // namespace edgetrust::pinfile
