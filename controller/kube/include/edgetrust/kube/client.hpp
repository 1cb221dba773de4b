#pragma once
// The Kubernetes API, one call a method, over http::Transport.
//
// Called by: the reflectors, SecretClient, EventRecorder, status writes. Threads: any. Every call has a deadline and a
// stop token and waits for its turn under the rate limit; what changes anything is sent at most once. Bodies are
// bounded: 3 MiB for an object (etcd holds 1.5 MiB unless told otherwise), 16 MiB for a page. Errors: those of
// api_error.hpp and of http::Transport, with what was asked as context.
#include "edgetrust/json/view.hpp"
#include "edgetrust/kube/config.hpp"
#include "edgetrust/kube/rate_limit.hpp"
#include "edgetrust/kube/resource.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace edgetrust::kube {

struct Call {
  std::stop_token stop = {};
  std::chrono::milliseconds timeout{15'000};  // the wait for a turn counts
};

// What has been asked and how it went, for metrics.
struct CallReport {
  http::Method method = http::Method::kGet;
  std::string_view verb;  // as RBAC calls it: get, list, watch, create, update, patch, delete
  std::string resource;   // the plural
  int status = 0;         // 0: no answer
  std::optional<std::chrono::milliseconds> took = {};  // empty of a watch, which lasts as long as it is let
};

struct ClientOptions {
  double per_second = 20;
  int burst = 40;
  std::string user_agent = "edgetrust";
  std::string field_manager = "edgetrust";
  std::function<void(const CallReport&)> report = {};
};

enum class PatchType { kJson, kMerge, kApply };

struct Patch {
  PatchType type = PatchType::kMerge;
  std::string body;  // JSON
  std::string subresource = {};
};

// A delete hits exactly the object that was looked at; empty members are not checked.
struct Preconditions {
  std::string uid;
  std::string resource_version;
};

// Which objects of a kind. An empty namespace means all of them.
struct Selection {
  Resource resource;
  std::string ns = {};
  std::string labels = {};
  std::string fields = {};
  bool metadata_only = false;  // PartialObjectMetadata: neither spec nor data leave the server
};

struct PageRequest {
  int limit = 500;
  std::string continue_token = {};
};
struct Page {
  json::Document document;  // the objects are root()["items"]
  std::size_t octets = 0;   // of its text
  std::string continue_token;
  std::string resource_version;
};

struct WatchRequest {
  std::string resource_version = {};
  bool initial_events = false;        // a WatchList: the present objects first, then a bookmark that says so (KEP-3157)
  std::chrono::seconds timeout{270};  // after which the server ends the watch
  // The longest silence. On a quiet server the first bookmark comes within two minutes, the next ones each minute (seen
  // on Kubernetes 1.36).
  std::chrono::milliseconds idle{180'000};
  std::size_t max_line = std::size_t{4} << 20;  // more than etcd can hold; beyond it the watch ends with kProtocol
};

class ApiClient {
 public:
  // `clock` and `pauser` must outlive the client. `config.tls` is not used: the transport was made of it.
  ApiClient(const ClusterConfig& config, std::shared_ptr<http::Transport> transport, const Clock& clock, Pauser& pauser,
            ClientOptions options = {});

  // A consistent read: no resourceVersion is sent, so the server answers with what etcd holds now, or not at all.
  Result<json::Document> get(const Resource& resource, const std::string& ns, const std::string& name,
                             const Call& call);
  // One page, consistent likewise. An expired continue token is error 410.
  Result<Page> list(const Selection& what, const PageRequest& page, const Call& call);
  // All pages; for small answers.
  Status list_all(const Selection& what, const std::function<void(json::View object)>& visit, const Call& call);

  // `body` is an object's JSON. kConflict/AlreadyExists when the name is taken.
  Result<json::Document> create(const Resource& resource, const std::string& ns, std::string body, const Call& call);
  // `body` must hold metadata.resourceVersion, or another's change is lost. kConflict/Conflict when it is stale.
  Result<json::Document> update(const Resource& resource, const std::string& ns, const std::string& name,
                                std::string body, const Call& call);
  Result<json::Document> patch(const Resource& resource, const std::string& ns, const std::string& name, Patch patch,
                               const Call& call);
  // kConflict/Conflict when a precondition does not hold.
  Status remove(const Resource& resource, const std::string& ns, const std::string& name,
                const Preconditions& preconditions, const Call& call);

  // Hands every line of a watch to `on_line` until that returns false or the server ends the watch: both are success.
  // call.timeout bounds the time to the first octet of the answer only.
  Status watch(const Selection& what, const WatchRequest& request,
               const std::function<bool(std::string_view line)>& on_line, const Call& call);

 private:
  struct Question;
  Result<http::Request> prepare(const Question& question, const Call& call);
  Result<http::Response> ask(Question question, const Call& call);
  Result<json::Document> ask_for_object(Question question, const Call& call);
  void report(const Question& question, int status, std::optional<std::chrono::milliseconds> took);

  const http::Url server_;
  const std::shared_ptr<TokenSource> token_;
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;
  const ClientOptions options_;
  RateLimit limit_;
};

}  // namespace edgetrust::kube
