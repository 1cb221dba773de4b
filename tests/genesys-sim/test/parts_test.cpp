// Configuration, faults, journal, and the vendor's shapes.
#include "config.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "fault.hpp"
#include "journal.hpp"
#include "vendor.hpp"

namespace edgetrust::sim {
namespace {

TEST(SimConfig, EveryFieldButTheEdgeIdHasADefault) {
  const Config config = parse_config(R"({"edges":[{"id":"e1"}]})").value();
  ASSERT_EQ(config.edges.size(), 1U);
  EXPECT_EQ(config.edges[0].name, "e1");
  EXPECT_EQ(config.edges[0].host, "e1");
  EXPECT_EQ(config.edges[0].sip_port, 0);
  EXPECT_FALSE(config.edges[0].factory);
  EXPECT_EQ(config.api_port, 0);
  EXPECT_EQ(config.token_life, std::chrono::hours{24});
  EXPECT_EQ(config.slow_restart, config.restart * 10);
  EXPECT_TRUE(config.guide_api && config.published_api);
  EXPECT_TRUE(parse_config("{}").value().edges.empty());
}

TEST(SimConfig, ReadsAllOfIt) {
  const Config config = parse_config(R"({
    "api":{"port":1,"certFile":"c","keyFile":"k"},"control":{"port":2},"cloud":{"port":3},
    "credentials":{"clientId":"id","clientSecret":"s"},"tokenSeconds":5,"restartMs":7,"slowRestartMs":9,"callEndsEveryMs":11,
    "edges":[{"id":"e1","name":"n","site":"s1","siteName":"S","timeZone":"Europe/Dublin","host":"h","sipPort":4,"factory":true}],
    "sbc":{"trustFile":"t","serverName":"{name}.x","intervalMs":250},"initialCertificates":{"e1":{"chainFile":"a","keyFile":"b"}},
    "guideApi":false,"publishedApi":false,"ratePerMinute":10,"enforceRate":true})")
                            .value();
  EXPECT_EQ(config.api_tls.chain_file + config.api_tls.key_file, "ck");
  EXPECT_EQ(config.api_port + config.control_port * 10 + config.cloud_port * 100, 321);
  EXPECT_EQ(config.client_id + config.client_secret, "ids");
  EXPECT_EQ(config.token_life, std::chrono::seconds{5});
  EXPECT_EQ(config.restart.count() + config.slow_restart.count() + config.call_ends_every.count(), 27);
  const EdgeConfig& edge = config.edges.at(0);
  EXPECT_EQ(edge.id + edge.name + edge.site + edge.site_name + edge.time_zone + edge.host, "e1ns1SEurope/Dublinh");
  EXPECT_TRUE(edge.factory);
  EXPECT_EQ(config.sbc.trust_file + config.sbc.server_name, "t{name}.x");
  EXPECT_EQ(config.sbc.interval.count(), 250);
  EXPECT_EQ(config.initial_certificates.at("e1").key_file, "b");
  EXPECT_FALSE(config.guide_api || config.published_api);
  EXPECT_TRUE(config.enforce_rate);
  EXPECT_EQ(parse_config(R"({"sbcTrustFile":"x"})").value().sbc.trust_file, "x");
}

TEST(SimConfig, RefusesWhatIsWrongAndNamesIt) {
  struct Case {
    const char* text;
    const char* field;
  };
  for (const Case& c :
       {Case{"[]", "object"}, Case{"{", "config"}, Case{R"({"edges":[{}]})", "edges[].id"},
        Case{R"({"edges":[{"id":"a"},{"id":"a"}]})", "twice"}, Case{R"({"api":{"port":70000}})", "port"},
        Case{R"({"api":{"certFile":"x"}})", "keyFile"}, Case{R"({"restartMs":"1s"})", "restartMs"},
        Case{R"({"sbc":{"intervalMs":0}})", "intervalMs"}}) {
    const auto config = parse_config(c.text);
    ASSERT_FALSE(config) << c.text;
    EXPECT_NE(config.error().message().find(c.field), std::string::npos) << config.error().message();
  }
}

TEST(Glob, AStarStandsForAnyRun) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("*/certificates", "/api/v2/telephony/providers/edges/certificates"));
  EXPECT_TRUE(glob_matches("/a/*/c*", "/a/b/x/c/d"));
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_matches("/a/*/c", "/a/b/x/cd"));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_FALSE(glob_matches("*x", "abc"));
  EXPECT_TRUE(glob_matches("/exact", "/exact"));
}

Fault fault(const char* text) { return parse_fault(json::Document::parse(text).value().root()).value(); }

