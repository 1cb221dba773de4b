#include "sip_service.hpp"

#include "edgetrust/base/text.hpp"

#include <boost/asio/write.hpp>
#include <sys/socket.h>

namespace edgetrust::sim {
namespace {

constexpr std::size_t kMostConnections = 64;  // a port
constexpr std::chrono::seconds kIdle{60};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

tcp::endpoint loopback(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

// SO_REUSEPORT alone: our two sockets share the number, and nobody else's can have it.
SystemError bind(tcp::acceptor& acceptor, std::uint16_t port) {
  SystemError error;
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.set_option(ReusePort(true), error);
  if (!error) acceptor.bind(loopback(port), error);
  return error;
}

void harden(asio::ssl::context& context) {
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
}

}  // namespace

OptionsReply SipService::next_reply() {
  options_seen += 1;
  const bool fails = mode == OptionsMode::kFail || (mode == OptionsMode::kFlap && options_seen % 2 == 1);
  return fails ? OptionsReply::kUnavailable : OptionsReply::kOk;
}

TlsContext make_server_context(const std::string& chain_pem, const Secret& key_pem) {
  const auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  harden(*context);
  SystemError error;
  context->use_certificate_chain(asio::buffer(chain_pem), error);
  const auto key = key_pem.expose();
  if (!error) context->use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem, error);
  return error ? nullptr : context;
}

// One connection: a handshake, then requests until someone hangs up.
class SipPort::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<SipPort> port, tcp::socket socket, TlsContext context)
      : port_(std::move(port)),
        context_(std::move(context)),
        stream_(std::move(socket), *context_),
        timer_(port_->io_) {}

  void start() {
    watch();
    stream_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](SystemError error) {
      if (error) return self->close();
      self->service_ = self->port_->service_for(self->stream_.native_handle());
      if (!self->service_ || !self->service_->open) return self->close();
      self->read();
    });
  }

  // Before the handshake is done it is not known whose connection it is: on a shared port it stays.
  [[nodiscard]] bool belongs_to(const SipService& service) const {
    return service_ ? service_.get() == &service : port_->services_.size() == 1;
  }

  void close() {
    SystemError ignored;
    timer_.cancel();
    stream_.next_layer().close(ignored);
  }

 private:
  void watch() {
    timer_.expires_after(kIdle);
    timer_.async_wait([weak = weak_from_this()](SystemError error) {
      const auto self = weak.lock();
      if (!error && self) self->close();
    });
  }

  void read() {
    watch();
    stream_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](SystemError error, std::size_t size) {
      if (error) return self->close();
      self->input_.append(self->chunk_.data(), size);
      self->answer();
    });
  }

  void answer() {
    SipStep step = sip_answer(input_, [this] { return service_->next_reply(); });
    if (step.kind == SipStep::Kind::kMore) return read();
    if (step.kind == SipStep::Kind::kGarbage) return close();
    output_ = std::move(step.reply);
    input_.erase(0, step.consumed);
    if (output_.empty()) return answer();
    asio::async_write(stream_, asio::buffer(output_), [self = shared_from_this()](SystemError error, std::size_t) {
      if (error) return self->close();
      self->answer();
    });
  }

  const std::shared_ptr<SipPort> port_;
  const TlsContext context_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer timer_;
  std::shared_ptr<SipService> service_;
  std::array<char, 2048> chunk_{};
  std::string input_;
  std::string output_;
};

Result<std::shared_ptr<SipPort>> SipPort::reserve(asio::io_context& io, std::uint16_t wanted) {
  tcp::acceptor reserved(io);
  if (const SystemError error = bind(reserved, wanted)) {
    return fail(ErrorKind::kUnavailable, "SIP port " + std::to_string(wanted) + ": " + error.message());
  }
  const std::uint16_t number = reserved.local_endpoint().port();
  return std::shared_ptr<SipPort>(new SipPort(io, std::move(reserved), number));
}

SipPort::SipPort(asio::io_context& io, tcp::acceptor reserved, std::uint16_t number)
    : io_(io), reserved_(std::move(reserved)), listening_(io), number_(number) {}

void SipPort::attach(std::shared_ptr<SipService> service) {
  services_.push_back(std::move(service));
  refresh();
}

void SipPort::detach(const std::string& edge) {
  for (const auto& service : services_) {
    if (service->edge.id == edge) drop_connections(*service);
  }
  std::erase_if(services_, [&](const auto& service) { return service->edge.id == edge; });
  refresh();
}

void SipPort::refresh() {
  const bool wanted =
      std::any_of(services_.begin(), services_.end(), [](const auto& service) { return service->open; });
  if (wanted == listening_.is_open()) return;
  if (!wanted) {
    SystemError ignored;
    listening_.close(ignored);
    return;
  }
  SystemError error = bind(listening_, number_);
  if (!error) listening_.listen(static_cast<int>(kMostConnections), error);
  if (!error) return accept();
  SystemError ignored;
  listening_.close(ignored);
}

void SipPort::drop_connections(const SipService& service) {
  for (const auto& weak : sessions_) {
    const auto session = weak.lock();
    if (session && session->belongs_to(service)) session->close();
  }
}

void SipPort::accept() {
  listening_.async_accept([weak = weak_from_this()](SystemError error, tcp::socket socket) {
    const auto self = weak.lock();
    if (error == asio::error::operation_aborted || !self || !self->listening_.is_open()) return;
    if (!error) self->admit(std::move(socket));
    self->accept();
  });
}

void SipPort::admit(tcp::socket socket) {
  sessions_.remove_if([](const auto& weak) { return weak.expired(); });
  TlsContext context = context_for_new();
  if (!context || sessions_.size() >= kMostConnections) return;  // the socket closes
  const auto session = std::make_shared<Session>(shared_from_this(), std::move(socket), std::move(context));
  sessions_.push_back(session);
  session->start();
}

TlsContext SipPort::context_for_new() {
  if (services_.size() == 1) return services_.front()->context;
  if (!front_) {
    front_ = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    harden(*front_);
    SSL_CTX_set_tlsext_servername_callback(front_->native_handle(), &SipPort::choose_by_name);
    SSL_CTX_set_tlsext_servername_arg(front_->native_handle(), this);
  }
  return front_;
}

std::shared_ptr<SipService> SipPort::service_for(SSL* connection) const {
  if (services_.size() == 1) return services_.front();
  const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return nullptr;
  const auto found = std::find_if(services_.begin(), services_.end(),
                                  [&](const auto& service) { return lower(service->edge.host) == lower(name); });
  return found == services_.end() ? nullptr : *found;
}

int SipPort::choose_by_name(SSL* connection, int* alert, void* port) {
  const auto service = static_cast<SipPort*>(port)->service_for(connection);
  if (!service || !service->open || !service->context) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  SSL_set_SSL_CTX(connection, service->context->native_handle());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace edgetrust::sim
