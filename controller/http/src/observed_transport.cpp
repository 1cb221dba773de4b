#include "edgetrust/http/observed_transport.hpp"

namespace edgetrust::http {
namespace {

class Observed final : public Transport {
 public:
  Observed(std::shared_ptr<Transport> inner, const Clock& clock, std::function<void(const Exchange&)> tell)
      : inner_(std::move(inner)), clock_(clock), tell_(std::move(tell)) {}

  Result<Response> send(const Request& request, std::stop_token stop) override {
    const SteadyPoint begin = clock_.steady();
    return told(request, begin, inner_->send(request, std::move(stop)));
  }
  Result<Response> stream(const Request& request, std::chrono::milliseconds idle, std::size_t max_line,
                          const std::function<bool(std::string_view line)>& on_line, std::stop_token stop) override {
    const SteadyPoint begin = clock_.steady();
    return told(request, begin, inner_->stream(request, idle, max_line, on_line, std::move(stop)));
  }

 private:
  Result<Response> told(const Request& request, SteadyPoint begin, Result<Response> response) {
    tell_({.method = request.method,
           .status = response ? response->status : 0,
           .took = clock_.steady() - begin,
           .name = request.name});
    return response;
  }

  const std::shared_ptr<Transport> inner_;
  const Clock& clock_;
  const std::function<void(const Exchange&)> tell_;
};

}  // namespace

std::shared_ptr<Transport> observed(std::shared_ptr<Transport> transport, const Clock& clock,
                                    std::function<void(const Exchange&)> tell) {
  return std::make_shared<Observed>(std::move(transport), clock, std::move(tell));
}

}  // namespace edgetrust::http
