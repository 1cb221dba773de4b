#include "edgetrust/kube/watch.hpp"

#include "edgetrust/api/object.hpp"
#include "edgetrust/kube/api_error.hpp"

#include <algorithm>

namespace edgetrust::kube {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestObeyed = std::chrono::minutes{5};
constexpr milliseconds kFirstLookAgain{500};  // the longest wait before the first new look: a spread, no backoff
constexpr milliseconds kTooShort{5'000};      // a watch that ends sooner and brings nothing is a failure
constexpr milliseconds kLasting = std::chrono::minutes{1};  // a watch that held so long proves the last look good
constexpr int kBlindBeforeLook = 2;
constexpr int kOldBookmarksBeforeLook = 2;
constexpr int kSmallerPages = 5;

bool needs_new_look(const Error& error) { return is_expired(error) || error.code == kFromTheFuture; }

// How a server says that it has no WatchList: the parameters are unknown to it, or switched off.
bool refuses_watch_list(const Error& error) {
  return error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kUnsupported;
}

// The connection carried an answer, but nothing came of it.
bool is_blind(const Error& error) { return error.kind == ErrorKind::kTimeout || error.kind == ErrorKind::kProtocol; }

}  // namespace

std::string_view to_string(WatchState state) {
  switch (state) {
    case WatchState::kStreaming: return "streaming";
    case WatchState::kListing: return "listing";
    case WatchState::kWatching: return "watching";
    case WatchState::kWaiting: return "waiting";
  }
  return "waiting";
}

WatchMachine::WatchMachine(WatchOptions options, Random& random)
    : options_(options), random_(random), offers_watch_list_(options.watch_list) {
  look();
}

Verdict WatchMachine::page(const PageFacts& page) {
  failures_ = 0;
  if (!page.continue_token.empty()) {
    list(page.continue_token);
    return Verdict::kStage;
  }
  complete(page.resource_version);
  watch();
  return Verdict::kCommit;
}

void WatchMachine::page_failed(const Error& error) {
  // 410: the snapshot that the token continues is gone, and the pages so far are worth nothing.
  if (needs_new_look(error)) return look_again();
  if (error.kind == ErrorKind::kProtocol) limit_ = std::max(1, limit_ / kSmallerPages);  // too large, perhaps
  wait_after(error, WatchState::kListing);
}

Verdict WatchMachine::line(const LineFacts& line) {
  ++lines_;
  if (line.type == LineType::kError) {
    line_error_ = line.error.value_or(Error{.kind = ErrorKind::kProtocol, .what = "an ERROR event without a reason"});
    return Verdict::kClose;
  }
  return state_ == WatchState::kStreaming ? initial_line(line) : change_line(line);
}

Verdict WatchMachine::initial_line(const LineFacts& line) {
  switch (line.type) {
    case LineType::kAdded:
    case LineType::kModified: return Verdict::kStage;
    case LineType::kDeleted: return Verdict::kUnstage;
    default: break;
  }
  if (!line.initial_events_end) return Verdict::kNothing;
  if (line.resource_version.empty()) {
    line_error_ = Error{.kind = ErrorKind::kProtocol, .what = "the initial events end without a version to go on from"};
    return Verdict::kClose;
  }
  complete(line.resource_version);
  state_ = WatchState::kWatching;  // on the same connection
  return Verdict::kCommit;
}

Verdict WatchMachine::change_line(const LineFacts& line) {
  if (api::is_older(line.resource_version, version_)) {
    // A bookmark may come from a server that lags behind; a second one, or a change, from one that has lost data.
    if (line.type == LineType::kBookmark && ++old_bookmarks_ < kOldBookmarksBeforeLook) return Verdict::kNothing;
    line_error_ =
        Error{.kind = ErrorKind::kConflict,
              .what = "the API server has gone back from version " + version_ + " to " + line.resource_version,
              .code = std::string(kExpired)};
    return Verdict::kClose;
  }
  old_bookmarks_ = 0;
  failures_ = 0;
  blind_ = 0;
  if (!line.resource_version.empty()) version_ = line.resource_version;
  if (line.type == LineType::kBookmark) return Verdict::kNothing;
  return line.type == LineType::kDeleted ? Verdict::kRemove : Verdict::kApply;
}

std::optional<Error> WatchMachine::ended(const WatchEnd& end) {
  std::optional<Error> error = line_error_ ? line_error_ : end.error;
  if (state_ == WatchState::kStreaming) {
    initial_ended(error);
  } else {
    watch_ended(error, end.lasted);
  }
  return error;
}

void WatchMachine::initial_ended(const std::optional<Error>& error) {
  if (error && refuses_watch_list(*error)) {
    offers_watch_list_ = false;
    return look();
  }
  if (error && needs_new_look(*error)) return look_again();
  // Whoever never finishes its initial events may not know what it was asked for: pages then, for this look.
  if ((!error || is_blind(*error)) && ++blind_ >= kBlindBeforeLook) {
    blind_ = 0;
    limit_ = options_.page_limit;
    continue_token_.clear();
    return wait_after(error, WatchState::kListing);
  }
  wait_after(error, WatchState::kStreaming);
}

void WatchMachine::watch_ended(const std::optional<Error>& error, milliseconds lasted) {
  if (lasted >= kLasting) looks_ = 0;
  if (error && needs_new_look(*error)) return look_again();
  if (error && is_blind(*error) && lines_ == 0 && ++blind_ >= kBlindBeforeLook) return look_again();
  const bool silent = error && error->kind == ErrorKind::kTimeout;  // has waited long enough already
  const bool normal = !error && (lines_ > 0 || lasted >= kTooShort);
  if (silent || normal) return watch();
  wait_after(error, WatchState::kWatching);
}

void WatchMachine::waited() { enter(after_wait_); }

void WatchMachine::look() {
  limit_ = options_.page_limit;
  continue_token_.clear();
  enter(offers_watch_list_ ? WatchState::kStreaming : WatchState::kListing);
}

void WatchMachine::list(std::string continue_token) {
  continue_token_ = std::move(continue_token);
  enter(WatchState::kListing);
}

void WatchMachine::watch() { enter(WatchState::kWatching); }

void WatchMachine::look_again() {
  ++looks_;
  blind_ = 0;
  old_bookmarks_ = 0;
  limit_ = options_.page_limit;
  continue_token_.clear();
  const milliseconds time =
      looks_ == 1
          ? milliseconds{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(kFirstLookAgain.count())))}
          : options_.look_again.after(looks_ - 1, random_.fraction());
  wait(time, offers_watch_list_ ? WatchState::kStreaming : WatchState::kListing);
}

