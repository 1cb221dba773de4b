#include "certificate/source.hpp"

#include "certificate/observe.hpp"
#include "certificate/revision_secrets.hpp"

namespace edgetrust::reconcile {
namespace {

constexpr std::string_view kTlsType = "kubernetes.io/tls";

Error wrong(std::string what) { return {.kind = ErrorKind::kInvalid, .what = std::move(what)}; }

// Takes one Secret apart.
class Reading {
 public:
  Reading(const World& world, const api::EdgeCertificate& object, ports::SecretObject secret)
      : world_(world), object_(object), secret_(std::move(secret)) {}

  // Why it is no Secret of a certificate yet; empty when it is.
  [[nodiscard]] std::string lacks() const {
    if (secret_.type != kTlsType)
      return "its type is " + secret_.type + ", and must be " + std::string(kTlsType) +
             "; a type cannot be changed, so make it anew";
    for (const char* key : {kTlsCrt, kTlsKey}) {
      const auto found = secret_.data.find(key);
      if (found == secret_.data.end() || found->second.empty()) return "it has no " + std::string(key);
    }
    return {};
  }

  // An error of kind kInvalid is the Secret's, any other leaves the question open.
  Status into(SourceContent& content, std::stop_token stop) {
    EDGETRUST_TRY_ASSIGN(content.facts.chain, about(kTlsCrt, world_.pki.inspect(text(kTlsCrt))));
    EDGETRUST_TRY(fits(content.facts.chain->public_key_sha256));
    EDGETRUST_TRY_ASSIGN(ports::ChainRequirements required, requirements(world_, object_, "", stop));
    trust(required, text(kCaCrt));
    required.at = moment_within(*content.facts.chain, required.at);
    EDGETRUST_TRY_ASSIGN(std::string chain, about(kTlsCrt, world_.pki.arrange(text(kTlsCrt), required)));
    EDGETRUST_TRY(about(kTlsCrt, world_.pki.check(chain, secret_.data.at(kTlsKey), required)));
    content.chain_pem = std::move(chain);
    content.roots_pem = text(kCaCrt);
    content.key_pem = std::move(secret_.data.at(kTlsKey));
    return {};
  }

 private:
  [[nodiscard]] std::string text(const char* key) const {
    const auto found = secret_.data.find(key);
    return found == secret_.data.end() ? std::string{} : std::string(found->second.expose());
  }
  template <class T>
  static Result<T> about(const char* key, Result<T> result) {
    if (!result) return fail(within(std::string("its ") + key, std::move(result).error()));
    return result;
  }
  Status fits(const std::string& certified) {
    EDGETRUST_TRY_ASSIGN(const std::string own, about(kTlsKey, world_.pki.public_key_sha256(secret_.data.at(kTlsKey))));
    if (own == certified) return {};
    return fail(wrong("its tls.key is not the key of its tls.crt: replace the two in one update"));
  }

  const World& world_;
  const api::EdgeCertificate& object_;
  ports::SecretObject secret_;
};

}  // namespace

SourceContent read_source(const World& world, const api::EdgeCertificate& object, std::stop_token stop) {
  SourceContent content;
  auto secret = world.secrets.read({object.meta.ns, object.spec.source_secret_ref->name}, stop);
  if (!secret && secret.error().kind == ErrorKind::kNotFound) return content;
  content.facts.exists = true;
  if (!secret) {
    content.facts.unjudged = std::move(secret).error();
    return content;
  }
  Reading reading(world, object, std::move(*secret));
  content.facts.lacks = reading.lacks();
  if (!content.facts.lacks.empty()) return content;
  const Status read = reading.into(content, stop);
  if (read) return content;
  (read.error().kind == ErrorKind::kInvalid ? content.facts.defect : content.facts.unjudged) = read.error();
  return content;
}

}  // namespace edgetrust::reconcile
