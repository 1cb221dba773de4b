#include "edgetrust/pinfile/pin_files.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"

namespace edgetrust::pinfile {
namespace {

using testing::HasSubstr;

std::string hash(char of) { return to_hex(std::string(32, of)); }

ports::PinFile wanted() {
  return {.enabled = true,
          .allow_rotation = true,
          .log_validation_failures = true,
          .fingerprint = hash('a'),
          .accepted = {{.is_public_key = false, .sha256 = hash('a')}, {.is_public_key = true, .sha256 = hash('B')}},
          .min_version = "TLS1.2",
          .cipher_suites = {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"},
          .strict_validation = true};
}

std::string render(const ports::PinFile& file, std::string_view existing = {}) {
  return make_pin_files()->render(file, existing).value().text;
}

constexpr std::string_view kNew = R"({
  "certificatePinning": {
    "enabled": true,
    "algorithm": "SHA256",
    "fingerprint": "61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61",
    "fingerprints": [
      {
        "type": "Certificate",
        "fingerprint": "61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61:61"
      },
      {
        "type": "PublicKey",
        "fingerprint": "42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42:42"
      }
    ],
    "allowRotation": true,
    "logValidationFailures": true
  },
  "tlsSettings": {
    "minVersion": "TLS1.2",
    "cipherSuites": [
      "ECDHE-RSA-AES128-GCM-SHA256",
      "ECDHE-RSA-AES256-GCM-SHA384"
    ],
    "strictValidation": true
  }
}
)";

TEST(PinFile, IsTheGuidesOctetForOctet) {
  const auto document = make_pin_files()->render(wanted(), {}).value();
  EXPECT_EQ(document.text, kNew);
  EXPECT_EQ(document.sha256, to_hex(crypto::sha256(kNew)));
}

TEST(PinFile, WhatIsNotOursIsKeptInItsPlace) {
  const std::string existing =
      R"({"vendor":{"big":18446744073709551615,"small":1.5,"text":"ü\u2028\"","list":[1,{"a":null}]},
    "tlsSettings":{"curves":["P-256"],"minVersion":"TLS1.0"},
    "certificatePinning":{"note":"rack 4","fingerprint":"1A:2B","enabled":false},"last":0})";
  const std::string text = render(wanted(), existing);
  for (const char* kept : {R"("big": 18446744073709551615)", R"("small": 1.5)", R"("note": "rack 4")", R"("P-256")",
                           R"("last": 0)", "ü\u2028\\\"", R"("a": null)"})
    EXPECT_THAT(text, HasSubstr(kept));
  EXPECT_LT(text.find("vendor"), text.find("tlsSettings"));
  EXPECT_LT(text.find("tlsSettings"), text.find("certificatePinning"));
  EXPECT_EQ(text.find("TLS1.0"), std::string::npos);
  EXPECT_EQ(text.find("1A:2B\""), std::string::npos);
  EXPECT_EQ(render(wanted(), text), text);
}

TEST(PinFile, AnotherLayoutOfTheSameIsNoChange) {
  std::string existing(kNew);
  existing.erase(std::remove_if(existing.begin(), existing.end(), [](char c) { return c == '\n' || c == ' '; }),
                 existing.end());
  EXPECT_EQ(render(wanted(), existing), existing);
}

