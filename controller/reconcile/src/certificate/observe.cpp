#include "certificate/observe.hpp"

#include "certificate/revision_secrets.hpp"
#include "certificate/source.hpp"
#include "edgetrust/api/claim.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/decide/certificate/source.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using decide::certificate::Observation;
using decide::certificate::StoredRevision;

// The EdgeCertificate before whose claim this one's stands back; empty when it does not.
std::string holder_of(const World& world, const api::EdgeCertificate& object) {
  std::string holder;
  auto best = api::claim_of(object);
  for (const auto& other : world.certificates.list(object.meta.ns)) {
    const auto claim = api::claim_of(*other);
    if (!claim || claim->edge != object.spec.edge_ref.name || (best && !(*claim < *best))) continue;
    best = claim;
    holder = other->meta.uid == object.meta.uid ? std::string{} : other->meta.name;
  }
  return holder;
}

void find_references(const World& world, Observation& o) {
  const auto& [meta, spec] = std::tie(o.object.meta, o.object.spec);
  o.edge = world.edges.get({meta.ns, spec.edge_ref.name});
  if (o.edge) o.connection = world.connections.get({meta.ns, o.edge->spec.connection_ref.name});
  const auto issuer = [&](const std::string& name) {
    return name.empty() ? nullptr : world.issuers.get({meta.ns, name});
  };
  o.issuer = issuer(api::issuer_in_use(o.object));
  if (spec.issuer_ref && spec.fallback && spec.fallback->issuer_ref.name != spec.issuer_ref->name)
    o.other_issuer = issuer(api::uses_fallback(o.object) ? spec.issuer_ref->name : spec.fallback->issuer_ref.name);
  o.policy = world.policies.get({meta.ns, decide::policy_name(o.object)});
  o.edge_holder = holder_of(world, o.object);
}

bool is_touched(const World& world, const api::Edge& edge) {
  return std::ranges::any_of(world.certificates.list(edge.meta.ns), [&](const auto& certificate) {
    return certificate->spec.edge_ref.name == edge.meta.name && decide::is_rotating(*certificate);
  });
}

// The other Edges of its site and connection that nobody touches. Asked for only while they may be needed.
void find_neighbours(const World& world, Observation& o) {
  if (!o.object.status.delivery || !o.edge || o.edge->broken || api::site_of(*o.edge).empty()) return;
  for (const auto& other : world.edges.list(o.object.meta.ns)) {
    const bool is_near = other->meta.name != o.edge->meta.name && !other->broken &&
                         other->spec.connection_ref == o.edge->spec.connection_ref &&
                         api::site_of(*other) == api::site_of(*o.edge);
    if (is_near && !is_touched(world, *other)) o.neighbours.push_back(other);
  }
}

// Metadata of our Secrets: the cache's, with what this process made or removed and the watch has not brought yet.
std::vector<api::ObjectMeta> own_secrets(const World& world, const api::EdgeCertificate& object, Notes& notes) {
  std::vector<api::ObjectMeta> secrets =
      world.secrets.list(object.meta.ns, std::string(kCertificateLabel), label_value(object.meta.name));
  // What the cache has caught up with need not be remembered.
  const auto is_known = [&](const std::string& uid) {
    return std::ranges::count(secrets, uid, &api::ObjectMeta::uid) > 0;
  };
  std::erase_if(notes.gone_secrets, [&](const std::string& uid) { return !is_known(uid); });
  std::erase_if(notes.marked_secrets, [&](const std::string& uid) { return !is_known(uid); });
  std::erase_if(notes.bundles, [&](const auto& bundle) { return !is_known(bundle.first); });
  std::erase_if(secrets, [&](const api::ObjectMeta& meta) {
    return !is_ours(meta, object.meta.name) || notes.gone_secrets.contains(meta.uid);
  });
  for (auto own = notes.own_secrets.begin(); own != notes.own_secrets.end();) {
    const auto seen = std::ranges::find(secrets, own->first, &api::ObjectMeta::name);
    if (seen == secrets.end()) {
      secrets.push_back(own->second);
      ++own;
    } else {
      own = notes.own_secrets.erase(own);
    }
  }
  return secrets;
}

std::string text_of(const ports::SecretObject& secret, const char* key) {
  const auto found = secret.data.find(key);
  return found == secret.data.end() ? std::string{} : std::string(found->second.expose());
}

