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

std::string zone_json(const std::string& zone) {
  return R"({"id":"s","name":"x","edgeAutoUpdateConfig":{"timeZone":")" + zone + R"(","rrule":"FREQ=DAILY"}})";
}

bool asks(const http::Request& request, std::string_view what) {
  return request.url.target.find(what) != std::string::npos;
}

TEST(Edges, TurnsThePagesAndAsksEachSiteOnce) {
  FleetFixture f([](const http::Request& request) {
    if (asks(request, "/sites/s1")) return json_answer(200, zone_json("America/New_York"));
    if (asks(request, "/sites/s2")) return json_answer(200, R"({"id":"s2","name":"no zone"})");
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
  EXPECT_EQ(edges[2].id.value, "c");
  const auto lines = f.api->lines();
  ASSERT_EQ(lines.size(), 5U) << "login, two pages, two sites";
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

TEST(Edges, RemembersZonesForAnHour) {
  FleetFixture f([](const http::Request& request) {
    if (asks(request, "/sites/")) return json_answer(200, zone_json("Europe/Dublin"));
    return json_answer(200, listing({edge_json("a", "s1")}, 1, 1));
  });
  ASSERT_TRUE(f.fleet->edges({}));
  f.clock.advance(minutes{59});
  ASSERT_TRUE(f.fleet->edges({}));
  EXPECT_EQ(f.api->sent().size(), 4U) << "login, list, site, list";
  f.clock.advance(minutes{1});
  ASSERT_TRUE(f.fleet->edges({}));
  EXPECT_EQ(f.api->sent().size(), 6U);
}

TEST(Edges, ASiteThatMayNotBeReadHasNoZone) {
  for (const int status : {403, 404}) {
    FleetFixture f([&](const http::Request& request) {
      if (asks(request, "/sites/")) return json_answer(status, "");
      return json_answer(200, listing({edge_json("a", "s1")}, 1, 1));
    });
    EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "");
    f.clock.advance(minutes{5});
    ASSERT_TRUE(f.fleet->edges({}));
    EXPECT_EQ(f.api->sent().size(), 5U) << "and is asked again after five minutes";
  }
}

TEST(Edges, AFaultKeepsTheLastKnownZoneButNeverInventsOne) {
  int status = 500;
  FleetFixture f([&](const http::Request& request) {
    if (asks(request, "/sites/")) return json_answer(status, status == 200 ? zone_json("Asia/Tokyo") : "");
    return json_answer(200, listing({edge_json("a", "s1")}, 1, 1));
  });
  EXPECT_EQ(f.fleet->edges({}).error().kind, ErrorKind::kUnavailable);
  status = 200;
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "Asia/Tokyo");
  status = 503;
  f.clock.advance(std::chrono::hours{2});
  EXPECT_EQ(f.fleet->edges({}).value().at(0).time_zone, "Asia/Tokyo");
}

TEST(Edges, WhatIsNoListingIsAnError) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"entities":{}})"}) {
    FleetFixture f([&](const http::Request&) { return json_answer(200, body); });
    EXPECT_EQ(f.fleet->edges({}).error().kind, ErrorKind::kProtocol) << body;
    EXPECT_EQ(f.fleet->check({}).error().kind, ErrorKind::kProtocol) << body;
    EXPECT_EQ(f.fleet->trunks(kEdge, {}).error().kind, ErrorKind::kProtocol) << body;
  }
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
