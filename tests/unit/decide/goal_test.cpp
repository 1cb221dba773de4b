// Which PinPolicy holds for an Edge, and what becomes of its pin file.
#include "edgetrust/decide/pins/goal.hpp"

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;

struct GoalTest : testing::Test {
  Policies policies;
  api::Edge edge;

  GoalTest() { edge.meta.name = "edge01"; }
  api::PinPolicy& add(const std::string& name, api::PinMode mode, std::chrono::hours age = 1h) {
    auto policy = std::make_shared<api::PinPolicy>();
    policy->meta.name = name;
    policy->meta.uid = "uid-" + name;
    policy->meta.creation_time = TimePoint{} + 1000h - age;
    policy->spec.edge_selector = api::LabelSelector{};
    policy->spec.mode = mode;
    policies.push_back(policy);
    return *policy;
  }
  void enforced_by(const std::string& policy) { edge.status.pins = api::EdgePins{.policy = policy, .enforced = true}; }
  [[nodiscard]] Goal goal() const { return claim_on(edge, policies).goal; }
  [[nodiscard]] std::string by() const {
    const auto* policy = claim_on(edge, policies).policy;
    return policy == nullptr ? "-" : policy->meta.name;
  }
};

TEST_F(GoalTest, TheModeOfTheOldestDecides) {
  EXPECT_EQ(goal(), Goal::kNothing);
  add("young", api::PinMode::kReportOnly);
  EXPECT_EQ(goal(), Goal::kReport);
  add("old", api::PinMode::kEnforce, 2h);
  EXPECT_EQ(goal(), Goal::kEnforce);
  EXPECT_EQ(by(), "old");
  policies.back() = nullptr;
  policies.pop_back();
  add("oldest", api::PinMode::kDisabled, 3h);
  EXPECT_EQ(goal(), Goal::kNothing);
}

TEST_F(GoalTest, OneThatIsDeletedOrCannotBeReadHoldsNothing) {
  add("old", api::PinMode::kEnforce, 2h).meta.deletion_time = TimePoint{};
  add("broken", api::PinMode::kEnforce, 3h).broken = Error{.kind = ErrorKind::kInvalid, .what = "newer"};
  EXPECT_EQ(goal(), Goal::kNothing);
  add("young", api::PinMode::kReportOnly);
  EXPECT_EQ(goal(), Goal::kReport);
}

TEST_F(GoalTest, WhatCannotBeReadChangesNothing) {
  api::PinPolicy& policy = add("cloud", api::PinMode::kEnforce);
  enforced_by("cloud");
  policy.broken = Error{.kind = ErrorKind::kInvalid, .what = "newer"};
  EXPECT_EQ(goal(), Goal::kHold);
}

TEST_F(GoalTest, HoweverItLeavesItIsSwitchedOff) {
  api::PinPolicy& policy = add("cloud", api::PinMode::kEnforce);
  enforced_by("cloud");
  EXPECT_EQ(goal(), Goal::kEnforce);
  for (const auto mode : {api::PinMode::kReportOnly, api::PinMode::kDisabled}) {
    policy.spec.mode = mode;
    EXPECT_EQ(goal(), Goal::kSwitchOff);
    EXPECT_EQ(by(), "cloud");
  }
  policy.spec.mode = api::PinMode::kEnforce;
  policy.meta.deletion_time = TimePoint{};
  EXPECT_EQ(goal(), Goal::kSwitchOff);
  policy.meta.deletion_time.reset();
  edge.meta.deletion_time = TimePoint{};
  EXPECT_EQ(goal(), Goal::kSwitchOff);
  edge.meta.deletion_time.reset();
  policy.spec.edge_selector = api::LabelSelector{.match_labels = {{"pinned", "yes"}}};
  EXPECT_EQ(goal(), Goal::kSwitchOff);
  policy.spec.deletion_policy = api::PinDeletionPolicy::kKeep;
  EXPECT_EQ(goal(), Goal::kLetGo);
  policies.clear();
  EXPECT_EQ(goal(), Goal::kSwitchOff) << "by the defaults";
  EXPECT_EQ(by(), "-");
}

TEST_F(GoalTest, AnotherPolicyInEnforceTakesOver) {
  add("cloud", api::PinMode::kEnforce, 2h).meta.deletion_time = TimePoint{};
  add("heir", api::PinMode::kEnforce);
  enforced_by("cloud");
  EXPECT_EQ(goal(), Goal::kEnforce);
  EXPECT_EQ(by(), "heir");
}

TEST(RotationPolicyOf, IsTheDefaultUnlessOneIsNamed) {
  EXPECT_EQ(rotation_policy_of(nullptr), "default");
  api::PinPolicy policy;
  EXPECT_EQ(rotation_policy_of(&policy), "default");
  policy.spec.policy_ref = api::LocalRef{"prod"};
  EXPECT_EQ(rotation_policy_of(&policy), "prod");
}

}  // namespace
}  // namespace edgetrust::decide::pins
