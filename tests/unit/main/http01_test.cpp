// http-01 as main serves it: what is answered, and how the operator looks at it itself.
#include "http01_answers.hpp"
#include "support/raw_socket.hpp"
#include "web_lookup.hpp"

#include <mutex>

#include <gmock/gmock.h>

namespace edgetrust {
namespace {

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
  SystemClock clock;
  Result<std::vector<std::string>> addresses = std::vector<std::string>{"127.0.0.1", "2001:db8::7"};
  std::vector<std::string> looked_up;
  std::mutex mutex;
  std::vector<std::string> requests;  // as they came

  Result<ports::WebPage> get(std::uint16_t port, const std::string& host = "edge01.example.com",
                             std::stop_token stop = {}) {
    const auto addresses_of = [this](const std::string& name, const net::Wait& /*wait*/) {
      looked_up.push_back(name);
      return addresses;
    };
    return make_web_lookup(addresses_of, clock, port)->get(host, "/x", std::move(stop));
  }
  // A server that says this to each connection, and closes it when the other side does.
  std::unique_ptr<support::RawServer> saying(std::string text) {
    return std::make_unique<support::RawServer>([this, text = std::move(text)](support::RawSocket& socket, int) {
      const std::string request = socket.read_message();
      {
        const std::scoped_lock lock(mutex);
        requests.push_back(request);
      }
      socket.write(text);
      socket.shutdown_send();
      socket.wait_closed();
    });
  }
};

TEST_F(WebLookupTest, AsksTheAddressForTheName) {
  const auto server = saying("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  const auto page = get(server->port());
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_EQ(page->status, 404);
  EXPECT_EQ(page->body, "none");
  EXPECT_EQ(looked_up, std::vector<std::string>{"edge01.example.com"});
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_THAT(requests[0], testing::StartsWith("GET /x HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("\r\nHost: edge01.example.com:" + std::to_string(server->port()) + "\r\n"));
  EXPECT_TRUE(get(server->port()));
  EXPECT_EQ(server->connections(), 2) << "another look may meet another server";
}

TEST_F(WebLookupTest, AnAddressIsAskedForItself) {
  const auto server = saying("HTTP/1.1 200 OK\r\n\r\nx");
  EXPECT_TRUE(get(server->port(), "2001:db8::7"));
  EXPECT_THAT(requests.at(0), HasSubstr("\r\nHost: [2001:db8::7]:" + std::to_string(server->port()) + "\r\n"));
}

TEST_F(WebLookupTest, ARedirectIsAnAnswerAndOfALargeOneTheStatusIsKept) {
  EXPECT_EQ(
      get(saying("HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.8/\r\nContent-Length: 0\r\n\r\n")->port())->status,
      301);
  for (const int status : {200, 404}) {
    const auto page =
        get(saying("HTTP/1.1 " + std::to_string(status) + " Large\r\n\r\n" + std::string(5000, 'x'))->port());
    ASSERT_TRUE(page) << page.error().message();
    EXPECT_EQ(page->status, status);
    EXPECT_TRUE(page->cut);
    EXPECT_EQ(page->body, "");
  }
}

TEST_F(WebLookupTest, WhatEverComesIsBounded) {
  for (const std::string& text : {std::string("no http\r\n\r\n"), "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
                                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x'),
                                  std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n")}) {
    const auto page = get(saying(text)->port());
    ASSERT_FALSE(page) << text.substr(0, 80);
    EXPECT_EQ(page.error().kind, ErrorKind::kProtocol) << page.error().message();
  }
}

TEST_F(WebLookupTest, AServerThatIsNotThereOrSaysNothingIsNotWaitedForLong) {
  EXPECT_EQ(get(support::closed_port()).error().kind, ErrorKind::kUnavailable);
  support::RawServer mute([](support::RawSocket& socket, int) { socket.wait_closed(); });
  EXPECT_EQ(get(mute.port()).error().kind, ErrorKind::kTimeout);
  std::stop_source stopping;
  stopping.request_stop();
  EXPECT_EQ(get(mute.port(), "edge01.example.com", stopping.get_token()).error().kind, ErrorKind::kCancelled);
}

TEST_F(WebLookupTest, AsksNobodyWhereItMayNot) {
  const auto server = saying("HTTP/1.1 200 OK\r\n\r\n");
  for (const char* address : {"169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "100.100.100.200"}) {
    addresses = std::vector<std::string>{"127.0.0.1", address};
    EXPECT_EQ(get(server->port()).error().kind, ErrorKind::kInvalid) << address;
  }
  addresses = fail(ErrorKind::kNotFound, "no such name");
  EXPECT_EQ(get(server->port()).error().kind, ErrorKind::kNotFound);
  looked_up.clear();
  const auto off = get(0);
  EXPECT_EQ(off.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(off.error().message(), HasSubstr("--http01-check-port"));
  EXPECT_TRUE(looked_up.empty());
  EXPECT_EQ(server->connections(), 0);
}

}  // namespace
}  // namespace edgetrust
