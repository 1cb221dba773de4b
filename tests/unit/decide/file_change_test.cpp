// The pin file of one Edge: each rule by itself, and whole stories that are crashed at every write.
#include "edgetrust/decide/pins/file_change.hpp"

#include "edgetrust/base/time_text.hpp"
#include "support/pin_story.hpp"

#include <gmock/gmock.h>

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;
using api::EdgePinState;
using api::PinStep;
using support::Crash;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Story = support::PinStory;

// --- the rules, each by itself

TEST(FileChange, AFileThatIsRightIsLeftAlone) {
  Story story;
  story.wanted = "old";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_EQ(story.writes, 1);
  for (int i = 0; i < 10; ++i) story.pass();
  EXPECT_EQ(story.writes, 1) << "nothing is written when nothing changes";
}

TEST(FileChange, AMachineThatDoesNotAnswerKeepsWhatIsKnownOfIt) {
  Story story;
  story.run();
  const auto before = story.status;
  const auto decision = decide({.policy = "cloud", .before = before, .host = {}, .host_trouble = "no answer in time"});
  EXPECT_EQ(decision.status.state, EdgePinState::kUnreachable);
  EXPECT_EQ(decision.status.file_sha256, before->file_sha256);
  EXPECT_EQ(decision.status.applied_at, before->applied_at);
}

TEST(FileChange, ReportOnlyOnlyReports) {
  Story story;
  story.enforced = false;
  story.machine.leftovers = true;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kDrifted);
  EXPECT_THAT(story.status->message, HasSubstr("ReportOnly"));
  EXPECT_EQ(story.machine.file, "old");
  EXPECT_TRUE(story.machine.leftovers);
}

TEST(FileChange, WhatAPersonMustMendIsBlocked) {
  struct Cell {
    std::function<void(ports::HostState&)> change;
    const char* message;
  };
  const std::vector<Cell> cells = {
      {[](auto& host) { host.folder_trouble = "the folder is not there"; }, "the folder is not there"},
      {[](auto& host) { host.file_trouble = "it is a link"; }, "it is a link"},
      {[](auto& host) { host.clock_offset = 1h; }, "off by more than 5s"},
      {[](auto& host) { host.service_active = false; }, "the service is not up"},
  };
  for (const auto& cell : cells) {
    Story story;
    auto host = story.machine.state();
    cell.change(host);
    const auto decision = decide({.policy = "cloud",
                                  .before = {},
                                  .host = host,
                                  .wanted = ports::PinDocument{.text = "new", .sha256 = "new"},
                                  .now = story.machine.now});
    EXPECT_EQ(decision.status.state, EdgePinState::kBlocked);
    EXPECT_THAT(decision.status.message, HasSubstr(cell.message));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(decision.effect));
  }
  Story story;
  story.wanted.reset();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  EXPECT_EQ(story.status->message, "no set of pins");
}

TEST(FileChange, AClockThatIsALittleOffIsNoReason) {
  Story story;
  story.clock_offset = 5s;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
}

TEST(FileChange, WaitsForItsTurn) {
  Story story;
  story.waits_for = "window Tue 02:00";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kDrifted);
  EXPECT_THAT(story.status->message, HasSubstr("window Tue 02:00"));
  EXPECT_EQ(story.machine.file, "old");
  story.waits_for.clear();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "new");
}

TEST(FileChange, ANewFileIsInForceAfterOneRestart) {
  Story story;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_EQ(story.machine.running, "new");
  EXPECT_EQ(story.machine.restarts, 1);
  EXPECT_FALSE(story.machine.timer);
  EXPECT_FALSE(story.machine.state().has_leftovers);
  EXPECT_TRUE(story.status->applied_at);
  EXPECT_EQ(story.status->file_sha256, "new");
  EXPECT_FALSE(story.status->change);
  EXPECT_THAT(story.ends(), ElementsAre(ChangeEnd::kProved));
}

TEST(FileChange, TheFirstFileOfAnEdge) {
  Story story;
  story.machine.file.reset();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.running, "new");
  story.machine.file.reset();  // a software update
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "new") << "it is repaired";
}

