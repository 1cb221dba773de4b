#pragma once
// A DNS server that answers by a function, over UDP and TCP on one loopback port.
#include "edgetrust/dns/message.hpp"
#include "edgetrust/net/endpoint.hpp"
#include "support/loopback_server.hpp"

#include <atomic>

namespace edgetrust::dns {

// The answer to a query, ready to be changed.
inline Message answer_to(const Message& query) {
  Message answer;
  answer.id = query.id;
  answer.opcode = query.opcode;
  answer.is_response = true;
  answer.authoritative = true;
  answer.question = query.question;
  return answer;
}

inline Record record(const std::string& name, RecordType type, const std::string& data) {
  return {.name = name, .type = type, .klass = RecordClass::kIn, .ttl = 60, .data = data};
}
// An SOA record whose names are the root: who asks for it looks at its owner alone.
inline Record soa(const std::string& zone) { return record(zone, RecordType::kSoa, std::string(22, '\0')); }

inline std::string framed(const std::string& wire) {
  return std::string{static_cast<char>(wire.size() >> 8U), static_cast<char>(wire.size() & 0xFFU)} + wire;
}
// The next message of a TCP connection, without its length; empty at its end.
inline std::string next_message(support::LoopbackConnection& connection) {
  const std::string length = connection.read_exactly(2);
  if (length.size() < 2) return {};
  const auto octet = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(length[i])); };
  return connection.read_exactly(octet(0) << 8U | octet(1));
}

class FakeDnsServer {
 public:
  // Nothing: no answer. Called from one thread at a time for each protocol.
  using Handler = std::function<std::optional<Message>(const Message& query)>;

  explicit FakeDnsServer(Handler handler)
      : server_(
            [this, handler](const std::string& query) {
              ++datagrams;
              const auto answer = handler(parse(query).value());
              return answer ? std::vector{cut(compose(*answer).value(), *answer)} : std::vector<std::string>{};
            },
            [this, handler](support::LoopbackConnection& connection) {
              for (std::string query = next_message(connection); !query.empty(); query = next_message(connection)) {
                ++streams;
                const auto answer = handler(parse(query).value());
                if (!answer) return connection.hold();
                connection.write(framed(compose(*answer).value()));
              }
            }) {}

  [[nodiscard]] net::Endpoint endpoint() const { return {"127.0.0.1", server_.port()}; }
  [[nodiscard]] std::string address() const { return server_.address(); }
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  std::atomic<int> datagrams = 0;  // queries seen over UDP
  std::atomic<int> streams = 0;    // over TCP

 private:
  // What does not fit 512 octets is cut short and says so (RFC 1035 section 4.2.1).
  static std::string cut(std::string wire, Message answer) {
    if (wire.size() <= 512) return wire;
    answer.answers.clear();
    answer.truncated = true;
    return compose(answer).value();
  }
  support::LoopbackServer server_;
};

}  // namespace edgetrust::dns
