#include "heartbeat.hpp"

#include "support/fake_transport.hpp"

#include <gmock/gmock.h>

namespace edgetrust {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::Not;

const std::string kUrl = "https://nosnch.example/c2354d53d2";
const std::string kKeptIn = "Secret snitch key url";

struct HeartbeatTest : testing::Test {
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  Status ping(const support::Answer& answer) {
    transport->expect(Method::kGet, kUrl, answer);
    return make_heartbeat(Secret(kUrl + "\n"), kKeptIn, transport).value()->ping({});
  }
};

TEST_F(HeartbeatTest, IsOneGet) {
  EXPECT_TRUE(ping(support::answer(202, "Got it, thanks!")));
  EXPECT_EQ(transport->requests().size(), 1U);
}

TEST_F(HeartbeatTest, WhatFailsHasItsKindAndNoErrorNamesTheUrl) {
  Error told{.kind = ErrorKind::kUnavailable, .what = "cannot reach nosnch.example", .context = kUrl};
  struct Case {
    support::Answer answer;
    ErrorKind kind;
  };
  for (const Case& c :
       {Case{support::answer(404, kUrl), ErrorKind::kNotFound}, Case{support::answer(410), ErrorKind::kNotFound},
        Case{support::answer(429), ErrorKind::kRateLimited}, Case{support::answer(503), ErrorKind::kUnavailable},
        Case{support::answer(302, "", {{"Location", "http://169.254.169.254/"}}), ErrorKind::kProtocol},
        Case{support::answer(403), ErrorKind::kProtocol}, Case{support::lost_answer(), ErrorKind::kTimeout},
        Case{fail(told), ErrorKind::kUnavailable}}) {
    const Error error = ping(c.answer).error();
    EXPECT_EQ(error.kind, c.kind);
    EXPECT_THAT(error.message(), HasSubstr(kKeptIn));
    EXPECT_THAT(error.message(), Not(HasSubstr("nosnch")));
    EXPECT_THAT(error.message(), Not(HasSubstr("c2354d53d2")));
  }
}

TEST_F(HeartbeatTest, RefusesWhatIsNoHttpsUrlOrLeadsWhereNoServerIs) {
  for (const char* url :
       {"", "http://nosnch.example/x", "ftp://nosnch.example/x", "nosnch.example", "https://",
        "https://user@nosnch.example/", "https://169.254.169.254/latest/meta-data", "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/", "https://0.0.0.0/", "https://100.100.100.200/",
        "https://metadata.google.internal/", "https://2852039166/", "https://[fd00:ec2::254]/"}) {
    const auto made = make_heartbeat(Secret(url), kKeptIn, transport);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().message(), HasSubstr(kKeptIn));
  }
  EXPECT_TRUE(transport->requests().empty());
}

}  // namespace
}  // namespace edgetrust
