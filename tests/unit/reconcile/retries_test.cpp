#include "edgetrust/reconcile/retries.hpp"

#include "edgetrust/base/time_text.hpp"

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;

struct RetriesTest : testing::Test {
  const TimePoint now = parse_rfc3339("2026-11-22T12:00:00Z").value();
  Retries retries;

  std::chrono::milliseconds failed(const std::string& name, std::optional<std::chrono::seconds> wish = {}) {
    return retries.failed({"voice", name}, {.kind = ErrorKind::kUnavailable, .retry_after = wish}, now) - now;
  }
};

TEST_F(RetriesTest, WaitLongerEachTimeUpToTenMinutesAndAFifth) {
  for (const auto& name : {"edge01", "edge02", "edge03"}) {
    for (const auto least : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
      const auto wait = failed(name);
      EXPECT_GE(wait, least) << name;
      EXPECT_LE(wait, least * 6 / 5) << name;
    }
  }
}

TEST_F(RetriesTest, ObjectsThatFailTogetherDoNotReturnTogether) {
  std::set<std::chrono::milliseconds> waits;
  for (int i = 0; i < 50; ++i) waits.insert(failed("edge" + std::to_string(i)));
  EXPECT_GE(waits.size(), 40U);
}

TEST_F(RetriesTest, ThePeersWishMakesItLaterNeverEarlier) {
  EXPECT_EQ(failed("a", 2h), 2h);
  EXPECT_EQ(failed("b", 24h), 24h);
  EXPECT_EQ(failed("c", 1'000'000'000s), 24h);
  EXPECT_GE(failed("d", 0s), 30s);
  for (int i = 0; i < 10; ++i) failed("e", 1s);
  EXPECT_GE(failed("e", 1s), 10min) << "a wish for less is no leave to ask for ever";
}

TEST_F(RetriesTest, SuccessBeginsAnewForThisObjectAlone) {
  for (int i = 0; i < 5; ++i) {
    failed("a");
    failed("b");
  }
  retries.succeeded({"voice", "a"});
  EXPECT_LE(failed("a"), 36s);
  EXPECT_GE(failed("b"), 10min);
}

}  // namespace
}  // namespace edgetrust::reconcile
