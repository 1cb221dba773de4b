// The API port without a port: requests in, answers out.
#include "api.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/json/view.hpp"
#include "fake_plant.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::sim {
namespace {

using json::View;

struct Got {
  int status = 0;
  http::Headers headers;
  std::string text;
  json::Document document;
  [[nodiscard]] View operator[](std::string_view name) const { return document.root()[name]; }
};

struct Fixture {
  Fixture() {
    config.edges = {{.id = "e1",
                     .name = "edge01",
                     .site = "ny",
                     .site_name = "New York",
                     .time_zone = "America/New_York",
                     .host = "edge01.edges.test"},
                    {.id = "e2",
                     .name = "edge02",
                     .site = "du",
                     .site_name = "Dublin",
                     .time_zone = "",
                     .host = "edge02.edges.test"}};
    book.attach(plant);
    for (const EdgeConfig& edge : config.edges) EXPECT_TRUE(book.add(edge, false, false));
    http::ServerRequest login;
    login.body = "grant_type=client_credentials&client_id=simulator&client_secret=simulator-secret";
    token = json::Document::parse(oauth.token(login).body).value().root()["access_token"].string_or("");
  }
  Got send(const std::string& method, const std::string& target, const std::string& body = "") {
    http::ServerRequest request;
    request.method = method;
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    request.body = body;
    const http::Response response = front.handle(request, [this](const auto& passed) { return api.answer(passed); });
    auto document = json::Document::parse(response.body.empty() ? "{}" : response.body);
    return {response.status, response.headers, response.body,
            document ? std::move(*document) : json::Document::parse("{}").value()};
  }
  Got get(const std::string& target) { return send("GET", "/api/v2/telephony/providers/edges" + target); }
  Got upload(const support::TestCertificate& certificate, const std::string& id = "e1") {
    return send("POST", "/api/v2/telephony/providers/edges/certificates",
                R"({"edgeId":")" + id + R"(","name":"n","certificate":")" + to_base64(certificate.chain_pem) +
                    R"(","privateKey":")" + to_base64(certificate.key_pem) + "\"}");
  }

  Config config;
  support::FakeClock clock;
  support::FakeRandom random;
  FakePlant plant;
  FaultTable faults;
  Journal journal;
  Pause pause;
  OAuthDesk oauth{config, clock, random};
  EdgeBook book{config, "", clock};
  Api api{config, book, oauth, "CA", clock};
  Front front{"api", faults, journal, pause, clock, random};
  support::TestCa ca = support::TestCa("root").intermediate("issuing");
  std::string token;
};

TEST(SimApi, ListsEdgesPageByPage) {
  Fixture f;
  const Got first = f.get("?pageSize=1&pageNumber=1&managed=false&showCloudMedia=false");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first["pageCount"].integer(), 2);
  EXPECT_EQ(first["entities"].size(), 1U);
  EXPECT_NE(
      first.text.find(
          R"("name":"edge01","onlineStatus":"ONLINE","physicalEdge":true,"selfUri":"/api/v2/telephony/providers/edges/e1","site":{"id":"ny","name":"New York","selfUri":"/api/v2/telephony/providers/edges/sites/ny"})"),
      std::string::npos)
      << first.text;
  EXPECT_NE(f.get("?pageSize=1&pageNumber=2").text.find("edge02"), std::string::npos);
  EXPECT_EQ(f.get("?managed=true")["total"].integer(), 0);
  EXPECT_EQ(f.get("?siteId=du")["total"].integer(), 1);
  EXPECT_EQ(f.get("?name=edge02")["total"].integer(), 1);
}

TEST(SimApi, ShowsAnEdgeAndItsSite) {
  Fixture f;
  const Got edge = f.get("/e1?expand=site");
  EXPECT_EQ(edge["statusCode"].string(), "ACTIVE");
  EXPECT_EQ(edge["softwareStatus"]["status"].string(), "NONE");
  EXPECT_EQ(edge["site"]["edgeAutoUpdateConfig"]["timeZone"].string(), "America/New_York");
  EXPECT_EQ(f.get("/sites/ny")["edgeAutoUpdateConfig"]["timeZone"].string(), "America/New_York");
  EXPECT_FALSE(f.get("/sites/du")["edgeAutoUpdateConfig"].present());
  EXPECT_EQ(f.get("/sites")["total"].integer(), 2);
  const Got nobody = f.get("/nobody");
  EXPECT_EQ(nobody.status, 404);
  EXPECT_EQ(nobody["code"].string(), "not.found");
  EXPECT_EQ(nobody["entityId"].string(), "nobody");
}

