#include "peers.hpp"

#include <algorithm>

namespace edgetrust::reconcile {

using decide::certificate::Answer;
using decide::certificate::PeerLook;

namespace {

std::string name_of(const api::CaBundleRef& ref) {
  return std::string(ref.kind == api::BundleKind::kSecret ? "Secret " : "ConfigMap ") + ref.name + ", key " + ref.key;
}

}  // namespace

const Result<std::string>& Peers::bundle(const api::CaBundleRef& ref) {
  const auto known = std::ranges::find(bundles_, ref, [](const auto& entry) { return entry.first; });
  if (known != bundles_.end()) return known->second;
  return bundles_.emplace_back(ref, world_.secrets.read_bundle(edge_.meta.ns, ref, stop_)).second;
}

PeerLook Peers::judge(const api::Peer& peer, const std::string& chain_pem) {
  const std::string where = name_of(peer.trust_bundle_ref);
  const auto& roots = bundle(peer.trust_bundle_ref);
  if (!roots) return {.name = peer.name, .accepts = Answer::kUnknown, .why = where + ": " + roots.error().message()};
  const Status accepted = world_.pki.accepted_by({.roots_pem = *roots,
                                                  .server_name = api::name_dialled(edge_, peer),
                                                  .client_auth = peer.requires_client_auth,
                                                  .at = world_.clock.now()},
                                                 chain_pem);
  if (accepted) return {.name = peer.name, .accepts = Answer::kYes, .why = {}};
  const Error& error = accepted.error();
  const bool can_tell = error.kind == ErrorKind::kInvalid && error.code != ports::kRootsUnreadable;
  if (!can_tell) return {.name = peer.name, .accepts = Answer::kUnknown, .why = where + ": " + error.message()};
  return {.name = peer.name, .accepts = Answer::kNo, .why = error.message() + " (" + where + ")"};
}

std::vector<PeerLook> Peers::judge_all(const std::string& chain_pem) {
  std::vector<PeerLook> all;
  all.reserve(edge_.spec.sip.peers.size());
  for (const auto& peer : edge_.spec.sip.peers) all.push_back(judge(peer, chain_pem));
  return all;
}

}  // namespace edgetrust::reconcile