TEST(FileChange, OnlyTheModeIsPutRightWithoutARestart) {
  Story story;
  story.wanted = "old";
  story.machine.is_private = false;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_TRUE(story.machine.is_private);
  EXPECT_EQ(story.machine.restarts, 0);
  EXPECT_THAT(story.ends(), ElementsAre(ChangeEnd::kUndone));
}

TEST(FileChange, AFileThatLocksTheEdgeOutGoesWithinAMinute) {
  for (const bool comes_up : {true, false}) {
    Story story;
    (comes_up ? story.machine.locked_out : story.machine.bad).insert("new");
    const TimePoint begun = story.machine.now;
    while (story.rolled_back() == 0 && story.machine.now < begun + 10min) story.run(1s);
    EXPECT_LE(story.machine.now - begun, 60s) << comes_up;
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.state(), EdgePinState::kRolledBack);
    EXPECT_EQ(story.machine.running, "old");
    EXPECT_EQ(story.machine.restarts, 2);
    EXPECT_FALSE(story.machine.timer);
    EXPECT_TRUE(story.run(24h));
    EXPECT_EQ(story.machine.restarts, 2) << "it is not tried a second time";
    EXPECT_THAT(story.ends(), ElementsAre(ChangeEnd::kTakenBack));
    story.wanted = "newer";
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.machine.running, "newer") << "another file is";
    EXPECT_EQ(story.status->rejected_sha256, "");
  }
}

TEST(FileChange, AnEndpointThatIsOutOfReachForAWhileIsNoReasonToGoBack) {
  for (const auto out_for : {20s, 120s}) {
    Story story;
    story.machine.cut_off = true;
    story.run(out_for);
    story.machine.cut_off = false;
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.state(), out_for < kProveWithin ? EdgePinState::kMatched : EdgePinState::kRolledBack);
  }
}

TEST(FileChange, ASlowServiceIsWaitedFor) {
  Story story;
  story.machine.comes_up_after = 30s;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_EQ(story.machine.restarts, 1);
}

TEST(FileChange, NotMoreThanThreeRestartsAnHour) {
  Story story;
  const TimePoint begun = story.machine.now;
  for (const char* file : {"1", "2", "3", "4"}) {
    story.wanted = file;
    story.run(5min);
  }
  EXPECT_EQ(story.machine.running, "3");
  EXPECT_THAT(story.status->message, HasSubstr("too often this hour"));
  EXPECT_TRUE(story.run(2h));
  EXPECT_EQ(story.machine.running, "4");
  EXPECT_GE(story.machine.now, begun + 1h);
}

TEST(FileChange, SwitchingOffIsNotKeptByRestartsBeforeIt) {
  Story story;
  for (const char* file : {"1", "2", "3"}) {
    story.wanted = file;
    story.run(5min);
  }
  story.switches_off = true;
  story.wanted = "off";
  story.run(5min);
  EXPECT_EQ(story.machine.running, "off");
}

TEST(FileChange, ARestartThatTheTimerMadeCountsToo) {
  Story story;
  // Nobody looks after the restart: the timer takes the file back.
  const auto go_dark = [&] {
    for (const int before = story.machine.restarts; story.machine.restarts == before;)
      story.machine.advance(*story.pass() - story.machine.now);
    story.machine.advance(kRestoreAfter);
  };
  go_dark();
  go_dark();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.restarts, 4);
  EXPECT_EQ(story.status->restarts.size(), 4U);
  EXPECT_EQ(story.machine.running, "old");
  EXPECT_EQ(story.state(), EdgePinState::kRolledBack) << "once that may be the operator; twice it is the file";
  EXPECT_EQ(story.rolled_back(), 1);
}

TEST(FileChange, WhatWasBegunIsNotCarriedOutLongAfter) {
  Story story;
  story.crash_at = 2;  // the installation, before it
  story.crash_before = true;
  EXPECT_THROW(while (true) story.pass(), Crash);
  ASSERT_TRUE(story.status->change);
  story.crash_at = -1;
  story.machine.advance(kRestoreAfter);
  story.waits_for = "window Tue 02:00";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "old");
  EXPECT_EQ(story.state(), EdgePinState::kDrifted);
}

