#include "edgetrust/plugin/program.hpp"

#include "edgetrust/base/until.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/kube/pause.hpp"
#include "edgetrust/kube/secrets.hpp"
#include "edgetrust/plugin/breakglass.hpp"
#include "edgetrust/plugin/doctor.hpp"
#include "edgetrust/plugin/document.hpp"
#include "edgetrust/plugin/fleet.hpp"
#include "edgetrust/plugin/pins.hpp"
#include "edgetrust/plugin/report.hpp"
#include "edgetrust/plugin/secret_view.hpp"
#include "edgetrust/view/document.hpp"
#include "run_program.hpp"

#include <fstream>
#include <iterator>

namespace edgetrust::plugin {
namespace {

using namespace std::chrono_literals;

// A view is made anew when something has changed, and at least this often: time runs on, and Events come a little after
// what they tell of.
constexpr std::chrono::seconds kLongestStill{3};
constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";

std::vector<std::string> kubeconfigs(const CommandLine& line, const Surroundings& around) {
  return kube::kubeconfig_paths(line.kubeconfig.empty() ? around.kubeconfig : line.kubeconfig, around.home);
}

Result<kube::ClusterConfig> load_config(const CommandLine& line, const Surroundings& around) {
  EDGETRUST_TRY_ASSIGN(auto config, kube::load_kubeconfig(kubeconfigs(line, around), line.context, around.clock,
                                                          [&around](const kube::CredentialProgram& program) {
                                                            return run_program(program, around.environment);
                                                          }));
  if (!line.ns.empty()) config.ns = line.ns;
  return config;
}

// The view as a document when one is asked for, else as text.
std::string in_form(const CommandLine& line, const json::Value& value, const std::function<std::string()>& text) {
  if (line.output == "json") return as_json(value);
  return line.output == "yaml" ? as_yaml(value) : text();
}

std::string in_a_line(const Row& pieces) {
  std::string text;
  append_line(text, pieces);
  return text;
}

// --- reports, which an audit log gives without a cluster

struct ReportTime {
  TimePoint from;
  TimePoint to;
};
Result<ReportTime> time_of_report(const CommandLine& line, TimePoint now) {
  ReportTime time{.from = {}, .to = now};
  EDGETRUST_TRY_ASSIGN(time.from, parse_since(line.from.empty() ? "30d" : line.from, now));
  if (!line.to.empty()) {
    EDGETRUST_TRY_ASSIGN(time.to, parse_since(line.to, now));
  }
  if (time.from >= time.to) return fail(ErrorKind::kInvalid, "--from must be before --to");
  return time;
}

std::string in_form_of_report(const CommandLine& line, const std::vector<ReportLine>& lines,
                              const std::string& nothing) {
  return line.output == "csv" ? as_csv(lines)
                              : in_form(line, as_value(lines), [&] { return as_table(lines, nothing); });
}

// Empty: all. No cluster is asked, so that a log can be read where none is.
Result<std::string> namespace_of_report(const CommandLine& line, const Surroundings& around) {
  if (line.all_namespaces) return std::string{};
  if (!line.ns.empty()) return line.ns;
  return kube::context_namespace(kubeconfigs(line, around), line.context).map_error([](Error error) {
    return within("of which namespace? -n names one, -A is all", std::move(error));
  });
}

Result<int> report_of_log(const CommandLine& line, const Surroundings& around) {
  EDGETRUST_TRY_ASSIGN(const ReportTime time, time_of_report(line, around.clock.now()));
  EDGETRUST_TRY_ASSIGN(const std::string ns, namespace_of_report(line, around));
  std::vector<AuditLog> logs;
  for (const auto& name : line.logs) {
    std::ifstream in(name, std::ios::binary);
    logs.push_back({.name = name, .text = {std::istreambuf_iterator<char>(in), {}}});
  }
  const AuditReport read = audit_report(logs, time.from, time.to, ns);
  around.out(in_form_of_report(line, read.lines, nothing_in_logs(ns)));
  for (const auto& trouble : read.troubles) around.err(in_a_line({trouble}));
  return read.troubles.empty() ? 0 : 1;
}

class Program {
 public:
  static Result<std::unique_ptr<Program>> create(const CommandLine& line, const Surroundings& around) {
    EDGETRUST_TRY_ASSIGN(auto config, load_config(line, around));
    EDGETRUST_TRY_ASSIGN(auto transport, http::make_transport(std::move(config.tls)));
    return std::unique_ptr<Program>(new Program(line, around, std::move(config), std::move(transport)));
  }