// What a Secret of a certificate and its key holds.
Result<ports::ChainFacts> inspect_pair(const World& world, const ports::SecretObject& secret) {
  auto chain = world.pki.inspect(text_of(secret, kTlsCrt));
  if (!chain) return tl::unexpected(within(kTlsCrt, chain.error()));
  const auto key = secret.data.find(kTlsKey);
  if (key == secret.data.end()) return fail(ErrorKind::kInvalid, std::string("it has no ") + kTlsKey);
  const auto hash = world.pki.public_key_sha256(key->second);
  if (!hash) return tl::unexpected(within(kTlsKey, hash.error()));
  if (*hash != chain->public_key_sha256) return fail(ErrorKind::kInvalid, "its key does not belong to its certificate");
  return chain;
}

// The names that a chain of this object must cover.
ports::SubjectNames names_of(const World& world, const api::EdgeCertificate& object) {
  const auto& spec = object.spec;
  if (!spec.source_secret_ref) return {spec.common_name, spec.dns_names, spec.ip_addresses};
  const auto edge = world.edges.get({object.meta.ns, spec.edge_ref.name});
  return decide::certificate::names_to_cover(spec, edge.get());
}

// What a leaf of ours may be for: what was asked for when it was ordered. It is not known of what was imported, or is
// somebody else's.
std::set<std::string> only_names(const api::ObjectMeta& bundle, const api::EdgeCertificateSpec& spec) {
  if (spec.source_secret_ref || bundle.annotation(kSourceAnnotation)) return {};
  std::set<std::string> names;
  for (const auto& name : asked_for_of(bundle)) {
    const std::string address = canonical_address(name);
    names.insert(address.empty() ? lower(name) : address);
  }
  return names;
}

std::string server_of(const api::ObjectMeta& bundle) {
  return std::string(bundle.annotation(kIssuedByAnnotation).value_or(""));
}

// What a chain is judged by, besides itself: the names, the usages, and the roots as the issuer names them. Dates are
// the rules' to judge.
std::string standard_of(const World& world, const api::EdgeCertificate& object, const std::string& server) {
  const ports::SubjectNames names = names_of(world, object);
  std::string text;
  for (const auto usage : object.spec.required_usages) text += usage == api::Usage::kServerAuth ? " server" : " client";
  text += " " + join(names.dns_names, ",") + "," + join(names.ip_addresses, ",") + " " + names.common_name;
  if (!object.spec.issuer_ref) return text + " no CA";
  const auto issuer = issuer_at(world, object, server);
  return text + (issuer ? " " + issuer->meta.uid + "/" + std::to_string(issuer->meta.generation) : " no issuer");
}

// Why the bundle must not be pushed. An error: nobody can tell now.
Result<std::optional<Error>> judge(const World& world, const api::EdgeCertificate& object,
                                   const api::ObjectMeta& bundle, const api::ObjectMeta* key,
                                   const ports::ChainFacts& facts, std::stop_token stop) {
  if (key == nullptr) return Error{.kind = ErrorKind::kInvalid, .what = "its key is lost"};
  EDGETRUST_TRY_ASSIGN(const ports::SecretObject chain, world.secrets.read(bundle.key(), stop));
  EDGETRUST_TRY_ASSIGN(const ports::SecretObject key_secret, world.secrets.read(key->key(), stop));
  const auto pem = key_secret.data.find(kTlsKey);
  if (pem == key_secret.data.end())
    return Error{.kind = ErrorKind::kInvalid, .what = "Secret " + key->name + " has no " + kTlsKey};
  EDGETRUST_TRY_ASSIGN(ports::ChainRequirements required, requirements(world, object, server_of(bundle), stop));
  trust(required, text_of(chain, kCaCrt));
  required.at = moment_within(facts, required.at);
  required.only_names = only_names(bundle, object.spec);
  const Status fit = world.pki.check(text_of(chain, kTlsCrt), pem->second, required);
  if (fit) return std::nullopt;
  if (fit.error().kind == ErrorKind::kInvalid) return fit.error();
  return tl::unexpected(fit.error());
}

