#include "edgetrust/kube/watch.hpp"

#include "edgetrust/kube/api_error.hpp"
#include "support/fake_random.hpp"

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

Error error_of(ErrorKind kind, std::string_view code = {}) {
  return {.kind = kind, .what = "said the server", .code = std::string(code)};
}
const Error kGone = error_of(ErrorKind::kConflict, kExpired);
const Error kTooNew = error_of(ErrorKind::kTimeout, kFromTheFuture);
const Error kDown = error_of(ErrorKind::kUnavailable);
const Error kSilence = error_of(ErrorKind::kTimeout);
const Error kNonsense = error_of(ErrorKind::kProtocol);
const Error kRefused = error_of(ErrorKind::kInvalid);

struct WatchTest : testing::Test {
  support::FakeRandom random;

  static WatchOptions options(bool watch_list) {
    WatchOptions o;
    o.watch_list = watch_list;
    o.failure = {.first = 1s, .ceiling = 8s, .factor = 2, .jitter = 0};
    o.look_again = {.first = 10s, .ceiling = 40s, .factor = 2, .jitter = 0};
    return o;
  }
  WatchMachine streaming() { return {options(true), random}; }
  WatchMachine listing() { return {options(false), random}; }
  // A machine that has seen everything up to version 100 and watches.
  WatchMachine watching() {
    WatchMachine machine = streaming();
    EXPECT_EQ(machine.line({.type = LineType::kBookmark, .resource_version = "100", .initial_events_end = true}),
              Verdict::kCommit);
    return machine;
  }
  static LineFacts change(std::string version, LineType type = LineType::kModified) {
    return {.type = type, .resource_version = std::move(version)};
  }
  static LineFacts bookmark(std::string version) {
    return {.type = LineType::kBookmark, .resource_version = std::move(version)};
  }
  static LineFacts error(Error e) { return {.type = LineType::kError, .error = std::move(e)}; }

  static OpenWatch open(const WatchMachine& machine) {
    const auto* action = std::get_if<OpenWatch>(&machine.next());
    EXPECT_NE(action, nullptr) << to_string(machine.state());
    return action == nullptr ? OpenWatch{} : *action;
  }
  static FetchPage fetch(const WatchMachine& machine) {
    const auto* action = std::get_if<FetchPage>(&machine.next());
    EXPECT_NE(action, nullptr) << to_string(machine.state());
    return action == nullptr ? FetchPage{} : *action;
  }
  // How long the machine wants to wait, zero when it does not; the wait is then over.
  static std::chrono::milliseconds wait_out(WatchMachine& machine) {
    const auto* action = std::get_if<Wait>(&machine.next());
    if (action == nullptr) return 0ms;
    const auto time = action->time;
    machine.waited();
    return time;
  }
};

TEST_F(WatchTest, BeginsWithAWatchListWhereThatIsWanted) {
  const WatchMachine machine = streaming();
  EXPECT_EQ(machine.state(), WatchState::kStreaming);
  EXPECT_TRUE(open(machine).initial_events);
  EXPECT_EQ(open(machine).resource_version, "");
  EXPECT_FALSE(machine.synced());
}

TEST_F(WatchTest, StagesInitialEventsAndCommitsAtTheirEnd) {
  WatchMachine machine = streaming();
  EXPECT_EQ(machine.line(change("7", LineType::kAdded)), Verdict::kStage);
  EXPECT_EQ(machine.line(change("3", LineType::kAdded)), Verdict::kStage);  // not in the order of their versions
  EXPECT_EQ(machine.line(change("8", LineType::kModified)), Verdict::kStage);
  EXPECT_EQ(machine.line(change("9", LineType::kDeleted)), Verdict::kUnstage);
  EXPECT_EQ(machine.line(bookmark("9")), Verdict::kNothing);
  EXPECT_FALSE(machine.synced());
  EXPECT_EQ(machine.line({.type = LineType::kBookmark, .resource_version = "10", .initial_events_end = true}),
            Verdict::kCommit);
  EXPECT_TRUE(machine.synced());
  EXPECT_EQ(machine.state(), WatchState::kWatching);
  EXPECT_EQ(machine.resource_version(), "10");
  EXPECT_EQ(machine.line(change("11")), Verdict::kApply);  // on the same connection
}

