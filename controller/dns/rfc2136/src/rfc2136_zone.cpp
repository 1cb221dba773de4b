#include "edgetrust/dns/rfc2136/rfc2136_zone.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/dns/exchange.hpp"
#include "edgetrust/dns/name.hpp"
#include "edgetrust/dns/zone_cut.hpp"

namespace edgetrust::dns {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::chrono::seconds kLongestTtl{86'400};

tl::unexpected<Error> coded(ErrorKind kind, std::string what, std::string code) {
  Error error = fail(kind, std::move(what)).value();
  error.code = std::move(code);
  return fail(std::move(error));
}

tl::unexpected<Error> bad_option(std::string_view option, const Error& error) {
  return fail(ErrorKind::kInvalid, "rfc2136 " + std::string(option) + ": " + error.what);
}

std::string how_far(TimePoint ours, std::optional<TimePoint> theirs) {
  if (!theirs) return "";
  const auto apart = std::chrono::duration_cast<std::chrono::seconds>(*theirs - ours);
  return " by " + format_duration(std::chrono::abs(apart)) + ", the server's is " +
         (apart.count() > 0 ? "ahead" : "behind");
}

// What the server thinks of our signature.
Status judged(const TsigKey& key, const TsigVerdict& verdict, TimePoint now) {
  const std::string refused = "the TSIG key " + key.name + " is refused: ";
  switch (verdict.error) {
    case TsigError::kNone: return {};
    case TsigError::kBadKey:
      return coded(ErrorKind::kUnauthorized, refused + "the server knows no such key for " + to_string(key.algorithm),
                   "BADKEY");
    case TsigError::kBadSig:
      return coded(ErrorKind::kUnauthorized, refused + "its secret is not the server's", "BADSIG");
    case TsigError::kBadTime:
      return coded(ErrorKind::kUnavailable, "the clocks differ" + how_far(now, verdict.server_time), "BADTIME");
    default: break;
  }
  return coded(ErrorKind::kProtocol, refused + to_string(verdict.error), to_string(verdict.error));
}

Message update_of(std::uint16_t id, const std::string& zone, const Record& change) {
  Message message;
  message.id = id;
  message.opcode = Opcode::kUpdate;
  message.question = Question{zone, RecordType::kSoa, RecordClass::kIn};
  message.authority = {change};
  return message;
}

}  // namespace

Result<std::unique_ptr<Rfc2136Zone>> Rfc2136Zone::create(Rfc2136Options options, const Resolver& resolver,
                                                         const Clock& clock, Random& random) {
  const auto server = net::Endpoint::parse(options.nameserver, kDnsPort);
  if (!server) return bad_option("nameserver", server.error());
  auto secret = secret_from_base64(trim(options.tsig_secret.expose()));
  if (!secret) return bad_option("TSIG secret", secret.error());
  if (secret->empty()) return fail(ErrorKind::kInvalid, "rfc2136 TSIG secret: it is empty");
  options.tsig_secret = {};
  TsigKey key{canonical_name(options.tsig_key_name), options.tsig_algorithm, *std::move(secret)};
  if (key.name.empty()) return fail(ErrorKind::kInvalid, "rfc2136 TSIG key name: it is empty");
  if (const auto tried = compose(query_of(0, key.name, RecordType::kSoa, false)); !tried)
    return bad_option("TSIG key name", tried.error());
  if (options.ttl.count() < 0 || options.ttl > kLongestTtl)
    return fail(ErrorKind::kInvalid, "rfc2136 TTL: it must be from 0 to 86400 seconds");
  options.zone = canonical_name(options.zone);
  return std::unique_ptr<Rfc2136Zone>(
      new Rfc2136Zone(std::move(options), *server, std::move(key), resolver, clock, random));
}

Status Rfc2136Zone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  return update({.name = canonical_name(name),
                 .type = RecordType::kTxt,
                 .klass = RecordClass::kIn,
                 .ttl = static_cast<std::uint32_t>(options_.ttl.count()),
                 .data = value},
                std::move(stop));
}

Status Rfc2136Zone::remove(const std::string& name, const std::string& value, std::stop_token stop) {
  // RFC 2136 section 2.5.4: class NONE and TTL 0 delete this one record.
  return update(
      {.name = canonical_name(name), .type = RecordType::kTxt, .klass = RecordClass::kNone, .ttl = 0, .data = value},
      std::move(stop));
}

