#include "edgetrust/crypto/jws.hpp"

#include "edgetrust/json/view.hpp"
#include "rfc_keys.hpp"
#include "support/jws.hpp"

namespace edgetrust::crypto {
namespace {

constexpr std::string_view kPayload =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

PrivateKey read(std::string_view pem) { return PrivateKey::from_pem(Secret(pem)).value(); }
support::PublicJwk public_half(const PrivateKey& key) {
  const auto document = json::Document::parse(public_jwk(key).value()).value();
  return support::PublicJwk::parse(document.root()).value();
}

TEST(Jws, Rs256MatchesRfc7515AppendixA2) {
  const auto jws = json::Document::parse(sign_jws(read(kRfc7515A2Key), R"({"alg":"RS256"})", kPayload).value()).value();
  EXPECT_EQ(jws.root()["protected"].string(), "eyJhbGciOiJSUzI1NiJ9");
  EXPECT_EQ(jws.root()["payload"].string(),
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
  EXPECT_EQ(
      jws.root()["signature"].string(),
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUA"
      "r7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO-"
      "-xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"
      "IoypGlUPQGe77Rw");
}

// ECDSA signs differently each time: the RFC's own signature proves the verifier, the verifier proves ours.
TEST(Jws, Es256MatchesRfc7515AppendixA3) {
  const PrivateKey key = read(kRfc7515A3Key);
  const auto verifier = public_half(key);
  const auto of_the_rfc =
      support::read_jws(R"({"protected":"eyJhbGciOiJFUzI1NiJ9","payload":")"
                        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
                        R"(pc19yb290Ijp0cnVlfQ","signature":")"
                        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJq"
                        R"(PP3-Kg6NU1Q"})")
          .value();
  EXPECT_TRUE(verifier.verifies(of_the_rfc));
  const auto ours = support::read_jws(sign_jws(key, R"({"alg":"ES256"})", kPayload).value()).value();
  EXPECT_EQ(ours.input, of_the_rfc.input);
  EXPECT_TRUE(verifier.verifies(ours));
}

// Of 600 signatures about 4 have a number that is an octet short: they must be padded, not shifted.
TEST(Jws, EcdsaSignaturesHaveAFixedWidth) {
  const PrivateKey key = PrivateKey::generate({KeyFamily::kEcdsa, 256}).value();
  const auto verifier = public_half(key);
  for (int i = 0; i < 600; ++i) {
    const auto jws = support::read_jws(sign_jws(key, "{}", std::to_string(i)).value()).value();
    ASSERT_EQ(jws.signature.size(), 64U);
    ASSERT_TRUE(verifier.verifies(jws)) << i;
  }
}

TEST(Jws, ASignatureCoversHeaderAndPayload) {
  const PrivateKey key = read(kRfc7515A3Key);
  auto jws = support::read_jws(sign_jws(key, R"({"alg":"ES256"})", "").value()).value();
  EXPECT_EQ(jws.payload, "");  // POST-as-GET
  EXPECT_TRUE(public_half(key).verifies(jws));
  EXPECT_FALSE(public_half(read(kRfc7515A2Key)).verifies(jws));
  jws.input += "x";
  EXPECT_FALSE(public_half(key).verifies(jws));
}

TEST(Jws, Hs256MatchesRfc7515AppendixA1) {
  const auto key =
      from_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const auto jws =
      json::Document::parse(
          sign_jws(Hash::kSha256, Secret(key.value()), "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", kPayload).value())
          .value();
  EXPECT_EQ(jws.root()["protected"].string(), "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9");
  EXPECT_EQ(jws.root()["signature"].string(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Jws, MacsOfEveryLength) {
  const std::string key(64, 'k');
  for (const auto& [hash, theirs] : {std::pair(Hash::kSha256, EVP_sha256()), std::pair(Hash::kSha384, EVP_sha384()),
                                     std::pair(Hash::kSha512, EVP_sha512())}) {
    const auto jws = support::read_jws(sign_jws(hash, Secret(key), "{}", kPayload).value()).value();
    EXPECT_TRUE(support::verifies_mac(theirs, jws, key));
  }
}

TEST(Jwk, MatchesRfc7638Section31) {
  const PrivateKey key = read(kRfc7517A2Key);
  EXPECT_EQ(
      public_jwk(key).value(),
      R"({"e":"AQAB","kty":"RSA","n":")"
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o"
      "knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHz"
      "u6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8"
      R"(awapJzKnqDKgw"})");
  EXPECT_EQ(jwk_thumbprint(key).value(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(Jwk, EcdsaMatchesRfc7515AppendixA3) {
  EXPECT_EQ(public_jwk(read(kRfc7515A3Key)).value(),
            R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
}

TEST(Jws, NamesTheAlgorithmOfTheKey) {
  EXPECT_EQ(jws_algorithm(read(kRfc7515A2Key)), "RS256");
  EXPECT_EQ(jws_algorithm(read(kRfc7515A3Key)), "ES256");
  EXPECT_EQ(jws_algorithm(PrivateKey::generate({KeyFamily::kEcdsa, 384}).value()), "ES384");
}

}  // namespace
}  // namespace edgetrust::crypto
