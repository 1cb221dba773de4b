#include "edgetrust/plugin/secret_view.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/chain.hpp"
#include "edgetrust/crypto/key.hpp"
#include "edgetrust/json/value.hpp"
#include "text.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

std::string describe(const std::optional<crypto::KeyKind>& key) {
  if (!key) return "of another kind";
  return (key->family == crypto::KeyFamily::kRsa ? "RSA " : "ECDSA ") + std::to_string(key->bits);
}

CertificateView view_of(const crypto::Certificate& certificate) {
  const auto& facts = certificate.facts();
  CertificateView view{.subject = certificate.name(),
                       .issuer = facts.issuer,
                       .serial_number = facts.serial_number,
                       .not_before = facts.not_before,
                       .not_after = facts.not_after,
                       .names = facts.dns_names,
                       .usages = {},
                       .is_ca = facts.is_ca,
                       .key = describe(facts.key),
                       .fingerprint_sha256 = facts.fingerprint_sha256,
                       .public_key_sha256 = facts.spki_sha256};
  view.names.insert(view.names.end(), facts.ip_addresses.begin(), facts.ip_addresses.end());
  if (facts.server_auth) view.usages.emplace_back("ServerAuth");
  if (facts.client_auth) view.usages.emplace_back("ClientAuth");
  return view;
}

const Secret* value_of(const ports::SecretObject& secret, const char* key) {
  const auto found = secret.data.find(key);
  return found == secret.data.end() || found->second.empty() ? nullptr : &found->second;
}

std::string trouble_of(const std::vector<crypto::Certificate>& chain) {
  if (chain.front().facts().is_ca) return "the first certificate is a CA's, and a leaf must come first";
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (!crypto::issued_by(chain[i], chain[i + 1]))
      return "the certificate after " + chain[i].name() + " did not issue it";
  }
  if (chain.back().facts().self_signed && chain.size() > 1) return "the root is in it; it should be left out";
  return {};
}

std::string key_state(const ports::SecretObject& secret, const std::vector<crypto::Certificate>& chain) {
  const Secret* pem = value_of(secret, "tls.key");
  if (pem == nullptr) return "there is none (tls.key)";
  const auto key = crypto::PrivateKey::from_pem(*pem);
  if (!key) return key.error().message();
  if (chain.empty()) return describe(key->kind()) + ", and no certificate to compare it with";
  return key->spki_sha256() == chain.front().facts().spki_sha256 ? "fits the certificate"
                                                                 : "is that of another certificate";
}

std::vector<std::string> users_of(const ports::SecretObject& secret,
                                  const std::vector<api::EdgeCertificate>& certificates) {
  std::vector<std::string> users;
  const auto uses = [&](const api::EdgeCertificate& certificate, const std::string& how) {
    users.push_back("EdgeCertificate " + certificate.meta.name + " (" + how + ")");
  };
  const std::string& name = secret.meta.name;
  for (const auto& certificate : certificates) {
    const auto& spec = certificate.spec;
    const std::string& own = certificate.meta.name;
    if (api::serving_secret_name(certificate) == name) uses(certificate, "spec.secretName: what its Edge serves");
    if (spec.source_secret_ref && spec.source_secret_ref->name == name) uses(certificate, "spec.sourceSecretRef");
    if (spec.adoption && spec.adoption->import_from && spec.adoption->import_from->name == name)
      uses(certificate, "spec.adoption.importFrom");
    for (const auto& entry : certificate.status.history) {
      if (api::bundle_secret_name(own, entry.revision) == name)
        uses(certificate, "revision " + std::to_string(entry.revision));
      if (api::key_secret_name(own, entry.revision) == name)
        uses(certificate, "key of revision " + std::to_string(entry.revision));
    }
  }
  return users;
}

json::Value as_value(const CertificateView& view) {
  return {{"subject", view.subject},
          {"issuer", view.issuer},
          {"serialNumber", view.serial_number},
          {"notBefore", format_rfc3339(view.not_before)},
          {"notAfter", format_rfc3339(view.not_after)},
          {"names", view.names},
          {"usages", view.usages},
          {"isCA", view.is_ca},
          {"key", view.key},
          {"fingerprintSha256", view.fingerprint_sha256},
          {"publicKeySha256", view.public_key_sha256}};
}

