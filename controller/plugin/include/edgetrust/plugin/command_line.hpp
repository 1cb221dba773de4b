#pragma once
// The command line of kubectl-edgetrust. kubectl hands a plugin all that follows its name, so the flags that kubectl
// has of its own (-n, --context, --kubeconfig) are read here again.
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::plugin {

enum class Command {
  kList,
  kStatus,
  kApprove,
  kHold,
  kRenew,
  kRotate,
  kRollback,
  kSuspend,
  kResume,
  kPlan,
  kReport,
  kPins,
  kOverride,
  kBreakglass,
  kInspectSecret,
  kDoctor,
  kCompletion,
  kVersion
};

struct CommandLine {
  Command command = Command::kList;
  std::string kubeconfig;  // empty: $KUBECONFIG, else ~/.kube/config
  std::string context;     // empty: the current one
  std::string ns;          // empty: the context's
  bool all_namespaces = false;
  std::string colour = "auto";   // always, never
  std::string name;              // of an Edge or its EdgeCertificate, a policy, a Secret, a shell; may be empty
  std::string output = "table";  // wide, json, yaml; of a plan also ics
  bool watch = false;
  std::string from;  // of a report
  std::string to;
  std::vector<std::string> logs;  // of a report: audit logs, the oldest first; empty: the histories of the objects
  std::string until;              // days, a duration, or a moment
  std::string reason;
  std::string change;  // of an approval
  std::optional<int> revision;
  bool end = false;                           // of a hold or an override
  std::string policy;                         // a halted RotationPolicy
  std::string service_account = "edgetrust";  // the operator's: a name, or namespace:name
  std::string leader_elect_namespace;         // the operator's; empty: that of its service account
};

// What the program shall do with it: the commands, or a text to print and an exit status (0 for --help, EX_USAGE for a
// mistake).
struct ParsedCommandLine {
  CommandLine line;
  bool exit = false;
  int status = 0;
  std::string out;  // for stdout
  std::string err;  // for stderr
};
ParsedCommandLine parse_command_line(int argc, const char* const* argv);

// The help of the program and of each command, as the how-to has it.
std::string full_help();

// --- what a shell completes

// What the last of these words may be: commands, flags, values of flags. Where it is the name of an object, the kind
// whose names are wanted is said instead.
struct Completion {
  std::vector<std::string> words;
  std::string kind;        // "EdgeCertificate", "PinPolicy", "RotationPolicy", "Secret", "Namespace"; empty: none
  CommandLine connection;  // how the cluster is reached, as far as it was typed already
};
Completion complete(const std::vector<std::string>& words);

// The script of a shell (bash, zsh, fish): it asks the program itself. Empty for another shell.
std::string completion_script(const std::string& shell);

}  // namespace edgetrust::plugin