TEST(SimApi, ATrunkShowsWhatTheSbcSaw) {
  Fixture f;
  ASSERT_EQ(f.upload(f.ca.issue({.dns = {"edge01.edges.test"}})).status, 200);
  f.book.on_serves("e1");
  f.book.on_seen("e1", {false, "certificate has expired"});
  const Got down = f.get("/e1/trunks?trunkType=EXTERNAL");
  EXPECT_EQ(down["total"].integer(), 1);
  EXPECT_NE(down.text.find(R"("optionState":false)"), std::string::npos);
  EXPECT_NE(down.text.find(R"("text":"certificate has expired")"), std::string::npos);
  f.book.on_seen("e1", {true, ""});
  const Got up = f.get("/trunks/trunk-e1");
  EXPECT_EQ(up["connectedStatus"]["connected"].boolean(), true);
  EXPECT_EQ(up["optionsStatus"].text().find("errorInfo"), std::string::npos);
  EXPECT_EQ(f.get("/e1/trunks?trunkType=PHONE")["total"].integer(), 0);
  EXPECT_EQ(f.get("/trunks?edgeId=e2")["total"].integer(), 1);
  EXPECT_EQ(f.get("/trunks/trunk-nobody").status, 404);
  EXPECT_EQ(f.get("/nobody/trunks").status, 404);
}

TEST(SimApi, MetricsCountCalls) {
  Fixture f;
  const auto patch = json::Document::parse(R"({"calls":4})").value();
  ASSERT_TRUE(f.book.patch("e1", patch.root()));
  EXPECT_EQ(f.get("/trunks/trunk-e1/metrics")["calls"]["inboundCallCount"].integer(), 4);
  EXPECT_NE(f.get("/trunks/metrics?trunkIds=trunk-e1%2Ctrunk-e2,no").text.find(R"("inboundCallCount":4)"),
            std::string::npos);
  f.clock.advance(std::chrono::seconds{3});
  EXPECT_EQ(f.get("/e1/metrics")["upTimeMsec"].integer(), 3'000);
  EXPECT_NE(f.get("/metrics?edgeIds=e1").text.find("upTimeMsec"), std::string::npos);
}

TEST(SimApi, ServiceStateDrains) {
  Fixture f;
  const auto patch = json::Document::parse(R"({"calls":2})").value();
  ASSERT_TRUE(f.book.patch("e1", patch.root()));
  const std::string call = "/api/v2/telephony/providers/edges/e1/statuscode";
  const Got done = f.send("POST", call, R"({"inService":false,"callDrainingWaitTimeSeconds":60})");
  EXPECT_EQ(done.text, "\"OK\"");
  EXPECT_EQ(f.get("/e1")["callDrainingState"].string(), "WAIT");
  EXPECT_EQ(f.get("/e1")["conversationCount"].integer(), 2);
  EXPECT_EQ(f.get("/e1")["statusCode"].string(), "INACTIVE");
  f.clock.advance(std::chrono::seconds{2});
  EXPECT_EQ(f.get("/e1")["conversationCount"].integer(), 0);
  EXPECT_EQ(f.get("/e1")["callDrainingState"].string(), "COMPLETE");
  EXPECT_EQ(f.send("POST", call, "null").status, 400);
  EXPECT_EQ(f.send("POST", call, R"({"inService":true})").status, 200);
  EXPECT_FALSE(f.get("/e1")["conversationCount"].present());
}

TEST(SimApi, APutNeedsTheVersion) {
  Fixture f;
  const std::string call = "/api/v2/telephony/providers/edges/e1";
  EXPECT_EQ(f.send("PUT", call, R"({"name":"x","version":99})").status, 409);
  EXPECT_EQ(f.send("PUT", call, R"({"name":"x"})").status, 400);
  const Got changed = f.send("PUT", call, R"({"name":"x","version":1})");
  EXPECT_EQ(changed["version"].integer(), 2);
  EXPECT_EQ(changed["name"].string(), "x");
}

TEST(SimApi, TheGuidesCalls) {
  Fixture f;
  const auto certificate = f.ca.issue({.dns = {"edge01.edges.test"}});
  const std::string fingerprint = read_leaf(certificate.chain_pem).value().fingerprint;
  const Got before = f.get("/e1/status");
  EXPECT_EQ(before["sip"].string(), "SIP_DOWN");
  EXPECT_FALSE(before["certificateFingerprintSha256"].present());
  const Got done = f.upload(certificate);
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done["fingerprintSha256"].string(), fingerprint);
  EXPECT_EQ(done["edgeId"].string(), "e1");
  EXPECT_TRUE(done["installedAt"].present());
  f.book.on_serves("e1");
  f.book.on_seen("e1", {true, ""});
  const Got after = f.get("/e1/status");
  EXPECT_EQ(after["id"].string(), "e1");
  EXPECT_EQ(after["state"].string(), "OK");
  EXPECT_EQ(after["sip"].string(), "SIP_UP");
  EXPECT_EQ(after["certificateFingerprintSha256"].string(), fingerprint);
  EXPECT_EQ(f.get("/nobody/status")["entityId"].string(), "nobody");
}

