#include "time_sources.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/net/endpoint.hpp"

namespace edgetrust::ssh {
namespace {

constexpr std::string_view kBefore = "server ";
constexpr std::string_view kAfter = " iburst";
constexpr std::uint16_t kNtp = 123;

}  // namespace

Result<std::string> time_sources(const std::vector<std::string>& servers) {
  std::string text;
  for (const auto& server : servers) {
    EDGETRUST_TRY_ASSIGN(const net::Endpoint endpoint, net::Endpoint::of(server, kNtp));
    text.append(kBefore).append(endpoint.host).append(kAfter).append("\n");
  }
  return text;
}

std::vector<std::string> read_time_sources(std::string_view text) {
  std::vector<std::string> servers;
  for (const auto& line : split(trim(text), '\n')) {
    std::string_view server = line;
    if (server.starts_with(kBefore) && server.ends_with(kAfter)) {
      server.remove_prefix(kBefore.size());
      server.remove_suffix(kAfter.size());
    }
    if (!server.empty()) servers.emplace_back(server);
  }
  return servers;
}

}  // namespace edgetrust::ssh
