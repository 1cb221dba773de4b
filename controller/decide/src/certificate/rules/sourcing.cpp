// A certificate that somebody else renews: from the Secret of sourceSecretRef to the stored bundle. What the Secret
// holds is wanted on the Edge, whether it is newer or older than what is there; a leaf that failed is not tried again.
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using api::Phase;

constexpr auto kAskAgainAfter = 60s;

std::string name_of_source(const Observation& o) { return "Secret " + o.object.spec.source_secret_ref->name; }

std::string date_of(TimePoint time) { return format_rfc3339(time).substr(0, 10); }

bool is_valid(const Observation& o, const StoredRevision* revision) {
  return revision != nullptr && revision->chain->not_after > o.now;
}

// What is served may expire while nothing else happens: then it is said.
Draft& until_expiry(Draft& draft, const Observation& o) {
  const StoredRevision* serving = active(o);
  return is_valid(o, serving) ? draft.wake(serving->chain->not_after) : draft;
}

// What whoever renews has still to make; empty when there is a certificate.
struct Missing {
  std::string reason;
  std::string message;
};
std::optional<Missing> missing_in(const Observation& o) {
  if (!o.source->exists)
    return Missing{"SourceNotFound", "there is no " + name_of_source(o) +
                                         " in this namespace: whoever renews the certificate has to make it, with "
                                         "type kubernetes.io/tls"};
  if (!o.source->lacks.empty())
    return Missing{"SourceIncomplete", name_of_source(o) + " holds no certificate yet: " + o.source->lacks};
  return std::nullopt;
}

Decision await_certificate(const Observation& o, const Missing& missing) {
  return Draft(o)
      .phase(Phase::kPending, missing.reason, missing.message)
      .next("waits for " + name_of_source(o))
      .finish();
}

// Its content waits for a change of Secret or spec, which wakes the object.
Decision refused(const Observation& o, const std::string& why) {
  Draft draft(o);
  draft
      .phase(Phase::kFailed, "SourceRefused",
             name_of_source(o) + " is not delivered: " + why +
                 "; correct it there, or the spec where that asks for the wrong thing")
      .stalled()
      .next("needs a change");
  return until_expiry(draft, o).finish();
}

Decision not_judged(const Observation& o) {
  return Draft(o)
      .phase(
          Phase::kWaiting, "SourceNotJudged",
          "nobody can tell whether " + name_of_source(o) + " is fit to be delivered: " + o.source->unjudged->message())
      .next("waits")
      .wake(o.now + kAskAgainAfter)
      .finish();
}

// What became of this leaf; nullptr when the history does not tell.
const api::HistoryEntry* end_of(const Observation& o, const std::string& fingerprint) {
  for (const auto& entry : o.object.status.history) {
    if (entry.fingerprint_sha256 == fingerprint && is_rejected(o, entry.revision)) return &entry;
  }
  return nullptr;
}

Decision rejected(const Observation& o, const ports::ChainFacts& leaf) {
  const api::HistoryEntry* end = end_of(o, leaf.fingerprint_sha256);
  const StoredRevision* serving = active(o);
  const bool put_back = is_valid(o, serving) && serving->chain->fingerprint_sha256 != leaf.fingerprint_sha256;
  const std::string what = end != nullptr ? end->message : "this certificate was rejected before";
  Draft draft(o);
  draft
      .phase(put_back ? Phase::kRolledBack : Phase::kFailed, put_back ? "RolledBack" : "Rejected",
             what + "; " + name_of_source(o) + " still holds it: renew it there to try another")
      .stalled()
      .next("waits for " + name_of_source(o));
  return until_expiry(draft, o).finish();
}

// Nothing that is proved and stored whole is taken again, unless it is to replace a foreign certificate.
bool is_served(const Observation& o, const ports::ChainFacts& leaf) {
  const StoredRevision* serving = active(o);
  return serving != nullptr && serving->has_key && serving->chain->fingerprint_sha256 == leaf.fingerprint_sha256 &&
         !serves_foreign(o);
}

// Stored, above what is served, and unfit all the same: to store it once more would change nothing.
const StoredRevision* unfit_copy(const Observation& o, const ports::ChainFacts& leaf) {
  const auto number = whose(o, leaf.fingerprint_sha256);
  const bool waits = number && *number > o.object.status.revision.value_or(0);
  const StoredRevision* copy = waits ? stored(o, *number) : nullptr;
  return copy != nullptr && copy->has_key && copy->defect ? copy : nullptr;
}

// The number under which a leaf is stored: that of what was begun for it, or of what is served and has lost a Secret.
// Else a new one, above the key of another leaf that was left alone by a crash.
int number_for(const Observation& o, const std::string& fingerprint) {
  const auto& serving = o.object.status.revision;
  for (const auto& [number, revision] : o.revisions) {
    const bool whole = revision.has_key && revision.chain;
    const bool same = revision.chain ? revision.chain->fingerprint_sha256 == fingerprint
                                     : revision.source == fingerprint && !revision.has_bundle();
    const bool usable = serving == number || (!serving || number > *serving);
    if (!whole && same && usable && !is_rejected(o, number)) return number;
  }
  const bool lost = serving && stored(o, *serving) == nullptr && o.object.status.fingerprint_sha256 == fingerprint;
  return lost ? *serving : next_revision(o);
}

