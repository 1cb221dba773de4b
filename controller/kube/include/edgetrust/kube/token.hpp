#pragma once
// The bearer token of our requests. A service account's token file is replaced about every hour, so it is read again
// when what was read is older than a minute. Called by: ApiClient. Threads: any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::kube {

class TokenSource {
 public:
  virtual ~TokenSource() = default;
  // Errors: kUnauthorized when there is none to send.
  virtual Result<Secret> token() = 0;
  // The server refused it: read anew next time.
  virtual void refused() = 0;
};

// RFC 6750 section 2.1: what a bearer token may consist of, so that it cannot break out of its header.
bool is_token(std::string_view text);

std::shared_ptr<TokenSource> fixed_token(Secret token);
// While the file cannot be read, the last token read goes on being used. `clock` must outlive the source.
std::shared_ptr<TokenSource> token_file(std::string path, const Clock& clock);

}  // namespace edgetrust::kube
