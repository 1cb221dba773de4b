#pragma once
// Where requests may go. A server names many URLs; a malicious one would name others' (RFC 8555 section 10.4 and 10.5:
// a client must not be turned against third parties).
#include "edgetrust/http/url.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::acme {

class UrlPolicy {
 public:
  // Errors: kInvalid when the directory is no https URL, or a host is a link-local or metadata address.
  static Result<UrlPolicy> create(std::string_view directory_url, const std::vector<std::string>& allowed_hosts);

  // The URL, when a request may go there. Errors: kProtocol, naming the host.
  [[nodiscard]] Result<http::Url> check(std::string_view url) const;
  [[nodiscard]] const http::Url& directory() const { return directory_; }

 private:
  http::Url directory_;
  std::set<std::string> hosts_;
};

}  // namespace edgetrust::acme
