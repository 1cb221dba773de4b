#include "endpoint.hpp"

namespace edgetrust::genesys {

http::Url under(const http::Url& endpoint, std::string_view path) {
  std::string_view base = endpoint.target;
  while (base.ends_with('/')) base.remove_suffix(1);
  return endpoint.with_target(std::string(base).append(path));
}

Result<http::Url> https_endpoint(std::string_view field, const std::string& text) {
  auto url = http::Url::parse(text);
  if (!url) return fail(within(std::string(field), std::move(url).error()));
  if (!url->is_https()) return fail(ErrorKind::kInvalid, std::string(field) + " must be an https URL");
  if (url->target.find('?') != std::string::npos) {
    return fail(ErrorKind::kInvalid, std::string(field) + " must not have a query");
  }
  return *url;
}

std::string with_id(std::string_view path, std::string_view id) {
  constexpr std::string_view kHole = "{id}";
  const auto at = path.find(kHole);
  if (at == std::string_view::npos) return std::string(path);
  return std::string(path.substr(0, at)) + http::percent_encode(id) + std::string(path.substr(at + kHole.size()));
}

}  // namespace edgetrust::genesys
