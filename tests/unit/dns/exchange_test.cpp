#include "edgetrust/dns/exchange.hpp"

#include "support/fake_clock.hpp"
#include "unit/dns/fake_dns_server.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using support::LoopbackConnection;
using support::LoopbackServer;

// The clock stands still: what ends a wait is that poll(2) slept its time.
struct Exchange : testing::Test {
  support::FakeClock clock;
  std::stop_source source;
  const Message question = query_of(0x1234, "a.test", RecordType::kTxt, true);
  const std::string query = compose(question).value();

  Result<Reply> ask(const net::Endpoint& server, First first, std::chrono::milliseconds patience = 10s) {
    return exchange(server, query, first, net::Wait(clock, patience, source.get_token()));
  }
  static net::Endpoint at(const LoopbackServer& server) { return {"127.0.0.1", server.port()}; }
  [[nodiscard]] Message answer(const std::string& text) const {
    Message message = answer_to(question);
    message.answers = {record("a.test", RecordType::kTxt, text)};
    return message;
  }
  [[nodiscard]] std::string wire(const std::string& text) const { return compose(answer(text)).value(); }
};

TEST_F(Exchange, OneDatagramThereAndBack) {
  FakeDnsServer server([&](const Message&) { return answer("hi"); });
  const auto reply = ask(server.endpoint(), First::kUdp);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message, answer("hi"));
  EXPECT_EQ(reply->wire, wire("hi"));
  EXPECT_EQ(server.datagrams, 1);
  EXPECT_EQ(server.streams, 0);
}

TEST_F(Exchange, ATruncatedAnswerIsAskedForAgainOverTcp) {
  FakeDnsServer server([&](const Message&) { return answer(std::string(30'000, 'x')); });
  const auto reply = ask(server.endpoint(), First::kUdp);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message.answers.at(0).data.size(), 30'000U);
  EXPECT_EQ(server.streams, 1);
}

TEST_F(Exchange, ALostDatagramIsSentAgain) {
  int seen = 0;
  LoopbackServer server(
      [&](const std::string&) { return ++seen == 3 ? std::vector{wire("third")} : std::vector<std::string>{}; });
  const auto reply = ask(at(server), First::kUdp, 600ms);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message.answers.at(0).data, "third");
}

TEST_F(Exchange, WhatDoesNotAnswerTheQuestionIsPassedOver) {
  Message other_id = answer("forged");
  other_id.id = 0x4321;
  Message other_question = answer("forged");
  other_question.question->name = "b.test";
  Message other_type = answer("forged");
  other_type.question->type = RecordType::kA;
  Message no_question = answer("forged");
  no_question.question.reset();
  Message a_question = answer("forged");
  a_question.is_response = false;
  Message an_update = answer("forged");
  an_update.opcode = Opcode::kUpdate;
  LoopbackServer server([&](const std::string&) {
    std::vector<std::string> answers{"", "x", std::string(60'000, '\xc0')};
    for (const Message* message : {&other_id, &other_question, &other_type, &no_question, &a_question, &an_update})
      answers.push_back(compose(*message).value());
    answers.push_back(wire("true"));
    return answers;
  });
  const auto reply = ask(at(server), First::kUdp);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message.answers.at(0).data, "true");
}

TEST_F(Exchange, NothingButForgeriesIsAProtocolErrorThatSaysSo) {
  Message other_id = answer("forged");
  other_id.id = 0x4321;
  LoopbackServer server([&](const std::string&) { return std::vector(40, compose(other_id).value()); });
  const auto reply = ask(at(server), First::kUdp);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().kind, ErrorKind::kProtocol);
  EXPECT_EQ(reply.error().message(), "name server " + server.address() + ": an answer with another id");
}

TEST_F(Exchange, AFloodOfForgeriesDoesNotHideTheServerFromTcp) {
  LoopbackServer server([&](const std::string&) { return std::vector(40, std::string("junk")); },
                        [&](LoopbackConnection& c) {
                          next_message(c);
                          c.write(framed(wire("true")));
                        });
  const auto reply = ask(at(server), First::kUdp);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message.answers.at(0).data, "true");
}

TEST_F(Exchange, AFailureMayLeaveOutTheQuestion) {
  FakeDnsServer server([&](const Message& q) {
    Message refused = answer_to(q);
    refused.rcode = Rcode::kRefused;
    refused.question.reset();
    return refused;
  });
  const auto reply = ask(server.endpoint(), First::kUdp);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message.rcode, Rcode::kRefused);
}

TEST_F(Exchange, ASilentServerIsATimeout) {
  FakeDnsServer server([](const Message&) { return std::nullopt; });
  for (const First first : {First::kUdp, First::kTcp}) {
    const auto reply = ask(server.endpoint(), first, 30ms);
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().kind, ErrorKind::kTimeout);
    EXPECT_FALSE(reply.error().maybe_executed) << "a question has no effect";
  }
  EXPECT_EQ(server.datagrams, 3);
  EXPECT_EQ(server.streams, 2);
}

