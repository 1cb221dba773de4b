#include "web_lookup.hpp"

#include "edgetrust/http/forbidden_host.hpp"
#include "edgetrust/http/response_reader.hpp"
#include "edgetrust/net/socket.hpp"

namespace edgetrust {
namespace {

constexpr std::chrono::seconds kPatience{3};  // for the name, and again for the page
constexpr std::size_t kMaxBody = 4096;        // a key authorization has some hundred octets
constexpr std::size_t kReadSize = 4096;

class AddressedLookup final : public ports::WebLookup {
 public:
  AddressedLookup(AddressesOf addresses_of, const Clock& clock, std::uint16_t port)
      : addresses_of_(std::move(addresses_of)), clock_(clock), port_(port) {}

  Result<ports::WebPage> get(const std::string& host, const std::string& path, std::stop_token stop) override {
    if (port_ == 0) return fail(ErrorKind::kUnsupported, "it is not looked at (--http01-check-port is 0)");
    EDGETRUST_TRY_ASSIGN(const auto addresses, addresses_of_(host, net::Wait(clock_, kPatience, stop)));
    for (const auto& address : addresses) {
      if (http::is_forbidden_host(address)) return fail(ErrorKind::kInvalid, address + " is not asked");
    }
    EDGETRUST_TRY_ASSIGN(const net::Endpoint there, net::Endpoint::of(addresses.front(), port_));
    EDGETRUST_TRY_ASSIGN(const net::Endpoint named, net::Endpoint::of(host, port_));
    return read(there, request(port_ == 80 ? without_port(named) : named.to_string(), path), {clock_, kPatience, stop});
  }

 private:
  static std::string without_port(const net::Endpoint& named) {
    return named.is_ipv6() ? "[" + named.host + "]" : named.host;
  }

  static std::string request(const std::string& host, const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: " + host +
           "\r\nUser-Agent: edgetrust\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  }

  static Result<ports::WebPage> read(const net::Endpoint& from, const std::string& request, const net::Wait& wait) {
    EDGETRUST_TRY_ASSIGN(const net::Socket socket, net::connect_tcp(from, wait));
    EDGETRUST_TRY(net::send_all(socket, request, wait));
    http::ResponseReader reader(kMaxBody);
    for (bool whole = false; !whole;) {
      EDGETRUST_TRY_ASSIGN(const std::string octets, net::receive_some(socket, kReadSize, wait));
      if (octets.empty()) {
        EDGETRUST_TRY(reader.end());
        break;
      }
      EDGETRUST_TRY_ASSIGN(whole, reader.take(octets));
    }
    http::Response response = reader.response();
    return ports::WebPage{response.status, std::move(response.body), reader.cut()};
  }

  const AddressesOf addresses_of_;
  const Clock& clock_;
  const std::uint16_t port_;
};

}  // namespace

std::unique_ptr<ports::WebLookup> make_web_lookup(AddressesOf addresses_of, const Clock& clock, std::uint16_t port) {
  return std::make_unique<AddressedLookup>(std::move(addresses_of), clock, port);
}

}  // namespace edgetrust
