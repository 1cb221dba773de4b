#include "connection/anchors.hpp"

#include "connection/pass.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using decide::AnchorStep;

constexpr std::size_t kMostAnchors = 64;
constexpr std::chrono::milliseconds kAfterStep = 5s;  // the vendor's lists are a little late
constexpr int kConflictsAtOnce = 3;                   // more of them in a row wait as any other failure does

Status perform(ports::TrustedAuthorities& authorities, const AnchorStep& step, const std::stop_token& stop) {
  switch (step.kind) {
    case AnchorStep::Kind::kCreate: return authorities.create(step.authority, stop);
    case AnchorStep::Kind::kUpdate: return authorities.update(step.authority, stop);
    case AnchorStep::Kind::kRemove: return authorities.remove(step.authority, stop);
  }
  return {};
}

std::string reason_of(AnchorStep::Kind kind) {
  switch (kind) {
    case AnchorStep::Kind::kCreate: return "TrustAnchorAdded";
    case AnchorStep::Kind::kUpdate: return "TrustAnchorChanged";
    case AnchorStep::Kind::kRemove: return "TrustAnchorRemoved";
  }
  return {};
}

}  // namespace

std::vector<std::string> certificates_in(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::vector<std::string> found;
  for (auto begin = pem.find(kBegin); begin != std::string_view::npos; begin = pem.find(kBegin)) {
    const auto end = pem.find(kEnd, begin);
    if (end == std::string_view::npos) break;
    found.push_back(std::string(pem.substr(begin, end + kEnd.size() - begin)) + "\n");
    pem.remove_prefix(end + kEnd.size());
  }
  return found;
}

Result<std::vector<decide::Anchor>> wanted_anchors(const World& world, const std::string& ns,
                                                   const api::TrustAnchors& spec, std::stop_token stop) {
  std::vector<decide::Anchor> anchors;
  for (const api::CaBundleRef& ref : spec.bundle_refs) {
    const std::string bundle = ref.name + " key " + ref.key;
    EDGETRUST_TRY_ASSIGN(const std::string text, world.secrets.read_bundle(ns, ref, stop));
    const auto certificates = certificates_in(text);
    if (certificates.empty()) return fail(ErrorKind::kInvalid, bundle + " holds no certificate in PEM");
    for (const std::string& pem : certificates) {
      const auto facts = world.pki.inspect(pem);
      if (!facts) return fail(within(bundle, facts.error()));
      const bool twice = std::ranges::any_of(anchors, [&](const decide::Anchor& anchor) {
        return anchor.fingerprint_sha256 == facts->fingerprint_sha256;
      });
      if (!twice) anchors.push_back({.fingerprint_sha256 = facts->fingerprint_sha256, .pem = pem});
    }
  }
  if (anchors.size() > kMostAnchors) {
    return fail(ErrorKind::kInvalid, "bundleRefs name " + std::to_string(anchors.size()) + " CAs: at most 64 are kept");
  }
  return anchors;
}

std::vector<decide::KnownAuthority> known_authorities(ports::Pki& pki,
                                                      const std::vector<ports::TrustedAuthority>& listed) {
  std::vector<decide::KnownAuthority> known;
  for (const ports::TrustedAuthority& authority : listed) {
    decide::KnownAuthority one{.authority = authority, .fingerprints = {}};
    for (const std::string& pem : certificates_in(authority.certificate_pem)) {
      // What cannot be read is none of ours, and no reason to touch it.
      if (const auto facts = pki.inspect(pem)) one.fingerprints.insert(facts->fingerprint_sha256);
    }
    known.push_back(std::move(one));
  }
  return known;
}

// One step a pass, each after a new list: whatever became of the step before, it is seen there.
std::optional<TimePoint> ConnectionReconciler::keep_anchors(Pass& pass, ports::EdgeFleet& fleet,
                                                            const std::stop_token& stop) {
  const auto& spec = pass.before.spec.trust_anchors;
  const api::ObjectKey key = pass.before.meta.key();
  if (!spec || !spec->sync) {
    api::remove(pass.next.status.conditions, api::condition::kTrustAnchorsSynced);
    return std::nullopt;
  }
  {
    const std::scoped_lock lock(mutex_);
    const bool going_on = syncing_.erase(key) > 0;
    if (!pass.asked && !going_on) return std::nullopt;
  }
  const auto services = spec->services.empty() ? std::vector<std::string>{"SIP"} : spec->services;
  std::size_t all = 0;
  const auto step = [&]() -> Result<std::optional<AnchorStep>> {
    EDGETRUST_TRY_ASSIGN(const auto wanted, wanted_anchors(world_, key.ns, *spec, stop));
    EDGETRUST_TRY_ASSIGN(const auto listed, fleet.authorities().list(stop));
    all = wanted.size();
    auto next = decide::next_anchor_step(wanted, known_authorities(world_.pki, listed), services,
                                         decide::anchor_mark(key.ns, key.name));
    if (next) {
      EDGETRUST_TRY(world_.may_change(stop));
      EDGETRUST_TRY(perform(fleet.authorities(), *next, stop));
    }
    return next;
  }();
  const auto say = [&](api::Truth truth, const std::string& reason, const std::string& message) {
    pass.condition(api::condition::kTrustAnchorsSynced, truth, reason, message);
  };
  const bool conflict = !step && step.error().kind == ErrorKind::kConflict;
  int conflicts = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (conflict) conflicts = ++anchor_conflicts_[key];
    if (!conflict) anchor_conflicts_.erase(key);
  }
  const auto go_on = [&] {
    const std::scoped_lock lock(mutex_);
    syncing_.insert(key);
    return pass.now + kAfterStep;
  };
  if (!step) {
    const Error& error = step.error();
    if (error.kind == ErrorKind::kCancelled) return std::nullopt;
    say(api::Truth::kFalse, failed("TrustAnchors", error).reason, error.message());
    pass.trouble_with = "KeepTrustAnchors";
    pass.trouble = error;
    // Somebody else was first: what there is now is read anew.
    return conflict && conflicts <= kConflictsAtOnce ? std::optional(go_on()) : std::nullopt;
  }
  if (!*step) {
    say(api::Truth::kTrue, "Synced", std::to_string(all) + " CAs are trusted");
    return std::nullopt;
  }
  pass.did = "KeepTrustAnchors";
  say(api::Truth::kFalse, "Syncing", "not all CAs of bundleRefs are kept yet");
  pass.news.tell_good(reason_of((*step)->kind), "the certificate authority \"" + (*step)->authority.name + "\"");
  return go_on();
}

}  // namespace edgetrust::reconcile
