// Renewal information (RFC 9773): where it is asked for, what is read, what is refused.
#include "edgetrust/base/time_text.hpp"
#include "fake_acme.hpp"

namespace edgetrust::acme {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPath = "/renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
const TimePoint kStart = parse_rfc3339("2026-12-01T04:00:00Z").value();
const TimePoint kEnd = parse_rfc3339("2026-12-03T04:00:00Z").value();

std::string window(const std::string& start, const std::string& end, const std::string& more = "") {
  return R"({"suggestedWindow":{"start":")" + start + R"(","end":")" + end + R"("})" + more + "}";
}
const std::string kWindow = window("2026-12-01T04:00:00Z", "2026-12-03T04:00:00Z");

struct RenewalInfo : testing::Test {
  World world;
  RenewalInfo() { world.server.offer_renewal_info(at("/renewal-info")); }

  Result<std::optional<ports::RenewalInfo>> ask(Answer given) {
    world.server.reply(kPath, std::move(given));
    return world.client->renewal_info(kRfc9773Certificate, {});
  }
};

TEST_F(RenewalInfo, IsAskedForByTheIdThatTheRfcShows) {
  const auto info = ask(json_answer(200, kWindow));
  ASSERT_TRUE(info.has_value() && info->has_value());
  EXPECT_EQ((*info)->start, kStart);
  EXPECT_EQ((*info)->end, kEnd);
  EXPECT_EQ((*info)->explanation_url, "");
  EXPECT_EQ((*info)->retry_after, std::nullopt);
  EXPECT_THAT(world.server.renewals_asked_for, ElementsAre(kPath));
  EXPECT_EQ(world.requests(), 2U) << "the directory, and the question: no account, no nonce";
}

TEST_F(RenewalInfo, ASerialNumberBelowTheSignBitGetsNoOctetInFront) {
  world.server.reply("/renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.dlQyEA", json_answer(200, kWindow));
  auto certificate = kRfc9773Certificate;
  certificate.serial_number = "76543210";
  EXPECT_TRUE(world.client->renewal_info(certificate, {}).value().has_value());
}

TEST_F(RenewalInfo, OfACertificateWithoutAKeyIdOrASerialIsNotAskedFor) {
  for (const ports::CertificateId& certificate : {ports::CertificateId{"", "01"}, ports::CertificateId{"aa", ""},
                                                  ports::CertificateId{"aa", "longer than 20 octets"}}) {
    EXPECT_EQ(world.client->renewal_info(certificate, {}).error().kind, ErrorKind::kInvalid);
  }
  EXPECT_TRUE(world.server.renewals_asked_for.empty());
}

TEST_F(RenewalInfo, TakesRetryAfterAsSecondsAndAsADate) {
  EXPECT_EQ(ask(json_answer(200, kWindow, {{"Retry-After", "21600"}})).value()->retry_after, 6h);
  const std::string date = "Sun, 22 Nov 2026 18:00:00 GMT";  // the clock says noon
  EXPECT_EQ(ask(json_answer(200, kWindow, {{"Retry-After", date}})).value()->retry_after, 6h);
  EXPECT_EQ(ask(json_answer(200, kWindow, {{"Retry-After", "soon"}})).value()->retry_after, std::nullopt);
}

TEST_F(RenewalInfo, TakesOffsetsAndFractionsOfASecond) {
  const auto info = ask(json_answer(200, window("2026-12-01T05:00:00.900+01:00", "2026-12-03T04:00:00.1Z"))).value();
  EXPECT_EQ(info->start, kStart);
  EXPECT_EQ(info->end, kEnd);
}

TEST_F(RenewalInfo, KeepsAnExplanationThatIsAnHttpsUrlOfSensibleLength) {
  const auto explained = [&](const std::string& json) {
    return ask(json_answer(200, window("2026-12-01T04:00:00Z", "2026-12-03T04:00:00Z", R"(,"explanationURL":)" + json)))
        .value()
        ->explanation_url;
  };
  EXPECT_EQ(explained(R"("https://ca.example/docs/incident")"), "https://ca.example/docs/incident");
  EXPECT_EQ(explained(R"("https://status.elsewhere.example/1")"), "https://status.elsewhere.example/1")
      << "for people: nobody goes there";
  for (const std::string& other :
       {std::string(R"("http://ca.example/docs")"), std::string(R"("javascript:alert")"), std::string("7"),
        std::string("null"), std::string(R"("https://ca.example/two\nlines")"),
        R"("https://ca.example/)" + std::string(600, 'x') + R"(")"}) {
    EXPECT_EQ(explained(other), "") << other;
  }
}

// RFC 9773 section 4.2: a window that does not end after its start is no answer at all.
TEST_F(RenewalInfo, WhatIsNoWindowIsNoAnswer) {
  for (const std::string& body :
       {window("2026-12-03T04:00:00Z", "2026-12-01T04:00:00Z"), window("2026-12-01T04:00:00Z", "2026-12-01T04:00:00Z"),
        window("2026-12-01T04:00:00.1Z", "2026-12-01T04:00:00.9Z"), window("tomorrow", "2026-12-03T04:00:00Z"),
        window("2026-12-01T04:00:00Z", ""), window("0001-01-01T00:00:00Z", "2026-12-01T04:00:00Z"),
        window("2026-12-01T04:00:00Z", "9999-12-31T23:59:59-01:00"),
        std::string(R"({"suggestedWindow":{"start":1,"end":2}})"), std::string(R"({"suggestedWindow":[]})"),
        std::string("{}"), std::string("[]"), std::string(), std::string("<html>"), std::string(10'000, '['),
        kWindow + std::string(20'000, ' ')}) {
    const auto info = ask(json_answer(200, body, {{"Retry-After", "60"}}));
    ASSERT_FALSE(info.has_value()) << body.substr(0, 100);
    EXPECT_EQ(info.error().kind, ErrorKind::kProtocol) << body.substr(0, 100);
    EXPECT_FALSE(info.error().maybe_executed);
  }
  EXPECT_EQ(ask(json_answer(200, "{}", {{"Retry-After", "60"}})).error().retry_after, 60s);
}

TEST_F(RenewalInfo, AnErrorIsOneAndTheDirectoryIsNotReadAgainForIt) {
  EXPECT_EQ(ask(problem(404, "malformed")).error().kind, ErrorKind::kNotFound);
  const auto busy = ask(answer(503, "", {{"Retry-After", "864000"}}));
  EXPECT_EQ(busy.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(busy.error().retry_after, 240h);
  EXPECT_FALSE(ask(lost_answer()).error().maybe_executed) << "a question changes nothing";
  EXPECT_THAT(ask(answer(302, "", {{"Location", "https://evil.example/x"}})).error().what, HasSubstr("redirects"));
  EXPECT_EQ(world.server.directories_fetched, 1);
}

TEST(RenewalInfoOffer, WithoutOneNothingIsAskedButTheDirectory) {
  World world;
  EXPECT_EQ(world.client->renewal_info(kRfc9773Certificate, {}).value(), std::nullopt);
  EXPECT_EQ(world.client->renewal_info(kRfc9773Certificate, {}).value(), std::nullopt);
  EXPECT_EQ(world.requests(), 1U);
}

TEST(RenewalInfoOffer, ASlashAtItsEndIsNotDoubled) {
  World world;
  world.server.offer_renewal_info(at("/renewal-info/"));
  world.server.reply(kPath, json_answer(200, kWindow));
  EXPECT_TRUE(world.client->renewal_info(kRfc9773Certificate, {}).value().has_value());
}

// An offer elsewhere is not followed, and no reason to issue nothing.
TEST(RenewalInfoOffer, MayNotPointElsewhere) {
  for (const std::string& url : {std::string("https://evil.example/x"), std::string("http://ca.example/renewal-info"),
                                 std::string("renewal-info")}) {
    World world;
    world.server.offer_renewal_info(url);
    EXPECT_EQ(world.client->renewal_info(kRfc9773Certificate, {}).error().kind, ErrorKind::kProtocol);
    EXPECT_EQ(world.requests(), 1U);
    EXPECT_TRUE(world.client->account({}).has_value());
  }
}

}  // namespace
}  // namespace edgetrust::acme
