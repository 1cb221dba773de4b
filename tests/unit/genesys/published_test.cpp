// Listings of the published API.
#include "edgetrust/base/time_text.hpp"
#include "fleet_fixture.hpp"

namespace edgetrust::genesys {
namespace {

using ports::TrunkState;
using std::chrono::minutes;
using testing::FleetFixture;
using testing::json_answer;
using testing::kEdge;
using testing::ScriptedTransport;

std::string edge_json(const std::string& id, const std::string& site) {
  return R"({"id":")" + id + R"(","name":"edge )" + id +
         R"(","state":"active","statusCode":"ACTIVE","onlineStatus":"ONLINE","softwareStatus":{"status":"IN_PROGRESS"},"site":{"id":")" +
         site + R"(","name":"Site )" + site + R"("},"version":7})";
}

std::string listing(const std::vector<std::string>& entities, int page, int pages) {
  std::string body = R"({"entities":[)";
  for (std::size_t i = 0; i < entities.size(); ++i) body += (i > 0 ? "," : "") + entities[i];
  return body + R"(],"pageSize":100,"pageNumber":)" + std::to_string(page) + R"(,"total":3,"pageCount":)" +
         std::to_string(pages) + "}";
}

std::string site_json(const std::string& id, const std::string& zone) {
  return R"({"id":")" + id + R"(","name":"x","edgeAutoUpdateConfig":{"timeZone":")" + zone +
         R"(","rrule":"FREQ=DAILY"}})";
}

bool asks(const http::Request& request, std::string_view what) {
  return request.url.target.find(what) != std::string::npos;
}

constexpr auto kSiteWithTimeServers =
    R"({"id":"s2","name":"no zone","ntpSettings":{"servers":["ntp1.example.com",7,"ntp2.example.com"]}})";

TEST(Edges, TurnsThePagesAndListsTheSitesOnce) {
  FleetFixture f([](const http::Request& request) {
    if (asks(request, "/sites?"))
      return json_answer(
          200, listing({site_json("s1", "America/New_York"), kSiteWithTimeServers, R"({"name":"no id"})"}, 1, 1));
    if (asks(request, "pageNumber=1"))
      return json_answer(200, listing({edge_json("a", "s1"), edge_json("b", "s2")}, 1, 2));
    return json_answer(200, listing({edge_json("b", "s2"), edge_json("c", "s1"), R"({"name":"no id"})"}, 2, 2));
  });
  const auto edges = f.fleet->edges({}).value();
  ASSERT_EQ(edges.size(), 3U) << "an Edge that moved to the next page counts once";
  EXPECT_EQ(edges[0].id.value, "a");
  EXPECT_EQ(edges[0].name, "edge a");
  EXPECT_EQ(edges[0].site, "Site s1");
  EXPECT_EQ(edges[0].time_zone, "America/New_York");
  EXPECT_EQ(edges[0].software_status, "IN_PROGRESS");
  EXPECT_TRUE(edges[0].online && edges[0].in_service && edges[0].active);
  EXPECT_EQ(edges[1].time_zone, "");
  EXPECT_THAT(edges[1].time_servers, ::testing::ElementsAre("ntp1.example.com", "ntp2.example.com"));
  EXPECT_EQ(edges[2].id.value, "c");
  const auto lines = f.api->lines();
  ASSERT_EQ(lines.size(), 4U) << "login, two pages, the sites";
  EXPECT_EQ(lines[3], "GET " + testing::kEdges + "/sites?pageSize=100&pageNumber=1");
  EXPECT_EQ(lines[1], "GET " + testing::kEdges + "?showCloudMedia=false&managed=false&pageSize=100&pageNumber=1");
}

TEST(Edges, ReadsTheStatesThatMatter) {
  FleetFixture f([](const http::Request&) {
    return json_answer(200, listing({R"({"id":"a","state":"deleted","statusCode":"INACTIVE","onlineStatus":"OFFLINE"})",
                                     R"({"id":"b","site":{"id":"s9"},"state":5})"},
                                    1, 1));
  });
  const auto edges = f.fleet->edges({});
  ASSERT_TRUE(edges) << edges.error().message();
  EXPECT_FALSE(edges->at(0).online || edges->at(0).in_service || edges->at(0).active);
  EXPECT_EQ(edges->at(0).site, "");
  EXPECT_FALSE(edges->at(1).active);
  EXPECT_EQ(edges->at(1).site, "s9") << "the id where the site has no name";
}

