#include "certificate/observe.hpp"

#include "certificate/revision_secrets.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using decide::certificate::Import;
using decide::certificate::Observation;
using decide::certificate::StoredRevision;

constexpr std::string_view kDefaultPolicy = "default";

// Of two EdgeCertificates for one Edge the older holds it; of two made in one second, the one with the smaller uid.
std::string holder_of(const World& world, const api::EdgeCertificate& object) {
  const auto age = [](const api::ObjectMeta& meta) {
    return std::tuple(meta.creation_time.value_or(TimePoint{}), meta.uid);
  };
  const api::EdgeCertificate* oldest = &object;
  const auto all = world.certificates.list(object.meta.ns);
  for (const auto& other : all) {
    if (other->broken || other->meta.deleting() || other->spec.edge_ref != object.spec.edge_ref) continue;
    if (age(other->meta) < age(oldest->meta)) oldest = other.get();
  }
  return oldest->meta.uid == object.meta.uid ? std::string{} : oldest->meta.name;
}

void find_references(const World& world, Observation& o) {
  const auto& [meta, spec] = std::tie(o.object.meta, o.object.spec);
  o.edge = world.edges.get({meta.ns, spec.edge_ref.name});
  if (o.edge) o.connection = world.connections.get({meta.ns, o.edge->spec.connection_ref.name});
  if (spec.issuer_ref) o.issuer = world.issuers.get({meta.ns, spec.issuer_ref->name});
  o.policy = world.policies.get({meta.ns, spec.policy_ref ? spec.policy_ref->name : std::string(kDefaultPolicy)});
  o.edge_holder = holder_of(world, o.object);
}

// Metadata of our Secrets: the cache's, with what this process made or removed and the watch has not brought yet.
std::vector<api::ObjectMeta> own_secrets(const World& world, const api::EdgeCertificate& object, Notes& notes) {
  std::vector<api::ObjectMeta> secrets =
      world.secrets.list(object.meta.ns, std::string(kCertificateLabel), label_value(object.meta.name));
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

// Reads both Secrets of a revision once and judges them; immutable Secrets never change, so the facts hold for their
// uid.
Result<SecretFacts> judge_bundle(const World& world, const api::EdgeCertificate& object, const api::ObjectMeta& bundle,
                                 const api::ObjectMeta* key, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const ports::SecretObject secret, world.secrets.read(bundle.key(), stop));
  SecretFacts facts{.resource_version = bundle.resource_version};
  const std::string chain = text_of(secret, kTlsCrt);
  auto inspected = world.pki.inspect(chain);
  if (!inspected) {
    facts.defect = within("Secret " + bundle.name, inspected.error());
    return facts;
  }
  facts.chain = *inspected;
  facts.fingerprint = inspected->fingerprint_sha256;
  if (key == nullptr) {
    facts.defect = Error{.kind = ErrorKind::kInvalid, .what = "its key is lost"};
    return facts;
  }
  EDGETRUST_TRY_ASSIGN(const ports::SecretObject key_secret, world.secrets.read(key->key(), stop));
  const auto pem = key_secret.data.find(kTlsKey);
  if (pem == key_secret.data.end()) {
    facts.defect = Error{.kind = ErrorKind::kInvalid, .what = "Secret " + key->name + " has no " + kTlsKey};
    return facts;
  }
  EDGETRUST_TRY_ASSIGN(const ports::ChainRequirements required, requirements(world, object, stop));
  if (const Status fit = world.pki.check(chain, pem->second, required); !fit) facts.defect = fit.error();
  return facts;
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
    if (bundle != nullptr) {
      auto known = notes.facts.find(bundle->uid);
      if (known == notes.facts.end()) {
        EDGETRUST_TRY_ASSIGN(SecretFacts facts, judge_bundle(world, o.object, *bundle, key, stop));
        known = notes.facts.emplace(bundle->uid, std::move(facts)).first;
      }
      revision.chain = known->second.chain;
      revision.defect = known->second.defect;
    }
    o.revisions.emplace(number, std::move(revision));
  }
  return {};
}

