#pragma once
// The login: who the client is, which tokens are good, how many calls each made this minute. Threads: any.
#include "config.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/http/server.hpp"
#include "edgetrust/json/view.hpp"

#include <map>
#include <mutex>
#include <optional>
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

  struct Client {
    std::string secret;
    std::string state =
        "active";           // active, disabled, inactive: only an active one logs in, and has tokens that are good
    std::string delete_at;  // dateToDelete; empty: none
  };
  [[nodiscard]] std::optional<Client> client(const std::string& id) const;
  // Changes what the patch names, of a client that is made when there is none. Errors: kInvalid, naming the field.
  Status patch_client(const std::string& id, json::View patch);

  std::string rotate_secret(std::string wanted);  // of the configured client; empty: a random one; gives the new one
  void expire_tokens();
  void reset();

 private:
  struct Issued {
    std::string client;
    SteadyPoint expires;
    SteadyPoint minute;
    int calls = 0;
  };
  [[nodiscard]] http::Response judge(const std::string& id, const std::string& secret);
  std::string random_text(std::size_t octets);

  const Config& config_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  std::map<std::string, Client> clients_;  // by id
  std::unordered_map<std::string, Issued> tokens_;
};

}  // namespace edgetrust::sim