Status Rfc2136Zone::update(const Record& change, std::stop_token stop) const {
  const net::Wait wait(clock_, options_.timeout, std::move(stop));
  const auto done = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const std::vector<std::string> addresses, resolver_.addresses(server_.host, wait));
    std::vector<net::Endpoint> servers;
    for (const auto& address : prefer_routed(addresses, server_.port)) servers.push_back({address, server_.port});
    EDGETRUST_TRY_ASSIGN(const std::string zone, zone_of(change.name, servers, wait));
    const Message request = update_of(static_cast<std::uint16_t>(random_.next()), zone, change);
    EDGETRUST_TRY_ASSIGN(const Message answer, ask(servers, request, wait));
    return judged(answer.rcode, change.name, zone);
  }();
  if (!done) return fail(within("TXT record at " + shown(change.name), done.error()));
  return {};
}

Result<std::string> Rfc2136Zone::zone_of(const std::string& name, const std::vector<net::Endpoint>& servers,
                                         const net::Wait& wait) const {
  if (!options_.zone.empty()) {
    if (is_within(name, options_.zone)) return options_.zone;
    return fail(ErrorKind::kInvalid, "the name is not in the zone " + options_.zone);
  }
  const auto ask_soa = [&](const std::string& candidate) {
    return ask(servers, query_of(static_cast<std::uint16_t>(random_.next()), candidate, RecordType::kSoa, false), wait);
  };
  return find_own_zone(name, ask_soa).map_error([&](Error error) {
    return within("looking for its zone at " + server_.to_string(), std::move(error));
  });
}

Result<Message> Rfc2136Zone::ask(const std::vector<net::Endpoint>& servers, const Message& request,
                                 const net::Wait& wait) const {
  EDGETRUST_TRY_ASSIGN(const std::string wire, compose(request));
  for (std::size_t i = 0;; ++i) {
    const auto share = wait.left() / static_cast<int>(servers.size() - i);
    auto answer = ask_one(servers[i], wire, wait.at_most(share));
    const bool is_last = i + 1 == servers.size();
    // Sending an update twice does no harm, so the next address is tried whatever became of this one.
    const bool is_gone =
        !answer && (answer.error().kind == ErrorKind::kUnavailable || answer.error().kind == ErrorKind::kTimeout);
    if (is_last || !is_gone) return answer;
  }
}

Result<Message> Rfc2136Zone::ask_one(const net::Endpoint& server, const std::string& request,
                                     const net::Wait& wait) const {
  const TimePoint now = clock_.now();
  EDGETRUST_TRY_ASSIGN(const SignedMessage question, sign(key_, request, now));
  EDGETRUST_TRY_ASSIGN(Reply reply, exchange(server, question.wire, First::kTcp, wait));
  auto verified = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const TsigVerdict verdict, verify(key_, reply.wire, question.mac, clock_.now()));
    EDGETRUST_TRY(dns::judged(key_, verdict, now));
    const bool is_success = reply.message.rcode == Rcode::kNoError || reply.message.rcode == Rcode::kNxDomain;
    if (is_success && !verdict.is_signed)
      return fail(ErrorKind::kProtocol, "an answer that is not believed: it is not signed");
    return {};
  }();
  if (!verified) {
    Error error = within("name server " + server.to_string(), std::move(verified).error());
    error.maybe_executed = error.kind == ErrorKind::kProtocol && reply.message.opcode == Opcode::kUpdate;
    return fail(std::move(error));
  }
  return std::move(reply.message);
}

Status Rfc2136Zone::judged(Rcode rcode, const std::string& name, const std::string& zone) const {
  const std::string said = "name server " + server_.to_string() + " answers " + to_string(rcode) + ": ";
  switch (rcode) {
    case Rcode::kNoError: return {};
    case Rcode::kRefused:
    case Rcode::kNotAuth:
      return coded(ErrorKind::kForbidden,
                   said + "the key " + key_.name + " may not change TXT records there; grant it " + name +
                       " in the update-policy of the zone " + zone + " at its primary server",
                   to_string(rcode));
    case Rcode::kServFail:
      return coded(ErrorKind::kUnavailable, said + "it cannot change the zone " + zone + " now", to_string(rcode));
    case Rcode::kNotZone:
      return coded(ErrorKind::kInvalid, said + "the name is not in the zone " + zone, to_string(rcode));
    case Rcode::kNotImp:
      return coded(ErrorKind::kUnsupported, said + "it takes no dynamic updates (RFC 2136)", to_string(rcode));
    default: break;
  }
  return coded(ErrorKind::kProtocol, said + "no answer to an update", to_string(rcode));
}

}  // namespace edgetrust::dns
