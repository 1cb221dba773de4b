#include "edgetrust/dns/rfc2136/tsig.hpp"

#include "edgetrust/base/encoding.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;

// Made with dnspython 2, an implementation of its own: the SOA query of example.com with id 0x1234 and its answers,
// signed at 2026-11-22T12:00:00Z by edge-key.example.
struct Vector {
  TsigAlgorithm algorithm;
  std::string_view query;
  std::string_view mac;
  std::string_view answer;
  std::string_view bad_time;  // BADTIME; the server's clock is 400 s ahead
};
const std::vector<Vector> kVectors = {
    {TsigAlgorithm::kHmacSha256,
     "123400000001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff00000000003d0b686d61632d7368613235360000006b02d940012c002047592915535b0f57c046b82458226d63575b3c5b"
     "41e68391150d5a9cbbe00732123400000000",
     "47592915535b0f57c046b82458226d63575b3c5b41e68391150d5a9cbbe00732",
     "123484000001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff00000000003d0b686d61632d7368613235360000006b02d940012c0020d6ede3985a8d3c972ea026c84c125cacc91b527c"
     "385bd8d89e038a77e7d48308123400000000",
     "123484090001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff0000000000430b686d61632d7368613235360000006b02d940012c00207100c599c131edd152ef323c0e7d095df9722b1c"
     "b444cbe4c8172e0bf7c6ae4a12340012000600006b02dad0"},
    {TsigAlgorithm::kHmacSha384,
     "123400000001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff00000000004d0b686d61632d7368613338340000006b02d940012c00309b7e9c5b4620b06a7e50f6593c19bfcffbc2d39f"
     "188d75d8b70652166719ee1eb100ea53c2376def0bd28db5f8ad7fbb123400000000",
     "9b7e9c5b4620b06a7e50f6593c19bfcffbc2d39f188d75d8b70652166719ee1eb100ea53c2376def0bd28db5f8ad7fbb",
     "123484000001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff00000000004d0b686d61632d7368613338340000006b02d940012c003022d7f854604deaf865feb7766e77653e2b5e24c5"
     "8a3654212f01866bfa1e926b4e1c671e308f5f13f5506be078e07083123400000000",
     "123484090001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff0000000000530b686d61632d7368613338340000006b02d940012c00307eb6bf537d62ccf3fc8d8439573c8a6aa49fa1d6"
     "a07ee8d2f88133bc640ae2e265dc4823fe2518ae4cbe09c3cf6d5dd112340012000600006b02dad0"},
    {TsigAlgorithm::kHmacSha512,
     "123400000001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff00000000005d0b686d61632d7368613531320000006b02d940012c004055d858b1d3310338bc7aad3a4e268ddec99f1ea5"
     "7eee4b54a05e0cad72c40d1673302af0b81e344462864fcc916ffd1f6b7514c40d0a0bee205c8e0250c46839123400000000",
     "55d858b1d3310338bc7aad3a4e268ddec99f1ea57eee4b54a05e0cad72c40d1673302af0b81e344462864fcc916ffd1f6b75"
     "14c40d0a0bee205c8e0250c46839",
     "123484000001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff00000000005d0b686d61632d7368613531320000006b02d940012c0040a242bdeca5cb9ea32f916296edf28f0adefbca63"
     "c6c3f18325b2b8f5ea0e4ad842b3c15fa09961403516ea9cc81beb3b9c24ca6aa12c3160a69c5dda224dd42d123400000000",
     "123484090001000000000001076578616d706c6503636f6d000006000108656467652d6b6579076578616d706c650000fa00"
     "ff0000000000630b686d61632d7368613531320000006b02d940012c0040b41f3e9bc1680a45309bd9fa3da67e62968585ed"
     "abc5107e6f5b0d4d5b822e18da70991899da86e8b58c2605a2781a7cb7643c72148ad28e2b6455c1f66f558e123400120006"
     "00006b02dad0"},
};

std::string bytes(std::string_view hex) { return from_hex(hex).value(); }

struct Tsig : testing::Test {
  support::FakeClock clock;
  static TsigKey key(TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256) {
    return {"Edge-Key.example.", algorithm, Secret("0123456789abcdef0123456789abcdef")};
  }
  // The first vector's answer, checked as if it were this.
  Result<TsigVerdict> checked(const std::string& answer, const TsigKey& with = key()) {
    return verify(with, answer, bytes(kVectors[0].mac), clock.now());
  }
  const std::string good = bytes(kVectors[0].answer);
};

TEST_F(Tsig, SignsAsOthersDo) {
  for (const Vector& vector : kVectors) {
    std::string plain = bytes(vector.query).substr(0, 29);  // up to the end of the question
    plain[11] = 0;                                          // no additional record yet
    const auto made = sign(key(vector.algorithm), plain, clock.now());
    ASSERT_TRUE(made.has_value()) << made.error().what;
    EXPECT_EQ(to_hex(made->wire), vector.query);
    EXPECT_EQ(to_hex(made->mac), vector.mac);
  }
}

