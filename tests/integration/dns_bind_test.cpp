// Writing and seeing TXT records at a real BIND: the one of tests/stack, told by STACK_DNS_ADDR (host:port),
// STACK_DNS_ZONE, STACK_DNS_TSIG_NAME and STACK_DNS_TSIG_SECRET (base64, hmac-sha256). Each test has names of its own.
#include "edgetrust/dns/lookup.hpp"
#include "edgetrust/dns/rfc2136/rfc2136_zone.hpp"

#include <cstdlib>

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct SkewedClock final : Clock {
  std::chrono::seconds ahead{0};
  SystemClock real;
  [[nodiscard]] TimePoint now() const override { return real.now() + ahead; }
  [[nodiscard]] SteadyPoint steady() const override { return real.steady(); }
};

std::string from_stack(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) ADD_FAILURE() << variable << " is not set: run this inside a stack (tests/stack/stack.py run)";
  return value == nullptr ? "" : value;
}

struct Bind : testing::Test {
  const std::string address = from_stack("STACK_DNS_ADDR");
  const std::string zone = from_stack("STACK_DNS_ZONE");
  const std::string key_name = from_stack("STACK_DNS_TSIG_NAME");
  const std::string secret = from_stack("STACK_DNS_TSIG_SECRET");
  const net::Endpoint server = net::Endpoint::parse(address).value_or(net::Endpoint{"127.0.0.1", 1});

  SkewedClock clock;
  SystemRandom random;
  const Resolver resolver{{server}, {}, random};
  Lookup lookup{resolver, clock, random, {.timeout = 10s, .port = server.port}};
  const std::string name = "_acme-challenge.t" + std::to_string(random.next()) + "." + zone;

  void SetUp() override { ASSERT_FALSE(HasFailure()) << "nothing to test against"; }
  [[nodiscard]] Rfc2136Options options() const {
    return {.nameserver = address, .tsig_key_name = key_name, .tsig_secret = Secret(secret)};
  }
  std::unique_ptr<Rfc2136Zone> zone_with(Rfc2136Options chosen) {
    auto made = Rfc2136Zone::create(std::move(chosen), resolver, clock, random);
    EXPECT_TRUE(made.has_value()) << made.error().what;
    return made ? *std::move(made) : nullptr;
  }
  static void expect_done(const Status& status) { EXPECT_TRUE(status.has_value()) << status.error().message(); }

  // What every authoritative server says, found by way of the zone's NS records.
  bool visible(const std::string& at, const std::string& value) {
    const auto answers = lookup.find_txt(at, value, {}, {});
    EXPECT_TRUE(answers.has_value()) << answers.error().message();
    if (!answers) return false;
    EXPECT_EQ(answers->size(), 1U);
    for (const auto& answer : *answers) {
      EXPECT_EQ(answer.server, address);
      EXPECT_EQ(answer.problem, "");
      if (!answer.has_value) return false;
    }
    return true;
  }
  Error refusal(Rfc2136Options chosen, const std::string& at) {
    const auto done = zone_with(std::move(chosen))->present(at, "value", {});
    EXPECT_FALSE(done.has_value());
    return done ? Error{} : done.error();
  }
};

TEST_F(Bind, WhatIsPresentedIsVisibleAndWhatIsRemovedIsNot) {
  const auto txt = zone_with(options());
  EXPECT_FALSE(visible(name, "value"));
  expect_done(txt->present(name, "value", {}));
  EXPECT_TRUE(visible(name, "value"));
  EXPECT_FALSE(visible(name, "valu"));
  const auto given = lookup.find_txt(name, "value", {address, address}, {});
  ASSERT_TRUE(given.has_value());
  EXPECT_TRUE(given->at(0).has_value && given->at(1).has_value);
  expect_done(txt->remove(name, "value", {}));
  EXPECT_FALSE(visible(name, "value"));
}

TEST_F(Bind, BothMayBeRepeated) {
  const auto txt = zone_with(options());
  for (int i = 0; i < 2; ++i) {
    expect_done(txt->present(name, "value", {}));
    EXPECT_TRUE(visible(name, "value"));
  }
  for (int i = 0; i < 2; ++i) {
    expect_done(txt->remove(name, "value", {}));
    EXPECT_FALSE(visible(name, "value"));
  }
}

