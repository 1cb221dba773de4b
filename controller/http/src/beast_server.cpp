#include "server_session.hpp"

#include <future>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <openssl/ssl.h>

namespace edgetrust::http {
namespace {

using asio::ip::tcp;

Result<asio::ssl::context> to_context(const ServerTls& tls) {
  const auto& [certificate, key] = tls;
  asio::ssl::context context(asio::ssl::context::tls_server);
  beast::error_code error;
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  // An encrypted key must fail, not ask a terminal for its password.
  SSL_CTX_set_default_passwd_cb(context.native_handle(), [](char*, int, int, void*) { return 0; });
  context.use_certificate_chain(asio::buffer(certificate), error);
  if (error) return fail(ErrorKind::kInvalid, "server: the certificate cannot be read: " + error.message());
  context.use_private_key(asio::buffer(key.expose()), asio::ssl::context::pem, error);
  if (error)
    return fail(ErrorKind::kInvalid, "server: the key cannot be read or is not the certificate's: " + error.message());
  return context;
}

// One thread does all reading and writing; `options.threads` threads run handlers.
class BeastServer final : public Server {
 public:
  BeastServer(ServerOptions options, Handler handler) : shared_(std::move(options), std::move(handler)) {}

  ~BeastServer() override {
    asio::post(shared_.io, [this] {
      shared_.connections.abort_all();
      shared_.io.stop();
    });
    if (io_thread_.joinable()) io_thread_.join();
    shared_.handlers.stop();
    shared_.handlers.join();
  }
  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;
  BeastServer(BeastServer&&) = delete;
  BeastServer& operator=(BeastServer&&) = delete;

  Status listen() {
    const auto& options = shared_.options;
    beast::error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) return fail(ErrorKind::kInvalid, "server: '" + options.address + "' is no IP address");
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (!error) return {};
    return fail(ErrorKind::kUnavailable, "server: cannot listen on " + options.address + " port " +
                                             std::to_string(options.port) + ": " + error.message());
  }

  Status load_tls() {
    if (!shared_.options.tls) return {};
    EDGETRUST_TRY_ASSIGN(shared_.tls, to_context(*shared_.options.tls));
    return {};
  }

  void run() {
    accept();
    io_thread_ = std::jthread([this] { shared_.io.run(); });
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  // A connection holds what it was begun with (SSL_new(3)).
  Status set_tls(const ServerTls& tls) override {
    if (!shared_.options.tls) return fail(ErrorKind::kInvalid, "server: it speaks no TLS");
    EDGETRUST_TRY_ASSIGN(asio::ssl::context fresh, to_context(tls));
    std::promise<void> done;
    asio::post(shared_.io, [&] {
      shared_.tls = std::move(fresh);
      done.set_value();
    });
    done.get_future().wait();
    return {};
  }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error) return accept_later();
      const auto is_full = [this] { return shared_.connections.count() >= shared_.options.max_connections; };
      if (is_full() && shared_.options.is_public) shared_.connections.abort_oldest();
      if (!is_full()) serve(std::move(socket));
      accept();
    });
  }

  // Out of descriptors, most likely: trying again at once would burn the processor.
  void accept_later() {
    retry_.expires_after(std::chrono::milliseconds{100});
    retry_.async_wait([this](beast::error_code error) {
      if (!error) accept();
    });
  }

  void serve(tcp::socket&& socket) {
    beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (shared_.options.tls) {
      std::make_shared<Session<TlsStream>>(shared_, std::move(socket), shared_.tls)->start();
    } else {
      std::make_shared<Session<PlainStream>>(shared_, std::move(socket))->start();
    }
  }

  ServerShared shared_;
  tcp::acceptor acceptor_{shared_.io};
  asio::steady_timer retry_{shared_.io};
  std::uint16_t port_ = 0;
  std::jthread io_thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) try {
  if (options.threads < 1 || options.max_connections < 1 || !handler) {
    return fail(ErrorKind::kInvalid, "server: it needs a handler, a thread and a connection");
  }
  auto server = std::make_unique<BeastServer>(std::move(options), std::move(handler));
  EDGETRUST_TRY(server->load_tls());
  EDGETRUST_TRY(server->listen());
  server->run();
  return server;
} catch (const std::exception& error) {
  return fail(ErrorKind::kUnavailable, std::string("server: cannot start: ") + error.what());
}

}  // namespace edgetrust::http
