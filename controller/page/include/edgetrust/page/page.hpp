#pragma once
// The fleet page: a page in a browser that shows the fleet and changes nothing. It answers requests of http::Server:
// the page's own files, the fleet and one rotation as JSON, and a stream of server-sent events that says when the fleet
// has changed, and nothing else. What it shows holds no Secret: it is made of objects that hold none.
//
// It asks nobody who he is: it is for loopback (kubectl port-forward), or behind somebody who asks. A request whose
// Host is none of ours is refused (421), so that no name of somebody else that leads here gives a web page of his the
// right to read it.
//
// Called by: main. Threads: any. Bounded: the fleet is rendered at most once a second, whoever asks; 32 listen at a
// time.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/http/server.hpp"
#include "edgetrust/page/fleet.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::page {

// Where what is shown comes from. Called from the server's threads.
struct Source {
  std::function<bool()> synced;  // everything was read once: before that a fleet is not told
  // Since when the cluster has told nothing, where that is too long to take what is known for what is.
  std::function<std::optional<TimePoint>()> silent_since = [] { return std::nullopt; };
  std::function<Sight()> fleet;
  std::function<std::optional<view::Subject>(const api::ObjectKey&)> rotation;  // empty: there is no such object
};

// Of the server in front of a Page: what is asked is short, and each stream is a connection that stays.
http::ServerOptions server_options(std::string address, std::uint16_t port);

class Page {
 public:
  // `hosts`: names, without a port, under which it is reached beside those of loopback. `clock` must outlive it.
  Page(Source source, const std::vector<std::string>& hosts, const Clock& clock);

  http::Answer answer(const http::ServerRequest& request);
  // Something that is shown may have changed. Never blocks.
  void changed();

 private:
  struct Rendered {
    std::uint64_t version = 0;
    SteadyPoint at;
    std::string items;  // JSON
    std::string etag;
  };

  [[nodiscard]] bool is_ours(const http::ServerRequest& request) const;
  std::shared_ptr<const Rendered> rendered();
  http::Response fleet(const http::ServerRequest& request);
  http::Response rotation(const std::string& key);
  http::Answer events();
  [[nodiscard]] std::string name_of(std::uint64_t version) const;

  const Source source_;
  std::vector<std::string> hosts_;
  const Clock& clock_;
  const std::shared_ptr<http::EventChannel> channel_;
  const std::string process_;  // of this process: the version of another one is another one
  std::atomic<std::uint64_t> version_{0};
  std::mutex telling_;
  std::mutex mutex_;
  std::shared_ptr<const Rendered> rendered_;
};

}  // namespace edgetrust::page
