#include "edgetrust/dns/delegation.hpp"

#include "edgetrust/dns/aliased_zone.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"
#include "unit/dns/fake_dns_server.hpp"

namespace edgetrust::dns {
namespace {

using testing::HasSubstr;

const std::string kName = "_acme-challenge.edge01.example.com";

// Aliases by name, and one zone that holds everything else.
struct Delegations : testing::Test {
  support::FakeClock clock;
  support::FakeRandom random;
  std::stop_source source;
  std::map<std::string, std::string> aliases;
  std::string zone = "example.com";
  FakeDnsServer server{[this](const Message& query) {
    Message answer = answer_to(query);
    const auto alias = aliases.find(query.question->name);
    if (alias != aliases.end()) {
      answer.answers.push_back(record(alias->first, RecordType::kCname, alias->second));
    } else {
      answer.rcode = Rcode::kNxDomain;
      answer.authority.push_back(soa(zone));
    }
    return answer;
  }};
  const Resolver resolver{{server.endpoint()}, {}, random};
  const Delegation delegation{resolver, clock, random, {}};

  Result<std::string> end(const std::vector<std::string>& zones = {"example.net"}) {
    return delegation.end_of_aliases(kName, zones, {});
  }
};

TEST_F(Delegations, TheZoneIsTheOneWithTheSoaRecord) {
  EXPECT_EQ(delegation.zone_of(kName, {}), "example.com");
  aliases["_acme-challenge.edge01.example.com"] = "x.example.net";
  EXPECT_EQ(delegation.zone_of(kName, {}), "example.com") << "an alias is in the zone that holds it";
}

TEST_F(Delegations, WithoutAnAliasANameIsItsOwnEnd) { EXPECT_EQ(end(), kName); }

TEST_F(Delegations, AChainIsFollowedToItsEnd) {
  aliases = {{kName, "a.example.net"}, {"a.example.net", "B.example.net"}};
  EXPECT_EQ(end(), "b.example.net");
  EXPECT_EQ(delegation.end_of_aliases(kName, {}), "b.example.net") << "and without zones anywhere";
}

TEST_F(Delegations, AnAliasOutOfTheZonesIsRefusedAndNamed) {
  aliases = {{kName, "a.example.net"}, {"a.example.net", "b.evil.test"}};
  const auto refused = end();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message(), HasSubstr("a.example.net is an alias of b.evil.test"));
  aliases = {{kName, "a.notexample.net"}};
  EXPECT_FALSE(end().has_value()) << "a zone is labels, not letters";
  EXPECT_FALSE(end({}).has_value()) << "no zone: nowhere";
}

TEST_F(Delegations, ACircleAndAnEndlessChainEnd) {
  aliases = {{kName, "a.example.net"}, {"a.example.net", "b.example.net"}, {"b.example.net", "a.example.net"}};
  EXPECT_THAT(end().error().message(), HasSubstr("round in a circle"));
  aliases = {{kName, kName}};
  EXPECT_THAT(end({"example.com"}).error().message(), HasSubstr("round in a circle"));
  aliases = {{kName, "n0.example.net"}};
  for (int i = 0; i < 100; ++i)
    aliases["n" + std::to_string(i) + ".example.net"] = "n" + std::to_string(i + 1) + ".example.net";
  EXPECT_THAT(end().error().message(), HasSubstr("more than 8 aliases"));
  EXPECT_LE(server.datagrams, 20);
  aliases.erase("n7.example.net");
  EXPECT_EQ(end(), "n7.example.net") << "eight aliases";
}

TEST_F(Delegations, TheServersThatAreGivenAreAskedInsteadOfTheResolver) {
  FakeDnsServer other([](const Message& query) {
    Message answer = answer_to(query);
    answer.answers.push_back(soa("inner.example.com"));
    return answer;
  });
  const Delegation inner(resolver, clock, random, {.nameservers = {other.address()}});
  EXPECT_EQ(inner.zone_of("x.inner.example.com", {}), "inner.example.com");
  EXPECT_EQ(server.datagrams, 0);
  const Delegation none(resolver, clock, random, {.nameservers = {"bad server:x"}});
  EXPECT_THAT(none.zone_of(kName, {}).error().message(), HasSubstr("propagation.nameservers"));
}

TEST_F(Delegations, AStopEndsIt) {
  source.request_stop();
  EXPECT_EQ(delegation.zone_of(kName, source.get_token()).error().kind, ErrorKind::kCancelled);
}

// Remembers what was written where.
struct Notebook final : ports::DnsZone {
  std::set<std::pair<std::string, std::string>> values;
  Status present(const std::string& name, const std::string& value, std::stop_token) override {
    values.insert({name, value});
    return {};
  }
  Status remove(const std::string& name, const std::string& value, std::stop_token) override {
    values.erase({name, value});
    return {};
  }
};

struct AliasedZones : Delegations {
  std::shared_ptr<Notebook> inner = std::make_shared<Notebook>();
  AliasedZone zone_behind{inner, delegation, {"example.net"}};
};

TEST_F(AliasedZones, WritesWhereTheAliasLeads) {
  aliases = {{kName, "edge01.example.net"}};
  EXPECT_TRUE(zone_behind.present(kName, "v", {}).has_value());
  EXPECT_EQ(inner->values, (decltype(inner->values){{"edge01.example.net", "v"}}));
  EXPECT_EQ(zone_behind.seen_at(kName, {}), "edge01.example.net");
  EXPECT_TRUE(zone_behind.remove(kName, "v", {}).has_value());
  EXPECT_TRUE(inner->values.empty());
}

TEST_F(AliasedZones, AnAliasThatWasChangedLeavesNothingBehind) {
  aliases = {{kName, "old.example.net"}};
  EXPECT_TRUE(zone_behind.present(kName, "v", {}).has_value());
  aliases = {{kName, "new.example.net"}};
  EXPECT_TRUE(zone_behind.remove(kName, "v", {}).has_value());
  EXPECT_TRUE(inner->values.empty());
}

TEST_F(AliasedZones, AfterARestartItIsRemovedWhereTheAliasLeads) {
  aliases = {{kName, "edge01.example.net"}};
  inner->values = {{"edge01.example.net", "v"}, {"edge01.example.net", "another"}};
  EXPECT_TRUE(zone_behind.remove(kName, "v", {}).has_value());
  EXPECT_EQ(inner->values.size(), 1U);
}

TEST_F(AliasedZones, WhereAnAliasMayNotLeadNothingIsWritten) {
  aliases = {{kName, "x.evil.test"}};
  EXPECT_EQ(zone_behind.present(kName, "v", {}).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(inner->values.empty());
}

}  // namespace
}  // namespace edgetrust::dns
