#pragma once
// What a vantage is presented by the endpoint, in the words of decide/pins. Private to the room.
#include "edgetrust/api/pin_policy.hpp"
#include "edgetrust/decide/pins/pin_set.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/pin_file.hpp"
#include "edgetrust/ports/tls_probe.hpp"

#include <functional>
#include <string>
#include <vector>

namespace edgetrust::reconcile {

// How a client with the pin file speaks TLS. No suites: any.
struct TlsBounds {
  ports::TlsVersion oldest = ports::TlsVersion::kTls12;
  std::vector<std::string> cipher_suites;
};
TlsBounds bounds_of(const api::PinTls& tls);
TlsBounds bounds_of(const ports::PinFile& file);

struct Presented {
  ports::ServedChain served;
  std::string refused;  // why it presents nothing within the bounds, and this only without them; empty: it does
};
// Dials within the bounds; where that fails without them, and within them again. What fails both times while the
// endpoint answers in between is the bounds' doing, and no connection that was lost. The error is that of the last try.
Result<Presented> present(const TlsBounds& bounds,
                          const std::function<Result<ports::ServedChain>(const TlsBounds&)>& dial);

decide::pins::Sight sight_of(const ports::ChainView& view, std::string vantage);

}  // namespace edgetrust::reconcile
