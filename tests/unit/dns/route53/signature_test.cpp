// The vectors that AWS published as the Signature Version 4 test suite: the requests, and what their Authorization
// headers must be.
#include "edgetrust/dns/route53/signature.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::dns {
namespace {

using http::Method;

const std::string kSessionToken =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7"
    "mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+"
    "xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

std::string signature_of(http::Request request, const std::string& session_token = {}) {
  const AwsKeys keys{.access_key_id = "AKIDEXAMPLE",
                     .secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                     .session_token = Secret(session_token)};
  EXPECT_TRUE(
      sign(request, keys, {.region = "us-east-1", .service = "service"}, parse_rfc3339("2015-08-30T12:36:00Z").value())
          .has_value());
  const std::string header(request.headers.get("Authorization").value_or(""));
  constexpr std::string_view kBegin =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ";
  EXPECT_TRUE(header.starts_with(kBegin)) << header;
  return header.substr(std::min(kBegin.size(), header.size()));
}
http::Request request(Method method, const std::string& target, http::Headers headers = {}, std::string body = {}) {
  return {.method = method,
          .url = http::Url::parse("https://example.amazonaws.com" + target).value(),
          .headers = std::move(headers),
          .body = std::move(body)};
}

TEST(Signature, GetVanilla) {
  EXPECT_EQ(
      signature_of(request(Method::kGet, "/")),
      "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Signature, GetVanillaQueryOrderKeyCase) {
  EXPECT_EQ(
      signature_of(request(Method::kGet, "/?Param2=value2&Param1=value1")),
      "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(Signature, GetHeaderValueTrim) {
  EXPECT_EQ(signature_of(request(Method::kGet, "/", {{"My-Header1", " value1"}, {"My-Header2", R"( "a   b   c")"}})),
            "SignedHeaders=host;my-header1;my-header2;x-amz-date, "
            "Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(Signature, PostHeaderKeySort) {
  EXPECT_EQ(signature_of(request(Method::kPost, "/", {{"My-Header1", "value1"}})),
            "SignedHeaders=host;my-header1;x-amz-date, "
            "Signature=c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c");
}

TEST(Signature, PostFormUrlencoded) {
  EXPECT_EQ(signature_of(
                request(Method::kPost, "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1")),
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

TEST(Signature, PostStsHeaderBefore) {
  EXPECT_EQ(signature_of(request(Method::kPost, "/"), kSessionToken),
            "SignedHeaders=host;x-amz-date;x-amz-security-token, "
            "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

// Signing it again, with other keys or later, leaves nothing of the first signature.
TEST(Signature, ASignatureIsReplaced) {
  http::Request twice = request(Method::kGet, "/");
  const AwsKeys keys{.access_key_id = "A", .secret_access_key = Secret("b"), .session_token = {}};
  const TimePoint now = parse_rfc3339("2015-08-30T12:36:00Z").value();
  ASSERT_TRUE(sign(twice, keys, {.region = "r", .service = "s"}, now).has_value());
  const std::string first(*twice.headers.get("Authorization"));
  EXPECT_EQ(twice.headers.get("X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(twice.headers.all("Authorization").size(), 1U);
  EXPECT_EQ(first.find("b,"), std::string::npos);
}

}  // namespace
}  // namespace edgetrust::dns
