#include "edgetrust/dns/zone_cut.hpp"

#include "unit/dns/fake_dns_server.hpp"

namespace edgetrust::dns {
namespace {

const std::string kName = "_acme-challenge.edge01.example.com";

// A server by table: what it answers about a name; REFUSED about any other. Keeps the names it was asked for.
struct Server {
  std::map<std::string, Message> answers;
  std::vector<std::string> asked;

  AskSoa ask() {
    return [this](const std::string& name) -> Result<Message> {
      asked.push_back(name);
      const auto found = answers.find(name);
      if (found != answers.end()) return found->second;
      return message(Rcode::kRefused, false);
    };
  }
  static Message message(Rcode rcode, bool authoritative, std::vector<Record> answers = {},
                         std::vector<Record> authority = {}) {
    Message m;
    m.is_response = true;
    m.rcode = rcode;
    m.authoritative = authoritative;
    m.answers = std::move(answers);
    m.authority = std::move(authority);
    return m;
  }
};

TEST(ZoneCut, ANoSuchNameSaysItAtOnce) {
  Server server{{{kName, Server::message(Rcode::kNxDomain, true, {}, {soa("example.com")})}}, {}};
  EXPECT_EQ(find_own_zone(kName, server.ask()).value(), "example.com");
  EXPECT_EQ(server.asked.size(), 1U);
}

TEST(ZoneCut, TheNameMayBeTheApex) {
  Server server{{{kName, Server::message(Rcode::kNoError, true, {soa(kName)})}}, {}};
  EXPECT_EQ(find_own_zone("_ACME-challenge.Edge01.example.com.", server.ask()).value(), kName);
}

TEST(ZoneCut, AServerThatLeavesTheSoaOutIsAskedOneLabelHigher) {
  const Message bare = Server::message(Rcode::kNxDomain, false);
  Server server{{{kName, bare},
                 {"edge01.example.com", bare},
                 {"example.com", Server::message(Rcode::kNoError, false, {soa("example.com")})}},
                {}};
  EXPECT_EQ(find_zone(kName, server.ask()).value(), "example.com");
  EXPECT_EQ(server.asked, (std::vector<std::string>{kName, "edge01.example.com", "example.com"}));
}

TEST(ZoneCut, AnAliasSaysNothingOfItsOwnZone) {
  const auto alias = record(kName, RecordType::kCname, "x.victim.net");
  Server server{{{kName, Server::message(Rcode::kNoError, true, {alias}, {soa("victim.net")})},
                 {"edge01.example.com", Server::message(Rcode::kNoError, true, {}, {soa("example.com")})}},
                {}};
  EXPECT_EQ(find_zone(kName, server.ask()).value(), "example.com");
  EXPECT_EQ(find_own_zone(kName, server.ask()).value(), "example.com");
}

TEST(ZoneCut, OnlyASoaAtOrAboveTheNameCounts) {
  Server server{
      {{kName, Server::message(Rcode::kNxDomain, true, {}, {soa("victim.net"), soa("sub." + kName), soa("")})},
       {"edge01.example.com", Server::message(Rcode::kNxDomain, true, {}, {soa("example.com")})}},
      {}};
  EXPECT_EQ(find_own_zone(kName, server.ask()).value(), "example.com");
}

TEST(ZoneCut, WithoutAuthorityItIsNoOwnZone) {
  Server server{{{kName, Server::message(Rcode::kNxDomain, false, {}, {soa("example.com")})}}, {}};
  EXPECT_EQ(find_own_zone(kName, server.ask()).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(find_zone(kName, server.ask()).value(), "example.com");
}

TEST(ZoneCut, AReferralNamesTheZoneThatIsDelegatedAway) {
  const auto ns = record("edge01.example.com", RecordType::kNs, "ns.elsewhere.net");
  Server server{{{kName, Server::message(Rcode::kNoError, false, {}, {ns})},
                 {"example.com", Server::message(Rcode::kNoError, true, {soa("example.com")})}},
                {}};
  const auto zone = find_own_zone(kName, server.ask());
  ASSERT_FALSE(zone.has_value());
  EXPECT_EQ(zone.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(zone.error().what, "the server refers to other servers for edge01.example.com, which holds " + kName);
}

TEST(ZoneCut, AServerThatServesNoneOfItIsNotFound) {
  Server server;
  const auto zone = find_own_zone(kName, server.ask());
  ASSERT_FALSE(zone.has_value());
  EXPECT_EQ(zone.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(zone.error().what, "no zone that holds " + kName + " is served there (it answers REFUSED for com)");
  EXPECT_EQ(server.asked.size(), 4U) << "up to the last label, and no query for the root";
}

TEST(ZoneCut, AFailureIsNotTakenForAnAnswer) {
  Server server{{{kName, Server::message(Rcode::kServFail, true, {}, {soa("example.com")})}}, {}};
  EXPECT_EQ(find_zone(kName, server.ask()).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(find_zone(kName, [](const std::string&) { return fail(ErrorKind::kTimeout, "late"); }).error().kind,
            ErrorKind::kTimeout);
}

}  // namespace
}  // namespace edgetrust::dns
