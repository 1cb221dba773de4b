#include "edgetrust/dns/resolver.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/exchange.hpp"
#include "edgetrust/dns/name.hpp"
#include "edgetrust/net/socket.hpp"

namespace edgetrust::dns {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;
constexpr std::size_t kMostServers = 3;  // MAXNS of resolv.conf(5)
constexpr std::uint16_t kDnsPort = 53;

// The words of each line, without comments.
std::vector<std::vector<std::string>> words_by_line(std::string_view text, std::string_view comment_marks) {
  std::vector<std::vector<std::string>> lines;
  for (const std::string& line : split(text.substr(0, kLargestFile), '\n')) {
    std::vector<std::string> words;
    std::string_view rest = trim(std::string_view(line).substr(0, line.find_first_of(comment_marks)));
    while (!rest.empty()) {
      const std::size_t end = rest.find_first_of(" \t");
      words.emplace_back(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : trim(rest.substr(end));
    }
    if (!words.empty()) lines.push_back(std::move(words));
  }
  return lines;
}

bool is_address(const std::string& text) {
  const auto endpoint = net::Endpoint::of(text, kDnsPort);
  return endpoint && endpoint->is_address();
}

}  // namespace

std::vector<net::Endpoint> parse_resolv_conf(std::string_view text) {
  std::vector<net::Endpoint> servers;
  for (const auto& words : words_by_line(text, "#;")) {
    if (words.size() < 2 || words[0] != "nameserver" || !is_address(words[1])) continue;
    if (servers.size() < kMostServers) servers.push_back(*net::Endpoint::of(words[1], kDnsPort));
  }
  return servers;
}

HostsTable parse_hosts(std::string_view text) {
  HostsTable hosts;
  for (const auto& words : words_by_line(text, "#")) {
    if (!is_address(words[0])) continue;
    for (std::size_t i = 1; i < words.size(); ++i)
      hosts[canonical_name(words[i])].push_back(net::Endpoint::of(words[0], kDnsPort)->host);
  }
  return hosts;
}

Result<Message> Resolver::query(const std::string& name, RecordType type, const net::Wait& wait) const {
  auto failure = fail(ErrorKind::kUnavailable, "no resolver is configured");
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto id = static_cast<std::uint16_t>(random_.next());
    EDGETRUST_TRY_ASSIGN(const std::string wire, compose(query_of(id, name, type, true)));
    const auto share = wait.left() / static_cast<int>(servers_.size() - i);
    auto reply = exchange(servers_[i], wire, First::kUdp, wait.at_most(share));
    if (!reply) {
      failure = fail(std::move(reply).error());
      if (failure.value().kind == ErrorKind::kCancelled) break;
      continue;
    }
    const Rcode rcode = reply->message.rcode;
    if (rcode == Rcode::kNoError || rcode == Rcode::kNxDomain) return std::move(reply->message);
    failure = fail(ErrorKind::kUnavailable, "resolver " + servers_[i].to_string() + " answers " + to_string(rcode));
  }
  return fail(within("resolving " + shown(name), std::move(failure).value()));
}

Result<std::vector<std::string>> Resolver::addresses(const std::string& host, const net::Wait& wait) const {
  if (is_address(host)) return std::vector{host};
  if (const auto known = hosts_.find(canonical_name(host)); known != hosts_.end()) return known->second;
  std::vector<std::string> found;
  for (const RecordType type : {RecordType::kA, RecordType::kAaaa}) {
    EDGETRUST_TRY_ASSIGN(const Message answer, query(host, type, wait));
    for (const Record& record : answer.answers) {
      // Also those that stand behind a CNAME: the resolver has followed it.
      if (record.type == type && !record.data.empty()) found.push_back(record.data);
    }
  }
  if (found.empty()) return fail(ErrorKind::kNotFound, "the name " + shown(host) + " has no address");
  return found;
}

std::vector<std::string> prefer_routed(std::vector<std::string> addresses, std::uint16_t port) {
  std::vector<std::string> routed;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(routed), [port](const std::string& address) {
    return net::has_route({address, port});
  });
  return routed.empty() ? addresses : routed;
}

}  // namespace edgetrust::dns