TEST(FileChange, WhatSpeaksAgainstTheFileRightBeforeTheRestartCostsNone) {
  Story story;
  while (!story.machine.timer) story.pass();
  story.hindered = "the Edge is presented another leaf";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.restarts, 0);
  EXPECT_EQ(story.machine.file, "old");
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  EXPECT_EQ(story.status->unconfirmed_sha256, "") << "nobody has read it";
  EXPECT_EQ(story.rolled_back(), 0);
  story.hindered.clear();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.running, "new");
  EXPECT_EQ(story.machine.restarts, 1);
}

TEST(FileChange, AFileThatWasFoundThereIsInForceFromNowOn) {
  Story story;
  story.wanted = "old";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.status->applied_at, story.machine.now);
  const auto first = story.status->applied_at;
  story.machine.advance(1h);
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.status->applied_at, first);
}

TEST(FileChange, WhereAMachineFallsSilentIsNoNews) {
  const auto unseen = [](const std::optional<api::EdgePins>& before, const std::string& trouble) {
    return decide({.policy = "cloud", .before = before, .host = {}, .host_trouble = trouble}).status;
  };
  const api::EdgePins first = unseen({}, "the SSH login: no answer in time");
  EXPECT_EQ(first.message, "the SSH login: no answer in time");
  EXPECT_EQ(unseen(first, "no answer in time").message, first.message);
}

TEST(FileChange, OfTimesToComeWhatTheyWereWrittenForBeginsAnew) {
  Story story;
  while (story.machine.restarts == 0) story.machine.advance(*story.pass() - story.machine.now);
  const TimePoint earlier = std::chrono::floor<std::chrono::seconds>(story.machine.now - 6h);
  const auto decision = decide(
      {.policy = "cloud", .before = story.status, .host = {}, .host_trouble = "no answer in time", .now = earlier});
  ASSERT_TRUE(decision.status.change);
  EXPECT_EQ(decision.status.change->at, earlier);
  EXPECT_EQ(decision.status.restarts, std::vector{earlier});
}

TEST(FileChange, OfAMachineThatStaysDarkNothingIsLeftUnderWay) {
  Story story;
  while (story.machine.restarts == 0) story.machine.advance(*story.pass() - story.machine.now);
  const auto unseen = [&](std::chrono::seconds later) {
    return decide({.policy = "cloud",
                   .before = story.status,
                   .host = {},
                   .host_trouble = "no answer in time",
                   .now = *story.status->change->at + later});
  };
  EXPECT_TRUE(unseen(kLongestChange - 1s).status.change);
  const auto decision = unseen(kLongestChange);
  EXPECT_FALSE(decision.status.change);
  EXPECT_EQ(decision.status.state, EdgePinState::kUnreachable);
  EXPECT_EQ(decision.status.unconfirmed_sha256, "new");
  EXPECT_FALSE(decision.status.rolled_back_at);
}

template <class Effect>
bool is_a(const FileEffect& effect) {
  return std::holds_alternative<Effect>(effect);
}

TEST(FileChange, AStepThatFailsEachTimeEndsTheChange) {
  for (const auto& step : {is_a<file_effect::Install>, is_a<file_effect::Restart>, is_a<file_effect::Confirm>}) {
    Story story;
    story.fails = step;
    EXPECT_FALSE(story.run(5min) && story.state() == EdgePinState::kMatched);
    EXPECT_EQ(story.machine.running, "old");
    EXPECT_EQ(story.machine.file, "old");
    EXPECT_LE(story.machine.restarts, 2);
  }
}

