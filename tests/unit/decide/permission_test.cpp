// What a RotationPolicy makes a stored revision wait for: permission.cpp, by way of revision_delivered.
#include "edgetrust/api/approval.hpp"
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::MayBreak;

Observation deliverable_when(api::Window window) {
  Observation o = deliverable();
  set_windows(o, {std::move(window)});
  return o;
}

TimePoint at(std::string_view text) { return parse_rfc3339(text).value(); }

template <class Change>
Observation under_policy(Observation o, Change with) {
  change(o.policy, [&](api::RotationPolicy& policy) { with(policy.spec); });
  return o;
}
const auto kStarts = "revision_delivered SetFinalizer Delivering/Pushing R";

// --- windows

TEST(Permission, WaitsForItsWindow) {
  // deliverable() is at 2027-01-31T12:00:00Z, 13:00 in Berlin, a Sunday. 15 minutes are needed. What the Edge serves
  // ends on 2027-02-19T12:00:00Z and is urgent three days before, 384 h from now: no window is waited for then.
  check({{"closed", deliverable_when({.start = "02:00", .duration = 2h}),
          "revision_delivered Waiting/WaitingForWindow +13h"},
         {"open", deliverable_when({.start = "12:00", .duration = 2h}),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"open, just long enough", deliverable_when({.start = "12:15", .duration = 60min}),
          "revision_delivered SetFinalizer Delivering/Pushing R"},
         {"open, not long enough any more", deliverable_when({.start = "12:14", .duration = 60min}),
          "revision_delivered Waiting/WaitingForWindow +23h14m"},
         {"only on Tuesdays", deliverable_when({.start = "02:00", .duration = 2h, .days = {api::Day::kTue}}),
          "revision_delivered Waiting/WaitingForWindow +37h"},
         {"never long enough", deliverable_when({.start = "12:00", .duration = 14min}),
          "revision_delivered Waiting/WindowTooShort S +384h"},
         {"no time of day", deliverable_when({.start = "noon!", .duration = 2h}),
          "revision_delivered Waiting/InvalidWindow S +384h"},
         {"no window named: two in the night", with(deliverable(), [](auto& o) { o.object.spec.rotation.reset(); }),
          "revision_delivered Waiting/WaitingForWindow +13h"}});
  const Decision decision = decide(deliverable_when({.start = "02:00", .duration = 2h}));
  EXPECT_EQ(decision.status.next, "window Mon 02:00 Europe/Berlin");
  EXPECT_EQ(decision.status.next_window, "2027-02-01T01:00:00Z");
  EXPECT_EQ(condition(decision, api::condition::kReady)->status, api::Truth::kTrue);
  const Decision open =
      decide(with(deliverable(), [](auto& o) { o.object.status.next_window = "2027-02-01T01:00:00Z"; }));
  EXPECT_EQ(open.status.next_window, "") << "it is not waited for any more";
}

TEST(Permission, TheWindowIsInTheZoneOfTheEdgeElseOfTheSiteElseOfTheConnection) {
  Observation o = deliverable_when({.start = "02:00", .duration = 2h});
  EXPECT_EQ(decide(o).status.next, "window Mon 02:00 Europe/Berlin");
  change(o.edge, [](auto& edge) {
    edge.spec.time_zone.clear();
    edge.status.time_zone = "America/New_York";
  });
  change(o.connection, [](auto& connection) { connection.spec.time_zone = "Asia/Tokyo"; });
  EXPECT_EQ(decide(o).status.next, "window Mon 02:00 America/New_York");
  change(o.edge, [](auto& edge) { edge.status.time_zone.clear(); });
  EXPECT_EQ(decide(o).status.next, "window Mon 02:00 Asia/Tokyo");
  change(o.connection, [](auto& connection) { connection.spec.time_zone.clear(); });
  EXPECT_EQ(decided(o), "revision_delivered Waiting/NoTimeZone S +384h") << "never guessed";
  change(o.edge, [](auto& edge) { edge.spec.time_zone = "Europe/Atlantis"; });
  EXPECT_EQ(decided(o), "revision_delivered Waiting/InvalidWindow S +384h");
  EXPECT_NE(ready_message(decide(o)).find("Europe/Atlantis"), std::string::npos);
}

TEST(Permission, ARequestSkipsTheWindowOnce) {
  Observation o = deliverable_when({.start = "02:00", .duration = 2h});
  annotate(o, api::kRotateRequestedAt, "now");
  const Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_delivered SetFinalizer Delivering/Pushing R");
  EXPECT_EQ(decision.status.handled_requests->rotate, "now");
  o.object.status.handled_requests = decision.status.handled_requests;
  EXPECT_EQ(decided(o), "revision_delivered Waiting/WaitingForWindow +13h");
  annotate(o, api::kRotateRequestedAt, "again");
  EXPECT_EQ(decided(o), "revision_delivered SetFinalizer Delivering/Pushing R");
}