TEST(SimApi, BadUploadsAreRefusedInTheVendorsWords) {
  Fixture f;
  auto broken = f.ca.issue({.dns = {"edge01.edges.test"}});
  broken.chain_pem = broken.certificate_pem;
  const Got refused = f.upload(broken);
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused["message"].string_or("").starts_with("Broken Chain"));
  EXPECT_EQ(refused["contextId"].string(), refused.headers.get("ININ-Correlation-Id"));
  EXPECT_EQ(f.upload(f.ca.issue({.dns = {"x.test"}}), "nobody").status, 404);
  const std::string call = "/api/v2/telephony/providers/edges/certificates";
  for (const char* body : {"", "{}", "[]", R"({"edgeId":"e1","certificate":"??","privateKey":"AA=="})",
                           R"({"edgeId":"e1","certificate":"AA=="})"}) {
    EXPECT_EQ(f.send("POST", call, body).status, 400) << body;
  }
}

TEST(SimApi, NoTokenNoAnswerAndNoPathNoToken) {
  Fixture f;
  EXPECT_EQ(f.get("/e1/reboot").status, 404);
  EXPECT_EQ(f.send("POST", "/api/v2/telephony/providers/edges/e1/reboot").status, 404);
  EXPECT_EQ(f.send("DELETE", "/api/v2/telephony/providers/edges/e1").status, 404);
  EXPECT_EQ(f.send("GET", "/").status, 404);
  f.token = "wrong";
  EXPECT_EQ(f.get("")["code"].string(), "bad.credentials");
  f.token.clear();
  EXPECT_EQ(f.get("")["code"].string(), "authentication.required");
  EXPECT_EQ(f.get("").status, 401);
  EXPECT_EQ(f.get("/e1/nothing").status, 404);
}

TEST(SimApi, EachSurfaceCanBeAbsent) {
  Fixture f;
  f.config.guide_api = false;
  EXPECT_EQ(f.get("/e1/status").status, 404);
  EXPECT_EQ(f.send("POST", "/api/v2/telephony/providers/edges/certificates", "{}").status, 404);
  EXPECT_EQ(f.get("/e1").status, 200);
  f.config.guide_api = true;
  f.config.published_api = false;
  EXPECT_EQ(f.get("/e1").status, 404);
  EXPECT_EQ(f.get("/e1/status").status, 200);
}