// As retry allows after a revision that did not make it: another leaf is another try.
Verdict may_take(const Observation& o) {
  const bool changed = o.object.status.observed_generation != o.object.meta.generation;
  if (changed || is_requested(o, api::kRenewRequestedAt)) return std::nullopt;
  return wait_after_rejection(o);
}

Decision take(const Observation& o, const ports::ChainFacts& leaf) {
  const int revision = number_for(o, leaf.fingerprint_sha256);
  const std::string what = "revision " + std::to_string(revision) + " from " + name_of_source(o);
  Draft draft(o);
  draft.phase(Phase::kIssuing, "Copying", "storing " + what).next("takes " + what);
  if (const Failure* failure = failure_of(o, effect::StoreSource::kName)) {
    // What failed is said until it is known how the next try went.
    const auto* said = api::find(o.object.status.conditions, api::condition::kReconciling);
    const std::string reason = reason_of(*failure);
    draft.phase(Phase::kIssuing, reason, failure->error.message());
    if (said == nullptr || said->reason != reason) draft.announce(true, reason, failure->error.message());
  } else {
    draft.announce(false, "Copying",
                   "takes " + what + ": serial " + leaf.serial_number + ", valid until " + date_of(leaf.not_after));
  }
  if (const auto wait = wait_for(o, {effect::StoreSource::kName})) return draft.wake(wait->until).finish();
  if (is_requested(o, api::kRenewRequestedAt)) mark_handled(draft.status(), o, api::kRenewRequestedAt);
  draft.status().next_attempt.reset();  // whatever was waited for is over
  return draft.effect(effect::StoreSource{revision, o.object.spec.source_secret_ref->name, leaf.fingerprint_sha256})
      .finish();
}

}  // namespace

Verdict source_is_anothers(const Observation& o) {
  if (!is_sourced(o)) return std::nullopt;
  const std::string& name = o.object.spec.source_secret_ref->name;
  if (name != api::serving_secret_name(o.object)) return std::nullopt;
  return Draft(o)
      .phase(Phase::kFailed, "SourceConflict",
             "spec.sourceSecretRef names Secret " + name +
                 ", into which this object writes what the Edge serves: name another one there or in spec.secretName")
      .stalled()
      .next("needs a change")
      .finish();
}

Verdict source_found_on_edge(const Observation& o) {
  if (!is_sourced(o) || !o.source || !o.source->chain) return std::nullopt;
  const auto& leaf = *o.source->chain;
  if (leaf.fingerprint_sha256 != o.look->fingerprint() || is_leaf_rejected(o, leaf.fingerprint_sha256))
    return std::nullopt;
  if (o.source->unjudged) return not_judged(o);
  if (o.source->defect) return refused(o, o.source->defect->message());
  return take(o, leaf);
}

Verdict source_taken(const Observation& o) {
  if (!is_sourced(o) || !o.source) return std::nullopt;
  if (candidate(o)) return std::nullopt;  // stored; the rest is delivery
  const Source& source = *o.source;
  if (const auto missing = missing_in(o))
    return is_valid(o, active(o)) ? std::nullopt : Verdict(await_certificate(o, *missing));
  if (source.unjudged) {
    const bool known = source.chain && is_served(o, *source.chain);
    return known ? std::nullopt : Verdict(not_judged(o));
  }
  if (source.defect) return refused(o, source.defect->message());
  const auto& leaf = *source.chain;
  if (is_leaf_rejected(o, leaf.fingerprint_sha256)) return rejected(o, leaf);
  if (is_served(o, leaf)) return std::nullopt;
  if (leaf.not_after <= o.now) return refused(o, "its tls.crt has expired on " + date_of(leaf.not_after));
  if (const StoredRevision* copy = unfit_copy(o, leaf))
    return refused(o, "revision " + std::to_string(copy->number) + ", its copy, is unfit: " + copy->defect->message());
  if (auto wait = may_take(o)) return wait;
  return take(o, leaf);
}

std::optional<TimePoint> describe_source(Draft& draft, const Observation& o, const std::string& serving) {
  draft.next("waits for " + name_of_source(o));
  if (is_requested(o, api::kRenewRequestedAt)) {
    mark_handled(draft.status(), o, api::kRenewRequestedAt);
    draft.announce(false, "NothingToRenew",
                   name_of_source(o) + " holds no other certificate; whoever renews it makes the next one");
  }
  const StoredRevision* ours = active(o);
  if (ours == nullptr) return std::nullopt;
  const TimePoint expiry = ours->chain->not_after;
  const auto before_expiry = expiry > o.now ? std::optional(expiry) : std::nullopt;
  if (const auto missing = o.source ? missing_in(o) : std::nullopt) {
    draft.phase(Phase::kReady, missing->reason, serving + "; the next certificate is missing: " + missing->message)
        .stalled();
    return before_expiry;
  }
  const TimePoint overdue = overdue_from(*ours->chain);
  if (o.now < overdue) return overdue;
  draft
      .phase(Phase::kReady, "SourceNotRenewed",
             serving + ", which expires " + format_rfc3339(expiry) + ", and " + name_of_source(o) +
                 " holds no other: look at whoever renews it")
      .stalled();
  return before_expiry;
}

}  // namespace edgetrust::decide::certificate::rules
