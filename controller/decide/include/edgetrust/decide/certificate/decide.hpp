#pragma once
// The brain of an EdgeCertificate: one pure function. Same observation, same decision; no I/O, no clock, no randomness,
// no state.
#include "edgetrust/decide/certificate/decision.hpp"
#include "edgetrust/decide/certificate/observation.hpp"

namespace edgetrust::decide::certificate {

Decision decide(const Observation& observation);

// The rules in their order, for documentation and tests: each name with what it ensures.
struct RuleInfo {
  std::string_view name;
  std::string_view ensures;
};
std::vector<RuleInfo> rule_list();

}  // namespace edgetrust::decide::certificate