TEST_F(WatchTest, AnEndOfInitialEventsWithoutAVersionIsNoEnd) {
  WatchMachine machine = streaming();
  EXPECT_EQ(machine.line({.type = LineType::kBookmark, .initial_events_end = true}), Verdict::kClose);
  EXPECT_EQ(machine.ended({.error = {}, .lasted = 1s})->kind, ErrorKind::kProtocol);
  EXPECT_FALSE(machine.synced());
}

TEST_F(WatchTest, FallsBackToPagesWhereAWatchListIsNotOffered) {
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kUnsupported}) {
    WatchMachine machine = streaming();
    machine.ended({.error = error_of(kind), .lasted = 0s});
    EXPECT_EQ(fetch(machine), (FetchPage{.continue_token = "", .limit = 500}));
    machine.page({.continue_token = "", .resource_version = "5"});
    machine.line(error(kGone));
    machine.ended({.error = {}, .lasted = 0s});
    wait_out(machine);
    EXPECT_EQ(machine.state(), WatchState::kListing) << "it must not be asked again";
  }
}

TEST_F(WatchTest, FallsBackToPagesForThisLookWhenInitialEventsNeverEnd) {
  for (const std::optional<Error>& end : {std::optional<Error>{}, std::optional(kSilence), std::optional(kNonsense)}) {
    WatchMachine machine = streaming();
    machine.line(change("7", LineType::kAdded));
    machine.ended({.error = end, .lasted = 270s});
    EXPECT_GT(wait_out(machine), 0ms);
    EXPECT_TRUE(open(machine).initial_events);
    machine.ended({.error = end, .lasted = 270s});
    EXPECT_GT(wait_out(machine), 0ms);
    EXPECT_EQ(fetch(machine).continue_token, "");
    machine.page({.continue_token = "", .resource_version = "8"});
    machine.line(error(kGone));
    machine.ended({.error = {}, .lasted = 0s});
    wait_out(machine);
    EXPECT_TRUE(open(machine).initial_events) << "the next look tries again";
  }
}

TEST_F(WatchTest, AServerThatIsDownIsNoReasonForPages) {
  WatchMachine machine = streaming();
  for (const auto expected : {1s, 2s, 4s, 8s, 8s}) {
    machine.ended({.error = kDown, .lasted = 0s});
    EXPECT_EQ(wait_out(machine), expected);
    EXPECT_TRUE(open(machine).initial_events);
  }
}

TEST_F(WatchTest, WalksThePagesAndCommitsAfterTheLast) {
  WatchMachine machine = listing();
  EXPECT_EQ(fetch(machine), (FetchPage{.continue_token = "", .limit = 500}));
  EXPECT_EQ(machine.page({.continue_token = "p2", .resource_version = "50"}), Verdict::kStage);
  EXPECT_EQ(fetch(machine), (FetchPage{.continue_token = "p2", .limit = 500}));
  EXPECT_EQ(machine.page({.continue_token = "p3", .resource_version = "50"}), Verdict::kStage);
  EXPECT_FALSE(machine.synced());
  EXPECT_EQ(machine.page({.continue_token = "", .resource_version = "50"}), Verdict::kCommit);
  EXPECT_TRUE(machine.synced());
  EXPECT_EQ(open(machine).resource_version, "50");
  EXPECT_FALSE(open(machine).initial_events);
}

TEST_F(WatchTest, AnExpiredContinueTokenBeginsTheListAnew) {
  WatchMachine machine = listing();
  machine.page({.continue_token = "p2", .resource_version = "50"});
  machine.page_failed(kGone);
  EXPECT_LE(wait_out(machine), 500ms);
  EXPECT_EQ(fetch(machine).continue_token, "");
}

TEST_F(WatchTest, AFailedPageIsAskedForAgainWithItsToken) {
  WatchMachine machine = listing();
  machine.page({.continue_token = "p2", .resource_version = "50"});
  machine.page_failed(kDown);
  EXPECT_EQ(wait_out(machine), 1s);
  EXPECT_EQ(fetch(machine), (FetchPage{.continue_token = "p2", .limit = 500}));
  machine.page_failed(kDown);
  EXPECT_EQ(wait_out(machine), 2s);
  machine.page({.continue_token = "p3", .resource_version = "50"});
  machine.page_failed(kDown);
  EXPECT_EQ(wait_out(machine), 1s) << "a page that came ends the row of failures";
}

