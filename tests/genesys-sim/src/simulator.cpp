#include "simulator.hpp"

#include "edgetrust/json/value.hpp"

namespace edgetrust::sim {
namespace {

// Beyond it Edges share ports and are told apart by SNI: who dials an address then sees none of them.
constexpr std::size_t kMostOwnPorts = 4000;

Result<KeyPairFiles> read_pair(const KeyPairFiles& files) {
  EDGETRUST_TRY_ASSIGN(std::string chain, read_file(files.chain_file));
  EDGETRUST_TRY_ASSIGN(std::string key, read_file(files.key_file));
  return KeyPairFiles{std::move(chain), std::move(key)};
}

http::ServerOptions options(std::uint16_t port, int threads) {
  http::ServerOptions options;
  options.port = port;
  options.threads = threads;
  options.max_connections = 512;
  return options;
}

}  // namespace

Result<std::unique_ptr<Simulator>> Simulator::start(Config config, const Clock& clock, Random& random) {
  std::string trust_pem;
  if (!config.sbc.trust_file.empty()) {
    EDGETRUST_TRY_ASSIGN(trust_pem, read_file(config.sbc.trust_file));
  }
  std::unique_ptr<Simulator> made(new Simulator(std::move(config), trust_pem, clock, random));
  EDGETRUST_TRY(made->start_plant(trust_pem));
  EDGETRUST_TRY(made->install_initial());
  EDGETRUST_TRY(made->start_servers());
  return made;
}

Simulator::Simulator(Config config, std::string trust_pem, const Clock& clock, Random& random)
    : config_(std::move(config)),
      clock_(clock),
      cloud_identity_(authority_),
      oauth_(config_, clock, random),
      book_(config_, std::move(trust_pem), clock),
      api_(config_, book_, oauth_, authority_.root_pem(), clock),
      api_front_("api", faults_, journal_, pause_, clock, random),
      cloud_front_("cloud", faults_, journal_, pause_, clock, random),
      control_(
          {config_, book_, oauth_, faults_, journal_, authority_, cloud_identity_, clock},
          {[this](bool notify, bool same_key) { return rotate_cloud(notify, same_key); },
           [this](const std::vector<EdgeConfig>& edges) { return add_edges(edges); }, [this] { return reset(); }}) {}

Simulator::~Simulator() {
  pause_.end();
  control_server_.reset();
  api_server_.reset();
  cloud_server_.reset();
  plant_.reset();
}

Status Simulator::start_plant(const std::string& trust_pem) {
  SipPlant::Events events{[this](const std::string& edge) { book_.on_serves(edge); },
                          [this](const std::string& edge, const SbcView& view) { book_.on_seen(edge, view); }};
  EDGETRUST_TRY_ASSIGN(plant_, SipPlant::start(config_.sbc.interval, trust_pem, std::move(events)));
  book_.attach(*plant_);
  for (const EdgeConfig& edge : config_.edges) EDGETRUST_TRY(book_.add(edge, false, false));
  return {};
}

Status Simulator::install_initial() {
  for (const EdgeConfig& edge : config_.edges) {
    if (const auto files = config_.initial_certificates.find(edge.id); files != config_.initial_certificates.end()) {
      EDGETRUST_TRY_ASSIGN(KeyPairFiles pair, read_pair(files->second));
      book_.install_initial(edge.id, pair.chain_file, Secret::take(pair.key_file));
    } else if (edge.factory) {
      support::TestCertificate made = Authority::factory(edge.host);
      book_.install_initial(edge.id, made.chain_pem, Secret::take(made.key_pem));
    }
  }
  return {};
}

Status Simulator::start_servers() {
  EDGETRUST_TRY(start_api());
  EDGETRUST_TRY(start_cloud(config_.cloud_port));
  EDGETRUST_TRY_ASSIGN(control_server_,
                       http::Server::start(options(config_.control_port, 2),
                                           [this](const auto& request) { return control_.answer(request); }));
  return {};
}

Status Simulator::start_api() {
  // A planned delay holds a thread.
  http::ServerOptions with = options(config_.api_port, 8);
  if (config_.api_tls.chain_file.empty()) {
    Identity own = authority_.issue(support::TestKey::kEc256);
    with.tls = http::ServerTls{own.chain_pem, Secret::take(own.key_pem)};
  } else {
    EDGETRUST_TRY_ASSIGN(KeyPairFiles pair, read_pair(config_.api_tls));
    with.tls = http::ServerTls{pair.chain_file, Secret::take(pair.key_file)};
  }
  EDGETRUST_TRY_ASSIGN(api_server_, http::Server::start(std::move(with), [this](const http::ServerRequest& request) {
                         return api_front_.handle(request, [this](const auto& passed) { return api_.answer(passed); });
                       }));
  return {};
}

Status Simulator::start_cloud(std::uint16_t port) {
  http::ServerOptions with = options(port, 2);
  Identity shown = cloud_identity_.current();
  with.tls = http::ServerTls{shown.chain_pem, Secret::take(shown.key_pem)};
  const std::lock_guard lock(cloud_mutex_);
  EDGETRUST_TRY_ASSIGN(cloud_server_, http::Server::start(std::move(with), [this](const http::ServerRequest& request) {
                         return cloud_front_.handle(request,
                                                    [this](const auto& passed) { return cloud_answer(passed); });
                       }));
  return {};
}

Answer Simulator::cloud_answer(const http::ServerRequest& request) const {
  if (request.method != "GET" || request.path != "/api/v1/security/status") return {not_found(request.path)};
  json::Value body = {{"certificateFingerprint", cloud_identity_.current().fingerprint}};
  if (const auto next = cloud_identity_.next()) body["nextCertificateFingerprint"] = next->fingerprint;
  return {json_response(200, body)};
}

Status Simulator::rotate_cloud(bool notify, bool same_key) {
  if (notify) {
    cloud_identity_.announce(same_key);
    return {};
  }
  cloud_identity_.rotate(same_key);
  Identity shown = cloud_identity_.current();
  const std::lock_guard lock(cloud_mutex_);
  return cloud_server_->set_tls({shown.chain_pem, Secret::take(shown.key_pem)});
}

Status Simulator::add_edges(const std::vector<EdgeConfig>& edges) {
  for (const EdgeConfig& edge : edges) EDGETRUST_TRY(book_.add(edge, true, book_.size() >= kMostOwnPorts));
  return {};
}

Status Simulator::reset() {
  faults_.clear();
  oauth_.reset();
  api_.reset();
  book_.reset();
  EDGETRUST_TRY(install_initial());
  journal_.clear();
  return {};
}

std::string Simulator::ready_line() const {
  json::Value edges = json::Value::array();
  for (const EdgeConfig& edge : config_.edges) {
    const auto record = book_.find(edge.id);
    if (record) edges.push_back({{"id", edge.id}, {"sipPort", record->sip_port}});
  }
  return json::dump({{"ready", true},
                     {"api", api_server_->port()},
                     {"control", control_server_->port()},
                     {"cloud", cloud_server_->port()},
                     {"edges", edges}});
}

}  // namespace edgetrust::sim
