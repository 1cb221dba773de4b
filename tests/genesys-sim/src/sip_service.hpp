#pragma once
// The listening side: ports, the services behind them, their connections. Private to the plant; its one thread only.
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "sip_plant.hpp"
#include "sip_text.hpp"

#include <list>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

namespace edgetrust::sim {

namespace asio = boost::asio;
using asio::ip::tcp;
using TlsContext = std::shared_ptr<asio::ssl::context>;
using SystemError = boost::system::error_code;

// One Edge's SIP-TLS service.
struct SipService {
  SipEdge edge;
  TlsContext context;  // null: nothing installed, or a key that does not fit
  bool open = false;
  OptionsMode mode = OptionsMode::kAnswer;
  std::uint64_t options_seen = 0;

  OptionsReply next_reply();
};

// Null when the two do not make a server.
TlsContext make_server_context(const std::string& chain_pem, const Secret& key_pem);

class SipPort : public std::enable_shared_from_this<SipPort> {
 public:
  static Result<std::shared_ptr<SipPort>> reserve(asio::io_context& io, std::uint16_t wanted);

  [[nodiscard]] std::uint16_t number() const { return number_; }
  [[nodiscard]] std::size_t services() const { return services_.size(); }
  void attach(std::shared_ptr<SipService> service);
  void detach(const std::string& edge);
  // Listens when a service is open, refuses connections when none is.
  void refresh();
  void drop_connections(const SipService& service);

 private:
  class Session;
  SipPort(asio::io_context& io, tcp::acceptor reserved, std::uint16_t number);
  void accept();
  void admit(tcp::socket socket);
  // What a connection is given: the only service's context, or one that chooses by SNI.
  TlsContext context_for_new();
  [[nodiscard]] std::shared_ptr<SipService> service_for(SSL* connection) const;
  static int choose_by_name(SSL* connection, int* alert, void* port);

  asio::io_context& io_;
  tcp::acceptor reserved_;  // bound, never listening: keeps the number while the service is down
  tcp::acceptor listening_;
  const std::uint16_t number_;
  std::vector<std::shared_ptr<SipService>> services_;
  TlsContext front_;
  std::list<std::weak_ptr<Session>> sessions_;
};

}  // namespace edgetrust::sim