TEST_F(WatchTest, PagesShrinkWhenOneIsTooLargeAndGrowBackWithTheNextLook) {
  WatchMachine machine = listing();
  for (const int limit : {500, 100, 20, 4, 1, 1}) {
    EXPECT_EQ(fetch(machine).limit, limit);
    machine.page_failed(kNonsense);
    wait_out(machine);
  }
  machine.page({.continue_token = "", .resource_version = "50"});
  machine.line(error(kGone));
  machine.ended({.error = {}, .lasted = 0s});
  wait_out(machine);
  EXPECT_EQ(fetch(machine).limit, 500);
}

TEST_F(WatchTest, ChangesMoveTheVersionAndAreApplied) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(change("101", LineType::kAdded)), Verdict::kApply);
  EXPECT_EQ(machine.line(change("102", LineType::kModified)), Verdict::kApply);
  EXPECT_EQ(machine.line(change("103", LineType::kDeleted)), Verdict::kRemove);
  EXPECT_EQ(machine.resource_version(), "103");
  EXPECT_EQ(machine.line(bookmark("110")), Verdict::kNothing);
  EXPECT_EQ(machine.resource_version(), "110");
}

TEST_F(WatchTest, AWatchThatEndsCleanlyGoesOnFromTheLastVersionAtOnce) {
  WatchMachine machine = watching();
  machine.line(bookmark("140"));
  EXPECT_EQ(machine.ended({.error = {}, .lasted = 270s}), std::nullopt);
  EXPECT_EQ(wait_out(machine), 0ms);
  EXPECT_EQ(open(machine).resource_version, "140");
  EXPECT_FALSE(open(machine).initial_events);
}

TEST_F(WatchTest, AWatchThatEndsAtOnceAndBringsNothingIsAFailure) {
  WatchMachine machine = watching();
  machine.ended({.error = {}, .lasted = 270s});
  machine.ended({.error = {}, .lasted = 0s});
  EXPECT_EQ(wait_out(machine), 1s);
  machine.ended({.error = {}, .lasted = 0s});
  EXPECT_EQ(wait_out(machine), 2s);
  machine.line(change("101"));
  machine.ended({.error = {}, .lasted = 0s});
  EXPECT_EQ(wait_out(machine), 0ms) << "it brought something";
}

TEST_F(WatchTest, ABrokenConnectionIsResumedAfterAWaitWithoutANewLook) {
  WatchMachine machine = watching();
  machine.line(change("101"));
  for (const auto expected : {1s, 2s, 4s, 8s, 8s}) {
    machine.ended({.error = kDown, .lasted = 1s});
    EXPECT_EQ(wait_out(machine), expected);
    EXPECT_EQ(open(machine),
              (OpenWatch{.resource_version = "101", .initial_events = false, .timeout = open(machine).timeout}));
  }
  machine.line(change("102"));
  machine.ended({.error = kDown, .lasted = 1s});
  EXPECT_EQ(wait_out(machine), 1s) << "a line ends the row of failures";
}

TEST_F(WatchTest, Gone410InTheStreamMeansANewLook) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(error(kGone)), Verdict::kClose);
  EXPECT_EQ(machine.ended({.error = {}, .lasted = 0s})->code, kExpired);
  EXPECT_LE(wait_out(machine), 500ms);
  EXPECT_TRUE(open(machine).initial_events);
  EXPECT_TRUE(machine.synced()) << "what is known stays until the new look is complete";
}

TEST_F(WatchTest, Gone410AsStatusMeansANewLook) {
  WatchMachine machine = watching();
  machine.ended({.error = kGone, .lasted = 0s});
  EXPECT_LE(wait_out(machine), 500ms);
  EXPECT_TRUE(open(machine).initial_events);
}

TEST_F(WatchTest, Gone410DuringInitialEventsBeginsThemAnew) {
  WatchMachine machine = streaming();
  machine.line(change("7", LineType::kAdded));
  EXPECT_EQ(machine.line(error(kGone)), Verdict::kClose);
  machine.ended({.error = {}, .lasted = 0s});
  wait_out(machine);
  EXPECT_TRUE(open(machine).initial_events);
}

TEST_F(WatchTest, AVersionFromTheFutureMeansANewLook) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(error(kTooNew)), Verdict::kClose);
  machine.ended({.error = {}, .lasted = 0s});
  wait_out(machine);
  EXPECT_TRUE(open(machine).initial_events);
}

