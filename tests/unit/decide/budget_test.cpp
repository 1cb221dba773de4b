// Whose turn it is, what a slot is called, and when a policy is halted: budget.cpp.
#include "edgetrust/decide/budget.hpp"

#include "sane.hpp"

namespace edgetrust::decide {
namespace {

using namespace std::chrono_literals;
using support::kNow;

struct Waiting {
  std::string name;
  api::Duration left = 240h;  // until what it serves expires
  std::string site = "ny";
  std::string policy;  // empty: the default one
  std::string reason = std::string(kWaitingForTurn);
  std::string next_window;
  bool stuck = false;
};

Member member(const Waiting& w) {
  auto certificate = std::make_shared<api::EdgeCertificate>();
  certificate->meta = {.ns = "voice", .name = w.name, .uid = "uid-" + w.name};
  if (!w.policy.empty()) certificate->spec.policy_ref = api::LocalRef{w.policy};
  certificate->status.phase = api::Phase::kWaiting;
  certificate->status.not_after = kNow + w.left;
  certificate->status.next_window = w.next_window;
  api::set(certificate->status.conditions,
           {.type = std::string(api::condition::kReady), .status = api::Truth::kTrue, .reason = w.reason}, kNow);
  auto edge = std::make_shared<api::Edge>();
  edge->meta = {.ns = "voice", .name = w.name, .uid = "uid-edge-" + w.name};
  edge->spec.connection_ref = {"prod"};
  edge->spec.site = w.site;
  return {.certificate = certificate, .edge = edge, .stuck = w.stuck};
}

// `who` holds these slots, and its status says so.
void hold(Fleet& fleet, const std::string& who, const std::vector<std::string>& slots) {
  for (Member& one : fleet.members) {
    if (one.certificate->meta.name != who) continue;
    auto at_work = std::make_shared<api::EdgeCertificate>(*one.certificate);
    at_work->status.phase = api::Phase::kDelivering;
    at_work->status.slots = api::SlotsStatus{.revision = 2, .names = slots};
    at_work->status.delivery = api::DeliveryStatus{.revision = 2, .started_at = kNow};
    one.certificate = at_work;
  }
  for (const auto& name : slots) {
    ports::BudgetSlot slot{.holder = ports::SlotHolder{.uid = "uid-" + who, .revision = 2, .name = who}};
    slot.meta.name = name;
    fleet.slots.push_back(slot);
  }
}

api::EffectiveRotation budget(int policy, int site) {
  api::EffectiveRotation rotation = api::effective_rotation({}, nullptr);
  rotation.max_concurrent = policy;
  rotation.max_concurrent_per_site = site;
  return rotation;
}

Fleet fleet_of(const std::vector<Waiting>& all) {
  Fleet fleet;
  for (const auto& one : all) fleet.members.push_back(member(one));
  return fleet;
}

Turn turn(const Fleet& fleet, const std::string& who, const api::EffectiveRotation& rotation) {
  for (const Member& one : fleet.members) {
    if (one.certificate->meta.name == who) return turn_of(*one.certificate, *one.edge, fleet, rotation, kNow);
  }
  return {};
}
// The names of those whose turn it is.
std::string going(const Fleet& fleet, const api::EffectiveRotation& rotation) {
  std::string names;
  for (const Member& one : fleet.members) {
    if (decide::is_rotating(*one.certificate)) continue;
    if (!turn(fleet, one.certificate->meta.name, rotation).slots.empty())
      names += (names.empty() ? "" : " ") + one.certificate->meta.name;
  }
  return names;
}

bool is_under_way(const Fleet& fleet, const std::string& name) {
  return std::ranges::any_of(fleet.members, [&](const Member& one) {
    return one.certificate->meta.name == name && decide::is_rotating(*one.certificate);
  });
}

const Pool kPolicy = policy_pool("default", 8);
const Pool kNy = site_pool("prod", "ny", 8);

// --- names

TEST(Slots, HaveNamesThatALeaseMayHave) {
  const std::string shape = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
  for (const auto& pool : {policy_pool("default", 1), policy_pool(std::string(253, 'x'), 1), site_pool("prod", "", 1),
                           site_pool("prod", "New York (HQ), 5th floor", 1), site_pool("prod", "Zürich", 1),
                           site_pool(std::string(253, 'c'), std::string(300, 's'), 1)}) {
    EXPECT_THAT(pool.slot(0), testing::MatchesRegex(shape));
    EXPECT_LE(pool.slot(999).size(), 253U);
  }
  EXPECT_THAT(site_pool("prod", "New York", 1).slot(0), testing::StartsWith("edgetrust-site-prod-new-york-"));
  EXPECT_THAT(policy_pool("default", 1).slot(3), testing::EndsWith("-3"));
}

TEST(Slots, OfDifferentSitesAreNeverTheSame) {
  const std::set<std::string> names = {site_pool("a", "b-c", 1).slot(0), site_pool("a-b", "c", 1).slot(0),
                                       site_pool("a-b", "C", 1).slot(0), site_pool("a", "b c", 1).slot(0),
                                       site_pool("a", "", 1).slot(0),    site_pool("", "a", 1).slot(0),
                                       policy_pool("a", 1).slot(0),      policy_pool("a-b", 1).slot(0)};
  EXPECT_EQ(names.size(), 8U);
}

TEST(Slots, OfTheSamePlaceAreTheSameInEachProcess) {
  EXPECT_EQ(policy_pool("default", 1).slot(0), "edgetrust-policy-default-8716c734b85d-0");
}

// --- turns

TEST(Turns, OneAtATimeAndTheSoonestToExpireFirst) {
  Fleet fleet = fleet_of({{.name = "a", .left = 300h}, {.name = "b", .left = 100h, .site = "du"}, {.name = "c"}});
  EXPECT_EQ(going(fleet, budget(1, 1)), "b");
  EXPECT_EQ(going(fleet, budget(2, 2)), "b c");
  EXPECT_EQ(turn(fleet, "b", budget(2, 1)).slots,
            (std::vector<std::string>{kPolicy.slot(0), site_pool("prod", "du", 1).slot(0)}));
  EXPECT_EQ(turn(fleet, "a", budget(1, 1)).why,
            "it waits for its turn under RotationPolicy default (1 at a time) and in site ny (1 at a time)");
}

TEST(Turns, ThoseThatStartAtOneMomentReachForDifferentSlots) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}});
  hold(fleet, "b", {kPolicy.slot(1), kNy.slot(0)});
  std::set<std::string> taken;
  for (const auto* who : {"a", "c", "d"}) {
    const auto slots = turn(fleet, who, budget(8, 8)).slots;
    ASSERT_EQ(slots.size(), 2U);
    for (const auto& slot : slots) EXPECT_TRUE(taken.insert(slot).second) << slot;
  }
  EXPECT_FALSE(taken.contains(kPolicy.slot(1)));
}

