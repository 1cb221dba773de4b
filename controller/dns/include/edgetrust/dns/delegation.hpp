#pragma once
// Where a name really lives: in which zone, and behind which aliases (CNAME). Asked of the system's resolvers, or of
// the servers that an issuer names instead (propagation.nameservers), where a zone looks different from here.
// Made by: main, one for each solver. Called by: the providers, and AliasedZone. Threads: any. A call ends by its
// timeout or its stop token. Errors: kNotFound (no zone holds the name), kUnavailable and kTimeout (no server answers),
// kCancelled; and for aliases kInvalid, which says what to change.
#include "edgetrust/dns/resolver.hpp"

#include <stop_token>

namespace edgetrust::dns {

// What a provider needs to know of the world's DNS: the zone that a name is in.
using FindZone = std::function<Result<std::string>(const std::string& name, std::stop_token stop)>;

class Delegation {
 public:
  static constexpr int kMostAliases = 8;  // of a chain; resolvers give up at 8 to 16

  struct Options {
    std::vector<std::string> nameservers{};  // "host:port"; empty: the resolver's own
    std::chrono::milliseconds timeout{10'000};
  };
  // The references must outlive this.
  Delegation(const Resolver& resolver, const Clock& clock, Random& random, Options options)
      : resolver_(resolver), clock_(clock), random_(random), options_(std::move(options)) {}

  // The zone that holds `name`, by its SOA record.
  [[nodiscard]] Result<std::string> zone_of(const std::string& name, std::stop_token stop) const;

  // Where the chain of aliases that begins at `name` ends; `name` itself when there is none. Nothing needs to exist
  // there. kInvalid when the chain goes round in a circle or is longer than kMostAliases.
  // With `zones`, each alias on the way must lead into one of them, else kInvalid.
  [[nodiscard]] Result<std::string> end_of_aliases(const std::string& name, std::stop_token stop) const;
  [[nodiscard]] Result<std::string> end_of_aliases(const std::string& name, const std::vector<std::string>& zones,
                                                   std::stop_token stop) const;

 private:
  using Ask = std::function<Result<std::string>(const Resolver& resolver, const net::Wait& wait)>;
  [[nodiscard]] Result<std::string> ask_with(const Ask& ask, std::stop_token stop) const;
  [[nodiscard]] Result<std::string> follow(const std::string& name, const std::vector<std::string>* zones,
                                           std::stop_token stop) const;

  const Resolver& resolver_;
  const Clock& clock_;
  Random& random_;
  Options options_;
};

}  // namespace edgetrust::dns
