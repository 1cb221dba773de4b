#include "edgetrust/crypto/csr.hpp"

#include "edgetrust/crypto/certificate.hpp"
#include "support/test_ca.hpp"

#include <openssl/x509v3.h>

namespace edgetrust::crypto {
namespace {

const PrivateKey& a_key() {
  static const PrivateKey key = PrivateKey::generate({KeyFamily::kEcdsa, 256}).value();
  return key;
}

// What a CA makes of the request: the test CA verifies the request's signature and copies its names.
CertificateFacts issued_for(const PrivateKey& key, const RequestedNames& names) {
  const support::TestCa ca("root");
  return parse_chain(ca.sign_request(make_csr(key, names).value()).certificate_pem).value().front().facts();
}

struct Parsed {
  std::string subject;
  bool names_are_critical = false;
};
Parsed parse(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> request(
      d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())), X509_REQ_free);
  char* text = X509_NAME_oneline(X509_REQ_get_subject_name(request.get()), nullptr, 0);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request.get());
  const int position = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
  Parsed parsed{.subject = text,
                .names_are_critical = X509_EXTENSION_get_critical(X509v3_get_ext(extensions, position)) == 1};
  OPENSSL_free(text);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return parsed;
}

TEST(Csr, CarriesNamesAndKey) {
  for (const KeyKind kind :
       {KeyKind{KeyFamily::kRsa, 2048}, KeyKind{KeyFamily::kEcdsa, 256}, KeyKind{KeyFamily::kEcdsa, 384}}) {
    const auto key = PrivateKey::generate(kind).value();
    const auto facts = issued_for(key, {.common_name = {},
                                        .dns_names = {"Edge01.example.com", "*.example.com"},
                                        .ip_addresses = {"192.0.2.1", "2001:db8::1"}});
    EXPECT_EQ(facts.dns_names, (std::vector<std::string>{"edge01.example.com", "*.example.com"}));
    EXPECT_EQ(facts.ip_addresses, (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));
    EXPECT_EQ(facts.spki_sha256, key.spki_sha256());
  }
}

TEST(Csr, HasACommonNameOnlyWhenAsked) {
  const auto without =
      parse(make_csr(a_key(), {.common_name = {}, .dns_names = {"a.example"}, .ip_addresses = {}}).value());
  EXPECT_EQ(without.subject, "");
  EXPECT_TRUE(without.names_are_critical);
  const auto with =
      parse(make_csr(a_key(), {.common_name = "a.example", .dns_names = {"a.example"}, .ip_addresses = {}}).value());
  EXPECT_EQ(with.subject, "/CN=a.example");
  EXPECT_FALSE(with.names_are_critical);
}

TEST(Csr, RefusesACommonNameThatIsNoNameOfTheCertificate) {
  const auto refuse = [](const std::string& name) {
    return make_csr(a_key(), {.common_name = name, .dns_names = {"a.example"}, .ip_addresses = {}}).error().what;
  };
  EXPECT_THAT(refuse("b.example"), testing::HasSubstr("must be one of"));
  EXPECT_THAT(refuse(std::string(65, 'a')), testing::HasSubstr("longer than 64"));
}

TEST(Csr, RefusesWhatIsNoDnsName) {
  for (const std::string& name :
       {std::string(), std::string("localhost"), std::string("a..example"), std::string("a.example."),
        std::string("-a.example"), std::string("a-.example"), std::string("a_b.example"), std::string("a.*.example"),
        std::string("*"), std::string("**.example.com"), std::string("a b.example"),
        std::string("a.example\nDNS:victim.example"), std::string("a.example\0.evil", 15),
        std::string("b\xc3\xbc"
                    "cher.example"),
        std::string(64, 'a') + ".example", std::string("a.example,DNS:victim.example")}) {
    const auto refused = make_csr(a_key(), {.common_name = {}, .dns_names = {name}, .ip_addresses = {}});
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid) << name;
    EXPECT_THAT(refused.error().what, testing::Not(testing::HasSubstr("\n")));
  }
  std::string long_name = "example.com";
  while (long_name.size() <= 253) long_name = "abcdefgh." + long_name;
  EXPECT_FALSE(make_csr(a_key(), {.common_name = {}, .dns_names = {long_name}, .ip_addresses = {}}).has_value());
}

TEST(Csr, RefusesWhatIsNoAddressAndNoNameAtAll) {
  for (const char* ip : {"", "1.2.3", "1.2.3.4.5", "1.2.3.4/24", "::g", "0x7f.1", "a.example"}) {
    EXPECT_FALSE(make_csr(a_key(), {.common_name = {}, .dns_names = {}, .ip_addresses = {ip}}).has_value()) << ip;
  }
  EXPECT_THAT(make_csr(a_key(), {}).error().what, testing::HasSubstr("needs a name"));
}

TEST(Csr, BoundsTheNumberOfNames) {
  RequestedNames names;
  for (std::size_t i = 0; i < kMaxRequestedNames; ++i) names.dns_names.push_back("n" + std::to_string(i) + ".example");
  EXPECT_TRUE(make_csr(a_key(), names).has_value());
  names.ip_addresses.push_back("192.0.2.1");
  EXPECT_THAT(make_csr(a_key(), names).error().what, testing::HasSubstr("more than 100 names"));
}

}  // namespace
}  // namespace edgetrust::crypto
