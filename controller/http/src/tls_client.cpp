#include "tls_client.hpp"

#include "link.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace edgetrust::http {
namespace {

using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

constexpr std::size_t kRecordHeader = 5;  // RFC 8446 section 5.1
constexpr unsigned char kApplicationData = 23;

// An encrypted key must fail, not ask a terminal for its password.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return 0; }

int verify(X509_STORE_CTX* context, void* link) {
  const int verified = X509_verify_cert(context);
  auto& known = *static_cast<Link*>(link);
  if (verified <= 0) known.explain_refusal(explain_refusal(context, known.host));
  return verified;
}

// Sees every record that is read or written. A request leaves in the first record of application data; what arrives is
// counted here, for the library itself puts no bound on a header or on one chunk.
void watch(int writing, int /*version*/, int content_type, const void* bytes, std::size_t size, SSL* tls, void* user) {
  auto& link = *static_cast<Link*>(user);
  const auto* octets = static_cast<const unsigned char*>(bytes);
  if (content_type == SSL3_RT_HEADER && size >= kRecordHeader) {
    if (writing != 0 && SSL_version(tls) < TLS1_3_VERSION && octets[0] == kApplicationData) link.sent = true;
    const std::size_t length = static_cast<std::size_t>(octets[3]) << 8U | octets[4];
    // Told so, OpenSSL takes the peer as gone, and the exchange ends.
    if (writing == 0 && !link.arrived(length)) SSL_set_shutdown(tls, SSL_get_shutdown(tls) | SSL_RECEIVED_SHUTDOWN);
  }
  // TLS 1.3 hides the true type inside the record.
  if (content_type == SSL3_RT_INNER_CONTENT_TYPE && writing != 0 && octets[0] == kApplicationData) link.sent = true;
}

// RFC 9110 section 4.3.4 and RFC 6125: the subject's common name is no name of a server.
void verify_name(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  }
}

Result<KeyPtr> read_key(const Secret& pem) {
  const Memory in(BIO_new_mem_buf(pem.expose().data(), static_cast<int>(pem.size())));
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!key) return fail(ErrorKind::kInvalid, "client key: it cannot be read (PEM without a password is expected)");
  return key;
}

}  // namespace

Result<std::shared_ptr<const TlsClient>> TlsClient::create(const TlsOptions& options) {
  const std::shared_ptr<TlsClient> client(new TlsClient);
  EDGETRUST_TRY_ASSIGN(client->store_, make_store(options));
  if (options.client_certificate_pem.empty()) return client;
  EDGETRUST_TRY_ASSIGN(client->chain_,
                       read_certificates(options.client_certificate_pem, "client certificate: the text"));
  EDGETRUST_TRY_ASSIGN(client->key_, read_key(options.client_key_pem));
  const bool fits = X509_check_private_key(client->chain_.front().get(), client->key_.get()) == 1;
  ERR_clear_error();
  if (!fits) return fail(ErrorKind::kInvalid, "client key: it does not belong to the client certificate");
  return client;
}

void TlsClient::prepare(SSL_CTX* context, Link& link) const {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set1_cert_store(context, store_.get());
  verify_name(context, link.host);
  SSL_CTX_set_cert_verify_callback(context, verify, &link);
  SSL_CTX_set_msg_callback(context, watch);
  SSL_CTX_set_msg_callback_arg(context, &link);
  if (chain_.empty()) return;
  SSL_CTX_use_certificate(context, chain_.front().get());
  SSL_CTX_use_PrivateKey(context, key_.get());
  for (auto next = chain_.begin() + 1; next != chain_.end(); ++next) SSL_CTX_add1_chain_cert(context, next->get());
}

}  // namespace edgetrust::http
