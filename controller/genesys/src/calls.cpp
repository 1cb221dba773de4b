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
          {Host::kApi, http::Method::kGet, std::string(path::kEdges), "edges"},
          {Host::kApi, http::Method::kGet, std::string(path::kEdge), "edge"},
          {Host::kApi, http::Method::kPost, std::string(path::kServiceState), "setService"},
          {Host::kApi, http::Method::kGet, std::string(path::kTrunksOfEdge), "trunksOfEdge"},
          {Host::kApi, http::Method::kGet, std::string(path::kTrunks), "trunks"},
          {Host::kApi, http::Method::kGet, std::string(path::kSites), "sites"},
          {Host::kApi, http::Method::kGet, std::string(path::kAuthorities), "authorities"},
          {Host::kApi, http::Method::kPost, std::string(path::kAuthorities), "addAuthority"},
          {Host::kApi, http::Method::kPut, std::string(path::kAuthority), "changeAuthority"},
          {Host::kApi, http::Method::kDelete, std::string(path::kAuthority), "removeAuthority"},
          {Host::kApi, http::Method::kPost, std::string(path::kCertificateDetails), "certificateDetails"},
          {Host::kApi, http::Method::kGet, std::string(path::kOAuthClient), "oauthClient"},
          {Host::kUpload, http::Method::kGet, status_path, "status"},
          {Host::kUpload, http::Method::kPost, upload_path, "upload"},
      } {}

const Call* AllowList::find(Host host, http::Method method, std::string_view path) const {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const Call& call) {
    return call.host == host && call.method == method && !call.path.empty() && matches(call.path, path);
  });
  return found == calls_.end() ? nullptr : &*found;
}

}  // namespace edgetrust::genesys
