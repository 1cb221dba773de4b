#pragma once
// A primary server that holds TXT records, takes updates and signs its answers, or misbehaves as told. It computes
// signatures on its own from RFC 8945 section 4.3, sharing no code with what is tested but the HMAC.
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/dns/name.hpp"
#include "support/fake_clock.hpp"
#include "unit/dns/fake_dns_server.hpp"

namespace edgetrust::dns {

inline std::string big_endian(std::uint64_t value, int octets) {
  std::string text;
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) text.push_back(static_cast<char>(value >> shift & 0xFFU));
  return text;
}
inline std::string labels(const std::string& name) {
  std::string wire;
  for (std::string rest = name; !rest.empty(); rest = parent_of(rest)) {
    const std::string label = rest.substr(0, rest.find('.'));
    wire += big_endian(label.size(), 1) + label;
  }
  return wire + std::string(1, '\0');
}

struct Behaviour {
  std::string secret = "0123456789abcdef0123456789abcdef";
  std::uint16_t tsig_error = 0;
  std::string other_data{};
  Rcode rcode = Rcode::kNoError;  // of the answers to updates
  bool sign = true;
  bool append_tsig = true;
  bool spoil_mac = false;
  std::string key_name = "edge-key";
  std::string algorithm = "hmac-sha256";
  std::chrono::seconds clock_ahead{0};
  std::string zone = "example.com";
};

class PrimaryServer {
 public:
  explicit PrimaryServer(Behaviour behaviour)
      : behaviour_(std::move(behaviour)), server_(nullptr, [this](support::LoopbackConnection& connection) {
          for (std::string query = next_message(connection); !query.empty(); query = next_message(connection))
            connection.write(framed(answer(query)));
        }) {}

  [[nodiscard]] std::string address() const { return server_.address(); }
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  std::multiset<std::string> values() {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  std::vector<Message> updates() {
    const std::lock_guard lock(mutex_);
    return updates_;
  }
  void hold(const std::string& value) {
    const std::lock_guard lock(mutex_);
    values_.insert(value);
  }

 private:
  std::string answer(const std::string& wire) {
    const Message query = parse(wire).value();
    Message reply = answer_to(query);
    if (query.opcode == Opcode::kUpdate) {
      reply.rcode = behaviour_.rcode;
      if (reply.rcode == Rcode::kNoError) apply(query);
    } else if (is_within(query.question->name, behaviour_.zone)) {
      reply.authority = {soa(behaviour_.zone)};
    } else {
      reply.rcode = Rcode::kRefused;
    }
    if (behaviour_.tsig_error != 0) reply.rcode = Rcode::kNotAuth;
    return behaviour_.append_tsig ? with_tsig(reply, query) : compose(reply).value();
  }
  void apply(const Message& update) {
    const std::lock_guard lock(mutex_);
    updates_.push_back(update);
    for (const Record& change : update.authority) {
      values_.erase(change.data);
      if (change.klass == RecordClass::kIn) values_.insert(change.data);
    }
  }
  [[nodiscard]] std::string with_tsig(Message reply, const Message& query) const {
    const support::FakeClock clock;
    const auto seconds = clock.now().time_since_epoch() / std::chrono::seconds{1} + behaviour_.clock_ahead.count();
    const std::string time = big_endian(static_cast<std::uint64_t>(seconds), 6);
    const std::string tail =
        big_endian(behaviour_.tsig_error, 2) + big_endian(behaviour_.other_data.size(), 2) + behaviour_.other_data;
    std::string mac;
    if (behaviour_.sign) {
      const std::string& request =
          query.additional.at(0).data;  // algorithm, 6 + 2 octets, then the MAC with its length
      const std::size_t mac_at = labels("hmac-sha256").size() + 8;
      const std::string covered = request.substr(mac_at, 34) + compose(reply).value() + labels(behaviour_.key_name) +
                                  big_endian(255, 2) + big_endian(0, 4) + labels(behaviour_.algorithm) + time +
                                  big_endian(300, 2) + tail;
      mac = crypto::hmac(crypto::Hash::kSha256, Secret(behaviour_.secret), covered).value();
      if (behaviour_.spoil_mac) mac[5] = static_cast<char>(mac[5] ^ 1);
    }
    reply.additional.push_back({.name = behaviour_.key_name,
                                .type = RecordType::kTsig,
                                .klass = RecordClass::kAny,
                                .ttl = 0,
                                .data = labels(behaviour_.algorithm) + time + big_endian(300, 2) +
                                        big_endian(mac.size(), 2) + mac + big_endian(reply.id, 2) + tail});
    return compose(reply).value();
  }

  Behaviour behaviour_;
  std::mutex mutex_;
  std::multiset<std::string> values_;
  std::vector<Message> updates_;
  support::LoopbackServer server_;
};

}  // namespace edgetrust::dns
