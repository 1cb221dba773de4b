#include "edgetrust/dns/cloudflare/cloudflare_zone.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust::dns {
namespace {

using http::Method;
using support::json_answer;
using testing::HasSubstr;
using testing::Not;

const std::string kApi = "https://api.cloudflare.com/client/v4";
const std::string kZone = "023e105f4ecef8ad9ca31a8372d0c353";
const std::string kName = "_acme-challenge.edge01.example.com";
const std::string kToken = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY";
const std::string kZones = kApi + "/zones?name=example.com";
const std::string kRecords = kApi + "/zones/" + kZone + "/dns_records";

std::string list_url(int page = 1) {
  return kRecords + "?type=TXT&name.exact=" + kName + "&page=" + std::to_string(page) + "&per_page=100";
}
std::string good(const std::string& result, int pages = 1) {
  return R"({"success":true,"errors":[],"messages":[],"result":)" + result +
         R"(,"result_info":{"page":1,"per_page":100,"total_pages":)" + std::to_string(pages) + "}}";
}
std::string bad(int code, const std::string& message) {
  return R"({"success":false,"errors":[{"code":)" + std::to_string(code) + R"(,"message":")" + message +
         R"("}],"messages":[],"result":null})";
}
std::string record(const std::string& id, const std::string& content, const std::string& name = kName) {
  return R"({"id":")" + id + R"(","type":"TXT","name":")" + name + R"(","content":")" + content + R"("})";
}

struct Cloudflare : testing::Test {
  support::FakeClock clock;
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  std::unique_ptr<CloudflareZone> zone = make({.token = Secret(kToken + "\n"), .credential = "Secret cf key token"});

  std::unique_ptr<CloudflareZone> make(CloudflareOptions options) {
    return CloudflareZone::create(
               std::move(options), transport,
               [](const std::string&, std::stop_token) -> Result<std::string> { return "example.com"; }, clock)
        .value();
  }
  void zone_is_there() {
    transport->expect(Method::kGet, kZones,
                      json_answer(200, good(R"([{"id":")" + kZone + R"(","name":"example.com"}])")));
  }
  void list_is(const std::string& records) {
    transport->expect(Method::kGet, list_url(), json_answer(200, good("[" + records + "]")));
  }
  Error refusal(int status, const std::string& body, http::Headers headers = {}) {
    transport->expect(Method::kGet, kZones, json_answer(status, body, std::move(headers)));
    const auto done = zone->present(kName, "v", {});
    EXPECT_FALSE(done.has_value());
    return done ? Error{} : done.error();
  }
};

TEST_F(Cloudflare, AddsARecordOfItsOwn) {
  zone_is_there();
  list_is(record("aa", R"(\"foreign\")"));
  transport->expect(Method::kPost, kRecords, json_answer(200, good("{}")));
  const auto done = zone->present("_acme-challenge.Edge01.example.com", "v", {});
  ASSERT_TRUE(done.has_value()) << done.error().message();
  const auto sent = transport->requests();
  EXPECT_EQ(sent.at(2).body,
            R"({"content":"\"v\"","name":"_acme-challenge.edge01.example.com","ttl":60,"type":"TXT"})");
  EXPECT_EQ(sent.at(2).headers.get("Content-Type"), "application/json");
  for (const auto& request : sent) EXPECT_EQ(request.headers.get("Authorization"), "Bearer " + kToken);
}

TEST_F(Cloudflare, WhatIsThereIsNotAddedTwiceInWhateverForm) {
  for (const char* content : {R"(\"v\")", "v"}) {
    zone_is_there();
    list_is(record("aa", content));
    EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  }
  for (const int code : {81057, 81058}) {  // somebody else was faster
    zone_is_there();
    list_is("");
    transport->expect(Method::kPost, kRecords, json_answer(400, bad(code, "An identical record already exists.")));
    EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  }
}

