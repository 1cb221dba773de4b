#pragma once
// Field lists of PinPolicy.
#include "edgetrust/api/pin_policy.hpp"
#include "fields/common.hpp"
#include "fields/edge.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::PinMode> {
  static constexpr std::array<std::pair<api::PinMode, std::string_view>, 3> kNames = {
      {{api::PinMode::kDisabled, "Disabled"},
       {api::PinMode::kReportOnly, "ReportOnly"},
       {api::PinMode::kEnforce, "Enforce"}}};
};
template <>
struct EnumNames<api::PinVantage> {
  static constexpr std::array<std::pair<api::PinVantage, std::string_view>, 2> kNames = {
      {{api::PinVantage::kOperator, "Operator"}, {api::PinVantage::kEdge, "Edge"}}};
};
template <>
struct EnumNames<api::PinType> {
  static constexpr std::array<std::pair<api::PinType, std::string_view>, 2> kNames = {
      {{api::PinType::kCertificate, "Certificate"}, {api::PinType::kPublicKey, "PublicKey"}}};
};
template <>
struct EnumNames<api::PinMatch> {
  static constexpr std::array<std::pair<api::PinMatch, std::string_view>, 2> kNames = {
      {{api::PinMatch::kLeaf, "Leaf"}, {api::PinMatch::kAnyInChain, "AnyInChain"}}};
};
template <>
struct EnumNames<api::PinPreset> {
  static constexpr std::array<std::pair<api::PinPreset, std::string_view>, 2> kNames = {
      {{api::PinPreset::kNone, "None"}, {api::PinPreset::kAmazonTrustServices, "AmazonTrustServices"}}};
};
template <>
struct EnumNames<api::PinSource> {
  static constexpr std::array<std::pair<api::PinSource, std::string_view>, 2> kNames = {
      {{api::PinSource::kStatus, "Status"}, {api::PinSource::kHandshake, "Handshake"}}};
};
template <>
struct EnumNames<api::PinnedService> {
  static constexpr std::array<std::pair<api::PinnedService, std::string_view>, 1> kNames = {
      {{api::PinnedService::kPurecloudEdge, "purecloud-edge"}}};
};
template <>
struct EnumNames<api::ServiceRestart> {
  static constexpr std::array<std::pair<api::ServiceRestart, std::string_view>, 2> kNames = {
      {{api::ServiceRestart::kGraceful, "Graceful"}, {api::ServiceRestart::kImmediate, "Immediate"}}};
};
template <>
struct EnumNames<api::PinDeletionPolicy> {
  static constexpr std::array<std::pair<api::PinDeletionPolicy, std::string_view>, 2> kNames = {
      {{api::PinDeletionPolicy::kDisable, "Disable"}, {api::PinDeletionPolicy::kKeep, "Keep"}}};
};
template <>
struct EnumNames<api::PinOrigin> {
  static constexpr std::array<std::pair<api::PinOrigin, std::string_view>, 5> kNames = {
      {{api::PinOrigin::kStatic, "Static"},
       {api::PinOrigin::kNext, "Next"},
       {api::PinOrigin::kPreset, "Preset"},
       {api::PinOrigin::kStatus, "Status"},
       {api::PinOrigin::kHandshake, "Handshake"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// A field a line, with all that is said of it.
// clang-format off
// Lengths of a hash as they are written: with colons, as base64, and as bare hexadecimal, which is refused in any length.
inline constexpr std::string_view kNoMd5 = R"(self.all(p, !p.matches('^([0-9A-Fa-f]{2}:){15}[0-9A-Fa-f]{2}$|^[0-9A-Fa-f]{32}$|^[0-9A-Za-z+/]{22}==$')))";
inline constexpr std::string_view kNoSha1 = R"(self.all(p, !p.matches('^([0-9A-Fa-f]{2}:){19}[0-9A-Fa-f]{2}$|^[0-9A-Fa-f]{40}$|^[0-9A-Za-z+/]{27}=$')))";
inline constexpr std::string_view kSha256OrNamed = R"(self.all(p, p.matches('^([0-9A-Fa-f]{2}:)*[0-9A-Fa-f]{2}$') ? p.size() in [47, 59, 95] : p.matches('^[0-9A-Fa-f]{32}$|^[0-9A-Fa-f]{40}$|^[0-9A-Za-z+/]{22}==$|^[0-9A-Za-z+/]{27}=$|^[0-9A-Za-z+/]{42}[AEIMQUYcgkosw048]=$')))";
inline constexpr std::string_view kMd5Message = "a pin of 16 octets is an MD5 hash: a pin is a SHA-256 hash, 32 octets";
inline constexpr std::string_view kSha1Message = "a pin of 20 octets is a SHA-1 hash, also where it is called SHA256: a pin is a SHA-256 hash, 32 octets";
inline constexpr std::string_view kSha256Message = "a pin is 32 octets, as colon hex (1A:2B:…) or base64";

template <class V>
void fields(V& v, PinEndpoint& endpoint) {
  using namespace json;
  v("host", endpoint.host, required, min_length(1), max_length(253), pattern(kHostNamePattern), doc("Host that the Edges talk to in the cloud, e.g. api.mypurecloud.ie."));
  v("port", endpoint.port, minimum(1), maximum(65535), preset("443"), doc("Its port."));
  v("serverName", endpoint.server_name, max_length(253), pattern(kHostNamePattern), doc("Name sent in SNI, which the certificate must cover. Default: the host."));
  v("caBundleRef", endpoint.ca_bundle_ref, doc("The only roots that its chain may lead to. Default: the public ones."));
}

template <class V>
void fields(V& v, PinsSpec& pins) {
  using namespace json;
  v("type", pins.type, doc("What is hashed. Certificate: the whole DER certificate, as the guide does; it changes with each certificate. PublicKey: the DER SubjectPublicKeyInfo; it stays while the key does. Default Certificate."));
  v("match", pins.match, doc("Which certificate must match. Leaf: the endpoint's own. AnyInChain: any of the validated chain, its root included; with type PublicKey only. Default Leaf."));
  v("static", pins.static_pins, max_items(32), item_max_length(128), rule(kNoMd5, kMd5Message), rule(kNoSha1, kSha1Message), rule(kSha256OrNamed, kSha256Message), doc("Pins that are accepted because this says so: 32 octets each, as colon hex or base64."));
  v("next", pins.next, max_items(32), item_max_length(128), rule(kNoMd5, kMd5Message), rule(kNoSha1, kSha1Message), rule(kSha256OrNamed, kSha256Message), doc("Announced pins, accepted beside the current one from now on: 32 octets each, as colon hex or base64."));
  v("preset", pins.preset, doc("AmazonTrustServices: the public keys of the five roots of Amazon Trust Services are accepted. Default None."));
  v("requireBackup", pins.require_backup, doc("Enforce only: at least one accepted pin must not be the served leaf's. Default true."));
  v.rule("!has(self.match) || self.match != 'AnyInChain' || (has(self.type) && self.type == 'PublicKey')",
         "match AnyInChain needs type PublicKey: the certificates of a chain change too often to be pinned");
  v.rule("!has(self.preset) || self.preset == 'None' || (has(self.match) && self.match == 'AnyInChain')",
         "preset AmazonTrustServices needs match AnyInChain: it pins roots, and no leaf is a root");
}

template <class V>
void fields(V& v, PinRotation& rotation) {
  using namespace json;
  v("allow", rotation.allow, doc("Whether a change of what the endpoint presents is followed. false: it is only reported. Default true."));
  v("sources", rotation.sources, max_items(2), doc("Which changes are followed. Status: those that the endpoint announces at /api/v1/security/status, over a connection that is pinned already. Handshake: those that nobody announced, once enough vantages confirm them. Default both."));
  v("confirmations", rotation.confirmations, minimum(1), maximum(16), doc("How many must agree on a leaf, each by a chain that validates, before it is accepted: the operator, each Edge that observes, and a pin declared in static or next. Default 2."));
  v("interval", rotation.interval, doc("How often the endpoint and the Edges are looked at. Default 5m."));
  v("overlap", rotation.overlap, doc("How long a pin that is no longer served stays accepted. Default 72h."));
  v.rule("!has(self.interval) || (duration(self.interval) >= duration('30s') && duration(self.interval) <= duration('24h'))", "rotation.interval must be from 30s to 24h");
  v.rule("!has(self.overlap) || duration(self.overlap) <= duration('8760h')", "rotation.overlap must be at most 8760h");
}

template <class V>
void fields(V& v, PinTls& tls) {
  using namespace json;
  v("minVersion", tls.min_version, doc("The oldest TLS version that the Edge may use. Default TLS1.2."));
  v("cipherSuites", tls.cipher_suites, max_items(16), item_max_length(64), item_pattern("^[A-Z][A-Z0-9]*([-_][A-Z0-9]+)*$"), doc("Cipher suites that the Edge may use, by OpenSSL's names; those of TLS 1.3 begin with TLS_, and where none of a version is named OpenSSL's own are meant. Nothing is enforced that the endpoint would not take. Default the two of the vendor's guide, of TLS 1.2, which need an RSA certificate."));
  v("strictValidation", tls.strict_validation, doc("Whether the Edge also validates chain, name and dates. Default true."));
}

template <class V>
void fields(V& v, TrustedIntermediary& intermediary) {
  using namespace json;
  v("name", intermediary.name, required, min_length(1), max_length(63), doc("Name of the inspecting proxy, for messages."));
  v("caRef", intermediary.ca_ref, required, doc("The CA that issues what the proxy presents."));
  v("until", intermediary.until, required, doc("When the exception ends by itself."));
}

template <class V>
void fields(V& v, PinClock& clock) {
  using namespace json;
  v("maxOffset", clock.max_offset, doc("The largest offset of an Edge's clock with which its pin file is changed or its service restarted. Default 5s."));
  v("servers", clock.servers, max_items(8), item_max_length(253), item_pattern(kHostNamePattern), doc("Time servers that are put into chrony on the Edge."));
  v.rule("!has(self.maxOffset) || duration(self.maxOffset) > duration('0s')", "clock.maxOffset must be longer than 0s");
}

template <class V>
void fields(V& v, PinService& service) {
  using namespace json;
  v("name", service.name, doc("The service on the Edge that reads the pin file. Default purecloud-edge."));
  v("restart", service.restart, doc("Graceful: in the window and budget of the RotationPolicy, drained as it says. Immediate: at once. Default Graceful."));
}

template <class V>
void fields(V& v, EmergencyOverride& emergency) {
  using namespace json;
  v("disablePinning", emergency.disable_pinning, required, doc("Whether pinning is switched off until then."));
  v("until", emergency.until, required, doc("When the override ends by itself; longer than 72h is alarmed."));
  v("reason", emergency.reason, required, min_length(1), max_length(256), doc("Why, for the audit."));
}

template <class V>
void fields(V& v, PinPolicySpec& spec) {
  using namespace json;
  v("endpoint", spec.endpoint, required, doc("The cloud endpoint whose certificate is pinned."));
  v("edgeSelector", spec.edge_selector, doc("Which Edges it is for, by labels of the Edge objects. An Edge that edges names is selected too. Of two policies for one Edge the older holds it."));
  v("edges", spec.edges, max_items(256), item_max_length(253), item_pattern(kNamePattern), doc("Which Edges it is for, by name."));
  v("mode", spec.mode, preset("\"ReportOnly\""), doc("Disabled: nothing is looked at. ReportOnly: writes nothing to an Edge, and says what it would write. Enforce: keeps the pin file on every Edge right. The vendor does not support pinning, so it reports unless told otherwise."));
  v("observeFrom", spec.observe_from, max_items(2), doc("From where the endpoint is looked at. Operator: from the cluster. Edge: from each Edge, through its SSH server. Default Operator."));
  v("pins", spec.pins, doc("What is accepted."));
  v("rotation", spec.rotation, doc("How a change of what the endpoint presents is followed."));
  v("tls", spec.tls, doc("What the pin file says about TLS."));
  v("logValidationFailures", spec.log_validation_failures, doc("Whether the Edge logs connections that it refused. Default true."));
  v("trustedIntermediaries", spec.trusted_intermediaries, max_items(8), map_key("name"), doc("Inspecting proxies that are accepted until a date: the explicit exception to pinning."));
  v("clock", spec.clock, doc("How right an Edge's clock must be."));
  v("service", spec.service, doc("What is restarted after a change of the file."));
  v("policyRef", spec.policy_ref, doc("The RotationPolicy that restarts wait for. Default: the one named default."));
  v("emergencyOverride", spec.emergency_override, doc("Switches pinning off for a while."));
  v("deletionPolicy", spec.deletion_policy, doc("What happens to the pin file of an Edge that is no longer in Enforce. Disable: it is switched off there, in the window. Keep: it stays, and nobody renews its pins. Default Disable."));
  v.rule("has(self.edgeSelector) || (has(self.edges) && self.edges.size() > 0)", "set edgeSelector, edges or both: an empty edgeSelector selects every Edge");
  v.rule("!has(self.mode) || self.mode != 'Enforce' || !has(self.rotation) || !has(self.rotation.allow) || self.rotation.allow || (has(self.pins) && ((has(self.pins.next) && self.pins.next.size() > 0) || (has(self.pins.static) && self.pins.static.size() > 0) || (has(self.pins.preset) && self.pins.preset != 'None')))",
         "mode Enforce with rotation.allow false needs pins.next or a backup in pins.static or pins.preset: the next change of the endpoint's certificate would lock every Edge out");
}

template <class V>
void fields(V& v, ObservedPin& pin) {
  using namespace json;
  v("fingerprint", pin.fingerprint, required, doc("SHA-256, as colon hex."));
  v("type", pin.type, required, doc("What is hashed: Certificate or PublicKey."));
  v("issuer", pin.issuer, doc("Who issued the leaf."));
  v("root", pin.root, doc("Root of the chain; empty when it does not validate."));
  v("notAfter", pin.not_after, doc("When the leaf expires."));
  v("source", pin.source, required, doc("Handshake: it was presented. Status: the endpoint announces it."));
  v("vantage", pin.vantage, required, doc("Who saw it: Operator, or the name of an Edge."));
  v("at", pin.at, doc("When it was first seen there."));
}

template <class V>
void fields(V& v, AcceptedPin& pin) {
  using namespace json;
  v("fingerprint", pin.fingerprint, required, doc("SHA-256, as colon hex."));
  v("type", pin.type, required, doc("What is hashed: Certificate or PublicKey."));
  v("origin", pin.origin, required, doc("Why it is accepted: Static, Next, Preset, Status or Handshake."));
  v("certificate", pin.certificate, doc("Of a public key: the certificate hash of the leaf that it was seen in."));
  v("since", pin.since, doc("Since when it is accepted."));
  v("until", pin.until, doc("Until when it stays accepted, once it is no longer served."));
}

template <class V>
void fields(V& v, PinSummary& summary) {
  using namespace json;
  v("total", summary.total, doc("Edges that are selected."));
  v("matched", summary.matched, doc("Those that are right."));
  v("drifted", summary.drifted, doc("Those whose file is another one."));
  v("intercepted", summary.intercepted, doc("Those that are presented a foreign chain."));
  v("blocked", summary.blocked, doc("Those that wait for a person."));
  v("unreachable", summary.unreachable, doc("Those whose SSH server does not answer."));
  v("notObserved", summary.not_observed, doc("Those of which nobody knows."));
  v("changing", summary.changing, doc("Those that get a new file."));
  v("rolledBack", summary.rolled_back, doc("Those that have their previous file back."));
  v("refusing", summary.refusing, doc("Those whose file refuses what they are presented."));
}

template <class V>
void fields(V& v, UnmatchedEdge& edge) {
  using namespace json;
  v("name", edge.name, required, max_length(253), doc("Name of the Edge."));
  v("state", edge.state, required, doc("Its state."));
  v("message", edge.message, doc("Why."));
}

template <class V>
void fields(V& v, PinPolicyStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready, PinsCurrent, HandshakeValid, Intercepted, ClockInSync, OverrideActive."));
  v("observed", status.observed, max_items(16), doc("What the endpoint presents and announces."));
  v("current", status.current, max_items(80), doc("Pins that are accepted."));
  v("next", status.next, max_items(40), doc("Announced pins, accepted ahead."));
  v("summary", status.summary, doc("How many Edges are in which state."));
  v("matchedOfTotal", status.matched_of_total, doc("The EDGES column."));
  v("pins", status.pins, doc("The PINS column: how many pins are accepted, and how many of them are announced."));
  v("override", status.override_text, doc("The OVERRIDE column: until when pinning is switched off."));
  v("notMatched", status.not_matched, max_items(50), doc("Edges that are not right, at most 50; each Edge's own state is in its status.pins."));
}
// clang-format on

}  // namespace edgetrust::api