// The vendor's own media devices are none of ours, whatever the filter lets through.
TEST(Edges, KnowsAnApplianceFromCloudMedia) {
  FleetFixture f([](const http::Request&) {
    return json_answer(
        200, listing({R"({"id":"a","edgeDeploymentType":"HARDWARE"})", R"({"id":"b","edgeDeploymentType":"LDM"})",
                      R"({"id":"c","edgeDeploymentType":"CDM"})", R"({"id":"d","edgeDeploymentType":"CHS"})",
                      R"({"id":"e","edgeDeploymentType":"INVALID"})", R"({"id":"f"})"},
                     1, 1));
  });
  std::string appliances;
  const auto edges = f.fleet->edges({}).value();
  for (const auto& edge : edges) appliances += edge.appliance ? edge.id.value : "";
  EXPECT_EQ(appliances, "abf");
}

// One Edge of one site; what the sites say is up to the test.
struct ZoneFixture : FleetFixture {
  explicit ZoneFixture(const ScriptedTransport::Answer& sites)
      : FleetFixture([this, sites](const http::Request& request) {
          if (asks(request, "/sites?")) return sites(request);
          return Result<http::Response>(json_answer(200, listing({edge_json("a", site)}, 1, 1)));
        }) {}
  std::string site = "s1";
};

TEST(Edges, RemembersZonesForAnHour) {
  ZoneFixture f(
      [](const http::Request&) { return json_answer(200, listing({site_json("s1", "Europe/Dublin")}, 1, 1)); });
  ASSERT_TRUE(f.fleet->edges({}));
  f.clock.advance(minutes{59});
  ASSERT_TRUE(f.fleet->edges({}));
  EXPECT_EQ(f.api->sent().size(), 4U) << "login, list, sites, list";
  f.clock.advance(minutes{1});
  ASSERT_TRUE(f.fleet->edges({}));
  EXPECT_EQ(f.api->sent().size(), 6U);
}

TEST(Edges, ASiteThatIsNotListedHasNoZoneAndIsLookedForAfterFiveMinutes) {
  std::string known = "s1";
  ZoneFixture f(
      [&](const http::Request&) { return json_answer(200, listing({site_json(known, "Europe/Dublin")}, 1, 1)); });
  f.site = "s9";
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "");
  known = "s9";
  f.clock.advance(minutes{4});
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "");
  f.clock.advance(minutes{1});
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "Europe/Dublin");
}

TEST(Edges, SitesThatMayNotBeReadHaveNoZone) {
  for (const int status : {403, 404}) {
    ZoneFixture f([&](const http::Request&) { return json_answer(status, ""); });
    EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "");
    f.clock.advance(minutes{5});
    ASSERT_TRUE(f.fleet->edges({}));
    EXPECT_EQ(f.api->sent().size(), 5U) << "and are asked again after five minutes";
  }
}

TEST(Edges, AFaultKeepsTheLastKnownZoneButNeverInventsOne) {
  int status = 500;
  ZoneFixture f([&](const http::Request&) {
    return json_answer(status, status == 200 ? listing({site_json("s1", "Asia/Tokyo")}, 1, 1) : "");
  });
  EXPECT_EQ(f.fleet->edges({}).error().kind, ErrorKind::kUnavailable);
  status = 200;
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "Asia/Tokyo");
  status = 503;
  f.clock.advance(std::chrono::hours{2});
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "Asia/Tokyo");
  f.site = "s2";
  EXPECT_EQ(f.fleet->edges({}).error().kind, ErrorKind::kUnavailable) << "another one's zone is none";
}

TEST(Edges, WhatIsNoListingIsAnError) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"entities":{}})"}) {
    FleetFixture f([&](const http::Request&) { return json_answer(200, body); });
    EXPECT_EQ(f.fleet->edges({}).error().kind, ErrorKind::kProtocol) << body;
    EXPECT_EQ(f.fleet->check({}).error().kind, ErrorKind::kProtocol) << body;
    EXPECT_EQ(f.fleet->trunks(kEdge, {}).error().kind, ErrorKind::kProtocol) << body;
    EXPECT_EQ(f.fleet->all_trunks({}).error().kind, ErrorKind::kProtocol) << body;
  }
}

