#include "edgetrust/dns/rfc2136/rfc2136_zone.hpp"

#include "edgetrust/base/encoding.hpp"
#include "support/fake_random.hpp"
#include "unit/dns/rfc2136/primary_server.hpp"

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kName = "_acme-challenge.edge01.example.com";
const std::string kSecret = to_base64("0123456789abcdef0123456789abcdef");

struct Rfc2136 : testing::Test {
  support::FakeClock clock;
  support::FakeRandom random;
  std::stop_source source;
  const Resolver resolver{{}, {{"primary.example.com", {"127.0.0.9", "127.0.0.1"}}}, random};

  static Rfc2136Options options(const std::string& nameserver) {
    return {.nameserver = nameserver,
            .tsig_key_name = "Edge-Key.",
            .tsig_algorithm = TsigAlgorithm::kHmacSha256,
            .tsig_secret = Secret(" " + kSecret + "\n")};
  }
  std::unique_ptr<Rfc2136Zone> zone_with(Rfc2136Options chosen) {
    auto zone = Rfc2136Zone::create(std::move(chosen), resolver, clock, random);
    EXPECT_TRUE(zone.has_value()) << zone.error().what;
    return *std::move(zone);
  }
  std::unique_ptr<Rfc2136Zone> zone_at(const PrimaryServer& server) { return zone_with(options(server.address())); }
  // The error of one update at a server that behaves like this.
  Error refused_by(Behaviour behaviour) {
    PrimaryServer server(std::move(behaviour));
    const auto done = zone_at(server)->present(kName, "value", source.get_token());
    EXPECT_FALSE(done.has_value());
    EXPECT_TRUE(server.values().empty());
    return done ? Error{} : done.error();
  }
};

TEST_F(Rfc2136, AddsOneRecordAndLeavesTheOthers) {
  PrimaryServer server({});
  server.hold("foreign");
  const auto zone = zone_at(server);
  ASSERT_TRUE(zone->present("_ACME-challenge.edge01.example.com.", "ours", source.get_token()).has_value());
  ASSERT_TRUE(zone->present(kName, "ours", source.get_token()).has_value()) << "once more";
  EXPECT_EQ(server.values(), (std::multiset<std::string>{"foreign", "ours"}));
  const Message update = server.updates().at(0);
  EXPECT_EQ(update.question, (Question{"example.com", RecordType::kSoa, RecordClass::kIn}));
  EXPECT_TRUE(update.answers.empty()) << "no prerequisites";
  EXPECT_EQ(update.authority, (std::vector<Record>{{kName, RecordType::kTxt, RecordClass::kIn, 60, "ours"}}));
}

TEST_F(Rfc2136, RemovesOneRecordAndLeavesTheOthers) {
  PrimaryServer server({});
  server.hold("foreign");
  server.hold("ours");
  const auto zone = zone_at(server);
  ASSERT_TRUE(zone->remove(kName, "ours", source.get_token()).has_value());
  ASSERT_TRUE(zone->remove(kName, "ours", source.get_token()).has_value()) << "once more";
  EXPECT_EQ(server.values(), (std::multiset<std::string>{"foreign"}));
  EXPECT_EQ(server.updates().at(0).authority,
            (std::vector<Record>{{kName, RecordType::kTxt, RecordClass::kNone, 0, "ours"}}));
}