TEST(SimApi, RateHeadersAndTheLimit) {
  Fixture f;
  f.config.rate_per_minute = 2;
  f.config.enforce_rate = true;
  EXPECT_EQ(f.get("").headers.get("inin-ratelimit-count"), "1");
  EXPECT_EQ(f.get("").status, 200);
  const Got over = f.get("");
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over["code"].string(), "too.many.requests");
  EXPECT_EQ(over.headers.get("Retry-After"), "60");
  EXPECT_EQ(over.headers.get("inin-ratelimit-allowed"), "2");
  EXPECT_EQ(over.headers.get("inin-ratelimit-reset"), "60");
  f.clock.advance(std::chrono::minutes{1});
  EXPECT_EQ(f.get("").status, 200);
}

TEST(SimApi, TheJournalKnowsWhatCameAndNoKey) {
  Fixture f;
  const auto certificate = f.ca.issue({.dns = {"edge01.edges.test"}});
  (void)f.upload(certificate);
  (void)f.get("/e1/trunks?trunkType=EXTERNAL");
  const auto entries = f.journal.since(0);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].method + " " + entries[0].path, "POST /api/v2/telephony/providers/edges/certificates");
  EXPECT_EQ(entries[0].edge_id, "e1");
  EXPECT_EQ(entries[0].fingerprint, read_leaf(certificate.chain_pem).value().fingerprint);
  EXPECT_EQ(entries[0].status, 200);
  EXPECT_EQ(entries[1].query, "trunkType=EXTERNAL");
}

TEST(SimFaults, AnswersAreReplacedDroppedOrDecorated) {
  Fixture f;
  const auto plan = [&](const char* text) {
    f.faults.add(parse_fault(json::Document::parse(text).value().root()).value());
  };
  plan(R"({"path":"*/e1","action":{"status":429}})");
  const Got limited = f.get("/e1");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited["code"].string(), "too.many.requests");
  EXPECT_EQ(limited.headers.get("Retry-After"), "1");
  plan(R"({"action":{"status":429,"headers":{"X-Only":"y"}}})");
  EXPECT_EQ(f.get("/e1").headers.get("Retry-After"), std::nullopt) << "headers given: these and no others";
  plan(R"({"action":{"body":"<html>Sorry</html>"}})");
  EXPECT_EQ(f.get("/e1").text, "<html>Sorry</html>");
  plan(R"({"action":{"headers":{"X-More":"z"}}})");
  const Got more = f.get("/e1");
  EXPECT_EQ(more["id"].string(), "e1");
  EXPECT_EQ(more.headers.get("X-More"), "z");
  plan(R"({"action":{"dropBefore":true}})");
  EXPECT_EQ(f.get("/e1").status, 0);
  EXPECT_EQ(f.get("/e1").status, 200);
}

TEST(SimFaults, CommitThenDropExecutes) {
  Fixture f;
  f.faults.add(
      parse_fault(json::Document::parse(R"({"method":"POST","action":{"commitThenDrop":true}})").value().root())
          .value());
  EXPECT_EQ(f.upload(f.ca.issue({.dns = {"edge01.edges.test"}})).status, 0);
  EXPECT_TRUE(f.book.find("e1")->installed);
  const JournalEntry entry = f.journal.since(0).at(0);
  EXPECT_EQ(entry.status, 0);
  EXPECT_TRUE(entry.executed);
  EXPECT_EQ(entry.fault, "commitThenDrop");
  f.faults.add(
      parse_fault(json::Document::parse(R"({"method":"POST","action":{"dropBefore":true}})").value().root()).value());
  EXPECT_EQ(f.upload(f.ca.issue({.dns = {"edge02.edges.test"}}), "e2").status, 0);
  EXPECT_FALSE(f.book.find("e2")->installed);
  EXPECT_FALSE(f.journal.since(1).at(0).executed);
}

TEST(SimFaults, ADelayEndsWithTheProgram) {
  Fixture f;
  f.faults.add(parse_fault(json::Document::parse(R"({"action":{"delayMs":600000}})").value().root()).value());
  std::jthread ending([&] { f.pause.end(); });
  EXPECT_EQ(f.get("/e1").status, 200);
}

TEST(Api, TellsOfAnOAuthClientWithoutItsSecret) {
  Fixture f;
  const Got client = f.send("GET", "/api/v2/oauth/clients/simulator");
  EXPECT_EQ(client.status, 200);
  EXPECT_EQ(client["state"].string(), "active");
  EXPECT_FALSE(client["dateToDelete"].present());
  EXPECT_EQ(client.text.find("simulator-secret"), std::string::npos);
  EXPECT_EQ(f.send("GET", "/api/v2/oauth/clients/nobody").status, 404);
}

