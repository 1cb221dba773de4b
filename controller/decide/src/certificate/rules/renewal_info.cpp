// When the CA would have the served certificate renewed (RFC 9773). It can bring a renewal forward, never put it off:
// all that comes of it is an earlier due time, and the renewal passes every gate that another one does.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;

constexpr api::Duration kFirstLooksWithin = 1h;  // after a start, so that a large fleet does not ask at once
constexpr api::Duration kLongestRest = 24h;

// What is served, while that is what the CA issued last: nobody asks about a certificate that has expired or was
// replaced (section 4.3).
const StoredRevision* asked_about(const Observation& o) {
  const StoredRevision* serving = active(o);
  const bool asked = serving != nullptr && serving == last_of_issuer(o) && serving->chain->not_after > o.now;
  return asked ? serving : nullptr;
}

api::Duration pause_after(const RenewalInfoLook& look) {
  return look.info ? renewal_info_pause(look.info->retry_after) : kLongestRenewalInfoPause;
}

// Drawn from what does not change: one window is one moment, in every process.
TimePoint drawn(const Observation& o, const StoredRevision& revision, const ports::RenewalInfo& info) {
  return moment_in(info.start, info.end,
                   stable_fraction(revision.chain->fingerprint_sha256 + " " + format_rfc3339(info.start) + " " +
                                   format_rfc3339(info.end) + " " + o.object.meta.uid));
}

// A CA that would have every certificate renewed at once, even the one that it has just issued, is followed once a day:
// what comes soon after the one before rests first.
TimePoint rested(const Observation& o, const StoredRevision& revision) {
  const auto& chain = *revision.chain;
  const api::Duration rest = std::min<api::Duration>(kLongestRest, (chain.not_after - chain.not_before) / 6);
  const auto came_soon = [&](const auto& one) {
    const auto& [number, before] = one;
    return number < revision.number && before.chain && before.server == revision.server &&
           chain.not_before - before.chain->not_before < 2 * rest;
  };
  return std::ranges::any_of(o.revisions, came_soon) ? chain.not_before + rest : o.now;
}

// What the CA has said and the status does not say yet.
std::optional<api::RenewalInfoStatus> news(const Observation& o, const StoredRevision& revision) {
  if (!o.renewal_info || o.renewal_info->revision != revision.number || !o.renewal_info->info) return std::nullopt;
  const ports::RenewalInfo& info = *o.renewal_info->info;
  const TimePoint time = std::max({drawn(o, revision, info), rested(o, revision), o.now});
  api::RenewalInfoStatus said{.revision = revision.number,
                              .start = info.start,
                              .end = info.end,
                              .time = std::chrono::floor<std::chrono::seconds>(time),
                              .explanation_url = info.explanation_url};
  const auto& known = o.object.status.renewal_info;
  const bool same_window =
      known && known->revision == said.revision && known->start == said.start && known->end == said.end;
  if (same_window) said.time = std::min(said.time, known->time);  // it was known before, by a clock that was right
  return known == said ? std::nullopt : std::optional(said);
}

std::string brought_forward(const api::RenewalInfoStatus& said, TimePoint before) {
  return "the CA asks for a renewal between " + format_rfc3339(said.start) + " and " + format_rfc3339(said.end) +
         ": revision " + std::to_string(said.revision) + " is due " + format_rfc3339(said.time) + " instead of " +
         format_rfc3339(before) + (said.explanation_url.empty() ? "" : "; " + said.explanation_url + " says why");
}

}  // namespace

std::optional<TimePoint> next_look_at_renewal_info(const Observation& o) {
  const StoredRevision* revision = asked_about(o);
  if (revision == nullptr) return std::nullopt;
  if (const auto wait = wait_for(o, {effect::LookAtRenewalInfo::kName})) return wait->until;
  const auto& look = o.renewal_info;
  if (look && look->revision == revision->number && look->at <= o.now) return look->at + pause_after(*look);
  // Right after it was issued (section 4.3); one that is found after a start can wait.
  if (o.key_made == revision->number || !o.known_since || *o.known_since > o.now) return o.now;
  return *o.known_since + std::chrono::floor<api::Duration>(kFirstLooksWithin * stable_fraction(o.object.meta.uid));
}

Verdict renewal_info_known(const Observation& o) {
  const StoredRevision* revision = asked_about(o);
  if (revision == nullptr) return std::nullopt;
  if (auto said = news(o, *revision)) {
    Observation told = o;
    told.object.status.renewal_info = said;
    Decision decision = rest(told);
    const TimePoint before = *renewal_of(o);
    if (*renewal_of(told) < before)
      decision.announcements.push_back({false, "RenewalBroughtForward", brought_forward(*said, before)});
    return decision;
  }
  if (*next_look_at_renewal_info(o) > o.now) return std::nullopt;
  Decision decision = rest(o);
  decision.effect = effect::LookAtRenewalInfo{revision->number, id_of(*revision->chain)};
  decision.wake_at.reset();
  return decision;
}

}  // namespace edgetrust::decide::certificate::rules