  Result<int> run() {
    switch (line_.command) {
      case Command::kList: return show([this] { return list(); });
      case Command::kStatus: return show([this] { return status(); });
      case Command::kPins: return show([this] { return pins(); });
      case Command::kApprove: return approve_one();
      case Command::kHold: return hold_one();
      case Command::kRenew: return of_certificate([this](const auto& c) { return renew(c, now()); });
      case Command::kRotate: return of_certificate([this](const auto& c) { return rotate(c, now()); });
      case Command::kRollback: return of_certificate([this](const auto& c) { return roll_back(c, now()); });
      case Command::kSuspend: return of_certificate([](const auto& c) { return suspend(c); });
      case Command::kResume: return resume_one();
      case Command::kPlan: return plan();
      case Command::kReport: return report_changes();
      case Command::kOverride: return override_one();
      case Command::kBreakglass: return break_one();
      case Command::kInspectSecret: return inspect_one();
      case Command::kDoctor: return see_doctor();
      case Command::kCompletion:
      case Command::kVersion: break;  // they need no cluster
    }
    return 0;
  }

  // The names of a kind, for a shell.
  std::vector<std::string> names(const std::string& kind) {
    std::vector<std::string> found;
    const auto add = [&](kube::Selection what) {
      what.metadata_only = true;
      (void)cluster_.client().list_all(
          what, [&](json::View object) { found.push_back(object["metadata"]["name"].string_or("")); }, {.timeout = 3s});
    };
    if (kind == "EdgeCertificate") add({.resource = kube::resource_of<api::EdgeCertificate>(), .ns = cluster_.ns()});
    if (kind == "PinPolicy") add({.resource = kube::resource_of<api::PinPolicy>(), .ns = cluster_.ns()});
    if (kind == "RotationPolicy") add({.resource = kube::resource_of<api::RotationPolicy>(), .ns = cluster_.ns()});
    if (kind == "Secret") add({.resource = kube::secrets(), .ns = cluster_.ns()});
    if (kind == "Namespace")
      add({.resource = {
               .group = "", .version = "v1", .plural = "namespaces", .kind = "Namespace", .namespaced = false}});
    return found;
  }

 private:
  Program(const CommandLine& line, const Surroundings& around, kube::ClusterConfig config,
          std::shared_ptr<http::Transport> transport)
      : line_(line),
        around_(around),
        config_(std::move(config)),
        transport_(std::move(transport)),
        client_(config_, transport_, around.clock, pauser_,
                {.user_agent = "kubectl-edgetrust/" + around.version, .field_manager = "kubectl-edgetrust"}),
        cluster_(client_, config_.ns) {}

  [[nodiscard]] TimePoint now() const { return around_.clock.now(); }
  [[nodiscard]] Style style() const {
    const bool automatic = around_.is_terminal && !around_.no_colour;
    return {.colour = line_.colour == "always" || (line_.colour == "auto" && automatic)};
  }
  [[nodiscard]] bool wide() const { return line_.output == "wide"; }
  std::string in_form(const json::Value& value, const std::function<std::string()>& text) const {
    return plugin::in_form(line_, value, text);
  }

  // --- looking

  Result<std::string> list() {
    EDGETRUST_TRY_ASSIGN(const auto certificates, cluster_.list<api::EdgeCertificate>(line_.all_namespaces));
    EDGETRUST_TRY_ASSIGN(const auto edges, cluster_.list<api::Edge>(line_.all_namespaces));
    const auto rows = fleet(certificates, edges);
    return in_form(as_value(rows, now()), [&] {
      return print(rows, {.wide = wide(), .with_namespace = line_.all_namespaces}, now(), style());
    });
  }

  Result<std::string> status() {
    if (!line_.name.empty()) {
      EDGETRUST_TRY_ASSIGN(auto certificate, cluster_.certificate(line_.name));
      EDGETRUST_TRY_ASSIGN(const view::Subject subject, cluster_.subject(std::move(certificate)));
      const view::Timeline told = view::timeline(subject, now());
      return in_form(as_value(told), [&] { return print(told, wide(), now(), style()); });
    }
    EDGETRUST_TRY_ASSIGN(auto certificates, cluster_.list<api::EdgeCertificate>());
    std::string text;
    json::Value all = json::Value::array();
    std::size_t quiet = 0;
    const std::size_t total = certificates.size();
    for (auto& certificate : certificates) {
      if (view::timeline({.certificate = certificate, .edge = {}, .policy = {}, .events = {}}, now()).quiet) {
        ++quiet;
        continue;
      }
      EDGETRUST_TRY_ASSIGN(const view::Subject subject, cluster_.subject(std::move(certificate)));
      const view::Timeline told = view::timeline(subject, now());
      text += print(told, wide(), now(), style()) + "\n";
      all.push_back(as_value(told));
    }
    text += std::to_string(quiet) + " of " + std::to_string(total) + " EdgeCertificates in " + cluster_.ns() +
            " are quiet.\n";
    return in_form({{"quiet", quiet}, {"total", total}, {"rotations", std::move(all)}}, [&] { return text; });
  }

