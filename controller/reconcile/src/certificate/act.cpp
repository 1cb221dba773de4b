#include "certificate/act.hpp"

#include "certificate/look.hpp"
#include "certificate/observe.hpp"
#include "certificate/revision_secrets.hpp"
#include "certificate/source.hpp"
#include "edgetrust/base/text.hpp"
#include "peers.hpp"
#include "slots.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

namespace effect = decide::certificate::effect;
using decide::certificate::AnswersSeen;
using decide::certificate::EdgeLook;
using decide::certificate::Learned;
using decide::certificate::Observation;

Error missing(const ports::SecretObject& secret, const char* key) {
  return {.kind = ErrorKind::kInvalid, .what = "Secret " + secret.meta.name + " has no key " + key};
}

class Actor {
 public:
  Actor(const World& world, const Observation& o, Notes& notes, OrderBook& orders, std::stop_token stop)
      : world_(world), o_(o), object_(o.object), notes_(notes), orders_(orders), stop_(std::move(stop)) {}

  // --- looks

  Result<Learned> operator()(const effect::LookAtEdge& look) {
    EDGETRUST_TRY_ASSIGN(EdgeLook seen, look_at_edge(world_, o_, look.closely, stop_));
    return Learned{.look = std::move(seen)};
  }

  Result<Learned> operator()(const effect::LookAtService& /*look*/) {
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(*o_.connection, stop_));
    EDGETRUST_TRY_ASSIGN(ports::EdgeInfo edge, fleet->edge(edge_id(), stop_));
    return Learned{.service = decide::certificate::ServiceLook{std::move(edge), world_.clock.now()}};
  }

  Result<Learned> operator()(const effect::AskPeers& ask) {
    EDGETRUST_TRY_ASSIGN(const std::string chain, chain_of(ask.revision));
    decide::certificate::PeersLook told{.revision = ask.revision, .edge_generation = o_.edge->meta.generation};
    told.peers = Peers(world_, *o_.edge, stop_).judge_all(chain);
    if (stop_.stop_requested()) return fail(ErrorKind::kCancelled, "shutting down");
    told.at = world_.clock.now();
    return Learned{.peers = std::move(told)};
  }

  // Once for a chain, also where the API does not have the call, or not for us.
  Result<Learned> operator()(const effect::AskVendor& ask) {
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(*o_.connection, stop_));
    EDGETRUST_TRY_ASSIGN(const std::string chain, chain_of(ask.revision));
    EDGETRUST_TRY_ASSIGN(const ports::ChainFacts facts, world_.pki.inspect(chain));
    auto objection = fleet->objection_to(chain, stop_);
    const bool nobody_to_ask = !objection && (objection.error().kind == ErrorKind::kNotFound ||
                                              objection.error().kind == ErrorKind::kForbidden);
    if (!objection && !nobody_to_ask) return tl::unexpected(std::move(objection).error());
    return Learned{.vendor = decide::certificate::VendorLook{.fingerprint_sha256 = facts.fingerprint_sha256,
                                                             .objection = objection.value_or("")}};
  }

  Result<Learned> operator()(const effect::LookAtOrder& look) {
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    EDGETRUST_TRY_ASSIGN(ports::Order order, authority->order(look.url, stop_));
    return Learned{.order = std::move(order)};
  }

  Result<Learned> operator()(const effect::LookAtRenewalInfo& look) {
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    EDGETRUST_TRY_ASSIGN(auto info, authority->renewal_info(look.certificate, stop_));
    return Learned{.renewal_info = std::move(info)};
  }

  Result<Learned> operator()(const effect::LookForRecords& look) {
    decide::certificate::RecordsLook seen{.everywhere = true, .at = world_.clock.now()};
    for (const auto& record : look.records) {
      EDGETRUST_TRY_ASSIGN(const auto zone, zone_for(record));
      EDGETRUST_TRY_ASSIGN(const std::string name, zone->seen_at(record.name, stop_));
      EDGETRUST_TRY_ASSIGN(const auto answers,
                           world_.lookup.find_txt(name, record.value, nameservers_for(record), stop_));
      const auto without = std::ranges::find_if(answers, [](const auto& answer) { return !answer.has_value; });
      if (without == answers.end() && !answers.empty()) continue;
      seen.everywhere = false;
      seen.missing = without == answers.end()
                         ? name + ": no name server was found"
                         : name + " at " + without->server + ": " +
                               (without->problem.empty() ? "the value is not there yet" : without->problem);
      break;
    }
    seen.at = world_.clock.now();
    return Learned{.records = std::move(seen)};
  }

  Result<Learned> operator()(const effect::LookForAnswers& look) {
    constexpr std::chrono::seconds kEnough{15};  // others wait for this thread
    const SteadyPoint begin = world_.clock.steady();
    decide::certificate::AnswersLook seen{.seen = AnswersSeen::kRight};
    for (const auto& answer : look.answers) {
      if (seen.seen == AnswersSeen::kWrong) break;
      const bool in_time = world_.clock.steady() - begin < kEnough;
      const auto [found, trouble] =
          in_time ? look_for(answer, look.account_thumbprint)
                  : std::pair(AnswersSeen::kNobodyCanTell, "there was no time to look at " + answer.host);
      if (found == AnswersSeen::kRight) continue;
      seen.seen = found;
      seen.trouble = trouble;
    }
    if (stop_.stop_requested()) return fail(ErrorKind::kCancelled, "shutting down");
    seen.at = seen.since = world_.clock.now();
    return Learned{.answers = std::move(seen)};
  }

  // --- the cluster

  Result<Learned> operator()(const effect::SetFinalizer& set) {
    EDGETRUST_TRY_ASSIGN(
        const std::string version,
        world_.certificates.set_finalizer(object_.meta, std::string(api::kFinalizer), set.present, stop_));
    auto copy = std::make_shared<api::EdgeCertificate>(object_);
    copy->meta.resource_version = version;
    auto& finalizers = copy->meta.finalizers;
    std::erase(finalizers, api::kFinalizer);
    if (set.present) finalizers.emplace_back(api::kFinalizer);
    notes_.written = std::move(copy);
    return Learned{};
  }

  Result<Learned> operator()(const effect::CreateKey& create) {
    Secret pem;
    if (create.copy_from) {
      EDGETRUST_TRY_ASSIGN(pem, key_of(*create.copy_from));
    } else {
      EDGETRUST_TRY_ASSIGN(pem, world_.pki.generate_key(create.key));
    }
    ports::SecretObject secret{.meta = secret_meta(object_, api::key_secret_name(object_.meta.name, create.revision),
                                                   kPartKey, create.revision),
                               .immutable = true};
    secret.data.emplace(kTlsKey, std::move(pem));
    EDGETRUST_TRY(store(secret));
    return Learned{};
  }

  Result<Learned> operator()(const effect::StoreBundle& store_bundle) {
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    EDGETRUST_TRY_ASSIGN(const std::string chain, authority->certificate(store_bundle.certificate_url, stop_));
    EDGETRUST_TRY_ASSIGN(const ports::ChainRequirements required,
                         requirements(world_, object_, o_.issuer->spec.server, stop_));
    // What cannot be arranged is stored as it came: the rules see the defect, and nothing is lost.
    const auto arranged = world_.pki.arrange(chain, required);
    if (!arranged && arranged.error().kind != ErrorKind::kInvalid) return tl::unexpected(arranged.error());
    ports::SecretObject secret{
        .meta = secret_meta(object_, api::bundle_secret_name(object_.meta.name, store_bundle.revision), kPartBundle,
                            store_bundle.revision),
        .immutable = true};
    secret.meta.annotations[std::string(kAskedForAnnotation)] = asked_for_text(object_.spec);
    secret.meta.annotations[std::string(kIssuedByAnnotation)] = o_.issuer->spec.server;
    secret.data.emplace(kTlsCrt, Secret(arranged ? *arranged : chain));
    EDGETRUST_TRY(store(secret));
    return Learned{};
  }

  Result<Learned> operator()(const effect::StoreImport& import) {
    EDGETRUST_TRY_ASSIGN(ports::SecretObject source, world_.secrets.read({object_.meta.ns, import.secret}, stop_));
    for (const char* part : {kTlsKey, kTlsCrt}) {
      const auto found = source.data.find(part);
      if (found == source.data.end()) return fail(missing(source, part));
      const bool is_key = part == kTlsKey;
      const std::string name =
          is_key ? api::key_secret_name(object_.meta.name, 0) : api::bundle_secret_name(object_.meta.name, 0);
      ports::SecretObject secret{.meta = secret_meta(object_, name, is_key ? kPartKey : kPartBundle, 0),
                                 .immutable = true};
      secret.data.emplace(part, std::move(found->second));
      EDGETRUST_TRY(store(secret));
    }
    return Learned{};
  }

  Result<Learned> operator()(const effect::StoreSource& take) {
    SourceContent source = read_source(world_, object_, stop_);
    const auto& facts = source.facts;
    if (facts.unjudged) return fail(within("Secret " + take.secret, *facts.unjudged));
    if (facts.defect || !facts.chain || facts.chain->fingerprint_sha256 != take.fingerprint)
      return fail(ErrorKind::kConflict, "Secret " + take.secret + " was changed while it was read");
    const auto part_of_it = [&](const std::string& name, std::string_view part) {
      ports::SecretObject secret{.meta = secret_meta(object_, name, part, take.revision), .immutable = true};
      secret.meta.annotations[std::string(kSourceAnnotation)] = take.fingerprint;
      return secret;
    };
    auto key = part_of_it(api::key_secret_name(object_.meta.name, take.revision), kPartKey);
    key.data.emplace(kTlsKey, std::move(source.key_pem));
    EDGETRUST_TRY(store(key));
    EDGETRUST_TRY(holds_key_of(take.revision, *facts.chain));
    auto bundle = part_of_it(api::bundle_secret_name(object_.meta.name, take.revision), kPartBundle);
    bundle.data.emplace(kTlsCrt, Secret(source.chain_pem));
    if (!source.roots_pem.empty()) bundle.data.emplace(kCaCrt, Secret(source.roots_pem));
    EDGETRUST_TRY(store(bundle));
    EDGETRUST_TRY(holds_leaf(take.revision, *facts.chain));
    return Learned{};
  }

  Result<Learned> operator()(const effect::WriteServingSecret& write) {
    ports::SecretObject secret{.meta = secret_meta(object_, api::serving_secret_name(object_), kPartServing, {}),
                               .type = "kubernetes.io/tls"};
    EDGETRUST_TRY_ASSIGN(std::string chain, chain_of(write.revision));
    EDGETRUST_TRY_ASSIGN(std::string roots, roots_of(write.revision));
    EDGETRUST_TRY_ASSIGN(Secret key, key_of(write.revision));
    secret.data.emplace(kTlsCrt, Secret(chain));
    secret.data.emplace(kTlsKey, std::move(key));
    auto existing = world_.secrets.read(secret.meta.key(), stop_);
    if (existing && !is_ours(existing->meta, object_.meta.name)) {
      return fail(
          ErrorKind::kConflict,
          "the Secret " + secret.meta.name +
              " exists and is not ours: set spec.secretName to another name, or delete that Secret if nobody needs it");
    }
    // An update takes no key away: roots that are another revision's are emptied.
    if (!roots.empty() || (existing && existing->data.contains(kCaCrt))) secret.data.emplace(kCaCrt, Secret(roots));
    if (existing) {
      secret.meta.resource_version = existing->meta.resource_version;
      secret.meta.uid = existing->meta.uid;
    } else if (existing.error().kind != ErrorKind::kNotFound) {
      return tl::unexpected(existing.error());
    }
    auto stored = existing ? world_.secrets.update(secret, stop_) : world_.secrets.create(secret, stop_);
    if (!stored) return tl::unexpected(stored.error());
    const auto facts = world_.pki.inspect(chain);
    notes_.serving = {.uid = stored->uid,
                      .resource_version = stored->resource_version,
                      .fingerprint = facts ? facts->fingerprint_sha256 : std::string{}};
    notes_.own_secrets[stored->name] = *stored;
    return Learned{};
  }

  Result<Learned> operator()(const effect::MarkRejected& mark) {
    EDGETRUST_TRY_ASSIGN(ports::SecretObject bundle,
                         read_ours(api::bundle_secret_name(object_.meta.name, mark.revision)));
    const auto& history = object_.status.history;
    const auto entry = std::ranges::find(history, mark.revision, &api::HistoryEntry::revision);
    bundle.meta.annotations[std::string(kRejectedAnnotation)] =
        entry == history.end() || entry->message.empty() ? "rejected" : entry->message;
    EDGETRUST_TRY(world_.secrets.update(bundle, stop_));
    notes_.marked_secrets.insert(bundle.meta.uid);
    return Learned{};
  }

  Result<Learned> operator()(const effect::DeleteRevision& remove) {
    for (const auto& meta :
         world_.secrets.list(object_.meta.ns, std::string(kCertificateLabel), label_value(object_.meta.name))) {
      if (!is_ours(meta, object_.meta.name) || revision_of(meta) != remove.revision) continue;
      EDGETRUST_TRY(world_.secrets.remove(meta, stop_));
      notes_.gone_secrets.insert(meta.uid);
      notes_.own_secrets.erase(meta.name);
    }
    return Learned{};
  }

  Result<Learned> operator()(const effect::ClaimSlots& claim) {
    EDGETRUST_TRY(claim_slots(world_, object_.meta, claim.slots, stop_));
    return Learned{};
  }
  Result<Learned> operator()(const effect::ReleaseSlots& release) {
    EDGETRUST_TRY(release_slots(world_, object_.meta, release.slots, stop_));
    return Learned{};
  }

  // --- the CA

  Result<Learned> operator()(const effect::NewOrder& ask) {
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    std::optional<ports::Order> order;
    if (ask.look_first) {
      EDGETRUST_TRY_ASSIGN(order, authority->open_order(ask.request, stop_));
      if (order && is_anothers(order->url)) order.reset();
    }
    if (!order) {
      auto place = ask.place;
      if (place) {
        place->at = std::chrono::floor<std::chrono::seconds>(world_.clock.now());
        auto taken = orders_.take_place(world_, object_.meta.ns, o_.issuer->spec, *place, stop_);
        if (!taken) return tl::unexpected(within("writing down the order", std::move(taken).error()));
        if (!*taken) return Learned{};  // somebody else was faster: the rules see the log as it is now
      }
      auto made = authority->new_order(ask.request, stop_);
      if (!made && place && !made.error().maybe_executed) give_back(*place);
      EDGETRUST_TRY_ASSIGN(order, std::move(made));
      // A CA may give the open order of these names to whoever asks. Its certificate will be for the other's key.
      if (is_anothers(order->url))
        return fail(ErrorKind::kConflict, "the CA has an open order for these names, of another EdgeCertificate");
    }
    return Learned{.order = std::move(order)};
  }

  Result<Learned> operator()(const effect::AnswerChallenge& answer) {
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    EDGETRUST_TRY(authority->answer(answer.url, stop_));
    return Learned{};
  }

  Result<Learned> operator()(const effect::FinalizeOrder& finalize) {
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    EDGETRUST_TRY_ASSIGN(const Secret key, key_of(finalize.revision));
    EDGETRUST_TRY_ASSIGN(const std::string csr, world_.pki.csr(key, finalize.names));
    EDGETRUST_TRY_ASSIGN(ports::Order order, authority->finalize(finalize.order_url, csr, stop_));
    return Learned{.order = std::move(order)};
  }

  Result<Learned> operator()(const effect::DeactivateAuthorization& deactivate) {
    if (is_needed_by_another(deactivate.authorization)) return Learned{};
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(o_.issuer));
    EDGETRUST_TRY(authority->deactivate_authorization(deactivate.authorization.url, stop_));
    return Learned{};
  }

  Result<Learned> operator()(const effect::RevokeCertificate& revoke) {
    const auto kept = o_.revisions.find(revoke.revision);
    const std::string server = kept == o_.revisions.end() ? std::string{} : kept->second.server;
    EDGETRUST_TRY_ASSIGN(const auto authority, authority_of(issuer_at(world_, object_, server)));
    EDGETRUST_TRY_ASSIGN(const std::string chain, chain_of(revoke.revision));
    const auto key = key_of(revoke.revision);  // where it is lost, the account has to do
    EDGETRUST_TRY(authority->revoke(chain, revoke.reason, key ? key->clone() : Secret(), stop_));
    return Learned{};
  }

  // --- DNS

  Result<Learned> operator()(const effect::PresentRecord& present) {
    EDGETRUST_TRY_ASSIGN(const auto zone, zone_for(present.record));
    EDGETRUST_TRY(zone->present(present.record.name, present.record.value, stop_));
    return Learned{};
  }

  Result<Learned> operator()(const effect::RemoveRecord& remove) {
    if (is_needed_by_another(remove.record)) return Learned{};
    EDGETRUST_TRY_ASSIGN(const auto zone, zone_for(remove.record));
    EDGETRUST_TRY(zone->remove(remove.record.name, remove.record.value, stop_));
    return Learned{};
  }

  // --- the Edge

  Result<Learned> operator()(const effect::Push& push) {
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(*o_.connection, stop_));
    EDGETRUST_TRY_ASSIGN(std::string chain, chain_of(push.revision));
    EDGETRUST_TRY_ASSIGN(Secret key, key_of(push.revision));
    EDGETRUST_TRY_ASSIGN(const ports::ChainFacts facts, world_.pki.inspect(chain));
    EDGETRUST_TRY(fleet->install({.edge = edge_id(),
                                  .name = object_.meta.name,
                                  .chain_pem = std::move(chain),
                                  .key_pem = std::move(key),
                                  .fingerprint_sha256 = facts.fingerprint_sha256},
                                 stop_));
    return Learned{};
  }

  Result<Learned> operator()(const effect::SetService& set) {
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(*o_.connection, stop_));
    EDGETRUST_TRY(fleet->set_service(edge_id(), set.in_service, set.calls_may_last, stop_));
    return Learned{};
  }

 private:
  [[nodiscard]] ports::EdgeId edge_id() const { return ports::EdgeId{lower(o_.edge->spec.edge_id)}; }

  // A place that is not given back is one that nobody uses: harmless.
  void give_back(const decide::OrderRecord& place) {
    (void)orders_.give_back(world_, object_.meta.ns, o_.issuer->spec.server, place, stop_);
  }

  // A name that is taken by our own Secret of the same revision is what a lost answer left behind: nothing is written
  // twice.
  Status store(const ports::SecretObject& secret) {
    auto created = world_.secrets.create(secret, stop_);
    if (!created && created.error().code == "AlreadyExists") {
      EDGETRUST_TRY_ASSIGN(const ports::SecretObject existing, world_.secrets.read(secret.meta.key(), stop_));
      const bool same = is_ours(existing.meta, object_.meta.name) &&
                        revision_of(existing.meta) == revision_of(secret.meta) &&
                        part_of(existing.meta) == part_of(secret.meta);
      if (!same)
        return fail(
            ErrorKind::kConflict,
            "the Secret " + secret.meta.name +
                " exists and is not ours: delete it if nobody needs it, or give the EdgeCertificate another name");
      created = existing.meta;
    }
    if (!created) return tl::unexpected(created.error());
    notes_.own_secrets[created->name] = *created;
    return {};
  }

  // What an earlier try or another hand has left under a revision's names must be of the same pair.
  Status holds_key_of(int revision, const ports::ChainFacts& leaf) {
    EDGETRUST_TRY_ASSIGN(const Secret key, key_of(revision));
    const auto own = world_.pki.public_key_sha256(key);
    if (own && *own == leaf.public_key_sha256) return {};
    return fail(something_else(api::key_secret_name(object_.meta.name, revision)));
  }
  Status holds_leaf(int revision, const ports::ChainFacts& leaf) {
    EDGETRUST_TRY_ASSIGN(const std::string chain, chain_of(revision));
    const auto own = world_.pki.inspect(chain);
    if (own && own->fingerprint_sha256 == leaf.fingerprint_sha256) return {};
    return fail(something_else(api::bundle_secret_name(object_.meta.name, revision)));
  }
  static Error something_else(const std::string& secret) {
    return {.kind = ErrorKind::kConflict,
            .what = "the Secret " + secret + " exists and holds something else: delete it if nobody needs it"};
  }

  Result<Secret> key_of(int revision) {
    EDGETRUST_TRY_ASSIGN(ports::SecretObject secret, read_ours(api::key_secret_name(object_.meta.name, revision)));
    const auto found = secret.data.find(kTlsKey);
    if (found == secret.data.end()) return fail(missing(secret, kTlsKey));
    return std::move(found->second);
  }
  Result<std::string> chain_of(int revision) {
    EDGETRUST_TRY_ASSIGN(ports::SecretObject secret, read_ours(api::bundle_secret_name(object_.meta.name, revision)));
    const auto found = secret.data.find(kTlsCrt);
    if (found == secret.data.end()) return fail(missing(secret, kTlsCrt));
    return std::string(found->second.expose());
  }
  // Empty: the revision came without.
  Result<std::string> roots_of(int revision) {
    EDGETRUST_TRY_ASSIGN(ports::SecretObject secret, read_ours(api::bundle_secret_name(object_.meta.name, revision)));
    const auto found = secret.data.find(kCaCrt);
    return found == secret.data.end() ? std::string{} : std::string(found->second.expose());
  }
  Result<ports::SecretObject> read_ours(const std::string& name) {
    EDGETRUST_TRY_ASSIGN(ports::SecretObject secret, world_.secrets.read({object_.meta.ns, name}, stop_));
    if (!is_ours(secret.meta, object_.meta.name))
      return fail(ErrorKind::kConflict, "the Secret " + name + " is not ours");
    return secret;
  }

  Result<std::shared_ptr<ports::CertificateAuthority>> authority_of(
      const std::shared_ptr<const api::AcmeIssuer>& issuer) {
    if (!issuer) return fail(ErrorKind::kNotFound, "its AcmeIssuer is gone");
    return world_.backends.authority(*issuer, stop_);
  }

  // Two EdgeCertificates with the same names share neither order nor key.
  [[nodiscard]] bool is_anothers(const std::string& order_url) const {
    return std::ranges::any_of(world_.certificates.list(object_.meta.ns), [&](const auto& other) {
      return other->meta.name != object_.meta.name && other->status.order && other->status.order->url == order_url;
    });
  }

  // A CA may give two orders for one name the same authorization, and with it one value: who still waits for it takes
  // it away.
  [[nodiscard]] bool is_needed_by_another(const api::TxtRecord& record) const {
    return another_has_open_order([&](const api::EdgeCertificate& other) {
      return std::ranges::find(other.status.order->records, record) != other.status.order->records.end();
    });
  }
  // Without the authorization that other order would be invalid. Its own failure gives it up.
  [[nodiscard]] bool is_needed_by_another(const api::AbandonedAuthorization& authorization) const {
    return another_has_open_order([&](const api::EdgeCertificate& other) {
      return other.status.order->server == o_.issuer->spec.server &&
             api::wanted_identifiers(other.spec).contains(authorization.name);
    });
  }
  template <class Which>
  [[nodiscard]] bool another_has_open_order(Which which) const {
    return std::ranges::any_of(world_.certificates.list(object_.meta.ns), [&](const auto& other) {
      const auto& order = other->status.order;
      if (other->meta.name == object_.meta.name || !order || order->url.empty() || !which(*other)) return false;
      return !world_.secrets.find({other->meta.ns, api::bundle_secret_name(other->meta.name, order->revision)});
    });
  }

  // A redirect leads where the CA may find the answer, and this operator does not follow.
  std::pair<AnswersSeen, std::string> look_for(const api::HttpAnswer& answer, const std::string& thumbprint) {
    const std::string path = std::string(api::kAcmeChallengePath) + answer.token;
    const std::string url = "http://" + answer.host + path;
    if (world_.web == nullptr) return {AnswersSeen::kNobodyCanTell, url + ": nobody looks"};
    const auto page = world_.web->get(answer.host, path, stop_);
    if (!page) return {AnswersSeen::kNobodyCanTell, url + ": " + page.error().message()};
    if (page->status >= 300 && page->status < 400)
      return {AnswersSeen::kNobodyCanTell, url + " is redirected (" + std::to_string(page->status) + ")"};
    if (page->status != 200) return {AnswersSeen::kWrong, url + " is answered with " + std::to_string(page->status)};
    // White space at the end is nothing (RFC 8555 section 8.3).
    if (page->cut || trim(page->body) != api::key_authorization(answer.token, thumbprint))
      return {AnswersSeen::kWrong, url + " has another text"};
    return {AnswersSeen::kRight, {}};
  }

  // The name that a record proves: "_acme-challenge." taken off. A wildcard has the record of the name below it
  // (RFC 8555 section 8.4), and is looked for among the names wanted: a solver may be chosen by it.
  [[nodiscard]] std::string identifier_of(const api::TxtRecord& record) const {
    constexpr std::string_view kPrefix = "_acme-challenge.";
    const std::string base = record.name.starts_with(kPrefix) ? record.name.substr(kPrefix.size()) : record.name;
    const auto wanted = [&](const std::string& name) {
      return std::ranges::any_of(object_.spec.dns_names, [&](const auto& other) { return lower(other) == name; });
    };
    const api::Solver* solver = api::solver_for(o_.issuer->spec, base);
    const bool needs_none = !wanted(base) || (solver != nullptr && solver->http01);
    const std::string wildcard = "*." + base;
    return needs_none && wanted(wildcard) ? wildcard : base;
  }
  Result<std::shared_ptr<ports::DnsZone>> zone_for(const api::TxtRecord& record) {
    return world_.backends.zone(*o_.issuer, identifier_of(record), stop_);
  }
  [[nodiscard]] std::vector<std::string> nameservers_for(const api::TxtRecord& record) const {
    const api::Solver* solver = api::dns_solver_for(o_.issuer->spec, identifier_of(record));
    return solver != nullptr && solver->dns01 && solver->dns01->propagation ? solver->dns01->propagation->nameservers
                                                                            : std::vector<std::string>{};
  }

  const World& world_;
  const Observation& o_;
  const api::EdgeCertificate& object_;
  Notes& notes_;
  OrderBook& orders_;
  std::stop_token stop_;
};

}  // namespace

Result<Learned> act(const World& world, const decide::certificate::Effect& effect, const Observation& o, Notes& notes,
                    OrderBook& orders, std::stop_token stop) {
  return std::visit(Actor(world, o, notes, orders, std::move(stop)), effect);
}

}  // namespace edgetrust::reconcile
