// Before a push, the vendor's own parser is shown the new chain.
#include "story.hpp"

#include <gmock/gmock.h>

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

Observation unasked() {
  return with(deliverable(), [](auto& o) { o.vendor.reset(); });
}
Observation refused() {
  return with(deliverable(), [](auto& o) {
    o.vendor->objection = "it can read 1 of 2 certificates";
    o.vendor->at = o.now;
  });
}

TEST(Vendor, IsShownEachChainOnceAndNothingIsPushedBefore) {
  const auto closed = [](auto& o) { set_windows(o, {{.start = "02:00", .duration = 2h, .days = {}}}); };
  check({
      {"not asked yet", unasked(), "revision_delivered AskVendor Waiting/AskingVendor"},
      {"asked long before the window", with(unasked(), closed), "revision_delivered AskVendor Waiting/AskingVendor"},
      {"it has no objection", deliverable(), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"told of another chain", with(refused(), [](auto& o) { o.vendor->fingerprint_sha256 = fingerprint(1); }),
       "revision_delivered AskVendor Waiting/AskingVendor"},
      {"nothing can be delivered: nobody is asked",
       with(unasked(), [](auto& o) { change(o.connection, [](auto& c) { c.spec.certificate_upload.reset(); }); }),
       "revision_delivered Waiting/NoDeliveryChannel S"},
  });
}

// The published API is no part of a delivery: without it certificates are pushed as before.
TEST(Vendor, WhereItCannotBeAskedItIsDoneWithout) {
  const auto unreachable = [](auto& o) { o.failures = failed("AskVendor", ErrorKind::kUnavailable, o.now); };
  const auto later = [&](auto& o) {
    unreachable(o);
    o.now += 5min;
    o.look->at = o.now;
  };
  check({
      {"it is not reached", with(unasked(), unreachable), "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"asked again when the wait is over", with(unasked(), later),
       "revision_delivered AskVendor Waiting/AskingVendor"},
  });
}

TEST(Vendor, WhatItRefusesIsHeldBackInItsWords) {
  const Decision decision = decide(refused());
  EXPECT_EQ(support::summary(refused(), decision), "revision_delivered Waiting/VendorRefusesChain S +1h");
  EXPECT_FALSE(rejected_in(decision.status, 2));
  EXPECT_FALSE(decision.status.delivery);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_TRUE(decision.announcements[0].warning);
  EXPECT_EQ(decision.announcements[0].reason, "VendorRefusesChain");
  EXPECT_THAT(
      decision.announcements[0].message,
      testing::StartsWith("the vendor's own parser refuses the chain of revision 2, and it is not pushed before "
                          "it is urgent: it can read 1 of 2 certificates; to push it all the same, set"));
}

TEST(Vendor, WhatItSaysIsAskedAgainAndNeverLetsACertificateRunOut) {
  const auto later = [](auto& o) { o.now += 1h; };
  const auto unreachable = [&](auto& o) {
    later(o);
    o.failures = failed("AskVendor", ErrorKind::kUnavailable, o.now);
  };
  const auto urgent = [](auto& o) {
    o.now = kNow - 24h + kLifetime - 1h;
    o.look->at = o.now;
    o.vendor->at = o.now;
  };
  check({
      {"an hour later", with(refused(), later), "revision_delivered AskVendor Waiting/AskingVendor"},
      {"and it is not reached", with(refused(), unreachable), "revision_delivered Waiting/VendorRefusesChain S +916ms"},
      {"a person insists", with(refused(), [](auto& o) { annotate(o, api::kRotateRequestedAt); }),
       "revision_delivered SetFinalizer Delivering/Pushing R"},
      {"what is served runs out", with(refused(), urgent), "revision_delivered SetFinalizer Delivering/Pushing R"},
  });
}

TEST(Vendor, AnObjectionThatIsTakenBackIsForgotten) {
  Story story;
  story.vendor_refuses = true;
  ASSERT_TRUE(story.run(20h));
  EXPECT_EQ(story.pushes(), "");
  EXPECT_EQ(story.orders.size(), 1U) << "the CA is not asked for another";
  EXPECT_LE(story.count("AskVendor"), 21) << "once an hour";
  story.vendor_refuses = false;
  ASSERT_TRUE(story.run(2h));
  EXPECT_EQ(story.pushes(), "1");
  EXPECT_EQ(story.o.object.status.phase, api::Phase::kReady);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
