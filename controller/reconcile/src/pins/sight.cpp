#include "pins/sight.hpp"

#include "edgetrust/base/text.hpp"

namespace edgetrust::reconcile {
namespace {

using ports::TlsVersion;

constexpr std::string_view kTls13 = "TLS1.3";  // as the pin file writes it

std::string refusal(const TlsBounds& bounds, const Error& error, const ports::ServedChain& served) {
  const bool is_tls13 = served.tls_version == "TLSv1.3";
  const std::string oldest = bounds.oldest == TlsVersion::kTls13 ? "TLS1.3" : "TLS1.2";
  if (bounds.oldest == TlsVersion::kTls13 && !is_tls13)
    return "the endpoint speaks " + served.tls_version + " at best, and tls.minVersion is " + oldest;
  if (error.kind == ErrorKind::kInvalid)
    return "tls.cipherSuites names none that OpenSSL knows for tls.minVersion " + oldest;
  return "the endpoint takes none of tls.cipherSuites: " + join(bounds.cipher_suites, ", ");
}

// Some end the connection with an alert, others without a word.
bool may_be_the_bounds(const Error& error) {
  return error.kind == ErrorKind::kProtocol || error.kind == ErrorKind::kUnavailable ||
         error.kind == ErrorKind::kInvalid;
}

}  // namespace

TlsBounds bounds_of(const api::PinTls& tls) {
  return {.oldest = tls.min_version == api::TlsVersion::kTls13 ? TlsVersion::kTls13 : TlsVersion::kTls12,
          .cipher_suites = api::cipher_suites(tls)};
}

TlsBounds bounds_of(const ports::PinFile& file) {
  return {.oldest = file.min_version == kTls13 ? TlsVersion::kTls13 : TlsVersion::kTls12,
          .cipher_suites = file.cipher_suites};
}

Result<Presented> present(const TlsBounds& bounds,
                          const std::function<Result<ports::ServedChain>(const TlsBounds&)>& dial) {
  auto within = dial(bounds);
  if (within) return Presented{.served = *std::move(within), .refused = {}};
  if (!may_be_the_bounds(within.error())) return fail(std::move(within).error());
  EDGETRUST_TRY_ASSIGN(ports::ServedChain at_all, dial({}));
  auto again = dial(bounds);
  if (again) return Presented{.served = *std::move(again), .refused = {}};
  if (!may_be_the_bounds(again.error())) return fail(std::move(again).error());
  std::string why = refusal(bounds, again.error(), at_all);
  return Presented{.served = std::move(at_all), .refused = std::move(why)};
}

decide::pins::Sight sight_of(const ports::ChainView& view, std::string vantage) {
  decide::pins::Sight sight{.vantage = std::move(vantage),
                            .chain = {},
                            .issuer = view.presented.front().issuer,
                            .root = view.validated.empty() ? "" : view.validated.back().subject,
                            .not_after = view.presented.front().not_after,
                            .problem = view.problem};
  // Of a chain that does not validate only the leaf is worth a word.
  const auto& links = view.validated.empty() ? std::vector{view.presented.front()} : view.validated;
  for (const auto& link : links) sight.chain.push_back({link.certificate_sha256, link.public_key_sha256});
  return sight;
}

}  // namespace edgetrust::reconcile
