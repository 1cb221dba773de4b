#include "edgetrust/page/page.hpp"

#include "edgetrust/json/view.hpp"
#include "support/fake_clock.hpp"
#include "support/objects.hpp"

namespace edgetrust::page {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Served {
  support::FakeClock clock{"2026-11-29T00:00:00Z"};
  bool synced = true;
  std::optional<TimePoint> silent_since;
  int looks = 0;
  std::vector<std::shared_ptr<const api::EdgeCertificate>> certificates{
      std::make_shared<const api::EdgeCertificate>(certificate("a", kQuiet))};
  Page page{{.synced = [this] { return synced; },
             .silent_since = [this] { return silent_since; },
             .fleet =
                 [this] {
                   ++looks;
                   return Sight{.certificates = certificates, .edges = {}};
                 },
             .rotation = [this](const api::ObjectKey& key) -> std::optional<view::Subject> {
               for (const auto& one : certificates) {
                 if (one->meta.key() == key)
                   return view::Subject{.certificate = *one, .edge = {}, .policy = {}, .events = {}};
               }
               return std::nullopt;
             }},
            {"Page.Example"},
            clock};

  http::Answer ask(const std::string& path, const std::string& etag = "", const std::string& method = "GET",
                   const std::string& host = "localhost:8082") {
    http::ServerRequest request{.method = method, .path = path, .query = {}, .headers = {}, .body = {}};
    if (!host.empty()) request.headers.add("Host", host);
    if (!etag.empty()) request.headers.add("If-None-Match", etag);
    return page.answer(request);
  }
  void change(const std::string& name) {
    certificates.push_back(std::make_shared<const api::EdgeCertificate>(certificate(name, kQuiet)));
    page.changed();
  }
  std::string word() { return events()->next(); }
  std::shared_ptr<http::EventListener> events() { return ask("/events").events; }
};

std::string header(const http::Answer& answer, std::string_view name) {
  return std::string(answer.headers.get(name).value_or(""));
}

TEST(Page, ServesItsFilesAndNothingElse) {
  Served served;
  EXPECT_THAT(served.ask("/").body, StartsWith("<!doctype html>"));
  EXPECT_EQ(header(served.ask("/"), "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(header(served.ask("/page.css"), "Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(header(served.ask("/page.js"), "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header(served.ask("/icon.svg"), "Content-Type"), "image/svg+xml");
  for (const auto* path : {"/metrics", "/page.js/", "/../page.js", "//", "/fleet", "/fleet.json/", ""})
    EXPECT_EQ(served.ask(path).status, 404) << path;
}

TEST(Page, AFileThatIsKnownIsNotSentAgain) {
  Served served;
  const std::string etag = header(served.ask("/page.js"), "ETag");
  EXPECT_EQ(served.ask("/page.js", etag).status, 304);
  EXPECT_EQ(served.ask("/page.js", R"("other", )" + etag).status, 304);
  EXPECT_EQ(served.ask("/page.css", etag).status, 200);
}

TEST(Page, EachAnswerSaysWhatABrowserMayDoWithIt) {
  Served served;
  for (const auto* path : {"/", "/page.js", "/fleet.json", "/rotations/voice/a", "/events", "/nothing"}) {
    const auto answer = served.ask(path);
    EXPECT_EQ(header(answer, "Content-Security-Policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        << path;
    EXPECT_EQ(header(answer, "X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(header(answer, "Referrer-Policy"), "no-referrer") << path;
    EXPECT_EQ(header(answer, "Cross-Origin-Resource-Policy"), "same-origin") << path;
  }
  for (const auto* path : {"/fleet.json", "/rotations/voice/a", "/nothing"})
    EXPECT_EQ(header(served.ask(path), "Cache-Control"), "no-store") << path;
}

TEST(Page, OnlyReads) {
  Served served;
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}) {
    const auto answer = served.ask("/fleet.json", "", method);
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(header(answer, "Allow"), "GET, HEAD");
  }
  EXPECT_EQ(served.ask("/fleet.json", "", "HEAD").status, 200);
}

// DNS rebinding: a name of somebody else that leads here.
TEST(Page, IsServedUnderItsOwnNamesAlone) {
  Served served;
  for (const auto* host :
       {"localhost", "LOCALHOST:1", "127.0.0.1:8082", "[::1]:8082", "[::1]", "page.example", "Page.Example:443"})
    EXPECT_EQ(served.ask("/fleet.json", "", "GET", host).status, 200) << host;
  for (const auto* host :
       {"", "evil.example", "localhost.evil.example", "page.example.evil.example", "10.0.0.1", "[::2]", "["}) {
    const auto answer = served.ask("/fleet.json", "", "GET", host);
    EXPECT_EQ(answer.status, 421) << host;
    EXPECT_THAT(answer.body, Not(HasSubstr("items"))) << host;
  }
}

TEST(Page, TheFleetIsADocumentWithItsTime) {
  Served served;
  const auto answer = served.ask("/fleet.json");
  EXPECT_EQ(header(answer, "Content-Type"), "application/json");
  const auto document = json::Document::parse(answer.body);
  ASSERT_TRUE(document.has_value()) << answer.body;
  EXPECT_EQ(document->root()["time"].string_or(""), "2026-11-29T00:00:00Z");
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"a")"));
}

TEST(Page, AFleetThatIsKnownIsNotSentAgainAndOneThatChangedIs) {
  Served served;
  const auto first = served.ask("/fleet.json");
  served.clock.advance(2s);
  served.page.changed();  // in something that is not shown
  const auto same = served.ask("/fleet.json", header(first, "ETag"));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_NE(header(same, "Edgetrust-Version"), header(first, "Edgetrust-Version"));
  served.clock.advance(2s);
  served.change("b");
  const auto other = served.ask("/fleet.json", header(first, "ETag"));
  EXPECT_EQ(other.status, 200);
  EXPECT_THAT(other.body, HasSubstr(R"("name":"b")"));
}

TEST(Page, IsRenderedOnceASecondAtTheMostAndSaysOfWhichVersionItIs) {
  Served served;
  const std::string first = header(served.ask("/fleet.json"), "Edgetrust-Version");
  served.change("b");
  const auto early = served.ask("/fleet.json");
  EXPECT_EQ(header(early, "Edgetrust-Version"), first) << "so that whoever was told of a later one asks again";
  EXPECT_EQ(served.looks, 1);
  served.clock.advance(1s);
  const auto later = served.ask("/fleet.json");
  EXPECT_EQ("data: " + header(later, "Edgetrust-Version") + "\n\n", served.word());
  EXPECT_EQ(served.looks, 2);
  served.clock.advance(29s);
  served.ask("/fleet.json");
  EXPECT_EQ(served.looks, 2) << "nothing has changed";
  served.clock.advance(1s);
  served.ask("/fleet.json");
  EXPECT_EQ(served.looks, 3) << "what is due changes with time alone";
}

TEST(Page, ARotationIsFoundByItsName) {
  Served served;
  const auto answer = served.ask("/rotations/voice/a");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("waitsFor"));
  for (const auto* path :
       {"/rotations/voice/b", "/rotations/a", "/rotations/", "/rotations/voice/a/b", "/rotations/voice%2Fa"})
    EXPECT_EQ(served.ask(path).status, 404) << path;
}

TEST(Page, BeforeTheClusterWasReadNothingIsTold) {
  Served served;
  served.synced = false;
  for (const auto* path : {"/fleet.json", "/rotations/voice/a", "/events"}) {
    const auto answer = served.ask(path);
    EXPECT_EQ(answer.status, 503) << path;
    EXPECT_EQ(answer.events, nullptr) << path;
    EXPECT_FALSE(header(answer, "Retry-After").empty()) << path;
  }
  EXPECT_EQ(served.ask("/").status, 200);
}

TEST(Page, SinceWhenTheClusterIsSilentIsSaid) {
  Served served;
  const std::string etag = header(served.ask("/fleet.json"), "ETag");
  EXPECT_EQ(header(served.ask("/fleet.json"), "Edgetrust-Silent-Since"), "");
  served.silent_since = served.clock.now() - 1h;
  const auto answer = served.ask("/fleet.json", etag);
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(header(answer, "Edgetrust-Silent-Since"), "2026-11-28T23:00:00Z");
}

TEST(Page, TheStreamTellsAVersionAndNothingElse) {
  Served served;
  const std::string first = served.word();
  EXPECT_THAT(first, testing::MatchesRegex("data: [0-9]+\\.0\n\n")) << "who comes is told at once";
  served.change("b");
  EXPECT_THAT(served.word(), testing::MatchesRegex("data: [0-9]+\\.1\n\n"));
}

TEST(Page, TheVersionOfAnotherProcessIsAnother) {
  const auto version = [](std::string_view start) {
    const support::FakeClock clock(start);
    Page page({.synced = [] { return true; }, .fleet = [] { return Sight{}; }, .rotation = {}}, {}, clock);
    return header(
        page.answer(
            {.method = "GET", .path = "/fleet.json", .query = {}, .headers = {{"Host", "localhost"}}, .body = {}}),
        "Edgetrust-Version");
  };
  EXPECT_NE(version("2026-11-29T00:00:00Z"), version("2026-11-29T00:00:01Z"));
}

TEST(Page, NoMoreThan32Listen) {
  Served served;
  std::vector<std::shared_ptr<http::EventListener>> listeners;
  for (int i = 0; i < 32; ++i) listeners.push_back(served.events());
  EXPECT_THAT(listeners, testing::Each(testing::NotNull())) << "an answer counts before its stream begins";
  const auto refused = served.ask("/events");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.events, nullptr);
  EXPECT_EQ(served.ask("/fleet.json").status, 200) << "the fleet is told nevertheless";
  listeners.pop_back();
  EXPECT_EQ(served.ask("/events").status, 200);
}

TEST(Page, ItsServerHasRoomForMoreThanTheStreams) {
  const auto options = server_options("127.0.0.1", 0);
  EXPECT_GE(options.max_connections, 2 * 32U);
  EXPECT_LE(options.max_body, 1024U);
}

}  // namespace
}  // namespace edgetrust::page
