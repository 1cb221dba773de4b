#include "edgetrust/telemetry/trace.hpp"

#include <deque>

namespace edgetrust::telemetry {
namespace {

const std::string kUid = "7f2c1d7e-9f0a-4a37-8d0e-0d3f7f6f1a11";

// printf '%s\0%s' $UID 7 | sha256sum | cut -c1-32
TEST(TraceId, IsWhatAnybodyCanWorkOut) { EXPECT_EQ(trace_id(kUid, "7"), "253a734c876222ee1fd73e9d42f983d0"); }

TEST(TraceId, TellsObjectsAndTheirChangesApart) {
  const std::set<std::string> ids{trace_id(kUid, "7"), trace_id(kUid, "8"), trace_id("another", "7"),
                                  trace_id(kUid + "7", "7"), trace_id(kUid, "77")};
  EXPECT_EQ(ids.size(), 5U);
}

TEST(TraceId, OfNothingThereIsNone) {
  EXPECT_EQ(trace_id(kUid, ""), "");
  EXPECT_EQ(trace_id("", "7"), "");
}

struct Drawn final : Random {
  explicit Drawn(std::deque<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  std::uint64_t next() override {
    const std::uint64_t number = numbers_.front();
    numbers_.pop_front();
    return number;
  }
  std::deque<std::uint64_t> numbers_;
};

TEST(SpanId, IsDrawnAndNeverAllZero) {
  Drawn random({0x0123456789abcdef, 0, 1});
  EXPECT_EQ(span_id(random), "0123456789abcdef");
  EXPECT_EQ(span_id(random), "0000000000000001");
}

}  // namespace
}  // namespace edgetrust::telemetry
