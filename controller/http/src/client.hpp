#pragma once
// One connection's worth of the HTTP library: carries one exchange at a time and keeps its connection for the next.
// That there is exactly one connection behind it is what lets a callback of the library know which exchange it is
// about. None of the library's types is seen here; client.cpp is the one file that includes it.
#include "exchange.hpp"
#include "link.hpp"
#include "tls_client.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace edgetrust::http {

// Counts exchanges that the library has not let go of, so that a transport's end can wait for the last.
class Activity {
 public:
  void begin();
  void end();
  void wait_none();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
};

class Client {
 public:
  virtual ~Client() = default;
  // Hands the request to the library's thread and returns. `allowed` bounds what may arrive in one piece. kInvalid when
  // the library would not send the target as it is written.
  virtual Status start(const Request& request, std::size_t allowed, std::shared_ptr<Exchange> exchange) = 0;
  // Closes the connection; when this returns, nothing more is sent. Not to be called on the library's thread.
  virtual void cancel() = 0;
  // Whether the request may have reached the server. Exact for https and for requests with a body.
  [[nodiscard]] virtual bool may_have_sent() const = 0;
  [[nodiscard]] virtual Link& link() = 0;
};

Result<std::unique_ptr<Client>> make_client(const Url& origin, std::shared_ptr<const TlsClient> tls,
                                            std::shared_ptr<Activity> activity);

}  // namespace edgetrust::http