TEST_F(WatchTest, RepeatedLooksComeSlowerAndAtMostThreeWithinAMinuteAfterTheFirst) {
  WatchMachine machine = watching();
  std::chrono::milliseconds total{0};
  std::vector<std::chrono::milliseconds> at;
  for (int i = 0; i < 5; ++i) {
    machine.line(error(kGone));
    machine.ended({.error = {}, .lasted = 0s});
    total += wait_out(machine);
    at.push_back(total);
    machine.line({.type = LineType::kBookmark, .resource_version = "200", .initial_events_end = true});
  }
  EXPECT_LE(at[0], 500ms);
  EXPECT_GE(at[1] - at[0], 10s);
  EXPECT_GE(at[2] - at[1], 20s);
  EXPECT_GE(at[3] - at[2], 40s);
  EXPECT_EQ(at[4] - at[3], 40s) << "its ceiling";
}

TEST_F(WatchTest, AWatchThatHeldLongEnoughMakesTheNextLookAFirstOneAgain) {
  WatchMachine machine = watching();
  for (int i = 0; i < 3; ++i) {
    machine.line(error(kGone));
    machine.ended({.error = {}, .lasted = 61s});
    EXPECT_LE(wait_out(machine), 500ms);
    machine.line({.type = LineType::kBookmark, .resource_version = "200", .initial_events_end = true});
  }
}

TEST_F(WatchTest, OtherErrorsInTheStreamResumeAfterAWait) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(error(error_of(ErrorKind::kUnavailable, "InternalError"))), Verdict::kClose);
  machine.ended({.error = {}, .lasted = 1s});
  EXPECT_EQ(wait_out(machine), 1s);
  EXPECT_EQ(open(machine).resource_version, "100");
}

TEST_F(WatchTest, AnErrorEventWithoutAReasonIsAnError) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line({.type = LineType::kError}), Verdict::kClose);
  EXPECT_EQ(machine.ended({.error = {}, .lasted = 1s})->kind, ErrorKind::kProtocol);
}

TEST_F(WatchTest, SilenceReopensAtOnceAndTheSecondInARowLooksAnew) {
  WatchMachine machine = watching();
  machine.line(bookmark("101"));
  machine.ended({.error = kSilence, .lasted = 200s});
  EXPECT_EQ(wait_out(machine), 0ms);
  EXPECT_EQ(open(machine).resource_version, "101");
  machine.ended({.error = kSilence, .lasted = 100s});
  EXPECT_EQ(wait_out(machine), 0ms) << "the first without a line";
  machine.ended({.error = kSilence, .lasted = 100s});
  wait_out(machine);
  EXPECT_TRUE(open(machine).initial_events);
}

TEST_F(WatchTest, ALineBetweenTwoSilencesEndsTheRow) {
  WatchMachine machine = watching();
  machine.ended({.error = {}, .lasted = 270s});
  for (int i = 0; i < 5; ++i) {
    machine.ended({.error = kSilence, .lasted = 100s});
    EXPECT_EQ(open(machine).resource_version, std::to_string(100 + i));
    machine.line(bookmark(std::to_string(101 + i)));
    machine.ended({.error = {}, .lasted = 270s});
  }
}

TEST_F(WatchTest, NonsenseTwiceFromTheSameVersionLooksAnew) {
  WatchMachine machine = watching();
  machine.ended({.error = {}, .lasted = 270s});
  machine.ended({.error = kNonsense, .lasted = 1s});
  EXPECT_EQ(wait_out(machine), 1s);
  EXPECT_EQ(open(machine).resource_version, "100");
  machine.ended({.error = kNonsense, .lasted = 1s});
  wait_out(machine);
  EXPECT_TRUE(open(machine).initial_events);
}

TEST_F(WatchTest, AChangeOlderThanWhatIsKnownMeansThatTheServerLostData) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(change("99")), Verdict::kClose);
  EXPECT_EQ(machine.ended({.error = {}, .lasted = 1s})->code, kExpired);
  wait_out(machine);
  EXPECT_TRUE(open(machine).initial_events);
}

TEST_F(WatchTest, OneOldBookmarkIsALateServerTwoAreALoss) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(bookmark("99")), Verdict::kNothing);
  EXPECT_EQ(machine.resource_version(), "100") << "it must not go back";
  EXPECT_EQ(machine.line(bookmark("101")), Verdict::kNothing);
  EXPECT_EQ(machine.line(bookmark("99")), Verdict::kNothing) << "one between two good ones";
  EXPECT_EQ(machine.line(bookmark("100")), Verdict::kClose);
}

