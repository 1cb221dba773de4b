// What an order waits for at the CA: that it wants orders again, or that one of its limits has room.
#include "certificate/ca_limits.hpp"
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/time_text.hpp"

namespace edgetrust::decide::certificate::rules {

Verdict wait_for_issuer(const Observation& o) {
  const auto wait = wait_for_ca(o);
  if (!wait) return std::nullopt;
  const std::string from = format_rfc3339(wait->until);
  return Draft(o)
      .phase(api::Phase::kWaiting, std::string(wait->reason),
             wait->message + "; it can be ordered from " + from + " on")
      .next("orders " + from)
      .wake(wait->until)
      .finish();
}

}  // namespace edgetrust::decide::certificate::rules
