// http-01 as main serves it: what is answered, and how the operator looks at it itself.
#include "http01_answers.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"
#include "web_lookup.hpp"

#include <gmock/gmock.h>

namespace edgetrust {
namespace {

using http::Method;
using testing::HasSubstr;

const api::HttpAnswer kAnswer{"edge01.example.com", "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"};
const std::string kPath = "/.well-known/acme-challenge/" + kAnswer.token;

api::EdgeCertificate with_answers(std::vector<api::HttpAnswer> answers, std::string thumbprint = "thumb") {
  api::EdgeCertificate certificate;
  certificate.status.order = api::OrderStatus{.revision = 1};
  certificate.status.order->http_answers = std::move(answers);
  certificate.status.order->account_thumbprint = std::move(thumbprint);
  return certificate;
}

struct AnswersTest : testing::Test {
  Http01Answers answers;
  void put(const std::string& name, const api::EdgeCertificate& certificate) {
    answers.changed({"voice", name}, &certificate);
  }
  [[nodiscard]] int status(const std::string& method, const std::string& path) const {
    return answers.answer({.method = method, .path = path, .query = {}, .headers = {}, .body = {}}).status;
  }
};

TEST_F(AnswersTest, GivesWhatStandsInAStatus) {
  put("edge01", with_answers({kAnswer}));
  put("edge02", with_answers({{"edge02.example.com", "another"}}));
  const auto given = answers.answer({.method = "GET", .path = kPath, .query = {}, .headers = {}, .body = {}});
  EXPECT_EQ(given.status, 200);
  EXPECT_EQ(given.body, kAnswer.token + ".thumb");
  EXPECT_EQ(given.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(status("HEAD", kPath), 200);
  EXPECT_EQ(status("GET", "/.well-known/acme-challenge/another"), 200);
}

TEST_F(AnswersTest, AndNothingElse) {
  put("edge01", with_answers({kAnswer}));
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"}) EXPECT_EQ(status(method, kPath), 404);
  for (const std::string& path :
       {std::string("/"), std::string("/metrics"), std::string("/healthz"), std::string("/.well-known/acme-challenge/"),
        std::string("/.well-known/acme-challenge"), kPath + "/", kPath + "x", kPath.substr(0, kPath.size() - 1),
        "/x" + kPath, "/.well-known/acme-challenge/../acme-challenge/" + kAnswer.token, "/" + kAnswer.token})
    EXPECT_EQ(status("GET", path), 404) << path;
}

TEST_F(AnswersTest, FollowsTheKeyOfTheAccount) {
  put("edge01", with_answers({kAnswer}));
  put("edge01", with_answers({kAnswer}, "next"));
  const auto given = answers.answer({.method = "GET", .path = kPath, .query = {}, .headers = {}, .body = {}});
  EXPECT_EQ(given.body, kAnswer.token + ".next");
}

TEST_F(AnswersTest, AnAnswerGoesWithItsOrder) {
  put("edge01", with_answers({kAnswer}));
  put("edge02", with_answers({kAnswer}));  // a CA may give two orders one authorization
  put("edge01", with_answers({}));
  EXPECT_EQ(status("GET", kPath), 200);
  put("edge02", {});
  EXPECT_EQ(status("GET", kPath), 404);
  put("edge01", with_answers({kAnswer}));
  EXPECT_EQ(status("GET", kPath), 200);
  answers.changed({"voice", "edge01"}, nullptr);
  EXPECT_EQ(status("GET", kPath), 404);
}

struct WebLookupTest : testing::Test {
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  support::FakeClock clock{"2026-11-22T12:00:00Z"};
  Result<std::vector<std::string>> addresses = std::vector<std::string>{"192.0.2.7", "2001:db8::7"};
  std::vector<std::string> looked_up;

  Result<ports::WebPage> get(std::uint16_t port = 80) {
    const auto addresses_of = [this](const std::string& host, const net::Wait& /*wait*/) {
      looked_up.push_back(host);
      return addresses;
    };
    return make_web_lookup(addresses_of, transport, clock, port)->get("edge01.example.com", "/x", {});
  }
};

TEST_F(WebLookupTest, AsksTheAddressForTheName) {
  transport->expect(Method::kGet, "http://192.0.2.7/x", support::answer(404, "none"));
  const auto page = get();
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 404);
  EXPECT_EQ(page->body, "none");
  EXPECT_EQ(looked_up, std::vector<std::string>{"edge01.example.com"});
  EXPECT_EQ(transport->requests()[0].host, "edge01.example.com");
  transport->expect(Method::kGet, "http://192.0.2.7:5002/x", support::answer(200));
  EXPECT_EQ(get(5002)->status, 200);
  EXPECT_EQ(transport->requests()[1].host, "edge01.example.com:5002");
}

TEST_F(WebLookupTest, ARedirectIsAnAnswerAndALargeOneIsNone) {
  transport->expect(Method::kGet, "http://192.0.2.7/x", support::answer(301, "", {{"Location", "http://192.0.2.8/"}}));
  EXPECT_EQ(get()->status, 301);
  transport->expect(Method::kGet, "http://192.0.2.7/x", support::answer(200, std::string(5000, 'x')));
  EXPECT_EQ(get().error().kind, ErrorKind::kProtocol);
}

TEST_F(WebLookupTest, AsksNobodyWhereItMayNot) {
  for (const char* address : {"169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "100.100.100.200"}) {
    addresses = std::vector<std::string>{"192.0.2.7", address};
    EXPECT_EQ(get().error().kind, ErrorKind::kInvalid) << address;
  }
  addresses = fail(ErrorKind::kNotFound, "no such name");
  EXPECT_EQ(get().error().kind, ErrorKind::kNotFound);
  looked_up.clear();
  const auto off = get(0);
  EXPECT_EQ(off.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(off.error().message(), HasSubstr("--http01-check-port"));
  EXPECT_TRUE(looked_up.empty());
  EXPECT_TRUE(transport->requests().empty());
}

}  // namespace
}  // namespace edgetrust
