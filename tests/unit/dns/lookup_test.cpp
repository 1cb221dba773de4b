#include "edgetrust/dns/lookup.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"
#include "unit/dns/fake_dns_server.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;

const std::string kName = "_acme-challenge.edge01.example.com";
const std::string kValue = "gfj9Xq-Rg85nM";

struct Lookups : testing::Test {
  support::FakeClock clock;
  support::FakeRandom random;
  std::stop_source source;

  // Asks exactly these servers.
  std::vector<ports::ServerAnswer> at(const std::vector<std::string>& servers,
                                      std::chrono::milliseconds timeout = 10s) {
    const Resolver resolver({}, {{"ns1.example.com", {"127.0.0.1"}}}, random);
    Lookup lookup(resolver, clock, random, {.timeout = timeout, .port = 53});
    auto answers = lookup.find_txt("_acme-challenge.Edge01.example.com", kValue, servers, source.get_token());
    EXPECT_TRUE(answers.has_value()) << answers.error().message();
    return answers.value_or(std::vector<ports::ServerAnswer>{});
  }
  // The answer of one server that answers like this.
  ports::ServerAnswer judged(const FakeDnsServer::Handler& handler) {
    FakeDnsServer server(handler);
    const auto answers = at({server.address()});
    EXPECT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers.at(0).server, server.address());
    return answers.at(0);
  }
};

std::optional<Message> with_values(const Message& query, const std::vector<std::string>& values) {
  Message m = answer_to(query);
  for (const auto& value : values) m.answers.push_back(record(kName, RecordType::kTxt, value));
  return m;
}

TEST_F(Lookups, TheValueMayStandAnywhereInTheAnswer) {
  EXPECT_TRUE(judged([](const Message& q) { return with_values(q, {"other", "gfj9", kValue}); }).has_value);
  EXPECT_TRUE(judged([](const Message& q) {
                Message m = *with_values(q, {kValue});
                m.answers.insert(m.answers.begin(), record("x.test", RecordType::kCname, "y.test"));
                m.answers.push_back(record(kName, RecordType::kA, "192.0.2.1"));
                return m;
              }).has_value);
}

TEST_F(Lookups, NoSuchValueIsNoProblem) {
  for (const auto& values : std::vector<std::vector<std::string>>{{}, {"other"}, {kValue + "x"}, {""}}) {
    const auto answer = judged([&](const Message& q) { return with_values(q, values); });
    EXPECT_FALSE(answer.has_value);
    EXPECT_EQ(answer.problem, "");
  }
  const auto none = judged([](const Message& q) {
    Message m = answer_to(q);
    m.rcode = Rcode::kNxDomain;
    return m;
  });
  EXPECT_FALSE(none.has_value);
  EXPECT_EQ(none.problem, "");
}

TEST_F(Lookups, AValueAtAnotherNameDoesNotCount) {
  const auto answer = judged([](const Message& q) {
    Message m = answer_to(q);
    m.answers = {record("edge01.example.com", RecordType::kTxt, kValue)};
    return m;
  });
  EXPECT_FALSE(answer.has_value);
}

TEST_F(Lookups, AnAliasIsReportedAndNotFollowed) {
  const auto answer = judged([](const Message& q) {
    Message m = answer_to(q);
    m.answers = {record("x.victim.net", RecordType::kTxt, kValue), record(kName, RecordType::kCname, "x.victim.net")};
    return m;
  });
  EXPECT_FALSE(answer.has_value);
  EXPECT_EQ(answer.problem, kName + " is an alias of x.victim.net, which is not followed");
}

TEST_F(Lookups, AHugeSetIsReadOverTcp) {
  std::vector<std::string> values(1000, "not-this-one-but-just-as-long-as-a-real-value");
  values.push_back(kValue);
  EXPECT_TRUE(judged([&](const Message& q) { return with_values(q, values); }).has_value);
}

TEST_F(Lookups, EachServerHasItsOwnAnswerInOrder) {
  FakeDnsServer good([](const Message& q) { return with_values(q, {kValue}); });
  FakeDnsServer behind([](const Message& q) { return with_values(q, {}); });
  FakeDnsServer failing([](const Message& q) {
    Message m = answer_to(q);
    m.rcode = Rcode::kServFail;
    return m;
  });
  support::LoopbackServer closed(nullptr);
  FakeDnsServer silent([](const Message&) { return std::nullopt; });
  const std::string by_name = "ns1.example.com:" + std::to_string(good.port());
  const auto answers = at({good.address(), silent.address(), behind.address(), failing.address(), closed.address(),
                           by_name, "ns9.example.com", "not a server"},
                          400ms);
  ASSERT_EQ(answers.size(), 8U);
  EXPECT_TRUE(answers[0].has_value);
  EXPECT_EQ(answers[1].problem, "name server " + silent.address() + ": no answer in time");
  EXPECT_FALSE(answers[2].has_value);
  EXPECT_EQ(answers[2].problem, "");
  EXPECT_EQ(answers[3].problem, "it answers SERVFAIL");
  EXPECT_EQ(answers[4].problem, "name server " + closed.address() + ": Connection refused");
  EXPECT_EQ(answers[5].server, by_name);
  EXPECT_TRUE(answers[5].has_value);
  EXPECT_EQ(answers[6].problem, "resolving ns9.example.com: no resolver is configured");
  EXPECT_EQ(answers[7].problem, "\"not a server\" is neither an IP address nor a host name");
}

