// An operator that loses its lead at each moment of a rotation and of a change of pins, as one does that was frozen
// for longer than its Lease: what it has written down, the next one does.
#include "simulation/enforced_pins.hpp"

namespace edgetrust::simulation {
namespace {

// "" when nothing was done after the intention to do it had been written down as the last change of a lead.
std::string done_without_lead(const Moments& moments, int last) {
  const std::string& written = moments.log.at(static_cast<std::size_t>(last) - 1);
  if (written != "status" || moments.count() == last) return "";
  return moments.log.at(static_cast<std::size_t>(last)) + " after change " + std::to_string(last);
}

constexpr int kMany = 1000;  // passes

// The passes of one operator until it leads no longer, or has nothing to do for a while.
void lead(World& world, const LeadUntil& lead) {
  reconcile::World around = world.ports();
  around.leadership = &lead;
  reconcile::CertificateReconciler engine(around);
  for (int pass = 0; pass < kMany && lead.holds(); ++pass) {
    const reconcile::Outcome outcome = engine.reconcile({"voice", "edge01"}, {});
    ASSERT_FALSE(outcome.error) << outcome.error->message();
    const TimePoint wake = outcome.wake_at.value_or(TimePoint::max());
    if (wake > world.clock.now() + 10min) return;
    if (wake > world.clock.now()) world.clock.advance(wake - world.clock.now());
  }
}

TEST(Leader, DoesNoMoreOfARotationOnceAnotherMayLead) {
  int changes = 0;
  {
    World world;
    ASSERT_TRUE(run(world, 10min));
    changes = world.moments.count();
  }
  int written = 0;
  for (int last = 1; last <= changes; ++last) {
    World world;
    lead(world, LeadUntil(world.moments, last));
    EXPECT_EQ(done_without_lead(world.moments, last), "");
    written += world.moments.log.at(static_cast<std::size_t>(last) - 1) == "status" ? 1 : 0;
    ASSERT_TRUE(run(world, 10min)) << "another, after change " << last;
    EXPECT_EQ(world.certificates.get({"voice", "edge01"})->status.phase, api::Phase::kReady) << last;
    EXPECT_EQ(world.orders, 1) << last;
    EXPECT_EQ(world.uploads, 1) << last;
  }
  EXPECT_GT(written, 5) << "intentions at which the lead was lost";
}

TEST(Leader, DoesNoMoreOfAChangeOfPinsOnceAnotherMayLead) {
  constexpr auto kTime = 2min;
  int changes = 0;
  {
    Enforced story;
    story.run(kTime);
    changes = story.world.moments.count();
  }
  int written = 0;
  for (int last = 1; last <= changes; ++last) {
    Enforced story;
    const LeadUntil first(story.world.moments, last);
    story.around.leadership = &first;
    story.start();
    story.run(kTime);
    EXPECT_EQ(done_without_lead(story.world.moments, last), "");
    written += story.world.moments.log.at(static_cast<std::size_t>(last) - 1) == "status" ? 1 : 0;
    story.around.leadership = nullptr;
    story.start();
    story.run(kTime);
    EXPECT_EQ(story.pins().state, EdgePinState::kMatched) << last;
    EXPECT_EQ(story.machine().pins(), "az") << last;
    EXPECT_EQ(story.machine().restarts, 1) << last;
  }
  EXPECT_GT(written, 3) << "intentions at which the lead was lost";
}

}  // namespace
}  // namespace edgetrust::simulation
