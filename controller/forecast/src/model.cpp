#include "member.hpp"

#include <algorithm>

namespace edgetrust::forecast {
namespace {

using namespace std::chrono_literals;
using decide::certificate::Answer;
using decide::certificate::EdgeLook;
using decide::certificate::Evidence;
using decide::certificate::Learned;
using decide::certificate::Observation;
using decide::certificate::PeerLook;
namespace effect = decide::certificate::effect;

Error missing(const std::string& what) { return {.kind = ErrorKind::kNotFound, .what = what + " is not there"}; }

std::vector<PeerLook> content_peers(const Observation& o) {
  std::vector<PeerLook> peers;
  if (!o.edge) return peers;
  for (const auto& peer : o.edge->spec.sip.peers) peers.push_back({.name = peer.name, .accepts = Answer::kYes});
  return peers;
}

class Actor {
 public:
  Actor(Observation& o, Model& model, Shared& shared, Outside& outside)
      : o_(o), model_(model), slots_(shared.slots), orders_(shared.orders), outside_(outside) {}

  Result<Learned> operator()(const effect::LookAtEdge& e) {
    const ports::ChainFacts* installed = model_.installed ? &*model_.installed : nullptr;
    EdgeLook look{.at = o_.now, .probed = o_.edge && o_.edge->spec.sip.probe != api::SipProbe::kNone};
    if (auto health = outside_.health(o_, installed)) {
      look.health = std::move(*health);
    } else {
      look.health_error = std::move(health).error();
    }
    if (look.probed && installed != nullptr) look.served = *installed;
    if (look.probed && installed == nullptr) look.served_error = missing("a certificate on the SIP-TLS port");
    if (e.closely) {
      look.evidence = Evidence{.peers = content_peers(o_), .trunks = std::vector<ports::Trunk>{}};
      if (o_.edge && o_.edge->spec.sip.probe == api::SipProbe::kOptions) look.evidence->options_status = 200;
    }
    return Learned{.look = std::move(look)};
  }
  Result<Learned> operator()(const effect::AskPeers& e) {
    return Learned{.peers = decide::certificate::PeersLook{.revision = e.revision,
                                                           .edge_generation = o_.edge->meta.generation,
                                                           .peers = content_peers(o_),
                                                           .at = o_.now}};
  }

  Result<Learned> operator()(const effect::AskVendor& e) {
    const auto revision = o_.revisions.find(e.revision);
    const bool known = revision != o_.revisions.end() && revision->second.chain;
    return Learned{.vendor = decide::certificate::VendorLook{
                       .fingerprint_sha256 = known ? revision->second.chain->fingerprint_sha256 : "", .objection = {}}};
  }
  Result<Learned> operator()(const effect::LookAtService& /*e*/) {
    const bool calls_are_up = !model_.in_service && o_.now < model_.calls_end;
    ports::EdgeInfo edge{.in_service = model_.in_service, .active = true};
    if (!model_.in_service)
      edge.draining = calls_are_up ? ports::CallDraining::kWaiting : ports::CallDraining::kComplete;
    return Learned{.service = decide::certificate::ServiceLook{std::move(edge), o_.now}};
  }
  Result<Learned> operator()(const effect::SetService& e) {
    if (model_.in_service && !e.in_service) model_.calls_end = outside_.calls_end(o_);
    model_.in_service = e.in_service;
    return Learned{};
  }

  // --- issuing

  // What the CA will ask for is not known ahead. What it has asked for is in the status.
  Result<Learned> operator()(const effect::LookAtRenewalInfo& /*e*/) { return Learned{}; }

