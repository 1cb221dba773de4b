#include "edgetrust/kube/config.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"
#include "exec_credential.hpp"
#include "file.hpp"

#include <filesystem>
#include <map>

#include <yaml-cpp/yaml.h>

namespace edgetrust::kube {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;

tl::unexpected<Error> bad(std::string what) { return fail(ErrorKind::kInvalid, std::move(what)); }

// An entry of clusters, users or contexts, and the folder that its relative paths start from.
struct Entry {
  YAML::Node body;
  std::string folder;
  std::string label;  // `user "admin"`

  [[nodiscard]] bool has(const char* field) const {
    return body.IsMap() && body[field].IsDefined() && !body[field].IsNull();
  }
  [[nodiscard]] std::string text(const char* field) const {
    return has(field) && body[field].IsScalar() ? body[field].Scalar() : std::string{};
  }
  [[nodiscard]] std::string path(const char* field) const {
    const std::filesystem::path named(text(field));
    return named.is_absolute() ? named.string() : (std::filesystem::path(folder) / named).string();
  }
  // The octets of `field`-data (base64), or else of the file that `field` names; empty when there is neither.
  [[nodiscard]] Result<Secret> content(const char* field) const {
    const std::string data = std::string(field) + "-data";
    if (has(data.c_str())) {
      return secret_from_base64(text(data.c_str())).map_error([&](Error e) {
        return within(label + ": " + data, std::move(e));
      });
    }
    if (!has(field)) return Secret{};
    return read_secret_file(path(field), kMaxFile).map_error([&](Error e) {
      if (e.kind == ErrorKind::kNotFound) e.kind = ErrorKind::kInvalid;
      return within(label + ": " + field, std::move(e));
    });
  }
};

class Kubeconfig {
 public:
  // kNotFound when there is no such file.
  Status add(const std::string& path) {
    EDGETRUST_TRY_ASSIGN(const Secret text, read_secret_file(path, kMaxFile));
    const YAML::Node root = YAML::Load(std::string(text.expose()));
    if (!root.IsMap()) return bad("this is no kubeconfig");
    const std::string folder = std::filesystem::path(path).parent_path().string();
    collect(root["clusters"], "cluster", folder);
    collect(root["users"], "user", folder);
    collect(root["contexts"], "context", folder);
    if (current_.empty() && root["current-context"].IsDefined() && root["current-context"].IsScalar()) {
      current_ = root["current-context"].Scalar();
    }
    return {};
  }

  [[nodiscard]] Result<Entry> find(const std::string& kind, const std::string& name) const {
    const auto found = entries_.find({kind, name});
    if (found == entries_.end()) return bad("there is no " + kind + " \"" + printable(name, 100) + "\"");
    return found->second;
  }
  [[nodiscard]] const std::string& current() const { return current_; }

 private:
  void collect(const YAML::Node& list, const std::string& kind, const std::string& folder) {
    if (!list.IsDefined() || !list.IsSequence()) return;
    for (const auto& item : list) {
      if (!item.IsMap() || !item["name"].IsDefined() || !item["name"].IsScalar()) continue;
      const std::string name = item["name"].Scalar();
      entries_.try_emplace({kind, name}, Entry{item[kind], folder, kind + " \"" + printable(name, 100) + "\""});
    }
  }

