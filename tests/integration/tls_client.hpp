#pragma once
// A TLS client that judges nothing: what does this port show, and what does it answer? For tests on loopback.
#include "edgetrust/base/encoding.hpp"

#include <csignal>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace edgetrust::integration {

class TlsClient {
 public:
  // Connects to 127.0.0.1:port and shakes hands; see connected() and shook_hands().
  explicit TlsClient(std::uint16_t port, const std::string& server_name = {}) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    std::signal(SIGPIPE, SIG_IGN);  // writing to a peer that has hung up
    timeval limit{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    if (!connected_) return;
    SSL_set_fd(tls_.get(), fd_);
    if (!server_name.empty()) SSL_set_tlsext_host_name(tls_.get(), server_name.c_str());
    shook_hands_ = SSL_connect(tls_.get()) == 1;
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() { close(fd_); }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] bool shook_hands() const { return shook_hands_; }
  // SHA-256 of the leaf that was shown, lower-case hex; empty without a handshake.
  [[nodiscard]] std::string fingerprint() const {
    const X509* leaf = SSL_get0_peer_certificate(tls_.get());
    if (leaf == nullptr) return {};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    X509_digest(leaf, EVP_sha256(), digest, &size);
    return to_hex({reinterpret_cast<const char*>(digest), size});
  }
  [[nodiscard]] int chain_length() const {
    const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(tls_.get());
    return chain == nullptr ? 0 : sk_X509_num(chain);
  }
  // Sends `text`, reads until the peer's message ends with an empty line; empty when it hangs up.
  std::string ask(const std::string& text) {
    SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()));
    std::string answer;
    char chunk[1024];
    while (answer.find("\r\n\r\n") == std::string::npos) {
      const int size = SSL_read(tls_.get(), chunk, sizeof(chunk));
      if (size <= 0) return {};
      answer.append(chunk, static_cast<std::size_t>(size));
    }
    return answer;
  }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  };
  struct FreeTls {
    void operator()(SSL* p) const { SSL_free(p); }
  };
  std::unique_ptr<SSL_CTX, FreeContext> context_{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, FreeTls> tls_{SSL_new(context_.get())};
  int fd_;
  bool connected_ = false;
  bool shook_hands_ = false;
};

}  // namespace edgetrust::integration
