// What the vendor's own parser finds wrong with a chain.
#include "edgetrust/json/view.hpp"
#include "fleet_fixture.hpp"

namespace edgetrust::genesys {
namespace {

using testing::FleetFixture;
using testing::json_answer;

const std::string kOne = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const std::string kTwo = kOne + "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n";

std::string entry(const std::string& subject, const std::string& more) {
  return R"({"subject":")" + subject + R"(","issuer":"CN=somebody")" + more + "}";
}
std::string objection(const std::string& entries, const std::string& chain = kTwo) {
  FleetFixture f([&](const http::Request&) { return json_answer(200, R"({"certificateDetails":[)" + entries + "]}"); });
  return f.fleet->objection_to(chain, {}).value();
}

const std::string kGood = R"(,"expired":false,"valid":true,"signatureValid":true)";
const std::string kLeaf = entry("CN=edge01", kGood);
const std::string kIssuing = entry("CN=issuing", kGood);

TEST(CertificateDetails, TheWholeChainIsSentAndNothingElse) {
  FleetFixture f([](const http::Request&) {
    return json_answer(200, R"({"certificateDetails":[)" + kLeaf + "," + kIssuing + "]}");
  });
  EXPECT_EQ(f.fleet->objection_to(kTwo, {}).value(), "");
  const auto sent = f.api->sent();
  ASSERT_EQ(sent.size(), 2U) << "a login, and the question";
  EXPECT_EQ(sent[1].line(), "POST https://api.example.com/api/v2/certificate/details");
  EXPECT_EQ(json::Document::parse(sent[1].body).value().root()["certificate"].string(), kTwo);
  EXPECT_TRUE(f.upload->sent().empty());
}

TEST(CertificateDetails, AKeyNeverLeaves) {
  FleetFixture f([](const http::Request&) { return json_answer(200, "{}"); });
  const auto refused = f.fleet->objection_to(kTwo + testing::kKeyPem, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInternal);
  EXPECT_TRUE(f.api->sent().empty());
}

TEST(CertificateDetails, WhatWasNotParsedOrHasExpiredIsAnObjection) {
  EXPECT_EQ(objection(kLeaf), "it can read 1 of 2 certificates");
  EXPECT_EQ(objection(""), "it can read 0 of 2 certificates");
  EXPECT_EQ(objection(entry("CN=edge01", R"(,"expired":true)") + "," + kIssuing), "\"CN=edge01\" has expired");
  EXPECT_EQ(objection(kLeaf + "," + entry("CN=issuing", R"(,"expired":true)")), "\"CN=issuing\" has expired");
  EXPECT_EQ(objection(kLeaf, kOne), "");
}

// Nobody has published what these two say of a chain whose root is not sent.
TEST(CertificateDetails, TheWordsThatMayMeanAnythingStopNothing) {
  const std::string doubtful = R"(,"expired":false,"valid":false,"signatureValid":false)";
  EXPECT_EQ(objection(entry("CN=edge01", doubtful) + "," + entry("CN=issuing", doubtful)), "");
  EXPECT_EQ(objection(entry("CN=edge01", "") + "," + entry("CN=issuing", "")), "") << "words are missing";
}

TEST(CertificateDetails, ARefusedRequestIsAnObjectionInTheVendorsWords) {
  FleetFixture f([](const http::Request&) {
    return json_answer(400, R"({"code":"bad.request","message":"certificate is not a PEM certificate"})");
  });
  EXPECT_EQ(f.fleet->objection_to(kTwo, {}).value(),
            "the answer is 400 bad.request: certificate is not a PEM certificate");
}

TEST(CertificateDetails, WhereItCannotBeAskedThereIsNoObjection) {
  int status = 404;
  FleetFixture f([&](const http::Request&) { return json_answer(status, ""); });
  const auto kind = [&](int answer) {
    status = answer;
    const auto asked = f.fleet->objection_to(kTwo, {});
    EXPECT_FALSE(asked);
    EXPECT_FALSE(asked || asked.error().maybe_executed) << "it changes nothing";
    return asked ? ErrorKind::kInternal : asked.error().kind;
  };
  EXPECT_EQ(kind(404), ErrorKind::kNotFound);
  EXPECT_EQ(kind(405), ErrorKind::kNotFound);
  EXPECT_EQ(kind(403), ErrorKind::kForbidden);
  EXPECT_EQ(kind(503), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(200), ErrorKind::kProtocol) << "an answer that is none";
}

}  // namespace
}  // namespace edgetrust::genesys