// The leaf in secretName, as our own metadata of it tells; read again when someone changed it.
Status find_serving(const World& world, const std::vector<api::ObjectMeta>& secrets, Observation& o, Notes& notes,
                    std::stop_token stop) {
  o.serving_secret_foreign = notes.serving_secret_foreign;
  const auto found = std::ranges::find(secrets, api::serving_secret_name(o.object), &api::ObjectMeta::name);
  if (found == secrets.end()) return {};
  SecretFacts& facts = notes.facts[found->uid];
  if (facts.resource_version != found->resource_version) {
    const auto secret = world.secrets.read(found->key(), stop);
    if (!secret && secret.error().kind == ErrorKind::kNotFound) return {};
    if (!secret) return tl::unexpected(secret.error());
    const auto chain = world.pki.inspect(text_of(*secret, kTlsCrt));
    const auto key = secret->data.find(kTlsKey);
    const auto hash =
        key == secret->data.end() ? Result<std::string>(std::string{}) : world.pki.public_key_sha256(key->second);
    const bool whole = chain && hash && *hash == chain->public_key_sha256;
    facts = {.resource_version = found->resource_version,
             .fingerprint = whole ? chain->fingerprint_sha256 : std::string{}};
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
  const auto chain = world.pki.inspect(text_of(*secret, kTlsCrt));
  const auto pem = secret->data.find(kTlsKey);
  if (!chain) {
    o.import->defect = within(kTlsCrt, chain.error());
  } else if (pem == secret->data.end()) {
    o.import->defect = Error{.kind = ErrorKind::kInvalid, .what = std::string("it has no ") + kTlsKey};
  } else if (const auto hash = world.pki.public_key_sha256(pem->second); !hash) {
    o.import->defect = within(kTlsKey, hash.error());
  } else if (*hash != chain->public_key_sha256) {
    o.import->defect = Error{.kind = ErrorKind::kInvalid, .what = "its key does not belong to its certificate"};
  } else {
    o.import->chain = *chain;
  }
  return {};
}

}  // namespace

Result<ports::ChainRequirements> requirements(const World& world, const api::EdgeCertificate& object,
                                              std::stop_token stop) {
  const auto& usages = object.spec.required_usages;
  ports::ChainRequirements required{
      .names = {object.spec.common_name, object.spec.dns_names, object.spec.ip_addresses},
      .server_auth = usages.empty() || std::ranges::find(usages, api::Usage::kServerAuth) != usages.end(),
      .client_auth = std::ranges::find(usages, api::Usage::kClientAuth) != usages.end(),
      .at = world.clock.now()};
  if (!object.spec.issuer_ref) return required;
  const auto issuer = world.issuers.get({object.meta.ns, object.spec.issuer_ref->name});
  if (issuer && issuer->spec.ca_bundle_ref) {
    // A private CA. Its bundle is for its server's own certificate, and need not hold the root that issues.
    required.require_known_root = false;
    EDGETRUST_TRY_ASSIGN(required.roots_pem,
                         world.secrets.read_bundle(object.meta.ns, *issuer->spec.ca_bundle_ref, stop));
  }
  return required;
}

Result<Observation> observe(const World& world, std::shared_ptr<const api::EdgeCertificate> object, Notes& notes,
                            std::stop_token stop) {
  Observation o{.now = world.clock.now(), .object = *object};
  if (!o.object.broken) {
    find_references(world, o);
    const auto secrets = own_secrets(world, o.object, notes);
    EDGETRUST_TRY(find_revisions(world, secrets, o, notes, stop));
    EDGETRUST_TRY(find_serving(world, secrets, o, notes, stop));
    EDGETRUST_TRY(find_import(world, o, stop));
  }
  o.look = notes.look;
  o.health = notes.health;
  o.key_made = notes.key_made;
  o.new_order_url = notes.new_order_url;
  o.order = notes.order;
  o.presented = notes.presented;
  o.removed = notes.removed;
  o.records = notes.records;
  o.answered = notes.answered;
  o.pushed = notes.pushed;
  o.failure = notes.failure;
  return o;
}

}  // namespace edgetrust::reconcile
