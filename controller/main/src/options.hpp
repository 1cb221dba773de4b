#pragma once
// The command line of the operator.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust {

struct PlanOptions {
  std::string until = "30d";     // days, a duration as Go writes it, or a moment (RFC 3339)
  std::string output = "table";  // or json, or ics
};

struct PinShowOptions {
  std::string endpoint;     // host[:port]
  std::string server_name;  // empty: the host
  std::string ca_file;      // empty: the public roots
};

struct Options {
  std::vector<std::string> namespaces;  // empty: the pod's, or the kubeconfig's
  std::string kubeconfig;               // empty: in the cluster, else $KUBECONFIG, else ~/.kube/config
  std::string context;
  std::string bind_address = "0.0.0.0";
  std::uint16_t port = 8080;             // /metrics, /healthz, /readyz
  std::uint16_t http01_port = 0;         // answers to http-01; 0: none are given
  std::string http01_bind_address;       // empty: bind_address
  std::uint16_t http01_check_port = 80;  // where they are looked for before the CA is asked; 0: nowhere
  std::uint16_t page_port = 0;           // of the fleet page; 0: none is served
  std::string page_bind_address = "127.0.0.1";
  std::vector<std::string> page_hosts;  // names under which it is reached, beside those of loopback
  int workers = 8;
  double kube_qps = 50;
  int kube_burst = 100;
  std::vector<std::string> dns_endpoints;  // NAME=URL, see clouds.hpp
  std::string dns_ca_file;                 // empty: none
  std::string log_level = "info";
  bool leader_elect = false;           // several operators: one works, the others stand by
  std::string leader_elect_namespace;  // of the Lease; empty: the pod's, or the kubeconfig's
  std::string audit_log;               // a file, or "-" for stdout; empty: none
  std::string audit_sink;              // an https URL; empty: none
  std::string audit_sink_key_file;     // of the key that its records are signed with
  std::string audit_sink_ca_file;      // empty: the public roots
  bool show_version = false;
  std::optional<PlanOptions> plan;         // `edgetrust plan`: say what will happen, and end
  std::optional<PinShowOptions> pin_show;  // `edgetrust pin show`: say what an endpoint presents, and end
};

// What the program shall do with it: the options, or a text to print and an exit status (0 for --help, EX_USAGE for a
// mistake).
struct ParsedOptions {
  Options options;
  bool exit = false;
  int status = 0;
};
ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace edgetrust
