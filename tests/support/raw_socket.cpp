#include "support/raw_socket.hpp"

#include <charconv>
#include <csignal>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace edgetrust::support {
namespace {

constexpr int kPatience = 30;  // seconds

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int bound_socket(std::uint16_t& port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (descriptor < 0 || ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("raw socket: cannot bind");
  }
  port = ntohs(address.sin_port);
  return descriptor;
}

// OpenSSL writes without MSG_NOSIGNAL.
void block_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

BIO* reader(const std::string& text) { return BIO_new_mem_buf(text.data(), static_cast<int>(text.size())); }

void use_chain(SSL_CTX* context, const std::string& pem) {
  BIO* in = reader(pem);
  X509* leaf = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context, leaf);
  X509_free(leaf);
  while (X509* next = PEM_read_bio_X509(in, nullptr, nullptr, nullptr)) SSL_CTX_add_extra_chain_cert(context, next);
  BIO_free(in);
}

void use_key(SSL_CTX* context, const std::string& pem) {
  BIO* in = reader(pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  BIO_free(in);
}

void require_client(SSL_CTX* context, const std::string& ca_pem) {
  BIO* in = reader(ca_pem);
  X509* ca = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
  X509_free(ca);
  BIO_free(in);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  opened_.notify_all();
}

bool Gate::wait() {
  std::unique_lock lock(mutex_);
  return opened_.wait_for(lock, std::chrono::seconds{kPatience}, [this] { return open_; });
}

struct RawSocket::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL* session = nullptr;
  Tls() = default;
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  ~Tls() {
    SSL_free(session);
    SSL_CTX_free(context);
  }
};

RawSocket::RawSocket(int descriptor) : descriptor_(descriptor) {
  const timeval patience{.tv_sec = kPatience, .tv_usec = 0};
  const int on = 1;
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawSocket::~RawSocket() { close(); }

std::unique_ptr<RawSocket> RawSocket::connect(std::uint16_t port) {
  auto socket = std::make_unique<RawSocket>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(socket->descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return nullptr;
  return socket;
}

bool RawSocket::accept_tls(const RawTls& tls) {
  block_sigpipe();
  tls_ = std::make_unique<Tls>();
  if (tls.weak || !tls.tls12) SSL_CTX_set_security_level(tls_->context, 0);
  use_chain(tls_->context, tls.certificate_pem);
  use_key(tls_->context, tls.key_pem);
  if (!tls.client_ca_pem.empty()) require_client(tls_->context, tls.client_ca_pem);
  if (!tls.tls13) SSL_CTX_set_max_proto_version(tls_->context, TLS1_2_VERSION);
  if (!tls.tls12) {
    SSL_CTX_set_min_proto_version(tls_->context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls_->context, TLS1_1_VERSION);
  }
  tls_->session = SSL_new(tls_->context);
  SSL_set_fd(tls_->session, descriptor_);
  if (SSL_accept(tls_->session) == 1) return true;
  tls_.reset();
  shutdown_send();
  wait_closed();
  return false;
}

bool RawSocket::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t piece = std::min<std::size_t>(bytes.size(), 16384);
    const auto sent = tls_ ? SSL_write(tls_->session, bytes.data(), static_cast<int>(piece))
                           : ::send(descriptor_, bytes.data(), piece, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    written_ += static_cast<std::size_t>(sent);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawSocket::read_some(std::size_t max) {
  if (!unread_.empty()) return std::exchange(unread_, {});
  std::string bytes(max, '\0');
  const auto size =
      tls_ ? SSL_read(tls_->session, bytes.data(), static_cast<int>(max)) : ::recv(descriptor_, bytes.data(), max, 0);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

std::string RawSocket::read_until(std::string_view delimiter) {
  std::string bytes;
  for (;;) {
    const auto at = bytes.find(delimiter);
    if (at != std::string::npos) {
      unread_ = bytes.substr(at + delimiter.size()) + unread_;
      bytes.resize(at + delimiter.size());
      return bytes;
    }
    const std::string more = read_some();
    if (more.empty()) return bytes;
    bytes += more;
  }
}

std::string RawSocket::read_all() {
  std::string bytes;
  for (std::string more = read_some(); !more.empty(); more = read_some()) bytes += more;
  return bytes;
}

std::string RawSocket::read_message() {
  std::string message = read_until("\r\n\r\n");
  const auto at = message.find("Content-Length: ");
  if (at == std::string::npos) return message;
  std::size_t length = 0;
  std::from_chars(message.data() + at + 16, message.data() + message.size(), length);
  const std::size_t total = message.size() + length;
  while (message.size() < total) {
    const std::string more = read_some();
    if (more.empty()) return message;
    const std::size_t wanted = std::min(more.size(), total - message.size());
    message += more.substr(0, wanted);
    unread_ = more.substr(wanted);
  }
  return message;
}

void RawSocket::wait_closed() { read_all(); }

bool RawSocket::writable_within(std::chrono::milliseconds time) const {
  pollfd look{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return ::poll(&look, 1, static_cast<int>(time.count())) > 0;
}

void RawSocket::shutdown_send() const { ::shutdown(descriptor_, SHUT_WR); }

void RawSocket::interrupt() {
  const std::lock_guard lock(closing_);
  ::shutdown(descriptor_, SHUT_RDWR);
}

void RawSocket::close() {
  const std::lock_guard lock(closing_);
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void RawSocket::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

RawServer::RawServer(Script script, std::optional<RawTls> tls)
    : script_(std::move(script)), tls_(std::move(tls)), listener_(bound_socket(port_)) {
  if (::listen(listener_, 64) != 0) throw std::runtime_error("raw server: cannot listen");
  accepter_ = std::jthread([this] { accept_all(); });
}

RawServer::~RawServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::shutdown(listener_, SHUT_RDWR);
  accepter_.join();
  ::close(listener_);
  for (const auto& socket : sockets_) socket->interrupt();
  threads_.clear();  // joins
}

void RawServer::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      if (descriptor >= 0) ::close(descriptor);
      return;
    }
    if (descriptor < 0) return;
    RawSocket& socket = *sockets_.emplace_back(std::make_unique<RawSocket>(descriptor));
    threads_.emplace_back([this, &socket, number = connections_++] { serve(socket, number); });
  }
}

void RawServer::serve(RawSocket& socket, int number) {
  if (!tls_ || socket.accept_tls(*tls_)) script_(socket, number);
  socket.close();
}

std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(bound_socket(port));
  return port;
}

}  // namespace edgetrust::support
