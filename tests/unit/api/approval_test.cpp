#include "edgetrust/api/approval.hpp"

#include <gtest/gtest.h>

namespace edgetrust::api {
namespace {

TEST(AwaitedApproval, IsReadAsItIsWritten) {
  EXPECT_EQ(awaits_approval(7), "approval of revision 7");
  EXPECT_EQ(awaited_approval(awaits_approval(7)), 7);
}

TEST(AwaitedApproval, NothingElseIsTakenForOne) {
  for (const char* next : {"", "approval of revision ", "approval of revision 7x", "approval of revision x",
                           "renews 2027-01-03", "pushes revision 7", "approval of revision 99999999999"})
    EXPECT_EQ(awaited_approval(next), std::nullopt) << next;
}

}  // namespace
}  // namespace edgetrust::api