  std::map<std::pair<std::string, std::string>, Entry> entries_;
  std::string current_;
};

Status check_cluster(const Entry& cluster) {
  if (cluster.text("insecure-skip-tls-verify") == "true") {
    return bad(cluster.label + ": insecure-skip-tls-verify is refused; give certificate-authority-data instead");
  }
  for (const char* field : {"proxy-url", "tls-server-name"}) {
    if (cluster.has(field)) return fail(ErrorKind::kUnsupported, cluster.label + ": " + field + " is not supported");
  }
  return {};
}

Status check_user(const Entry& user, bool may_run) {
  for (const char* field : {"exec", "auth-provider"}) {
    if (user.has(field) && (!may_run || field == std::string_view("auth-provider"))) {
      return bad(user.label + ": " + field +
                 " runs a plugin, which is not supported; use a client certificate, a token or a "
                 "tokenFile, for example of `kubectl create token`");
    }
  }
  for (const char* field : {"username", "password"}) {
    if (user.has(field))
      return bad(user.label + ": API servers no longer take passwords; use a client certificate or a token");
  }
  for (const char* field : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (user.has(field))
      return fail(ErrorKind::kUnsupported, user.label + ": impersonation (" + field + ") is not supported");
  }
  return {};
}

Result<http::Url> server_of(const Entry& cluster) {
  auto url = http::Url::parse(cluster.text("server"));
  if (!url) return fail(within(cluster.label + ": server", std::move(url).error()));
  if (!url->is_https())
    return bad(cluster.label + ": server must be https, or the credentials would travel in the clear");
  return url;
}

Status read_cluster(const Entry& cluster, ClusterConfig& config) {
  EDGETRUST_TRY(check_cluster(cluster));
  EDGETRUST_TRY_ASSIGN(config.server, server_of(cluster));
  EDGETRUST_TRY_ASSIGN(const Secret authority, cluster.content("certificate-authority"));
  config.tls.ca_pem = authority.expose();
  config.tls.public_roots = authority.empty();
  return {};
}

// What the program may want to know of the cluster, in the variable that it reads.
std::string exec_info(const YAML::Node& exec, const std::string& api_version, const ClusterConfig& config) {
  json::Value info{{"apiVersion", api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
  const YAML::Node wanted = exec["provideClusterInfo"];
  if (wanted.IsDefined() && wanted.IsScalar() && wanted.Scalar() == "true") {
    info["spec"]["cluster"] = {{"server", config.server.to_string()},
                               {"certificate-authority-data", to_base64(config.tls.ca_pem)}};
  }
  return json::dump(info);
}

std::string scalar(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : std::string{};
}

Result<CredentialProgram> program_of(const Entry& user, const ClusterConfig& config) {
  const YAML::Node exec = user.body["exec"];
  const std::string label = user.label + ": exec";
  if (!exec.IsMap()) return bad(label + " is no object");
  const std::string api_version = scalar(exec["apiVersion"]);
  if (api_version != "client.authentication.k8s.io/v1" && api_version != "client.authentication.k8s.io/v1beta1")
    return bad(label + ": apiVersion must be client.authentication.k8s.io/v1 or v1beta1");
  if (scalar(exec["interactiveMode"]) == "Always")
    return fail(ErrorKind::kUnsupported,
                label + ": interactiveMode Always is not supported; log in with the program itself");
  CredentialProgram program{.path = scalar(exec["command"]),
                            .arguments = {},
                            .variables = {{"KUBERNETES_EXEC_INFO", exec_info(exec, api_version, config)}},
                            .install_hint = printable(scalar(exec["installHint"]))};
  if (program.path.empty()) return bad(label + ": command is missing");
  if (program.path.find('/') != std::string::npos && !program.path.starts_with('/'))
    program.path = (std::filesystem::path(user.folder) / program.path).string();
  if (const YAML::Node list = exec["args"]; list.IsDefined() && list.IsSequence()) {
    for (const auto& one : list) program.arguments.push_back(scalar(one));
  }
  if (const YAML::Node list = exec["env"]; list.IsDefined() && list.IsSequence()) {
    for (const auto& one : list) {
      if (one.IsMap()) program.variables.emplace_back(scalar(one["name"]), scalar(one["value"]));
    }
  }
  return program;
}

Status run_exec(const Entry& user, const Clock& clock, const CredentialRunner& runner, ClusterConfig& config) {
  EDGETRUST_TRY_ASSIGN(CredentialProgram program, program_of(user, config));
  auto credential = run_credential_program(program, runner);
  if (!credential) return fail(within(user.label + ": exec", std::move(credential).error()));
  if (!credential->client_certificate_pem.empty()) {
    config.tls.client_certificate_pem = credential->client_certificate_pem;
    config.tls.client_key_pem = credential->client_key_pem.clone();
  }
  if (!credential->token.empty()) config.token = exec_token(std::move(program), runner, std::move(*credential), clock);
  return {};
}

Status read_user(const Entry& user, const Clock& clock, const CredentialRunner& runner, ClusterConfig& config) {
  EDGETRUST_TRY(check_user(user, runner != nullptr));
  EDGETRUST_TRY_ASSIGN(const Secret certificate, user.content("client-certificate"));
  EDGETRUST_TRY_ASSIGN(config.tls.client_key_pem, user.content("client-key"));
  config.tls.client_certificate_pem = certificate.expose();
  if (certificate.empty() != config.tls.client_key_pem.empty()) {
    return bad(user.label + ": client-certificate and client-key belong together");
  }
  if (user.has("tokenFile")) {
    config.token = token_file(user.path("tokenFile"), clock);
  } else if (user.has("token")) {
    Secret token(user.text("token"));
    if (!is_token(token.expose())) return bad(user.label + ": token is not a bearer token");
    config.token = fixed_token(std::move(token));
  } else if (user.has("exec")) {
    return run_exec(user, clock, runner, config);
  }
  return {};
}

Result<Kubeconfig> merge(const std::vector<std::string>& paths) {
  Kubeconfig merged;
  bool any = false;
  for (const auto& path : paths) {
    if (path.empty()) continue;
    const Status added = merged.add(path);
    if (added) {
      any = true;
    } else if (added.error().kind != ErrorKind::kNotFound) {
      return fail(within(path, added.error()));
    }
  }
  if (!any) return fail(ErrorKind::kNotFound, "no kubeconfig at " + join(paths, ", "));
  return merged;
}

Result<Entry> choose_context(const Kubeconfig& kubeconfig, std::string_view context) {
  const std::string name(context.empty() ? std::string_view(kubeconfig.current()) : context);
  if (name.empty()) return bad("no current-context is set; name a context");
  return kubeconfig.find("context", name);
}

std::string namespace_of(const Entry& context) {
  const std::string named = context.text("namespace");
  return named.empty() ? "default" : named;
}

Result<ClusterConfig> resolve(const Kubeconfig& kubeconfig, std::string_view context, const Clock& clock,
                              const CredentialRunner& runner) {
  EDGETRUST_TRY_ASSIGN(const Entry chosen, choose_context(kubeconfig, context));
  EDGETRUST_TRY_ASSIGN(const Entry cluster, kubeconfig.find("cluster", chosen.text("cluster")));
  ClusterConfig config;
  EDGETRUST_TRY(read_cluster(cluster, config));
  if (chosen.has("user")) {
    EDGETRUST_TRY_ASSIGN(const Entry user, kubeconfig.find("user", chosen.text("user")));
    EDGETRUST_TRY(read_user(user, clock, runner, config));
  }
  config.ns = namespace_of(chosen);
  return config;
}

// What `read` makes of the files.
template <class Value>
Result<Value> of_kubeconfig(const std::vector<std::string>& paths,
                            const std::function<Result<Value>(const Kubeconfig&)>& read) {
  try {
    EDGETRUST_TRY_ASSIGN(const Kubeconfig merged, merge(paths));
    return read(merged).map_error([](Error e) { return within("kubeconfig", std::move(e)); });
  } catch (const YAML::Exception& error) {  // its text could quote the file, and the file holds keys
    return bad("a kubeconfig is not YAML, line " + std::to_string(error.mark.line + 1));
  }
}

}  // namespace

std::vector<std::string> kubeconfig_paths(std::string_view kubeconfig_variable, std::string_view home) {
  if (!kubeconfig_variable.empty()) return split(kubeconfig_variable, ':');
  return {std::string(home) + "/.kube/config"};
}

Result<ClusterConfig> load_kubeconfig(const std::vector<std::string>& paths, std::string_view context,
                                      const Clock& clock, const CredentialRunner& runner) {
  return of_kubeconfig<ClusterConfig>(
      paths, [&](const Kubeconfig& merged) { return resolve(merged, context, clock, runner); });
}

Result<std::string> context_namespace(const std::vector<std::string>& paths, std::string_view context) {
  return of_kubeconfig<std::string>(
      paths, [&](const Kubeconfig& merged) { return choose_context(merged, context).map(namespace_of); });
}

Result<ClusterConfig> in_cluster_config(std::string_view host, std::string_view port, const Clock& clock,
                                        const std::string& folder) {
  if (host.empty() || port.empty()) {
    return bad("not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; give a kubeconfig");
  }
  const bool ipv6 = host.find(':') != std::string_view::npos;
  ClusterConfig config;
  EDGETRUST_TRY_ASSIGN(config.server,
                       http::Url::parse("https://" + (ipv6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" +
                                        std::string(port) + "/"));
  EDGETRUST_TRY_ASSIGN(config.tls.ca_pem, read_file(folder + "/ca.crt", kMaxFile));
  EDGETRUST_TRY_ASSIGN(const std::string ns, read_file(folder + "/namespace", 1024));
  config.ns = trim(ns);
  config.token = token_file(folder + "/token", clock);
  EDGETRUST_TRY(config.token->token());  // better said now than at the first request
  return config;
}

}  // namespace edgetrust::kube