TEST(Turns, WhatServesNothingOfOursComesFirst) {
  Fleet fleet = fleet_of({{.name = "a", .left = 1h}, {.name = "b"}});
  auto bare = std::make_shared<api::EdgeCertificate>(*fleet.members[1].certificate);
  bare->status.not_after.reset();
  fleet.members[1].certificate = bare;
  EXPECT_EQ(going(fleet, budget(1, 1)), "b");
}

TEST(Turns, AHeldSlotIsWaitedFor) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b", .site = "du"}, {.name = "c"}});
  hold(fleet, "a", {kPolicy.slot(0), kNy.slot(0)});
  EXPECT_EQ(going(fleet, budget(1, 1)), "");
  EXPECT_EQ(going(fleet, budget(2, 1)), "b") << "c is in the same site";
  EXPECT_EQ(going(fleet, budget(2, 2)), "b") << "two in all";
  EXPECT_EQ(going(fleet, budget(3, 2)), "b c");
  EXPECT_EQ(turn(fleet, "c", budget(3, 2)).slots, (std::vector<std::string>{kPolicy.slot(2), kNy.slot(1)}));
}

TEST(Turns, AFullSiteHoldsUpNobodyElse) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b", .left = 1h}, {.name = "c", .left = 200h, .site = "du"}});
  hold(fleet, "a", {kPolicy.slot(0), kNy.slot(0)});
  EXPECT_EQ(going(fleet, budget(2, 1)), "c") << "b expires sooner, and could not start";
}

