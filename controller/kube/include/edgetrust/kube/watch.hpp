#pragma once
// The list-and-watch protocol as a state machine, without I/O, time or threads: it is told what arrived and says what
// to do next. Called by: Reflector. Threads: one at a time.
//
//            ┌────────────── 400, 422: not offered ─────────────┐
//   kStreaming ──initial events end──▶ kWatching ◀──last page── kListing
//       ▲  └─ broken: wait, again          │ ▲ └─ ended: again from the last version      ▲ └─ token expired: from the
//       start └───────────── 410, or the server has gone back in time ───────────────────────────┘
//
// Rules that are easy to get wrong, each with a test:
// - 410 comes as HTTP status and, more often, as an ERROR event inside a 200 answer; both mean a new full look.
// - A full look replaces what was known only when it is complete, and then also removes what is gone.
// - The full look is a WatchList where the server offers it (KEP-3157), else pages of a LIST. A server that does not
// know
//   it answers 400 or 422, or never sends the end of the initial events.
// - A watch that ends cleanly goes on from the last version seen, bookmarks included, without a new look.
// - Silence is not health: a watch without a line for the idle limit is reopened, and the second in a row that brings
//   nothing leads to a new full look (an API server restored from a backup never speaks again to those who know more).
// - Nothing loops hot: every failure waits, longer each time, and Retry-After is obeyed up to five minutes.
#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace edgetrust::kube {

enum class WatchState { kStreaming, kListing, kWatching, kWaiting };
std::string_view to_string(WatchState state);

// What to do next.
struct FetchPage {
  std::string continue_token;  // empty: the first page, forget what was staged
  int limit = 0;
  bool operator==(const FetchPage&) const = default;
};
struct OpenWatch {
  std::string resource_version;  // empty with initial_events: forget what was staged
  bool initial_events = false;
  std::chrono::seconds timeout{0};
  bool operator==(const OpenWatch&) const = default;
};
struct Wait {
  std::chrono::milliseconds time{0};
  bool operator==(const Wait&) const = default;
};
using WatchAction = std::variant<FetchPage, OpenWatch, Wait>;

// What arrived.
struct PageFacts {
  std::string continue_token;
  std::string resource_version;
};
enum class LineType { kAdded, kModified, kDeleted, kBookmark, kError };
struct LineFacts {
  LineType type = LineType::kBookmark;
  std::string resource_version = {};
  bool initial_events_end = false;
  std::optional<Error> error = {};  // of kError
};
struct WatchEnd {
  std::optional<Error> error;  // empty: the server ended it, or we did after kClose
  std::chrono::milliseconds lasted{0};
};

// What to do with what arrived.
enum class Verdict {
  kStage,    // part of a full look that is not complete yet
  kUnstage,  // gone again before the full look was complete
  kCommit,   // the full look is complete: what was staged replaces what was known
  kApply,    // new or changed
  kRemove,   // gone
  kNothing,  // a bookmark
  kClose,    // end this watch
};

struct WatchOptions {
  bool watch_list = true;
  int page_limit = 500;
  std::chrono::seconds shortest{240};  // timeoutSeconds is drawn from here …
  std::chrono::seconds spread{60};     // … to here above it, so that many watches do not end together
  Backoff failure{
      .first = std::chrono::milliseconds{500}, .ceiling = std::chrono::seconds{10}, .factor = 2, .jitter = 0.3};
  Backoff look_again{.first = std::chrono::seconds{10}, .ceiling = std::chrono::minutes{5}, .factor = 2, .jitter = 0.2};
};

class WatchMachine {
 public:
  WatchMachine(WatchOptions options, Random& random);

  [[nodiscard]] WatchState state() const { return state_; }
  [[nodiscard]] bool synced() const { return synced_; }  // a full look has been completed once
  [[nodiscard]] const std::string& resource_version() const { return version_; }

  // The same until something arrives.
  [[nodiscard]] const WatchAction& next() const { return next_; }

  Verdict page(const PageFacts& page);  // kStage or kCommit
  void page_failed(const Error& error);
  Verdict line(const LineFacts& line);
  std::optional<Error> ended(
      const WatchEnd& end);  // why: the stream's own ERROR event comes before the transport's error
  void waited();

 private:
  void look();  // begins a full look
  void list(std::string continue_token);
  void watch();
  void wait(std::chrono::milliseconds time, WatchState then);
  void wait_after(const std::optional<Error>& error, WatchState then);
  void look_again();
  void enter(WatchState state);
  void complete(const std::string& resource_version);
  Verdict initial_line(const LineFacts& line);
  Verdict change_line(const LineFacts& line);
  void initial_ended(const std::optional<Error>& error);
  void watch_ended(const std::optional<Error>& error, std::chrono::milliseconds lasted);

  const WatchOptions options_;
  Random& random_;
  WatchState state_ = WatchState::kStreaming;
  WatchState after_wait_ = WatchState::kStreaming;
  WatchAction next_;
  bool synced_ = false;
  bool offers_watch_list_;
  std::string version_;         // the last one seen; empty before the first full look is complete
  std::string continue_token_;  // of the page to fetch
  int limit_ = 0;
  std::optional<Error> line_error_;  // of the ERROR event that closed the watch
  int lines_ = 0;                    // in this watch
  int failures_ = 0;                 // in a row, without a line in between
  int looks_ = 0;                    // full looks in a row that no lasting watch followed
  int blind_ = 0;                    // watches in a row that ended in silence or nonsense
  int old_bookmarks_ = 0;            // in a row
};

}  // namespace edgetrust::kube
