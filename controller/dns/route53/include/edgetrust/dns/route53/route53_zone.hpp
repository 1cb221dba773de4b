#pragma once
// TXT records at Amazon Route 53, by its REST API (2013-04-01).
// Made by: main, for AcmeIssuer.spec.solvers[].dns01.route53. Called by: reconcile, through ports::DnsZone. Threads:
// any.
//
// All values at a name are one record set there. It is read, and one change batch, which Route 53 carries out as a
// whole or not at all, deletes the set as it was read and creates the new one: it fails when somebody else was faster,
// and the set is read again. Nobody's value is lost, as it could be by an UPSERT. The TTL of a set that exists stays.
// That a change is INSYNC is not waited for: the name servers themselves are looked at.
// Errors: kInvalid (several public zones of the name: hostedZoneId must say which), kUnauthorized (keys or token are
// refused), kForbidden (what to grant is named), kNotFound (no such hosted zone), kConflict (others write all the
// time; a CNAME or a routing policy is in the way), kRateLimited, kUnavailable, kTimeout, kCancelled, kProtocol.
// Error::code is AWS's own.
#include "edgetrust/dns/delegation.hpp"
#include "edgetrust/dns/route53/login.hpp"
#include "edgetrust/ports/dns_zone.hpp"

namespace edgetrust::dns {

// Where a region's partition of AWS is served (docs.aws.amazon.com/general/latest/gr/r53.html and sts.html).
struct AwsPartition {
  std::string route53;         // URL
  std::string sts;             // URL, of the region
  std::string signing_region;  // of Route 53, which is served from one region
};
AwsPartition aws_partition(const std::string& region);

struct Route53Options {
  std::string api{};  // URL of Route 53
  std::string signing_region{};
  std::string hosted_zone_id{};  // empty: found by name
  AwsLoginOptions login{};
  std::string credential{};  // where keys are kept, for messages
};

class Route53Zone final : public ports::DnsZone {
 public:
  // kInvalid when an option cannot be used. `clock` must outlive it.
  static Result<std::unique_ptr<Route53Zone>> create(Route53Options options, std::shared_ptr<http::Transport> transport,
                                                     FindZone find_zone, const Clock& clock);

  Status present(const std::string& name, const std::string& value, std::stop_token stop) override;
  Status remove(const std::string& name, const std::string& value, std::stop_token stop) override;

 private:
  enum class Change { kAdd, kRemove };
  struct RecordSet {
    int ttl = 0;
    std::vector<std::string> values;  // as they stand there, in quotes
  };

  Route53Zone(http::Url api, Route53Options options, Rest rest, std::unique_ptr<AwsLogin> login, FindZone find_zone)
      : api_(std::move(api)),
        options_(std::move(options)),
        rest_(std::move(rest)),
        login_(std::move(login)),
        find_zone_(std::move(find_zone)) {}

  [[nodiscard]] Status apply(Change change, const std::string& name, const std::string& value, std::stop_token stop);
  [[nodiscard]] Result<std::string> hosted_zone(const std::string& name, const Until& until);
  // An empty one when there is none.
  [[nodiscard]] Result<RecordSet> read(const std::string& zone, const std::string& name, const Until& until);
  // kConflict when somebody else was faster.
  [[nodiscard]] Status replace(const std::string& zone, const std::string& name, const RecordSet& was,
                               const RecordSet& becomes, const Until& until);
  // An answer with a 2xx status.
  [[nodiscard]] Result<std::string> ask(const http::Request& request, const Until& until);

  const http::Url api_;
  const Route53Options options_;
  const Rest rest_;
  const std::unique_ptr<AwsLogin> login_;
  const FindZone find_zone_;
};

}  // namespace edgetrust::dns
