#pragma once
// What a Config must be before anything is sent by it.
#include "edgetrust/genesys/fleet.hpp"

namespace edgetrust::genesys {

// Errors: kInvalid, naming the field as the GenesysConnection has it. URLs are left to https_endpoint.
Status check_config(const Config& config);

}  // namespace edgetrust::genesys
