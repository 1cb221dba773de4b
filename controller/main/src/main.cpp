// Reads the command line and the environment, makes the real clock and randomness, and runs the operator until SIGINT
// or SIGTERM.
#include "edgetrust/http/transport.hpp"
#include "operator.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace edgetrust {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

std::string file(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Keys live in this process: no core file, no attaching by others of the same user.
void protect_memory() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

telemetry::Level level_of(const std::string& name) {
  using telemetry::Level;
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn}) {
    if (to_string(level) == name) return level;
  }
  return Level::kError;
}

Result<kube::ClusterConfig> cluster_config(const Options& options, const Clock& clock) {
  const std::string host = variable("KUBERNETES_SERVICE_HOST");
  if (options.kubeconfig.empty() && options.context.empty() && !host.empty()) {
    return kube::in_cluster_config(host, variable("KUBERNETES_SERVICE_PORT"), clock);
  }
  const std::string paths = options.kubeconfig.empty() ? variable("KUBECONFIG") : options.kubeconfig;
  return kube::load_kubeconfig(kube::kubeconfig_paths(paths, variable("HOME")), options.context, clock);
}

int run(const Options& options) {
  const SystemClock clock;
  SystemRandom random;
  const telemetry::Logger log(telemetry::stderr_sink(), clock, level_of(options.log_level));
  const auto give_up = [&](const Error& error) {
    log.error("cannot start", {{"error", error}});
    return 1;
  };
  auto cluster = cluster_config(options, clock);
  if (!cluster) return give_up(cluster.error());
  Environment environment{.cluster = std::move(*cluster),
                          .resolv_conf = file("/etc/resolv.conf"),
                          .hosts = file("/etc/hosts"),
                          .instance = variable("HOSTNAME")};
  auto program = Operator::create(options, std::move(environment), clock, random, log);
  if (!program) return give_up(program.error());

  // SIGINT and SIGTERM are blocked in every thread and waited for by one.
  std::jthread worker([&](std::stop_token stop) { (*program)->run(std::move(stop)); });
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int received = 0;
  sigwait(&signals, &received);
  worker.request_stop();
  worker.join();
  return 0;
}

}  // namespace
}  // namespace edgetrust

int main(int argc, char** argv) {
  edgetrust::protect_memory();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const auto parsed = edgetrust::parse_options(argc, argv);
  if (parsed.exit) return parsed.status;
  if (parsed.options.show_version) {
    std::puts("edgetrust " EDGETRUST_VERSION);
    return 0;
  }
  edgetrust::http::initialize();
  return edgetrust::run(parsed.options);
}