TEST_F(WatchTest, VersionsThatAreNoNumbersAreTakenAsTheyCome) {
  WatchMachine machine = watching();
  EXPECT_EQ(machine.line(change("abc")), Verdict::kApply);
  EXPECT_EQ(machine.line(change("aaa")), Verdict::kApply);
  EXPECT_EQ(machine.resource_version(), "aaa");
  EXPECT_EQ(machine.line(change("")), Verdict::kApply);
  EXPECT_EQ(machine.resource_version(), "aaa");
}

TEST_F(WatchTest, RetryAfterIsObeyedUpToFiveMinutes) {
  WatchMachine machine = watching();
  Error limited = error_of(ErrorKind::kRateLimited);
  limited.retry_after = 30s;
  machine.ended({.error = limited, .lasted = 0s});
  EXPECT_EQ(wait_out(machine), 30s);
  limited.retry_after = std::chrono::hours{24 * 365};
  machine.ended({.error = limited, .lasted = 0s});
  EXPECT_EQ(wait_out(machine), 5min);
  limited.retry_after = 0s;
  machine.ended({.error = limited, .lasted = 0s});
  EXPECT_EQ(wait_out(machine), 4s) << "never sooner than the backoff";
  WatchMachine pages = listing();
  limited.retry_after = 7s;
  pages.page_failed(limited);
  EXPECT_EQ(wait_out(pages), 7s);
}

TEST_F(WatchTest, RefusalsWaitAndTryAgainForAPermissionMayCome) {
  for (const ErrorKind kind : {ErrorKind::kForbidden, ErrorKind::kUnauthorized, ErrorKind::kNotFound}) {
    WatchMachine machine = streaming();
    machine.ended({.error = error_of(kind), .lasted = 0s});
    EXPECT_EQ(wait_out(machine), 1s);
    EXPECT_TRUE(open(machine).initial_events);
  }
}

TEST_F(WatchTest, TimeoutsAreSpreadOverAMinuteFromFourOn) {
  WatchMachine machine = watching();
  std::set<std::chrono::seconds> seen;
  for (int i = 0; i < 500; ++i) {
    machine.ended({.error = {}, .lasted = 270s});
    const auto timeout = open(machine).timeout;
    EXPECT_GE(timeout, 240s);
    EXPECT_LE(timeout, 300s);
    EXPECT_EQ(open(machine).timeout, timeout) << "the same until something happens";
    seen.insert(timeout);
  }
  EXPECT_GT(seen.size(), 50U);
}

// Every state with everything that can arrive: a full look is never declared complete by anything but its own end, and
// no failure leads to another request without a wait, silence aside.
TEST_F(WatchTest, EveryEndInEveryStateLeadsSomewhereSensible) {
  const std::vector<std::optional<Error>> ends = {std::nullopt,
                                                  kGone,
                                                  kTooNew,
                                                  kDown,
                                                  kSilence,
                                                  kNonsense,
                                                  kRefused,
                                                  error_of(ErrorKind::kRateLimited),
                                                  error_of(ErrorKind::kForbidden),
                                                  error_of(ErrorKind::kInternal)};
  for (const auto& end : ends) {
    for (const bool in_stream : {false, true}) {
      if (in_stream && !end) continue;
      for (const bool synced : {false, true}) {
        WatchMachine machine = synced ? watching() : streaming();
        if (in_stream) {
          EXPECT_EQ(machine.line(error(*end)), Verdict::kClose);
        }
        const auto why = machine.ended({.error = in_stream ? std::nullopt : end, .lasted = 0s});
        EXPECT_EQ(why.has_value(), end.has_value());
        EXPECT_EQ(machine.synced(), synced);
        const bool waits = std::holds_alternative<Wait>(machine.next());
        const bool silence = end && end->kind == ErrorKind::kTimeout && end->code.empty();
        const bool falls_back = !synced && end && end->kind == ErrorKind::kInvalid;
        const bool brought_something = synced && !end;
        EXPECT_EQ(waits, !(synced && silence) && !falls_back && !brought_something)
            << (end ? to_string(end->kind) : "clean end") << (synced ? " while watching" : " while streaming");
      }
    }
    if (!end) continue;
    WatchMachine machine = listing();
    machine.page_failed(*end);
    EXPECT_TRUE(std::holds_alternative<Wait>(machine.next()));
    EXPECT_FALSE(machine.synced());
  }
}

}  // namespace
}  // namespace edgetrust::kube
