#pragma once
// Whether a rotation keeps its time: what a dead man's switch is told by. Pure.
//
// Called by: the reconciler of connections. Threads: any. Errors: none.
#include "edgetrust/api/edge_certificate.hpp"

#include <optional>
#include <string>

namespace edgetrust::decide {

// How long a renewal may be overdue: a third of the time that the certificate has left when it is due, so that a
// short-lived one is missed in time, and ten days at most, so that a window once a week is no delay.
std::chrono::milliseconds patience(TimePoint renewal, TimePoint not_after);

// Why the certificate is behind its schedule, in words for a person; empty while it is on it. Behind is: what goes on
// by nobody but a person (Stalled, Failed, Held), what has expired, a renewal overdue by more than patience(), and no
// certificate of ours on the Edge ten days after the object was made.
std::optional<std::string> behind_schedule(const api::EdgeCertificate& certificate, TimePoint now);

}  // namespace edgetrust::decide