TEST(FileChange, AFileThatCannotBeTakenBackIsSaid) {
  Story story;
  story.machine.locked_out = {"new"};
  story.fails = is_a<file_effect::Restore>;
  while (story.machine.restarts == 0) story.machine.advance(*story.pass() - story.machine.now);
  story.machine.timer.reset();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  EXPECT_THAT(story.status->message, HasSubstr("could not be put back"));
  EXPECT_FALSE(story.status->change);
  EXPECT_TRUE(story.machine.previous) << "a person will need it";
  EXPECT_THAT(story.ends(), ElementsAre(ChangeEnd::kStillThere));
}

TEST(FileChange, ATimerThatDoesNotComeToItsEndHoldsNothingForLong) {
  for (const bool has_run : {true, false}) {
    Story story;
    story.machine.locked_out = {"new"};
    story.fails = [](const FileEffect& effect) { return !is_a<file_effect::Install>(effect); };
    if (has_run) story.fails = is_a<file_effect::Restore>;
    while (!story.machine.timer) story.pass();
    story.machine.timer->at = TimePoint::max();
    const TimePoint begun = *story.status->change->at;
    while (story.status->change && story.machine.now < begun + 1h)
      story.machine.advance(*story.pass() - story.machine.now);
    EXPECT_LE(story.machine.now, begun + kLongestChange + 1min);
    EXPECT_EQ(story.state(), EdgePinState::kBlocked);
    EXPECT_THAT(story.status->message, HasSubstr("has not come to its end"));
    // Then it does.
    story.machine.timer->at = story.machine.now;
    story.fails = nullptr;
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.machine.file, "old");
    EXPECT_EQ(story.state(), EdgePinState::kRolledBack);
    EXPECT_LE(story.machine.restarts_within(1h), 4U);
  }
}

// Silent from one step on, for longer than the change may last: the timer is heard of by nobody.
TEST(FileChange, ARestartThatNobodySeesIsCounted) {
  for (const bool is_asked_to_go_back : {false, true}) {
    Story story;
    if (is_asked_to_go_back) story.machine.locked_out = {"new"};
    const PinStep until = is_asked_to_go_back ? PinStep::kRestoring : PinStep::kProving;
    while (story.step() != until) story.machine.advance(*story.pass() - story.machine.now);
    story.is_silent = true;
    for (const TimePoint end = story.machine.now + kLongestChange + 1min; story.machine.now < end;) {
      story.pass();
      story.machine.advance(10s);
    }
    EXPECT_EQ(story.machine.file, "old");
    EXPECT_EQ(story.machine.restarts, 2);
    EXPECT_FALSE(story.status->change);
    EXPECT_EQ(story.status->restarts.size(), 2U);
    EXPECT_THAT(story.ends(), ElementsAre(is_asked_to_go_back ? ChangeEnd::kStillThere : ChangeEnd::kUndone));
    story.is_silent = false;
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.state(), is_asked_to_go_back ? EdgePinState::kRolledBack : EdgePinState::kMatched);
    EXPECT_EQ(story.machine.restarts, is_asked_to_go_back ? 2 : 3);
  }
}

TEST(FileChange, WhatIsHinderedWithoutATimerIsTakenBackByTheOperator) {
  Story story;
  while (!story.machine.timer) story.pass();
  story.machine.timer.reset();
  story.hindered = "the Edge is presented another leaf";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.file, "old");
  EXPECT_EQ(story.machine.restarts, 0);
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  EXPECT_EQ(story.rolled_back(), 0) << "nobody has read it";
}

TEST(FileChange, AServiceThatIsNeverRestartedIsNotWaitedForForEver) {
  for (const bool switches_off : {false, true}) {
    Story story;
    story.switches_off = switches_off;
    story.machine.is_deaf = true;
    while (!story.machine.timer) story.pass();
    story.machine.timer.reset();
    const TimePoint begun = *story.status->change->at;
    while (story.status->change && story.status->change->at == begun && story.machine.now < begun + 1h)
      story.machine.advance(story.pass().value_or(story.machine.now) - story.machine.now);
    EXPECT_LE(story.machine.now, begun + kLongestChange + 10s) << switches_off;
    EXPECT_EQ(story.machine.restarts, 0) << switches_off;
    story.machine.is_deaf = false;
    EXPECT_TRUE(story.run()) << switches_off;
    EXPECT_EQ(story.machine.running, switches_off ? "new" : "old") << switches_off;
  }
}

