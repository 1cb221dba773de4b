#pragma once
// Where the API server is and who we are there: from a kubeconfig, or from what every pod is given. Called once by
// main, which reads the environment and passes it in. Errors: kInvalid and kUnsupported, with the file, the field and
// what to use instead; kNotFound when no file exists.
#include "edgetrust/http/transport.hpp"
#include "edgetrust/kube/token.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgetrust::kube {

struct ClusterConfig {
  http::Url server;                    // https; its path, if any, comes before every path of ours
  http::TlsOptions tls;                // the cluster's CA, and a client certificate where the user has one
  std::shared_ptr<TokenSource> token;  // null: the client certificate speaks for us
  std::string ns;                      // the context's namespace; "default" when it names none
};

// A program that a user's `exec` entry names, which prints credentials (client.authentication.k8s.io).
struct CredentialProgram {
  std::string path;  // with a slash: that file; else it is looked for as a shell does
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> variables;  // added to the environment
  std::string install_hint;                                    // the kubeconfig's own words to whoever lacks it
};
// Runs one and hands back what it wrote to stdout. Errors: kUnauthorized when it cannot be run or fails.
using CredentialRunner = std::function<Result<Secret>(const CredentialProgram&)>;

// The files that $KUBECONFIG lists (separated by ':'), or ~/.kube/config when it is empty.
std::vector<std::string> kubeconfig_paths(std::string_view kubeconfig_variable, std::string_view home);

// Merges the files as kubectl does: of two entries with one name the first counts, missing files are passed over.
// `context` empty: the current-context. Relative paths in a file start at that file. Refused: auth-provider plugins,
// user names with passwords, impersonation, proxies, insecure-skip-tls-verify, plain http; without a `runner` also
// `exec` entries, for the operator starts no programs. A program with `interactiveMode: Always` is refused: it is asked
// nothing.
Result<ClusterConfig> load_kubeconfig(const std::vector<std::string>& paths, std::string_view context,
                                      const Clock& clock, const CredentialRunner& runner = {});

// The namespace that load_kubeconfig would hand back. Of cluster and user nothing is read, and no program is run.
Result<std::string> context_namespace(const std::vector<std::string>& paths, std::string_view context);

// The service account of a pod. `host` and `port` are $KUBERNETES_SERVICE_HOST and _PORT.
Result<ClusterConfig> in_cluster_config(std::string_view host, std::string_view port, const Clock& clock,
                                        const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace edgetrust::kube
