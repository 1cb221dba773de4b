// The guide's two calls: status and upload.
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/view.hpp"
#include "fleet_fixture.hpp"

namespace edgetrust::genesys {
namespace {

using ports::EdgeState;
using ports::SipState;
using testing::FleetFixture;
using testing::json_answer;
using testing::kEdge;

testing::ScriptedTransport::Answer always(const http::Response& response) {
  return [response](const http::Request&) { return response; };
}

Result<ports::EdgeHealth> health_from(const std::string& body) {
  FleetFixture f(always(json_answer(200, body)));
  return f.fleet->health(kEdge, {});
}

TEST(GuideStatus, ReadsAFullAnswer) {
  FleetFixture f(always(
      json_answer(200,
                  R"({"id":")" + kEdge.value + R"(","state":"OK","sip":"SIP_UP","certificateFingerprintSha256":")" +
                      testing::kFingerprint + R"(","updatedAt":"2026-11-22T01:00:00.500Z","more":{"x":1}})",
                  {{"ININ-Correlation-Id", "corr-7"}})));
  const ports::EdgeHealth health = f.fleet->health(kEdge, {}).value();
  EXPECT_EQ(health.state, EdgeState::kOk);
  EXPECT_EQ(health.sip, SipState::kUp);
  EXPECT_EQ(health.fingerprint_sha256, testing::kFingerprint);
  EXPECT_EQ(health.updated_at, parse_rfc3339("2026-11-22T01:00:00.5Z").value());
  EXPECT_EQ(health.correlation_id, "corr-7");
  EXPECT_EQ(f.upload->lines(), std::vector<std::string>{testing::kStatusCall});
}

TEST(GuideStatus, WordsCompareWithoutCaseAndUnknownOnesAreUnknown) {
  struct Case {
    const char* body;
    EdgeState state;
    SipState sip;
  };
  for (const Case& c : {Case{R"({"state":"ok","sip":"sip_up"})", EdgeState::kOk, SipState::kUp},
                        Case{R"({"state":"WARNING","sip":"SIP_DOWN"})", EdgeState::kWarning, SipState::kDown},
                        Case{R"({"state":"Critical","sip":"Sip_Down"})", EdgeState::kCritical, SipState::kDown},
                        Case{R"({"state":"Excellent","sip":"UP"})", EdgeState::kUnknown, SipState::kUnknown},
                        Case{R"({"state":1,"sip":true})", EdgeState::kUnknown, SipState::kUnknown},
                        Case{R"({"state":null})", EdgeState::kUnknown, SipState::kUnknown},
                        Case{R"({"status":"OK"})", EdgeState::kUnknown, SipState::kUnknown},
                        Case{"{}", EdgeState::kUnknown, SipState::kUnknown}}) {
    const auto health = health_from(c.body);
    ASSERT_TRUE(health) << c.body;
    EXPECT_EQ(health->state, c.state) << c.body;
    EXPECT_EQ(health->sip, c.sip) << c.body;
    EXPECT_FALSE(health->updated_at);
  }
}

TEST(GuideStatus, FingerprintsAreSha256InAnyUsualForm) {
  std::string colons;
  for (std::size_t i = 0; i < 64; i += 2) colons += (i > 0 ? ":" : "") + testing::kFingerprint.substr(i, 2);
  std::transform(colons.begin(), colons.end(), colons.begin(),
                 [](char c) { return static_cast<char>(std::toupper(c)); });
  const auto read = [](const std::string& text) {
    return health_from(R"({"certificateFingerprintSha256":")" + text + "\"}").value().fingerprint_sha256;
  };
  EXPECT_EQ(read(colons), testing::kFingerprint);
  EXPECT_EQ(read(testing::kFingerprint), testing::kFingerprint);
  EXPECT_EQ(read(testing::kFingerprint.substr(0, 40)), "") << "SHA-1";
  EXPECT_EQ(read("none"), "");
}

TEST(GuideStatus, WhatIsNoAnswerOfTheCallIsAnError) {
  for (const char* body : {"", "<html>Welcome</html>", "[]", "\"OK\"", R"({"state":"OK","state":"OK"})",
                           R"({"id":"another-edge","state":"OK"})"}) {
    EXPECT_EQ(health_from(body).error().kind, ErrorKind::kProtocol) << body;
  }
}

TEST(GuideStatus, AMissingCallIsNamedAsSuch) {
  struct Case {
    int status;
    const char* body;
  };
  for (const Case& c : {Case{404, R"({"code":"not.found","message":"no such path"})"}, Case{404, ""}, Case{405, ""}}) {
    FleetFixture f(always(json_answer(c.status, c.body)));
    const Error error = f.fleet->health(kEdge, {}).error();
    EXPECT_EQ(error.kind, ErrorKind::kNotFound);
    EXPECT_EQ(error.what, "the endpoint does not offer the guide's call GET /api/v2/telephony/providers/edges/" +
                              kEdge.value + "/status (" + std::to_string(c.status) + ")");
  }
}