  Result<Learned> operator()(const effect::CreateKey& e) {
    o_.revisions[e.revision].number = e.revision;
    o_.revisions[e.revision].has_key = true;
    model_.keys[e.revision] = e.key;
    return Learned{};
  }
  Result<Learned> operator()(const effect::NewOrder& e) {
    auto& log = orders_[o_.issuer->spec.server];
    if (e.place) decide::take_place(log, *e.place, o_.now);
    auto ready_at = outside_.order(o_, e.request);
    if (!ready_at) {
      if (e.place) decide::give_back(log, *e.place);
      return tl::unexpected(std::move(ready_at).error());
    }
    model_.order = Model::Order{.url = o_.object.meta.uid + "/" + std::to_string(e.revision), .ready_at = *ready_at};
    return Learned{.order = ports::Order{.url = model_.order->url}};
  }
  Result<Learned> operator()(const effect::LookAtOrder& e) {
    // An order from before the beginning.
    if (!model_.order || model_.order->url != e.url) model_.order = Model::Order{.url = e.url, .ready_at = o_.now};
    return as_it_is();
  }
  Result<Learned> operator()(const effect::FinalizeOrder& /*e*/) {
    if (!model_.order) return tl::unexpected(missing("the order"));
    model_.order->finalized = true;
    return as_it_is();
  }
  Result<Learned> operator()(const effect::StoreBundle& e) {
    ports::ChainFacts chain = outside_.certificate(o_);
    const std::string token = o_.object.meta.uid + "/" + std::to_string(e.revision);
    chain.serial_number = token;
    chain.fingerprint_sha256 = token;
    chain.public_key_sha256 = token;
    chain.dns_names = o_.object.spec.dns_names;
    chain.ip_addresses = o_.object.spec.ip_addresses;
    if (const auto key = model_.keys.find(e.revision); key != model_.keys.end()) chain.key = key->second;
    auto& revision = o_.revisions[e.revision];
    revision.number = e.revision;
    revision.asked_for = {chain.dns_names.begin(), chain.dns_names.end()};
    revision.asked_for.insert(chain.ip_addresses.begin(), chain.ip_addresses.end());
    revision.chain = std::move(chain);
    if (o_.issuer) revision.server = o_.issuer->spec.server;
    return Learned{};
  }
  Result<Learned> operator()(const effect::DeactivateAuthorization& /*e*/) { return Learned{}; }
  Result<Learned> operator()(const effect::RevokeCertificate& /*e*/) { return Learned{}; }
  Result<Learned> operator()(const effect::StoreImport& /*e*/) {
    if (!o_.import || !o_.import->chain) return tl::unexpected(missing("what importFrom names"));
    o_.revisions[0] = {.number = 0, .has_key = true, .chain = o_.import->chain};
    return Learned{};
  }
  Result<Learned> operator()(const effect::StoreSource& e) {
    if (!o_.source || !o_.source->chain) return tl::unexpected(missing("what sourceSecretRef names"));
    o_.revisions[e.revision] = {
        .number = e.revision, .has_key = true, .source = e.fingerprint, .chain = o_.source->chain};
    return Learned{};
  }

  // --- challenges: each authorization is valid already

  Result<Learned> operator()(const effect::LookForRecords& /*e*/) {
    return Learned{.records = decide::certificate::RecordsLook{.everywhere = true, .missing = {}, .at = o_.now}};
  }
  Result<Learned> operator()(const effect::LookForAnswers& /*e*/) {
    return Learned{.answers = decide::certificate::AnswersLook{
                       .seen = decide::certificate::AnswersSeen::kRight, .trouble = {}, .at = o_.now, .since = o_.now}};
  }
  Result<Learned> operator()(const effect::PresentRecord& /*e*/) { return Learned{}; }
  Result<Learned> operator()(const effect::RemoveRecord& /*e*/) { return Learned{}; }
  Result<Learned> operator()(const effect::AnswerChallenge& /*e*/) { return Learned{}; }

  // --- delivery

