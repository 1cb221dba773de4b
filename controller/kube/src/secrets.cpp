#include "edgetrust/kube/secrets.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"
#include "meta.hpp"

namespace edgetrust::kube {
namespace {

// Kubernetes' own rule for keys (validation.IsConfigMapKey).
bool is_data_key(std::string_view key) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  return !key.empty() && key.size() <= 253 && key != "." && key != ".." &&
         key.find_first_not_of(kAlphabet) == std::string_view::npos;
}

json::Value labels_of(const api::ObjectMeta& meta) {
  json::Value value = json::Value::object();
  if (!meta.labels.empty()) value["labels"] = meta.labels;
  if (!meta.annotations.empty()) value["annotations"] = meta.annotations;
  return value;
}

json::Value new_meta(const api::ObjectMeta& meta) {
  json::Value value = labels_of(meta);
  value["name"] = meta.name;
  value["namespace"] = meta.ns;
  if (!meta.finalizers.empty()) value["finalizers"] = meta.finalizers;
  for (const auto& owner : meta.owner_references) {
    value["ownerReferences"].push_back(
        {{"apiVersion", owner.api_version}, {"kind", owner.kind}, {"name", owner.name}, {"uid", owner.uid}});
  }
  return value;
}

// `object` with its data put in last, as text: a JSON value would leave copies of it in memory. Neither keys nor base64
// need escapes.
Result<std::string> with_data(const json::Value& object, const SecretObject& secret,
                              const std::vector<std::string>& removed_keys = {}) {
  std::string text = json::dump(object);
  text.pop_back();
  std::size_t size = text.size() + 16;
  for (const auto& [key, bytes] : secret.data) size += key.size() + 2 * bytes.size() + 16;
  for (const auto& key : removed_keys) size += key.size() + 16;
  text.reserve(size);  // growing would leave copies too
  text += ",\"data\":{";
  const auto begin = [&](const std::string& key) -> Status {
    if (!is_data_key(key)) {
      return fail(ErrorKind::kInvalid, "a Secret cannot have the key \"" + printable(key, 100) + "\"");
    }
    if (text.back() != '{') text += ',';
    text += '"';
    text += key;
    text += "\":";
    return {};
  };
  for (const auto& [key, bytes] : secret.data) {
    EDGETRUST_TRY(begin(key));
    text += '"';
    text += secret_to_base64(bytes).expose();
    text += '"';
  }
  for (const auto& key : removed_keys) {
    if (secret.data.contains(key)) continue;
    EDGETRUST_TRY(begin(key));
    text += "null";
  }
  text += "}}";
  return text;
}

Result<std::string> new_secret(const SecretObject& secret) {
  json::Value object{
      {"apiVersion", "v1"}, {"kind", "Secret"}, {"type", secret.type}, {"metadata", new_meta(secret.meta)}};
  if (secret.immutable) object["immutable"] = true;
  return with_data(object, secret);
}

Result<std::string> changed_secret(const SecretObject& secret, const std::vector<std::string>& removed_keys) {
  json::Value meta = labels_of(secret.meta);
  meta["resourceVersion"] = secret.meta.resource_version;
  json::Value object{{"metadata", std::move(meta)}};
  if (secret.immutable) object["immutable"] = true;
  return with_data(object, secret, removed_keys);
}

Result<SecretObject> from_json(json::View object) {
  SecretObject secret;
  secret.meta = read_meta(object);
  secret.type = object["type"].string_or("Opaque");
  secret.immutable = object["immutable"].boolean().value_or(false);
  Status status;
  object["data"].for_each_member([&](std::string_view key, json::View value) {
    auto bytes = secret_from_base64(value.string().value_or(""));
    if (!bytes) {
      status = fail(within("Secret " + secret.meta.key().to_string() + ": " + printable(key, 100), bytes.error()));
      return false;
    }
    secret.data.emplace(key, std::move(*bytes));
    return true;
  });
  EDGETRUST_TRY(status);
  return secret;
}

}  // namespace

Result<SecretObject> SecretClient::read(const api::ObjectKey& key, const Call& call) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, client_.get(secrets(), key.ns, key.name, call));
  return from_json(document.root());
}

Result<api::ObjectMeta> SecretClient::create(const SecretObject& secret, const Call& call) {
  EDGETRUST_TRY_ASSIGN(std::string body, new_secret(secret));
  EDGETRUST_TRY_ASSIGN(const json::Document stored, client_.create(secrets(), secret.meta.ns, std::move(body), call));
  return read_meta(stored.root());
}

Result<api::ObjectMeta> SecretClient::update(const SecretObject& secret, const std::vector<std::string>& removed_keys,
                                             const Call& call) {
  if (secret.meta.resource_version.empty()) {
    return fail(ErrorKind::kInternal, "an update without a resourceVersion would overwrite another's change");
  }
  EDGETRUST_TRY_ASSIGN(std::string body, changed_secret(secret, removed_keys));
  EDGETRUST_TRY_ASSIGN(const json::Document stored,
                       client_.patch(secrets(), secret.meta.ns, secret.meta.name,
                                     {.type = PatchType::kMerge, .body = std::move(body)}, call));
  return read_meta(stored.root());
}

Status SecretClient::remove(const api::ObjectMeta& meta, const Call& call) {
  if (meta.uid.empty() || meta.resource_version.empty()) {
    return fail(ErrorKind::kInternal, "a delete without uid and resourceVersion could hit another object");
  }
  Status removed =
      client_.remove(secrets(), meta.ns, meta.name, {.uid = meta.uid, .resource_version = meta.resource_version}, call);
  if (!removed && removed.error().kind == ErrorKind::kNotFound) return {};
  return removed;
}

Result<std::vector<api::ObjectMeta>> SecretClient::list(const std::string& ns, const std::string& label_selector,
                                                        const Call& call) {
  std::vector<api::ObjectMeta> all;
  const auto visit = [&](json::View object) { all.push_back(read_meta(object)); };
  EDGETRUST_TRY(client_.list_all(secret_metadata(ns, label_selector), visit, call));
  return all;
}

Selection secret_metadata(std::string ns, std::string label_selector) {
  return {.resource = secrets(),
          .ns = std::move(ns),
          .labels = std::move(label_selector),
          .fields = {},
          .metadata_only = true};
}

}  // namespace edgetrust::kube