TEST(GuideStatus, AMissingEdgeIsNotAMissingCall) {
  FleetFixture f(always(json_answer(404, R"({"code":"not.found","message":"no such Edge","entityId":"7f3c"})")));
  const Error error = f.fleet->health(kEdge, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_EQ(error.what, "the answer is 404 not.found: no such Edge");
}

TEST(GuideStatus, OwnPathsAndOwnClientAreUsed) {
  Config with = testing::config();
  with.upload->url = "https://gw.example.com/edges/";
  with.upload->status_path = "/v1/health/{id}";
  with.upload->upload_path = "/v1/push";
  with.upload->credentials = testing::client("uploader");
  FleetFixture f(always(json_answer(200, "{}")), std::move(with));
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  ASSERT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  EXPECT_EQ(f.upload->lines(), (std::vector<std::string>{"GET https://gw.example.com/edges/v1/health/" + kEdge.value,
                                                         "POST https://gw.example.com/edges/v1/push"}));
  const auto logins = f.api->sent();
  ASSERT_EQ(logins.size(), 1U);
  EXPECT_EQ(logins[0].header("Authorization"), "Basic " + to_base64("uploader:s3cret"));
}

TEST(GuideStatus, ACheckProvesTheUploadsOwnClientToo) {
  Config with = testing::config();
  with.upload->credentials = testing::client("uploader");
  const auto api = std::make_shared<testing::ScriptedTransport>([](const http::Request& request) {
    if (!testing::is_login(request)) return json_answer(200, R"({"entities":[]})");
    const bool uploader = request.headers.get("Authorization") == "Basic " + to_base64("uploader:s3cret");
    return uploader ? json_answer(401, "") : json_answer(200, R"({"access_token":"t"})");
  });
  const support::FakeClock clock;
  const Error error = make_fleet(std::move(with), {api, api}, clock).value()->check({}).error();
  EXPECT_EQ(error.kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(error.context, "certificateUpload: OAuth login");
}

TEST(GuideUpload, SendsTheWholeFilesOfThatEdge) {
  FleetFixture f(always(json_answer(200, "{}")));
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  auto upload = testing::certificate_upload();
  upload.name = "a \"name\"\nwith \\ all";
  ASSERT_TRUE(f.fleet->install(upload, {}));
  const auto sent = f.upload->sent().back();
  EXPECT_EQ(sent.line(), testing::kUploadCall);
  EXPECT_EQ(sent.header("Content-Type"), "application/json");
  EXPECT_EQ(sent.header("Authorization"), "Bearer token-1");
  const auto body = json::Document::parse(sent.body).value();
  EXPECT_EQ(body.root().size(), 4U);
  EXPECT_EQ(body.root()["edgeId"].string(), kEdge.value);
  EXPECT_EQ(body.root()["name"].string(), upload.name);
  EXPECT_EQ(from_base64(*body.root()["certificate"].string()).value(), upload.chain_pem);
  EXPECT_EQ(from_base64(*body.root()["privateKey"].string()).value(), testing::kKeyPem);
}

TEST(GuideUpload, NoKeyBeforeTheStatusCallHasAnsweredForThatEdge) {
  struct Case {
    const char* name;
    http::Response status;
    ErrorKind kind;
  };
  for (const Case& c : {Case{"refused", json_answer(403, ""), ErrorKind::kForbidden},
                        Case{"missing", json_answer(404, ""), ErrorKind::kNotFound},
                        Case{"broken", json_answer(500, ""), ErrorKind::kUnavailable},
                        Case{"a web page", json_answer(200, "<html>"), ErrorKind::kProtocol},
                        Case{"accepted only", json_answer(202, "{}"), ErrorKind::kProtocol},
                        Case{"redirect", json_answer(302, ""), ErrorKind::kProtocol}}) {
    FleetFixture f(always(c.status));
    (void)f.fleet->health(kEdge, {});
    for (int i = 0; i < 2; ++i) {
      const Error error = f.fleet->install(testing::certificate_upload(), {}).error();
      EXPECT_EQ(error.kind, c.kind) << c.name;
      EXPECT_FALSE(error.maybe_executed);
    }
    EXPECT_EQ(f.upload->sent().size(), 3U);
    for (const auto& sent : f.upload->sent()) EXPECT_EQ(sent.method, http::Method::kGet) << c.name;
  }
}

TEST(GuideUpload, AsksForTheStatusItselfWhereNobodyHas) {
  FleetFixture f(always(json_answer(200, "{}")));
  ASSERT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  ASSERT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  EXPECT_EQ(f.upload->lines(),
            (std::vector<std::string>{testing::kStatusCall, testing::kUploadCall, testing::kUploadCall}));
}

TEST(GuideUpload, TheStatusOfOneEdgeDoesNotSpeakForAnother) {
  FleetFixture f([](const http::Request& request) {
    return json_answer(request.url.target.find("/another/") == std::string::npos ? 200 : 404, "{}");
  });
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  const Error error = f.fleet->install(testing::certificate_upload(ports::EdgeId{"another"}), {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_TRUE(error.context.starts_with("before a key is sent: GET ")) << error.context;
  for (const auto& sent : f.upload->sent()) EXPECT_EQ(sent.method, http::Method::kGet);
}

TEST(GuideUpload, TheKeyGoesToTheUploadEndpointOnly) {
  FleetFixture f(always(json_answer(200, R"({"entities":[],"pageCount":1})")));
  ASSERT_TRUE(f.fleet->check({}));
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  ASSERT_TRUE(f.fleet->install(testing::certificate_upload(), {}));
  ASSERT_TRUE(f.fleet->edges({}));
  for (const auto& sent : f.api->sent()) EXPECT_TRUE(sent.body.empty() || sent.body == "grant_type=client_credentials");
  for (const auto& sent : f.upload->sent())
    EXPECT_TRUE(sent.url.starts_with("https://upload.example.com/")) << sent.url;
}

TEST(GuideUpload, WithoutAnEndpointThereIsNoDelivery) {
  Config with = testing::config();
  with.upload.reset();
  FleetFixture f(always(json_answer(200, R"({"entities":[],"pageCount":1})")), std::move(with));
  EXPECT_TRUE(f.fleet->check({}));
  EXPECT_EQ(f.fleet->health(kEdge, {}).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(f.fleet->install(testing::certificate_upload(), {}).error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(f.upload->sent().empty());
}

TEST(GuideUpload, Any2xxIsASuccessUnlessItNamesAnotherCertificate) {
  struct Case {
    int status;
    std::string body;
    bool good;
  };
  const std::string other(64, 'e');
  for (const Case& c : {Case{200, R"({"fingerprintSha256":")" + testing::kFingerprint + "\"}", true},
                        Case{204, "", true}, Case{201, "<ok/>", true}, Case{200, R"({"fingerprintSha256":"?"})", true},
                        Case{200, R"({"fingerprintSha256":")" + other + "\"}", false}}) {
    FleetFixture f([&](const http::Request& request) {
      return request.method == http::Method::kGet ? json_answer(200, "{}") : json_answer(c.status, c.body);
    });
    ASSERT_TRUE(f.fleet->health(kEdge, {}));
    const Status done = f.fleet->install(testing::certificate_upload(), {});
    EXPECT_EQ(done.has_value(), c.good) << c.body;
    if (!done) {
      EXPECT_EQ(done.error().kind, ErrorKind::kProtocol);
      EXPECT_TRUE(done.error().maybe_executed);
      EXPECT_NE(done.error().what.find(other), std::string::npos);
    }
  }
}

TEST(GuideUpload, AMissingUploadCallIsNamedAsSuch) {
  FleetFixture f([](const http::Request& request) {
    return request.method == http::Method::kGet ? json_answer(200, "{}") : json_answer(405, "");
  });
  ASSERT_TRUE(f.fleet->health(kEdge, {}));
  EXPECT_EQ(f.fleet->install(testing::certificate_upload(), {}).error().what,
            "the endpoint does not offer the guide's call POST /api/v2/telephony/providers/edges/certificates (405)");
}

// An endpoint that sends back what it was sent, whole or in pieces.
TEST(GuideUpload, NoErrorRepeatsAKeyOrAToken) {
  using Echo = std::function<std::string(const http::Request&)>;
  const auto key_of = [](const http::Request& request) {
    return std::string(*json::Document::parse(request.body).value().root()["privateKey"].string());
  };
  const std::vector<Echo> echoes = {
      [&](const auto& r) { return key_of(r); },
      [&](const auto& r) { return "bad key " + key_of(r).substr(20, 60) + "..."; },
      [&](const auto& r) { return from_base64(key_of(r)).value().substr(0, 40); },
      [&](const auto& r) { return "header was " + std::string(r.headers.get("Authorization").value()); },
  };
  for (const Echo& echo : echoes) {
    for (const char* field : {"message", "code", "contextId", "entityId"}) {
      FleetFixture f([&](const http::Request& request) {
        if (request.method == http::Method::kGet) return json_answer(200, "{}");
        std::string text = echo(request);
        std::replace(text.begin(), text.end(), '\n', ' ');
        return json_answer(400, std::string("{\"") + field + "\":\"" + text + "\"}");
      });
      ASSERT_TRUE(f.fleet->health(kEdge, {}));
      const Error error = f.fleet->install(testing::certificate_upload(), {}).error();
      const std::string all = error.message() + error.code;
      EXPECT_EQ(all.find("token-1"), std::string::npos) << all;
      EXPECT_EQ(all.find("PRIVATE KEY"), std::string::npos) << all;
      EXPECT_EQ(all.find(to_base64(testing::kKeyPem).substr(20, 40)), std::string::npos) << all;
    }
  }
}

}  // namespace
}  // namespace edgetrust::genesys