TEST(Turns, SitesAreCountedOverAllPoliciesAndPoliciesOverAllSites) {
  Fleet fleet = fleet_of({{.name = "a", .policy = "other"}, {.name = "b"}, {.name = "c", .site = "du"}});
  hold(fleet, "a", {policy_pool("other", 1).slot(0), kNy.slot(0)});
  EXPECT_EQ(going(fleet, budget(1, 1)), "c");
}

TEST(Turns, EdgesWhoseSiteNobodyKnowsCountAsOneSite) {
  Fleet fleet = fleet_of({{.name = "a", .site = ""}, {.name = "b", .site = ""}});
  EXPECT_EQ(going(fleet, budget(8, 1)), "a");
  EXPECT_THAT(turn(fleet, "b", budget(8, 1)).why, testing::HasSubstr("the site that is not known"));
}

TEST(Turns, WhoCannotStartHoldsUpNobody) {
  EXPECT_EQ(going(fleet_of({{.name = "a", .left = 1h, .stuck = true}, {.name = "b"}}), budget(1, 1)), "a b")
      << "its own turn is its own: whoever claims first has the slot";
  for (const auto* reason : {"EdgeUnhealthy", "Halted", "AwaitingApproval", "SoftwareUpdate", "PushPutOff"}) {
    Fleet fleet = fleet_of({{.name = "a", .left = 1h, .reason = reason}, {.name = "b"}});
    EXPECT_FALSE(turn(fleet, "b", budget(1, 1)).slots.empty()) << reason;
  }
  for (const auto& [window, first] : {std::pair{"2026-11-22T11:59:59Z", false}, {"2026-11-22T12:00:01Z", true}}) {
    Fleet fleet =
        fleet_of({{.name = "a", .left = 1h, .reason = "WaitingForWindow", .next_window = window}, {.name = "b"}});
    EXPECT_EQ(!turn(fleet, "b", budget(1, 1)).slots.empty(), first) << "its window opens " << window;
  }
}

TEST(Turns, ASlotIsFreeWhenItsHolderIsGoneOrSaysNoMoreThatItHasIt) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b"}});
  hold(fleet, "a", {kPolicy.slot(0), kNy.slot(0)});
  ASSERT_EQ(going(fleet, budget(1, 1)), "");
  Fleet gone = fleet;
  gone.members.erase(gone.members.begin());
  EXPECT_EQ(going(gone, budget(1, 1)), "b");
  auto silent = std::make_shared<api::EdgeCertificate>(*fleet.members[0].certificate);
  silent->status.slots.reset();
  fleet.members[0].certificate = silent;
  EXPECT_EQ(going(fleet, budget(1, 1)), "b");
}

TEST(Turns, ALeaseThatSomebodyDeletedIsInUseAllTheSame) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b", .site = "du"}});
  hold(fleet, "a", {kPolicy.slot(0), kNy.slot(0)});
  fleet.slots.clear();
  EXPECT_EQ(going(fleet, budget(1, 1)), "");
}

TEST(Turns, AfterTheLimitWasLoweredTheOnesAboveStillCount) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b", .site = "du"}});
  hold(fleet, "a", {kPolicy.slot(5), kNy.slot(0)});
  EXPECT_EQ(going(fleet, budget(1, 1)), "");
  EXPECT_EQ(going(fleet, budget(2, 1)), "b");
}

