#include "options.hpp"

#include "clouds.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/until.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>

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
  app.add_option("--port", options.port, "port of /metrics, /healthz and /readyz; 0 for any")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--http01-port", options.http01_port,
                 "port that answers http-01 challenges and nothing else; 0 for none")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--http01-bind-address", options.http01_bind_address,
                 "address of --http01-port (default: that of --bind-address)");
  app.add_option("--http01-check-port", options.http01_check_port,
                 "port where such an answer is looked for before the CA is asked to; 0 for not looking")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  CLI::Option* page_port =
      app.add_option("--page-port", options.page_port, "port of the fleet page, which is read-only; 0 for none")
          ->check(CLI::Range(0, 65535))
          ->capture_default_str();
  app.add_option("--page-bind-address", options.page_bind_address,
                 "address of --page-port; on loopback only kubectl port-forward reaches it in a pod")
      ->needs(page_port)
      ->capture_default_str();
  app.add_option("--page-hosts", options.page_hosts,
                 "names under which the fleet page is reached, separated by commas, beside localhost and the addresses "
                 "of loopback; a request for another name is refused")
      ->needs(page_port)
      ->delimiter(',');
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
  app.add_option("--dns-endpoint", options.dns_endpoints,
                 "NAME=URL: another address for the API of a DNS provider; NAME is one of " + join(kDnsEndpoints, ", "))
      ->check([](const std::string& text) {
        const auto endpoint = parse_dns_endpoint(text);
        return endpoint ? std::string{} : endpoint.error().message();
      });
  app.add_option("--dns-ca-file", options.dns_ca_file,
                 "PEM file of CA certificates, trusted beside the public ones for APIs of DNS providers")
      ->check(CLI::ExistingFile);
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_flag("--leader-elect", options.leader_elect,
               "of several operators one works and the others stand by (by the Lease \"edgetrust\")");
  app.add_option("--leader-elect-namespace", options.leader_elect_namespace,
                 "namespace of that Lease (default: the pod's own)");
  CLI::Option* audit_log = app.add_option("--audit-log", options.audit_log,
                                          "file for audit records, each with the hash of the one before; - for stdout");
  CLI::Option* audit_sink =
      app.add_option("--audit-sink", options.audit_sink, "https URL that the records of that file are sent to")
          ->needs(audit_log);
  CLI::Option* audit_key =
      app.add_option("--audit-sink-key-file", options.audit_sink_key_file, "file with the key that signs them")
          ->needs(audit_sink);
  audit_sink->needs(audit_key);
  app.add_option("--audit-sink-ca-file", options.audit_sink_ca_file,
                 "the only roots for that URL, in PEM (default: the public ones)")
      ->needs(audit_sink);
  app.add_flag("--version", options.show_version, "print the version");
  PlanOptions plan;
  CLI::App* planning =
      app.add_subcommand("plan", "say who is rotated when, who is not and why, what expires; changes nothing");
  planning->fallthrough();  // the options above may follow
  planning->add_option("--until", plan.until, "until when: 30d, 36h, or a moment like 2027-01-03T00:00:00Z")
      ->check([](const std::string& text) {
        const auto until = parse_until(text, SystemClock().now());
        return until ? std::string{} : until.error().message();
      })
      ->capture_default_str();
  planning->add_option("-o,--output", plan.output, "table, json or ics (a calendar)")
      ->check(CLI::IsMember({"table", "json", "ics"}))
      ->capture_default_str();
  PinShowOptions shown;
  CLI::App* pin = app.add_subcommand("pin", "pins of a cloud endpoint");
  pin->require_subcommand(1);
  CLI::App* showing = pin->add_subcommand(
      "show", "print the hashes of what an endpoint presents, as spec.pins of a PinPolicy takes them; changes nothing");
  showing->add_option("endpoint", shown.endpoint, "host[:port] (default port 443)")->required();
  showing->add_option("--servername", shown.server_name, "name for SNI and the certificate (default: the host)");
  showing->add_option("--ca-file", shown.ca_file, "the only roots, in PEM (default: the public ones)");
  try {
    app.parse(argc, argv);
    if (planning->parsed()) options.plan = plan;
    if (showing->parsed()) options.pin_show = shown;
  } catch (const CLI::ParseError& error) {
    parsed.exit = true;
    parsed.status = app.exit(error) == 0 ? 0 : EX_USAGE;
  }
  return parsed;
}

}  // namespace edgetrust