TEST(FileChange, TheServiceHasItsTimeFromWhenItIsStarted) {
  Story story;
  story.machine.stops_after = 30s;
  story.machine.comes_up_after = 30s;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_EQ(story.machine.restarts, 1);
}

TEST(FileChange, WhatIsLeftAndCannotBeTakenAwayIsSaid) {
  Story story;
  story.wanted = "old";
  story.machine.leftovers = true;
  story.fails = is_a<file_effect::Clean>;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  EXPECT_EQ(story.status->message, "what a change has left there cannot be taken away: exit status 71");
}

TEST(FileChange, ThatTheServiceIsNotUpWithThePreviousFileIsSaid) {
  Story story;
  story.machine.bad = {"new", "old"};
  story.machine.running = "";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kRolledBack);
  EXPECT_THAT(story.status->message, HasSubstr("the service is not up either"));
  story.machine.bad = {"new"};
  EXPECT_TRUE(story.run());
  EXPECT_THAT(story.status->message, Not(HasSubstr("is not up")));
}

// --- an Edge whose file refuses what it is presented

TEST(FileChangeRefusing, NobodyGoesBackToAFileThatIsKnownToRefuse) {
  Story story;
  story.refuses = true;
  story.machine.cut_off = true;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.running, "new");
  EXPECT_EQ(story.machine.restarts, 1);
  EXPECT_FALSE(story.machine.timer);
  EXPECT_THAT(story.ends(), ElementsAre(ChangeEnd::kUnproved));
}

TEST(FileChangeRefusing, WhatStaysWithoutAProofAndCannotBeConfirmedIsTakenBack) {
  Story story;
  story.refuses = true;
  story.machine.cut_off = true;
  int confirms = 0;
  story.fails = [&](const FileEffect& effect) { return is_a<file_effect::Confirm>(effect) && ++confirms > 0; };
  while (story.step() != PinStep::kRestoring) {
    ASSERT_NE(story.step(), PinStep::kConfirming);
    story.machine.advance(*story.pass() - story.machine.now);
  }
  EXPECT_EQ(confirms, kMostTries);
  EXPECT_EQ(story.machine.file, "old");
}

TEST(FileChangeRefusing, WhatWasRolledBackIsTriedAgainSoonWithinTheRestartsOfAnHour) {
  Story story;
  story.refuses = true;
  story.machine.bad = {"new"};
  for (const TimePoint end = story.machine.now + 3h; story.machine.now < end;) {
    const auto wake_at = story.pass();
    ASSERT_TRUE(wake_at) << "never for ever";
    ASSERT_LE(story.machine.restarts_within(1h), 4U) << "three, and the one of going back";
    story.machine.advance(std::max<std::chrono::milliseconds>(*wake_at - story.machine.now, 1ms));
  }
  EXPECT_GE(story.rolled_back(), 4);
  story.machine.bad.clear();
  EXPECT_TRUE(story.run(2h));
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
}

TEST(FileChangeRefusing, ItIsNotCalledMatched) {
  Story story;
  story.refuses = true;
  story.wanted = "old";
  story.hindered = "no pin accepts it";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kRefusing);
  EXPECT_EQ(story.status->message, "the file refuses what the endpoint presents to the Edge; no pin accepts it");
  story.hindered.clear();
  story.wanted = "new";
  story.waits_for = "window Tue 02:00";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kRefusing);
  EXPECT_THAT(story.status->message, HasSubstr("window Tue 02:00"));
  story.waits_for.clear();
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
}

TEST(FileChange, AFileThatPinsNothingWaitsForNoClock) {
  Story story;
  story.switches_off = true;
  story.clock_offset = 1h;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.running, "new");
}