// Whatever the fleet: nobody's turn exceeds a budget, and if a slot of both is free somebody's turn it is.
TEST(Turns, NeverExceedTheBudgetAndNeverIdle) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    auto draw = [state = seed * 2654435761U + 1](unsigned bound) mutable {
      state = state * 1664525U + 1013904223U;
      return static_cast<int>((state >> 16) % bound);
    };
    std::vector<Waiting> all;
    for (int i = 0; i < 12; ++i) {
      all.push_back({.name = "e" + std::to_string(i),
                     .left = std::chrono::hours{draw(500)},
                     .site = "s" + std::to_string(draw(4))});
    }
    Fleet fleet = fleet_of(all);
    const auto rotation = budget(1 + draw(4), 1 + draw(2));
    std::map<std::string, int> per_site;
    int rotating = 0;
    // They go one after the other, each seeing those before it.
    for (bool somebody = true; somebody;) {
      somebody = false;
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (decide::is_rotating(*fleet.members[i].certificate)) continue;
        const Turn found = turn(fleet, all[i].name, rotation);
        if (found.slots.empty()) continue;
        for (const auto& slot : found.slots) {
          EXPECT_EQ(std::ranges::count(fleet.slots, slot, [](const auto& s) { return s.meta.name; }), 0) << "taken";
        }
        hold(fleet, all[i].name, found.slots);
        EXPECT_LE(++rotating, rotation.max_concurrent);
        EXPECT_LE(++per_site[all[i].site], rotation.max_concurrent_per_site);
        somebody = true;
      }
    }
    const bool all_full = std::ranges::all_of(all, [&](const Waiting& one) {
      return per_site[one.site] == rotation.max_concurrent_per_site || is_under_way(fleet, one.name);
    });
    EXPECT_TRUE(rotating == rotation.max_concurrent || all_full) << "seed " << seed;
  }
}

// --- setbacks

std::shared_ptr<api::EdgeCertificate> with_history(const std::string& name,
                                                   const std::vector<std::pair<api::RevisionResult, TimePoint>>& ends) {
  auto certificate = std::make_shared<api::EdgeCertificate>();
  certificate->meta = {.ns = "voice", .name = name, .uid = "uid-" + name};
  int revision = 0;
  for (const auto& [result, at] : ends)
    certificate->status.history.push_back({.revision = ++revision, .result = result, .at = at});
  return certificate;
}
template <class... Certificates>
std::vector<Member> fleet_of(const Certificates&... certificates) {
  return {Member{.certificate = certificates, .edge = nullptr}...};
}
constexpr auto kBack = api::RevisionResult::kRolledBack;
constexpr auto kGood = api::RevisionResult::kActive;

TEST(Setbacks, TwoRollbacksHaltByDefault) {
  const auto a = with_history("a", {{kBack, kNow - 1h}, {kGood, kNow - 100h}});
  const auto b = with_history("b", {{kGood, kNow - 30min}});
  const auto c = with_history("c", {{kBack, kNow - 10min}});
  EXPECT_FALSE(setbacks("default", nullptr, fleet_of(a, b), kNow).halted);
  const Setbacks found = setbacks("default", nullptr, fleet_of(a, b, c), kNow);
  EXPECT_TRUE(found.halted);
  EXPECT_EQ(describe(found), "2 rollbacks (a, c)");
  EXPECT_EQ(found.until, kNow - 1h + 672h);
  EXPECT_EQ(setbacks("other", nullptr, fleet_of(a, b, c), kNow).count, 0) << "each policy has its own";
}

TEST(Setbacks, ARollbackUnderWayCountsAlready) {
  const auto a = with_history("a", {{kBack, kNow - 1h}});
  const auto b = with_history("b", {});
  b->status.delivery = api::DeliveryStatus{.revision = 2, .started_at = kNow - 5min};
  EXPECT_FALSE(setbacks("default", nullptr, fleet_of(a, b), kNow).halted);
  b->status.delivery->rolling_back_since = kNow - 1min;
  EXPECT_TRUE(setbacks("default", nullptr, fleet_of(a, b), kNow).halted);
  b->status.delivery = api::DeliveryStatus{.revision = 1, .started_at = kNow - 5min, .installed_at = kNow - 4min};
  EXPECT_FALSE(setbacks("default", nullptr, fleet_of(a, b), kNow).halted);
  b->status.delivery->verdict = "SIP_DOWN, and nothing to return to";
  EXPECT_TRUE(setbacks("default", nullptr, fleet_of(a, b), kNow).halted);
}

