// Reads the command line and the environment, makes the real clock and randomness, and runs the operator until SIGINT
// or SIGTERM, or makes a plan.
#include "edgetrust/base/until.hpp"
#include "edgetrust/http/transport.hpp"
#include "operator.hpp"
#include "process.hpp"

#include <csignal>
#include <cstdio>
#include <thread>

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace edgetrust {
namespace {

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

Clouds clouds_of(const Options& options) {
  Clouds clouds{.aws_role_arn = variable("AWS_ROLE_ARN"),
                .aws_token_file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
                .aws_region = variable("AWS_REGION"),
                .azure_client_id = variable("AZURE_CLIENT_ID"),
                .azure_tenant_id = variable("AZURE_TENANT_ID"),
                .azure_token_file = variable("AZURE_FEDERATED_TOKEN_FILE"),
                .azure_authority_host = variable("AZURE_AUTHORITY_HOST"),
                .endpoints = {},
                .ca_pem = options.dns_ca_file.empty() ? "" : file(options.dns_ca_file.c_str())};
  for (const auto& text : options.dns_endpoints) clouds.endpoints.insert(*parse_dns_endpoint(text));
  return clouds;
}

Result<Environment> environment_of(const Options& options, const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(kube::ClusterConfig cluster, cluster_config(options, clock));
  return Environment{.cluster = std::move(cluster),
                     .resolv_conf = file("/etc/resolv.conf"),
                     .hosts = file("/etc/hosts"),
                     .instance = variable("HOSTNAME"),
                     .clouds = clouds_of(options)};
}

sigset_t the_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// In every thread, before the first is started: one waits for them.
void block_signals() {
  const sigset_t signals = the_end();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void wait_for_signal() {
  const sigset_t signals = the_end();
  int received = 0;
  sigwait(&signals, &received);
}

int run(const Options& options) {
  const SystemClock clock;
  SystemRandom random;
  const telemetry::Logger log(telemetry::stderr_sink(), clock, level_of(options.log_level));
  const auto give_up = [&](const Error& error) {
    log.error("cannot start", {{"error", error}});
    return 1;
  };
  auto environment = environment_of(options, clock);
  if (!environment) return give_up(environment.error());
  auto program = Operator::create(options, std::move(*environment), clock, random, log);
  if (!program) return give_up(program.error());
  Status ended;
  std::jthread worker([&](std::stop_token stop) {
    ended = (*program)->run(std::move(stop));
    if (!ended) kill(getpid(), SIGTERM);  // nothing else ends the wait
  });
  wait_for_signal();
  worker.request_stop();
  worker.join();
  if (!ended) log.error("ended", {{"error", ended.error()}});
  return ended ? 0 : 1;
}

std::string print(const forecast::Plan& plan, const std::string& output) {
  if (output == "json") return forecast::as_json(plan);
  return output == "ics" ? forecast::as_calendar(plan) : forecast::as_table(plan);
}

// Its output is the plan and nothing else: what the watches have to say is told only when it is a warning.
int plan(const Options& options) {
  const SystemClock clock;
  SystemRandom random;
  const telemetry::Logger log(telemetry::stderr_sink(), clock,
                              std::max(level_of(options.log_level), telemetry::Level::kWarn));
  const auto made = [&]() -> Result<forecast::Plan> {
    EDGETRUST_TRY_ASSIGN(Environment environment, environment_of(options, clock));
    EDGETRUST_TRY_ASSIGN(const TimePoint until, parse_until(options.plan->until, clock.now()));
    return make_plan(options, std::move(environment), clock, random, log, until, {});
  }();
  if (!made) {
    std::fprintf(stderr, "edgetrust plan: %s\n", made.error().message().c_str());
    return 1;
  }
  const std::string text = print(*made, options.plan->output);
  const bool told = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return told && made->unread.empty() ? 0 : 1;  // half a plan is none to rely on
}

// Only what validates is fit to be pinned: the exit status says so too.
int show(const PinShowOptions& options) {
  const SystemClock clock;
  SystemRandom random;
  const Environment environment{.cluster = {}, .resolv_conf = file("/etc/resolv.conf"), .hosts = file("/etc/hosts")};
  const auto shown = [&]() -> Result<PinShow> {
    std::string roots;
    if (!options.ca_file.empty()) roots = file(options.ca_file.c_str());
    if (!options.ca_file.empty() && roots.empty())
      return fail(ErrorKind::kInvalid, "--ca-file: nothing can be read from " + options.ca_file);
    return show_pins(options, environment, roots, clock, random);
  }();
  if (!shown) {
    std::fprintf(stderr, "edgetrust pin show: %s\n", shown.error().message().c_str());
    return 1;
  }
  const std::string& text = shown->text;
  const bool told = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return told && shown->validates ? 0 : 1;
}

}  // namespace
}  // namespace edgetrust

int main(int argc, char** argv) {
  edgetrust::protect_memory();
  const auto parsed = edgetrust::parse_options(argc, argv);
  if (parsed.exit) return parsed.status;
  if (parsed.options.show_version) {
    std::puts("edgetrust " EDGETRUST_VERSION);
    return 0;
  }
  if (!parsed.options.plan && !parsed.options.pin_show) edgetrust::block_signals();
  std::signal(SIGPIPE, SIG_IGN);
  edgetrust::http::initialize();
  if (parsed.options.pin_show) return edgetrust::show(*parsed.options.pin_show);
  return parsed.options.plan ? edgetrust::plan(parsed.options) : edgetrust::run(parsed.options);
}
