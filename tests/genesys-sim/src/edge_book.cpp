#include "edge_book.hpp"

namespace edgetrust::sim {
namespace {

std::string replaced(std::string text, std::string_view hole, const std::string& with) {
  if (const auto at = text.find(hole); at != std::string::npos) text.replace(at, hole.size(), with);
  return text;
}

VendorFault unknown_edge(const std::string& id) {
  return {.status = 404, .code = "not.found", .message = "The requested Edge was not found", .entity_id = id};
}

}  // namespace

EdgeBook::EdgeBook(const Config& config, std::string trust_pem, const Clock& clock)
    : config_(config), clock_(clock), trust_pem_(std::move(trust_pem)) {}

EdgeRecord EdgeBook::fresh(const EdgeConfig& edge, bool extra, std::uint16_t port) const {
  EdgeRecord record;
  record.config = edge;
  record.extra = extra;
  record.sip_port = port;
  record.trunk_id = "trunk-" + edge.id;
  record.modified = record.updated_at = record.sbc_changed = clock_.now();
  return record;
}

Status EdgeBook::add(const EdgeConfig& edge, bool extra, bool shared_port) {
  SipEdge place{.id = edge.id, .host = edge.host, .server_name = {}, .port = edge.sip_port, .shared = shared_port};
  place.server_name = replaced(replaced(config_.sbc.server_name, "{host}", edge.host), "{name}", edge.name);
  EDGETRUST_TRY_ASSIGN(const std::uint16_t port, plant_->add_edge(std::move(place)));
  const std::lock_guard lock(mutex_);
  edges_[edge.id] = fresh(edge, extra, port);
  return {};
}

void EdgeBook::install_initial(const std::string& id, const std::string& chain_pem, Secret key_pem) {
  const Change change(*this);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  found->second.leaves.clear();
  install(found->second, chain_pem, read_leaf(chain_pem).value_or(LeafFacts{}), std::move(key_pem));
  found->second.restarts = 0;
}

void EdgeBook::install(EdgeRecord& edge, const std::string& chain_pem, LeafFacts leaf, Secret key_pem) {
  const auto [seen, is_new] = edge.leaves.try_emplace(leaf.fingerprint, edge.on_apply);
  const milliseconds restart = edge.restart.value_or(config_.restart);
  const bool slow = is_new && seen->second == OnApply::kSlow;
  if (slow) seen->second = OnApply::kOk;
  edge.installed = Installed{chain_pem, std::move(leaf), clock_.now()};
  edge.restarting = true;
  edge.restarts += 1;
  edge.version += 1;
  edge.modified = clock_.now();
  edge.sbc = {.up = false, .cause = "the SIP service restarts"};
  edge.sbc_changed = clock_.now();
  touch(edge);
  plant_->serve(edge.config.id, chain_pem, std::move(key_pem), edge.options_mode(),
                slow ? std::max(restart, config_.slow_restart) : restart);
}

void EdgeBook::on_serves(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  found->second.restarting = false;
  touch(found->second);
}

void EdgeBook::on_seen(const std::string& id, const SbcView& view) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end() || found->second.restarting) return;
  EdgeRecord& edge = found->second;
  if (edge.sbc.up != view.up) edge.sbc_changed = clock_.now();
  edge.sbc = edge.installed ? view : SbcView{.up = false, .cause = "nothing is installed"};
  touch(edge);
}

std::optional<EdgeRecord> EdgeBook::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  return found == edges_.end() ? std::nullopt : std::optional<EdgeRecord>(found->second);
}

std::optional<EdgeRecord> EdgeBook::find_by_trunk(std::string_view trunk_id) const {
  constexpr std::string_view kPrefix = "trunk-";
  return trunk_id.starts_with(kPrefix) ? find(trunk_id.substr(kPrefix.size())) : std::nullopt;
}

std::vector<EdgeRecord> EdgeBook::all() const {
  std::vector<EdgeRecord> edges;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, edge] : edges_) edges.push_back(edge);
  }
  std::sort(edges.begin(), edges.end(),
            [](const EdgeRecord& a, const EdgeRecord& b) { return a.config.name < b.config.name; });
  return edges;
}

std::size_t EdgeBook::size() const {
  const std::lock_guard lock(mutex_);
  return edges_.size();
}

