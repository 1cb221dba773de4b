#include "edgetrust/crypto/digest.hpp"

#include "edgetrust/base/encoding.hpp"

namespace edgetrust::crypto {
namespace {

TEST(Digest, Sha256MatchesFips180) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

struct HmacVector {
  std::string key;
  std::string data;
  std::string sha256;
  std::string sha384;
  std::string sha512;
};

class Rfc4231 : public testing::TestWithParam<HmacVector> {};

TEST_P(Rfc4231, Matches) {
  const auto& v = GetParam();
  EXPECT_EQ(to_hex(hmac(Hash::kSha256, Secret(v.key), v.data).value()), v.sha256);
  EXPECT_EQ(to_hex(hmac(Hash::kSha384, Secret(v.key), v.data).value()), v.sha384);
  EXPECT_EQ(to_hex(hmac(Hash::kSha512, Secret(v.key), v.data).value()), v.sha512);
}

// Test cases 1, 2 and 6 (a key longer than a block).
INSTANTIATE_TEST_SUITE_P(
    Hmac, Rfc4231,
    testing::Values(
        HmacVector{std::string(20, '\x0b'), "Hi There",
                   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                   "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
                   "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4"
                   "be9d914eeb61f1702e696c203a126854"},
        HmacVector{"Jefe", "what do ya want for nothing?",
                   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                   "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
                   "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
                   "caeab1a34d4a6b4b636e070a38bce737"},
        HmacVector{std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
                   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                   "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
                   "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
                   "95e64f73f63f0aec8b915a985d786598"}));

// OpenSSL takes a missing key for "the one before": an empty one must not become that.
TEST(Hmac, AnEmptyKeyIsAKey) {
  EXPECT_EQ(to_hex(hmac(Hash::kSha256, Secret(), "").value()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace edgetrust::crypto
