#include "edgetrust/dns/resolver.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"
#include "unit/dns/fake_dns_server.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using Servers = std::vector<net::Endpoint>;

TEST(ResolvConf, TakesNameserverLinesAndNothingElse) {
  const auto servers = parse_resolv_conf(
      "# comment\nsearch example.com\nnameserver 10.96.0.10\n  nameserver\t2001:db8::53 # here too\nnameserver "
      "not-an-address\nnameserver\nnameserver fe80::1%eth0\n;nameserver 192.0.2.9\nnameserver 192.0.2.3\r\nnameserver "
      "192.0.2.4\noptions ndots:5\n");
  EXPECT_EQ(servers, (Servers{{"10.96.0.10", 53}, {"2001:db8::53", 53}, {"192.0.2.3", 53}}));
  EXPECT_TRUE(parse_resolv_conf("").empty());
}

TEST(Hosts, ListsAddressesByName) {
  const auto hosts = parse_hosts(
      "127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # x\n192.0.2.7 Edge01.example.com edge01\nbad x\n");
  EXPECT_EQ(hosts.at("localhost"), (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(hosts.at("edge01.example.com"), (std::vector<std::string>{"192.0.2.7"}));
  EXPECT_FALSE(hosts.contains("x"));
}

struct Resolving : testing::Test {
  support::FakeClock clock;
  support::FakeRandom random;
  std::stop_source source;
  net::Wait wait{clock, 10s, source.get_token()};
  Resolver with(Servers servers, HostsTable hosts = {}) { return {std::move(servers), std::move(hosts), random}; }
};

std::optional<Message> only_rcode(const Message& query, Rcode rcode) {
  Message m = answer_to(query);
  m.rcode = rcode;
  return m;
}

TEST_F(Resolving, AsksWithRecursionAndFollowsTheResolversAliases) {
  FakeDnsServer server([](const Message& query) {
    Message m = answer_to(query);
    EXPECT_TRUE(query.recursion_desired);
    m.answers = {record("alias.test", RecordType::kCname, "real.test")};
    if (query.question->type == RecordType::kA) m.answers.push_back(record("real.test", RecordType::kA, "192.0.2.1"));
    if (query.question->type == RecordType::kAaaa)
      m.answers.insert(m.answers.begin(), record("real.test", RecordType::kAaaa, "2001:db8::1"));
    return m;
  });
  EXPECT_EQ(with({server.endpoint()}).addresses("Alias.test", wait).value(),
            (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));
}

TEST_F(Resolving, AnAddressAndAKnownHostNeedNoServer) {
  const auto resolver = with({}, {{"edge01", {"192.0.2.7"}}});
  EXPECT_EQ(resolver.addresses("192.0.2.9", wait).value(), (std::vector<std::string>{"192.0.2.9"}));
  EXPECT_EQ(resolver.addresses("Edge01", wait).value(), (std::vector<std::string>{"192.0.2.7"}));
  const auto unknown = resolver.addresses("edge02", wait);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().message(), "resolving edge02: no resolver is configured");
}

TEST_F(Resolving, GoesOnToTheNextServer) {
  FakeDnsServer failing([](const Message& q) { return only_rcode(q, Rcode::kServFail); });
  support::LoopbackServer closed(nullptr);
  FakeDnsServer good([](const Message& q) {
    Message m = answer_to(q);
    m.answers = {record("a.test", RecordType::kTxt, "yes")};
    return m;
  });
  const Servers servers{failing.endpoint(), {"127.0.0.1", closed.port()}, good.endpoint()};
  EXPECT_EQ(with(servers).query("a.test", RecordType::kTxt, wait).value().answers.at(0).data, "yes");
  const auto none = with({failing.endpoint()}).query("a.test", RecordType::kTxt, wait);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(none.error().message(), "resolving a.test: resolver " + failing.address() + " answers SERVFAIL");
}

TEST_F(Resolving, ASilentServerLeavesTimeForTheNext) {
  FakeDnsServer silent([](const Message&) { return std::nullopt; });
  FakeDnsServer good([](const Message& q) { return answer_to(q); });
  const net::Wait brief = wait.at_most(400ms);
  EXPECT_TRUE(with({silent.endpoint(), good.endpoint()}).query("a.test", RecordType::kA, brief).has_value());
}

TEST_F(Resolving, ANameWithoutAddressIsNotFound) {
  FakeDnsServer server([](const Message& q) { return only_rcode(q, Rcode::kNxDomain); });
  EXPECT_EQ(with({server.endpoint()}).addresses("no.test", wait).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(with({server.endpoint()}).addresses("no such name", wait).error().kind, ErrorKind::kInvalid);
}

TEST_F(Resolving, AStopEndsItWithoutTryingOthers) {
  FakeDnsServer silent([&](const Message&) {
    source.request_stop();
    return std::nullopt;
  });
  FakeDnsServer second([](const Message& q) { return answer_to(q); });
  EXPECT_EQ(with({silent.endpoint(), second.endpoint()}).query("a.test", RecordType::kA, wait).error().kind,
            ErrorKind::kCancelled);
  EXPECT_EQ(second.datagrams, 0);
}

TEST(PreferRouted, LeavesOutWhatCannotBeReachedUnlessAllIs) {
  using Addresses = std::vector<std::string>;
  EXPECT_EQ(prefer_routed({"127.0.0.1", "255.255.255.255"}, 53), Addresses{"127.0.0.1"});
  EXPECT_EQ(prefer_routed({"255.255.255.255"}, 53), Addresses{"255.255.255.255"});
}

}  // namespace
}  // namespace edgetrust::dns