  Result<Learned> operator()(const effect::Push& e) {
    const auto revision = o_.revisions.find(e.revision);
    if (revision == o_.revisions.end() || !revision->second.chain) return tl::unexpected(missing("the bundle"));
    if (auto done = outside_.upload(o_, *revision->second.chain); !done) return tl::unexpected(std::move(done).error());
    model_.installed = revision->second.chain;
    return Learned{};
  }
  Result<Learned> operator()(const effect::ClaimSlots& e) {
    for (const auto& name : e.slots.names) {
      auto slot = std::ranges::find(slots_, name, [](const ports::BudgetSlot& one) { return one.meta.name; });
      if (slot == slots_.end()) slot = slots_.insert(slots_.end(), named(name));
      if (slot->holder && slot->holder->uid != o_.object.meta.uid)
        return fail(ErrorKind::kConflict, name + " is held by " + slot->holder->name);
      slot->holder = {.uid = o_.object.meta.uid, .revision = e.slots.revision, .name = o_.object.meta.name};
    }
    return Learned{};
  }
  Result<Learned> operator()(const effect::ReleaseSlots& e) {
    for (auto& slot : slots_) {
      const bool ours = slot.holder && slot.holder->uid == o_.object.meta.uid &&
                        std::ranges::count(e.slots.names, slot.meta.name) > 0;
      if (ours) slot.holder.reset();
    }
    return Learned{};
  }

  // --- its own objects

  Result<Learned> operator()(const effect::SetFinalizer& e) {
    auto& finalizers = o_.object.meta.finalizers;
    std::erase(finalizers, std::string(api::kFinalizer));
    if (e.present) finalizers.emplace_back(api::kFinalizer);
    return Learned{};
  }
  Result<Learned> operator()(const effect::WriteServingSecret& e) {
    const auto revision = o_.revisions.find(e.revision);
    if (revision == o_.revisions.end() || !revision->second.chain) return tl::unexpected(missing("the bundle"));
    o_.serving_fingerprint = revision->second.chain->fingerprint_sha256;
    return Learned{};
  }
  Result<Learned> operator()(const effect::MarkRejected& e) {
    o_.revisions[e.revision].marked_rejected = true;
    return Learned{};
  }
  Result<Learned> operator()(const effect::DeleteRevision& e) {
    o_.revisions.erase(e.revision);
    return Learned{};
  }

 private:
  Result<Learned> as_it_is() const {
    const auto& order = *model_.order;
    ports::Order answer{.url = order.url, .status = ports::OrderStatus::kReady};
    if (order.finalized) {
      const bool done = o_.now >= order.ready_at;
      answer.status = done ? ports::OrderStatus::kValid : ports::OrderStatus::kProcessing;
      if (done) answer.certificate_url = order.url;
      if (!done) answer.retry_after = std::chrono::ceil<std::chrono::seconds>(order.ready_at - o_.now);
    }
    return Learned{.order = std::move(answer)};
  }
  [[nodiscard]] ports::BudgetSlot named(const std::string& name) const {
    ports::BudgetSlot slot;
    slot.meta.ns = o_.object.meta.ns;
    slot.meta.name = name;
    return slot;
  }

  Observation& o_;
  Model& model_;
  std::vector<ports::BudgetSlot>& slots_;
  std::map<std::string, decide::OrderLog>& orders_;
  Outside& outside_;
};

}  // namespace

std::optional<ports::ChainFacts> installed_at_first(const Observation& o) {
  const auto stored = [&](const std::string& fingerprint) -> const ports::ChainFacts* {
    for (const auto& [number, revision] : o.revisions) {
      if (!fingerprint.empty() && revision.chain && revision.chain->fingerprint_sha256 == fingerprint)
        return &*revision.chain;
    }
    return nullptr;
  };
  const auto& seen = o.edge ? o.edge->status.served_certificate : std::nullopt;
  if (seen) {
    if (const auto* ours = stored(seen->fingerprint_sha256)) return *ours;
    ports::ChainFacts foreign{
        .serial_number = seen->serial_number, .fingerprint_sha256 = seen->fingerprint_sha256, .issuer = seen->issuer};
    foreign.not_after = seen->not_after.value_or(o.now);
    return foreign;
  }
  const auto* ours = stored(o.object.status.fingerprint_sha256);
  return ours != nullptr ? std::optional(*ours) : std::nullopt;
}

Result<Learned> act(const decide::certificate::Effect& effect, Observation& o, Model& model, Shared& shared,
                    Outside& outside) {
  return std::visit(Actor(o, model, shared, outside), effect);
}

}  // namespace edgetrust::forecast
