#pragma once
// External account bindings from ZeroSSL's REST API (https://zerossl.com/documentation/acme/generate-eab-credentials/):
// a POST with the API key as access_key makes a new one.
//
// Called by: main. Threads: any. Errors: kUnauthorized when the API key is refused; maybe_executed when a binding may
// have been made all the same, which harms nobody. No message holds the API key.
#include "edgetrust/http/transport.hpp"
#include "edgetrust/ports/backends.hpp"

#include <stop_token>
#include <string>

namespace edgetrust::acme {

inline constexpr const char* kZeroSslApi = "https://api.zerossl.com";

Result<ports::ExternalBinding> zero_ssl_binding(const Secret& api_key, http::Transport& transport,
                                                std::stop_token stop);

}  // namespace edgetrust::acme