TEST_F(Exchange, AClosedPortIsUnavailableAtOnce) {
  LoopbackServer closed(nullptr);
  for (const First first : {First::kUdp, First::kTcp}) {
    const auto reply = ask(at(closed), first, 1h);
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(reply.error().message(), "name server " + closed.address() + ": Connection refused");
  }
}

TEST_F(Exchange, TcpFirstSendsNoDatagram) {
  FakeDnsServer server([&](const Message&) { return answer("hi"); });
  ASSERT_TRUE(ask(server.endpoint(), First::kTcp).has_value());
  EXPECT_EQ(server.datagrams, 0);
  EXPECT_EQ(server.streams, 1);
}

TEST_F(Exchange, TcpFirstFallsBackToUdp) {
  LoopbackServer server([&](const std::string&) { return std::vector{wire("by UDP")}; });
  const auto reply = ask(at(server), First::kTcp);
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->message.answers.at(0).data, "by UDP");
}

TEST_F(Exchange, AnAnswerTooLongForUdpWithoutTcpIsAnError) {
  Message cut = answer_to(question);
  cut.truncated = true;
  LoopbackServer server([&](const std::string&) { return std::vector{compose(cut).value()}; });
  EXPECT_EQ(ask(at(server), First::kTcp).error().kind, ErrorKind::kProtocol);
  EXPECT_EQ(ask(at(server), First::kUdp).error().kind, ErrorKind::kUnavailable);
}

TEST_F(Exchange, HostileStreamsEndTheExchange) {
  Message other_id = answer("forged");
  other_id.id = 0x4321;
  const std::vector<std::tuple<const char*, std::string, ErrorKind>> cases = {
      {"nothing", "", ErrorKind::kUnavailable},
      {"half a length", std::string(1, '\0'), ErrorKind::kUnavailable},
      {"a message of no octets", std::string(2, '\0'), ErrorKind::kProtocol},
      {"less than it announced", std::string("\xff\xff") + wire("hi"), ErrorKind::kUnavailable},
      {"64 kB of nonsense", std::string("\xff\xff") + std::string(65'535, '\xc0'), ErrorKind::kProtocol},
      {"another id", framed(compose(other_id).value()), ErrorKind::kProtocol},
      {"text", "HTTP/1.1 400 Bad Request\r\n\r\n", ErrorKind::kUnavailable},
  };
  for (const auto& [what, octets, kind] : cases) {
    LoopbackServer server(nullptr, [&, &sent = octets](LoopbackConnection& c) {
      next_message(c);
      c.write(sent);
    });
    const auto reply = ask(at(server), First::kTcp);
    ASSERT_FALSE(reply.has_value()) << what;
    EXPECT_EQ(reply.error().kind, kind) << what;
  }
}

TEST_F(Exchange, AnUpdateWithoutAnswerMayHaveBeenExecuted) {
  Message update = question;
  update.opcode = Opcode::kUpdate;
  const std::string update_wire = compose(update).value();
  const net::Wait wait(clock, 30ms, {});
  FakeDnsServer silent([](const Message&) { return std::nullopt; });
  LoopbackServer closed(nullptr);
  for (const First first : {First::kUdp, First::kTcp})
    EXPECT_TRUE(exchange(silent.endpoint(), update_wire, first, wait).error().maybe_executed);
  source.request_stop();
  const net::Wait stopped(clock, 30ms, source.get_token());
  EXPECT_FALSE(exchange(at(closed), update_wire, First::kTcp, stopped).error().maybe_executed) << "never sent";
}

TEST_F(Exchange, AStopEndsItAtOnce) {
  FakeDnsServer server([&](const Message&) {
    source.request_stop();
    return std::nullopt;
  });
  EXPECT_EQ(ask(server.endpoint(), First::kUdp, 1h).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(ask(server.endpoint(), First::kTcp, 1h).error().kind, ErrorKind::kCancelled);
}

TEST_F(Exchange, NeedsAnAddressAndAWholeQuery) {
  EXPECT_EQ(ask({"ns1.example.com", 53}, First::kUdp).error().kind, ErrorKind::kInvalid);
  const net::Wait wait(clock, 1s, {});
  EXPECT_FALSE(exchange({"127.0.0.1", 53}, "no query", First::kUdp, wait).has_value());
}

}  // namespace
}  // namespace edgetrust::dns
