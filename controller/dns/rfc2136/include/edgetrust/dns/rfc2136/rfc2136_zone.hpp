#pragma once
// TXT records by dynamic update (RFC 2136) at a zone's primary server, signed with TSIG.
// Made by: main, for AcmeIssuer.spec.solvers[].dns01.rfc2136. Called by: reconcile, through ports::DnsZone. Threads:
// any.
//
// Every message goes over TCP (over UDP where no TCP connection comes about), signed, and a success counts only if it
// is signed too. One record is added or removed and nothing else is touched; both are idempotent by RFC 2136 sections
// 3.4.2.2 and 3.4.2.4. Two caveats of the protocol: the records of a name share one TTL, so adding ours gives its TTL
// to all of them; and beside a CNAME the server ignores an added TXT without a word: Lookup sees that. Errors: kInvalid
// (a name outside the zone, a value DNS cannot carry), kUnauthorized (the key is refused), kForbidden (the key may not
// do this: update-policy), kNotFound (the server serves no zone with that name), kUnavailable (no server, SERVFAIL,
// clocks that differ), kUnsupported (no dynamic update there), kTimeout, kCancelled, kProtocol. Error::code is the
// RCODE or the TSIG error; maybe_executed is set when an update was sent and no answer came that is believed.
#include "edgetrust/base/random.hpp"
#include "edgetrust/dns/resolver.hpp"
#include "edgetrust/dns/rfc2136/tsig.hpp"
#include "edgetrust/ports/dns_zone.hpp"

#include <chrono>
#include <memory>

namespace edgetrust::dns {

struct Rfc2136Options {
  std::string nameserver{};  // "10.0.0.53:53"; a name is resolved at each call; without a port, 53
  std::string zone{};        // empty: found by asking the server
  std::string tsig_key_name{};
  TsigAlgorithm tsig_algorithm = TsigAlgorithm::kHmacSha256;
  Secret tsig_secret{};  // base64, as in named.conf; white space around it is ignored
  std::chrono::seconds ttl{60};
  std::chrono::milliseconds timeout{10'000};  // of a whole call
};

class Rfc2136Zone final : public ports::DnsZone {
 public:
  // kInvalid, naming the option, when one of them cannot be used.
  static Result<std::unique_ptr<Rfc2136Zone>> create(Rfc2136Options options, const Resolver& resolver,
                                                     const Clock& clock, Random& random);

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override;

 private:
  Rfc2136Zone(Rfc2136Options options, net::Endpoint server, TsigKey key, const Resolver& resolver, const Clock& clock,
              Random& random)
      : options_(std::move(options)),
        server_(std::move(server)),
        key_(std::move(key)),
        resolver_(resolver),
        clock_(clock),
        random_(random) {}
  Status update(const Record& change, std::stop_token stop) const;
  [[nodiscard]] Result<std::string> zone_of(const std::string& name, const std::vector<net::Endpoint>& servers,
                                            const net::Wait& wait) const;
  // The answer of the first address that can be reached, its signature verified.
  [[nodiscard]] Result<Message> ask(const std::vector<net::Endpoint>& servers, const Message& request,
                                    const net::Wait& wait) const;
  [[nodiscard]] Result<Message> ask_one(const net::Endpoint& server, const std::string& request,
                                        const net::Wait& wait) const;
  [[nodiscard]] Status judged(Rcode rcode, const std::string& name, const std::string& zone) const;

  Rfc2136Options options_;  // without the secret
  net::Endpoint server_;
  TsigKey key_;
  const Resolver& resolver_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace edgetrust::dns
