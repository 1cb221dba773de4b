#include "backends.hpp"

#include "objects.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"

#include <functional>
#include <latch>
#include <thread>

namespace edgetrust {
namespace {

// Secrets with the keys that credentials have.
class CredentialSecrets final : public ports::Secrets {
 public:
  std::set<api::ObjectKey> existing;
  int reads = 0;
  std::function<void()> while_reading = [] {};

  Result<ports::SecretObject> read(const api::ObjectKey& key, std::stop_token /*stop*/) override {
    ++reads;
    while_reading();
    if (!existing.contains(key)) return fail(ErrorKind::kNotFound, "no Secret " + key.to_string());
    ports::SecretObject secret;
    secret.data.emplace("clientId", Secret("id"));
    secret.data.emplace("clientSecret", Secret("secret"));
    return secret;
  }
  std::vector<api::ObjectMeta> list(const std::string&, const std::string&, const std::string&) const override {
    return {};
  }
  std::optional<api::ObjectMeta> find(const api::ObjectKey&) const override { return std::nullopt; }
  Result<api::ObjectMeta> create(const ports::SecretObject&, std::stop_token) override { return unused(); }
  Result<api::ObjectMeta> update(const ports::SecretObject&, std::stop_token) override { return unused(); }
  Status remove(const api::ObjectMeta&, std::stop_token) override { return unused(); }
  Result<std::string> read_bundle(const std::string&, const api::CaBundleRef&, std::stop_token) override {
    return unused();
  }

 private:
  static tl::unexpected<Error> unused() { return fail(ErrorKind::kInternal, "a driver writes nothing"); }
};

struct BackendsTest : testing::Test {
  support::FakeClock clock;
  support::FakeRandom random;
  CredentialSecrets secrets;
  dns::Resolver resolver{{}, {}, random};
  DriverBackends backends{secrets, resolver, clock, random, [](telemetry::Api, const http::Exchange&) {}};

  const api::ObjectKey credentials{"voice", "oauth"};
  api::GenesysConnection connection = [] {
    auto made = object<api::GenesysConnection>();
    made.spec.region = "mypurecloud.com";
    made.spec.credentials_ref.name = "oauth";
    return made;
  }();

  BackendsTest() { secrets.existing.insert(credentials); }
  ports::EdgeFleet* fleet() {
    const auto made = backends.fleet(connection, {});
    return made ? made->get() : nullptr;
  }
};

TEST_F(BackendsTest, ADriverIsKeptUntilWhatItIsMadeOfChanges) {
  const auto first = backends.fleet(connection, {}).value();
  EXPECT_EQ(fleet(), first.get());
  EXPECT_FALSE(backends.secret_changed({"voice", "another"}));
  EXPECT_FALSE(backends.secret_changed({"elsewhere", "oauth"}));
  EXPECT_EQ(fleet(), first.get());
  EXPECT_TRUE(backends.secret_changed(credentials));
  const auto second = backends.fleet(connection, {}).value();
  EXPECT_NE(second, first);
  ++connection.meta.generation;
  EXPECT_NE(fleet(), second.get());
}

TEST_F(BackendsTest, WhatCouldNotBeMadeIsConcernedByTheSecretThatItWants) {
  secrets.existing.clear();
  EXPECT_EQ(fleet(), nullptr);
  EXPECT_FALSE(backends.secret_changed({"elsewhere", "oauth"}));
  EXPECT_TRUE(backends.secret_changed(credentials));
  EXPECT_TRUE(backends.secret_changed(credentials)) << "and again, until it could be made";
  secrets.existing.insert(credentials);
  EXPECT_NE(fleet(), nullptr);
}

TEST_F(BackendsTest, ASecretThatChangesMeanwhileIsReadAgain) {
  secrets.while_reading = [&] { backends.secret_changed(credentials); };
  const auto first = backends.fleet(connection, {}).value();
  secrets.while_reading = [] {};
  const auto second = backends.fleet(connection, {}).value();
  EXPECT_NE(second, first);
  EXPECT_EQ(fleet(), second.get());
  EXPECT_TRUE(backends.secret_changed(credentials)) << "it is known what it was made of";
}

TEST_F(BackendsTest, OneDriverIsMadeHoweverManyAskAtOnce) {
  constexpr int kAsking = 8;
  std::latch all_here(kAsking);
  std::array<std::shared_ptr<ports::EdgeFleet>, kAsking> got;
  {
    std::vector<std::jthread> threads;
    for (auto& mine : got) {
      threads.emplace_back([&] {
        all_here.arrive_and_wait();
        mine = backends.fleet(connection, {}).value();
      });
    }
  }
  EXPECT_EQ(std::ranges::count(got, got[0]), kAsking);
  EXPECT_EQ(secrets.reads, 2) << "client id and secret, once";
}

TEST_F(BackendsTest, NothingIsKeptOfAnObjectThatIsGone) {
  const std::weak_ptr<ports::EdgeFleet> first = backends.fleet(connection, {}).value();
  EXPECT_FALSE(first.expired());
  backends.forget(connection.meta.key());
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(backends.secret_changed(credentials));
}

// A spare that is missing must not keep a rollback from being made.
TEST_F(BackendsTest, AStandbyThatIsMissingStopsNothingAndIsTakenWhenItComes) {
  const api::ObjectKey spare{"voice", "oauth-b"};
  connection.spec.standby_credentials_ref = api::LocalRef{"oauth-b"};
  const auto first = backends.fleet(connection, {}).value();
  EXPECT_TRUE(backends.secret_changed(spare));
  secrets.existing.insert(spare);
  EXPECT_NE(fleet(), first.get());
}

TEST_F(BackendsTest, AHeartbeatIsMadeOfItsSecretAndOfNothingElse) {
  connection.spec.heartbeat = api::Heartbeat{.url_ref = {"snitch", "url"}};
  EXPECT_EQ(backends.heartbeat(connection, {}).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(backends.secret_changed({"voice", "snitch"}));
  secrets.existing.insert({"voice", "snitch"});
  const auto refused = backends.heartbeat(connection, {});
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid) << "it has no such key";
  connection.spec.heartbeat->url_ref.key = "clientId";
  ++connection.meta.generation;
  EXPECT_NE(backends.heartbeat(connection, {}).error().message().find("must be an https URL"), std::string::npos);
  EXPECT_FALSE(backends.secret_changed(credentials)) << "no fleet was asked for";
}

}  // namespace
}  // namespace edgetrust
