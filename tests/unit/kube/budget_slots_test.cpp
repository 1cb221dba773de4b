#include "edgetrust/kube/budget_slots.hpp"

#include "edgetrust/kube/api_error.hpp"
#include "fixture.hpp"

namespace edgetrust::kube {
namespace {

struct SlotsTest : ClientFixture {
  SlotClient slots{client, clock};
  const api::ObjectKey key{"voice", "edgetrust-site-prod-ny-0"};
};

const ports::SlotHolder kHolder{.uid = "u1", .revision = 7, .name = "edge01"};

TEST_F(SlotsTest, AClaimSaysWhoHoldsItForWhichRevision) {
  transport->answer(201, "{}");
  ASSERT_TRUE(slots.create(key, kHolder, {}));
  const auto request = transport->request(0);
  EXPECT_EQ(path_of(request), "/apis/coordination.k8s.io/v1/namespaces/voice/leases");
  const auto lease = parsed(request.body);
  EXPECT_EQ(lease.root()["spec"]["holderIdentity"].string(), "u1/7");
  EXPECT_EQ(lease.root()["spec"]["acquireTime"].string(), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(lease.root()["metadata"]["annotations"]["edgetrust.io/holder"].string(), "edge01");
  EXPECT_EQ(lease.root()["metadata"]["labels"]["edgetrust.io/slot"].string(), "true");
}

TEST_F(SlotsTest, WhoWasSlowerGetsAConflict) {
  transport->answer(409, failure(409, "AlreadyExists")).answer(409, failure(409, "Conflict"));
  EXPECT_EQ(slots.create(key, kHolder, {}).error().kind, ErrorKind::kConflict);
  ports::BudgetSlot read;
  read.meta = {.ns = key.ns, .name = key.name, .resource_version = "5"};
  EXPECT_EQ(slots.update(read, kHolder, {}).error().kind, ErrorKind::kConflict);
}

TEST_F(SlotsTest, AReleaseHitsOnlyTheVersionThatWasRead) {
  ports::BudgetSlot read{.holder = kHolder, .transitions = 3};
  read.meta = {.ns = key.ns, .name = key.name};
  EXPECT_EQ(slots.update(read, std::nullopt, {}).error().kind, ErrorKind::kInternal) << "a version is needed";
  EXPECT_TRUE(transport->requests().empty());
  read.meta.resource_version = "5";
  transport->answer(200, "{}");
  ASSERT_TRUE(slots.update(read, std::nullopt, {}));
  const auto patch = parsed(transport->request(0).body);
  EXPECT_EQ(patch.root()["metadata"]["resourceVersion"].string(), "5");
  EXPECT_EQ(patch.root()["spec"]["holderIdentity"].string(), "");
  EXPECT_EQ(patch.root()["metadata"]["annotations"]["edgetrust.io/holder"].kind(), json::Kind::kNull);
}

TEST_F(SlotsTest, ReadsWhatAClaimWrites) {
  transport->answer(200, R"({"metadata":{"namespace":"voice","name":"s","resourceVersion":"5",)"
                         R"("annotations":{"edgetrust.io/holder":"edge01"}},)"
                         R"("spec":{"holderIdentity":"u1/7","leaseTransitions":4}})");
  const auto slot = slots.read({"voice", "s"}, {});
  ASSERT_TRUE(slot);
  EXPECT_EQ(slot->holder, kHolder);
  EXPECT_EQ(slot->transitions, 4);
  EXPECT_EQ(slot->meta.resource_version, "5");
}

TEST_F(SlotsTest, AHolderThatIsNoneOfOursHoldsNothing) {
  for (const std::string identity : {"", "u1", "u1/", "/7", "u1/x", "u1/7x", "u1/99999999999999999999"}) {
    transport->answer(200, R"({"metadata":{"name":"s","annotations":{"edgetrust.io/holder":"edge01"}},)"
                           R"("spec":{"holderIdentity":")" +
                               identity + R"("}})");
    EXPECT_FALSE(slots.read({"voice", "s"}, {})->holder) << identity;
  }
}

TEST(SlotLeases, AreWatchedByTheirLabel) {
  EXPECT_EQ(slot_leases("voice").labels, "edgetrust.io/slot");
  EXPECT_EQ(slot_leases("voice").resource, leases());
}

}  // namespace
}  // namespace edgetrust::kube
