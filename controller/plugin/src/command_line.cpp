#include "edgetrust/plugin/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <sysexits.h>

namespace edgetrust::plugin {
namespace {

// What the one positional argument of a command names.
enum class Names { kNothing, kEdge, kPinPolicy, kSecret, kShell };

const std::vector<std::string> kShells{"bash", "zsh", "fish"};
const std::vector<std::string> kOutputs{"table", "wide", "json", "yaml"};
const std::vector<std::string> kPlainOutputs{"table", "json", "yaml"};
const std::vector<std::string> kPlanOutputs{"table", "json", "ics"};
const std::vector<std::string> kReportOutputs{"table", "csv", "json", "yaml"};
const std::vector<std::string> kColours{"auto", "always", "never"};
constexpr const char* kUntil = "until when: 30d, 36h, or a moment like 2027-01-03T00:00:00Z";

// Its description stands in the help. CLI::PositiveNumber speaks of a range of real numbers, of which zero is one.
const CLI::Validator kRevision(
    [](const std::string& text) -> std::string {
      int number = 0;
      const char* const end = text.data() + text.size();
      const auto read = std::from_chars(text.data(), end, number);
      const bool is_revision = read.ec == std::errc{} && read.ptr == end && number > 0;
      return is_revision ? "" : "a revision is a number from 1";
    },
    "POSITIVE");

struct Verb {
  Command command;
  Names names;
  std::map<std::string, std::vector<std::string>> values;  // by flag
};

// One parse: the app refers to the command line that it fills.
class Parser {
 public:
  Parser() {
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "print the help of every command and end");
    app.add_option("--kubeconfig", line.kubeconfig, "kubeconfig file (default: $KUBECONFIG, else ~/.kube/config)");
    app.add_option("--context", line.context, "context of the kubeconfig");
    app.add_option("-n,--namespace", line.ns, "namespace (default: the context's)");
    app.add_option("--color", line.colour, "auto (on a terminal, unless $NO_COLOR is set), always or never")
        ->check(CLI::IsMember(kColours))
        ->capture_default_str();

    auto* list = verb(Command::kList, Names::kNothing, "list", "the fleet by expiry, each certificate's life as a bar");
    list->add_flag("-A,--all-namespaces", line.all_namespaces, "of all namespaces");
    view(list);
    auto* status = verb(Command::kStatus, Names::kEdge, "status",
                        "one rotation: what happened, what is waited for and until when; without a name, all that is "
                        "not quiet");
    view(status);

    auto* approve =
        verb(Command::kApprove, Names::kEdge, "approve", "allow the revision that waits for an approval", true);
    approve->add_option("--change", line.change, "number of the change, for the history");
    approve->add_option("--revision", line.revision, "refuse unless it is this one")->check(kRevision);
    auto* hold =
        verb(Command::kHold, Names::kEdge, "hold", "begin nothing on an Edge for a while, without touching spec", true);
    until(hold);
    hold->add_option("--reason", line.reason, "why, for whoever looks");
    hold->add_flag("--release", line.end, "end the hold");
    verb(Command::kRenew, Names::kEdge, "renew", "order a new certificate now", true);
    verb(Command::kRotate, Names::kEdge, "rotate",
         "deliver the waiting revision without waiting for window and wave, once; never in a freeze", true);
    verb(Command::kRollback, Names::kEdge, "rollback", "put the previous certificate back at once", true);
    verb(Command::kSuspend, Names::kEdge, "suspend", "set spec.suspend", true);
    auto* resume = verb(Command::kResume, Names::kEdge, "resume",
                        "end the suspension of an EdgeCertificate, or with --policy a halt");
    resume->add_option("--policy", line.policy, "a halted RotationPolicy");

    auto* plan = verb(Command::kPlan, Names::kNothing, "plan",
                      "who is rotated when, who is not and why, what expires; changes nothing");
    plan->add_option("--until", line.until, std::string(kUntil) + " (default: 30d)");
    output(plan, kPlanOutputs, "table, json or ics (a calendar)");

    auto* report = verb(Command::kReport, Names::kNothing, "report",
                        "what was changed: who, under which change, old and new serial, evidence, result");
    report->add_option("--from", line.from, "since when: 2026-11-01, a moment, or so long ago: 30d (the default)");
    report->add_option("--to", line.to, "until when, likewise (default: now)");
    report
        ->add_option("--log", line.logs,
                     "an audit log of the operator, which is checked as well (default: the histories of the objects); "
                     "again for each further one, the oldest first")
        ->allow_extra_args(false)
        ->check(CLI::ExistingFile);
    report->add_flag("-A,--all-namespaces", line.all_namespaces, "of all namespaces");
    output(report, kReportOutputs, "table, csv, json or yaml");

