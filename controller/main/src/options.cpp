#include "options.hpp"

#include <CLI/CLI.hpp>

namespace edgetrust {

ParsedOptions parse_options(int argc, const char* const* argv) {
  ParsedOptions parsed;
  Options& options = parsed.options;
  CLI::App app{"edgetrust: keeps the TLS certificates of Genesys Cloud Edge appliances right", "edgetrust"};
  app.add_option("--namespaces", options.namespaces,
                 "namespaces to watch, separated by commas (default: the pod's own)")
      ->delimiter(',');
  app.add_option("--kubeconfig", options.kubeconfig,
                 "kubeconfig file (default: the service account, else $KUBECONFIG, else ~/.kube/config)");
  app.add_option("--context", options.context, "context of the kubeconfig");
  app.add_option("--bind-address", options.bind_address, "address of /metrics, /healthz and /readyz")
      ->capture_default_str();
  app.add_option("--port", options.port, "port of /metrics, /healthz and /readyz; 0 for any")->capture_default_str();
  app.add_option("--workers", options.workers,
                 "EdgeCertificates worked on at a time; of the other kinds half as many, at least 2")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--kube-qps", options.kube_qps, "requests a second to the API server")
      ->check(CLI::Range(1.0, 10000.0))
      ->capture_default_str();
  app.add_option("--kube-burst", options.kube_burst, "requests at once to the API server")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_flag("--version", options.show_version, "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit = true;
    parsed.status = app.exit(error);
  }
  return parsed;
}

}  // namespace edgetrust
