#pragma once
// Keeps a Sink (a Store) equal to what the API server holds of one kind: drives WatchMachine with an ApiClient.
//
// Called by: main's wiring, one a kind. Threads: start() makes one thread, stop() and the destructor end and join it,
// all three from the owner's; the sink is called on that thread alone; the questions (synced, stats) come from any.
// Errors: none leave; each is noted, and the kind is looked at again after a wait. What the sink throws is noted too
// and costs that one object.
//
// One bad object never stops its kind: one that does not decode is in the store with its error; one larger than 1 MiB
// is refused unread, with its metadata; a line larger than 4 MiB, which etcd's own limit rules out, ends the watch, and
// the second time leads to a look by pages, which goes past it.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/kube/client.hpp"
#include "edgetrust/kube/store.hpp"
#include "edgetrust/kube/watch.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace edgetrust::kube {

enum class WatchNews {
  kSynced,     // a full look is complete
  kLookAgain,  // what was known is too old: a new full look follows
  kFailed,     // a request failed
  kBadObject,  // one object cannot be taken
};

struct WatchNote {
  WatchNews news = WatchNews::kFailed;
  const Selection& what;
  std::optional<Error> error = {};
};

struct WatchStats {
  std::uint64_t looks = 0;    // full looks completed
  std::uint64_t watches = 0;  // opened
  std::uint64_t events = 0;   // without bookmarks
  std::uint64_t bookmarks = 0;
  std::uint64_t failures = 0;
  std::uint64_t bad_objects = 0;
  std::uint64_t pages = 0;
  SteadyPoint heard{};  // when a page, or a line that is no ERROR event, last came
};

struct ReflectorOptions {
  Selection what;
  WatchOptions protocol = {};
  std::chrono::milliseconds idle{180'000};  // see WatchRequest
  std::chrono::milliseconds page_timeout{30'000};
  std::size_t max_object = std::size_t{1} << 20;
  std::function<void(const WatchNote&)> note = {};  // on the reflector's thread; must not block
};

class Reflector {
 public:
  // All references must outlive the reflector.
  Reflector(ApiClient& client, Sink& sink, const Clock& clock, Random& random, Pauser& pauser,
            ReflectorOptions options);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void start();
  void stop();
  // What the thread does; for those who bring their own.
  void run(std::stop_token stop);

  // The sink has once held everything.
  [[nodiscard]] bool synced() const;
  // Waits for it; false when `stop` came first.
  bool wait_synced(std::stop_token stop);
  [[nodiscard]] WatchStats stats() const;

 private:
  void act(const FetchPage& fetch, std::stop_token stop);
  void act(const OpenWatch& open, std::stop_token stop);
  void act(const Wait& wait, std::stop_token stop);
  void take_page(const Page& page);
  Result<bool> try_take_line(std::string_view line);
  Result<bool> take_line(std::string_view line);
  void take(Verdict verdict, json::View object, bool large);
  void to_sink(Verdict verdict, const api::ObjectMeta& meta, const Result<json::View>& object);
  void commit();
  void note_failure(const Error& error);
  void bad_object(Error error);
  void note(WatchNews news, std::optional<Error> error = std::nullopt);
  void count(const std::function<void(WatchStats&)>& change);

  ApiClient& client_;
  Sink& sink_;
  const Clock& clock_;
  Pauser& pauser_;
  const ReflectorOptions options_;
  WatchMachine machine_;  // the thread's alone
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool synced_ = false;
  WatchStats stats_;
  std::jthread thread_;
};

}  // namespace edgetrust::kube
