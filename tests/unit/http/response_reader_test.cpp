#include "edgetrust/http/response_reader.hpp"

#include <gmock/gmock.h>

namespace edgetrust::http {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMaxBody = 10;

// Read in one piece, and octet by octet: the same.
void expect_read(const std::string& text, int status, const std::string& body, bool cut = false) {
  for (const std::size_t piece : {text.size(), std::size_t{1}}) {
    ResponseReader reader(kMaxBody);
    bool whole = false;
    for (std::size_t at = 0; at < text.size() && !whole; at += piece) {
      const auto taken = reader.take(std::string_view(text).substr(at, piece));
      ASSERT_TRUE(taken) << taken.error().message() << " in " << text;
      whole = *taken;
    }
    if (!whole) {
      const Status ended = reader.end();
      ASSERT_TRUE(ended) << ended.error().message() << " in " << text;
    }
    EXPECT_EQ(reader.response().status, status) << text;
    EXPECT_EQ(reader.response().body, body) << text;
    EXPECT_EQ(reader.cut(), cut) << text;
  }
}

void expect_refused(const std::string& text) {
  for (const std::size_t piece : {text.size(), std::size_t{1}}) {
    ResponseReader reader(kMaxBody);
    std::optional<Error> error;
    bool whole = false;
    for (std::size_t at = 0; at < text.size() && !error && !whole; at += piece) {
      const auto taken = reader.take(std::string_view(text).substr(at, piece));
      if (taken)
        whole = *taken;
      else
        error = taken.error();
    }
    if (!error && !whole) {
      if (const Status ended = reader.end(); !ended) error = ended.error();
    }
    ASSERT_TRUE(error) << text.substr(0, 200);
    EXPECT_EQ(error->kind, ErrorKind::kProtocol);
  }
}

TEST(ResponseReader, ReadsEveryWayToSayALength) {
  expect_read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc");
  expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, "abc");
  expect_read("HTTP/1.1 404 No\r\n\r\nabc", 404, "abc");
  expect_read("HTTP/1.0 200 OK\r\n\r\n", 200, "");
  expect_read("HTTP/1.1 204 None\r\n\r\n", 204, "");
  expect_read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
      200, "a");
  ResponseReader reader(kMaxBody);
  ASSERT_TRUE(reader.take("HTTP/1.1 301 Moved\r\nLocation: http://a/\r\nContent-Length: 0\r\n\r\n").value());
  EXPECT_EQ(reader.response().headers.get("location"), "http://a/");
}

TEST(ResponseReader, OfABodyThatIsTooLongTheHeadIsKept) {
  expect_read("HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\n0123456789", 404, "0123456789");
  expect_read("HTTP/1.1 404 No\r\nContent-Length: 11\r\n\r\n0123456789a", 404, "", true);
  expect_read("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n0123456789a", 200, "", true);
  expect_read("HTTP/1.1 200 OK\r\n\r\n0123456789a", 200, "", true);
  expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n", 200, "",
              true);
  expect_read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n0123456789a", 200, "", true);
}

TEST(ResponseReader, WhatIsNoResponseIsRefused) {
  for (const char* text :
       {"", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0123"})
    expect_refused(text);
}

TEST(ResponseReader, NothingIsEndless) {
  expect_refused("HTTP/1.1 200 OK\r\nX: " + std::string(20 * 1024, 'x'));
  expect_refused("HTTP/1.1 200 " + std::string(20 * 1024, 'x'));
  expect_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(70 * 1024, 'x'));
  std::string interim;
  for (int i = 0; i < 4000; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  expect_refused(interim);
}

}  // namespace
}  // namespace edgetrust::http
