#pragma once
// A transport that tells of every exchange, for metrics. What it tells holds no URL, header or body.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/http/transport.hpp"

namespace edgetrust::http {

struct Exchange {
  Method method = Method::kGet;
  int status = 0;  // 0: no answer came
  std::chrono::steady_clock::duration took{};
  std::string_view name = {};  // the request's
};

// `tell` is called on the thread of the caller, after the exchange; it must not throw. `clock` must outlive the result.
std::shared_ptr<Transport> observed(std::shared_ptr<Transport> transport, const Clock& clock,
                                    std::function<void(const Exchange&)> tell);

}  // namespace edgetrust::http
