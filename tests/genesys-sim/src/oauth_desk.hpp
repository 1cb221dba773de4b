#pragma once
// The login: who the client is, which tokens are good, how many calls each made this minute. Threads: any.
#include "config.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/http/server.hpp"

#include <mutex>
#include <unordered_map>

namespace edgetrust::sim {

class OAuthDesk {
 public:
  OAuthDesk(const Config& config, const Clock& clock, Random& random);

  // POST /oauth/token.
  http::Response token(const http::ServerRequest& request);

  enum class Verdict { kGood, kMissing, kUnknown, kExpired };
  struct Check {
    Verdict verdict = Verdict::kMissing;
    int calls_this_minute = 0;
    std::chrono::seconds resets_in{60};
  };
  // Counts the call against the token.
  Check check(const http::Headers& headers);

  std::string rotate_secret(std::string wanted);  // empty: a random one; gives the new one
  void expire_tokens();
  void reset();

 private:
  struct Issued {
    SteadyPoint expires;
    SteadyPoint minute;
    int calls = 0;
  };
  [[nodiscard]] http::Response judge(const std::string& id, const std::string& secret);
  std::string random_text(std::size_t octets);

  const Config& config_;
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::string secret_;
  std::unordered_map<std::string, Issued> tokens_;
};

}  // namespace edgetrust::sim