// The facts of a bundle, read once: it is immutable.
Result<BundleFacts*> facts_of(const World& world, const api::ObjectMeta& bundle, Notes& notes, std::stop_token stop) {
  const auto known = notes.bundles.find(bundle.uid);
  if (known != notes.bundles.end()) return &known->second;
  const auto secret = world.secrets.read(bundle.key(), stop);
  if (!secret && secret.error().kind == ErrorKind::kNotFound) return nullptr;  // gone; the watch will say so
  if (!secret) return tl::unexpected(secret.error());
  BundleFacts facts;
  if (auto inspected = world.pki.inspect(text_of(*secret, kTlsCrt))) {
    facts.chain = std::move(*inspected);
  } else {
    facts.unreadable = within("Secret " + bundle.name, inspected.error());
  }
  return &notes.bundles.emplace(bundle.uid, std::move(facts)).first->second;
}

Status describe_bundle(const World& world, const api::ObjectMeta& bundle, const api::ObjectMeta* key,
                       const api::EdgeCertificate& object, StoredRevision& revision, Notes& notes,
                       std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(BundleFacts* const facts, facts_of(world, bundle, notes, stop));
  if (facts == nullptr) return {};
  revision.marked_rejected =
      bundle.annotation(kRejectedAnnotation).has_value() || notes.marked_secrets.contains(bundle.uid);
  revision.asked_for = asked_for_of(bundle);
  revision.server = server_of(bundle);
  revision.chain = facts->chain;
  if (!facts->chain) {
    revision.defect = facts->unreadable;
    return {};
  }
  const std::string standard = (key != nullptr ? key->uid : "no key") + standard_of(world, object, revision.server);
  if (facts->judged_by != standard) {
    auto verdict = judge(world, object, bundle, key, *facts->chain, stop);
    if (!verdict) {
      // Everything but a first delivery can go on without: the rules wait with that one.
      revision.unjudged = verdict.error();
      return {};
    }
    facts->judged_by = standard;
    facts->defect = std::move(*verdict);
  }
  revision.defect = facts->defect;
  return {};
}

Status find_revisions(const World& world, const std::vector<api::ObjectMeta>& secrets, Observation& o, Notes& notes,
                      std::stop_token stop) {
  std::map<int, std::pair<const api::ObjectMeta*, const api::ObjectMeta*>> parts;  // key, bundle
  for (const auto& meta : secrets) {
    const auto revision = revision_of(meta);
    if (!revision) continue;
    if (part_of(meta) == kPartKey) parts[*revision].first = &meta;
    if (part_of(meta) == kPartBundle) parts[*revision].second = &meta;
  }
  for (const auto& [number, pair] : parts) {
    const auto& [key, bundle] = pair;
    StoredRevision revision{.number = number, .has_key = key != nullptr};
    for (const api::ObjectMeta* part : {key, bundle}) {
      if (part != nullptr) revision.source = part->annotation(kSourceAnnotation).value_or(revision.source);
    }
    if (bundle != nullptr) EDGETRUST_TRY(describe_bundle(world, *bundle, key, o.object, revision, notes, stop));
    o.revisions.emplace(number, std::move(revision));
  }
  return {};
}

// The leaf in secretName, as our own metadata of it tells; read again when someone changed it.
Status find_serving(const World& world, const std::vector<api::ObjectMeta>& secrets, Observation& o, Notes& notes,
                    std::stop_token stop) {
  const auto found = std::ranges::find(secrets, api::serving_secret_name(o.object), &api::ObjectMeta::name);
  if (found == secrets.end()) return {};
  ServingFacts& facts = notes.serving;
  if (facts.uid != found->uid || facts.resource_version != found->resource_version) {
    const auto secret = world.secrets.read(found->key(), stop);
    if (!secret && secret.error().kind == ErrorKind::kNotFound) return {};
    if (!secret) return tl::unexpected(secret.error());
    const auto whole = inspect_pair(world, *secret);
    facts = {.uid = found->uid,
             .resource_version = found->resource_version,
             .fingerprint = whole ? whole->fingerprint_sha256 : std::string{}};
  }
  o.serving_fingerprint = facts.fingerprint;
  return {};
}

