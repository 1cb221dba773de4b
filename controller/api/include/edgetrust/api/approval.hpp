#pragma once
// The annotation edgetrust.io/approve: which revision a person allows, under which change. Called by the rules of
// decide/certificate. Pure.
#include "edgetrust/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::api {

struct ApprovalRequest {
  int revision = 0;
  std::string change;  // a change number; may be empty
  std::string by;      // as the writer says; an admission policy can hold it to the truth
};

// From {"revision":7,"change":"CHG0045123","by":"ada"}. Other members are ignored, such as `at`, by which one approves
// anew what has expired: the chart's admission policy allows that one and no other. kInvalid when it is not of this
// shape, longer than 4 KiB, or names no revision.
Result<ApprovalRequest> parse_approval(std::string_view text);

// What status.next says while an approval is waited for ("approval of revision 7"), and the revision that such a text
// names.
std::string awaits_approval(int revision);
std::optional<int> awaited_approval(std::string_view next);

}  // namespace edgetrust::api
