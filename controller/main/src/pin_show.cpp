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

// For the spec of a PinPolicy, as flow-style YAML: one type of pin for all of them.
std::string to_paste(const net::Endpoint& endpoint, const PinShowOptions& options, const ports::SeenCertificate& leaf,
                     const ports::SeenCertificate& root) {
  using decide::pins::colon_hex;
  const auto line = [](const std::string& until, const std::string& what, const std::string& pin) {
    return "  # until " + until + "\n  pins: {" + what + ", static: [\"" + pin + "\"]}\n";
  };
  std::string text =
      "\nFor the spec of a PinPolicy, with one of these `pins` and a backup of its type beside it in `static`:\n";
  text += "  endpoint: {host: \"" + endpoint.host + "\"";
  if (endpoint.port != kHttps) text += ", port: " + std::to_string(endpoint.port);
  if (!options.server_name.empty()) text += ", serverName: \"" + options.server_name + "\"";
  text += std::string("}") + (options.ca_file.empty() ? "" : "  # and a caBundleRef with what is in --ca-file") + "\n";
  return text + line("its certificate is another", "type: Certificate", colon_hex(leaf.certificate_sha256)) +
         line("its key is another", "type: PublicKey", colon_hex(leaf.public_key_sha256)) +
         line("it has its certificates from another root", "type: PublicKey, match: AnyInChain",
              colon_hex(root.public_key_sha256));
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
  if (shown.validates && !chain.empty()) shown.text += to_paste(endpoint, options, chain.front(), chain.back());
  return shown;
}

}  // namespace edgetrust
