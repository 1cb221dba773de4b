// The entry of kubectl-edgetrust: reads the environment, makes the real clock and randomness, and lends the plugin what
// only main can join together.
#include "edgetrust/dns/lookup.hpp"
#include "edgetrust/http/transport.hpp"
#include "edgetrust/plugin/program.hpp"
#include "edgetrust/probe/probe.hpp"
#include "operator.hpp"
#include "process.hpp"

#include <csignal>
#include <cstdio>

#include <unistd.h>

extern char** environ;

namespace edgetrust {
namespace {

std::vector<std::string> whole_environment() {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) all.emplace_back(*one);
  return all;
}

Result<forecast::Plan> make_plan_of(kube::ClusterConfig config, const std::string& ns, TimePoint until,
                                    const Clock& clock, Random& random) {
  Options options;
  options.namespaces = {ns};
  options.plan.emplace();
  const telemetry::Logger log(telemetry::stderr_sink(), clock, telemetry::Level::kWarn);
  Environment environment{.cluster = std::move(config),
                          .resolv_conf = file("/etc/resolv.conf"),
                          .hosts = file("/etc/hosts"),
                          .instance = "kubectl-edgetrust",
                          .clouds = {}};
  return make_plan(options, std::move(environment), clock, random, log, until, {});
}

int run(int argc, char** argv) {
  const SystemClock clock;
  SystemRandom random;
  const dns::Resolver resolver(dns::parse_resolv_conf(file("/etc/resolv.conf")), dns::parse_hosts(file("/etc/hosts")),
                               random);
  dns::Lookup lookup(resolver, clock, random, {});
  const auto probe = probe::Probe::create(
      [&resolver](const std::string& host, const net::Wait& wait) { return resolver.addresses(host, wait); }, clock);
  const plugin::Surroundings around{
      .version = EDGETRUST_VERSION,
      .kubeconfig = variable("KUBECONFIG"),
      .home = variable("HOME"),
      .environment = whole_environment(),
      .is_terminal = isatty(STDOUT_FILENO) == 1,
      .no_colour = !variable("NO_COLOR").empty(),
      .clock = clock,
      .out =
          [](std::string_view text) {
            std::fwrite(text.data(), 1, text.size(), stdout);
            std::fflush(stdout);
          },
      .err = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); },
      .gone = [] { return std::ferror(stdout) != 0; },
      .plan = [&](kube::ClusterConfig config, const std::string& ns,
                  TimePoint until) { return make_plan_of(std::move(config), ns, until, clock, random); },
      .doctor = {.transport = http::make_transport, .probe = probe ? probe->get() : nullptr, .dns = &lookup}};
  if (argc > 1 && std::string_view(argv[1]) == "__complete") return run_completion({argv + 2, argv + argc}, around);
  const auto parsed = plugin::parse_command_line(argc, argv);
  std::fputs(parsed.out.c_str(), stdout);
  std::fputs(parsed.err.c_str(), stderr);
  if (parsed.exit) return parsed.status;
  const int status = run(parsed.line, around);
  return status == 0 && around.gone() ? 1 : status;
}

}  // namespace
}  // namespace edgetrust

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  edgetrust::http::initialize();
  return edgetrust::run(argc, argv);
}
