#include "announcements.hpp"

#include "edgetrust/base/encoding.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust {
namespace {

using testing::HasSubstr;

const std::string kUrl = "https://api.example.com:8443/api/v1/security/status";
const std::string kHash = to_colon_hex(std::string(32, 'a'));

struct AnnouncementsTest : testing::Test {
  std::string trusted;
  Result<std::optional<ports::PinAnnouncement>> ask(const support::Answer& answer) {
    const auto transport = std::make_shared<support::FakeTransport>();
    transport->expect(http::Method::kGet, kUrl, answer);
    const auto announcements =
        make_announcements([&](const std::string& certificate) -> Result<std::shared_ptr<http::Transport>> {
          trusted = certificate;
          return transport;
        });
    return announcements->ask({.host = "api.example.com", .port = 8443, .leaf_pem = "the leaf"}, {});
  }
  Result<std::optional<ports::PinAnnouncement>> read(const std::string& body) {
    return ask(support::json_answer(200, body));
  }
};

TEST_F(AnnouncementsTest, OneGetToWhoeverShowsTheLeafThatWasSeen) {
  const auto told = read(R"({"certificateFingerprint":")" + kHash + R"(","nextCertificateFingerprint":")" +
                         to_base64(std::string(32, 'b')) + R"("})");
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(trusted, "the leaf");
  EXPECT_EQ((*told)->certificate_sha256, to_hex(std::string(32, 'a')));
  EXPECT_EQ((*told)->next_certificate_sha256, to_hex(std::string(32, 'b')));
  EXPECT_EQ(read(R"({"certificateFingerprint":")" + kHash + R"("})").value()->next_certificate_sha256, std::nullopt);
  EXPECT_EQ(read(R"({"certificateFingerprint":")" + kHash + R"(","nextCertificateFingerprint":null})")
                .value()
                ->next_certificate_sha256,
            std::nullopt);
}

TEST_F(AnnouncementsTest, AnEndpointWithoutTheCallAnnouncesNothing) {
  EXPECT_EQ(ask(support::answer(404)).value(), std::nullopt);
}

TEST_F(AnnouncementsTest, WhatHoldsNoPinIsNoAnnouncement) {
  const std::string sha1 = "1A:2B:3C:4D:5E:6F:7A:8B:9C:0D:1E:2F:3A:4B:5C:6D:7E:8F:9A:0B";
  for (const auto& body :
       {std::string(), std::string("{}"), std::string("null"), std::string("[]"),
        std::string(R"({"certificateFingerprint":null})"), std::string(R"({"certificateFingerprint":"null"})"),
        std::string(R"({"certificateFingerprint":""})"), std::string(R"({"certificateFingerprint":7})"),
        R"({"certificateFingerprint":")" + sha1 + R"("})",
        R"({"certificateFingerprint":")" + kHash + R"(","nextCertificateFingerprint":"null"})",
        R"({"certificateFingerprint":")" + kHash + R"(","certificateFingerprint":")" + kHash + R"("})"}) {
    const auto told = read(body);
    ASSERT_FALSE(told) << body;
    EXPECT_THAT(told.error().message(), HasSubstr("/api/v1/security/status of api.example.com"));
  }
  EXPECT_THAT(read(R"({"certificateFingerprint":")" + sha1 + R"("})").error().message(), HasSubstr("SHA-1"));
  EXPECT_EQ(ask(support::answer(500)).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(ask(support::answer(302, "", {{"Location", kUrl}})).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(ask(support::no_connection()).error().kind, ErrorKind::kUnavailable);
}

TEST(Announcements, AForbiddenHostIsNotAsked) {
  const auto announcements =
      make_announcements([](const std::string& /*certificate*/) -> Result<std::shared_ptr<http::Transport>> {
        ADD_FAILURE() << "no way is needed";
        return fail(ErrorKind::kInternal, "none");
      });
  EXPECT_EQ(announcements->ask({.host = "169.254.169.254", .leaf_pem = "x"}, {}).error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace edgetrust
