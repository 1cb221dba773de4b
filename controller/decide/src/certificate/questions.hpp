#pragma once
// Questions that several rules ask of an observation. Pure.
#include "edgetrust/decide/certificate/observation.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/decide/wave.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace edgetrust::decide::certificate {

bool holds_finalizer(const Observation& o);

api::EffectiveRotation rotation_of(const Observation& o);
// Empty when none is known, see decide/schedule.hpp.
std::string time_zone_of(const Observation& o);

ports::SubjectNames wanted_names(const api::EdgeCertificateSpec& spec);
ports::KeySpec wanted_key(const api::EdgeCertificateSpec& spec);
// It was asked for with the names and the kind of key that the spec has now. A CA may add names of its own to a leaf:
// that makes no other certificate due. One that somebody else renews has to cover the names, whatever it was made for.
bool fits_spec(const Observation& o, const StoredRevision& revision);

// What there has to be to reach the Edge at all: "Edge edge01 is gone". Empty: it is there.
std::string what_is_missing(const Observation& o);

const StoredRevision* stored(const Observation& o, int revision);
// The revision that the Edge serves, as far as proved, when its bundle is stored.
const StoredRevision* active(const Observation& o);
// Rolled back or refused once: never pushed again.
bool has_ended_badly(const api::HistoryEntry& entry);
bool is_rejected(const Observation& o, int revision);
// The newest revision that is newer than all that have ended: a stored one that fits the spec, or the one that is
// ordered. Where somebody else renews: the one with the leaf that the source holds, or the newest that was taken while
// that holds none that could be.
std::optional<int> candidate(const Observation& o);
// One above every number that was ever used, so that a recreated object never takes a number twice.
int next_revision(const Observation& o);
// What the Edge should show while this delivery is watched.
Expected expected_of(const Observation& o, const std::optional<api::DeliveryStatus>& delivery);
// What a rollback would return to: what is served now, if it is stored, whole, and valid beyond the observation; else
// the newest one before it that is. Empty: a rollback is impossible.
std::optional<int> fallback(const Observation& o);
// The newest revision with a smaller number that could be returned to: one that was live if there is any, else one that
// is at least known to be fit.
std::optional<int> previous(const Observation& o, int below);
// Of the accepted ones with a smaller number, which are whole and were not rejected: the newest that was live, else the
// newest.
std::optional<int> newest_before(const Observation& o, int below,
                                 const std::function<bool(const StoredRevision&)>& accepted);

// The Edge served it once, as far as the history tells; an import always.
bool was_live(const Observation& o, int revision);
// Whether a revision is stored whole and valid now: all that putting it back needs.
bool can_return_to(const Observation& o, int revision);
// The revision whose stored leaf this is; the newest of several, as a leaf that came back to its source is stored anew.
std::optional<int> whose(const Observation& o, const std::string& fingerprint);
// The last look shows a leaf that is in no stored revision and was never proved to be ours.
bool serves_foreign(const Observation& o);
api::ForeignCertificate wish_for_foreign(const Observation& o);

// When what the Edge serves is so close to its end that a rotation is urgent; empty when it serves nothing that is
// known.
std::optional<TimePoint> urgent_from(const Observation& o);
// Whether that time has come.
bool is_urgent(const Observation& o);
// Whether an urgent rotation is due that does not wait for this.
bool need_not_wait_for(const Observation& o, api::MayBreak what);

// An annotation that asks for something and was not acted on yet.
bool is_requested(const Observation& o, std::string_view annotation);

// Nobody wants the CA to have a say in when to renew (RFC 9773), or there is none.
bool ari_is_off(const Observation& o);
// The revision that the CA of the issuer has issued last, of those that are stored and can be named to it. It is the
// one that an order replaces; nullptr: none, or the CA is not asked about renewals.
const StoredRevision* last_of_issuer(const Observation& o);
ports::CertificateId id_of(const ports::ChainFacts& chain);
// RFC 9773 section 5: an order takes the place of the certificate that this CA issued last, so that none is replaced
// twice. A server may refuse that (replaced already, or another account's); one that shares no name is none of it.
std::optional<ports::CertificateId> replaced_by_order(const Observation& o);

// Of the issuers of this object that of the CA which issued the revision; nullptr: it is not there, or cannot be read.
const api::AcmeIssuer* issuer_of(const Observation& o, const StoredRevision& revision);

// When the active revision is due; empty when there is none.
std::optional<TimePoint> renewal_of(const Observation& o);
// When a stored revision is due: by the rule, or sooner, where the CA has asked for that.
TimePoint renewal_of(const Observation& o, const StoredRevision& revision);
// "renews 2027-01-18", as the column NEXT has it.
std::string renews_at(TimePoint renewal);
// The moment that was drawn for its renewal in the window that the CA has suggested; empty: it has not.
std::optional<TimePoint> suggested_renewal(const Observation& o, const StoredRevision& revision);
// When a foreign certificate is to be replaced that may stay until it is near its expiry; empty when nobody can tell.
std::optional<TimePoint> foreign_renewal(const Observation& o);
// The CA has revoked its certificate, as asked for.
bool is_revoked(const Observation& o, int revision);
// It was asked for, and is still to be done.
bool is_to_be_revoked(const Observation& o, int revision);
// Why a new revision is needed now; empty when it is not.
std::optional<std::string> due(const Observation& o);

// A time written down by a clock that ran ahead: further away than anything is ever put off.
bool is_too_far_ahead(const Observation& o, TimePoint at);

// Between two orders of which the first came to nothing (cert-manager's figure).
inline constexpr std::chrono::hours kLongestOrderBackoff{32};

}  // namespace edgetrust::decide::certificate
