#pragma once
// The control port: what a test sees of the truth, and how it makes trouble. See ../README.md for the calls. Threads:
// any.
#include "authority.hpp"
#include "edge_book.hpp"
#include "fault.hpp"
#include "journal.hpp"
#include "oauth_desk.hpp"

#include <mutex>

namespace edgetrust::sim {

class Control {
 public:
  struct Parts {
    const Config& config;
    EdgeBook& book;
    OAuthDesk& oauth;
    FaultTable& faults;
    Journal& journal;
    const Authority& authority;
    const CloudIdentity& cloud;
    const Clock& clock;
  };
  struct Acts {
    std::function<Status(bool notify, bool same_key)> rotate_cloud;
    std::function<Status(const std::vector<EdgeConfig>& edges)> add_edges;
    std::function<Status()> reset;
  };
  Control(Parts parts, Acts acts) : parts_(parts), acts_(std::move(acts)) {}

  http::Response answer(const http::ServerRequest& request);

 private:
  using Segments = std::vector<std::string>;
  http::Response answer_about_edges(const http::ServerRequest& request, const Segments& path);
  http::Response answer_about_faults(const http::ServerRequest& request);
  http::Response answer_about_cloud(const http::ServerRequest& request, const Segments& path);
  http::Response answer_about_oauth(const http::ServerRequest& request, const Segments& path);
  [[nodiscard]] http::Response journal(std::string_view query) const;
  http::Response patch_edge(const std::string& id, std::string_view body);
  http::Response more_edges(std::string_view body);
  [[nodiscard]] json::Value truth(const EdgeRecord& edge) const;

  const Parts parts_;
  const Acts acts_;
  std::mutex adding_;  // two callers at once must not be given the same new Edge
};

}  // namespace edgetrust::sim
