#include "handshake.hpp"

#include "edgetrust/probe/probe.hpp"
#include "sip_options.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/pem.h>

namespace edgetrust::probe {
namespace {

using namespace std::chrono_literals;

using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;

constexpr std::size_t kMostReceived = 256'000;  // of a whole handshake: the chain and what stands around it
constexpr std::size_t kPiece = 16'384;
constexpr auto kFarewell = 200ms;  // how long the peer may take to end the connection too

// What the peer sent as its chain; filled while the handshake runs.
struct Presented {
  std::string pem;
  std::size_t certificates = 0;
};

std::string pem_of(STACK_OF(X509) * chain) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (PEM_write_bio_X509(memory.get(), sk_X509_value(chain, i)) != 1) return {};
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// Stands where OpenSSL would verify the chain: keeps it, and accepts it.
int keep_chain(X509_STORE_CTX* store, void* /*unused*/) {
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* presented = static_cast<Presented*>(SSL_get_app_data(ssl));
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_untrusted(store);
  presented->certificates = static_cast<std::size_t>(std::max(0, sk_X509_num(chain)));
  if (presented->certificates <= kMostCertificates) presented->pem = pem_of(chain);
  return 1;
}

bool is_alert(int reason) { return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256; }

// In the words of OpenSSL; an alert that the peer sent in those of TLS.
std::string reason_of(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  if (reason == SSL_R_WRONG_VERSION_NUMBER) return "it answers, but not TLS";
  if (is_alert(reason)) {
    const char* alert = SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
    return std::string("it ends the handshake with the alert \"") + alert + "\"";
  }
  const char* text = ERR_reason_error_string(error);
  return text == nullptr ? "the TLS handshake failed" : std::string("the TLS handshake failed: ") + text;
}

class Handshake {
 public:
  Handshake(SSL_CTX* context, const net::Socket& socket, const net::Wait& wait)
      : socket_(socket), wait_(wait), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())), ssl_(SSL_new(context)) {
    if (!ssl_ || in_ == nullptr || out_ == nullptr) return;
    SSL_set_bio(ssl_.get(), in_, out_);  // it owns them from here
    SSL_set_app_data(ssl_.get(), &presented_);
    SSL_set_connect_state(ssl_.get());
  }

  Result<ports::ServedChain> run(const Greeting& greeting) {
    if (!ssl_) return fail(ErrorKind::kInternal, "OpenSSL: out of memory");
    EDGETRUST_TRY(prepare(greeting));
    const Status done = shake();
    const bool is_kept = done || (refused_by_peer_ && has_proved_its_key());
    if (!is_kept) return fail(done.error());
    if (presented_.certificates > kMostCertificates)
      return fail(ErrorKind::kProtocol, "it presents " + std::to_string(presented_.certificates) +
                                            " certificates; at most " + std::to_string(kMostCertificates) +
                                            " are read");
    if (presented_.pem.empty()) return fail(ErrorKind::kProtocol, "it presents no certificate");
    ports::ServedChain served{std::move(presented_.pem), SSL_get_version(ssl_.get()), {}, {}};
    if (!greeting.sip_options.empty()) {
      auto status = done ? ask_sip(greeting.sip_options) : Result<int>(fail(done.error()));
      if (status)
        served.sip_status = *status;
      else
        served.sip_error = std::move(status).error();
    }
    if (done) say_goodbye();
    return served;
  }

 private:
  Status prepare(const Greeting& greeting) {
    if (!greeting.server_name.empty() && SSL_set_tlsext_host_name(ssl_.get(), greeting.server_name.c_str()) != 1)
      return fail(ErrorKind::kInvalid, "a server name that TLS cannot carry");
    return offer(greeting.cipher_suites, greeting.oldest);
  }

  Status offer_versions(int oldest, int newest) {
    const bool is_set =
        SSL_set_min_proto_version(ssl_.get(), oldest) == 1 && SSL_set_max_proto_version(ssl_.get(), newest) == 1;
    return is_set ? Status{} : fail(ErrorKind::kInternal, "OpenSSL does not know this version of TLS");
  }

  // The suites of TLS 1.3 and all others are two lists, and the names of the former alone begin with TLS_
  // (SSL_CTX_set_cipher_list(3)). A list that is not given stays OpenSSL's; in one that is, a name that OpenSSL does
  // not know is passed over.
  Status offer(const std::vector<std::string>& suites, ports::TlsVersion oldest) {
    std::string tls13;
    std::string tls12;
    for (const auto& suite : suites) {
      std::string& list = suite.starts_with("TLS_") ? tls13 : tls12;
      list += (list.empty() ? "" : ":") + suite;
    }
    const bool has_tls13 = tls13.empty() || (SSL_set_ciphersuites(ssl_.get(), tls13.c_str()) == 1 && offers_tls13());
    const bool has_tls12 =
        oldest == ports::TlsVersion::kTls12 && (tls12.empty() || SSL_set_cipher_list(ssl_.get(), tls12.c_str()) == 1);
    if (!has_tls12 && !has_tls13) return fail(ErrorKind::kInvalid, "OpenSSL knows none of the cipher suites");
    return offer_versions(has_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION, has_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  }

  [[nodiscard]] bool offers_tls13() const {
    const STACK_OF(SSL_CIPHER)* all = SSL_get_ciphers(ssl_.get());
    for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
      if (SSL_CIPHER_get_version(sk_SSL_CIPHER_value(all, i)) == std::string_view("TLSv1.3")) return true;
    }
    return false;
  }

