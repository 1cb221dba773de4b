#pragma once
// The annotation edgetrust.io/approve: which revision a person allows, under which change. Called by the rules of
// decide/certificate. Pure.
#include "edgetrust/base/result.hpp"

#include <string>
#include <string_view>

namespace edgetrust::api {

struct ApprovalRequest {
  int revision = 0;
  std::string change;  // a change number; may be empty
  std::string by;      // as the writer says; an admission policy can hold it to the truth
};

// From {"revision":7,"change":"CHG0045123","by":"ada"}; other members are ignored. kInvalid when it is not of this
// shape, longer than 4 KiB, or names no revision.
Result<ApprovalRequest> parse_approval(std::string_view text);

}  // namespace edgetrust::api
