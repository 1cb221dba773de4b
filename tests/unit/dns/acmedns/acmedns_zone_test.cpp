#include "edgetrust/dns/acmedns/acmedns_zone.hpp"

#include "edgetrust/json/view.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace edgetrust::dns {
namespace {

using http::Method;
using support::json_answer;
using testing::HasSubstr;
using testing::Not;

const std::string kName = "_acme-challenge.edge01.example.com";
const std::string kFull = "d420c923.auth.example.net";
const std::string kUpdate = "https://auth.example.net/update";
const std::string kAccount =
    R"({"allowfrom":[],"fulldomain":"d420c923.auth.example.net","password":"htB9mR9DYgcu9bX","subdomain":"d420c923","username":"c36f50e8"})";

// An acme-dns server: the account's two values, the oldest of which gives way.
struct Server : ports::DnsLookup {
  std::deque<std::string> values;
  std::vector<std::string> asked;

  support::Answer update(const http::Request& request) {
    const auto document = json::Document::parse(request.body).value();
    values.push_back(document.root()["txt"].string_or(""));
    if (values.size() > 2) values.pop_front();
    return json_answer(200, R"({"txt":")" + values.back() + R"("})");
  }
  Result<std::vector<ports::ServerAnswer>> find_txt(const std::string& name, const std::string& value,
                                                    const std::vector<std::string>&, std::stop_token) override {
    asked.push_back(name);
    return std::vector{ports::ServerAnswer{
        .server = "192.0.2.1:53", .has_value = std::ranges::find(values, value) != values.end(), .problem = {}}};
  }
};

struct AcmeDns : testing::Test {
  support::FakeClock clock;
  Server server;
  std::string alias = kFull;  // where the challenge's name leads
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();

  Result<std::unique_ptr<AcmeDnsZone>> make(const std::string& accounts) {
    return AcmeDnsZone::create(
        {.host = "https://auth.example.net", .accounts = Secret(accounts), .credential = "Secret acmedns key json"},
        transport, [this](const std::string&, std::stop_token) -> Result<std::string> { return alias; }, server, clock);
  }
};

TEST_F(AcmeDns, WritesToTheAccount) {
  transport->otherwise([&](const http::Request& request) { return server.update(request); });
  const auto zone = make(kAccount).value();
  ASSERT_TRUE(zone->present(kName, "v", {}).has_value());
  const auto request = transport->requests().at(0);
  EXPECT_EQ(request.url.to_string(), kUpdate);
  EXPECT_EQ(request.headers.get("X-Api-User"), "c36f50e8");
  EXPECT_EQ(request.headers.get("X-Api-Key"), "htB9mR9DYgcu9bX");
  EXPECT_EQ(request.body, R"({"subdomain":"d420c923","txt":"v"})");
  EXPECT_EQ(zone->seen_at(kName, {}), kFull);
  EXPECT_EQ(server.asked, std::vector{kFull});
}

TEST_F(AcmeDns, ARepeatDoesNotPushOutTheOtherValue) {
  transport->otherwise([&](const http::Request& request) { return server.update(request); });
  const auto zone = make(kAccount).value();
  for (const char* value : {"another's", "v", "v", "v"}) EXPECT_TRUE(zone->present(kName, value, {}).has_value());
  EXPECT_EQ(server.values, (std::deque<std::string>{"another's", "v"}));
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_EQ(server.values.size(), 2U) << "nothing can be deleted there";
  EXPECT_EQ(transport->requests().size(), 2U);
}

TEST_F(AcmeDns, AccountsMayBeKeptByDomain) {
  transport->otherwise([&](const http::Request& request) { return server.update(request); });
  const auto zone = make(R"({"edge01.example.com":)" + kAccount + "}").value();
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  const Error error = zone->present("_acme-challenge.edge02.example.com", "v", {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.message(), HasSubstr("Secret acmedns key json has no account for edge02.example.com"));
}

TEST_F(AcmeDns, ANameThatDoesNotLeadThereIsNamedWithWhatToMake) {
  const auto zone = make(kAccount).value();
  for (const std::string& leads_to : {kName, std::string("x.example.org")}) {
    alias = leads_to;
    const Error error = zone->present(kName, "v", {}).error();
    EXPECT_EQ(error.kind, ErrorKind::kInvalid);
    EXPECT_THAT(error.message(), HasSubstr(kName + " must be a CNAME of " + kFull));
    EXPECT_FALSE(zone->seen_at(kName, {}).has_value());
  }
}

TEST_F(AcmeDns, ARefusedAccountNamesItsSecret) {
  const auto zone = make(kAccount).value();
  transport->expect(Method::kPost, kUpdate, json_answer(401, R"({"error":"forbidden"})"));
  const Error refused = zone->present(kName, "v", {}).error();
  EXPECT_EQ(refused.kind, ErrorKind::kUnauthorized);
  EXPECT_THAT(refused.message(), HasSubstr("Secret acmedns key json"));
  EXPECT_EQ(refused.code, "forbidden");
  transport->expect(Method::kPost, kUpdate, json_answer(400, R"({"error":"htB9mR9DYgcu9bX"})"));
  EXPECT_THAT(zone->present(kName, "v", {}).error().message(), Not(HasSubstr("htB9mR9DYgcu9bX")));
  transport->expect(Method::kPost, kUpdate, json_answer(200, R"({"txt":"another"})"));
  EXPECT_EQ(zone->present(kName, "v", {}).error().kind, ErrorKind::kProtocol);
}

TEST_F(AcmeDns, WhatIsNoAccountIsRefusedAtOnceWithoutRepeatingIt) {
  for (const char* text : {"", "[]", "{}", "s3cret", R"({"a.example.com":{"username":"s3cret"}})",
                           R"({"subdomain":"s","fulldomain":"f.x","username":"u","password":"line\nbreak s3cret"})"}) {
    const auto made = make(text);
    ASSERT_FALSE(made.has_value()) << text;
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().what, HasSubstr("Secret acmedns key json"));
    EXPECT_THAT(made.error().what, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace edgetrust::dns