TEST(PinFile, EachFieldOfOursIsOneChange) {
  const auto changed = [](auto change) {
    auto file = wanted();
    change(file);
    return render(file, kNew);
  };
  EXPECT_THAT(changed([](auto& f) { f.enabled = false; }), HasSubstr(R"("enabled": false)"));
  EXPECT_THAT(changed([](auto& f) { f.allow_rotation = false; }), HasSubstr(R"("allowRotation": false)"));
  EXPECT_THAT(changed([](auto& f) { f.log_validation_failures = false; }),
              HasSubstr(R"("logValidationFailures": false)"));
  EXPECT_THAT(changed([](auto& f) { f.fingerprint = hash('c'); }), HasSubstr(R"("fingerprint": "63:63)"));
  EXPECT_THAT(changed([](auto& f) { f.min_version = "TLS1.3"; }), HasSubstr(R"("minVersion": "TLS1.3")"));
  EXPECT_THAT(changed([](auto& f) { f.cipher_suites = {"X"}; }), HasSubstr(R"("X")"));
  EXPECT_THAT(changed([](auto& f) { f.strict_validation = false; }), HasSubstr(R"("strictValidation": false)"));
  const std::string fewer = changed([](auto& f) { f.accepted.pop_back(); });
  EXPECT_EQ(fewer.find("PublicKey"), std::string::npos);
}

TEST(PinFile, SwitchedOffKeepsTheRest) {
  const auto files = make_pin_files();
  const std::string off = files->switched_off(kNew).value().text;
  std::string expected(kNew);
  expected.replace(expected.find("true"), 4, "false");
  EXPECT_EQ(off, expected);
  EXPECT_EQ(files->switched_off(off).value().text, off);
}

TEST(PinFile, WhatCannotBeUnderstoodIsRefusedAndNotRepaired) {
  const auto files = make_pin_files();
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& existing :
       {std::string("null"), std::string("[]"), std::string("\"text\""), std::string("{"), std::string("{}x"),
        std::string(R"({"certificatePinning":[]})"), std::string(R"({"tlsSettings":"x"})"),
        std::string(R"({"a":1,"a":2})"), std::string(R"({"a":")") + std::string(ports::kLargestPinFile, 'x') + R"("})",
        std::string("{\"a\":\"\xff\"}"), std::string(" "), deep}) {
    for (const auto& result : {files->render(wanted(), existing), files->switched_off(existing)}) {
      ASSERT_FALSE(result) << printable(existing, 60);
      EXPECT_EQ(result.error().kind, ErrorKind::kInvalid) << printable(existing, 60);
      EXPECT_THAT(result.error().message(), HasSubstr("the pin file"));
    }
  }
}

TEST(PinFile, APinThatIsNoneIsNeverWritten) {
  for (const std::string& pin : {std::string(), std::string("null"), hash('a').substr(2), hash('a') + "61",
                                 std::string(R"(","enabled":false,"x":")"), "61:" + hash('a').substr(2)}) {
    auto file = wanted();
    file.fingerprint = pin;
    EXPECT_FALSE(make_pin_files()->render(file, kNew)) << pin;
    file = wanted();
    file.accepted.front().sha256 = pin;
    EXPECT_FALSE(make_pin_files()->render(file, kNew)) << pin;
  }
  auto file = wanted();
  file.accepted.clear();
  EXPECT_FALSE(make_pin_files()->render(file, kNew)) << "nobody could connect";
}

// No value leaves the place that is its own.
TEST(PinFile, NoValueBecomesAKey) {
  auto file = wanted();
  file.cipher_suites = {"\",\"enabled\":false,\"x\":\"", "\r\n", "\u2028", std::string("\0", 1), "\xff"};
  const std::string text = render(file);
  EXPECT_EQ(text.find("false"), text.find("false,")) << "inside of a string only";
  EXPECT_THAT(text, HasSubstr(R"("\",\"enabled\":false,\"x\":\"")"));
  EXPECT_THAT(text, HasSubstr(R"("enabled": true)"));
}

// --- what a file says

std::optional<ports::PinFile> read(std::string_view text) { return make_pin_files()->read(text).value(); }

TEST(PinFileRead, WhatWasWrittenIsRead) {
  const auto file = read(kNew);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->accepted, wanted().accepted);
  EXPECT_EQ(file->fingerprint, hash('a'));
  EXPECT_EQ(file->min_version, "TLS1.2");
  EXPECT_EQ(file->cipher_suites, wanted().cipher_suites);
  EXPECT_TRUE(file->strict_validation);
}

TEST(PinFileRead, TheGuidesOwnFileHasOneFingerprint) {
  const std::string colons = to_colon_hex(std::string(32, 'a'));
  const auto file = read(R"({"certificatePinning": {"enabled": true, "fingerprint": ")" + colons + R"("}})");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->accepted, (std::vector<ports::FilePin>{{.is_public_key = false, .sha256 = hash('a')}}));
}

TEST(PinFileRead, WhatDoesNotPinIsNone) {
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read("{}"));
  EXPECT_FALSE(read(make_pin_files()->switched_off(kNew).value().text));
  EXPECT_FALSE(read(R"({"certificatePinning": {"enabled": true, "fingerprint": "null", "fingerprints": [1, {}]}})"));
  EXPECT_FALSE(make_pin_files()->read("no JSON"));
}

}  // namespace
}  // namespace edgetrust::pinfile
