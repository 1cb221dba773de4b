#pragma once
// Field lists of what the kinds share.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/object.hpp"
#include "edgetrust/json/fields.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::Truth> {
  static constexpr std::array<std::pair<api::Truth, std::string_view>, 3> kNames = {
      {{api::Truth::kTrue, "True"}, {api::Truth::kFalse, "False"}, {api::Truth::kUnknown, "Unknown"}}};
};
template <>
struct EnumNames<api::BundleKind> {
  static constexpr std::array<std::pair<api::BundleKind, std::string_view>, 2> kNames = {
      {{api::BundleKind::kSecret, "Secret"}, {api::BundleKind::kConfigMap, "ConfigMap"}}};
};
template <>
struct EnumNames<api::Day> {
  static constexpr std::array<std::pair<api::Day, std::string_view>, 7> kNames = {{{api::Day::kMon, "Mon"},
                                                                                   {api::Day::kTue, "Tue"},
                                                                                   {api::Day::kWed, "Wed"},
                                                                                   {api::Day::kThu, "Thu"},
                                                                                   {api::Day::kFri, "Fri"},
                                                                                   {api::Day::kSat, "Sat"},
                                                                                   {api::Day::kSun, "Sun"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// A field a line, with all that is said of it.
// clang-format off
inline constexpr std::string_view kNamePattern = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";
inline constexpr std::string_view kSecretKeyPattern = "^[-._a-zA-Z0-9]+$";
inline constexpr std::string_view kDnsNamePattern = R"(^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$)";
// IPv4, or what may be IPv6: whatever is neither would be taken for a name.
inline constexpr std::string_view kAddressPattern = R"(^(((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|[0-9a-f:]*:[0-9a-f:.]*)$)";
// A DNS name, its wildcard, or an address.
inline constexpr std::string_view kIdentifierPattern = R"(^((\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*)$)";
inline constexpr std::string_view kHostNamePattern = R"(^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$)";
inline constexpr std::string_view kHttpsPattern = R"(^https://[^\s/?#@]+(/[^\s?#]*)?$)";
inline constexpr std::string_view kTimeZonePattern = R"(^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$)";

template <class V>
void fields(V& v, LocalRef& ref) {
  using namespace json;
  v("name", ref.name, required, min_length(1), max_length(253), pattern(kNamePattern), doc("Name of the object, in the same namespace."));
}

template <class V>
void fields(V& v, SecretKeyRef& ref) {
  using namespace json;
  v("name", ref.name, required, min_length(1), max_length(253), pattern(kNamePattern), doc("Name of the Secret, in the same namespace."));
  v("key", ref.key, required, min_length(1), max_length(253), pattern(kSecretKeyPattern), doc("Key in the Secret's data."));
}

template <class V>
void fields(V& v, CaBundleRef& ref) {
  using namespace json;
  v("kind", ref.kind, doc("Secret or ConfigMap (trust-manager writes ConfigMaps). Default Secret."));
  v("name", ref.name, required, min_length(1), max_length(253), pattern(kNamePattern), doc("Name of the Secret or ConfigMap, in the same namespace."));
  v("key", ref.key, required, min_length(1), max_length(253), pattern(kSecretKeyPattern), doc("Key whose value is one or more CA certificates in PEM."));
}

template <class V>
void fields(V& v, Window& window) {
  using namespace json;
  v("start", window.start, required, max_length(5), pattern("^([01][0-9]|2[0-3]):[0-5][0-9]$"), doc("When the window opens, HH:MM in the Edge's local time."));
  v("duration", window.duration, required, doc("How long it stays open: less than 24h, or exactly 24h from 00:00. A window belongs to the day it starts on."));
  v("days", window.days, max_items(7), doc("Days on which it opens; every day when empty."));
  v.rule("duration(self.duration) > duration('0s') && (duration(self.duration) < duration('24h') || (self.start == '00:00' && duration(self.duration) == duration('24h')))",
         "a window must be longer than 0s and shorter than 24h, or start at 00:00 and last exactly 24h");
}

template <class V>
void fields(V& v, LabelSelector& selector) {
  using namespace json;
  v("matchLabels", selector.match_labels, max_items(16), item_max_length(63), doc("Labels that an Edge must have, all of them; empty selects every Edge."));
}

template <class V>
void fields(V& v, Condition& condition) {
  using namespace json;
  v("type", condition.type, required, max_length(316), doc("Type of the condition, in CamelCase."));
  v("status", condition.status, required, doc("True, False or Unknown."));
  v("reason", condition.reason, required, max_length(128), doc("Why, as one word from a closed list."));
  v("message", condition.message, required, max_length(kLongestMessage), doc("Why, as a sentence for people; says what to change where that is known."));
  v("observedGeneration", condition.observed_generation, doc("The metadata.generation that this condition is about."));
  v("lastTransitionTime", condition.last_transition_time, required, doc("When status last changed."));
}

template <class V>
void fields(V& v, OwnerReference& owner) {
  using namespace json;
  v("apiVersion", owner.api_version, required);
  v("kind", owner.kind, required);
  v("name", owner.name, required);
  v("uid", owner.uid, required);
}

template <class V>
void fields(V& v, ObjectMeta& meta) {
  v("namespace", meta.ns);
  v("name", meta.name);
  v("uid", meta.uid);
  v("resourceVersion", meta.resource_version);
  v("generation", meta.generation);
  v("creationTimestamp", meta.creation_time);
  v("deletionTimestamp", meta.deletion_time);
  v("labels", meta.labels);
  v("annotations", meta.annotations);
  v("finalizers", meta.finalizers);
  v("ownerReferences", meta.owner_references);
}

template <class V>
void fields(V& v, DrainStatus& drain) {
  using namespace json;
  v("since", drain.since, required, doc("When the Edge was begun to be taken out of service."));
  v("endedAt", drain.ended_at, doc("When the wait for its calls was over, so that the change could begin."));
}

template <class V>
void fields(V& v, SlotsStatus& slots) {
  using namespace json;
  v("revision", slots.revision, required, doc("The revision that they are for; of pins, a number that tells one change from the next."));
  v("names", slots.names, max_items(8), doc("Names of the Leases."));
}
// clang-format on

}  // namespace edgetrust::api
