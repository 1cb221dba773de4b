#pragma once
// An Edge that is taken out of service for a change: what the vendor's answers mean, and how long things take. Called
// by the rules of EdgeCertificates and of pins. Pure. Errors: none.
#include "edgetrust/api/common.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/ports/edge_fleet.hpp"

namespace edgetrust::decide {

// The Edge is asked to go out of service within this time of DrainStatus::since and never later; so long after that, no
// such request can be on its way any more.
inline constexpr auto kAskedOutWithin = kLongestUpload;
inline constexpr std::chrono::seconds kAllAnsweredWithin{60};

// How long the vendor is told that calls may last: never less than our own wait, so that calls are not cut by a timeout
// of ours.
std::chrono::seconds calls_may_last(api::Duration timeout);

bool is_in_service(const ports::EdgeInfo& edge);
bool updates_software(const ports::EdgeInfo& edge);
// `has_had_time`: it was asked to go out a while ago.
bool is_free_of_calls(const ports::EdgeInfo& edge, bool has_had_time);
// "3 calls are up"; null: nobody can tell.
std::string describe_calls(const ports::EdgeInfo* edge);

}  // namespace edgetrust::decide