  // The code of the final answer; what comes before it (RFC 3261 section 7.2: 1xx) is read and passed over.
  Result<int> ask_sip(const std::string& request) {
    // Into memory: it goes whole, or not at all.
    if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0)
      return fail(ErrorKind::kProtocol, reason_of(ERR_peek_last_error()));
    EDGETRUST_TRY(flush());
    SipReply reply;
    for (;;) {
      ERR_clear_error();
      std::array<char, kPiece> piece;
      const int count = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      if (count > 0) {
        EDGETRUST_TRY_ASSIGN(const auto status, reply.take({piece.data(), static_cast<std::size_t>(count)}));
        if (status) return *status;
        continue;
      }
      const int state = SSL_get_error(ssl_.get(), count);
      if (state == SSL_ERROR_ZERO_RETURN) return closed();
      if (state != SSL_ERROR_WANT_READ) return fail(ErrorKind::kProtocol, reason_of(ERR_peek_last_error()));
      EDGETRUST_TRY(flush());  // TLS has an answer of its own to give now and then
      EDGETRUST_TRY(receive());
    }
  }

  Status shake() {
    for (;;) {
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_.get());
      const int state = SSL_get_error(ssl_.get(), result);
      const unsigned long error = ERR_peek_last_error();
      Status sent = flush();  // also the alert with which OpenSSL ends a handshake
      if (result == 1) return sent;
      if (state != SSL_ERROR_WANT_READ) {
        refused_by_peer_ = is_alert(ERR_GET_REASON(error));
        if (state == SSL_ERROR_ZERO_RETURN) return closed();
        return fail(ErrorKind::kProtocol, reason_of(error));
      }
      EDGETRUST_TRY(sent);
      EDGETRUST_TRY(receive());
    }
  }

  Status flush() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    if (size <= 0) return {};
    Status sent = net::send_all(socket_, {data, static_cast<std::size_t>(size)}, wait_);
    BIO_reset(out_);
    return sent;
  }

  Status receive() {
    EDGETRUST_TRY_ASSIGN(const std::string bytes, net::receive_some(socket_, kPiece, wait_));
    if (bytes.empty()) return closed();
    received_ += bytes.size();
    if (received_ > kMostReceived) return fail(ErrorKind::kProtocol, "a TLS handshake without end");
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> closed() const {
    return fail(ErrorKind::kUnavailable, SSL_is_init_finished(ssl_.get()) == 1
                                             ? "it closed the connection without an answer"
                                             : "it closed the connection during the TLS handshake");
  }

  // After our last flight every check of a signature by the leaf's key lies behind us, except where the key exchange
  // has none: with RSA key exchange only the server's Finished proves it (RFC 5246 section 7.4.7.1).
  [[nodiscard]] bool has_proved_its_key() const {
    const SSL_CIPHER* cipher = SSL_get_pending_cipher(ssl_.get());
    return cipher != nullptr && SSL_CIPHER_get_kx_nid(cipher) != NID_kx_rsa &&
           SSL_get_state(ssl_.get()) == TLS_ST_CW_FINISHED;
  }

  // A close_notify, then the peer's own end. Closing while something unread lies here would send a reset instead.
  void say_goodbye() {
    SSL_shutdown(ssl_.get());
    if (!flush()) return;
    net::end_sending(socket_);
    const net::Wait farewell = wait_.at_most(kFarewell);
    for (std::size_t total = 0; total < kMostReceived;) {
      const auto bytes = net::receive_some(socket_, kPiece, farewell);
      if (!bytes || bytes->empty()) return;
      total += bytes->size();
    }
  }

  const net::Socket& socket_;
  const net::Wait& wait_;
  Presented presented_;
  BIO* in_;
  BIO* out_;
  SslPtr ssl_;
  std::size_t received_ = 0;
  bool refused_by_peer_ = false;
};

}  // namespace

ContextPtr make_context() {
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return nullptr;
  // Weak keys and small groups are to be seen, not refused: security level 0. Anonymous ciphers stay out of DEFAULT.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context.get(), kLargestChain);
  SSL_CTX_set_cert_verify_callback(context.get(), keep_chain, nullptr);
  const bool is_set = SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context.get(), "DEFAULT") == 1;
  return is_set ? std::move(context) : nullptr;
}

Result<ports::ServedChain> served_chain(SSL_CTX* context, const net::Socket& socket, const Greeting& greeting,
                                        const net::Wait& wait) {
  return Handshake(context, socket, wait).run(greeting);
}

}  // namespace edgetrust::probe