TEST(Api, CloudMediaIsListedUnlessItIsNotWanted) {
  Fixture f;
  ASSERT_TRUE(f.book.patch("e2", json::Document::parse(R"({"cloudMedia":true})").value().root()));
  EXPECT_EQ(f.get("?managed=false")["total"].integer(), 2);
  EXPECT_EQ(f.get("?managed=false&showCloudMedia=false")["total"].integer(), 1);
  EXPECT_EQ(f.get("/e2")["edgeDeploymentType"].string(), "CDM");
}

TEST(Api, SaysWhatItMakesOfCertificates) {
  Fixture f;
  const auto ask = [&](const std::string& pem) {
    return f.send("POST", "/api/v2/certificate/details", json::dump({{"certificate", pem}}));
  };
  const support::TestCa issuing = support::TestCa("root").intermediate("issuing");
  const auto now = f.clock.now();
  const auto leaf =
      issuing.issue({.common_name = "edge01", .dns = {"a.test"}, .not_after = now + std::chrono::hours{1}});
  const auto words = [](const Got& got) {
    std::string line;
    got["certificateDetails"].for_each_element([&](View entry) {
      line += entry["subject"].string_or("?");
      for (const char* word : {"valid", "signatureValid", "expired"})
        line += entry[word].boolean().value_or(false) ? std::string(" ") + word : "";
      line += "; ";
      return true;
    });
    return line;
  };
  EXPECT_EQ(words(ask(leaf.chain_pem)), "CN=edge01 valid signatureValid; CN=issuing; ")
      << "the last one's issuer was not sent";
  f.clock.advance(std::chrono::hours{2});
  EXPECT_EQ(words(ask(leaf.chain_pem)), "CN=edge01 signatureValid expired; CN=issuing; ");
  EXPECT_EQ(ask("no PEM").status, 400);
  EXPECT_EQ(f.send("POST", "/api/v2/certificate/details").status, 400);
}

TEST(Api, KeepsRemoteAuthorities) {
  Fixture f;
  const std::string base = "/api/v2/telephony/providers/edges/certificateauthorities";
  const auto body = [&](const std::string& type, const std::string& services, const std::string& more = "") {
    json::Value value = {{"name", "sbc"}, {"type", type}, {"certificate", support::TestCa("sbc").certificate_pem()}};
    std::string text = json::dump(value);
    return text.substr(0, text.size() - 1) + R"(,"services":)" + services + more + "}";
  };
  for (const std::string& bad :
       {body("MANAGED", R"(["SIP"])"), body("REMOTE", "[]"), body("REMOTE", R"(["MAIL"])"),
        std::string(R"({"name":"x","type":"REMOTE","services":["SIP"],"certificate":"no"})")}) {
    EXPECT_EQ(f.send("POST", base, bad).status, 400);
  }
  const Got made = f.send("POST", base, body("REMOTE", R"(["SIP"])"));
  ASSERT_EQ(made.status, 200) << made.text;
  const std::string one = base + "/" + made["id"].string_or("");
  EXPECT_EQ(f.get("/certificateauthorities")["total"].integer(), 2);
  EXPECT_EQ(f.send("PUT", one, body("REMOTE", R"(["PROVISION"])", R"(,"version":1)")).status, 200);
  EXPECT_EQ(f.send("PUT", one, body("REMOTE", R"(["SIP"])", R"(,"version":1)")).status, 409);
  EXPECT_EQ(f.send("PUT", base + "/managed-ca", body("REMOTE", R"(["SIP"])", R"(,"version":1)")).status, 400);
  EXPECT_EQ(f.send("DELETE", base + "/managed-ca").status, 400);
  EXPECT_EQ(f.send("DELETE", one).status, 200);
  EXPECT_EQ(f.send("DELETE", one).status, 404);
  EXPECT_EQ(f.get("/certificateauthorities")["total"].integer(), 1);
}

}  // namespace
}  // namespace edgetrust::sim