void append(std::string& out, std::string_view title, const CertificateView& view, TimePoint now, Style style) {
  append_heading(out, title, style);
  const bool early = now < view.not_before;
  const std::string when = now >= view.not_after ? "expired"
                           : early               ? "not valid yet"
                                                 : describe_span(view.not_after - now) + " left";
  const Tone tone = early ? Tone::kBad : life_tone(view.not_before, view.not_after, std::nullopt, now);
  append_line(out, {"Subject      ", view.subject});
  append_line(out, {"Issuer       ", view.issuer});
  append_line(out, {"Serial       ", view.serial_number});
  append_line(out, {"Valid        " + format_rfc3339(view.not_before) + " to " + format_rfc3339(view.not_after) + "  ",
                    style.paint(tone, when)});
  if (!view.names.empty()) append_line(out, {"Names        ", join(view.names, ", ")});
  if (!view.is_ca) append_line(out, {"Usages       ", or_dash(join(view.usages, ", "))});
  append_line(out, {"Key          ", view.key});
  append_line(out, {"SHA-256      ", view.fingerprint_sha256});
  append_line(out, {"Public key   ", view.public_key_sha256});
}

}  // namespace

SecretView inspect(const ports::SecretObject& secret, const std::vector<api::EdgeCertificate>& certificates) {
  SecretView view{.secret = secret.meta.key(), .type = secret.type};
  for (const auto& [key, value] : secret.data) view.keys.push_back(key);
  std::vector<crypto::Certificate> chain;
  if (const Secret* pem = value_of(secret, "tls.crt"); pem == nullptr) {
    view.chain_trouble = "there is none (tls.crt)";
  } else if (auto parsed = crypto::parse_chain(pem->expose()); !parsed) {
    view.chain_trouble = parsed.error().message();
  } else {
    chain = std::move(*parsed);
    view.chain_trouble = trouble_of(chain);
  }
  for (const auto& certificate : chain) view.chain.push_back(view_of(certificate));
  if (const Secret* pem = value_of(secret, "ca.crt")) {
    if (const auto parsed = crypto::parse_chain(pem->expose())) {
      for (const auto& certificate : *parsed) view.authorities.push_back(view_of(certificate));
    }
  }
  view.key_state = key_state(secret, chain);
  view.is_good = view.chain_trouble.empty() && view.key_state == "fits the certificate";
  view.used_by = users_of(secret, certificates);
  return view;
}

std::string print(const SecretView& view, TimePoint now, Style style) {
  std::string out;
  append_line(out, {style.paint(Tone::kHead, "Secret " + view.secret.to_string()), ", ", view.type});
  append_line(out, {"Holds        ", or_dash(join(view.keys, ", "))});
  append_line(out, {"Private key  ",
                    style.paint(view.key_state == "fits the certificate" ? Tone::kGood : Tone::kWarn, view.key_state)});
  append_line(out, {"Chain        ", view.chain_trouble.empty() ? style.paint(Tone::kGood, "in order, leaf first")
                                                                : style.paint(Tone::kBad, view.chain_trouble)});
  append_line(out,
              {"Used by      ", view.used_by.empty() ? "no EdgeCertificate that is known" : join(view.used_by, "; ")});
  for (std::size_t i = 0; i < view.chain.size(); ++i)
    append(out, i == 0 ? "CERTIFICATE" : "INTERMEDIATE", view.chain[i], now, style);
  for (const auto& authority : view.authorities) append(out, "CA (ca.crt)", authority, now, style);
  return out;
}

json::Value as_value(const SecretView& view) {
  json::Value out{{"namespace", view.secret.ns},
                  {"name", view.secret.name},
                  {"type", view.type},
                  {"dataKeys", view.keys},
                  {"chain", json::Value::array()},
                  {"chainTrouble", view.chain_trouble},
                  {"privateKey", view.key_state},
                  {"authorities", json::Value::array()},
                  {"usedBy", view.used_by}};
  for (const auto& one : view.chain) out["chain"].push_back(as_value(one));
  for (const auto& one : view.authorities) out["authorities"].push_back(as_value(one));
  return out;
}

}  // namespace edgetrust::plugin