TEST(FileChange, AFileThatPinsNothingIsNeverTakenBack) {
  for (const bool comes_up : {true, false}) {
    Story story;
    story.switches_off = true;
    story.machine.locked_out = {"new"};
    if (!comes_up) story.machine.bad = {"new"};
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.machine.file, "new");
    EXPECT_EQ(story.machine.restarts, 1);
    EXPECT_EQ(story.proofs, 0);
    EXPECT_THAT(story.ends(), ElementsAre(comes_up ? ChangeEnd::kProved : ChangeEnd::kUnproved));
  }
}

TEST(FileChange, TheCloudMayStillSeeAnEdgeThatIsOut) {
  Story story;
  story.online = true;
  const TimePoint begun = story.machine.now;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_GE(story.proof_at, begun + kMissedWithin) << "what it says right after the restart is no proof";
}

TEST(FileChange, AnEditInTheMiddleOfAChangeIsNotWrittenOver) {
  for (int after = 1; after < 12; ++after) {
    Story story;
    for (int i = 0; i < after && story.pass(); ++i) {
    }
    story.machine.file = "by hand";
    story.waits_for = "window Tue 02:00";
    EXPECT_TRUE(story.run());
    EXPECT_EQ(story.machine.file, "by hand") << after;
    EXPECT_FALSE(story.status->change) << after;
    EXPECT_EQ(story.state(), EdgePinState::kDrifted) << after;
  }
}

TEST(FileChange, WhatACutConnectionHasLeftGoes) {
  Story story;
  story.wanted = "old";
  story.machine.leftovers = true;
  EXPECT_TRUE(story.run(60s));
  EXPECT_FALSE(story.machine.leftovers);
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
}

TEST(FileChange, AChangedMindBeforeTheInstallationIsHeard) {
  Story story;
  story.crash_at = 2;  // the installation, before it
  story.crash_before = true;
  EXPECT_THROW(while (true) story.pass(), Crash);
  story.wanted = "newer";
  story.crash_at = -1;
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.running, "newer");
  EXPECT_EQ(story.machine.restarts, 1);
}

// --- what is read at the start of the service besides the file

struct LateStory : Story {
  LateStory() {
    wanted = "old";
    unread_by = machine.invocation;
  }
};

TEST(FileChangeUnread, TheServiceIsStartedAnewThoughTheFileIsRight) {
  LateStory story;
  EXPECT_TRUE(story.decided().restarts);
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kMatched);
  EXPECT_EQ(story.machine.restarts, 1);
  EXPECT_EQ(story.status->restarts.size(), 1U);
  EXPECT_FALSE(story.status->change);
  EXPECT_FALSE(story.decided().restarts);
  EXPECT_LT(*story.status->applied_at, story.machine.now) << "its file is as old as it was";
}

TEST(FileChangeUnread, WhatAnyRestartWaitsForIsWaitedFor) {
  LateStory story;
  story.missing = "the CA cannot be put there";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  EXPECT_EQ(story.status->message, "the CA cannot be put there");
  story.missing.clear();
  story.hindered = "no answer of the endpoint";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kBlocked);
  story.hindered.clear();
  story.waits_for = "window Tue 02:00";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.state(), EdgePinState::kDrifted);
  EXPECT_EQ(story.status->message, "it has not read the CA; window Tue 02:00");
  EXPECT_EQ(story.machine.restarts, 0);
}

// There is no previous file to go back to.
TEST(FileChangeUnread, WhoDoesNotComeBackIsNotStartedAgain) {
  LateStory story;
  story.machine.bad = {"old"};
  story.machine.up_at = story.machine.now;
  story.machine.running = "was well";
  EXPECT_TRUE(story.run());
  EXPECT_EQ(story.machine.restarts, 1);
  EXPECT_EQ(story.machine.file, "old");
  EXPECT_EQ(story.rolled_back(), 0);
  EXPECT_FALSE(story.status->change);
}

TEST(FileChangeUnread, AServiceThatIsNeverStartedAnewIsAskedThreeTimesAnHour) {
  LateStory story;
  story.machine.is_deaf = true;
  story.run(30min);
  EXPECT_EQ(story.status->restarts.size(), 3U);
  EXPECT_THAT(story.status->message, HasSubstr("too often this hour"));
}

