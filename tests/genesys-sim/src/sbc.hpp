#pragma once
// The looking side: a session border controller that connects, verifies and sends OPTIONS. Private to the plant; its
// one thread only.
#include "sip_service.hpp"

namespace edgetrust::sim {

// Trusts these roots and no others, and fetches nothing. Errors: kInvalid.
Result<TlsContext> make_sbc_context(const std::string& trust_pem);

// One look; `done` is called once, within three seconds.
void look_at(asio::io_context& io, const TlsContext& context, std::uint16_t port, const std::string& server_name,
             std::uint64_t number, std::function<void(SbcView)> done);

}  // namespace edgetrust::sim
