#pragma once
// Field lists of EdgeCertificate.
#include "edgetrust/api/edge_certificate.hpp"
#include "fields/common.hpp"
#include "fields/rotation_policy.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::KeyAlgorithm> {
  static constexpr std::array<std::pair<api::KeyAlgorithm, std::string_view>, 2> kNames = {
      {{api::KeyAlgorithm::kRsa, "RSA"}, {api::KeyAlgorithm::kEcdsa, "ECDSA"}}};
};
template <>
struct EnumNames<api::KeyRotation> {
  static constexpr std::array<std::pair<api::KeyRotation, std::string_view>, 2> kNames = {
      {{api::KeyRotation::kAlways, "Always"}, {api::KeyRotation::kNever, "Never"}}};
};
template <>
struct EnumNames<api::Usage> {
  static constexpr std::array<std::pair<api::Usage, std::string_view>, 2> kNames = {
      {{api::Usage::kServerAuth, "ServerAuth"}, {api::Usage::kClientAuth, "ClientAuth"}}};
};
template <>
struct EnumNames<api::ForeignCertificate> {
  static constexpr std::array<std::pair<api::ForeignCertificate, std::string_view>, 3> kNames = {
      {{api::ForeignCertificate::kHold, "Hold"},
       {api::ForeignCertificate::kReplace, "Replace"},
       {api::ForeignCertificate::kReplaceNearExpiry, "ReplaceNearExpiry"}}};
};
template <>
struct EnumNames<api::DeletionPolicy> {
  static constexpr std::array<std::pair<api::DeletionPolicy, std::string_view>, 2> kNames = {
      {{api::DeletionPolicy::kRetain, "Retain"}, {api::DeletionPolicy::kDelete, "Delete"}}};
};
template <>
struct EnumNames<api::Phase> {
  static constexpr std::array<std::pair<api::Phase, std::string_view>, 12> kNames = {
      {{api::Phase::kPending, "Pending"},
       {api::Phase::kIssuing, "Issuing"},
       {api::Phase::kWaiting, "Waiting"},
       {api::Phase::kAwaitingApproval, "AwaitingApproval"},
       {api::Phase::kDraining, "Draining"},
       {api::Phase::kDelivering, "Delivering"},
       {api::Phase::kObserving, "Observing"},
       {api::Phase::kRollingBack, "RollingBack"},
       {api::Phase::kReady, "Ready"},
       {api::Phase::kRolledBack, "RolledBack"},
       {api::Phase::kHeld, "Held"},
       {api::Phase::kFailed, "Failed"}}};
};
template <>
struct EnumNames<api::RevisionResult> {
  static constexpr std::array<std::pair<api::RevisionResult, std::string_view>, 5> kNames = {
      {{api::RevisionResult::kActive, "Active"},
       {api::RevisionResult::kSuperseded, "Superseded"},
       {api::RevisionResult::kRolledBack, "RolledBack"},
       {api::RevisionResult::kRejected, "Rejected"},
       {api::RevisionResult::kAdopted, "Adopted"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// A field a line, with all that is said of it.
// clang-format off
template <class V>
void fields(V& v, IssuerRef& ref) {
  using namespace json;
  v("kind", ref.kind, max_length(63), rule("self == 'AcmeIssuer'", "issuerRef.kind must be AcmeIssuer"), doc("Kind of the issuer: AcmeIssuer, which is the default."));
  v("name", ref.name, required, min_length(1), max_length(253), pattern(kNamePattern), doc("Name of the issuer, in the same namespace."));
}

template <class V>
void fields(V& v, Fallback& fallback) {
  using namespace json;
  v("issuerRef", fallback.issuer_ref, required, doc("The second issuer."));
  v("whenRemaining", fallback.when_remaining, required, doc("How close to expiry it is used, after failures of the first. An Edge without a certificate of ours is as close as can be."));
}

template <class V>
void fields(V& v, PrivateKeySpec& key) {
  using namespace json;
  v("algorithm", key.algorithm, doc("RSA or ECDSA. Edges and SBCs are only known to take RSA. Default RSA."));
  v("size", key.size, minimum(256), maximum(4096), doc("RSA: 2048, 3072 or 4096 bits, default 2048. ECDSA: 256 or 384, default 256."));
  v("rotationPolicy", key.rotation_policy, doc("Always: each revision has a new key. Never: the key is kept. Default Always."));
  v.rule("!has(self.size) || (!has(self.algorithm) || self.algorithm == 'RSA' ? self.size in [2048, 3072, 4096] : self.size in [256, 384])",
         "privateKey.size must be 2048, 3072 or 4096 for RSA, and 256 or 384 for ECDSA");
}

template <class V>
void fields(V& v, Adoption& adoption) {
  using namespace json;
  v("onForeignCertificate", adoption.on_foreign_certificate, doc("What to do when the Edge serves a certificate that is not ours. Hold: nothing, and say so. Replace: replace it in the next window. ReplaceNearExpiry: replace it when it is due. Default Hold."));
  v("importFrom", adoption.import_from, doc("A kubernetes.io/tls Secret with what the Edge serves now: it becomes revision 0, which a rollback returns to."));
}

template <class V>
void fields(V& v, EdgeCertificateSpec& spec) {
  using namespace json;
  v("edgeRef", spec.edge_ref, required, immutable("edgeRef is immutable: make a new EdgeCertificate for another Edge"), doc("The Edge that serves this certificate. Immutable; one EdgeCertificate an Edge."));
  v("issuerRef", spec.issuer_ref, doc("Who issues it."));
  v("fallback", spec.fallback, doc("A second issuer: asked after failures of the first, when whenRemaining is reached. The next renewal is the first one's again."));
  v("sourceSecretRef", spec.source_secret_ref, doc("A kubernetes.io/tls Secret that someone else renews, delivered with the same care: each new certificate in it becomes the next revision. It must cover sip.host of the Edge where that is a name, and the names given here."));
  v("dnsNames", spec.dns_names, max_items(100), item_max_length(253), item_pattern(kDnsNamePattern), doc("DNS names in the certificate, lower case. A leading *. makes a wildcard. Beside sourceSecretRef: names that the certificate found there must cover."));
  v("ipAddresses", spec.ip_addresses, max_items(20), item_max_length(45), item_pattern(kAddressPattern), doc("IP addresses in the certificate, lower case, for CAs that allow them. Only an http01 solver of the issuer proves an address."));
  v("commonName", spec.common_name, max_length(64), doc("Common name to ask for; must be among dnsNames. Leave it empty unless a peer needs it."));
  v("privateKey", spec.private_key, doc("The private key. Default: RSA 2048, a new one each time."));
  v("requiredUsages", spec.required_usages, max_items(2), doc("Extended key usages without which the certificate is refused before any push. Default ServerAuth."));
  v("renewBefore", spec.renew_before, doc("How long before expiry to renew. Default: 30 days, or a third of a shorter lifetime; always less than half the real lifetime. The CA may ask for it sooner (useAri of the AcmeIssuer)."));
  v("secretName", spec.secret_name, max_length(253), pattern(kNamePattern), doc("Secret that holds the certificate which the Edge serves now: tls.crt, tls.key. Default <name>-tls."));
  v("revisionHistoryLimit", spec.revision_history_limit, minimum(2), maximum(10), doc("How many revisions are kept as Secrets. Default 3."));
  v("adoption", spec.adoption, doc("What happens with a certificate that is on the Edge already."));
  v("policyRef", spec.policy_ref, doc("The RotationPolicy. Default: the one named default, if there is one."));
  v("rotation", spec.rotation, doc("Fields of the RotationPolicy for this Edge alone; what is set here wins."));
  v("deletionPolicy", spec.deletion_policy, doc("Retain: the Secrets stay when this object is deleted. Delete: they go with it. Default Retain."));
  v("suspend", spec.suspend, doc("true: nothing is begun until it is false again. A delivery that has begun is taken to its end, or rolled back."));
  v.rule("has(self.issuerRef) != has(self.sourceSecretRef)", "set exactly one of issuerRef and sourceSecretRef");
  v.rule("has(self.sourceSecretRef) || (has(self.dnsNames) && self.dnsNames.size() > 0) || (has(self.ipAddresses) && self.ipAddresses.size() > 0)", "dnsNames needs at least one name");
  v.rule("(has(self.dnsNames) ? self.dnsNames.size() : 0) + (has(self.ipAddresses) ? self.ipAddresses.size() : 0) <= 100", "dnsNames and ipAddresses may have 100 entries together");
  v.rule("!has(self.fallback) || !has(self.issuerRef) || self.fallback.issuerRef.name != self.issuerRef.name",
         "fallback.issuerRef must name another issuer than issuerRef");
  v.rule("!has(self.sourceSecretRef) || !(has(self.fallback) || has(self.privateKey) || has(self.commonName) || has(self.renewBefore))",
         "fallback, privateKey, commonName and renewBefore cannot be set beside sourceSecretRef: someone else issues");
  v.rule("!has(self.commonName) || self.commonName.size() == 0 || (has(self.dnsNames) && self.commonName in self.dnsNames)", "commonName must be one of dnsNames");
  v.rule("!has(self.renewBefore) || duration(self.renewBefore) >= duration('1m')", "renewBefore must be at least 1m");
}

template <class V>
void fields(V& v, TxtRecord& record) {
  using namespace json;
  v("name", record.name, required, doc("Name of the record."));
  v("value", record.value, required, doc("Its value."));
}

template <class V>
void fields(V& v, HttpAnswer& answer) {
  using namespace json;
  v("host", answer.host, required, doc("The name or address that is to be proved."));
  v("token", answer.token, required, doc("Where the CA looks: http://<host>/.well-known/acme-challenge/<token>."));
}

template <class V>
void fields(V& v, AbandonedAuthorization& authorization) {
  using namespace json;
  v("url", authorization.url, required, doc("The authorization at the CA."));
  v("name", authorization.name, required, doc("The name or address that it is about."));
}

template <class V>
void fields(V& v, OrderStatus& order) {
  using namespace json;
  v("revision", order.revision, required, doc("The revision that is ordered."));
  v("issuer", order.issuer, doc("The AcmeIssuer that it is asked of, once another than that of issuerRef was."));
  v("url", order.url, doc("The order at the CA."));
  v("server", order.server, doc("Directory of the CA that has the order."));
  v("expires", order.expires, doc("When the CA forgets it."));
  v("records", order.records, max_items(kMostRecords), doc("TXT records to be removed when the order has ended."));
  v("recordsSince", order.records_since, doc("When the records had been written."));
  v("failures", order.failures, doc("Orders of this revision in a row that came to nothing."));
  v("lastError", order.last_error, max_length(kLongestMessage), doc("Why the last of them came to nothing, for people."));
  v("replacesRefused", order.replaces_refused, doc("Whether the CA refused to take it as the replacement of an earlier certificate: it is asked for as any other."));
  v("abandoned", order.abandoned, max_items(20), doc("Authorizations that an order given up has left pending, to be deactivated."));
  v("httpAnswers", order.http_answers, max_items(100), doc("Where the CA looks for the answers to the http-01 challenges of the order: every operator that watches this object gives them."));
  v("accountThumbprint", order.account_thumbprint, max_length(64), doc("Thumbprint of the account's key (RFC 7638): at each of them the CA finds the token, a dot, and this. No secret: anybody may read it."));
}

template <class V>
void fields(V& v, RevocationStatus& revocation) {
  using namespace json;
  v("revisions", revocation.revisions, max_items(10), doc("Revisions that are still to be revoked."));
  v("reason", revocation.reason, required, doc("Why, as RFC 5280 section 5.3.1 names it."));
}

template <class V>
void fields(V& v, RenewalInfoStatus& info) {
  using namespace json;
  v("revision", info.revision, required, doc("The revision that it is about."));
  v("start", info.start, required, doc("When the window begins that the CA suggests."));
  v("end", info.end, required, doc("When it ends."));
  v("time", info.time, required, doc("When the revision is due by it: a moment of the window, drawn once; not before it was known."));
  v("explanationUrl", info.explanation_url, max_length(512), doc("Where the CA says why."));
}

template <class V>
void fields(V& v, Baseline& baseline) {
  using namespace json;
  v("optionsAnswered", baseline.options_answered, doc("Whether SIP OPTIONS over TLS were answered."));
  v("peers", baseline.peers, max_items(16), doc("The peers that could complete a handshake, by name."));
  v("trunks", baseline.trunks, max_items(32), doc("The trunks that were up, by name."));
}

template <class V>
void fields(V& v, DeliveryStatus& delivery) {
  using namespace json;
  v("revision", delivery.revision, required, doc("The revision that is being delivered."));
  v("fallback", delivery.fallback, required, doc("The revision that a rollback returns to; -1 when there is none."));
  v("portAnswered", delivery.port_answered, doc("Whether the SIP-TLS port completed a handshake before the change; only then is its silence evidence."));
  v("startedAt", delivery.started_at, required, doc("When the delivery began."));
  v("installedAt", delivery.installed_at, doc("When the Edge had taken it; where it was drained, when it was back in service."));
  v("rollingBackSince", delivery.rolling_back_since, doc("When the rollback was decided."));
  v("verdict", delivery.verdict, doc("Why it is rolled back."));
  v("evidence", delivery.evidence, doc("What was seen of the Edge when that was decided."));
  v("baseline", delivery.baseline, doc("What worked right before the push: only that can be missed afterwards."));
}

template <class V>
void fields(V& v, ApprovalStatus& approval) {
  using namespace json;
  v("revision", approval.revision, required, doc("The revision that was approved."));
  v("change", approval.change, doc("The change it was approved under."));
  v("by", approval.by, doc("Who approved it, as the annotation says."));
  v("request", approval.request, doc("The annotation's text."));
  v("at", approval.at, required, doc("When it was first seen."));
}

template <class V>
void fields(V& v, HandledRequests& handled) {
  using namespace json;
  v("renew", handled.renew, doc("Last value of edgetrust.io/renew-requested-at that was acted on."));
  v("rotate", handled.rotate, doc("Last value of edgetrust.io/rotate-requested-at that was acted on."));
  v("rollback", handled.rollback, doc("Last value of edgetrust.io/rollback-requested-at that was acted on."));
  v("revoke", handled.revoke, doc("Last value of edgetrust.io/revoke-requested-at that was acted on."));
}

template <class V>
void fields(V& v, HistoryEntry& entry) {
  using namespace json;
  v("revision", entry.revision, required, doc("The revision."));
  v("serialNumber", entry.serial_number, doc("Serial number of its leaf, hexadecimal."));
  v("fingerprintSha256", entry.fingerprint_sha256, doc("SHA-256 of its leaf, hexadecimal."));
  v("notAfter", entry.not_after, doc("When it expires."));
  v("result", entry.result, required, doc("What became of it."));
  v("at", entry.at, doc("When."));
  v("change", entry.change, doc("The change it was approved under."));
  v("approvedBy", entry.approved_by, doc("Who approved it."));
  v("evidence", entry.evidence, doc("What was seen of the Edge."));
  v("message", entry.message, doc("For people."));
  v("variant", entry.variant, doc("Who issued it, under which root, with what kind of key, and which version of the operator delivered it: what waves tell apart."));
  v("liveSince", entry.live_since, doc("When it was proved on the Edge."));
  v("revoked", entry.revoked, doc("Why it was revoked, as RFC 5280 section 5.3.1 names it."));
}

template <class V>
void fields(V& v, EdgeCertificateStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready, Reconciling or Stalled while true; then Issued, Delivered, EdgeHealthy, RolledBack, RollbackAvailable, Infeasible."));
  v("phase", status.phase, doc("Where the rotation stands."));
  v("revision", status.revision, doc("The revision that the Edge serves."));
  v("serialNumber", status.serial_number, doc("Serial number of its leaf, hexadecimal."));
  v("notBefore", status.not_before, doc("From when it is valid."));
  v("notAfter", status.not_after, doc("Until when it is valid."));
  v("fingerprintSha256", status.fingerprint_sha256, doc("SHA-256 of its leaf, hexadecimal."));
  v("issuer", status.issuer, doc("Who issued it."));
  v("expires", status.expires, doc("Until when it is valid, for people."));
  v("next", status.next, doc("What comes next and when, for people."));
  v("renewalTime", status.renewal_time, doc("When the next revision is due."));
  v("renewalInfo", status.renewal_info, doc("What the CA says of the time of the renewal (RFC 9773)."));
  v("nextWindow", status.next_window, doc("When the next window opens, while it is waited for."));
  v("order", status.order, doc("The order under way."));
  v("revocation", status.revocation, doc("Certificates that are to be revoked, as asked for by annotation."));
  v("delivery", status.delivery, doc("The delivery under way."));
  v("drain", status.drain, doc("The Edge is out of service for a push, or about to be: there until it has been seen in service again."));
  v("slots", status.slots, doc("The slots of the budget that the delivery holds, until they are given back."));
  v("variant", status.variant, doc("What is new about the stored revision, while an earlier wave is waited for."));
  v("approval", status.approval, doc("The last approval that was taken note of."));
  v("failures", status.failures, doc("Revisions in a row that were rolled back or refused."));
  v("nextAttempt", status.next_attempt, doc("When the next try may start."));
  v("handledRequests", status.handled_requests, doc("Requests by annotation that were acted on."));
  v("history", status.history, max_items(10), doc("What became of earlier revisions, newest first."));
}
// clang-format on

}  // namespace edgetrust::api
