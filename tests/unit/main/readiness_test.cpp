#include "readiness.hpp"

#include <gmock/gmock.h>

namespace edgetrust {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Readiness, BeginsWhenEverythingHasBeenRead) {
  EXPECT_FALSE(readiness(false, 0ms, true).ready);
  EXPECT_THAT(readiness(false, 0ms, true).says, HasSubstr("not been read yet"));
  EXPECT_TRUE(readiness(true, 0ms, true).ready);
}

TEST(Readiness, OfOneThatStandsByIsSaid) {
  EXPECT_EQ(readiness(true, 0ms, true).says, "ok");
  EXPECT_TRUE(readiness(true, 0ms, false).ready);
  EXPECT_THAT(readiness(true, 0ms, false).says, HasSubstr("standing by"));
}

TEST(Readiness, EndsWhenAWatchHasBeenSilentForLongWhoeverLeads) {
  for (const bool leads : {true, false}) {
    EXPECT_TRUE(readiness(true, 10min, leads).ready);
    const Readiness silent = readiness(true, 10min + 1ms, leads);
    EXPECT_FALSE(silent.ready);
    EXPECT_THAT(silent.says, HasSubstr("a watch has brought nothing for 10 minutes"));
    EXPECT_FALSE(readiness(true, 5h, leads).ready);
  }
}

}  // namespace
}  // namespace edgetrust
