// genesys-sim --config FILE
// Prints one line of JSON when it is ready, runs until SIGTERM or SIGINT, ends with 0. What is wrong is said on
// standard error, with 1 at the end.
#include "edgetrust/base/random.hpp"
#include "simulator.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

namespace edgetrust::sim {
namespace {

int complain(const std::string& why) {
  std::fprintf(stderr, "genesys-sim: %s\n", why.c_str());
  return 1;
}

int run(const std::string& file) {
  sigset_t endings;
  sigemptyset(&endings);
  sigaddset(&endings, SIGTERM);
  sigaddset(&endings, SIGINT);
  pthread_sigmask(SIG_BLOCK, &endings, nullptr);  // before any thread, which inherit it
  std::signal(SIGPIPE, SIG_IGN);

  const auto text = read_file(file);
  if (!text) return complain(text.error().message());
  auto config = parse_config(*text);
  if (!config) return complain(config.error().message());
  const SystemClock clock;
  SystemRandom random;
  const auto simulator = Simulator::start(std::move(*config), clock, random);
  if (!simulator) return complain(simulator.error().message());
  std::printf("%s\n", (*simulator)->ready_line().c_str());
  std::fflush(stdout);
  int ending = 0;
  sigwait(&endings, &ending);
  return 0;
}

}  // namespace
}  // namespace edgetrust::sim

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--config") {
    return edgetrust::sim::complain("usage: genesys-sim --config FILE");
  }
  try {
    return edgetrust::sim::run(argv[2]);
  } catch (const std::exception& error) {
    return edgetrust::sim::complain(error.what());
  }
}
