#include "edgetrust/genesys/fleet.hpp"

#include "authority_list.hpp"
#include "certificate_details.hpp"
#include "check_config.hpp"
#include "client.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/json/value.hpp"
#include "endpoint.hpp"
#include "guide.hpp"
#include "paged.hpp"
#include "published.hpp"
#include "sites.hpp"

namespace edgetrust::genesys {
namespace {

constexpr std::chrono::minutes kClientIsFresh{60};
constexpr std::chrono::minutes kFaultIsFresh{5};
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

// What is listed of all Edges. Something that is added while we turn pages moves others to the next one: each counts
// once.
struct ListedEdges {
  std::vector<published::ListedEdge> edges;
  std::set<std::string> sites;
  std::set<std::string> seen;
  void add(json::View entity);
};
struct ListedTrunks {
  std::map<ports::EdgeId, std::vector<ports::Trunk>> trunks;
  std::set<std::string> seen;
  void add(json::View entity);
};

class Fleet final : public ports::EdgeFleet {
 public:
  Fleet(std::unique_ptr<Client> client, std::optional<UploadConfig> upload, std::string standby_trouble,
        const Clock& clock)
      : client_(std::move(client)),
        sites_(*client_, clock),
        authorities_(*client_),
        upload_(std::move(upload)),
        standby_trouble_(std::move(standby_trouble)),
        clock_(clock) {}

  Status check(std::stop_token stop) override;
  ports::ClientInfo client(std::stop_token stop) override;
  ports::TrustedAuthorities& authorities() override { return authorities_; }
  Result<std::vector<ports::EdgeInfo>> edges(std::stop_token stop) override;
  Result<ports::EdgeInfo> edge(const ports::EdgeId& edge, std::stop_token stop) override;
  Status set_service(const ports::EdgeId& edge, bool in_service, std::chrono::seconds calls_may_last,
                     std::stop_token stop) override;
  Result<std::vector<ports::Trunk>> trunks(const ports::EdgeId& edge, std::stop_token stop) override;
  Result<std::map<ports::EdgeId, std::vector<ports::Trunk>>> all_trunks(std::stop_token stop) override;
  Result<ports::EdgeHealth> health(const ports::EdgeId& edge, std::stop_token stop) override;
  Result<std::string> objection_to(const std::string& chain_pem, std::stop_token stop) override;
  Status install(const ports::CertificateUpload& upload, std::stop_token stop) override;

 private:
  struct KnownClient {
    std::string id;
    published::OAuthClient says;
    SteadyPoint until;
  };
  Result<ports::EdgeHealth> ask_status(const ports::EdgeId& edge, Urgency urgency, const std::stop_token& stop);
  bool has_answered(const ports::EdgeId& edge);
  Status may_receive_key(const ports::EdgeId& edge, const std::stop_token& stop);

