#include "pin_show.hpp"

#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/pins/pin.hpp"
#include "edgetrust/net/endpoint.hpp"
#include "edgetrust/ports/pki.hpp"

namespace edgetrust {
namespace {

constexpr std::uint16_t kHttps = 443;

std::string describe(const ports::SeenCertificate& certificate, std::string_view what) {
  using decide::pins::colon_hex;
  return "\n" + std::string(what) + ": " + certificate.subject + "\n  issuer       " + certificate.issuer +
         "\n  valid        " + format_rfc3339(certificate.not_before) + " to " + format_rfc3339(certificate.not_after) +
         "\n  Certificate  " + colon_hex(certificate.certificate_sha256) + "\n  PublicKey    " +
         colon_hex(certificate.public_key_sha256) + "\n";
}

// `spec.pins` of a PinPolicy, as flow-style YAML: one type of pin for all of them.
std::string to_paste(const ports::SeenCertificate& leaf, const ports::SeenCertificate& root) {
  using decide::pins::colon_hex;
  const auto line = [](const std::string& what, const std::string& pin) {
    return "  pins: {" + what + ", static: [\"" + pin + "\"]}\n";
  };
  return "\nTo pin it, one of these in the spec of a PinPolicy, and a backup pin beside it:\n" +
         line("type: Certificate", colon_hex(leaf.certificate_sha256)) +
         line("type: PublicKey", colon_hex(leaf.public_key_sha256)) +
         line("type: PublicKey, match: AnyInChain", colon_hex(root.public_key_sha256));
}

}  // namespace

Result<PinShow> show_pins(const PinShowOptions& options, const std::string& roots_pem, ports::TlsProbe& probe,
                          ports::ChainViewer& viewer, TimePoint now, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const net::Endpoint endpoint, net::Endpoint::parse(options.endpoint, kHttps));
  const std::string server_name = options.server_name.empty() ? endpoint.host : options.server_name;
  EDGETRUST_TRY_ASSIGN(
      const ports::ServedChain served,
      probe.present({.host = endpoint.host, .port = endpoint.port, .server_name = server_name}, std::move(stop)));
  EDGETRUST_TRY_ASSIGN(const ports::ChainView view,
                       viewer.view(served.chain_pem, {.server_name = server_name, .at = now, .roots_pem = roots_pem})
                           .map_error([&](Error e) {
                             const bool is_of_roots = e.code == ports::kRootsUnreadable;
                             return is_of_roots ? within("--ca-file " + options.ca_file, std::move(e)) : e;
                           }));
  PinShow shown{.text = endpoint.to_string() + ", " + served.tls_version + ", " + format_rfc3339(now) + "\n",
                .validates = view.problem.empty()};
  shown.text += shown.validates
                    ? "The chain validates. Compare it with what another network is shown before you pin it.\n"
                    : "The chain does not validate, so nothing of it should be pinned: " + view.problem + "\n";
  const auto& chain = shown.validates ? view.validated : view.presented;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool is_root = shown.validates && i > 0 && i + 1 == chain.size();
    shown.text += describe(chain[i], i == 0 ? "leaf" : is_root ? "root" : "issuer");
  }
  if (shown.validates && !chain.empty()) shown.text += to_paste(chain.front(), chain.back());
  return shown;
}

}  // namespace edgetrust
