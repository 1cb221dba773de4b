// Certificates that a person wants revoked (RFC 8555 section 7.6). The annotation says "<time> <reason>", or with the
// number of a revision behind it; without one it is about what the Edge serves.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace edgetrust::decide::certificate::rules {
namespace {

using ports::RevocationReason;

constexpr std::array<std::pair<std::string_view, RevocationReason>, 5> kReasons = {
    {{"unspecified", RevocationReason::kUnspecified},
     {"keyCompromise", RevocationReason::kKeyCompromise},
     {"affiliationChanged", RevocationReason::kAffiliationChanged},
     {"superseded", RevocationReason::kSuperseded},
     {"cessationOfOperation", RevocationReason::kCessationOfOperation}}};
constexpr std::string_view kCompromised = "keyCompromise";

std::optional<RevocationReason> reason_named(std::string_view name) {
  const auto found = std::ranges::find(kReasons, name, &std::pair<std::string_view, RevocationReason>::first);
  return found == kReasons.end() ? std::nullopt : std::optional(found->second);
}

struct Request {
  std::string reason;
  std::optional<int> revision;
};

std::optional<Request> read(std::string_view annotation) {
  std::vector<std::string> words = split(trim(annotation), ' ');
  std::erase(words, "");
  if (words.size() < 2 || words.size() > 3 || !reason_named(words[1])) return std::nullopt;
  Request request{.reason = words[1], .revision = {}};
  if (words.size() == 2) return request;
  int number = -1;
  const char* end = words[2].data() + words[2].size();
  const auto [stopped, error] = std::from_chars(words[2].data(), end, number);
  if (error != std::errc{} || stopped != end || number < 0) return std::nullopt;
  request.revision = number;
  return request;
}

Decision refuse(const Observation& o, const std::string& why) {
  Draft draft(o);
  mark_handled(draft.status(), o, api::kRevokeRequestedAt);
  return draft.unchanged().announce(true, "RevocationRefused", "nothing is revoked: " + why).wake(o.now).finish();
}

// What cannot be revoked here; empty: it can.
std::string hindrance(const Observation& o, const StoredRevision* revision) {
  if (is_sourced(o)) return "somebody else has this certificate issued, and can have it revoked";
  if (revision == nullptr || !revision->chain) return "there is no such certificate of ours";
  const std::string name = revision_text(revision->number);
  if (is_revoked(o, revision->number)) return name + " is revoked already";
  if (revision->chain->not_after <= o.now) return name + " has expired";
  if (issuer_of(o, *revision) == nullptr)
    return name + " was issued by " + (revision->server.empty() ? "nobody knows whom" : revision->server) +
           ", of which there is no usable AcmeIssuer in issuerRef or fallback";
  return {};
}

Decision take_note(const Observation& o) {
  const auto request = read(o.object.meta.annotation(api::kRevokeRequestedAt).value_or(""));
  if (!request) {
    return refuse(o,
                  "the annotation has to say a time, one of unspecified, keyCompromise, affiliationChanged, superseded "
                  "and cessationOfOperation, and for another revision than the served one its number");
  }
  const StoredRevision* named = request->revision ? stored(o, *request->revision) : active(o);
  if (const std::string why = hindrance(o, named); !why.empty()) return refuse(o, why);
  std::vector<int> revisions{named->number};
  // A key that somebody else has speaks for every certificate that it is in.
  for (const auto& [number, revision] : o.revisions) {
    const bool same_key = request->reason == kCompromised && number != named->number && revision.chain &&
                          revision.chain->public_key_sha256 == named->chain->public_key_sha256;
    if (same_key && hindrance(o, &revision).empty()) revisions.push_back(number);
  }
  Draft draft(o);
  mark_handled(draft.status(), o, api::kRevokeRequestedAt);
  draft.status().revocation = api::RevocationStatus{revisions, request->reason};
  // Its key may be a copy of this one (rotationPolicy: Never).
  if (request->reason == kCompromised && o.object.status.order) give_up_order(draft.status(), o);
  const bool waits = named->number == o.object.status.revision && request->reason != kCompromised;
  return draft.unchanged()
      .announce(false, "RevocationAccepted",
                revision_text(named->number) + " is revoked as " + request->reason +
                    (waits ? " when the Edge serves its successor" : " at once"))
      .wake(o.now)
      .finish();
}

// One of them is done with: revoked, gone, or refused for good.
Decision settle(const Observation& o, int number, bool revoked, const std::string& refusal = {}) {
  Draft draft(o);
  auto& status = draft.status();
  const std::string reason = status.revocation->reason;
  std::erase(status.revocation->revisions, number);
  if (status.revocation->revisions.empty()) status.revocation.reset();
  if (revoked) {
    auto entry = std::ranges::find(status.history, number, &api::HistoryEntry::revision);
    if (entry == status.history.end()) {
      const bool served = number == status.revision;
      remember(status, o, number, served ? api::RevisionResult::kActive : api::RevisionResult::kSuperseded, "");
      entry = status.history.begin();
    }
    entry->revoked = reason;
    draft.announce(false, "Revoked", revision_text(number) + " was revoked: " + reason);
  }
  if (!refusal.empty()) draft.announce(true, "RevocationRefused", revision_text(number) + ": " + refusal);
  return draft.unchanged().wake(o.now).finish();
}

}  // namespace

Verdict revocation_asked_for(const Observation& o) {
  if (is_requested(o, api::kRevokeRequestedAt) && !o.object.status.revocation) return take_note(o);
  const auto& wanted = o.object.status.revocation;
  if (!wanted) return std::nullopt;
  const Failure* failure = failure_of(o, effect::RevokeCertificate::kName);
  for (const int number : wanted->revisions) {
    if (o.revoked.contains(number)) return settle(o, number, true);
    const StoredRevision* kept = stored(o, number);
    if (kept == nullptr || !kept->chain || kept->chain->not_after <= o.now) return settle(o, number, false);
    // What the Edge serves is not taken from it before it has another; unless somebody else may speak for it.
    if (number == o.object.status.revision && wanted->reason != kCompromised) continue;
    if (issuer_of(o, *kept) == nullptr) continue;  // until it is there again
    if (failure != nullptr && retry_of(failure->error) == Retry::kAfterChange)
      return settle(o, number, false, failure->error.message());
    if (wait_for(o, {effect::RevokeCertificate::kName})) return std::nullopt;
    return Draft(o)
        .unchanged()
        .effect(effect::RevokeCertificate{number, reason_named(wanted->reason).value_or(RevocationReason{})})
        .finish();
  }
  return std::nullopt;
}

}  // namespace edgetrust::decide::certificate::rules
