#pragma once
// Field lists of Edge.
#include "edgetrust/api/edge.hpp"
#include "fields/common.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::SipProbe> {
  static constexpr std::array<std::pair<api::SipProbe, std::string_view>, 3> kNames = {
      {{api::SipProbe::kTls, "TLS"}, {api::SipProbe::kOptions, "Options"}, {api::SipProbe::kNone, "None"}}};
};
template <>
struct EnumNames<api::TlsVersion> {
  static constexpr std::array<std::pair<api::TlsVersion, std::string_view>, 2> kNames = {
      {{api::TlsVersion::kTls12, "TLS1.2"}, {api::TlsVersion::kTls13, "TLS1.3"}}};
};
template <>
struct EnumNames<api::TrunkStateText> {
  static constexpr std::array<std::pair<api::TrunkStateText, std::string_view>, 3> kNames = {
      {{api::TrunkStateText::kUp, "Up"},
       {api::TrunkStateText::kDown, "Down"},
       {api::TrunkStateText::kUnknown, "Unknown"}}};
};
template <>
struct EnumNames<api::EdgePinState> {
  static constexpr std::array<std::pair<api::EdgePinState, std::string_view>, 10> kNames = {
      {{api::EdgePinState::kMatched, "Matched"},
       {api::EdgePinState::kDrifted, "Drifted"},
       {api::EdgePinState::kApplying, "Applying"},
       {api::EdgePinState::kRestarting, "Restarting"},
       {api::EdgePinState::kRolledBack, "RolledBack"},
       {api::EdgePinState::kUnreachable, "Unreachable"},
       {api::EdgePinState::kIntercepted, "Intercepted"},
       {api::EdgePinState::kBlocked, "Blocked"},
       {api::EdgePinState::kRefusing, "Refusing"},
       {api::EdgePinState::kNotObserved, "NotObserved"}}};
};
template <>
struct EnumNames<api::PinStep> {
  static constexpr std::array<std::pair<api::PinStep, std::string_view>, 5> kNames = {
      {{api::PinStep::kInstalling, "Installing"},
       {api::PinStep::kRestarting, "Restarting"},
       {api::PinStep::kProving, "Proving"},
       {api::PinStep::kConfirming, "Confirming"},
       {api::PinStep::kRestoring, "Restoring"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// A field a line, with all that is said of it.
// clang-format off
template <class V>
void fields(V& v, Peer& peer) {
  using namespace json;
  v("name", peer.name, required, min_length(1), max_length(63), doc("Name of the peer, for messages."));
  v("serverName", peer.server_name, max_length(253), pattern(kDnsNamePattern), doc("The name that the peer dials and expects in the certificate. Default: sip.host where that is a name; where it is an address the peer is taken not to look at the name."));
  v("trustBundleRef", peer.trust_bundle_ref, required, doc("The CA certificates that the peer trusts; the self-signed ones among them are its roots, no others count."));
  v("requiresClientAuth", peer.requires_client_auth, doc("Whether the peer demands a certificate that allows client authentication."));
  v("minVersion", peer.min_version, preset("\"TLS1.2\""), doc("The oldest TLS version that the peer accepts."));
}

template <class V>
void fields(V& v, SipEndpoint& sip) {
  using namespace json;
  v("host", sip.host, required, min_length(1), max_length(253), doc("Name or IP address at which the Edge answers SIP over TLS."));
  v("port", sip.port, minimum(1), maximum(65535), preset("5061"), doc("Port of SIP over TLS."));
  v("probe", sip.probe, preset("\"TLS\""), doc("How the operator looks at the port itself. TLS: a handshake. Options: SIP OPTIONS over TLS as well, while a rotation is watched. None: not at all."));
  v("peers", sip.peers, max_items(16), map_key("name"), doc("Who dials in, and what they trust: each is emulated before a push, on the stored chain, and after it by a handshake. One that would refuse the new chain stops the push."));
}

template <class V>
void fields(V& v, SshEndpoint& ssh) {
  using namespace json;
  v("host", ssh.host, required, min_length(1), max_length(253), doc("Name or IP address of the Edge's SSH server."));
  v("port", ssh.port, minimum(1), maximum(65535), preset("22"), doc("Port of the SSH server."));
  v("user", ssh.user, max_length(32), pattern("^[a-z_][a-z0-9_-]*$"), preset("\"root\""), doc("Whom to log in as."));
  v("privateKeyRef", ssh.private_key_ref, required, doc("The private key to log in with."));
  v("hostKeys", ssh.host_keys, required, min_items(1), max_items(8), item_max_length(2048), doc("The host keys that are accepted, as in known_hosts without the host: \"ssh-ed25519 AAAA…\"."));
}

template <class V>
void fields(V& v, EdgeSpec& spec) {
  using namespace json;
  v("connectionRef", spec.connection_ref, required, doc("The GenesysConnection that knows this Edge."));
  v("edgeId", spec.edge_id, required, max_length(36), pattern("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"), immutable("edgeId is immutable: make a new Edge object for another appliance"), doc("The Edge's id in Genesys Cloud, a UUID. Immutable."));
  v("site", spec.site, max_length(128), doc("The failure domain of the Edge. Default: the site that the API reports."));
  v("timeZone", spec.time_zone, max_length(64), pattern(kTimeZonePattern), doc("IANA time zone of the Edge, e.g. America/New_York. Default: the site's, then the connection's; without any no window is computed."));
  v("sip", spec.sip, required, doc("Where the Edge answers SIP over TLS, and who dials in."));
  v("ssh", spec.ssh, doc("How to reach the appliance itself; needed for pins only."));
}

template <class V>
void fields(V& v, ServedCertificate& served) {
  using namespace json;
  v("serialNumber", served.serial_number, doc("Serial number of the leaf, hexadecimal."));
  v("notAfter", served.not_after, doc("When the leaf expires."));
  v("fingerprintSha256", served.fingerprint_sha256, doc("SHA-256 of the leaf, hexadecimal."));
  v("issuer", served.issuer, doc("Who issued the leaf."));
  v("chainComplete", served.chain_complete, doc("Whether the Edge sends more than the leaf alone."));
  v("at", served.at, doc("When this certificate was first seen there."));
}

template <class V>
void fields(V& v, TrunkStatus& trunk) {
  using namespace json;
  v("name", trunk.name, required, doc("Name of the trunk."));
  v("peer", trunk.peer, doc("The far end."));
  v("state", trunk.state, required, doc("Up, Down or Unknown."));
  v("since", trunk.since, doc("Since when."));
  v("error", trunk.error, doc("What the vendor says of it."));
}

template <class V>
void fields(V& v, EdgePinSight& sight) {
  using namespace json;
  v("fingerprint", sight.fingerprint, required, doc("SHA-256 of the leaf, as colon hex."));
  v("publicKey", sight.public_key, doc("SHA-256 of its SubjectPublicKeyInfo, as colon hex."));
  v("issuer", sight.issuer, doc("Who issued the leaf."));
  v("root", sight.root, doc("Root of the chain; empty when it does not validate."));
  v("at", sight.at, doc("When the Edge was first presented this."));
}

template <class V>
void fields(V& v, PinChange& change) {
  using namespace json;
  v("step", change.step, required, doc("Installing, Restarting, Proving, Confirming or Restoring."));
  v("fileSha256", change.file_sha256, required, max_length(64), doc("SHA-256 of the new file, hexadecimal."));
  v("previousSha256", change.previous_sha256, max_length(64), doc("SHA-256 of the file before it; empty when there was none."));
  v("invocation", change.invocation, max_length(32), doc("InvocationID of the service before its restart."));
  v("at", change.at, doc("When the change began."));
  v("online", change.online, doc("Whether the cloud saw the Edge online then: it must see it again."));
  v("replacesRefusing", change.replaces_refusing, doc("Whether the previous file was known to refuse what the endpoint presents: then there is nothing to go back to."));
  v("restartedAt", change.restarted_at, doc("When the service was first seen to have been started with the new file."));
}

template <class V>
void fields(V& v, EdgePins& pins) {
  using namespace json;
  v("policy", pins.policy, required, doc("The PinPolicy that holds for this Edge."));
  v("state", pins.state, required, doc("Matched, Drifted, Applying, Restarting, RolledBack, Unreachable, Intercepted, Blocked, Refusing or NotObserved."));
  v("fileSha256", pins.file_sha256, max_length(64), doc("SHA-256 of the pin file that the Edge was last seen to have, hexadecimal."));
  v("appliedAt", pins.applied_at, doc("When the operator put it there, or first found it there."));
  v("message", pins.message, max_length(kLongestMessage), doc("Why, as a sentence for people."));
  v("observed", pins.observed, doc("What the endpoint presents to the Edge itself."));
  v("change", pins.change, doc("A change of the file that is under way."));
  v("restarts", pins.restarts, max_items(8), doc("Restarts of the service in the last hour."));
  v("rejectedSha256", pins.rejected_sha256, max_length(64), doc("SHA-256 of the file that was rolled back."));
  v("rolledBackAt", pins.rolled_back_at, doc("When that was."));
  v("rejectedUntil", pins.rejected_until, doc("When that file is tried again; absent: never."));
  v("matchedSha256", pins.matched_sha256, max_length(64), doc("SHA-256 of the file that was last seen to be as it should be."));
  v("unconfirmedSha256", pins.unconfirmed_sha256, max_length(64), doc("SHA-256 of a file that the timer on the Edge took back; a second time it counts as rolled back."));
  v("enforced", pins.enforced, doc("Whether a file that pins was put there by the operator, or is about to be. While it is, a finalizer holds the Edge and its PinPolicy."));
  v("machine", pins.machine, max_length(300), doc("Host and port of the machine with that file: spec.ssh as it was then."));
  v("machineId", pins.machine_id, max_length(64), doc("What that machine calls itself: a hash of its /etc/machine-id."));
  v("set", pins.set, max_length(64), doc("What the file says but for the leaf that it names: the same text for the same pins and the same TLS."));
  v("endpoint", pins.endpoint, max_length(600), doc("The endpoint that the pins of the file were last seen to accept, and by which match."));
  v("slots", pins.slots, doc("Slots of the rotation budget that are held for a change."));
  v("drain", pins.drain, doc("The Edge is out of service for a change."));
  v("notBefore", pins.not_before, doc("No change begins before then: the Edge's calls did not end."));
  v("handledRetry", pins.handled_retry, max_length(kLongestMessage), doc("The last value of edgetrust.io/retry-requested-at that was acted on."));
}

template <class V>
void fields(V& v, EdgeStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready, Online, SipHealthy, PeersTrustChain, ClockInSync."));
  v("onlineStatus", status.online_status, doc("The cloud's view of the Edge's connection: ONLINE or OFFLINE."));
  v("edgeStatus", status.edge_status, doc("The guide's status: OK, Warning, Critical or Unknown."));
  v("softwareUpdate", status.software_update, doc("State of a software update."));
  v("serviceState", status.service_state, doc("InService, or OutOfService: nothing is pushed to it then."));
  v("site", status.site, doc("The site that the API reports."));
  v("timeZone", status.time_zone, doc("The time zone in force."));
  v("timeServers", status.time_servers, max_items(16), item_max_length(256), doc("The time servers of the site (ntpSettings), as the API reports them."));
  v("servedCertificate", status.served_certificate, doc("What the SIP-TLS port presents."));
  v("trunks", status.trunks, max_items(32), doc("The external trunks."));
  v("pins", status.pins, doc("How the Edge stands to its PinPolicy."));
}
// clang-format on

}  // namespace edgetrust::api