TEST_F(Cloudflare, RemovesThatValueAloneOnEveryPage) {
  zone_is_there();
  transport->expect(
      Method::kGet, list_url(1),
      json_answer(200, good("[" + record("aa", "other") + "," + record("bb", "v", "x.example.com") + "]", 2)));
  transport->expect(Method::kGet, list_url(2), json_answer(200, good("[" + record("cc", R"(\"v\")") + "]", 2)));
  transport->expect(Method::kDelete, kRecords + "/cc", json_answer(200, good(R"({"id":"cc"})")));
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
}

TEST_F(Cloudflare, RemovingWhatIsGoneIsASuccess) {
  zone_is_there();
  list_is("");
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  zone_is_there();
  list_is(record("aa", "v"));
  transport->expect(Method::kDelete, kRecords + "/aa", json_answer(404, bad(81044, "Record does not exist.")));
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
}

TEST_F(Cloudflare, ARefusedTokenNamesItsSecretAndNotItself) {
  for (const auto& [status, code] : {std::pair{400, 6003}, {401, 1000}, {403, 9106}, {400, 6111}}) {
    const Error error = refusal(status, bad(code, "Invalid request headers"));
    EXPECT_EQ(error.kind, ErrorKind::kUnauthorized);
    EXPECT_THAT(error.message(), HasSubstr("Secret cf key token"));
    EXPECT_EQ(error.code, std::to_string(code));
  }
  EXPECT_THAT(refusal(403, bad(9109, "Invalid token " + kToken)).message(), Not(HasSubstr(kToken)));
}

TEST_F(Cloudflare, AMissingPermissionSaysWhatToGrant) {
  zone_is_there();
  list_is("");
  transport->expect(Method::kPost, kRecords, json_answer(403, bad(10000, "Authentication error")));
  const Error error = zone->present(kName, "v", {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kForbidden);
  EXPECT_THAT(error.message(), HasSubstr("Zone:DNS:Edit"));
}

TEST_F(Cloudflare, AZoneThatIsNotShownIsNamed) {
  const Error error = refusal(200, good("[]"));
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("no zone example.com"));
  EXPECT_THAT(error.message(), HasSubstr("Secret cf key token"));
}

TEST_F(Cloudflare, ALimitIsWaitedFor) {
  const Error error = refusal(429, bad(971, "Please wait"), {{"Retry-After", "30"}});
  EXPECT_EQ(error.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(error.retry_after, std::chrono::seconds{30});
}

TEST_F(Cloudflare, HostileAnswersAreErrors) {
  EXPECT_EQ(refusal(502, "<html>").kind, ErrorKind::kUnavailable);
  EXPECT_EQ(refusal(200, "<html>").kind, ErrorKind::kProtocol);
  EXPECT_EQ(refusal(200, R"({"success":true,"result":[{"id":"../x","name":"example.com"}]})").kind,
            ErrorKind::kProtocol);
  EXPECT_EQ(refusal(200, bad(1, "no")).kind, ErrorKind::kProtocol) << "a refusal that calls itself a success";
  zone_is_there();
  list_is(record("a/b", "v"));
  EXPECT_EQ(zone->remove(kName, "v", {}).error().kind, ErrorKind::kProtocol);
}

TEST_F(Cloudflare, EndlessPagesEnd) {
  zone_is_there();
  transport->otherwise([](const http::Request&) { return json_answer(200, good("[]", 1'000'000)); });
  EXPECT_EQ(zone->present(kName, "v", {}).error().kind, ErrorKind::kConflict);
  EXPECT_LE(transport->requests().size(), 21U);
}

TEST_F(Cloudflare, NoTokenIsNoTokenToBeginWith) {
  for (const char* token : {"", "  \n", "two words", "line\nbreak"}) {
    const auto made =
        CloudflareZone::create({.token = Secret(token), .credential = "Secret cf key token"}, transport, {}, clock);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().what, HasSubstr("Secret cf key token"));
  }
}

}  // namespace
}  // namespace edgetrust::dns