TEST_F(Tsig, BelievesWhatOthersSigned) {
  for (const Vector& vector : kVectors) {
    const auto verdict = verify(key(vector.algorithm), bytes(vector.answer), bytes(vector.mac), clock.now());
    ASSERT_TRUE(verdict.has_value()) << verdict.error().what;
    EXPECT_TRUE(verdict->is_signed);
    EXPECT_EQ(verdict->error, TsigError::kNone);
    const auto late = verify(key(vector.algorithm), bytes(vector.bad_time), bytes(vector.mac), clock.now());
    ASSERT_TRUE(late.has_value()) << late.error().what;
    EXPECT_TRUE(late->is_signed);
    EXPECT_EQ(late->error, TsigError::kBadTime);
    EXPECT_EQ(late->server_time, clock.now() + 400s);
  }
}

TEST_F(Tsig, TheCaseOfTheKeysNameMeansNothing) {
  std::string shouted = good;
  const std::size_t at = shouted.find("edge-key");
  ASSERT_NE(at, std::string::npos);
  shouted.replace(at, 4, "EDGE");
  EXPECT_TRUE(checked(shouted).value().is_signed);
}

TEST_F(Tsig, AChangeOfAnyBitIsSeen) {
  int unsigned_answers = 0;
  // The first 16 bits are the id: a server between may change it (section 5.3), and exchange() compares it.
  for (std::size_t bit = 16; bit < good.size() * 8; ++bit) {
    std::string changed = good;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1U << bit % 8));
    const auto verdict = checked(changed);
    const bool in_a_name = (bit / 8 >= 29 && bit / 8 < 47) || (bit / 8 >= 57 && bit / 8 < 70);
    if (in_a_name && bit % 8 == 5) continue;  // the case of a letter of the key's or the algorithm's name
    if (verdict && !verdict->is_signed) ++unsigned_answers;
    EXPECT_FALSE(verdict && verdict->is_signed && verdict->error == TsigError::kNone) << "bit " << bit;
  }
  EXPECT_GT(unsigned_answers, 0) << "some changes make it no TSIG record at all";
}

TEST_F(Tsig, TheRequestIsCovered) {
  const auto verdict = verify(key(), good, bytes(kVectors[0].mac).replace(0, 1, "x"), clock.now());
  ASSERT_FALSE(verdict.has_value());
  EXPECT_EQ(verdict.error().kind, ErrorKind::kProtocol);
}

TEST_F(Tsig, AnotherKeyNameSecretOrAlgorithmIsNotBelieved) {
  TsigKey other_name = key();
  other_name.name = "other-key.example";
  EXPECT_EQ(checked(good, other_name).error().what, "an answer that is not believed: it is signed with another key");
  TsigKey other_secret = key();
  other_secret.secret = Secret("x");
  EXPECT_EQ(checked(good, other_secret).error().what, "an answer that is not believed: its signature is wrong");
  EXPECT_EQ(checked(good, key(TsigAlgorithm::kHmacSha512)).error().what,
            "an answer that is not believed: it is signed with another algorithm");
}

TEST_F(Tsig, AShortenedSignatureIsWrong) {
  std::string shortened = good;
  const std::size_t mac_at = shortened.size() - 6 - 32;
  shortened.erase(mac_at + 16, 16);
  shortened[mac_at - 1] = 16;
  shortened[56] = static_cast<char>(shortened[56] - 16);  // the record's length
  const auto verdict = checked(shortened);
  ASSERT_FALSE(verdict.has_value());
  EXPECT_EQ(verdict.error().what, "an answer that is not believed: its signature is wrong");
}

TEST_F(Tsig, ASignatureOfAnotherTimeIsAClockThatDiffers) {
  for (const auto apart : {301s, -301s}) {
    const auto verdict = verify(key(), good, bytes(kVectors[0].mac), clock.now() - apart);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_FALSE(verdict->is_signed);
    EXPECT_EQ(verdict->error, TsigError::kBadTime);
    EXPECT_EQ(verdict->server_time, clock.now());
  }
  EXPECT_TRUE(verify(key(), good, bytes(kVectors[0].mac), clock.now() + 300s)->is_signed);
}

TEST_F(Tsig, AnUnsignedAnswerIsNeitherBelievedNorAnError) {
  std::string plain = good.substr(0, 29);
  plain[11] = 0;
  const auto verdict = checked(plain);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_FALSE(verdict->is_signed);
  EXPECT_EQ(verdict->error, TsigError::kNone);
}

TEST_F(Tsig, SurvivesTwentyThousandMutations) {
  support::FakeRandom random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string wire = good;
    for (std::uint64_t change = random.below(4); change < 4; ++change)
      wire[random.below(wire.size())] = static_cast<char>(random.below(256));
    if (random.below(4) == 0) wire.resize(random.below(wire.size() + 1));
    const auto verdict = checked(wire);
    const bool is_believed = verdict && verdict->is_signed;
    EXPECT_TRUE(!is_believed || wire.substr(2, 27) == good.substr(2, 27));
  }
}

TEST_F(Tsig, RefusesWhatCannotBeSigned) {
  EXPECT_EQ(sign(key(), "short", clock.now()).error().kind, ErrorKind::kInvalid);
  TsigKey nameless = key();
  nameless.name = "a..b";
  EXPECT_EQ(sign(nameless, good, clock.now()).error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace edgetrust::dns
