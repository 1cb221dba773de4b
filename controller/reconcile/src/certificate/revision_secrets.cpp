#include "certificate/revision_secrets.hpp"

#include "edgetrust/base/random.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <charconv>

namespace edgetrust::reconcile {
namespace {

constexpr std::size_t kLongestLabel = 63;

std::string_view label(const api::ObjectMeta& meta, std::string_view which) {
  const auto found = meta.labels.find(std::string(which));
  return found == meta.labels.end() ? std::string_view{} : std::string_view(found->second);
}

}  // namespace

std::string label_value(const std::string& name) {
  if (name.size() <= kLongestLabel) return name;
  const auto hash = static_cast<std::uint64_t>(stable_fraction(name) * 0x1p53);
  return name.substr(0, 40) + "-" + std::to_string(hash);
}

api::ObjectMeta secret_meta(const api::EdgeCertificate& object, const std::string& secret_name, std::string_view part,
                            std::optional<int> revision) {
  api::ObjectMeta meta;
  meta.ns = object.meta.ns;
  meta.name = secret_name;
  meta.labels = {{std::string(kCertificateLabel), label_value(object.meta.name)},
                 {std::string(kPartLabel), std::string(part)},
                 {std::string(api::kBackupLabel), "true"}};
  if (revision) meta.labels[std::string(kRevisionLabel)] = std::to_string(*revision);
  meta.annotations = {{std::string(kNameAnnotation), object.meta.name}};
  // Retain: no owner, so that the garbage collector leaves the Secrets alone.
  if (object.spec.deletion_policy == api::DeletionPolicy::kDelete) {
    meta.owner_references.push_back({std::string(api::kApiVersion), std::string(api::kKind<api::EdgeCertificate>.kind),
                                     object.meta.name, object.meta.uid});
  }
  return meta;
}

bool is_ours(const api::ObjectMeta& meta, const std::string& certificate_name) {
  return label(meta, kCertificateLabel) == label_value(certificate_name) &&
         meta.annotation(kNameAnnotation) == certificate_name;
}

std::optional<int> revision_of(const api::ObjectMeta& meta) {
  const std::string_view text = label(meta, kRevisionLabel);
  int revision = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || revision < 0) return std::nullopt;
  return revision;
}

std::string_view part_of(const api::ObjectMeta& meta) { return label(meta, kPartLabel); }

std::string asked_for_text(const api::EdgeCertificateSpec& spec) {
  std::vector<std::string> names = spec.dns_names;
  names.insert(names.end(), spec.ip_addresses.begin(), spec.ip_addresses.end());
  return join(names, ",");
}

std::set<std::string> asked_for_of(const api::ObjectMeta& meta) {
  std::set<std::string> names;
  const auto text = meta.annotation(kAskedForAnnotation);
  if (!text) return names;
  for (const auto& name : split(*text, ',')) names.emplace(name);
  names.erase("");
  return names;
}

}  // namespace edgetrust::reconcile