  Result<std::string> pins() {
    if (line_.name.empty()) {
      EDGETRUST_TRY_ASSIGN(const auto policies, cluster_.list<api::PinPolicy>());
      return in_form(as_value(policies), [&] { return print(policies, wide(), style()); });
    }
    EDGETRUST_TRY_ASSIGN(const auto policy, cluster_.get<api::PinPolicy>(line_.name));
    return in_form(as_value(std::vector{policy}), [&] { return print(policy, wide(), now(), style()); });
  }

  // Prints a view, with --watch again and again: when its text is another one.
  Result<int> show(const std::function<Result<std::string>()>& view) {
    EDGETRUST_TRY_ASSIGN(std::string shown, view());
    say(shown);
    while (line_.watch && !around_.gone()) {
      EDGETRUST_TRY(wait_for_change());
      EDGETRUST_TRY_ASSIGN(std::string text, view());
      if (text == shown) continue;
      shown = std::move(text);
      say(shown);
    }
    return 0;
  }
  void say(const std::string& view) const {
    const bool on_screen = line_.watch && around_.is_terminal;
    around_.out((on_screen ? std::string(kClearScreen) : std::string{}) + view +
                (line_.watch && !on_screen ? "\n" : ""));
  }
  Status wait_for_change() {
    const auto resource = line_.command == Command::kPins ? kube::resource_of<api::PinPolicy>()
                                                          : kube::resource_of<api::EdgeCertificate>();
    const kube::Selection what{.resource = resource,
                               .ns = line_.all_namespaces ? std::string{} : cluster_.ns(),
                               .labels = {},
                               .fields = {},
                               .metadata_only = true};
    EDGETRUST_TRY_ASSIGN(const kube::Page page, client_.list(what, {.limit = 1}, {}));
    return client_.watch(what, {.resource_version = page.resource_version, .timeout = kLongestStill},
                         [](std::string_view) { return false; }, {});
  }

  // --- asking

  using CertificateJudge = std::function<Result<ChangeRequest>(const api::EdgeCertificate&)>;
  Result<int> of_certificate(const CertificateJudge& judge) {
    return told(cluster_.change<api::EdgeCertificate>([this] { return cluster_.certificate(line_.name); }, judge));
  }
  Result<int> of_pin_policy(const std::function<Result<ChangeRequest>(const api::PinPolicy&)>& judge) {
    return told(cluster_.change<api::PinPolicy>([this] { return cluster_.get<api::PinPolicy>(line_.name); }, judge));
  }
  Result<int> told(const Result<ChangeRequest>& request) {
    if (!request) return fail(request.error());
    around_.out(in_a_line({style().paint(Tone::kGood, request->done)}) + in_a_line({request->next}));
    return 0;
  }

  Result<int> approve_one() {
    const ApproveOptions options{.revision = line_.revision, .change = line_.change, .by = cluster_.whoami()};
    return of_certificate([&](const auto& certificate) { return approve(certificate, options, now()); });
  }
  Result<int> hold_one() {
    if (line_.end) return of_certificate([](const auto& certificate) { return release(certificate); });
    EDGETRUST_TRY_ASSIGN(const TimePoint until, until_when());
    return of_certificate([&](const auto& certificate) { return hold(certificate, until, line_.reason); });
  }
  Result<int> resume_one() {
    if (line_.policy.empty() == line_.name.empty())
      return fail(ErrorKind::kInvalid, "name either an Edge, or with --policy a halted RotationPolicy");
    if (line_.policy.empty()) return of_certificate([](const auto& certificate) { return resume(certificate); });
    return told(cluster_.change<api::RotationPolicy>(
        [this] { return cluster_.get<api::RotationPolicy>(line_.policy); },
        [this](const api::RotationPolicy& policy) { return resume(policy, now()); }));
  }
  Result<int> override_one() {
    if (line_.end) return of_pin_policy([](const auto& policy) { return end_override(policy); });
    EDGETRUST_TRY_ASSIGN(const TimePoint until, until_when());
    return of_pin_policy([&](const auto& policy) { return override_pins(policy, until, line_.reason, now()); });
  }
  Result<TimePoint> until_when() const {
    if (line_.until.empty()) return fail(ErrorKind::kInvalid, "--until is missing: until when?");
    return parse_until(line_.until, now());
  }

  // --- the rest