TEST(Setbacks, WhatWasBeforeTheResumptionOrAnotherSeasonDoesNotCount) {
  const auto a = with_history("a", {{kBack, kNow - 1h}, {kBack, kNow - 2h}});
  api::RotationPolicy policy;
  policy.status.resumed = api::ResumeStatus{.request = "1", .at = kNow - 90min};
  EXPECT_EQ(setbacks("default", &policy, fleet_of(a), kNow).count, 1);
  EXPECT_EQ(setbacks("default", nullptr, fleet_of(a), kNow).count, 1) << "one Edge counts once";
  policy.status.resumed->at = kNow - 1h;
  EXPECT_EQ(setbacks("default", &policy, fleet_of(a), kNow).count, 0);
  const auto old = with_history("old", {{kBack, kNow - 672h}, {kBack, kNow - 671h}});
  EXPECT_EQ(setbacks("default", nullptr, fleet_of(old), kNow).count, 1);
  policy.status.resumed.reset();
  policy.spec.budget = api::Budget{.spread = 1h};
  const auto week = with_history("week", {{kBack, kNow - 7 * 24h}, {kBack, kNow - 7 * 24h + 1s}});
  EXPECT_EQ(setbacks("default", &policy, fleet_of(week), kNow).count, 1) << "a week at least";
}

TEST(Setbacks, ManyNamesAreNotAllSaid) {
  std::vector<Member> all;
  for (int i = 0; i < 7; ++i)
    all.push_back({.certificate = with_history("e" + std::to_string(i), {{kBack, kNow}}), .edge = nullptr});
  EXPECT_EQ(describe(setbacks("default", nullptr, all, kNow)), "7 rollbacks (e0, e1, e2, e3, e4 and 2 more)");
}

}  // namespace
}  // namespace edgetrust::decide

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

// --- the rules about slots: rules/turn.cpp

Observation starting() {
  Observation o = deliverable();
  o.object.status = decide(o).status;
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  return o;
}

TEST(Turn, SlotsAreNamedThenClaimedThenSomethingIsPushed) {
  Observation o = starting();
  ASSERT_TRUE(o.object.status.slots);
  EXPECT_EQ(o.object.status.slots->revision, 2);
  EXPECT_EQ(o.object.status.slots->names.size(), 2U);
  check(
      {{"named", o, "delivery_under_way ClaimSlots Delivering/Pushing R"},
       {"claimed", with(o, [](auto& c) { c.slots_claimed_for = c.object.status.delivery->started_at; }),
        "delivery_under_way Push Delivering/Pushing R"},
       {"after a crash they are claimed anew",
        with(o,
             [](auto& c) {
               c.slots_claimed_for = c.object.status.delivery->started_at;
               crash(c);
             }),
        "delivery_under_way ClaimSlots Delivering/Pushing R"},
       {"the API server is away",
        with(o, [](auto& c) { c.failures = failed("ClaimSlots", ErrorKind::kUnavailable, c.now); }),
        "delivery_under_way Delivering/ClusterUnavailable R +916ms"},
       {"somebody was faster", with(o, [](auto& c) { c.failures = failed("ClaimSlots", ErrorKind::kConflict, c.now); }),
        "delivery_under_way Waiting/WaitingForTurn +0s"},
       {"deleted meanwhile: nothing is pushed, so nothing is claimed",
        with(o, [](auto& c) { c.object.meta.deletion_time = c.now; }), "delivery_under_way Pending/Deleted R +0s"}});
}

TEST(Turn, WhoWasSlowerTriesAgainAfterAWhile) {
  Observation o = starting();
  o.failures = failed("ClaimSlots", ErrorKind::kConflict, o.now);
  o.object.status = decide(o).status;
  EXPECT_FALSE(o.object.status.delivery);
  EXPECT_EQ(decided(o), "slots_returned ReleaseSlots Waiting/WaitingForTurn") << "one of the two may be held";
  o.slots_released = true;
  o.object.status = decide(o).status;
  EXPECT_FALSE(o.object.status.slots);
  o.slots_released = false;
  o.object.meta.finalizers.clear();
  EXPECT_EQ(decided(o), "revision_delivered Waiting/WaitingForTurn +916ms");
  o.now += 1s;
  o.look->at = o.now;
  EXPECT_EQ(decided(o), "revision_delivered SetFinalizer Delivering/Pushing R");
}