// What importFrom holds; asked for only while nothing is known of the Edge's certificate.
Status find_import(const World& world, Observation& o, std::stop_token stop) {
  if (o.object.status.revision || !o.object.spec.adoption || !o.object.spec.adoption->import_from) return {};
  const api::ObjectKey key{o.object.meta.ns, o.object.spec.adoption->import_from->name};
  const auto secret = world.secrets.read(key, stop);
  if (!secret && secret.error().kind != ErrorKind::kNotFound) return tl::unexpected(secret.error());
  o.import.emplace();
  if (!secret) {
    o.import->defect = secret.error();
    return {};
  }
  if (auto whole = inspect_pair(world, *secret)) {
    o.import->chain = std::move(*whole);
  } else {
    o.import->defect = std::move(whole).error();
  }
  return {};
}

// What the source Secret holds; fetched only when it, or what it is judged by, has changed.
void find_source(const World& world, Observation& o, Notes& notes, std::stop_token stop) {
  if (!o.object.spec.source_secret_ref) return;
  const auto meta = world.secrets.find({o.object.meta.ns, o.object.spec.source_secret_ref->name});
  o.source.emplace();
  if (!meta) return;
  const std::string known_by =
      meta->name + " " + meta->uid + " " + meta->resource_version + standard_of(world, o.object, "");
  if (notes.source.known_by != known_by) notes.source = {known_by, read_source(world, o.object, stop).facts};
  o.source = notes.source.facts;
  if (o.source->unjudged) notes.source = {};
}

}  // namespace

std::shared_ptr<const api::AcmeIssuer> issuer_at(const World& world, const api::EdgeCertificate& object,
                                                 const std::string& server) {
  const auto& [ns, spec] = std::tie(object.meta.ns, object.spec);
  auto first = world.issuers.get({ns, spec.issuer_ref->name});
  if (server.empty() || !spec.fallback || (first && first->spec.server == server)) return first;
  auto second = world.issuers.get({ns, spec.fallback->issuer_ref.name});
  return second && second->spec.server == server ? second : first;
}

void trust(ports::ChainRequirements& required, const std::string& roots_pem) {
  if (roots_pem.empty()) return;
  required.roots_pem = roots_pem;
  required.require_known_root = false;
}

TimePoint moment_within(const ports::ChainFacts& facts, TimePoint now) {
  return std::max(facts.not_before, std::min(now, facts.not_after - std::chrono::seconds{1}));
}

Result<ports::ChainRequirements> requirements(const World& world, const api::EdgeCertificate& object,
                                              const std::string& server, std::stop_token stop) {
  const auto& usages = object.spec.required_usages;
  ports::ChainRequirements required{
      .names = names_of(world, object),
      .server_auth = usages.empty() || std::ranges::find(usages, api::Usage::kServerAuth) != usages.end(),
      .client_auth = std::ranges::find(usages, api::Usage::kClientAuth) != usages.end(),
      .at = world.clock.now()};
  if (!object.spec.issuer_ref) return required;
  const auto issuer = issuer_at(world, object, server);
  // Without it nobody knows the roots: a good certificate of a private CA would look broken.
  if (!issuer || issuer->broken)
    return fail(ErrorKind::kNotFound, "there is no usable AcmeIssuer " + object.spec.issuer_ref->name);
  if (issuer->spec.ca_bundle_ref) {
    // A private CA. Its bundle is for its server's own certificate, and need not hold the root that issues.
    required.require_known_root = false;
    EDGETRUST_TRY_ASSIGN(required.roots_pem,
                         world.secrets.read_bundle(object.meta.ns, *issuer->spec.ca_bundle_ref, stop));
  }
  return required;
}

Result<Observation> observe(const World& world, std::shared_ptr<const api::EdgeCertificate> object, Notes& notes,
                            std::stop_token stop) {
  Observation o{.now = world.clock.now(),
                .object = *object,
                .operator_version = world.version,
                .serves_http01 = world.web != nullptr};
  if (!o.object.broken) {
    find_references(world, o);
    find_neighbours(world, o);
    const auto secrets = own_secrets(world, o.object, notes);
    EDGETRUST_TRY(find_revisions(world, secrets, o, notes, stop));
    EDGETRUST_TRY(find_serving(world, secrets, o, notes, stop));
    EDGETRUST_TRY(find_import(world, o, stop));
    find_source(world, o, notes, stop);
  }
  static_cast<decide::certificate::Memory&>(o) = notes.memory;
  return o;
}

}  // namespace edgetrust::reconcile
