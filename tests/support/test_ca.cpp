#include "support/test_ca.hpp"

#include <stdexcept>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace edgetrust::support {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using CertificateRequest = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Extensions = STACK_OF(X509_EXTENSION);

template <class T>
T* need(T* pointer, const char* what) {
  if (pointer == nullptr) {
    throw std::runtime_error(std::string("test CA: ") + what + ": " + ERR_error_string(ERR_get_error(), nullptr));
  }
  return pointer;
}
void need(int result, const char* what) {
  int ok = 1;
  need(result > 0 ? &ok : nullptr, what);
}

Key make_key(TestKey kind) {
  switch (kind) {
    case TestKey::kEc256: return Key(need(EVP_EC_gen("P-256"), "key"));
    case TestKey::kEc384: return Key(need(EVP_EC_gen("P-384"), "key"));
    case TestKey::kRsa2048: return Key(need(EVP_RSA_gen(2048), "key"));
    case TestKey::kRsa1024: return Key(need(EVP_RSA_gen(1024), "key"));
  }
  throw std::runtime_error("test CA: unknown kind of key");
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const Memory out(need(BIO_new(BIO_s_mem()), "memory"));
  need(PEM_write_bio_X509(out.get(), certificate), "write certificate");
  return text_of(out.get());
}

std::string to_pem(EVP_PKEY* key) {
  const Memory out(need(BIO_new(BIO_s_mem()), "memory"));
  need(PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr), "write key");
  return text_of(out.get());
}

Memory reader(const std::string& text) {
  return Memory(need(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "memory"));
}

Key read_key(const std::string& pem) {
  return Key(need(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr), "read key"));
}

CertificateRequest read_request(const std::string& csr) {
  if (csr.starts_with("-----")) {
    return CertificateRequest(
        need(PEM_read_bio_X509_REQ(reader(csr).get(), nullptr, nullptr, nullptr), "read request"));
  }
  return CertificateRequest(need(d2i_X509_REQ_bio(reader(csr).get(), nullptr), "read request"));
}

void set_serial(X509* certificate, const std::string& hex) {
  BIGNUM* raw = nullptr;
  if (hex.empty()) {
    raw = BN_new();
    need(BN_rand(need(raw, "serial"), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), "serial");
  } else {
    need(BN_hex2bn(&raw, hex.c_str()), "serial");
  }
  const Number number(raw);
  need(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)), "serial");
}

void set_time(ASN1_TIME* field, TimePoint time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  need(ASN1_TIME_adj(field, static_cast<time_t>(seconds), 0, 0), "time");
}

void set_name(X509* certificate, const std::string& common_name) {
  if (common_name.empty()) return;
  need(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(common_name.data()),
                                  static_cast<int>(common_name.size()), -1, 0),
       "name");
}

// An extension in the words of openssl's x509v3_config.
void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(need(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), value.c_str()));
  need(X509_add_ext(certificate, extension.get(), -1), "extension");
}

std::string alternative_names(const TestLeafSpec& spec) {
  std::string names;
  for (const auto& dns : spec.dns) names += (names.empty() ? "DNS:" : ",DNS:") + dns;
  for (const auto& ip : spec.ips) names += (names.empty() ? "IP:" : ",IP:") + ip;
  return names;
}

std::string usages(const TestLeafSpec& spec) {
  if (spec.server_auth && spec.client_auth) return "serverAuth,clientAuth";
  if (spec.server_auth) return "serverAuth";
  return spec.client_auth ? "clientAuth" : "";
}

struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

// A certificate without extensions and signature.
Certificate blank(const std::string& common_name, EVP_PKEY* key, TimePoint not_before, TimePoint not_after) {
  Certificate certificate(need(X509_new(), "certificate"));
  need(X509_set_version(certificate.get(), X509_VERSION_3), "version");
  set_time(X509_getm_notBefore(certificate.get()), not_before);
  set_time(X509_getm_notAfter(certificate.get()), not_after);
  set_name(certificate.get(), common_name);
  need(X509_set_pubkey(certificate.get(), key), "public key");
  return certificate;
}

void sign(X509* certificate, const Issuer& issuer) {
  need(X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate)), "issuer");
  need(X509_sign(certificate, issuer.key, EVP_sha256()), "sign");
}

