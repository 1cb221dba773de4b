#include "url_policy.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/http/forbidden_host.hpp"

#include <optional>

namespace edgetrust::acme {
namespace {

constexpr std::size_t kMaxHosts = 32;

// One of `allowed_hosts` in the form that a URL has it. Empty when it is no host.
std::optional<std::string> host_of(const std::string& text) {
  const bool address = text.find(':') != std::string::npos && !text.starts_with('[');
  const auto url = http::Url::parse("https://" + (address ? "[" + text + "]" : text));
  if (!url || url->target != "/" || url->port != 443 || text.ends_with('/')) return std::nullopt;
  return url->host;
}

}  // namespace

Result<UrlPolicy> UrlPolicy::create(std::string_view directory_url, const std::vector<std::string>& allowed_hosts) {
  auto directory = http::Url::parse(directory_url);
  if (!directory) return fail(within("the ACME server's directory", std::move(directory).error()));
  if (!directory->is_https()) return fail(ErrorKind::kInvalid, "the ACME server's directory must be an https URL");
  if (allowed_hosts.size() > kMaxHosts) return fail(ErrorKind::kInvalid, "more than 32 allowed hosts");
  UrlPolicy policy;
  policy.hosts_.insert(directory->host);
  for (const auto& text : allowed_hosts) {
    const auto host = host_of(text);
    if (!host) return fail(ErrorKind::kInvalid, "not a host name or address: \"" + printable(text, 260) + "\"");
    policy.hosts_.insert(*host);
  }
  for (const auto& host : policy.hosts_) {
    if (http::is_forbidden_host(host)) {
      return fail(ErrorKind::kInvalid, host + " is a link-local or metadata address: no ACME server may be there");
    }
  }
  policy.directory_ = std::move(*directory);
  return policy;
}

Result<http::Url> UrlPolicy::check(std::string_view text) const {
  auto url = http::Url::parse(text);
  if (!url) return fail(ErrorKind::kProtocol, "the ACME server named an unusable URL: " + url.error().what);
  if (!url->is_https())
    return fail(ErrorKind::kProtocol, "the ACME server named a URL that is not https, at " + url->host);
  if (!hosts_.contains(url->host)) {
    return fail(ErrorKind::kProtocol,
                "the ACME server named a URL on " + url->host + ", which is neither its own host nor an allowed one");
  }
  return std::move(*url);
}

}  // namespace edgetrust::acme
