#include "sbc.hpp"

#include <boost/asio/write.hpp>
#include <openssl/x509v3.h>

namespace edgetrust::sim {
namespace {

constexpr std::chrono::seconds kLongestLook{3};

class Look : public std::enable_shared_from_this<Look> {
 public:
  Look(asio::io_context& io, TlsContext context, std::string host, std::uint64_t number,
       std::function<void(SbcView)> done)
      : context_(std::move(context)),
        stream_(io, *context_),
        timer_(io),
        host_(std::move(host)),
        output_(sip_options(host_, number)),
        done_(std::move(done)) {}

  void start(std::uint16_t port) {
    SSL_set_tlsext_host_name(stream_.native_handle(), host_.c_str());
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(stream_.native_handle()), host_.c_str(), host_.size());
    timer_.expires_after(kLongestLook);
    timer_.async_wait([self = shared_from_this()](SystemError error) {
      if (!error) self->finish({.up = false, .cause = "no answer in time", .silent = true});
    });
    stream_.next_layer().async_connect({asio::ip::address_v4::loopback(), port},
                                       [self = shared_from_this()](SystemError error) {
                                         if (error)
                                           return self->finish({.up = false, .cause = error.message(), .silent = true});
                                         self->greet();
                                       });
  }

 private:
  void greet() {
    stream_.async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](SystemError error) {
      if (!error) return self->ask();
      const long verdict = SSL_get_verify_result(self->stream_.native_handle());
      self->finish({.up = false,
                    .cause = verdict == X509_V_OK ? "TLS: " + error.message()
                                                  : std::string("the certificate does not verify: ") +
                                                        X509_verify_cert_error_string(verdict)});
    });
  }

  void ask() {
    asio::async_write(stream_, asio::buffer(output_), [self = shared_from_this()](SystemError error, std::size_t) {
      if (error) return self->finish({.up = false, .cause = "OPTIONS: " + error.message()});
      self->listen();
    });
  }

  void listen() {
    stream_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](SystemError error, std::size_t size) {
      if (error) return self->finish({.up = false, .cause = "OPTIONS: " + error.message()});
      self->input_.append(self->chunk_.data(), size);
      const auto status = sip_status(self->input_);
      if (!status) return self->listen();
      if (*status == 200) return self->finish({.up = true, .cause = {}});
      self->finish({.up = false, .cause = "OPTIONS was answered with " + std::to_string(*status)});
    });
  }

  void finish(SbcView view) {
    if (!done_) return;
    SystemError ignored;
    timer_.cancel();
    stream_.next_layer().close(ignored);
    std::exchange(done_, nullptr)(std::move(view));
  }

  const TlsContext context_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer timer_;
  const std::string host_;
  const std::string output_;
  std::string input_;
  std::array<char, 2048> chunk_{};
  std::function<void(SbcView)> done_;
};

}  // namespace

Result<TlsContext> make_sbc_context(const std::string& trust_pem) {
  const auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  context->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  context->set_verify_mode(asio::ssl::verify_peer);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SystemError error;
  if (!trust_pem.empty()) context->add_certificate_authority(asio::buffer(trust_pem), error);
  if (error) return fail(ErrorKind::kInvalid, "the SBC's trust store: " + error.message());
  return context;
}

void look_at(asio::io_context& io, const TlsContext& context, std::uint16_t port, const std::string& server_name,
             std::uint64_t number, std::function<void(SbcView)> done) {
  std::make_shared<Look>(io, context, server_name, number, std::move(done))->start(port);
}

}  // namespace edgetrust::sim