  Result<int> plan() {
    EDGETRUST_TRY_ASSIGN(const TimePoint until, parse_until(line_.until.empty() ? "30d" : line_.until, now()));
    EDGETRUST_TRY_ASSIGN(auto config, load_config(line_, around_));  // with keys, which this one has given away
    EDGETRUST_TRY_ASSIGN(const forecast::Plan made, around_.plan(std::move(config), cluster_.ns(), until));
    around_.out(line_.output == "json"  ? forecast::as_json(made)
                : line_.output == "ics" ? forecast::as_calendar(made)
                                        : forecast::as_table(made));
    return made.unread.empty() ? 0 : 1;  // half a plan is none to rely on
  }

  Result<int> report_changes() {
    EDGETRUST_TRY_ASSIGN(const ReportTime time, time_of_report(line_, now()));
    EDGETRUST_TRY_ASSIGN(const auto certificates, cluster_.list<api::EdgeCertificate>(line_.all_namespaces));
    around_.out(in_form_of_report(line_, report(certificates, time.from, time.to), nothing_in_histories()));
    return 0;
  }

  Result<int> break_one() {
    auto certificate = cluster_.certificate(line_.name);
    if (!certificate && certificate.error().kind != ErrorKind::kNotFound) return fail(certificate.error());
    EDGETRUST_TRY_ASSIGN(api::Edge edge,
                         cluster_.get<api::Edge>(certificate ? certificate->spec.edge_ref.name : line_.name));
    GlassCase glass{.edge = std::move(edge), .certificate = {}, .policies = {}};
    if (certificate) glass.certificate = std::move(*certificate);
    EDGETRUST_TRY_ASSIGN(auto policies, cluster_.list<api::PinPolicy>());
    for (auto& policy : policies) {
      if (api::selects(policy.spec, glass.edge.meta)) glass.policies.push_back(std::move(policy));
    }
    around_.out(break_glass(glass, now()));
    return 0;
  }

  Result<int> inspect_one() {
    kube::SecretClient secrets(client_);
    const auto secret = secrets.read({cluster_.ns(), line_.name}, {});
    if (!secret) {
      if (secret.error().kind != ErrorKind::kNotFound) return fail(secret.error());
      return fail(ErrorKind::kNotFound, not_found("Secret", line_.name, cluster_.ns(), names("Secret")));
    }
    const auto certificates = cluster_.list<api::EdgeCertificate>();
    const SecretView view = inspect(*secret, certificates ? *certificates : std::vector<api::EdgeCertificate>{});
    around_.out(in_form(as_value(view), [&] { return print(view, now(), style()); }));
    return view.is_good ? 0 : 1;
  }

  Result<int> see_doctor() {
    const auto findings = examine({.cluster = cluster_,
                                   .config = config_,
                                   .api = transport_,
                                   .tools = around_.doctor,
                                   .clock = around_.clock,
                                   .service_account = line_.service_account,
                                   .leader_elect_namespace = line_.leader_elect_namespace});
    around_.out(in_form(as_value(findings), [&] { return print(findings, style()); }));
    return is_well(findings) ? 0 : 2;
  }

  const CommandLine& line_;
  const Surroundings& around_;
  const kube::ClusterConfig config_;
  const std::shared_ptr<http::Transport> transport_;
  kube::ThreadPauser pauser_;
  kube::ApiClient client_;
  Cluster cluster_;
};

}  // namespace

int run(const CommandLine& line, const Surroundings& around) {
  if (line.command == Command::kVersion) {
    around.out("kubectl-edgetrust " + around.version + "\n");
    return 0;
  }
  if (line.command == Command::kCompletion) {
    around.out(completion_script(line.name));
    return 0;
  }
  const auto ended = [&]() -> Result<int> {
    if (line.command == Command::kReport && !line.logs.empty()) return report_of_log(line, around);
    EDGETRUST_TRY_ASSIGN(const auto program, Program::create(line, around));
    return program->run();
  }();
  if (ended) return *ended;
  around.err(in_a_line({"error: ", ended.error().message()}));
  return 1;
}

int run_completion(const std::vector<std::string>& words, const Surroundings& around) {
  constexpr std::string_view kNoFiles = ":4\n";  // cobra's ShellCompDirectiveNoFileComp, which kubectl reads
  Completion done = complete(words);
  const std::string begun = words.empty() ? std::string{} : words.back();
  if (!done.kind.empty()) {
    if (const auto program = Program::create(done.connection, around)) {
      for (auto& name : (*program)->names(done.kind)) {
        if (name.starts_with(begun)) done.words.push_back(std::move(name));
      }
    }
  }
  for (const auto& word : done.words) around.out(in_a_line({word}));
  around.out(kNoFiles);
  return 0;
}

}  // namespace edgetrust::plugin