TEST_F(Lookups, GivenServersMayBeRecursive) {
  const auto answer = judged([](const Message& q) {
    EXPECT_TRUE(q.recursion_desired);
    Message m = *with_values(q, {kValue});
    m.authoritative = false;
    return m;
  });
  EXPECT_TRUE(answer.has_value);
}

TEST_F(Lookups, RefusesMoreServersThanItAsks) {
  const Resolver resolver({}, {}, random);
  Lookup lookup(resolver, clock, random, {});
  const std::vector<std::string> many(kMostServersAsked + 1, "127.0.0.1:53");
  EXPECT_EQ(lookup.find_txt(kName, kValue, many, {}).error().kind, ErrorKind::kInvalid);
}

TEST_F(Lookups, AStopEndsItAtOnce) {
  const Resolver resolver({}, {}, random);
  Lookup lookup(resolver, clock, random, {.timeout = 1h, .port = 53});
  FakeDnsServer silent([&](const Message&) {
    source.request_stop();
    return std::nullopt;
  });
  EXPECT_EQ(lookup.find_txt(kName, kValue, {silent.address()}, source.get_token()).error().kind, ErrorKind::kCancelled);
}

// A resolver that knows the zone example.com, and one server that is authoritative for it. A test says first what they
// answer; find() starts them.
struct Authoritative : Lookups {
  bool lame = false;
  std::vector<std::string> hosts{"ns1.example.com"};
  std::vector<std::string> addresses{"127.0.0.1"};
  std::optional<FakeDnsServer> server;
  std::optional<FakeDnsServer> recursive;

  [[nodiscard]] std::optional<Message> serve(const Message& q) const {
    EXPECT_FALSE(q.recursion_desired);
    EXPECT_EQ(q.question->type, RecordType::kTxt);
    Message m = *with_values(q, {kValue});
    m.authoritative = !lame;
    return m;
  }
  [[nodiscard]] std::optional<Message> resolve(const Message& q) const {
    Message m = answer_to(q);
    m.authoritative = false;
    const std::string& name = q.question->name;
    if (q.question->type == RecordType::kSoa) m.authority = {soa("example.com")};
    if (q.question->type == RecordType::kNs && name == "example.com") {
      for (const auto& host : hosts) m.answers.push_back(record(name, RecordType::kNs, host));
    }
    if (q.question->type == RecordType::kA && name.starts_with("ns")) {
      for (const auto& address : addresses) m.answers.push_back(record(name, RecordType::kA, address));
    }
    return m;
  }
  Result<std::vector<ports::ServerAnswer>> find() {
    server.emplace([this](const Message& q) { return serve(q); });
    recursive.emplace([this](const Message& q) { return resolve(q); });
    const Resolver resolver({recursive->endpoint()}, {}, random);
    Lookup lookup(resolver, clock, random, {.timeout = 10s, .port = server->port()});
    return lookup.find_txt(kName, kValue, {}, source.get_token());
  }
};

TEST_F(Authoritative, FindsTheServersOfTheZoneAndAsksThemDirectly) {
  const auto answers = find();
  ASSERT_TRUE(answers.has_value()) << answers.error().message();
  ASSERT_EQ(answers->size(), 1U);
  EXPECT_EQ(answers->at(0).server, server->address());
  EXPECT_TRUE(answers->at(0).has_value) << answers->at(0).problem;
}

TEST_F(Authoritative, ALameServerIsAProblem) {
  lame = true;
  const auto answers = find();
  ASSERT_TRUE(answers.has_value());
  EXPECT_FALSE(answers->at(0).has_value);
  EXPECT_EQ(answers->at(0).problem, "it is not authoritative for " + kName);
}

TEST_F(Authoritative, EveryAddressIsAskedOnceAndAServerWithoutOneIsAProblem) {
  hosts = {"ns2.example.com", "other.example.com", "ns1.example.com"};
  addresses = {"127.0.0.1", "127.0.0.2"};
  const auto answers = find();
  ASSERT_TRUE(answers.has_value());
  ASSERT_EQ(answers->size(), 3U) << "two names with the same two addresses, and one with none";
  EXPECT_EQ(answers->at(0).server, server->address());
  EXPECT_EQ(answers->at(1).server, "other.example.com:" + std::to_string(server->port()));
  EXPECT_EQ(answers->at(1).problem, "the name other.example.com has no address");
  EXPECT_EQ(answers->at(2).server, "127.0.0.2:" + std::to_string(server->port()));
  EXPECT_FALSE(answers->at(2).problem.empty()) << "nothing listens there";
}

TEST_F(Authoritative, AsksSixteenAtMost) {
  addresses.clear();
  for (int i = 1; i <= 20; ++i) addresses.push_back("127.0.0." + std::to_string(i));
  const auto answers = find();
  ASSERT_TRUE(answers.has_value());
  EXPECT_EQ(answers->size(), kMostServersAsked);
}

TEST_F(Authoritative, WithoutNameServersItIsAnError) {
  hosts.clear();
  const auto answers = find();
  ASSERT_FALSE(answers.has_value());
  EXPECT_EQ(answers.error().message(), "name servers of " + kName + ": the zone example.com names no name server");
}

}  // namespace
}  // namespace edgetrust::dns
