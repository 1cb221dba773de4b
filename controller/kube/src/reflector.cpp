#include "edgetrust/kube/reflector.hpp"

#include "edgetrust/kube/api_error.hpp"
#include "edgetrust/kube/watch_event.hpp"
#include "meta.hpp"

#include <exception>

namespace edgetrust::kube {
namespace {

constexpr std::chrono::seconds kAfterException{1};

}  // namespace

Reflector::Reflector(ApiClient& client, Sink& sink, const Clock& clock, Random& random, Pauser& pauser,
                     ReflectorOptions options)
    : client_(client),
      sink_(sink),
      clock_(clock),
      pauser_(pauser),
      options_(std::move(options)),
      machine_(options_.protocol, random) {}

Reflector::~Reflector() { stop(); }

void Reflector::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Reflector::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Reflector::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      const WatchAction action = machine_.next();
      std::visit([&](const auto& what) { act(what, stop); }, action);
    } catch (const std::exception& error) {  // out of memory, or a fault of ours: the other kinds go on
      note(WatchNews::kFailed, Error{.kind = ErrorKind::kInternal, .what = error.what()});
      pauser_.pause(kAfterException, stop);
    }
  }
}

void Reflector::act(const FetchPage& fetch, std::stop_token stop) {
  if (fetch.continue_token.empty()) sink_.clear_staged();
  const auto page = client_.list(options_.what, {.limit = fetch.limit, .continue_token = fetch.continue_token},
                                 {.stop = stop, .timeout = options_.page_timeout});
  if (stop.stop_requested()) return;
  if (page) return take_page(*page);
  machine_.page_failed(page.error());
  note_failure(page.error());
}

void Reflector::act(const OpenWatch& open, std::stop_token stop) {
  if (open.initial_events) sink_.clear_staged();
  count([](WatchStats& stats) { ++stats.watches; });
  const WatchRequest request{.resource_version = open.resource_version,
                             .initial_events = open.initial_events,
                             .timeout = open.timeout,
                             .idle = options_.idle};
  std::optional<Error> broken;
  const auto on_line = [&](std::string_view line) {
    if (stop.stop_requested()) return false;
    const auto more = try_take_line(line);
    if (!more) broken = more.error();
    return more && *more;
  };
  const SteadyPoint begin = clock_.steady();
  const Status end = client_.watch(options_.what, request, on_line, {.stop = stop, .timeout = options_.page_timeout});
  if (stop.stop_requested()) return;
  if (!end && !broken) broken = end.error();
  if (const auto why = machine_.ended({.error = broken, .lasted = clock_.steady() - begin})) note_failure(*why);
}

void Reflector::act(const Wait& wait, std::stop_token stop) {
  if (pauser_.pause(wait.time, stop)) machine_.waited();
}

void Reflector::take_page(const Page& page) {
  count([this](WatchStats& stats) {
    ++stats.pages;
    stats.heard = clock_.steady();
  });
  page.document.root()["items"].for_each_element([&](json::View object) {
    // Only in a page larger than that can there be an object larger than that.
    const bool large = page.octets > options_.max_object && object.text().size() > options_.max_object;
    take(Verdict::kStage, object, large);
    return true;
  });
  const PageFacts facts{.continue_token = page.continue_token, .resource_version = page.resource_version};
  if (machine_.page(facts) == Verdict::kCommit) commit();
}

// What is thrown here must not pass through the transport.
Result<bool> Reflector::try_take_line(std::string_view line) {
  try {
    return take_line(line);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, error.what());
  }
}

// False: end this watch. An error: the line is no event, which is what a connection cut in the middle of one leaves.
Result<bool> Reflector::take_line(std::string_view line) {
  EDGETRUST_TRY_ASSIGN(const WatchEvent event, parse_watch_event(line));
  const bool bookmark = event.facts.type == LineType::kBookmark;
  count([&](WatchStats& stats) {
    ++(bookmark ? stats.bookmarks : stats.events);
    if (event.facts.type != LineType::kError) stats.heard = clock_.steady();
  });
  const Verdict verdict = machine_.line(event.facts);
  switch (verdict) {
    case Verdict::kCommit: commit(); return true;
    case Verdict::kNothing: return true;
    case Verdict::kClose: return false;
    default: take(verdict, event.object, line.size() > options_.max_object); return true;
  }
}

void Reflector::take(Verdict verdict, json::View object, bool large) {
  const api::ObjectMeta meta = read_meta(object);
  if (meta.name.empty()) return bad_object({.kind = ErrorKind::kProtocol, .what = "an object without a name"});
  const auto too_large = [&] {
    return fail(ErrorKind::kInvalid, "the object is larger than " + std::to_string(options_.max_object) + " octets");
  };
  const Result<json::View> content = large ? Result<json::View>(too_large()) : object;
  if (large) bad_object(within(meta.key().to_string(), content.error()));
  try {
    to_sink(verdict, meta, content);
  } catch (const std::exception& error) {
    bad_object(within(meta.key().to_string(), Error{.kind = ErrorKind::kInternal, .what = error.what()}));
  }
}

void Reflector::to_sink(Verdict verdict, const api::ObjectMeta& meta, const Result<json::View>& object) {
  switch (verdict) {
    case Verdict::kStage: return sink_.stage(meta, object);
    case Verdict::kUnstage: return sink_.unstage(meta.key());
    case Verdict::kApply: return sink_.apply(meta, object);
    case Verdict::kRemove: return sink_.remove(meta.key());
    case Verdict::kCommit:
    case Verdict::kNothing:
    case Verdict::kClose: return;
  }
}

void Reflector::commit() {
  try {
    sink_.commit();
  } catch (const std::exception& error) {
    bad_object({.kind = ErrorKind::kInternal, .what = error.what()});
  }
  {
    const std::lock_guard lock(mutex_);
    ++stats_.looks;
    synced_ = true;
    changed_.notify_all();
  }
  note(WatchNews::kSynced);
}

void Reflector::note_failure(const Error& error) {
  count([](WatchStats& stats) { ++stats.failures; });
  note(is_expired(error) ? WatchNews::kLookAgain : WatchNews::kFailed, error);
}

void Reflector::bad_object(Error error) {
  count([](WatchStats& stats) { ++stats.bad_objects; });
  note(WatchNews::kBadObject, std::move(error));
}

void Reflector::note(WatchNews news, std::optional<Error> error) {
  if (options_.note) options_.note({.news = news, .what = options_.what, .error = std::move(error)});
}

void Reflector::count(const std::function<void(WatchStats&)>& change) {
  const std::lock_guard lock(mutex_);
  change(stats_);
}

bool Reflector::synced() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

bool Reflector::wait_synced(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return synced_; });
}

WatchStats Reflector::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace edgetrust::kube
