// What is remembered of effects, and for how long.
#include "edgetrust/decide/certificate/memory.hpp"

#include "support/observations.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

const Effect kPush = effect::Push{2};
const Effect kLook = effect::LookAtEdge{};
const Effect kOrder = effect::NewOrder{};

void fail_with(Observation& o, const Effect& effect, ErrorKind kind = ErrorKind::kTimeout) {
  note_begun(o, effect);
  note_failure(o, effect, error(kind), o.now);
}
void succeed_with(Observation& o, const Effect& effect) {
  note_begun(o, effect);
  note_success(o, effect, {.look = look(1, o.now)}, o, o.now);
}

TEST(Failures, EachEffectHasItsOwn) {
  Observation o = ready();
  fail_with(o, kPush);
  fail_with(o, kOrder);
  fail_with(o, kPush);
  EXPECT_EQ(o.failures.at("Push").count, 2) << "in a row, whatever else fails in between";
  EXPECT_EQ(o.failures.at("NewOrder").count, 1);
  succeed_with(o, kLook);
  EXPECT_EQ(o.failures.size(), 2U);
  succeed_with(o, kPush);
  EXPECT_FALSE(o.failures.contains("Push"));
  EXPECT_TRUE(o.failures.contains("NewOrder"));
}

TEST(Failures, CancelledIsNone) {
  Observation o = ready();
  fail_with(o, kPush, ErrorKind::kCancelled);
  EXPECT_TRUE(o.failures.empty());
}

TEST(Failures, AnotherSpecIsANewStart) {
  Observation o = ready();
  fail_with(o, kOrder);
  auto after = o.object.status;
  after.observed_generation = after.observed_generation + 1;
  note_written(o, o.object.status, after);
  EXPECT_TRUE(o.failures.empty());
}

TEST(Forgive, ThePeersAreAskedAnew) {
  Observation o = deliverable();
  o.peers = PeersLook{.revision = 2, .peers = {}, .at = o.now};
  forgive(o);
  EXPECT_FALSE(o.peers);
}

TEST(Forgive, WhatFailedIsTriedAtOnceAndWhatIsKnownStays) {
  Observation o = delivering();
  fail_with(o, kPush);
  EXPECT_EQ(decided(o), "delivery_under_way Delivering/UploadUnavailable R +916ms");
  forgive(o);
  EXPECT_EQ(decided(o), "delivery_under_way LookAtEdge Delivering/UploadUnavailable R")
      << "the push may have been executed: the Edge is asked before it is repeated";
  succeed_with(o, kLook);
  EXPECT_EQ(decided(o), "delivery_under_way Push Delivering/UploadUnavailable R");
  fail_with(o, kPush);
  EXPECT_EQ(o.failures.at("Push").count, 1) << "counted anew";
}

TEST(Forgive, WhatAServerAskedForIsWaitedForAllTheSame) {
  Observation o = ordering();
  fail_with(o, kOrder, ErrorKind::kRateLimited);
  o.failures.at("NewOrder").error.retry_after = 3600s;
  forgive(o);
  EXPECT_EQ(decided(o), "revision_issued Issuing/IssuerRateLimited R +1h");
}

}  // namespace
}  // namespace edgetrust::decide::certificate