TEST(Permission, OnceItIsUrgentNoWindowIsWaitedFor) {
  Observation o = deliverable_when({.start = "02:00", .duration = 2h, .days = {api::Day::kSat}});
  o.now = at("2027-02-15T12:00:00Z");  // a Monday; urgent on Tuesday at 12:00
  o.look->at = o.now;
  const Decision before = decide(o);
  EXPECT_EQ(support::summary(o, before), "revision_delivered Waiting/WaitingForWindow +24h");
  EXPECT_EQ(before.status.next, "window Sat 02:00 Europe/Berlin") << "what people may rely on";
  o.now += 24h;
  o.look->at = o.now;
  EXPECT_EQ(decided(o), kStarts);
  const Observation never = under_policy(o, [](auto& policy) { policy.urgent = api::Urgent{.may_break = {{}}}; });
  EXPECT_EQ(decided(never), "revision_delivered Waiting/WaitingForWindow +85h") << "when nothing may be broken";
  const Observation earlier = under_policy(o, [](auto& policy) { policy.urgent = api::Urgent{.before = 71h}; });
  EXPECT_EQ(decided(earlier), "revision_delivered Waiting/WaitingForWindow +1h");
}

TEST(Permission, AShortLifeIsNotUrgentAllTheTime) {
  Observation o = deliverable_when({.start = "02:00", .duration = 2h});
  o.revisions[1].chain->not_after = o.now + 60h;
  o.revisions[1].chain->not_before = o.now - 84h;  // six days in all
  o.look->served = o.revisions[1].chain;
  EXPECT_EQ(decided(o), "revision_delivered Waiting/WaitingForWindow +13h") << "less than 72 h before its end";
  o.now = o.revisions[1].chain->not_after - 14h - 24min;
  o.look->at = o.now;
  EXPECT_EQ(decided(o), kStarts) << "a tenth of six days is left";
}

// --- freezes

const api::Freeze kFreeze{
    .name = "black-friday", .from = at("2027-01-30T00:00:00Z"), .to = at("2027-02-02T06:00:00Z"), .reason = "CHG0041"};

TEST(Permission, NothingStartsInAFreeze) {
  const auto frozen = [](auto& policy) { policy.freezes = {kFreeze}; };
  const Observation o = under_policy(deliverable(), frozen);
  const auto before_freeze = [&](api::Duration left) {
    return with(o, [&](auto& c) { change(c.policy, [&](auto& p) { p.spec.freezes[0].from = c.now + left; }); });
  };
  const Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_delivered Waiting/Frozen +42h");
  EXPECT_EQ(
      ready_message(decision),
      "revision 2 is ready; freeze black-friday (CHG0041) lasts until 2027-02-02T06:00:00Z, the first start after "
      "it is Tue 07:00 Europe/Berlin");
  EXPECT_EQ(decision.status.next, "window Tue 07:00 Europe/Berlin");
  check({{"its window is inside, the next one is outside",
          under_policy(deliverable_when({.start = "02:00", .duration = 2h}), frozen),
          "revision_delivered Waiting/Frozen +61h"},
         {"asked for: only the window is skipped", with(o, [](auto& c) { annotate(c, api::kRotateRequestedAt); }),
          "revision_delivered Waiting/Frozen +42h"},
         {"it is over", with(o, [](auto& c) { c.now = c.look->at = kFreeze.to; }), kStarts},
         {"it is about to begin, and there is time enough", before_freeze(15min), kStarts},
         {"it is about to begin, and there is not", before_freeze(15min - 1s),
          "revision_delivered Waiting/WaitingForWindow +42h"}});
}

TEST(Permission, AFreezeIsBrokenOnlyWhereThatIsSaid) {
  Observation o = under_policy(deliverable(), [](auto& policy) {
    policy.freezes = {kFreeze};
    policy.freezes[0].to = at("2027-02-18T00:00:00Z");
  });
  o.now = o.look->at = at("2027-02-17T12:00:00Z");  // two days before the end
  EXPECT_EQ(decided(o), "revision_delivered Waiting/Frozen +12h") << "only a window is broken by itself";
  o = under_policy(o, [](auto& policy) { policy.urgent = api::Urgent{.may_break = {{MayBreak::kFreeze}}}; });
  EXPECT_EQ(decided(o), kStarts);
  set_windows(o, {{.start = "02:00", .duration = 2h}});
  EXPECT_EQ(decided(o), "revision_delivered Waiting/WaitingForWindow +13h") << "then the window holds";
  o.now = o.look->at = at("2027-02-16T11:59:00Z");
  EXPECT_EQ(decided(o), "revision_delivered Waiting/Frozen +1m") << "the moment from which on it may";
}

