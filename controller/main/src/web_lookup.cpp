#include "web_lookup.hpp"

#include "edgetrust/http/forbidden_host.hpp"

#include <algorithm>

namespace edgetrust {
namespace {

constexpr std::chrono::seconds kPatience{5};  // for the name, and again for the page
constexpr std::size_t kMaxBody = 4096;        // a key authorization has some hundred octets

class AddressedLookup final : public ports::WebLookup {
 public:
  AddressedLookup(AddressesOf addresses_of, std::shared_ptr<http::Transport> transport, const Clock& clock,
                  std::uint16_t port)
      : addresses_of_(std::move(addresses_of)), transport_(std::move(transport)), clock_(clock), port_(port) {}

  Result<ports::WebPage> get(const std::string& host, const std::string& path, std::stop_token stop) override {
    if (port_ == 0) return fail(ErrorKind::kUnsupported, "it is not looked at (--http01-check-port is 0)");
    EDGETRUST_TRY_ASSIGN(const auto addresses, addresses_of_(host, net::Wait(clock_, kPatience, stop)));
    for (const auto& address : addresses) {
      if (http::is_forbidden_host(address)) return fail(ErrorKind::kInvalid, address + " is not asked");
    }
    http::Request request;
    request.url = {.scheme = "http", .host = addresses.front(), .port = port_, .target = path};
    request.host = host + (port_ == 80 ? "" : ":" + std::to_string(port_));
    request.timeout = kPatience;
    request.max_body = kMaxBody;
    EDGETRUST_TRY_ASSIGN(http::Response response, transport_->send(request, std::move(stop)));
    return ports::WebPage{response.status, std::move(response.body)};
  }

 private:
  const AddressesOf addresses_of_;
  const std::shared_ptr<http::Transport> transport_;
  const Clock& clock_;
  const std::uint16_t port_;
};

}  // namespace

std::unique_ptr<ports::WebLookup> make_web_lookup(AddressesOf addresses_of, std::shared_ptr<http::Transport> transport,
                                                  const Clock& clock, std::uint16_t port) {
  return std::make_unique<AddressedLookup>(std::move(addresses_of), std::move(transport), clock, port);
}

}  // namespace edgetrust