// A fleet may have more pages than the bucket has tokens.
TEST(Edges, AListingThatTheBudgetStopsGoesOnWhereItWasStopped) {
  Config with = testing::config();
  with.requests_per_minute = 12;  // a bucket of 3
  FleetFixture f(
      [](const http::Request& request) {
        if (asks(request, "/sites?")) return json_answer(200, listing({site_json("s1", "Asia/Tokyo")}, 1, 1));
        const auto at = request.url.target.find("pageNumber=") + std::string_view("pageNumber=").size();
        const std::string page = request.url.target.substr(at);
        return json_answer(200, listing({edge_json("edge-" + page, "s1")}, std::stoi(page), 7));
      },
      std::move(with));
  Result<std::vector<ports::EdgeInfo>> edges = f.fleet->edges({});
  int tries = 1;
  for (; !edges && tries < 20; ++tries) {
    EXPECT_EQ(edges.error().kind, ErrorKind::kRateLimited);
    f.clock.advance(*edges.error().retry_after);
    edges = f.fleet->edges({});
  }
  ASSERT_TRUE(edges);
  EXPECT_EQ(edges->size(), 7U);
  EXPECT_EQ(edges->at(6).time_zone, "Asia/Tokyo");
  EXPECT_EQ(f.api->sent().size(), 9U) << "login, each page once, the sites";
  f.clock.advance(minutes{2});
  EXPECT_FALSE(f.fleet->edges({})) << "the next one begins anew";
  EXPECT_EQ(f.api->sent().size(), 12U);
  f.clock.advance(minutes{6});
  EXPECT_FALSE(f.fleet->edges({}));
  EXPECT_EQ(f.api->lines().back(),
            "GET " + testing::kEdges + "?showCloudMedia=false&managed=false&pageSize=100&pageNumber=3")
      << "half a listing does not wait for ever";
}

TEST(Edges, AListingWithoutEndIsAnErrorAndAnEmptyPageIsTheEnd) {
  Config with = testing::config();
  with.requests_per_minute = 100'000;
  FleetFixture endless([](const http::Request&) { return json_answer(200, listing({R"({"id":"a"})"}, 1, 1'000'000)); },
                       std::move(with));
  EXPECT_EQ(endless.fleet->edges({}).error().kind, ErrorKind::kProtocol);
  FleetFixture empty([](const http::Request&) { return json_answer(200, listing({}, 1, 1'000'000)); });
  EXPECT_TRUE(empty.fleet->edges({}).value().empty());
}

ports::Trunk trunk_from(const std::string& fields) {
  FleetFixture f([&](const http::Request&) {
    return json_answer(
        200, listing({R"({"id":"t1","name":"SBC-A","state":"active","inService":true,"enabled":true)" + fields + "}"},
                     1, 1));
  });
  return f.fleet->trunks(kEdge, {}).value().at(0);
}

std::string options(const std::vector<bool>& states) {
  std::string list = R"(,"optionsEnabledStatus":"ENABLED","optionsStatus":[)";
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::string n = std::to_string(i + 1);
    list += (i > 0 ? "," : "") + (R"({"proxyAddress":"sbc)" + n) + R"(:5061","optionState":)" +
            (states[i] ? "true" : R"(false,"errorInfo":{"text":"unknown CA"})") +
            R"(,"optionStateTime":"2026-11-22T01:0)" + n + R"(:00.000Z"})";
  }
  return list + "]";
}

TEST(Trunks, AsksForTheExternalOnes) {
  FleetFixture f([](const http::Request&) { return json_answer(200, listing({}, 1, 1)); });
  EXPECT_TRUE(f.fleet->trunks(kEdge, {}).value().empty());
  EXPECT_EQ(f.api->lines().back(),
            "GET " + testing::kEdges + "/" + kEdge.value + "/trunks?trunkType=EXTERNAL&pageSize=100&pageNumber=1");
}

TEST(Trunks, OfAllEdgesByPages) {
  const auto trunk = [](const std::string& id, const std::string& edge) {
    return R"({"id":")" + id + R"(","name":"SBC )" + id + R"(","state":"active","edge":{"id":")" + edge + R"("}})";
  };
  FleetFixture f([&](const http::Request& request) {
    if (asks(request, "pageNumber=1")) return json_answer(200, listing({trunk("1", "AA"), trunk("2", "bb")}, 1, 2));
    return json_answer(
        200, listing({trunk("2", "bb"), trunk("3", "aa"), R"({"id":"4","name":"of no Edge","state":"active"})"}, 2, 2));
  });
  const auto all = f.fleet->all_trunks({}).value();
  ASSERT_EQ(all.size(), 2U);
  ASSERT_EQ(all.at(ports::EdgeId{"aa"}).size(), 2U) << "by the id in lower case";
  EXPECT_EQ(all.at(ports::EdgeId{"aa"})[1].name, "SBC 3");
  ASSERT_EQ(all.at(ports::EdgeId{"bb"}).size(), 1U) << "a trunk that moved to the next page counts once";
  EXPECT_EQ(f.api->lines()[1], "GET " + testing::kEdges + "/trunks?trunkType=EXTERNAL&pageSize=100&pageNumber=1");
}

