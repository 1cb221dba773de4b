#pragma once
// kubectl-edgetrust: from a command line to an exit status. Its entry, main/src/kubectl_edgetrust.cpp, reads the
// environment and joins it to what only main has. Threads: one. Errors: told on stderr; the exit status is 1 then, and
// 2 when `doctor` has found something wrong.
#include "edgetrust/forecast/plan.hpp"
#include "edgetrust/kube/config.hpp"
#include "edgetrust/plugin/command_line.hpp"
#include "edgetrust/plugin/doctor_tools.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::plugin {

struct Surroundings {
  std::string version;
  std::string kubeconfig;                // $KUBECONFIG
  std::string home;                      // $HOME
  std::vector<std::string> environment;  // NAME=value, for programs that give credentials
  bool is_terminal = false;              // stdout
  bool no_colour = false;                // $NO_COLOR is set and not empty (no-color.org)
  const Clock& clock;
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  std::function<bool()> gone;  // nobody reads stdout any more
  // What will happen to a namespace until then.
  std::function<Result<forecast::Plan>(kube::ClusterConfig config, const std::string& ns, TimePoint until)> plan;
  DoctorTools doctor;
};

int run(const CommandLine& line, const Surroundings& around);
// What a shell is told for these words: one candidate a line, and cobra's directive not to offer files.
int run_completion(const std::vector<std::string>& words, const Surroundings& around);

}  // namespace edgetrust::plugin
