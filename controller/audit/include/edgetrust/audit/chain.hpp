#pragma once
// Records as lines of JSON, each with the hash of the one before it: what is changed, taken out or put in between
// shows. Whoever can write the whole log can write another whole one; that is what the sink is for. Pure. Called by:
// audit/log.hpp, kubectl-edgetrust. Errors: kInvalid.
#include "edgetrust/audit/record.hpp"
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace edgetrust::audit {

// Where a chain stands: the number of its next line, and the hash of the last.
struct Link {
  std::uint64_t sequence = 1;
  std::string hash = std::string(64, '0');  // SHA-256, lower-case hex
  bool operator==(const Link&) const = default;
};

// The record as one line without a newline; `link` moves on. `hash` of a line is the SHA-256 of its text without the
// member `hash`, members in the order of their names; `previous` is the hash of the line before.
std::string seal(const Record& record, TimePoint at, const std::string& instance, Link& link);

// The link after this line, where the line fits behind `before`. The first line that is looked at may be one in the
// middle: without `before` it is taken at its word.
Result<Link> follow(std::string_view line, const Link* before);

}  // namespace edgetrust::audit
