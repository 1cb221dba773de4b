#pragma once
// A TLS server on loopback with the weaknesses that a probe must be able to see.
#include "support/loopback_server.hpp"
#include "support/test_ca.hpp"

#include <map>
#include <memory>
#include <mutex>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>

namespace edgetrust::probe {

struct TlsBehaviour {
  int newest = TLS1_3_VERSION;
  int oldest = TLS1_VERSION;
  std::string ciphers = "ALL:@SECLEVEL=0";  // of TLS 1.2 and older
  std::string tls13_suites = {};            // empty: OpenSSL's own
  bool asks_for_client_certificate = false;
  std::string only_server_name = {};          // any other is refused with an alert
  bool listens_to_sip = false;                // reads one request
  std::vector<std::string> sip_answers = {};  // and writes these, one after the other
  bool closes_after_sip = false;
};

class TlsServer {
 public:
  explicit TlsServer(const support::TestCertificate& identity, const TlsBehaviour& behaviour = {})
      : behaviour_(behaviour), context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), behaviour.oldest);
    SSL_CTX_set_max_proto_version(context_.get(), behaviour.newest);
    SSL_CTX_set_cipher_list(context_.get(), behaviour.ciphers.c_str());
    if (!behaviour.tls13_suites.empty()) SSL_CTX_set_ciphersuites(context_.get(), behaviour.tls13_suites.c_str());
    SSL_CTX_set_dh_auto(context_.get(), 1);
    if (behaviour.asks_for_client_certificate)
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context_.get(), &TlsServer::on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context_.get(), this);
    load(identity);
    server_ = std::make_unique<support::LoopbackServer>(nullptr, [this](auto& connection) { serve(connection); });
  }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  // Of the last connection that is over. Stops the server, so that it is.
  [[nodiscard]] std::string server_name() { return after_the_end(server_name_); }
  [[nodiscard]] bool was_ended_politely() { return after_the_end(polite_); }
  [[nodiscard]] bool was_reset() { return after_the_end(reset_); }
  [[nodiscard]] std::string sip_request() { return after_the_end(sip_request_); }

 private:
  using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

  template <class T>
  T after_the_end(const T& value) {
    server_.reset();
    return value;
  }
  void load(const support::TestCertificate& identity) {
    const Bio chain(BIO_new_mem_buf(identity.chain_pem.data(), -1), BIO_free_all);
    bool is_leaf = true;
    while (X509* certificate = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
      if (is_leaf) {
        SSL_CTX_use_certificate(context_.get(), certificate);
        X509_free(certificate);
      } else {
        SSL_CTX_add_extra_chain_cert(context_.get(), certificate);  // takes it over
      }
      is_leaf = false;
    }
    const Bio key(BIO_new_mem_buf(identity.key_pem.data(), -1), BIO_free_all);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> loaded(
        PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    SSL_CTX_use_PrivateKey(context_.get(), loaded.get());
  }
  static int on_server_name(SSL* ssl, int* /*alert*/, void* self) {
    auto& server = *static_cast<TlsServer*>(self);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    server.server_name_ = name == nullptr ? "" : name;
    const auto& only = server.behaviour_.only_server_name;
    return only.empty() || only == server.server_name_ ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  void serve(support::LoopbackConnection& connection) {
    sigset_t pipe;  // OpenSSL writes with write(2): a client that has gone must not end the test
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl.get(), connection.fd());
    if (SSL_accept(ssl.get()) != 1) return;
    if (behaviour_.listens_to_sip) talk_sip(ssl.get());
    if (behaviour_.closes_after_sip) return;
    char byte = 0;
    const int count = SSL_read(ssl.get(), &byte, 1);
    polite_ = SSL_get_error(ssl.get(), count) == SSL_ERROR_ZERO_RETURN;
    SSL_shutdown(ssl.get());
    reset_ = recv(connection.fd(), &byte, 1, 0) < 0;
  }
  void talk_sip(SSL* ssl) {
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && SSL_read(ssl, &byte, 1) == 1) request += byte;
    sip_request_ = request;
    for (const auto& answer : behaviour_.sip_answers) SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
  }

  TlsBehaviour behaviour_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::string server_name_ = "(none yet)";
  bool polite_ = false;
  bool reset_ = false;
  std::string sip_request_;
  std::unique_ptr<support::LoopbackServer> server_;
};

}  // namespace edgetrust::probe
