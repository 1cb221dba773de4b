// An outage of the whole site says nothing about one Edge's new certificate.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::Truth;

enum class Seen { kUp, kWentDown, kWasDown, kOffline, kNothing };

std::shared_ptr<const api::Edge> neighbour(std::string name, Seen seen, TimePoint began) {
  auto edge = std::make_shared<api::Edge>(named<api::Edge>(std::move(name)));
  const auto say = [&](std::string_view type, Truth truth, TimePoint at) {
    edge->status.conditions.push_back(
        {.type = std::string(type), .status = truth, .reason = "Said", .message = "said", .last_transition_time = at});
  };
  const TimePoint before = began - 1h;
  switch (seen) {
    case Seen::kNothing: break;
    case Seen::kUp:
      say(api::condition::kOnline, Truth::kTrue, before);
      say(api::condition::kSipHealthy, Truth::kTrue, before);
      break;
    case Seen::kWentDown:
      say(api::condition::kOnline, Truth::kTrue, before);
      say(api::condition::kSipHealthy, Truth::kFalse, began + 20s);
      break;
    case Seen::kWasDown:
      say(api::condition::kOnline, Truth::kTrue, before);
      say(api::condition::kSipHealthy, Truth::kFalse, before);
      break;
    case Seen::kOffline:
      say(api::condition::kOnline, Truth::kFalse, began);
      say(api::condition::kSipHealthy, Truth::kUnknown, began);
      break;
  }
  return edge;
}

// Long after settle, SIP_DOWN twice in a row, and these neighbours.
Observation failing(const std::vector<Seen>& neighbours, bool of_certificate = false) {
  Observation o = observing();
  const TimePoint began = o.object.status.delivery->started_at;
  change(o.edge, [](api::Edge& edge) { edge.spec.site = "ny"; });
  for (const Seen seen : neighbours)
    o.neighbours.push_back(neighbour("edge0" + std::to_string(o.neighbours.size() + 2), seen, began));
  o.now += 5min;
  o.health = {.bad_in_row = 2,
              .last_at = o.now,
              .last = Health::kBad,
              .reason = "the Edge reports SIP_DOWN",
              .of_certificate = of_certificate};
  o.look = with_health(look(2, o.now), ports::EdgeState::kOk, ports::SipState::kDown);
  return o;
}
const std::string kHeld = "delivery_under_way Observing/SiteWideFailure R +15s";
const std::string kBack = "delivery_under_way Push RollingBack/RollingBack R";

TEST(Site, WhereMostOthersWentDownTooThereIsNoVerdict) {
  using enum Seen;
  check({{"no other Edge", failing({}), kBack},
         {"the other is up", failing({kUp}), kBack},
         {"the other went down too", failing({kWentDown}), kHeld},
         {"the other went offline", failing({kOffline}), kHeld},
         {"the other was down before", failing({kWasDown}), kBack},
         {"nothing is known of the other", failing({kNothing}), kBack},
         {"one of two", failing({kWentDown, kUp}), kHeld},
         {"one of three: that one fails by itself", failing({kWentDown, kUp, kUp}), kBack},
         {"of those that tell", failing({kWentDown, kNothing, kWasDown}), kHeld},
         {"two of three", failing({kWentDown, kUp, kOffline}), kHeld}});
}

TEST(Site, WhatNoOutageExplainsIsJudgedAllTheSame) {
  EXPECT_EQ(decided(failing({Seen::kWentDown}, true)), kBack);
  EXPECT_EQ(decided(with(failing({Seen::kWentDown}), [](auto& o) { annotate(o, api::kRollbackRequestedAt); })), kBack)
      << "nor what a person asks for";
}

TEST(Site, JudgeMeansAlone) {
  EXPECT_EQ(decided(with(failing({Seen::kWentDown}),
                         [](auto& o) {
                           o.object.spec.rotation->observe =
                               api::Observe{.on_site_wide_failure = api::SiteWideFailure::kJudge};
                         })),
            kBack);
}

TEST(Site, IsSaidOnceAndCountsNothing) {
  Observation o = failing({Seen::kWentDown, Seen::kWentDown});
  const Decision decision = decide(o);
  EXPECT_EQ(condition(decision, api::condition::kReconciling)->message,
            "no verdict on revision 2: the Edge reports SIP_DOWN; 2 of 2 other Edges of site ny went down too, and "
            "nobody touched them: edge02, edge03");
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].reason, "SiteWideFailure");
  EXPECT_EQ(decision.status.history.size(), o.object.status.history.size());
  EXPECT_FALSE(decision.status.failures);
  o.object.status = decision.status;
  EXPECT_TRUE(decide(o).announcements.empty());
}

// What comes of these looks; the site is down while there is an 's' instead of a 'b' (SIP_DOWN), 'g' is good.
std::string told(const std::string& looks) {
  Observation o = failing({Seen::kUp});
  o.health = {};
  o.object.status.delivery->installed_at = o.now - 2min;
  o.object.spec.rotation->observe = api::Observe{.period = 30s, .interval = 15s, .fail_after = 2};
  std::string said;
  for (const char next : looks) {
    o.neighbours = {
        neighbour("edge02", next == 's' ? Seen::kWentDown : Seen::kUp, o.object.status.delivery->started_at)};
    EdgeLook seen = look(2, o.now);
    if (next != 'g') seen = with_health(seen, ports::EdgeState::kOk, ports::SipState::kDown);
    note_success(o, effect::LookAtEdge{.closely = true}, {.look = seen}, o, o.now);
    const Decision decision = decide(o);
    expect_sane(o, decision);
    o.object.status = decision.status;
    if (!decision.status.delivery) return said + "P";
    said += push_of(decision) != nullptr ? 'R' : reason_in(decision.status) == "SiteWideFailure" ? 'h' : '.';
    if (said.back() == 'R') return said;
    o.now += 15s;
  }
  return said;
}

TEST(Site, LooksDuringAnOutageDoNotCount) {
  EXPECT_EQ(told("bb"), ".R");
  EXPECT_EQ(told("ssssssss"), "hhhhhhhh");
  EXPECT_EQ(told("sssbb"), "hhh.R") << "what is still bad after it counts from one";
  EXPECT_EQ(told("bssb"), ".hh.") << "what was bad before it belonged to it";
  EXPECT_EQ(told("bssbb"), ".hh.R");
  EXPECT_EQ(told("sssggg"), "hhh..P") << "the Edge comes back with its site";
  EXPECT_EQ(told("ggsggg"), "..h..P") << "good is counted anew after it";
}

}  // namespace
}  // namespace edgetrust::decide::certificate
