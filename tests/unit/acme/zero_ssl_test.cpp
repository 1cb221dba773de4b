// External account bindings from ZeroSSL.
#include "edgetrust/acme/zero_ssl.hpp"

#include "support/fake_transport.hpp"

#include <gmock/gmock.h>

namespace edgetrust::acme {
namespace {

using support::Answer;
using support::answer;
using support::json_answer;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kUrl = "https://api.zerossl.com/acme/eab-credentials?access_key=0123456789abcdef";

Result<ports::ExternalBinding> ask(Answer given, const char* key = "0123456789abcdef\n") {
  support::FakeTransport transport;
  transport.expect(http::Method::kPost, kUrl, std::move(given));
  return zero_ssl_binding(Secret(key), transport, {});
}

TEST(ZeroSsl, GivesABinding) {
  const auto binding = ask(json_answer(200, R"({"success":true,"eab_kid":"kid","eab_hmac_key":"aG1hYw"})"));
  ASSERT_TRUE(binding.has_value());
  EXPECT_EQ(binding->key_id, "kid");
  EXPECT_EQ(binding->hmac_key.expose(), "aG1hYw");
}

TEST(ZeroSsl, SaysWhyNot) {
  struct Cell {
    Answer given;
    ErrorKind kind;
    const char* text;
  };
  for (const Cell& cell :
       {Cell{json_answer(200, R"({"success":false,"error":{"code":101,"type":"invalid_access_key"}})"),
             ErrorKind::kUnauthorized, "invalid_access_key"},
        Cell{json_answer(200, R"({"success":false,"error":{"code":2,"type":"rate"}})"), ErrorKind::kUnavailable,
             "rate"},
        Cell{answer(401), ErrorKind::kUnauthorized, "401"}, Cell{answer(429), ErrorKind::kRateLimited, "429"},
        Cell{answer(502, "<html>"), ErrorKind::kUnavailable, "502"},
        Cell{json_answer(200, R"({"success":true,"eab_kid":"kid"})"), ErrorKind::kUnavailable, "200"},
        Cell{support::lost_answer(), ErrorKind::kTimeout, "no answer"}}) {
    const auto refused = ask(cell.given);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, cell.kind);
    EXPECT_THAT(refused.error().message(), HasSubstr(cell.text));
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("0123456789abcdef")));
  }
}

// It goes into a URL.
TEST(ZeroSsl, TakesNothingForAKeyThatIsNone) {
  support::FakeTransport transport;
  for (const char* key : {"", "a key", "a&b", "a/../b", "k#", "\xc3\xa4"}) {
    const auto refused = zero_ssl_binding(Secret(key), transport, {});
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_TRUE(transport.requests().empty());
}

}  // namespace
}  // namespace edgetrust::acme