TEST(Turn, SlotsGoBackWhenTheDeliveryIsOverWhateverHoldsTheObject) {
  Observation o = ready();
  o.object.status.slots = api::SlotsStatus{.revision = 1, .names = {"slot"}};
  check(
      {{"over", o, "slots_returned ReleaseSlots Ready/Ready"},
       {"free again", with(o, [](auto& c) { c.slots_released = true; }), "slots_returned Ready/Ready +0s"},
       {"suspended", with(o, [](auto& c) { c.object.spec.suspend = true; }), "slots_returned ReleaseSlots Ready/Ready"},
       {"a release that fails holds up nothing else",
        with(o, [](auto& c) { c.failures = failed("ReleaseSlots", ErrorKind::kUnavailable, c.now); }),
        "rest Ready/Ready +916ms"},
       {"deleted",
        with(o,
             [](auto& c) {
               c.object.meta.deletion_time = c.now;
               c.object.meta.finalizers = {std::string(api::kFinalizer)};
             }),
        "deleted ReleaseSlots Ready/Deleted"},
       {"deleted, and they cannot be freed",
        with(o,
             [](auto& c) {
               c.object.meta.deletion_time = c.now;
               c.object.meta.finalizers = {std::string(api::kFinalizer)};
               c.failures = failed("ReleaseSlots", ErrorKind::kUnavailable, c.now);
             }),
        "deleted SetFinalizer Ready/Deleted"}});
  EXPECT_FALSE(decide(with(o, [](auto& c) { c.slots_released = true; })).status.slots);
}

TEST(Turn, NothingStartsUnderAHaltedPolicyUntilItIsResumed) {
  Observation o = deliverable();
  for (const auto* name : {"edge07", "edge08"}) {
    auto other = std::make_shared<api::EdgeCertificate>(named<api::EdgeCertificate>(name));
    other->meta.uid = name;
    other->status.history = {{.revision = 2, .result = api::RevisionResult::kRolledBack, .at = o.now - 1h}};
    o.fleet.members.push_back({.certificate = other, .edge = nullptr});
  }
  EXPECT_EQ(decided(o), "revision_delivered Waiting/Halted +671h");
  EXPECT_THAT(ready_message(decide(o)),
              testing::HasSubstr("halted after 2 rollbacks (edge07, edge08): find out why, then make a RotationPolicy "
                                 "default and set its annotation edgetrust.io/resume-requested-at"));
  annotate(o, api::kRotateRequestedAt, "now");
  EXPECT_EQ(decided(o), "revision_delivered Waiting/Halted +671h") << "a window may be skipped, a halt may not";
  change(o.policy, [&](api::RotationPolicy& policy) {
    policy.status.resumed = api::ResumeStatus{.request = "1", .at = o.now - 1h};
  });
  EXPECT_EQ(decided(o), "revision_delivered SetFinalizer Delivering/Pushing R");
}

TEST(Turn, ARollbackWaitsForNoSlotAndNoHalt) {
  Observation o = rolling_back();
  o.object.status.slots = api::SlotsStatus{.revision = 2, .names = {"slot"}};
  o.slots_claimed_for.reset();
  EXPECT_EQ(decided(o), "delivery_under_way Push RollingBack/RollingBack R");
  Observation quiet = ready();
  quiet.revisions[0] = whole(0);
  quiet.object.status.history.push_back({.revision = 0, .result = api::RevisionResult::kSuperseded});
  annotate(quiet, api::kRollbackRequestedAt, "now");
  EXPECT_EQ(decided(quiet), "rollback_asked_for LookAtEdge RollingBack/RollingBack R");
}

// --- the pin files of Edges under the same policy