// --- stories, crashed at every write

int writes_of(const std::function<void(Story&)>& set_up) {
  Story story;
  set_up(story);
  EXPECT_TRUE(story.run());
  return story.writes;
}

void crash_everywhere(const std::function<void(Story&)>& set_up,
                      const std::function<void(Story&, const char*)>& check) {
  const int writes = writes_of(set_up);
  ASSERT_GT(writes, 3);
  for (const auto down_for : {1s, 10s, 60s, 600s}) {
    for (int at = 1; at <= writes; ++at) {
      for (const bool before : {true, false}) {
        Story story;
        set_up(story);
        story.crash_at = at;
        story.crash_before = before;
        story.down_for = down_for;
        const std::string where = "write " + std::to_string(at) + (before ? ", before" : ", after") + ", down for " +
                                  format_duration(down_for);
        EXPECT_TRUE(story.run()) << where;
        EXPECT_EQ(story.crash_at, -1) << where << ": it came to a crash";
        EXPECT_FALSE(story.machine.timer) << where;
        EXPECT_FALSE(story.machine.state().has_leftovers) << where;
        EXPECT_EQ(story.machine.running, story.machine.file) << where << ": what is there is in force";
        check(story, where.c_str());
      }
    }
  }
}

TEST(FileChangeStory, ACrashAnywhereStillEndsOnTheNewFile) {
  for (const bool has_file : {true, false}) {
    crash_everywhere(
        [&](Story& story) {
          if (!has_file) story.machine.file.reset();
        },
        [](const Story& story, const char* where) {
          EXPECT_EQ(story.state(), EdgePinState::kMatched) << where;
          EXPECT_EQ(story.machine.file, "new") << where;
          // Down for longer than the timer waits, the old file was put back and is replaced once more.
          EXPECT_LE(story.machine.restarts, story.down_for < kRestoreAfter ? 1 : 3) << where;
          EXPECT_LE(story.status->restarts.size(), 3U) << where;
        });
  }
}

TEST(FileChangeStory, ACrashAnywhereInARollbackStillEndsOnTheOldFile) {
  for (const bool comes_up : {true, false}) {
    crash_everywhere([&](Story& story) { (comes_up ? story.machine.locked_out : story.machine.bad).insert("new"); },
                     [](const Story& story, const char* where) {
                       EXPECT_EQ(story.state(), EdgePinState::kRolledBack) << where;
                       EXPECT_EQ(story.machine.file, "old") << where;
                       EXPECT_LE(story.rolled_back(), 1) << where;
                     });
  }
}

// The operator dies right after each effect and does not come back: within the timer's time the Edge is as it was, or
// as it should be.
TEST(FileChangeStory, ACrashAnywhereMakesNoProofOfNone) {
  crash_everywhere(
      [](Story& story) {
        story.refuses = true;
        story.machine.cut_off = true;
      },
      [](const Story& story, const char* where) {
        EXPECT_EQ(story.machine.running, "new") << where;
        EXPECT_EQ(story.ends().back(), ChangeEnd::kUnproved) << where;
        EXPECT_THAT(story.ends(), Not(Contains(ChangeEnd::kProved))) << where;
      });
}

TEST(FileChangeStory, WhoDoesNotComeBackLocksNobodyOut) {
  const int writes = writes_of([](Story& /*story*/) {});
  for (int at = 1; at <= writes; ++at) {
    Story story;
    story.machine.locked_out = {"new"};
    story.crash_at = at;
    try {
      while (story.writes < writes) {
        const auto wake_at = story.pass();
        if (!wake_at) break;
        story.machine.advance(*wake_at - story.machine.now);
      }
    } catch (const Crash&) {
    }
    story.machine.advance(kRestoreAfter);
    EXPECT_EQ(story.machine.file, "old") << at;
    EXPECT_EQ(story.machine.running, "old") << at;
  }
}

}  // namespace
}  // namespace edgetrust::decide::pins
