#include "clouds.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <fstream>

namespace edgetrust {

Result<std::pair<std::string, std::string>> parse_dns_endpoint(const std::string& text) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (equals == std::string::npos || std::ranges::find(kDnsEndpoints, name) == kDnsEndpoints.end())
    return fail(ErrorKind::kInvalid, "write NAME=URL, with NAME one of " + join(kDnsEndpoints, ", "));
  const std::string url = text.substr(equals + 1);
  if (!url.starts_with("https://")) return fail(ErrorKind::kInvalid, "the URL must begin with https://");
  return std::pair(name, url);
}

std::function<Result<Secret>()> token_file(std::string path) {
  return [path = std::move(path)]() -> Result<Secret> {
    constexpr std::size_t kLargest = std::size_t{64} << 10;
    std::ifstream in(path, std::ios::binary);
    std::string text(kLargest, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    const bool whole = in.eof() && !trim(text).empty();
    const Secret read = Secret::take(text);
    if (whole) return Secret(trim(read.expose()));
    return fail(ErrorKind::kInvalid, "the pod's token cannot be read, or is none: " + path);
  };
}

}  // namespace edgetrust
