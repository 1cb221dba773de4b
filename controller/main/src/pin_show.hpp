#pragma once
// `edgetrust pin show`: what a cloud endpoint presents, with the hashes that a PinPolicy takes. One handshake, and it
// changes nothing.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/tls_probe.hpp"
#include "options.hpp"

#include <stop_token>
#include <string>

namespace edgetrust {

struct PinShow {
  std::string text;        // for people, with a newline at its end
  bool validates = false;  // else nobody should pin what is shown
};

// Errors: those of probe and viewer; kInvalid for an endpoint that is none.
Result<PinShow> show_pins(const PinShowOptions& options, const std::string& roots_pem, ports::TlsProbe& probe,
                          ports::ChainViewer& viewer, TimePoint now, std::stop_token stop);

}  // namespace edgetrust