  const std::unique_ptr<Client> client_;
  Sites sites_;
  AuthorityList authorities_;
  const std::optional<UploadConfig> upload_;
  const std::string standby_trouble_;
  const Clock& clock_;
  KeptListing<ListedEdges> edges_;
  KeptListing<ListedTrunks> trunks_;
  std::mutex mutex_;
  std::optional<KnownClient> known_client_;
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

// `telephony:plugin:all` does not let a client ask about itself; where it may not, nothing is known of its end.
ports::ClientInfo Fleet::client(std::stop_token stop) {
  const Logins::InUse in_use = client_->in_use();
  ports::ClientInfo info{.id = in_use.client_id,
                         .standby = in_use.standby,
                         .trouble = in_use.standby ? in_use.refusal : standby_trouble_,
                         .state = {},
                         .delete_after = {}};
  std::optional<KnownClient> known;
  {
    const std::lock_guard lock(mutex_);
    known = known_client_;
  }
  if (!known || known->id != info.id || clock_.steady() >= known->until) {
    Outgoing outgoing;
    outgoing.path = with_id(path::kOAuthClient, info.id);
    const auto answer = client_->call(outgoing, stop);
    const auto says = answer ? published::read_oauth_client(answer->body) : fail(answer.error().error);
    const bool settled = says || retry_of(says.error()) == Retry::kAfterChange;
    known = KnownClient{.id = info.id,
                        .says = says.value_or(published::OAuthClient{}),
                        .until = clock_.steady() + (settled ? kClientIsFresh : kFaultIsFresh)};
    const std::lock_guard lock(mutex_);
    known_client_ = known;
  }
  info.state = known->says.state;
  info.delete_after = known->says.delete_after;
  return info;
}

void ListedEdges::add(json::View entity) {
  auto edge = published::read_edge(entity);
  if (!edge || !seen.insert(edge->info.id.value).second) return;
  if (!edge->site_id.empty()) sites.insert(edge->site_id);
  edges.push_back(std::move(*edge));
}

Result<std::vector<ports::EdgeInfo>> Fleet::edges(std::stop_token stop) {
  const auto with_sites = [&](const ListedEdges& listed) -> Result<std::vector<ports::EdgeInfo>> {
    EDGETRUST_TRY_ASSIGN(const Sites::Known sites, sites_.about(listed.sites, stop));
    std::vector<ports::EdgeInfo> edges;
    for (const published::ListedEdge& edge : listed.edges) {
      edges.push_back(edge.info);
      const auto site = sites.find(edge.site_id);
      if (site == sites.end()) continue;
      edges.back().time_zone = site->second.time_zone;
      edges.back().time_servers = site->second.time_servers;
    }
    return edges;
  };
  return edges_.read(
      *client_, path::kEdges, "showCloudMedia=false&managed=false", clock_.steady(), stop,
      [](ListedEdges& listed, json::View entity) { listed.add(entity); }, with_sites);
}

Result<ports::EdgeInfo> Fleet::edge(const ports::EdgeId& edge, std::stop_token stop) {
  Outgoing outgoing;
  outgoing.path = with_id(path::kEdge, edge.value);
  const auto answer = client_->call(outgoing, stop);
  if (!answer) return fail(answer.error().error);
  auto info = published::read_edge(answer->body, edge);
  if (!info) return fail(within("GET " + outgoing.path, std::move(info).error()));
  return info;
}

// The answer is a JSON string whose words nobody has published: whether it came true, `edge` tells.
Status Fleet::set_service(const ports::EdgeId& edge, bool in_service, std::chrono::seconds calls_may_last,
                          std::stop_token stop) {
  json::Value body = {{"inService", in_service}};
  if (!in_service) body["callDrainingWaitTimeSeconds"] = calls_may_last.count();
  Outgoing outgoing;
  outgoing.method = http::Method::kPost;
  outgoing.path = with_id(path::kServiceState, edge.value);
  outgoing.body = Secret(json::dump(body));
  // An Edge that takes no calls does not wait until the budget is full again.
  outgoing.urgency = in_service ? Urgency::kMayOverdraw : Urgency::kNormal;
  const auto answer = client_->call(outgoing, stop);
  if (!answer) return fail(answer.error().error);
  return {};
}

Result<std::vector<ports::Trunk>> Fleet::trunks(const ports::EdgeId& edge, std::stop_token stop) {
  std::vector<ports::Trunk> trunks;
  EDGETRUST_TRY(for_each_listed(
      *client_, with_id(path::kTrunksOfEdge, edge.value), "trunkType=EXTERNAL", stop,
      [&](json::View entity) { trunks.push_back(published::read_trunk(entity)); }, kTrunksTimeout));
  return trunks;
}

void ListedTrunks::add(json::View entity) {
  const std::string edge = published::edge_of_trunk(entity);
  if (edge.empty() || !seen.insert(entity["id"].string_or("")).second) return;
  trunks[ports::EdgeId{edge}].push_back(published::read_trunk(entity));
}

Result<std::map<ports::EdgeId, std::vector<ports::Trunk>>> Fleet::all_trunks(std::stop_token stop) {
  using All = Result<std::map<ports::EdgeId, std::vector<ports::Trunk>>>;
  return trunks_.read(
      *client_, path::kTrunks, "trunkType=EXTERNAL", clock_.steady(), stop,
      [](ListedTrunks& listed, json::View entity) { listed.add(entity); },
      [](const ListedTrunks& listed) -> All { return listed.trunks; });
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

Result<std::string> Fleet::objection_to(const std::string& chain_pem, std::stop_token stop) {
  Outgoing outgoing;
  outgoing.method = http::Method::kPost;
  outgoing.path = path::kCertificateDetails;
  EDGETRUST_TRY_ASSIGN(outgoing.body, details::question_about(chain_pem));
  const auto answer = client_->call(outgoing, stop);
  if (!answer) {
    Error error = answer.error().error;
    if (answer.error().status == 400 || answer.error().status == 422) return error.what;
    if (answer.error().status == 405) error.kind = ErrorKind::kNotFound;
    error.maybe_executed = false;
    return fail(std::move(error));
  }
  auto objection = details::read_objection(answer->body, chain_pem);
  if (!objection) return fail(within("POST " + outgoing.path, std::move(objection).error()));
  return objection;
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
    return std::make_unique<TokenSource>(login, std::move(credentials), transports.api, clock);
  };
  const auto tokens = std::make_shared<Logins>(desk(std::move(config.credentials)),
                                               config.standby ? desk(std::move(*config.standby)) : nullptr);
  std::optional<Client::Site> upload;
  std::string upload_path;
  std::string status_path;
  if (config.upload) {
    UploadConfig& named = *config.upload;
    EDGETRUST_TRY_ASSIGN(const http::Url url, https_endpoint("certificateUpload.endpoint", named.url));
    auto logins = named.credentials ? std::make_shared<Logins>(desk(std::move(*named.credentials))) : tokens;
    upload = Client::Site{url, transports.upload, std::move(logins)};
    named.credentials.reset();
    upload_path = named.upload_path;
    status_path = named.status_path;
  }
  auto client = std::make_unique<Client>(Client::Site{api, transports.api, tokens}, std::move(upload),
                                         AllowList(upload_path, status_path), config.requests_per_minute, clock);
  return std::make_unique<Fleet>(std::move(client), std::move(config.upload), std::move(config.standby_trouble), clock);
}

}  // namespace edgetrust::genesys