TEST(Permission, ARollbackKnowsNoFreeze) {
  const Observation o = under_policy(rolling_back(), [](auto& policy) { policy.freezes = {kFreeze}; });
  EXPECT_EQ(decided(with(o,
                         [](auto& c) {
                           c.pushed.reset();
                           c.look->at = c.now;
                         })),
            "delivery_under_way Push RollingBack/RollingBack R");
}

// --- approval

Observation needing_approval() {
  return under_policy(deliverable(), [](auto& policy) { policy.approval = api::Approval{.required = true}; });
}
// With the approval taken note of.
Observation approved(std::string text) {
  Observation o = needing_approval();
  annotate(o, api::kApprove, std::move(text));
  o.object.status = decide(o).status;
  return o;
}

TEST(Permission, WaitsForAnApprovalOfThisRevision) {
  const Observation o = needing_approval();
  const auto with_text = [&](std::string text) {
    return with(o, [&](auto& c) { annotate(c, api::kApprove, std::move(text)); });
  };
  check({{"none", o, "revision_delivered AwaitingApproval/AwaitingApproval"},
         {"an empty one", with_text(""), "revision_delivered AwaitingApproval/AwaitingApproval"},
         {"no JSON", with_text("yes"), "revision_delivered AwaitingApproval/ApprovalInvalid"},
         {"no revision", with_text(R"({"change":"CHG1"})"), "revision_delivered AwaitingApproval/ApprovalInvalid"},
         {"of an earlier revision", with_text(R"({"revision":1})"), "revision_delivered AwaitingApproval/ApprovalVoid"},
         {"of a later one", with_text(R"({"revision":3})"), "revision_delivered AwaitingApproval/ApprovalVoid"},
         {"of this one", with_text(R"({"revision":2})"), "revision_delivered Waiting/Approved +0s"},
         {"the same, written down", approved(R"({"revision":2})"), kStarts},
         {"an asked-for rotation waits too", with(o, [](auto& c) { annotate(c, api::kRotateRequestedAt); }),
          "revision_delivered AwaitingApproval/AwaitingApproval"},
         {"urgent: it waits still", with(o, [](auto& c) { c.now = c.look->at = c.revisions[1].chain->not_after - 1h; }),
          "revision_delivered AwaitingApproval/AwaitingApproval"},
         {"urgent, and that may break it",
          under_policy(with(o, [](auto& c) { c.now = c.look->at = c.revisions[1].chain->not_after - 1h; }),
                       [](auto& policy) { policy.urgent = api::Urgent{.may_break = {{MayBreak::kApproval}}}; }),
          kStarts},
         {"that is still ahead",
          under_policy(o, [](auto& policy) { policy.urgent = api::Urgent{.may_break = {{MayBreak::kApproval}}}; }),
          "revision_delivered AwaitingApproval/AwaitingApproval +384h"}});
  EXPECT_EQ(ready_message(decide(o)),
            "revision 2 is ready; to approve it, set the annotation edgetrust.io/approve to "
            "{\"revision\":2,\"change\":\"…\",\"by\":\"…\"}")
      << "as the chart's admission policy takes it";
  EXPECT_EQ(decide(o).status.next, "approval of revision 2");
}

TEST(Permission, AnApprovalHoldsForItsTimeAndThenNeedsAnother) {
  Observation o = approved(R"({"revision":2,"change":"CHG1"})");
  o.now = o.object.status.approval->at + 168h - 1s;
  o.look->at = o.now;
  EXPECT_EQ(decided(o), kStarts);
  o.now += 1s;
  o.look->at = o.now;
  EXPECT_EQ(decided(o), "revision_delivered AwaitingApproval/ApprovalExpired");
  EXPECT_NE(ready_message(decide(o)).find("as one with another \"at\""), std::string::npos);
  annotate(o, api::kApprove, R"({"revision":2,"change":"CHG2"})");
  EXPECT_EQ(decided(o), "revision_delivered Waiting/Approved +0s");
  EXPECT_EQ(decide(o).status.approval->change, "CHG2");
}