std::optional<VendorFault> EdgeBook::refusal(const EdgeRecord& edge, const Upload& upload) const {
  if (!edge.online) {
    return VendorFault{
        .status = 503, .code = "service.unavailable", .message = "The Edge is offline", .entity_id = edge.config.id};
  }
  const auto refuse = [&](const Complaint& complaint) {
    return VendorFault{.status = 400,
                       .code = "bad.request",
                       .message = complaint.message,
                       .entity_id = edge.config.id,
                       .detail_code = complaint.code,
                       .detail_field = complaint.field};
  };
  if (!edge.accept_any) {
    if (const auto complaint = complaint_about(upload.chain_pem, upload.key_pem, trust_pem_, clock_.now())) {
      return refuse(*complaint);
    }
  }
  if (edge.on_apply == OnApply::kRefuse) {
    return refuse({"certificate.refused", "certificate", "The Edge refuses the certificate"});
  }
  return std::nullopt;
}

tl::expected<UploadDone, VendorFault> EdgeBook::upload(const std::string& id, Upload upload) {
  const Change change(*this);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return tl::unexpected(unknown_edge(id));
  EdgeRecord& edge = found->second;
  auto leaf = read_leaf(upload.chain_pem);
  if (leaf && edge.online && edge.installed && edge.installed->leaf.fingerprint == leaf->fingerprint) {
    edge.uploads += 1;
    return UploadDone{leaf->fingerprint, edge.installed->at};
  }
  if (auto refused = refusal(edge, upload)) return tl::unexpected(std::move(*refused));
  edge.uploads += 1;
  UploadDone done{leaf ? leaf->fingerprint : "", clock_.now()};
  install(edge, upload.chain_pem, leaf.value_or(LeafFacts{}), std::move(upload.key_pem));
  return done;
}

Status EdgeBook::patch(const std::string& id, json::View patch) {
  const Change change(*this);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return fail(ErrorKind::kNotFound, "no such Edge");
  EdgeRecord& edge = found->second;
  const OptionsMode before = edge.options_mode();
  EDGETRUST_TRY(apply_patch(edge, patch));
  if (edge.drain && patch["calls"].present()) {
    const SteadyPoint now = clock_.steady();
    const auto waited = std::chrono::floor<std::chrono::seconds>(now - edge.drain->started);
    edge.drain = Drain{.started = now, .wait = edge.drain->wait - waited, .calls = edge.calls};
  }
  touch(edge);
  if (edge.options_mode() != before) plant_->set_mode(id, edge.options_mode());
  return {};
}

bool EdgeBook::set_service(const std::string& id, bool in_service, std::chrono::seconds wait) {
  const Change change(*this);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return false;
  EdgeRecord& edge = found->second;
  const OptionsMode before = edge.options_mode();
  const int calls = calls_at(edge, clock_.steady(), config_.call_ends_every);
  edge.drain.reset();
  edge.calls = calls;
  if (!in_service) edge.drain = Drain{.started = clock_.steady(), .wait = wait, .calls = calls};
  edge.in_service = in_service;
  edge.version += 1;
  edge.modified = clock_.now();
  touch(edge);
  if (edge.options_mode() != before) plant_->set_mode(id, edge.options_mode());
  return true;
}

tl::expected<EdgeRecord, VendorFault> EdgeBook::rename(const std::string& id, std::int64_t version,
                                                       const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return tl::unexpected(unknown_edge(id));
  EdgeRecord& edge = found->second;
  if (version != edge.version) {
    return tl::unexpected(VendorFault{
        .status = 409,
        .code = "conflict",
        .message = "The version number of the modified resource must match the version number in the database.",
        .entity_id = id});
  }
  edge.config.name = name;
  edge.version += 1;
  edge.modified = clock_.now();
  return edge;
}

Status EdgeBook::set_trust(std::string trust_pem) {
  EDGETRUST_TRY(plant_->set_trust(trust_pem));
  const std::lock_guard lock(mutex_);
  trust_pem_ = std::move(trust_pem);
  return {};
}

void EdgeBook::reset() {
  const Change change(*this);
  for (auto edge = edges_.begin(); edge != edges_.end();) {
    if (edge->second.extra) {
      plant_->remove_edge(edge->first);
      edge = edges_.erase(edge);
      continue;
    }
    plant_->stop_serving(edge->first);
    const auto configured = std::find_if(config_.edges.begin(), config_.edges.end(),
                                         [&](const EdgeConfig& one) { return one.id == edge->first; });
    edge->second = fresh(*configured, false, edge->second.sip_port);
    ++edge;
  }
}

}  // namespace edgetrust::sim