TEST_F(Rfc2136, TakesTheZoneAndTheTtlItIsGiven) {
  PrimaryServer server({.zone = "another.net"});  // would not be found by asking
  auto chosen = options(server.address());
  chosen.zone = "Edge01.Example.com.";
  chosen.ttl = 5s;
  const auto zone = zone_with(std::move(chosen));
  ASSERT_TRUE(zone->present(kName, "ours", source.get_token()).has_value());
  EXPECT_EQ(server.updates().at(0).question->name, "edge01.example.com");
  EXPECT_EQ(server.updates().at(0).authority.at(0).ttl, 5U);
  const auto outside = zone->present("_acme-challenge.edge02.example.com", "ours", source.get_token());
  ASSERT_FALSE(outside.has_value());
  EXPECT_EQ(outside.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(outside.error().message(),
            "TXT record at _acme-challenge.edge02.example.com: the name is not in the zone edge01.example.com");
}

TEST_F(Rfc2136, AServerByNameIsTriedAtEachAddress) {
  PrimaryServer server({});
  const auto zone = zone_with(options("primary.example.com:" + std::to_string(server.port())));
  ASSERT_TRUE(zone->present(kName, "ours", source.get_token()).has_value()) << "127.0.0.9 refuses, 127.0.0.1 answers";
}

TEST_F(Rfc2136, LongValuesAndTwoValuesAtAName) {
  PrimaryServer server({});
  const auto zone = zone_at(server);
  const std::string large(2'000, 'v');
  ASSERT_TRUE(zone->present(kName, large, source.get_token()).has_value());
  ASSERT_TRUE(zone->present(kName, "small", source.get_token()).has_value());
  EXPECT_EQ(server.values(), (std::multiset<std::string>{large, "small"}));
  EXPECT_EQ(zone->present(kName, std::string(70'000, 'v'), source.get_token()).error().kind, ErrorKind::kInvalid);
}

TEST_F(Rfc2136, SaysWhatIsWrongWithTheKey) {
  const Error unknown = refused_by({.tsig_error = 17, .sign = false});
  EXPECT_EQ(unknown.kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(unknown.code, "BADKEY");
  EXPECT_THAT(unknown.what,
              HasSubstr("the TSIG key edge-key is refused: the server knows no such key for hmac-sha256"));
  const Error wrong = refused_by({.tsig_error = 16, .sign = false});
  EXPECT_EQ(wrong.kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(wrong.code, "BADSIG");
  EXPECT_THAT(wrong.what, HasSubstr("its secret is not the server's"));
  EXPECT_EQ(refused_by({.tsig_error = 22}).kind, ErrorKind::kProtocol);
}

TEST_F(Rfc2136, SaysThatTheClocksDifferAndHowFar) {
  const auto now = static_cast<std::uint64_t>(clock.now().time_since_epoch() / 1s);
  const Error told = refused_by({.tsig_error = 18, .other_data = big_endian(now + 3'720, 6)});
  EXPECT_EQ(told.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(told.code, "BADTIME");
  EXPECT_THAT(told.what, HasSubstr("the clocks differ by 1h2m, the server's is ahead"));
  const Error seen = refused_by({.clock_ahead = -400s});
  EXPECT_EQ(seen.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(seen.what, HasSubstr("the clocks differ by 6m40s, the server's is behind"));
  EXPECT_THAT(refused_by({.tsig_error = 18}).what, testing::EndsWith("the clocks differ")) << "without the time";
  EXPECT_THAT(refused_by({.tsig_error = 18, .other_data = std::string(6, '\xff')}).what,
              testing::EndsWith("the clocks differ"));
}

TEST_F(Rfc2136, ASuccessCountsOnlyWhenItIsSigned) {
  for (const Behaviour& behaviour :
       {Behaviour{.append_tsig = false}, Behaviour{.spoil_mac = true}, Behaviour{.secret = "another secret"},
        Behaviour{.sign = false}, Behaviour{.key_name = "other-key"}, Behaviour{.algorithm = "hmac-sha1"}}) {
    PrimaryServer server(behaviour);
    const auto done = zone_at(server)->present(kName, "value", source.get_token());
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().kind, ErrorKind::kProtocol);
    EXPECT_THAT(done.error().what, HasSubstr("an answer that is not believed"));
    EXPECT_FALSE(done.error().maybe_executed) << "it was the question for the zone";
    Rfc2136Options chosen = options(server.address());
    chosen.zone = "example.com";
    EXPECT_TRUE(zone_with(std::move(chosen))->present(kName, "value", source.get_token()).error().maybe_executed);
  }
}

TEST_F(Rfc2136, EachRcodeHasItsMeaning) {
  const Error refused = refused_by({.rcode = Rcode::kRefused});
  EXPECT_EQ(refused.kind, ErrorKind::kForbidden);
  EXPECT_EQ(refused.code, "REFUSED");
  EXPECT_THAT(refused.what, HasSubstr("grant it " + kName + " in the update-policy of the zone example.com"));
  EXPECT_EQ(refused_by({.rcode = Rcode::kNotAuth}).kind, ErrorKind::kForbidden);
  EXPECT_EQ(refused_by({.rcode = Rcode::kServFail}).kind, ErrorKind::kUnavailable);
  EXPECT_EQ(refused_by({.rcode = Rcode::kNotZone}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refused_by({.rcode = Rcode::kNotImp}).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused_by({.rcode = Rcode::kFormErr}).kind, ErrorKind::kProtocol);
  EXPECT_EQ(refused_by({.rcode = static_cast<Rcode>(8)}).code, "RCODE 8");
}

TEST_F(Rfc2136, ANameThatNoZoneThereHoldsIsNotFound) {
  const Error error = refused_by({.zone = "example.net"});
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("no zone that holds " + kName + " is served there"));
}

TEST_F(Rfc2136, AServerThatIsNotThereIsUnavailable) {
  support::LoopbackServer closed(nullptr);
  const auto done = zone_with(options(closed.address()))->present(kName, "value", source.get_token());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::kUnavailable);
  source.request_stop();
  EXPECT_EQ(zone_with(options(closed.address()))->remove(kName, "value", source.get_token()).error().kind,
            ErrorKind::kCancelled);
}

TEST_F(Rfc2136, BadOptionsAreNamed) {
  const auto why = [&](const std::function<void(Rfc2136Options&)>& spoil) {
    auto chosen = options("127.0.0.1:53");
    spoil(chosen);
    const auto zone = Rfc2136Zone::create(std::move(chosen), resolver, clock, random);
    EXPECT_FALSE(zone.has_value());
    return zone ? std::string{} : zone.error().what;
  };
  EXPECT_THAT(why([](auto& o) { o.nameserver = "10.0.0.53:0"; }), HasSubstr("rfc2136 nameserver"));
  EXPECT_THAT(why([](auto& o) { o.tsig_key_name = ""; }), HasSubstr("TSIG key name"));
  EXPECT_THAT(why([](auto& o) { o.tsig_key_name = "a..b"; }), HasSubstr("TSIG key name"));
  EXPECT_THAT(why([](auto& o) { o.tsig_secret = Secret("not base64!"); }), HasSubstr("TSIG secret: base64"));
  EXPECT_THAT(why([](auto& o) { o.tsig_secret = Secret(""); }), HasSubstr("TSIG secret"));
  EXPECT_THAT(why([](auto& o) { o.ttl = -1s; }), HasSubstr("TTL"));
}

}  // namespace
}  // namespace edgetrust::dns