std::shared_ptr<const api::Edge> pinned_edge(const std::string& name, const std::string& site) {
  auto edge = std::make_shared<api::Edge>();
  edge->meta = {.ns = "voice", .name = name, .uid = "uid-edge-" + name};
  edge->spec.connection_ref = {"prod"};
  edge->spec.site = site;
  return edge;
}

TEST(PinTurn, OneEdgeOfASiteWhateverTheBudget) {
  const auto a = pinned_edge("a", "ny");
  const auto b = pinned_edge("b", "ny");
  const auto c = pinned_edge("c", "la");
  Fleet fleet;
  const auto turn = turn_of_pins(*a, "default", fleet, budget(8, 8), {});
  ASSERT_EQ(turn.slots.size(), 2U);
  EXPECT_TRUE(turn_of_pins(*b, "default", fleet, budget(8, 8), {a}).slots.empty());
  EXPECT_FALSE(turn_of_pins(*c, "default", fleet, budget(8, 8), {a, b}).slots.empty());
  EXPECT_TRUE(turn_of_pins(*c, "default", fleet, budget(1, 8), {a}).slots.empty());
  fleet.pins.push_back({.uid = a->meta.uid, .name = "a", .policy = "default", .slots = turn.slots});
  EXPECT_TRUE(turn_of_pins(*b, "default", fleet, budget(8, 8), {}).slots.empty());
  EXPECT_THAT(turn_of_pins(*b, "default", fleet, budget(8, 8), {}).why, testing::HasSubstr("site ny (one at a time)"));
}

TEST(PinTurn, AnEdgeThatIsOutWaitsForItsSiteAlone) {
  const auto a = pinned_edge("a", "ny");
  const auto b = pinned_edge("b", "ny");
  const auto c = pinned_edge("c", "la");
  Fleet fleet;
  fleet.pins.push_back({.uid = a->meta.uid,
                        .name = "a",
                        .policy = "default",
                        .slots = turn_of_pins(*a, "default", fleet, budget(1, 8), {}).slots});
  EXPECT_TRUE(turn_of_pins(*c, "default", fleet, budget(1, 8), {}).slots.empty());
  EXPECT_EQ(turn_of_site(*c, fleet).slots.size(), 1U);
  EXPECT_TRUE(turn_of_site(*b, fleet).slots.empty());
  EXPECT_THAT(turn_of_site(*b, fleet).why, testing::HasSubstr("site ny (one at a time)"));
}

TEST(PinTurn, HoldsUpCertificatesAndIsHeldUpByThem) {
  Fleet fleet = fleet_of({{.name = "a"}, {.name = "b"}});
  const auto edge = pinned_edge("c", "ny");
  const auto slots = turn_of_pins(*edge, "default", fleet, budget(1, 1), {}).slots;
  Fleet at_work = fleet;
  at_work.pins.push_back({.uid = edge->meta.uid, .name = "c", .policy = "default", .slots = slots});
  EXPECT_EQ(going(at_work, budget(1, 1)), "");
  hold(fleet, "a", turn(fleet, "a", budget(1, 1)).slots);
  EXPECT_TRUE(turn_of_pins(*edge, "default", fleet, budget(1, 1), {}).slots.empty());
}

TEST(PinTurn, ItsRollbacksCountTowardsTheHalt) {
  const std::vector<PinWork> pins{
      {.uid = "1", .name = "edge01", .policy = "default", .slots = {}, .rolled_back_at = kNow - 1h},
      {.uid = "2", .name = "edge02", .policy = "default", .slots = {}, .rolled_back_at = kNow - 1h},
      {.uid = "3", .name = "edge03", .policy = "other", .slots = {}, .rolled_back_at = kNow - 1h}};
  const Setbacks found = setbacks("default", nullptr, {}, kNow, pins);
  EXPECT_TRUE(found.halted);
  EXPECT_EQ(describe(found), "2 rollbacks (Edge edge01, Edge edge02)");
  EXPECT_FALSE(setbacks("default", nullptr, {}, kNow + 30 * 24h, pins).halted);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
