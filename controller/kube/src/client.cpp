#include "edgetrust/kube/client.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/kube/api_error.hpp"
#include "edgetrust/kube/watch_event.hpp"
#include "query.hpp"

namespace edgetrust::kube {
namespace {

constexpr std::size_t kMaxObject = std::size_t{3} << 20;
constexpr std::size_t kMaxPage = std::size_t{16} << 20;
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr std::string_view kMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

// The server's base path comes first: "/k8s/clusters/c1" + "/api/v1/…".
http::Url under(const http::Url& server, const std::string& path) {
  std::string base = server.target.substr(0, server.target.find('?'));
  while (base.ends_with('/')) base.pop_back();
  return server.with_target(base + path);
}

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::kJson: return "application/json-patch+json";
    case PatchType::kMerge: return "application/merge-patch+json";
    case PatchType::kApply: return "application/apply-patch+yaml";
  }
  return "application/merge-patch+json";
}

// What a request or an answer held may be a Secret.
void wipe(std::string& text) {
  cleanse(text.data(), text.size());
  text.clear();
}

Result<std::string> selected_path(const Selection& what, Query& query) {
  query.add("labelSelector", what.labels).add("fieldSelector", what.fields);
  return collection_path(what.resource, what.ns);
}

std::string place(const std::string& ns, const std::string& name) {
  if (ns.empty()) return name;
  return name.empty() ? ns : ns + "/" + name;
}

}  // namespace

struct ApiClient::Question {
  http::Method method = http::Method::kGet;
  const Resource& resource;
  std::string ns;
  std::string name;
  Result<std::string> path;
  Query query = {};
  std::string body = {};
  std::string_view content_type = kJson;
  std::string_view accept = kJson;
  std::size_t max_body = kMaxObject;

  [[nodiscard]] bool mutates() const { return method != http::Method::kGet; }
  [[nodiscard]] std::string_view verb() const {
    switch (method) {
      case http::Method::kGet:
      case http::Method::kHead: return name.empty() ? "list" : "get";
      case http::Method::kPost: return "create";
      case http::Method::kPut: return "update";
      case http::Method::kPatch: return "patch";
      case http::Method::kDelete: return "delete";
    }
    return "get";
  }
  [[nodiscard]] std::string context() const {
    return std::string(to_string(method)) + " " + resource.plural + " " + printable(place(ns, name), 300);
  }
};

ApiClient::ApiClient(const ClusterConfig& config, std::shared_ptr<http::Transport> transport, const Clock& clock,
                     Pauser& pauser, ClientOptions options)
    : server_(config.server),
      token_(config.token),
      transport_(std::move(transport)),
      clock_(clock),
      options_(std::move(options)),
      limit_(options_.per_second, options_.burst, clock, pauser) {}

Result<http::Request> ApiClient::prepare(const Question& question, const Call& call) {
  if (!question.path) return fail(question.path.error());
  const SteadyPoint begin = clock_.steady();
  EDGETRUST_TRY(limit_.turn(call.timeout, call.stop));
  http::Request request{.method = question.method, .url = under(server_, *question.path + question.query.text())};
  request.headers = {{"Accept", std::string(question.accept)}, {"User-Agent", options_.user_agent}};
  if (!question.body.empty()) request.headers.add("Content-Type", std::string(question.content_type));
  if (token_) {
    EDGETRUST_TRY_ASSIGN(const Secret token, token_->token());
    request.headers.add("Authorization", "Bearer " + std::string(token.expose()));
  }
  request.timeout = std::max(call.timeout - (clock_.steady() - begin), std::chrono::milliseconds{1});
  request.max_body = question.max_body;
  return request;
}

Result<http::Response> ApiClient::ask(Question question, const Call& call) {
  question.query.add("timeout", std::to_string(std::max<std::int64_t>(1, call.timeout.count() / 1000)) + "s");
  if (question.mutates() && question.method != http::Method::kDelete) {
    question.query.add("fieldManager", options_.field_manager);
  }
  auto request = prepare(question, call);
  if (!request) return fail(within(question.context(), std::move(request).error()));
  request->body = std::move(question.body);
  const SteadyPoint begin = clock_.steady();
  auto response = transport_->send(*request, call.stop);
  wipe(request->body);
  report(question, response ? response->status : 0, clock_.steady() - begin);
  if (!response) return fail(within(question.context(), std::move(response).error()));
  if (response->ok()) return response;
  if (response->status == 401 && token_) token_->refused();
  return fail(within(question.context(), api_error(*response, clock_.now(), question.mutates())));
}

Result<json::Document> ApiClient::ask_for_object(Question question, const Call& call) {
  const std::string context = question.context();
  const bool mutates = question.mutates();
  EDGETRUST_TRY_ASSIGN(http::Response response, ask(std::move(question), call));
  auto document = parse_server_json(response.body, kMaxObject);
  wipe(response.body);
  if (document) return document;
  Error error = within(context, std::move(document).error());
  error.maybe_executed = mutates;
  return fail(std::move(error));
}

void ApiClient::report(const Question& question, int status, std::optional<std::chrono::milliseconds> took) {
  if (!options_.report) return;
  options_.report({.method = question.method,
                   .verb = took ? question.verb() : "watch",
                   .resource = question.resource.plural,
                   .status = status,
                   .took = took});
}

