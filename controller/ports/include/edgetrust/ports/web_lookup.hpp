#pragma once
// What a web server shows to whoever asks from here, as http-01 needs it (RFC 8555 section 8.3). Implemented by main/.
// Threads: any.
#include "edgetrust/base/result.hpp"

#include <stop_token>
#include <string>

namespace edgetrust::ports {

struct WebPage {
  int status = 0;    // HTTP's
  std::string body;  // at most what an answer to http-01 could have
  bool cut = false;  // it has more than that: none of it is in `body`
};

class WebLookup {
 public:
  virtual ~WebLookup() = default;
  // One GET of http://<host><path>, past any proxy; redirects are not followed. Errors: kInvalid (a host that may not
  // be asked), kNotFound (no such name), kUnsupported (it is not looked), kUnavailable, kTimeout, kProtocol,
  // kCancelled.
  virtual Result<WebPage> get(const std::string& host, const std::string& path, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