TEST(Permission, TheHistoryTellsUnderWhichChangeAndByWhom) {
  Observation o = observing();
  o.object.status.approval = approved(R"({"revision":2,"change":"CHG0045123","by":"ada"})").object.status.approval;
  o.now += 1h;
  o.look->at = o.now;
  o.health = {.good_for = 1h, .last_at = o.now, .last = Health::kGood};
  o.object.status = decide(o).status;
  ASSERT_EQ(o.object.status.revision, 2);
  const auto entry_of = [&](int revision) {
    return *std::ranges::find(o.object.status.history, revision, &api::HistoryEntry::revision);
  };
  EXPECT_EQ(entry_of(2).change, "CHG0045123");
  EXPECT_EQ(entry_of(2).approved_by, "ada");
  EXPECT_EQ(entry_of(1).change, "") << "an approval is for one revision";
}

// --- the Edge's software

TEST(Permission, WaitsWhileTheEdgeUpdatesItsSoftware) {
  const auto updating = [](std::string state) {
    return with(deliverable(),
                [&](auto& o) { change(o.edge, [&](auto& edge) { edge.status.software_update = std::move(state); }); });
  };
  check({{"initialising", updating("INIT"), "revision_delivered Waiting/SoftwareUpdate"},
         {"in progress", updating("IN_PROGRESS"), "revision_delivered Waiting/SoftwareUpdate"},
         {"none", updating("NONE"), kStarts},
         {"the API says nothing", updating(""), kStarts},
         {"ignored",
          under_policy(updating("IN_PROGRESS"),
                       [](auto& policy) { policy.software_update = api::SoftwareUpdateRule::kIgnore; }),
          kStarts}});
}

// --- Infeasible

std::string obstacle_of(const Observation& o) {
  const Decision decision = decide(o);
  const auto* limit = condition(decision, api::condition::kInfeasible);
  return limit == nullptr ? "" : limit->reason;
}

TEST(Infeasible, IsSaidByEachOfAFleetWhoseBudgetIsTooSmall) {
  Observation o = ready();
  change(o.policy, [&](api::RotationPolicy& policy) {
    policy.meta.name = "prod";
    api::set(policy.status.conditions,
             {.type = std::string(api::condition::kInfeasible),
              .status = api::Truth::kTrue,
              .reason = "Budget",
              .message = "maxConcurrent has to be 3 at least"},
             o.now);
  });
  EXPECT_EQ(condition(decide(o), api::condition::kInfeasible), nullptr) << "it has windows of its own";
  o.object.spec.rotation.reset();
  const Decision decision = decide(o);
  const auto* said = condition(decision, api::condition::kInfeasible);
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->reason, "Budget");
  EXPECT_EQ(said->message, "RotationPolicy prod: maxConcurrent has to be 3 at least");
}

TEST(Infeasible, IsSaidLongBeforeAndNamesTheLimitThatBinds) {
  // ready() is at 2026-11-22; revision 1 ends on 2027-02-19T12:00:00Z.
  const auto frozen = [](std::string_view from, std::string_view to) {
    return under_policy(ready(),
                        [&](auto& policy) { policy.freezes = {{.name = "x", .from = at(from), .to = at(to)}}; });
  };
  const Observation closed = frozen("2026-12-01T00:00:00Z", "2027-03-01T00:00:00Z");
  EXPECT_EQ(obstacle_of(ready()), "");
  EXPECT_EQ(obstacle_of(closed), "Freeze");
  EXPECT_EQ(
      condition(decide(closed), api::condition::kInfeasible)->message,
      "what the Edge serves expires 2027-02-19T12:00:00Z, and freezes leave no start before it: the last window "
      "allows one at 2027-02-19T11:45:00Z, so a freeze has to end by then, or urgent.mayBreak has to name Freeze");
  EXPECT_EQ(obstacle_of(frozen("2026-12-01T00:00:00Z", "2027-02-19T11:45:00Z")), "") << "just in time";
  EXPECT_EQ(obstacle_of(frozen("2026-12-01T00:00:00Z", "2027-02-19T11:45:01Z")), "Freeze");
  EXPECT_EQ(obstacle_of(under_policy(
                closed, [](auto& policy) { policy.urgent = api::Urgent{.may_break = {{MayBreak::kFreeze}}}; })),
            "");
  const Observation short_window =
      with(ready(), [](auto& o) { set_windows(o, {{.start = "02:00", .duration = 14min}}); });
  EXPECT_EQ(obstacle_of(short_window), "") << "urgency breaks the window";
  EXPECT_EQ(
      obstacle_of(under_policy(short_window, [](auto& policy) { policy.urgent = api::Urgent{.may_break = {{}}}; })),
      "Window");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