    auto* pins =
        verb(Command::kPins, Names::kPinPolicy, "pins", "what is pinned, what was seen, and which Edges do not match");
    view(pins);
    auto* override_pins = verb(Command::kOverride, Names::kPinPolicy, "override",
                               "switch the pinning of a PinPolicy off for a while", true);
    until(override_pins);
    override_pins->add_option("--reason", line.reason, "why: required, and told to everybody who looks");
    override_pins->add_flag("--end", line.end, "end the override");
    verb(Command::kBreakglass, Names::kEdge, "breakglass",
         "print what to type on one Edge when operator or cluster cannot help; to be printed beforehand, runs nothing",
         true);

    CLI::App* inspect = app.add_subcommand("inspect", "look into an object");
    inspect->require_subcommand(1);
    inspect->fallthrough();
    auto* secret = add(inspect, Command::kInspectSecret, Names::kSecret, "secret",
                       "the certificates of a Secret, whether its key fits, and who uses it; never the key", true);
    output(secret, kPlainOutputs, "table, json or yaml");

    auto* doctor = verb(Command::kDoctor, Names::kNothing, "doctor",
                        "find out what is wrong: cluster, permissions, clock, CAs, DNS, Genesys, Edges");
    output(doctor, kPlainOutputs, "table, json or yaml");
    doctor
        ->add_option("--service-account", line.service_account,
                     "that of the operator: its name, or namespace:name where that is another namespace")
        ->capture_default_str();
    doctor->add_option("--leader-elect-namespace", line.leader_elect_namespace,
                       "that of the operator (default: the namespace of its service account)");
    verb(Command::kCompletion, Names::kShell, "completion", "print the completion script of bash, zsh or fish", true);
    verb(Command::kVersion, Names::kNothing, "version", "print the version");
  }

  CLI::App app{"kubectl edgetrust: the certificates of Genesys Cloud Edge appliances, for those who watch over them",
               "kubectl edgetrust"};
  CommandLine line;
  std::map<const CLI::App*, Verb> verbs;

 private:
  CLI::App* add(CLI::App* under, Command command, Names names, const char* name, const char* text,
                bool required = false) {
    CLI::App* made = under->add_subcommand(name, text);
    made->fallthrough();  // the options above may follow
    verbs[made] = {.command = command, .names = names, .values = {}};
    if (names != Names::kNothing) {
      const char* what = names == Names::kEdge        ? "EDGE"
                         : names == Names::kPinPolicy ? "POLICY"
                         : names == Names::kSecret    ? "SECRET"
                                                      : "SHELL";
      const char* help = names == Names::kEdge        ? "name of the Edge, or of its EdgeCertificate"
                         : names == Names::kPinPolicy ? "name of the PinPolicy"
                         : names == Names::kSecret    ? "name of the Secret"
                                                      : "bash, zsh or fish";
      auto* option = made->add_option(what, line.name, help)->required(required);
      if (names == Names::kShell) option->check(CLI::IsMember(kShells));
    }
    return made;
  }
  CLI::App* verb(Command command, Names names, const char* name, const char* text, bool required = false) {
    return add(&app, command, names, name, text, required);
  }
  void output(CLI::App* of, const std::vector<std::string>& forms, const char* text) {
    of->add_option("-o,--output", line.output, text)->check(CLI::IsMember(forms))->capture_default_str();
    verbs[of].values["-o"] = verbs[of].values["--output"] = forms;
  }
  void view(CLI::App* of) {
    output(of, kOutputs, "table, wide, json or yaml");
    of->add_flag("-w,--watch", line.watch, "go on, and print it again when it changes");
  }
  void until(CLI::App* of) { of->add_option("--until", line.until, kUntil); }
};

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  Parser parser;
  ParsedCommandLine parsed;
  try {
    parser.app.parse(argc, argv);
    for (const auto& [app, verb] : parser.verbs) {
      if (app->parsed()) parser.line.command = verb.command;
    }
    parsed.line = parser.line;
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    parsed.exit = true;
    // Of a word that is no command CLI11 says that one is required.
    const auto unknown = parser.app.remaining(true);
    const bool is_unknown = !unknown.empty() && error.get_name() == "RequiredError";
    const int status =
        is_unknown ? parser.app.exit(CLI::ExtrasError(unknown), out, err) : parser.app.exit(error, out, err);
    parsed.status = status == 0 ? 0 : EX_USAGE;
    parsed.out = out.str();
    parsed.err = err.str();
  }
  return parsed;
}

std::string full_help() {
  Parser parser;
  return parser.app.help("", CLI::AppFormatMode::All);
}

// --- completion

