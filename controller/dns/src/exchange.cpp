#include "edgetrust/dns/exchange.hpp"

#include "edgetrust/net/socket.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;

constexpr int kSends = 3;
constexpr int kMostStrangers = 32;  // answers that do not count, before UDP is given up
constexpr std::chrono::milliseconds kLongestTry = 1s;

bool may_leave_out_the_question(const Message& reply) {
  return reply.opcode == Opcode::kUpdate || reply.rcode != Rcode::kNoError;
}

// Nothing when the reply answers the query, else why not.
const char* mismatch(const Message& query, const Message& reply) {
  if (!reply.is_response) return "a question instead of an answer";
  if (reply.id != query.id) return "an answer with another id";
  if (reply.opcode != query.opcode) return "an answer to another kind of request";
  if (!reply.question && may_leave_out_the_question(reply)) return nullptr;
  if (reply.question != query.question) return "an answer to another question";
  return nullptr;
}

class Conversation {
 public:
  Conversation(const net::Endpoint& server, const std::string& query, const Message& parsed, const net::Wait& wait)
      : server_(server), query_(query), parsed_(parsed), wait_(wait) {}

  Result<Reply> udp_first() {
    EDGETRUST_TRY_ASSIGN(std::optional<Reply> reply, by_udp(wait_.left() / 2));
    if (reply && !reply->message.truncated) return std::move(*reply);
    auto socket = net::connect_tcp(server_, wait_);
    if (!socket) return fail(worst(std::move(socket).error()));
    return by_tcp(*socket);
  }

  Result<Reply> tcp_first() {
    const net::Wait half = wait_.at_most(wait_.left() / 2);
    auto socket = net::connect_tcp(server_, half);
    if (socket) return by_tcp(*socket);
    if (socket.error().kind == ErrorKind::kCancelled) return fail(std::move(socket).error());
    EDGETRUST_TRY_ASSIGN(std::optional<Reply> reply, by_udp(wait_.left()));
    if (!reply) return fail(worst(std::move(socket).error()));
    if (reply->message.truncated) return fail(ErrorKind::kProtocol, "an answer too long for UDP, and no TCP");
    return std::move(*reply);
  }

  [[nodiscard]] bool sent() const { return sent_; }

 private:
  Result<Reply> read(std::string wire) const {
    EDGETRUST_TRY_ASSIGN(Message message, parse(wire));
    if (const char* reason = mismatch(parsed_, message)) return fail(ErrorKind::kProtocol, reason);
    return Reply{std::move(wire), std::move(message)};
  }

  // Nothing when UDP gave no answer that counts.
  Result<std::optional<Reply>> by_udp(std::chrono::milliseconds budget) {
    auto socket = net::connect_udp(server_);
    const auto patience = std::min(budget / kSends, kLongestTry);
    for (int i = 0; i < kSends && socket && net::send_datagram(*socket, query_); ++i) {
      sent_ = true;
      EDGETRUST_TRY_ASSIGN(std::optional<Reply> reply, take_answer(*socket, wait_.clock().steady() + patience));
      if (reply || closed_) return reply;
    }
    return std::nullopt;
  }

  Result<std::optional<Reply>> take_answer(const net::Socket& socket, SteadyPoint until) {
    while (strangers_ < kMostStrangers) {
      EDGETRUST_TRY_ASSIGN(const bool ready, wait_.readable_until(socket, until));
      if (!ready) return std::nullopt;
      auto datagram = net::take_datagram(socket);
      closed_ = !datagram;
      if (closed_) return std::nullopt;
      auto reply = read(*std::move(datagram));
      if (reply) return std::move(*reply);
      stranger_ = std::move(reply).error();
      ++strangers_;
    }
    closed_ = true;
    return std::nullopt;
  }

  // RFC 1035 section 4.2.2: two octets of length before each message.
  Result<Reply> by_tcp(const net::Socket& socket) {
    const std::size_t size = query_.size();
    const std::string prefix{static_cast<char>(size >> 8U), static_cast<char>(size & 0xFFU)};
    sent_ = true;
    EDGETRUST_TRY(net::send_all(socket, prefix + query_, wait_));
    EDGETRUST_TRY_ASSIGN(const std::string length, net::receive_exactly(socket, 2, wait_));
    std::size_t announced = 0;
    for (const char octet : length) announced = announced << 8U | static_cast<unsigned char>(octet);
    EDGETRUST_TRY_ASSIGN(std::string wire, net::receive_exactly(socket, announced, wait_));
    return read(std::move(wire));
  }

  // Someone did answer, though nothing that counts: that says more than a closed port.
  Error worst(Error error) const {
    if (stranger_ && error.kind != ErrorKind::kCancelled) return *stranger_;
    return error;
  }

  const net::Endpoint& server_;
  const std::string& query_;
  const Message& parsed_;
  const net::Wait& wait_;
  bool sent_ = false;
  bool closed_ = false;  // UDP is of no use here
  int strangers_ = 0;
  std::optional<Error> stranger_;
};

}  // namespace

Result<Reply> exchange(const net::Endpoint& server, const std::string& query, First first, const net::Wait& wait) {
  EDGETRUST_TRY_ASSIGN(const Message parsed, parse(query));
  Conversation conversation(server, query, parsed, wait);
  auto reply = first == First::kUdp ? conversation.udp_first() : conversation.tcp_first();
  return std::move(reply).map_error([&](Error error) {
    error.maybe_executed = parsed.opcode == Opcode::kUpdate && conversation.sent();
    return within("name server " + server.to_string(), std::move(error));
  });
}

}  // namespace edgetrust::dns