void WatchMachine::wait_after(const std::optional<Error>& error, WatchState then) {
  milliseconds time = options_.failure.after(++failures_, random_.fraction());
  if (error && error->retry_after) time = std::max(time, std::min<milliseconds>(*error->retry_after, kLongestObeyed));
  wait(time, then);
}

void WatchMachine::wait(milliseconds time, WatchState then) {
  after_wait_ = then;
  state_ = WatchState::kWaiting;
  next_ = Wait{time};
}

void WatchMachine::enter(WatchState state) {
  state_ = state;
  line_error_.reset();
  lines_ = 0;
  const auto timeout = [this] {
    return options_.shortest +
           std::chrono::seconds{random_.below(static_cast<std::uint64_t>(options_.spread.count()) + 1)};
  };
  switch (state) {
    case WatchState::kStreaming:
      next_ = OpenWatch{.resource_version = {}, .initial_events = true, .timeout = timeout()};
      break;
    case WatchState::kWatching:
      next_ = OpenWatch{.resource_version = version_, .initial_events = false, .timeout = timeout()};
      break;
    case WatchState::kListing: next_ = FetchPage{.continue_token = continue_token_, .limit = limit_}; break;
    case WatchState::kWaiting: break;
  }
}

void WatchMachine::complete(const std::string& resource_version) {
  version_ = resource_version;
  synced_ = true;
  failures_ = 0;
  blind_ = 0;
  old_bookmarks_ = 0;
}

}  // namespace edgetrust::kube