namespace {

bool takes_value(const CLI::Option* option) { return option->get_items_expected_max() > 0; }

const CLI::Option* option_named(const std::vector<const CLI::App*>& path, const std::string& word) {
  for (const CLI::App* app : path) {
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional() && option->check_name(word)) return option;
    }
  }
  return nullptr;
}

void keep(Completion& done, const std::string& prefix, std::vector<std::string> words) {
  for (auto& word : words) {
    if (word.starts_with(prefix)) done.words.push_back(std::move(word));
  }
}

// Where the words so far lead: the commands from the program down, and the positional argument.
struct Place {
  std::vector<const CLI::App*> path;
  std::string name;
  std::string open_flag;  // the last word is this flag's value
};

Place place_of(Parser& parser, const std::vector<std::string>& words) {
  Place place{.path = {&parser.app}, .name = {}, .open_flag = {}};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.starts_with("-")) {
      const CLI::Option* option = option_named(place.path, word);
      if (option == nullptr || !takes_value(option)) continue;
      if (i + 2 == words.size()) {
        place.open_flag = word;
      } else {
        const std::string& value = words[++i];
        if (option->check_name("--kubeconfig")) parser.line.kubeconfig = value;
        if (option->check_name("--context")) parser.line.context = value;
        if (option->check_name("--namespace")) parser.line.ns = value;
      }
      continue;
    }
    const auto below = place.path.back()->get_subcommands([](const CLI::App*) { return true; });
    const auto found = std::ranges::find_if(below, [&](const CLI::App* one) { return one->get_name() == word; });
    if (found != below.end()) {
      place.path.push_back(*found);
    } else {
      place.name = word;
    }
  }
  return place;
}

}  // namespace

Completion complete(const std::vector<std::string>& words) {
  Parser parser;
  Completion done;
  const std::string last = words.empty() ? std::string{} : words.back();
  const Place place = place_of(parser, words);
  done.connection = parser.line;
  const auto found = parser.verbs.find(place.path.back());
  const Verb* verb = found == parser.verbs.end() ? nullptr : &found->second;
  const std::string& flag = place.open_flag;
  if (!flag.empty()) {
    if (flag == "--policy") done.kind = "RotationPolicy";
    if (flag == "-n" || flag == "--namespace") done.kind = "Namespace";
    if (flag == "--color") keep(done, last, kColours);
    if (verb != nullptr && verb->values.contains(flag)) keep(done, last, verb->values.at(flag));
    return done;
  }
  if (last.starts_with("-")) {
    for (const CLI::App* app : place.path) {
      for (const CLI::Option* option : app->get_options()) {
        for (const auto& name : option->get_lnames()) keep(done, last, {"--" + name});
      }
    }
    std::ranges::sort(done.words);
    done.words.erase(std::unique(done.words.begin(), done.words.end()), done.words.end());
    return done;
  }
  for (const CLI::App* below : place.path.back()->get_subcommands([](const CLI::App*) { return true; }))
    keep(done, last, {below->get_name()});
  if (verb != nullptr && place.name.empty()) {
    if (verb->names == Names::kEdge) done.kind = "EdgeCertificate";
    if (verb->names == Names::kPinPolicy) done.kind = "PinPolicy";
    if (verb->names == Names::kSecret) done.kind = "Secret";
    if (verb->names == Names::kShell) keep(done, last, kShells);
  }
  return done;
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash") {
    return R"sh(# For the plugin by its own name. `kubectl edgetrust <TAB>` works by kubectl_complete-edgetrust on the PATH.
_kubectl_edgetrust() {
  COMPREPLY=()
  local line
  while IFS= read -r line; do
    [[ $line == :* ]] || COMPREPLY+=("$line")
  done < <(kubectl-edgetrust __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kubectl_edgetrust kubectl-edgetrust
)sh";
  }
  if (shell == "zsh") {
    return R"sh(#compdef kubectl-edgetrust
# For the plugin by its own name. `kubectl edgetrust <TAB>` works by kubectl_complete-edgetrust on the PATH.
_kubectl_edgetrust() {
  local -a found
  found=(${(f)"$(kubectl-edgetrust __complete "${(@)words[2,CURRENT]}" 2>/dev/null | grep -v '^:')"})
  compadd -- $found
}
compdef _kubectl_edgetrust kubectl-edgetrust
)sh";
  }
  if (shell == "fish") {
    return R"sh(# For the plugin by its own name. `kubectl edgetrust <TAB>` works by kubectl_complete-edgetrust on the PATH.
function __kubectl_edgetrust_complete
    set -l words (commandline -opc) (commandline -ct)
    kubectl-edgetrust __complete $words[2..-1] 2>/dev/null | string match -v ':*'
end
complete -c kubectl-edgetrust -f -a '(__kubectl_edgetrust_complete)'
)sh";
  }
  return {};
}

}  // namespace edgetrust::plugin
