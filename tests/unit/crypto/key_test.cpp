#include "edgetrust/crypto/key.hpp"

#include "edgetrust/base/encoding.hpp"
#include "fixtures.hpp"
#include "rfc_keys.hpp"

#include <openssl/err.h>

namespace edgetrust::crypto {
namespace {

constexpr KeyKind kP256{.family = KeyFamily::kEcdsa, .bits = 256};

std::string pem_of(std::string_view label, std::string_view der) {
  const std::string dashes = "-----";
  return dashes + "BEGIN " + std::string(label) + dashes + "\n" + to_base64(der) + "\n" + dashes + "END " +
         std::string(label) + dashes + "\n";
}
std::string der_of(std::string_view pem) {
  std::string body;
  for (std::size_t at = pem.find('\n') + 1; pem[at] != '-'; ++at) {
    if (pem[at] != '\n') body += pem[at];
  }
  return from_base64(body).value();
}

class EveryKind : public testing::TestWithParam<KeyKind> {};

TEST_P(EveryKind, SurvivesPem) {
  const auto key = PrivateKey::generate(GetParam()).value();
  const Secret pem = key.to_pem().value();
  EXPECT_TRUE(pem.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto read = PrivateKey::from_pem(pem).value();
  EXPECT_EQ(read.kind(), GetParam());
  EXPECT_EQ(read.spki_sha256(), key.spki_sha256());
  EXPECT_EQ(key.spki_sha256().size(), 64U);
}

INSTANTIATE_TEST_SUITE_P(PrivateKey, EveryKind,
                         testing::Values(KeyKind{KeyFamily::kRsa, 2048}, KeyKind{KeyFamily::kRsa, 3072},
                                         KeyKind{KeyFamily::kRsa, 4096}, kP256, KeyKind{KeyFamily::kEcdsa, 384}));

TEST(PrivateKey, IsNewEachTime) {
  EXPECT_NE(PrivateKey::generate(kP256)->spki_sha256(), PrivateKey::generate(kP256)->spki_sha256());
}

TEST(PrivateKey, RefusesToMakeOtherSizes) {
  for (const KeyKind kind :
       {KeyKind{KeyFamily::kRsa, 1024}, KeyKind{KeyFamily::kRsa, 2047}, KeyKind{KeyFamily::kRsa, 1 << 20},
        KeyKind{KeyFamily::kEcdsa, 521}, KeyKind{KeyFamily::kEcdsa, 0}}) {
    EXPECT_EQ(PrivateKey::generate(kind).error().kind, ErrorKind::kInvalid) << kind.bits;
  }
}

TEST(PrivateKey, ReadsTheOlderForms) {
  EXPECT_EQ(PrivateKey::from_pem(Secret(kPkcs1Key))->kind(), (KeyKind{KeyFamily::kRsa, 2048}));
  EXPECT_EQ(PrivateKey::from_pem(Secret(kSec1Key))->kind(), kP256);
}

TEST(PrivateKey, AllowsTextAndCertificatesBesideTheKey) {
  const std::string text = "Bag Attributes\n    friendlyName: edge01\n" + std::string(kSha1Leaf);
  EXPECT_EQ(PrivateKey::from_pem(Secret(text + std::string(kRfc7515A3Key)))->kind(), kP256);
}

// The answer to "what if it is encrypted" must never be a prompt on a terminal: reading this would hang, were it one.
TEST(PrivateKey, RefusesAnEncryptedKeyWithoutAsking) {
  const auto refused = PrivateKey::from_pem(Secret(kEncryptedKey));
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("encrypted"));
  const auto mislabelled = PrivateKey::from_pem(Secret(pem_of("PRIVATE KEY", der_of(kEncryptedKey))));
  EXPECT_EQ(mislabelled.error().kind, ErrorKind::kInvalid);
  const auto old = PrivateKey::from_pem(Secret(
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF"
      "\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"));
  EXPECT_THAT(old.error().what, testing::HasSubstr("encrypted"));
}

TEST(PrivateKey, RefusesOtherKindsOfKeys) {
  for (const auto pem : {kEd25519Key, kExplicitCurveKey}) {
    const auto refused = PrivateKey::from_pem(Secret(pem));
    ASSERT_FALSE(refused.has_value()) << pem;
    EXPECT_THAT(refused.error().what, testing::HasSubstr("neither RSA of 2048 to 4096 bits nor ECDSA"));
  }
}

TEST(PrivateKey, RefusesWhatIsNoKey) {
  const std::string key(kRfc7515A3Key);
  for (const std::string& pem :
       {std::string(), std::string("no PEM at all"), std::string(kSha1Leaf), key + key, key.substr(0, key.size() / 2),
        pem_of("PRIVATE KEY", "rubbish"), pem_of("PRIVATE KEY", ""), std::string("-----BEGIN PRIVATE KEY-----")}) {
    EXPECT_EQ(PrivateKey::from_pem(Secret(pem)).error().kind, ErrorKind::kInvalid) << pem;
  }
}

TEST(PrivateKey, BoundsItsInput) {
  const std::string padding(kMaxKeyPem, '\n');
  EXPECT_THAT(PrivateKey::from_pem(Secret(padding + std::string(kRfc7515A3Key))).error().what,
              testing::HasSubstr("larger than 13000 octets"));
}

// A key that signs what its own certificate does not verify would be found by the first caller who rings in.
TEST(PrivateKey, RefusesAKeyWhoseHalvesDoNotFit) {
  for (const auto& [pem, at] : {std::pair{kRfc7515A3Key, 60U}, std::pair{kRfc7515A2Key, 320U}}) {
    std::string der = der_of(pem);
    der[at] = static_cast<char>(der[at] ^ 1);
    const auto refused = PrivateKey::from_pem(Secret(pem_of("PRIVATE KEY", der)));
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().what, testing::HasSubstr("halves"));
  }
}

TEST(PrivateKey, NoErrorQuotesTheKey) {
  const std::string broken = pem_of("PRIVATE KEY", "CANARY-CANARY-CANARY");
  EXPECT_THAT(PrivateKey::from_pem(Secret(broken)).error().message(), testing::Not(testing::HasSubstr("CANARY")));
}

TEST(PrivateKey, LeavesNothingInOpensslsErrorQueue) {
  ERR_clear_error();
  EXPECT_FALSE(PrivateKey::from_pem(Secret(pem_of("PRIVATE KEY", "rubbish"))).has_value());
  EXPECT_EQ(ERR_peek_error(), 0UL);
}

}  // namespace
}  // namespace edgetrust::crypto
