#include "edgetrust/genesys/calls.hpp"

#include "edgetrust/base/text.hpp"

namespace edgetrust::genesys {
namespace {

// One percent-encoded segment that cannot climb.
bool is_segment(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~' || c == '%';
  };
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), plain);
}

bool matches(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kHole = "{id}";
  const auto at = pattern.find(kHole);
  if (at == std::string_view::npos) return path == pattern;
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kHole.size());
  if (path.size() < before.size() + after.size()) return false;
  return path.starts_with(before) && path.ends_with(after) &&
         is_segment(path.substr(before.size(), path.size() - before.size() - after.size()));
}

}  // namespace

AllowList::AllowList(const std::string& upload_path, const std::string& status_path)
    : calls_{
          {Host::kApi, http::Method::kGet, std::string(path::kEdges)},
          {Host::kApi, http::Method::kGet, std::string(path::kEdge)},
          {Host::kApi, http::Method::kPost, std::string(path::kServiceState)},
          {Host::kApi, http::Method::kGet, std::string(path::kTrunksOfEdge)},
          {Host::kApi, http::Method::kGet, std::string(path::kTrunks)},
          {Host::kApi, http::Method::kGet, std::string(path::kSites)},
          {Host::kApi, http::Method::kGet, std::string(path::kAuthorities)},
          {Host::kApi, http::Method::kPost, std::string(path::kAuthorities)},
          {Host::kApi, http::Method::kPut, std::string(path::kAuthority)},
          {Host::kApi, http::Method::kDelete, std::string(path::kAuthority)},
          {Host::kApi, http::Method::kPost, std::string(path::kCertificateDetails)},
          {Host::kApi, http::Method::kGet, std::string(path::kOAuthClient)},
          {Host::kUpload, http::Method::kGet, status_path},
          {Host::kUpload, http::Method::kPost, upload_path},
      } {}

bool AllowList::allows(Host host, http::Method method, std::string_view path) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) {
    return call.host == host && call.method == method && !call.path.empty() && matches(call.path, path);
  });
}

}  // namespace edgetrust::genesys
