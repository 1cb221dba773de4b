#include "edgetrust/genesys/fleet.hpp"

#include "check_config.hpp"
#include "client.hpp"
#include "edgetrust/base/encoding.hpp"
#include "endpoint.hpp"
#include "guide.hpp"
#include "published.hpp"
#include "site_zones.hpp"

namespace edgetrust::genesys {
namespace {

constexpr std::size_t kMaxListing = std::size_t{4} << 20;
constexpr int kMaxPages = 200;                     // of 100 entities
constexpr std::chrono::seconds kTrunksTimeout{5};  // of a page, as a rule the only one: a look at an Edge is bounded

Error guide_error(const Refusal& refusal, const Outgoing& call) {
  Error error = refusal.error;
  if (refusal.status == 405 || (refusal.status == 404 && refusal.said.entity_id.empty())) {
    error.kind = ErrorKind::kNotFound;
    error.what = "the endpoint does not offer the guide's call " + std::string(http::to_string(call.method)) + " " +
                 call.path + " (" + std::to_string(refusal.status) + ")";
  }
  return error;
}

class Fleet final : public ports::EdgeFleet {
 public:
  Fleet(std::unique_ptr<Client> client, std::optional<UploadConfig> upload, const Clock& clock)
      : client_(std::move(client)), zones_(*client_, clock), upload_(std::move(upload)) {}

  Status check(std::stop_token stop) override;
  Result<std::vector<ports::EdgeInfo>> edges(std::stop_token stop) override;
  Result<std::vector<ports::Trunk>> trunks(const ports::EdgeId& edge, std::stop_token stop) override;
  Result<ports::EdgeHealth> health(const ports::EdgeId& edge, std::stop_token stop) override;
  Status install(const ports::CertificateUpload& upload, std::stop_token stop) override;

 private:
  using Visit = std::function<void(json::View entity)>;
  Status list(std::string_view path, std::string_view filter, const std::stop_token& stop, const Visit& visit,
              std::chrono::milliseconds timeout = Outgoing{}.timeout);
  Result<ports::EdgeHealth> ask_status(const ports::EdgeId& edge, Urgency urgency, const std::stop_token& stop);
  bool has_answered(const ports::EdgeId& edge);
  Status may_receive_key(const ports::EdgeId& edge, const std::stop_token& stop);

