#pragma once
// The driver of ports::PinAnnouncements: one GET to a cloud endpoint, over a connection on which it proves to hold the
// key of the leaf that was seen.
#include "edgetrust/http/observed_transport.hpp"
#include "edgetrust/ports/pin_announcements.hpp"

#include <functional>
#include <memory>

namespace edgetrust {

// A transport to whom a certificate, in PEM, is the only one it trusts.
using TrustingTransport = std::function<Result<std::shared_ptr<http::Transport>>(const std::string& certificate_pem)>;

std::unique_ptr<ports::PinAnnouncements> make_announcements(TrustingTransport transport);

}  // namespace edgetrust