// A CA certificate; signed by itself when `issuer` is null.
Certificate make_ca(const std::string& name, EVP_PKEY* key, const TestCaSpec& spec, const Issuer* issuer) {
  Certificate made = blank(name, key, spec.not_before, spec.not_after);
  const Issuer self{made.get(), key};
  const Issuer& by = issuer == nullptr ? self : *issuer;
  set_serial(made.get(), {});
  const std::string length = spec.path_length < 0 ? "" : ",pathlen:" + std::to_string(spec.path_length);
  add_extension(made.get(), by.certificate, NID_basic_constraints, "critical,CA:TRUE" + length);
  add_extension(made.get(), by.certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(made.get(), by.certificate, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) add_extension(made.get(), by.certificate, NID_authority_key_identifier, "keyid");
  sign(made.get(), by);
  return made;
}

void copy_names(X509* certificate, X509_REQ* request) {
  Extensions* asked = X509_REQ_get_extensions(request);
  const int at = X509v3_get_ext_by_NID(asked, NID_subject_alt_name, -1);
  if (at >= 0) need(X509_add_ext(certificate, X509v3_get_ext(asked, at), -1), "names of the request");
  sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
}

// A leaf; signed by itself when `issuer` is null.
Certificate make_leaf(const TestLeafSpec& spec, EVP_PKEY* key, X509_REQ* request, const Issuer* issuer) {
  Certificate made = blank(spec.common_name, key, spec.not_before, spec.not_after);
  const Issuer self{made.get(), key};
  const Issuer& by = issuer == nullptr ? self : *issuer;
  set_serial(made.get(), spec.serial);
  add_extension(made.get(), by.certificate, NID_basic_constraints,
                spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!usages(spec).empty()) add_extension(made.get(), by.certificate, NID_ext_key_usage, usages(spec));
  add_extension(made.get(), by.certificate, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) add_extension(made.get(), by.certificate, NID_authority_key_identifier, "keyid");
  if (const auto names = alternative_names(spec); !names.empty()) {
    // RFC 5280 section 4.2.1.6: critical when the subject is empty.
    add_extension(made.get(), by.certificate, NID_subject_alt_name,
                  (spec.common_name.empty() ? "critical," : "") + names);
  } else if (request != nullptr) {
    copy_names(made.get(), request);
  }
  sign(made.get(), by);
  return made;
}

}  // namespace

struct TestCa::Impl {
  std::string name;
  Key key;
  Certificate certificate;
  std::string certificate_pem;
  std::string key_pem;
  std::string above;  // the chain from this one up to the root, which is left out; empty for a root

  Impl(std::string n, const TestCaSpec& spec, const Impl* parent) : name(std::move(n)), key(make_key(spec.key)) {
    const Issuer issuer = parent == nullptr ? Issuer{} : parent->issuer();
    certificate = make_ca(name, key.get(), spec, parent == nullptr ? nullptr : &issuer);
    certificate_pem = to_pem(certificate.get());
    key_pem = to_pem(key.get());
    if (parent != nullptr) above = certificate_pem + parent->above;
  }
  [[nodiscard]] Issuer issuer() const { return {certificate.get(), key.get()}; }
};

TestCa::TestCa(const std::string& name, const TestCaSpec& spec) : impl_(std::make_unique<Impl>(name, spec, nullptr)) {}
TestCa::TestCa(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TestCa::~TestCa() = default;
TestCa::TestCa(TestCa&&) noexcept = default;
TestCa& TestCa::operator=(TestCa&&) noexcept = default;

TestCa TestCa::intermediate(const std::string& name, const TestCaSpec& spec) const {
  return TestCa(std::make_unique<Impl>(name, spec, impl_.get()));
}

std::string TestCa::cross_sign(const TestCa& other, const TestCaSpec& spec) const {
  const Issuer issuer = impl_->issuer();
  return to_pem(make_ca(other.impl_->name, other.impl_->key.get(), spec, &issuer).get());
}

TestCertificate TestCa::issue(const TestLeafSpec& spec) const {
  const Key key = spec.key_pem.empty() ? make_key(spec.key) : read_key(spec.key_pem);
  const Issuer issuer = impl_->issuer();
  const std::string pem = to_pem(make_leaf(spec, key.get(), nullptr, &issuer).get());
  return {.certificate_pem = pem, .chain_pem = pem + impl_->above, .key_pem = to_pem(key.get())};
}

TestCertificate TestCa::sign_request(const std::string& csr, const TestLeafSpec& spec) const {
  const CertificateRequest request = read_request(csr);
  const Key key(need(X509_REQ_get_pubkey(request.get()), "key of the request"));
  need(X509_REQ_verify(request.get(), key.get()), "signature of the request");
  const Issuer issuer = impl_->issuer();
  const std::string pem = to_pem(make_leaf(spec, key.get(), request.get(), &issuer).get());
  return {.certificate_pem = pem, .chain_pem = pem + impl_->above, .key_pem = {}};
}

const std::string& TestCa::certificate_pem() const { return impl_->certificate_pem; }
const std::string& TestCa::key_pem() const { return impl_->key_pem; }

TestCertificate self_signed(const TestLeafSpec& spec) {
  const Key key = spec.key_pem.empty() ? make_key(spec.key) : read_key(spec.key_pem);
  const std::string pem = to_pem(make_leaf(spec, key.get(), nullptr, nullptr).get());
  return {.certificate_pem = pem, .chain_pem = pem, .key_pem = to_pem(key.get())};
}

std::string test_key_pem(TestKey key) { return to_pem(make_key(key).get()); }

}  // namespace edgetrust::support
