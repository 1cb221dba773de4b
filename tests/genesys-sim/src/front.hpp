#pragma once
// What stands before every API of the simulator: planned faults, the journal, correlation ids. Threads: any.
#include "edgetrust/base/random.hpp"
#include "edgetrust/http/server.hpp"
#include "fault.hpp"
#include "journal.hpp"

#include <condition_variable>

namespace edgetrust::sim {

// A wait that a shutdown ends.
class Pause {
 public:
  void wait(std::chrono::milliseconds how_long);
  void end();  // from now on nobody waits

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

struct Answer {
  http::Response response;
  std::string edge_id = {};      // that the request was about
  std::string fingerprint = {};  // of an uploaded leaf
};

class Front {
 public:
  using Inner = std::function<Answer(const http::ServerRequest&)>;
  Front(std::string port, FaultTable& faults, Journal& journal, Pause& pause, const Clock& clock, Random& random);
  http::Response handle(const http::ServerRequest& request, const Inner& inner);

 private:
  std::string new_correlation_id();

  const std::string port_;
  FaultTable& faults_;
  Journal& journal_;
  Pause& pause_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace edgetrust::sim