  const std::unique_ptr<Client> client_;
  SiteZones zones_;
  const std::optional<UploadConfig> upload_;
  std::mutex mutex_;
  std::set<std::string> answered_;  // Edges whose status call has answered through this fleet
};

Status no_upload() {
  return fail(ErrorKind::kUnsupported, "the connection names no certificateUpload: there is no way to deliver");
}

Status Fleet::check(std::stop_token stop) {
  Outgoing outgoing;
  outgoing.path = path::kEdges;
  outgoing.query = "pageSize=1&pageNumber=1&showCloudMedia=false&managed=false";
  outgoing.max_body = kMaxListing;
  const auto answer = client_->call(outgoing, stop);
  if (!answer) return fail(answer.error().error);
  if (auto page = published::read_page(answer->body, 1, kMaxListing); !page) {
    return fail(within("GET " + std::string(path::kEdges), std::move(page).error()));
  }
  return client_->prove_upload_login(stop);
}

Status Fleet::list(std::string_view path, std::string_view filter, const std::stop_token& stop, const Visit& visit,
                   std::chrono::milliseconds timeout) {
  for (int number = 1; number <= kMaxPages; ++number) {
    Outgoing outgoing;
    outgoing.path = path;
    outgoing.query = std::string(filter) + "&pageSize=100&pageNumber=" + std::to_string(number);
    outgoing.max_body = kMaxListing;
    outgoing.timeout = timeout;
    const auto answer = client_->call(outgoing, stop);
    if (!answer) return fail(answer.error().error);
    const auto page = published::read_page(answer->body, number, kMaxListing);
    if (!page) return fail(within("GET " + std::string(path), page.error()));
    page->document.root()["entities"].for_each_element([&](json::View entity) {
      visit(entity);
      return true;
    });
    if (page->last) return {};
  }
  return fail(ErrorKind::kProtocol, "GET " + std::string(path) + ": the listing does not end");
}

Result<std::vector<ports::EdgeInfo>> Fleet::edges(std::stop_token stop) {
  std::vector<published::ListedEdge> listed;
  std::set<std::string> seen;  // an Edge that is added while we turn pages moves others to the next one
  EDGETRUST_TRY(list(path::kEdges, "showCloudMedia=false&managed=false", stop, [&](json::View entity) {
    auto edge = published::read_edge(entity);
    if (edge && seen.insert(edge->info.id.value).second) listed.push_back(std::move(*edge));
  }));
  std::vector<ports::EdgeInfo> edges;
  for (published::ListedEdge& edge : listed) {
    if (!edge.site_id.empty()) {
      EDGETRUST_TRY_ASSIGN(edge.info.time_zone, zones_.zone(edge.site_id, stop));
    }
    edges.push_back(std::move(edge.info));
  }
  return edges;
}

Result<std::vector<ports::Trunk>> Fleet::trunks(const ports::EdgeId& edge, std::stop_token stop) {
  std::vector<ports::Trunk> trunks;
  EDGETRUST_TRY(list(
      with_id(path::kTrunksOfEdge, edge.value), "trunkType=EXTERNAL", stop,
      [&](json::View entity) { trunks.push_back(published::read_trunk(entity)); }, kTrunksTimeout));
  return trunks;
}

Result<ports::EdgeHealth> Fleet::health(const ports::EdgeId& edge, std::stop_token stop) {
  return ask_status(edge, Urgency::kNormal, stop);
}

Result<ports::EdgeHealth> Fleet::ask_status(const ports::EdgeId& edge, Urgency urgency, const std::stop_token& stop) {
  if (!upload_) return fail(no_upload().error());
  Outgoing outgoing;
  outgoing.host = Host::kUpload;
  outgoing.path = with_id(upload_->status_path, edge.value);
  outgoing.urgency = urgency;
  const auto answer = client_->call(outgoing, stop);
  if (!answer) return fail(guide_error(answer.error(), outgoing));
  auto health = guide::read_status(answer->body, edge);
  if (!health) return fail(within("GET " + outgoing.path, std::move(health).error()));
  health->correlation_id = correlation_id(answer->headers);
  if (answer->status == 200) {
    const std::lock_guard lock(mutex_);
    answered_.insert(edge.value);
  }
  return health;
}

bool Fleet::has_answered(const ports::EdgeId& edge) {
  const std::lock_guard lock(mutex_);
  return answered_.contains(edge.value);
}

// A fleet that was made anew (a restart, a changed Secret) knows of no answer yet; a rollback must not wait for
// somebody to look.
Status Fleet::may_receive_key(const ports::EdgeId& edge, const std::stop_token& stop) {
  if (has_answered(edge)) return {};
  auto asked = ask_status(edge, Urgency::kMayOverdraw, stop);
  if (!asked) return fail(within("before a key is sent", std::move(asked).error()));
  if (has_answered(edge)) return {};
  return fail(ErrorKind::kProtocol,
              "no key is sent: the status call of Edge " + edge.value + " does not answer with 200");
}

Status Fleet::install(const ports::CertificateUpload& upload, std::stop_token stop) {
  EDGETRUST_TRY(may_receive_key(upload.edge, stop));
  const Secret key_base64 = secret_to_base64(upload.key_pem);
  Outgoing outgoing;
  outgoing.host = Host::kUpload;
  outgoing.method = http::Method::kPost;
  outgoing.path = with_id(upload_->upload_path, upload.edge.value);
  outgoing.body = guide::upload_body(upload, key_base64);
  outgoing.urgency = Urgency::kMayOverdraw;
  outgoing.timeout = std::chrono::seconds{30};
  outgoing.secrets = {key_base64.expose(), upload.key_pem.expose()};
  const auto answer = client_->call(outgoing, stop);
  if (!answer) {
    Error error = guide_error(answer.error(), outgoing);
    if (error.kind == ErrorKind::kInvalid && answer.error().status != 0) error.code = ports::kCertificateRefused;
    return fail(std::move(error));
  }
  if (auto right = guide::check_upload_answer(answer->body, upload.fingerprint_sha256); !right) {
    return fail(within("POST " + outgoing.path, std::move(right).error()));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ports::EdgeFleet>> make_fleet(Config config, Transports transports, const Clock& clock) {
  EDGETRUST_TRY(check_config(config));
  EDGETRUST_TRY_ASSIGN(const http::Url api, https_endpoint("endpoints.api", config.api_url));
  EDGETRUST_TRY_ASSIGN(const http::Url login, https_endpoint("endpoints.login", config.login_url));
  const auto desk = [&](Credentials credentials) {
    return std::make_shared<TokenSource>(login, std::move(credentials), transports.api, clock);
  };
  const auto tokens = desk(std::move(config.credentials));
  std::optional<Client::Site> upload;
  std::string upload_path;
  std::string status_path;
  if (config.upload) {
    UploadConfig& named = *config.upload;
    EDGETRUST_TRY_ASSIGN(const http::Url url, https_endpoint("certificateUpload.endpoint", named.url));
    upload = Client::Site{url, transports.upload, named.credentials ? desk(std::move(*named.credentials)) : tokens};
    named.credentials.reset();
    upload_path = named.upload_path;
    status_path = named.status_path;
  }
  auto client = std::make_unique<Client>(Client::Site{api, transports.api, tokens}, std::move(upload),
                                         AllowList(upload_path, status_path), config.requests_per_minute, clock);
  return std::make_unique<Fleet>(std::move(client), std::move(config.upload), clock);
}

}  // namespace edgetrust::genesys
