#pragma once
// Ids by which one change of one object is followed through log, Events and audit: in the form of W3C Trace Context
// (section 3.2.2), so that what reads logs knows them. A trace id follows from what it is about, so it is the same
// after a crash and for the next leader, and nobody keeps it; controller/docs/adr/0013 says why.
//
// Called by: reconcile, audit, plugin, main. Threads: any. Errors: none.
#include "edgetrust/base/random.hpp"

#include <string>
#include <string_view>

namespace edgetrust::telemetry {

// 32 hexadecimal digits, never all zero: the first 16 octets of the SHA-256 of both, with a NUL between them. `change`
// tells the changes of one object apart: the number of a revision, the hash of a pin file. Empty when either is.
std::string trace_id(std::string_view uid, std::string_view change);

// 16 hexadecimal digits, never all zero: one pass over an object, with the one effect that it may have.
std::string span_id(Random& random);

}  // namespace edgetrust::telemetry
