#pragma once
// The rules of an EdgeCertificate. Each is asked in the order of decide.cpp; the first that has something to say
// decides. A rule that returns nothing has ensured what its line in that list says.
#include "certificate/draft.hpp"
#include "certificate/sourced.hpp"

#include <initializer_list>
#include <optional>

namespace edgetrust::decide::certificate::rules {

using Verdict = std::optional<Decision>;

// gates.cpp: whether this object may be worked on at all
Verdict readable(const Observation& o);
Verdict deleted(const Observation& o);
Verdict not_suspended(const Observation& o);
Verdict only_claim_on_edge(const Observation& o);
Verdict references_exist(const Observation& o);

// delivery.cpp: a change of the Edge, from the fence to the proof
Verdict delivery_under_way(const Observation& o);

// drain.cpp: out of service for the push where that is asked for, and back whatever comes of it
// Why nothing was pushed; said until it is tried again.
inline constexpr std::string_view kDrainTimedOut = "DrainTimedOut";
inline constexpr std::string_view kDrainUndone = "DrainUndone";
// Empty: the push need not wait (any longer) for calls.
Verdict edge_drained(const Observation& o, const api::DeliveryStatus& delivery);
Verdict edge_back_in_service(const Observation& o);
// It takes the request to come back, and has had `patience` for it.
bool stays_out_of_service(const Observation& o, api::Duration patience);
// When the next window may come: when the present one has closed, or a day from now where none closes; but not after it
// has become urgent.
TimePoint next_window(const Observation& o);
// Why nobody here can put it back any more; empty while it can be tried.
std::string cannot_be_put_back(const Observation& o);
// The Edge is in service now, and nobody has taken it out.
Verdict wait_for_service(const Observation& o);

// adoption.cpp: what the Edge serves now
Verdict served_certificate_known(const Observation& o);

// going_back.cpp: a rollback that a person asks for, and how each begins
Verdict rollback_asked_for(const Observation& o);
// A rollback to revision `back` in the making, `delivery` being the change of the Edge that it undoes, and in it what
// was seen. The effect is the caller's.
Draft going_back(const Observation& o, api::DeliveryStatus delivery, int back, const std::string& why);

// issuing.cpp: from the key to the stored bundle
Verdict order_cleaned_up(const Observation& o);
Verdict revision_issued(const Observation& o);
Draft issuing(const Observation& o, std::string reason, std::string message);
// The CA, or the world it looks at, said no. The order is given up, the key is kept.
Decision order_failed(const Observation& o, const std::string& reason, const std::string& message);
// The order is looked at when it is worth another look.
Decision poll(const Observation& o, std::string reason, std::string message);
inline constexpr std::chrono::seconds kPollEvery{2};
// No more comes of the order under way, nor of its key. Nobody's failure.
void give_up_order(api::EdgeCertificateStatus& status, const Observation& o);
// The order under way is given up, and a certificate that it may have by now.
Decision order_lost(const Observation& o, const std::string& reason, const std::string& message);

// answering.cpp: how the challenges of an order are answered
// Why orders of an issuer would be for nothing, whatever its CA says: a name that no solver serves, or whose solver
// asks for what this operator does not do. Empty: nothing is in the way.
struct Unprovable {
  std::string reason;   // of a condition
  std::string message;  // for people
};
std::optional<Unprovable> what_cannot_be_proved(const Observation& o, const api::AcmeIssuer& issuer);
// An authorization of the order needs an answer still.
bool is_open(const ports::Order& order);
Decision challenges_answered(const Observation& o, const ports::Order& order);
// What the CA found at the challenges of an invalid order, for people.
std::string why_invalid(const ports::Order& order);

// fallback.cpp: the second issuer, asked after failures of the first
// Orders are asked of the other issuer from now on.
Verdict issuer_changed_over(const Observation& o);
// When that may happen, where the issuer that is asked now cannot be used; empty: it waits for somebody to change
// something.
std::optional<TimePoint> next_change_over(const Observation& o);
// For whom the next order is, after one that came to nothing.
std::string issuer_after_failure(const Observation& o);
// A certificate of the second issuer that the peers do not trust is given up: the first is asked again, and the second
// no more while that certificate is stored.
Verdict fallback_not_trusted(const Observation& o, int revision, const std::string& refusing);

// limits.cpp: the CA wants no orders now, or one more would exceed a limit of its
Verdict wait_for_issuer(const Observation& o);

// revoking.cpp: certificates that a person wants revoked
Verdict revocation_asked_for(const Observation& o);

// renewal_info.cpp: what the CA says of the time of the renewal
Verdict renewal_info_known(const Observation& o);
// When the CA is asked next; empty: it is not asked.
std::optional<TimePoint> next_look_at_renewal_info(const Observation& o);

// sourcing.cpp: a certificate that somebody else renews, from its Secret to the stored bundle
Verdict source_is_anothers(const Observation& o);
Verdict source_taken(const Observation& o);
// The Edge serves, with no help of ours, what the source holds: it is taken over, or said why it cannot be. Empty: it
// serves something else.
Verdict source_found_on_edge(const Observation& o);
// What is said of a quiet object's source; when to look at that again.
std::optional<TimePoint> describe_source(Draft& draft, const Observation& o, const std::string& serving);

// waiting.cpp: from the stored bundle to the push
Verdict revision_delivered(const Observation& o);

// peers.cpp: whether everybody who dials in would accept the new chain. `right_before` the push, what was told long ago
// does not do.
Verdict wait_for_peers(const Observation& o, int revision, bool right_before);

// vendor.cpp: whether the vendor's own parser takes the new chain; one that it refuses is rejected
Verdict wait_for_vendor(const Observation& o, int revision);

// permission.cpp: what a RotationPolicy makes a stored revision wait for
Verdict wait_for_permission(const Observation& o, int revision);

// turn.cpp: what the other Edges make it wait for, and the slots that a delivery holds meanwhile
Verdict wait_for_wave(const Observation& o, int revision);
// The slots to be claimed, when it is its turn.
tl::expected<std::vector<std::string>, Decision> turn(const Observation& o, int revision);
Verdict claim_slots(const Observation& o, const api::DeliveryStatus& delivery);
Verdict slots_returned(const Observation& o);
// One that waits for a person does not keep the whole policy waiting: a slot that no status names is free. That of the
// site is kept, for the Edge is down.
void leave_policy_to_others(api::EdgeCertificateStatus& status);

// upkeep.cpp: what a quiet object still needs
Verdict rejections_marked(const Observation& o);
Verdict serving_secret_right(const Observation& o);
Verdict old_revisions_pruned(const Observation& o);
Verdict finalizer_released(const Observation& o);
Decision rest(const Observation& o);

// Shared: for people.
std::string revision_text(int revision);  // "revision 7"
// How old a look may be right before a push, and when one that found something in the way is made again.
inline constexpr std::chrono::seconds kLookIsFresh{30};
inline constexpr std::chrono::seconds kEdgeAgainAfter{60};
// After a push that was given up: before the next.
inline constexpr std::chrono::minutes kPutOff{10};
// The last failure of this effect; nullptr when it succeeded since.
const Failure* failure_of(const Observation& o, std::string_view effect);
// A failure that is waited for, and until when.
struct Wait {
  const Failure* failure;
  TimePoint until;
};
// The longest wait for one of these effects, which are all that the asking rule goes on with: what fails beside it is
// no reason to wait. Empty when none failed, or the waits are over.
std::optional<Wait> wait_for(const Observation& o, std::initializer_list<std::string_view> effects);
// When the first of all that failed may be tried again.
std::optional<TimePoint> next_retry(const Observation& o);
// Whether another revision is tried by itself after one that was rolled back or refused.
bool will_retry(const Draft& draft, const Observation& o);
// After a revision that did not make it: what another one waits for, if it is tried at all.
Verdict wait_after_rejection(const Observation& o);
// What a person can do so that another is tried: "set the annotation …", "renew Secret …".
std::string how_to_try_again(const Observation& o, const api::EdgeCertificateStatus& status);
// Says so, or says that someone must decide. The history's newest entry is the revision in question.
Draft& ended_badly(Draft& draft, const Observation& o, std::string reason, std::string message);
// The failure's kind as a condition's reason: "IssuerUnavailable" from effect and kind.
std::string reason_of(const Failure& failure);

}  // namespace edgetrust::decide::certificate::rules