Result<json::Document> ApiClient::get(const Resource& resource, const std::string& ns, const std::string& name,
                                      const Call& call) {
  return ask_for_object({.resource = resource, .ns = ns, .name = name, .path = object_path(resource, ns, name)}, call);
}

Result<json::Document> ApiClient::create(const Resource& resource, const std::string& ns, std::string body,
                                         const Call& call) {
  return ask_for_object({.method = http::Method::kPost,
                         .resource = resource,
                         .ns = ns,
                         .name = {},
                         .path = collection_path(resource, ns),
                         .body = std::move(body)},
                        call);
}

Result<json::Document> ApiClient::update(const Resource& resource, const std::string& ns, const std::string& name,
                                         std::string body, const Call& call) {
  return ask_for_object({.method = http::Method::kPut,
                         .resource = resource,
                         .ns = ns,
                         .name = name,
                         .path = object_path(resource, ns, name),
                         .body = std::move(body)},
                        call);
}

Result<json::Document> ApiClient::patch(const Resource& resource, const std::string& ns, const std::string& name,
                                        Patch patch, const Call& call) {
  Question question{.method = http::Method::kPatch,
                    .resource = resource,
                    .ns = ns,
                    .name = name,
                    .path = object_path(resource, ns, name, patch.subresource),
                    .body = std::move(patch.body),
                    .content_type = content_type(patch.type)};
  if (patch.type == PatchType::kApply) question.query.add("force", "true");
  return ask_for_object(std::move(question), call);
}

Status ApiClient::remove(const Resource& resource, const std::string& ns, const std::string& name,
                         const Preconditions& preconditions, const Call& call) {
  json::Value options{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"propagationPolicy", "Background"}};
  if (!preconditions.uid.empty()) options["preconditions"]["uid"] = preconditions.uid;
  if (!preconditions.resource_version.empty()) {
    options["preconditions"]["resourceVersion"] = preconditions.resource_version;
  }
  EDGETRUST_TRY(ask({.method = http::Method::kDelete,
                     .resource = resource,
                     .ns = ns,
                     .name = name,
                     .path = object_path(resource, ns, name),
                     .body = json::dump(options)},
                    call));
  return {};
}

Result<Page> ApiClient::list(const Selection& what, const PageRequest& page, const Call& call) {
  Query query;
  auto path = selected_path(what, query);
  query.add("limit", std::to_string(page.limit)).add("continue", page.continue_token);
  Question question{.resource = what.resource,
                    .ns = what.ns,
                    .name = {},
                    .path = std::move(path),
                    .query = std::move(query),
                    .accept = what.metadata_only ? kMetadataList : kJson,
                    .max_body = kMaxPage};
  const std::string context = question.context();
  EDGETRUST_TRY_ASSIGN(http::Response response, ask(std::move(question), call));
  auto document = parse_server_json(response.body, kMaxPage);
  const std::size_t octets = response.body.size();
  wipe(response.body);
  if (!document) return fail(within(context, std::move(document).error()));
  const json::View meta = document->root()["metadata"];
  Page result{.document = std::move(*document),
              .octets = octets,
              .continue_token = meta["continue"].string_or(""),
              .resource_version = meta["resourceVersion"].string_or("")};
  if (result.resource_version.empty()) {
    return fail(within(context, Error{.kind = ErrorKind::kProtocol, .what = "the list has no resourceVersion"}));
  }
  return result;
}

Status ApiClient::list_all(const Selection& what, const std::function<void(json::View)>& visit, const Call& call) {
  PageRequest request;
  do {
    EDGETRUST_TRY_ASSIGN(const Page page, list(what, request, call));
    page.document.root()["items"].for_each_element([&](json::View object) {
      visit(object);
      return true;
    });
    request.continue_token = page.continue_token;
  } while (!request.continue_token.empty());
  return {};
}

Status ApiClient::watch(const Selection& what, const WatchRequest& watch,
                        const std::function<bool(std::string_view)>& on_line, const Call& call) {
  Query query;
  auto path = selected_path(what, query);
  query.add("watch", "true").add("allowWatchBookmarks", "true");
  query.add("timeoutSeconds", std::to_string(watch.timeout.count())).add("resourceVersion", watch.resource_version);
  if (watch.initial_events) query.add("sendInitialEvents", "true").add("resourceVersionMatch", "NotOlderThan");
  const Question question{.resource = what.resource,
                          .ns = what.ns,
                          .name = {},
                          .path = std::move(path),
                          .query = std::move(query),
                          .accept = what.metadata_only ? kMetadata : kJson};
  const auto context = [&](Error e) { return within("watch " + what.resource.plural + " " + what.ns, std::move(e)); };
  EDGETRUST_TRY_ASSIGN(const http::Request request, prepare(question, call).map_error(context));
  const auto response = transport_->stream(request, watch.idle, watch.max_line, on_line, call.stop);
  report(question, response ? response->status : 0, std::nullopt);
  if (!response) return fail(context(response.error()));
  if (response->ok()) return {};
  if (response->status == 401 && token_) token_->refused();
  return fail(context(api_error(*response, clock_.now(), false)));
}

}  // namespace edgetrust::kube