TEST(Faults, TheFirstThatFitsIsCountedDown) {
  FaultTable table;
  table.add(fault(R"({"method":"POST","path":"*/certificates","times":2,"action":{"status":503}})"));
  table.add(fault(R"({"path":"/x","action":{"dropBefore":true}})"));
  table.add(fault(R"({"port":"cloud","times":0,"action":{"delayMs":5}})"));
  EXPECT_FALSE(table.take("api", "GET", "/certificates"));
  EXPECT_EQ(table.take("api", "POST", "/edges/certificates")->status, 503);
  EXPECT_TRUE(table.take("api", "DELETE", "/x")->drop_before);
  EXPECT_FALSE(table.take("api", "DELETE", "/x"));
  EXPECT_EQ(table.take("api", "POST", "/edges/certificates")->name(), "status");
  EXPECT_FALSE(table.take("api", "POST", "/edges/certificates"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(table.take("cloud", "GET", "/y")->delay.count(), 5);
  table.clear();
  EXPECT_EQ(table.size(), 0U);
}

TEST(Faults, BodiesAndHeadersAreTakenAsTheyAre) {
  const FaultAction text = fault(R"({"action":{"body":"<html>","headers":{"Retry-After":"9","X":1}}})").action;
  EXPECT_EQ(text.body, "<html>");
  EXPECT_EQ(text.headers, (std::vector<std::pair<std::string, std::string>>{{"Retry-After", "9"}, {"X", "1"}}));
  EXPECT_EQ(fault(R"({"action":{"body":{"a":1}}})").action.body, R"({"a":1})");
}

TEST(Faults, WrongOnesAreRefused) {
  for (const char* text : {"{}", R"({"action":{}})", R"({"action":{"status":42}})", R"({"action":{"status":"503"}})",
                           R"({"times":-1,"action":{"status":500}})", R"({"port":"control","action":{"status":500}})",
                           R"({"action":{"delayMs":-1}})"}) {
    EXPECT_FALSE(parse_fault(json::Document::parse(text).value().root())) << text;
  }
}

TEST(Journal, NumbersGoOnAndOldOnesLeave) {
  Journal journal;
  for (int i = 0; i < 3; ++i) {
    JournalEntry entry;
    entry.path = std::to_string(i);
    journal.add(std::move(entry));
  }
  ASSERT_EQ(journal.since(1).size(), 2U);
  EXPECT_EQ(journal.since(1)[0].n, 2U);
  EXPECT_EQ(journal.since(1)[0].path, "1");
  journal.clear();
  EXPECT_EQ(journal.last(), 3U);
  for (int i = 0; i < 100'001; ++i) journal.add({});
  EXPECT_EQ(journal.since(0).size(), 100'000U);
  EXPECT_EQ(journal.since(0).front().n, 5U);
}

TEST(Vendor, ListingsAreCutIntoPages) {
  std::vector<json::Value> all;
  for (int i = 0; i < 60; ++i) all.push_back({{"id", i}});
  const json::Value first = listing(all, {}, "/edges", true);
  EXPECT_EQ(first["pageSize"], 25);
  EXPECT_EQ(first["entities"].size(), 25U);
  EXPECT_EQ(first["pageCount"], 3);
  EXPECT_EQ(first["total"], 60);
  EXPECT_EQ(first["totalNumberOfEntities"], 60);
  EXPECT_EQ(first["nextUri"], "/edges?pageSize=25&pageNumber=2");
  EXPECT_FALSE(first.contains("previousUri"));
  const json::Value last = listing(all, parse_query("pageSize=40&pageNumber=2"), "/edges", false);
  EXPECT_EQ(last["entities"].size(), 20U);
  EXPECT_EQ(last["entities"][0]["id"], 40);
  EXPECT_FALSE(last.contains("nextUri"));
  EXPECT_FALSE(last.contains("totalNumberOfEntities"));
  EXPECT_EQ(listing(all, parse_query("pageNumber=9"), "/e", false)["entities"].size(), 0U);
  EXPECT_EQ(listing(all, parse_query("pageSize=x&pageNumber=-1"), "/e", false)["pageSize"], 25);
  EXPECT_EQ(listing({}, {}, "/e", false)["pageCount"], 1);
}

TEST(Vendor, QueriesAndPathsAreDecoded) {
  const Query query = parse_query("a=1%202&b=x+y&c&d=%zz&a=3");
  EXPECT_EQ(query.at("a"), "3");
  EXPECT_EQ(query.at("b"), "x y");
  EXPECT_EQ(query.at("c"), "");
  EXPECT_EQ(query.at("d"), "%zz");
  EXPECT_EQ(path_segments("/a/b%2Fc/"), (std::vector<std::string>{"a", "b/c", ""}));
}

TEST(Vendor, TimesAndErrorsHaveTheVendorsShape) {
  EXPECT_EQ(time_text(parse_rfc3339("2026-11-22T01:02:03.045Z").value()), "2026-11-22T01:02:03.045Z");
  const http::Response response = vendor_error({.status = 400,
                                                .code = "bad.request",
                                                .message = "no \"quotes\"",
                                                .entity_id = "e1",
                                                .detail_code = "d",
                                                .detail_field = "f"});
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(
      response.body,
      R"({"code":"bad.request","contextId":"","details":[{"errorCode":"d","fieldName":"f"}],"entityId":"e1","errors":[],"message":"no \"quotes\"","messageParams":{},"status":400})");
}

}  // namespace
}  // namespace edgetrust::sim