TEST_F(Bind, AForeignValueAtTheNameSurvives) {
  const auto txt = zone_with(options());
  expect_done(txt->present(name, "foreign", {}));
  expect_done(txt->present(name, "ours", {}));
  expect_done(txt->present(name, "ours too", {}));
  for (const char* value : {"foreign", "ours", "ours too"}) EXPECT_TRUE(visible(name, value)) << value;
  expect_done(txt->remove(name, "ours", {}));
  EXPECT_FALSE(visible(name, "ours"));
  for (const char* value : {"foreign", "ours too"}) EXPECT_TRUE(visible(name, value)) << value;
}

TEST_F(Bind, ValuesBeyondOneStringAndBeyondOneDatagram) {
  const auto txt = zone_with(options());
  for (const std::size_t size : {255U, 256U, 600U, 30'000U}) {
    const std::string value = std::string(size - 1, 'x') + "!";
    expect_done(txt->present(name, value, {}));
    EXPECT_TRUE(visible(name, value)) << size;
    expect_done(txt->remove(name, value, {}));
    EXPECT_FALSE(visible(name, value)) << size;
  }
  const std::string octets("quote\" back\\slash \x01\x80\xff and a zero \0.", 36);
  expect_done(txt->present(name, octets, {}));
  EXPECT_TRUE(visible(name, octets));
}

TEST_F(Bind, ManyAtOnce) {
  const auto txt = zone_with(options());
  std::array<Status, 8> done;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < done.size(); ++i)
      threads.emplace_back([&, i] { done[i] = txt->present(name, "value " + std::to_string(i), {}); });
  }
  for (std::size_t i = 0; i < done.size(); ++i) {
    expect_done(done[i]);
    EXPECT_TRUE(visible(name, "value " + std::to_string(i)));
  }
}

TEST_F(Bind, AKeyItDoesNotKnowIsRefused) {
  auto chosen = options();
  chosen.tsig_key_name = "no-such-key";
  const Error unknown = refusal(std::move(chosen), name);
  EXPECT_EQ(unknown.kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(unknown.code, "BADKEY");
  EXPECT_THAT(unknown.what, HasSubstr("the TSIG key no-such-key is refused: the server knows no such key"));
  chosen = options();
  chosen.tsig_algorithm = TsigAlgorithm::kHmacSha512;
  EXPECT_EQ(refusal(std::move(chosen), name).code, "BADKEY") << "the key is there for another algorithm";
}

TEST_F(Bind, AWrongSecretIsRefused) {
  auto chosen = options();
  chosen.tsig_secret = Secret("bm90IHRoZSBzZWNyZXQ=");
  const Error wrong = refusal(std::move(chosen), name);
  EXPECT_EQ(wrong.kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(wrong.code, "BADSIG");
  EXPECT_THAT(wrong.what, HasSubstr("the TSIG key " + key_name + " is refused: its secret is not the server's"));
  EXPECT_THAT(wrong.message(), testing::Not(HasSubstr("bm90")));
}

TEST_F(Bind, AClockThatIsWrongIsSaidSo) {
  clock.ahead = 3'600s;
  const Error ahead = refusal(options(), name);
  EXPECT_EQ(ahead.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(ahead.code, "BADTIME");
  EXPECT_THAT(ahead.what, testing::AnyOf(HasSubstr("the clocks differ by 1h, the server's is behind"),
                                         HasSubstr("the clocks differ by 59m59s, the server's is behind")));
  clock.ahead = -3'600s;
  EXPECT_EQ(refusal(options(), name).code, "BADTIME");
}

TEST_F(Bind, ANameOutsideTheZoneIsRefused) {
  const Error not_served = refusal(options(), "_acme-challenge.edge01.example.com");
  EXPECT_EQ(not_served.kind, ErrorKind::kNotFound);
  EXPECT_THAT(not_served.message(), HasSubstr("no zone that holds _acme-challenge.edge01.example.com is served there"));
  auto chosen = options();
  chosen.zone = zone;
  EXPECT_EQ(refusal(std::move(chosen), "_acme-challenge.edge01.example.com").kind, ErrorKind::kInvalid);
  chosen = options();
  chosen.zone = "example.com";
  const Error not_its_zone = refusal(std::move(chosen), "_acme-challenge.edge01.example.com");
  EXPECT_EQ(not_its_zone.kind, ErrorKind::kForbidden);
  EXPECT_EQ(not_its_zone.code, "NOTAUTH");
}

TEST_F(Bind, TheNameSaysInWhichZoneItIs) {
  const auto answers = lookup.find_txt("_acme-challenge.edge01.example.com", "value", {}, {});
  ASSERT_FALSE(answers.has_value()) << "this server answers for no other zone";
  EXPECT_EQ(answers.error().kind, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace edgetrust::dns
