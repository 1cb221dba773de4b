#include "edgetrust/crypto/certificate.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "fixtures.hpp"
#include "rfc_keys.hpp"
#include "support/test_ca.hpp"

#include <openssl/err.h>

namespace edgetrust::crypto {
namespace {

using namespace std::chrono_literals;

Certificate one(const std::string& pem) { return parse_chain(pem).value().front(); }
std::string der_of(const std::string& pem) {
  std::string body = pem.substr(pem.find('\n') + 1);
  body.resize(body.find('-'));
  std::erase(body, '\n');
  return from_base64(body).value();
}

TEST(Certificate, OneThatEndsBeforeItBeginsIsNone) {
  const support::TestCa root("Test Root");
  const auto issued = root.issue({.dns = {"edge01.example.com"},
                                  .not_before = support::kTestNotBefore + 24h,
                                  .not_after = support::kTestNotBefore});
  const auto parsed = parse_chain(issued.certificate_pem);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(parsed.error().message(), testing::HasSubstr("ends before it begins"));
}

TEST(Certificate, ASerialNumberLongerThanAllowedIsNotRepeated) {
  const support::TestCa root("Test Root");
  const auto issued = root.issue({.dns = {"edge01.example.com"}, .serial = std::string(200, '7')});
  EXPECT_EQ(one(issued.certificate_pem).facts().serial_number, "longer than 20 octets");
}

TEST(Certificate, SaysWhatItSays) {
  const support::TestCa root("Test Root");
  const support::TestCa inter = root.intermediate("Test Intermediate");
  const auto key = PrivateKey::generate({KeyFamily::kEcdsa, 384}).value();
  const auto from = parse_rfc3339("2026-11-22T12:00:00Z").value();
  const auto issued = inter.issue({.common_name = "edge01.example.com",
                                   .dns = {"edge01.example.com", "*.Edge.Example.com"},
                                   .ips = {"192.0.2.7", "2001:db8::7"},
                                   .not_before = from,
                                   .not_after = from + 2160h,
                                   .key_pem = std::string(key.to_pem()->expose()),
                                   .server_auth = true,
                                   .client_auth = false,
                                   .serial = "0A1B2C"});
  const auto facts = one(issued.certificate_pem).facts();
  EXPECT_EQ(facts.serial_number, "0a1b2c");
  EXPECT_EQ(facts.subject, "CN=edge01.example.com");
  EXPECT_EQ(facts.issuer, "Test Intermediate");
  EXPECT_EQ(facts.not_before, from);
  EXPECT_EQ(facts.not_after, from + 2160h);
  EXPECT_EQ(facts.dns_names, (std::vector<std::string>{"edge01.example.com", "*.edge.example.com"}));
  EXPECT_EQ(facts.ip_addresses, (std::vector<std::string>{"192.0.2.7", "2001:db8::7"}));
  EXPECT_FALSE(facts.is_ca);
  EXPECT_FALSE(facts.self_signed);
  EXPECT_TRUE(facts.server_auth);
  EXPECT_FALSE(facts.client_auth);
  EXPECT_EQ(facts.fingerprint_sha256, to_hex(sha256(der_of(issued.certificate_pem))));
  EXPECT_EQ(facts.spki_sha256, key.spki_sha256());
  EXPECT_EQ(facts.key, (KeyKind{KeyFamily::kEcdsa, 384}));
  const auto issuer = one(inter.certificate_pem()).facts();
  EXPECT_EQ(facts.authority_key_id, issuer.subject_key_id);
  EXPECT_EQ(facts.authority_key_id.size(), 40U);
  EXPECT_TRUE(issuer.is_ca);
  EXPECT_FALSE(issuer.self_signed);
  const auto top = one(root.certificate_pem()).facts();
  EXPECT_TRUE(top.is_ca && top.self_signed);
}

TEST(Certificate, WithoutExtendedUsageAllIsAllowed) {
  const auto facts = one(support::TestCa("root")
                             .issue({.dns = {"a.example"}, .server_auth = false, .client_auth = false})
                             .certificate_pem)
                         .facts();
  EXPECT_TRUE(facts.server_auth && facts.client_auth);
}

TEST(Certificate, IsNamedBySomethingEvenWithoutASubject) {
  const support::TestCa root("root");
  EXPECT_EQ(one(root.issue({.common_name = "x", .dns = {"a.example"}}).certificate_pem).name(), "CN=x");
  EXPECT_EQ(one(root.issue({.dns = {"a.example"}}).certificate_pem).name(), "a.example");
  EXPECT_EQ(one(root.issue({.ips = {"192.0.2.7"}}).certificate_pem).name(), "192.0.2.7");
  EXPECT_EQ(one(root.issue({.serial = "0C"}).certificate_pem).name(), "serial number 0c");
}

TEST(Certificate, CoversWhatItsAlternativeNamesSay) {
  const auto leaf = one(support::TestCa("root")
                            .issue({.common_name = "common.example",
                                    .dns = {"edge01.example.com", "*.wild.example.com", "part*.example.com"},
                                    .ips = {"192.0.2.7", "2001:db8::7"}})
                            .certificate_pem);
  for (const char* name : {"edge01.example.com", "EDGE01.example.COM", "x.wild.example.com", "*.wild.example.com",
                           "192.0.2.7", "2001:db8::7", "2001:DB8:0::7"}) {
    EXPECT_TRUE(leaf.covers(name)) << name;
  }
  for (const char* name :
       {"", "common.example", "edge02.example.com", "x.y.wild.example.com", "wild.example.com", "*.example.com",
        "partial.example.com", "192.0.2.8", "2001:db8::8", "edge01.example.com.evil"}) {
    EXPECT_FALSE(leaf.covers(name)) << name;
  }
  EXPECT_FALSE(leaf.covers(std::string("edge01.example.com\0.evil", 24)));
}

TEST(Chain, ComesBackAsItWas) {
  const auto issued = support::TestCa("root").intermediate("inter").issue({.dns = {"a.example"}});
  const auto chain = parse_chain(issued.chain_pem).value();
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(to_pem(chain), issued.chain_pem);
  EXPECT_EQ(parse_chain("\r\n " + issued.chain_pem + "\n\n")->size(), 2U);
  std::string dos;
  for (const char c : issued.chain_pem) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(parse_chain(dos)->size(), 2U);
}

TEST(Chain, RefusesEverythingElse) {
  const std::string good = support::TestCa("root").issue({.dns = {"a.example"}}).certificate_pem;
  const std::string key(kRfc7515A3Key);
  std::string trusted = good;
  trusted.replace(trusted.find("CERTIFICATE"), 11, "TRUSTED CERTIFICATE");
  std::string headers = good;
  headers.insert(headers.find('\n') + 1, "Proc-Type: 4,CLEAR\n\n");
  std::string flipped = good;
  flipped[200] = flipped[200] == 'A' ? 'B' : 'A';
  for (const std::string& pem :
       {std::string(), std::string("   \n"), std::string("junk"), good + "junk", "junk\n" + good, good + key, key,
        good.substr(0, good.size() - 5), good + "-----BEGIN CERTIFICATE-----\n", trusted, headers,
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN -----\nAAAA\n-----END -----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n"), good + std::string(1, '\0')}) {
    const auto refused = parse_chain(pem);
    ASSERT_FALSE(refused.has_value()) << pem;
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Chain, BoundsSizeAndNumber) {
  const std::string good = support::TestCa("root").issue({.dns = {"a.example"}}).certificate_pem;
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += good;
  EXPECT_EQ(parse_chain(ten)->size(), 10U);
  EXPECT_THAT(parse_chain(ten + good).error().what, testing::HasSubstr("more than 10"));
  EXPECT_THAT(parse_chain(good + std::string(kMaxChainPem, '\n')).error().what,
              testing::HasSubstr("larger than 95000"));
}

TEST(Chain, RefusesACertificateThatIsTooLarge) {
  std::vector<std::string> names;
  for (int i = 0; i < 2000; ++i) names.push_back("a-rather-long-label-" + std::to_string(i) + ".example");
  const std::string large = support::TestCa("root").issue({.dns = names}).certificate_pem;
  ASSERT_LT(large.size(), kMaxChainPem);
  EXPECT_THAT(parse_chain(large).error().what, testing::HasSubstr("larger than 36500"));
}

// Every octet of a certificate, flipped: it is refused, or read as something else, and nothing crashes or is left over.
TEST(Certificate, SurvivesAnyFlippedOctet) {
  const std::string der =
      der_of(support::TestCa("root").issue({.dns = {"a.example"}, .ips = {"192.0.2.7"}}).certificate_pem);
  const auto original = Certificate::from_der(der).value().facts().fingerprint_sha256;
  ERR_clear_error();
  for (std::size_t i = 0; i < der.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = der;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto read = Certificate::from_der(changed);
      EXPECT_TRUE(!read || read->facts().fingerprint_sha256 != original) << i;
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0UL);
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(Certificate::from_der(std::string_view(der).substr(0, size)).has_value());
  }
  EXPECT_FALSE(Certificate::from_der(der + "x").has_value());
}

// "edge01.example.com\0.evil" is one name to a person and another to a comparison.
TEST(Certificate, RefusesNamesThatReadInTwoWays) {
  std::string der = der_of(support::TestCa("root").issue({.dns = {"edge01.example.com.evil.example"}}).certificate_pem);
  const auto at = der.find(".evil");
  for (const char c : {'\0', '\n', ' ', '\x80'}) {
    der[at] = c;
    EXPECT_THAT(Certificate::from_der(der).error().what, testing::HasSubstr("malformed DNS name"));
  }
}

}  // namespace
}  // namespace edgetrust::crypto