TEST(Trunks, UpWhenAProxyAnswers) {
  const ports::Trunk trunk = trunk_from(options({true}) + R"(,"proxyAddressList":["sbc1:5061","sbc2:5061"])");
  EXPECT_EQ(trunk.name, "SBC-A");
  EXPECT_EQ(trunk.peer, "sbc1:5061, sbc2:5061");
  EXPECT_EQ(trunk.state, TrunkState::kUp);
  EXPECT_EQ(trunk.since, parse_rfc3339("2026-11-22T01:01:00Z").value());
  EXPECT_EQ(trunk.error, "");
}

TEST(Trunks, DownOnlyWhenNoProxyAnswers) {
  const ports::Trunk one_down = trunk_from(options({true, false}));
  EXPECT_EQ(one_down.state, TrunkState::kUp);
  EXPECT_EQ(one_down.error, "sbc2:5061: unknown CA");
  const ports::Trunk down = trunk_from(options({false, false}));
  EXPECT_EQ(down.state, TrunkState::kDown);
  EXPECT_EQ(down.since, parse_rfc3339("2026-11-22T01:02:00Z").value());
  EXPECT_EQ(down.error, "sbc1:5061: unknown CA; sbc2:5061: unknown CA");
}

TEST(Trunks, EachKindOfEvidenceCounts) {
  const std::string registered =
      R"(,"registersEnabledStatus":"ENABLED","registersStatus":[{"proxyAddress":"p","registerState":true}])";
  const std::string unregistered =
      R"(,"registersEnabledStatus":"ENABLED","registersStatus":[{"proxyAddress":"p","registerState":false}])";
  const std::string cut = R"(,"connectedStatus":{"connected":false,"connectedStateTime":"2026-11-22T03:00:00Z"})";
  const std::string linked = R"(,"connectedStatus":{"connected":true})";
  EXPECT_EQ(trunk_from(registered).state, TrunkState::kUp);
  EXPECT_EQ(trunk_from(unregistered).state, TrunkState::kDown);
  EXPECT_EQ(trunk_from(unregistered).error, "p does not answer");
  EXPECT_EQ(trunk_from(options({true}) + unregistered).state, TrunkState::kDown);
  EXPECT_EQ(trunk_from(options({false}) + registered).state, TrunkState::kDown);
  EXPECT_EQ(trunk_from(options({true}) + cut).state, TrunkState::kDown);
  EXPECT_EQ(trunk_from(options({true}) + cut).since, parse_rfc3339("2026-11-22T03:00:00Z").value());
  EXPECT_EQ(trunk_from(cut).state, TrunkState::kDown);
  EXPECT_EQ(trunk_from(options({true}) + linked).state, TrunkState::kUp);
}

TEST(Trunks, WithoutEvidenceUnknown) {
  EXPECT_EQ(trunk_from("").state, TrunkState::kUnknown);
  EXPECT_EQ(trunk_from(R"(,"connectedStatus":{"connected":true})").state, TrunkState::kUnknown);
  EXPECT_EQ(trunk_from(R"(,"optionsEnabledStatus":"ENABLED","optionsStatus":[])").state, TrunkState::kUnknown);
  for (const char* word : {"DISABLED", "NOT_SUPPORTED", "SOMETHING_NEW"}) {
    EXPECT_EQ(
        trunk_from(std::string(R"(,"optionsEnabledStatus":")") + word + R"(","optionsStatus":[{"optionState":false}])")
            .state,
        TrunkState::kUnknown)
        << word;
  }
}

TEST(Trunks, ATrunkThatIsNotInUseSaysNothing) {
  for (const char* state : {R"("state":"inactive")", R"("state":"deleted")", R"("state":"active","inService":false)",
                            R"("state":"active","enabled":false)"}) {
    FleetFixture f([&](const http::Request&) {
      return json_answer(200, listing({std::string("{") + state + options({false}) + "}"}, 1, 1));
    });
    const ports::Trunk trunk = f.fleet->trunks(kEdge, {}).value().at(0);
    EXPECT_EQ(trunk.state, TrunkState::kUnknown) << state;
    EXPECT_EQ(trunk.error, "not in service");
  }
}

}  // namespace
}  // namespace edgetrust::genesys
