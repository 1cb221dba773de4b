#include "support/test_ca.hpp"

#include "edgetrust/base/time_text.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace edgetrust::support {
namespace {

using Certificate = std::shared_ptr<X509>;

std::vector<Certificate> read_all(const std::string& pem) {
  std::vector<Certificate> read;
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr))
    read.emplace_back(certificate, X509_free);
  BIO_free(in);
  return read;
}

// What OpenSSL says about the first certificate of a chain, for a TLS server of that name at that time.
int verdict(const std::string& chain, const std::string& roots, const std::string& host,
            const std::string& at = "2026-11-22T12:00:00Z") {
  X509_STORE* store = X509_STORE_new();
  const auto trusted = read_all(roots);
  for (const auto& root : trusted) X509_STORE_add_cert(store, root.get());
  STACK_OF(X509)* untrusted = sk_X509_new_null();
  const auto sent = read_all(chain);
  for (const auto& certificate : sent) sk_X509_push(untrusted, certificate.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, sent.at(0).get(), untrusted);
  X509_STORE_CTX_set_default(context, "ssl_server");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(parameters, parse_rfc3339(at).value().time_since_epoch().count() / 1000);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), 0);
  }
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  sk_X509_free(untrusted);
  X509_STORE_free(store);
  return error;
}

TEST(TestCa, ALeafVerifiesThroughTwoIntermediates) {
  const TestCa root("root");
  const TestCa one = root.intermediate("one");
  const TestCa two = one.intermediate("two", {.key = TestKey::kRsa2048});
  const auto leaf = two.issue({.dns = {"edge.example"}, .ips = {"127.0.0.1", "::1"}});
  EXPECT_EQ(read_all(leaf.chain_pem).size(), 3U);
  EXPECT_EQ(verdict(leaf.chain_pem, root.certificate_pem(), "edge.example"), X509_V_OK);
  EXPECT_EQ(verdict(leaf.chain_pem, root.certificate_pem(), "::1"), X509_V_OK);
  EXPECT_EQ(verdict(leaf.certificate_pem, root.certificate_pem(), "edge.example"),
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST(TestCa, WhatIsMadeWrongIsFoundWrong) {
  const TestCa root("root");
  const auto past = root.issue({.dns = {"a"}, .not_after = parse_rfc3339("2026-11-22T11:59:59Z").value()});
  const auto future = root.issue({.dns = {"a"}, .not_before = parse_rfc3339("2026-11-22T12:00:01Z").value()});
  const auto client = root.issue({.dns = {"a"}, .server_auth = false});
  EXPECT_EQ(verdict(past.chain_pem, root.certificate_pem(), "a"), X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(verdict(future.chain_pem, root.certificate_pem(), "a"), X509_V_ERR_CERT_NOT_YET_VALID);
  EXPECT_EQ(verdict(client.chain_pem, root.certificate_pem(), "a"), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verdict(root.issue({.dns = {"a"}}).chain_pem, root.certificate_pem(), "b"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verdict(self_signed({.common_name = "a", .dns = {"a"}}).chain_pem, root.certificate_pem(), "a"),
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST(TestCa, CrossSigningGivesASecondWayUp) {
  const TestCa old_root("old");
  const TestCa new_root("new");
  const auto leaf = new_root.issue({.dns = {"a"}});
  EXPECT_NE(verdict(leaf.chain_pem, old_root.certificate_pem(), "a"), X509_V_OK);
  EXPECT_EQ(verdict(leaf.chain_pem + old_root.cross_sign(new_root), old_root.certificate_pem(), "a"), X509_V_OK);
}

TEST(TestCa, AGivenKeyAndSerialAreUsed) {
  const TestCa root("root");
  const std::string key = test_key_pem(TestKey::kEc384);
  const auto leaf = root.issue({.dns = {"a"}, .key_pem = key, .serial = "0123AB"});
  EXPECT_EQ(leaf.key_pem, key);
  const auto read = read_all(leaf.certificate_pem).at(0);
  EXPECT_EQ(ASN1_INTEGER_get(X509_get0_serialNumber(read.get())), 0x0123AB);
}

// A request for "req.example", DER.
std::string request_of(const std::string& key_pem) {
  BIO* in = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  X509_REQ* request = X509_REQ_new();
  X509_REQ_set_pubkey(request, key);
  STACK_OF(X509_EXTENSION)* asked = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(asked, X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:req.example"));
  X509_REQ_add_extensions(request, asked);
  X509_REQ_sign(request, key, EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request, &der);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
  X509_REQ_free(request);
  EVP_PKEY_free(key);
  BIO_free(in);
  return bytes;
}

TEST(TestCa, ARequestGetsItsNamesUnlessOthersAreGiven) {
  const TestCa root("root");
  const std::string request = request_of(test_key_pem(TestKey::kEc256));
  const auto own = root.sign_request(request);
  EXPECT_EQ(own.key_pem, "");
  EXPECT_EQ(verdict(own.chain_pem, root.certificate_pem(), "req.example"), X509_V_OK);
  const auto other = root.sign_request(request, {.dns = {"other.example"}});
  EXPECT_EQ(verdict(other.chain_pem, root.certificate_pem(), "other.example"), X509_V_OK);
  EXPECT_EQ(verdict(other.chain_pem, root.certificate_pem(), "req.example"), X509_V_ERR_HOSTNAME_MISMATCH);
}

}  // namespace
}  // namespace edgetrust::support
