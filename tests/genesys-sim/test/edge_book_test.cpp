#include "edge_book.hpp"

#include "fake_plant.hpp"
#include "support/fake_clock.hpp"
#include "support/test_ca.hpp"

namespace edgetrust::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Fixture {
  Fixture() {
    config.edges = {{.id = "e1", .name = "edge01", .site = "ny", .host = "edge01.edges.test"}};
    config.restart = milliseconds{500};
    config.slow_restart = milliseconds{9'000};
    book.attach(plant);
    EXPECT_TRUE(book.add(config.edges[0], false, false));
  }
  support::TestCertificate leaf() const { return ca.issue({.dns = {"edge01.edges.test"}}); }
  tl::expected<UploadDone, VendorFault> upload(const support::TestCertificate& certificate) {
    return book.upload("e1", {certificate.chain_pem, Secret(certificate.key_pem)});
  }
  // What the plant would report when the port works.
  void settle(bool up = true, const std::string& cause = "") {
    book.on_serves("e1");
    book.on_seen("e1", {up, cause});
  }
  void patch(const char* text) {
    const auto document = json::Document::parse(text).value();
    ASSERT_TRUE(book.patch("e1", document.root())) << text;
  }
  [[nodiscard]] EdgeRecord edge() const { return book.find("e1").value(); }
  [[nodiscard]] GuideStatus status() const { return guide_status(edge()); }

  support::TestCa ca = support::TestCa("root").intermediate("issuing");
  Config config;
  support::FakeClock clock;
  FakePlant plant;
  EdgeBook book{config, "", clock};
};

TEST(EdgeBook, AnEdgeWithoutACertificateIsDownAndSaysWhy) {
  Fixture f;
  EXPECT_EQ(f.status().state, "Warning");
  EXPECT_EQ(f.status().sip, "SIP_DOWN");
  EXPECT_EQ(f.status().cause, "nothing is installed");
  EXPECT_EQ(f.status().fingerprint, "");
  EXPECT_EQ(f.plant.edges.at(0).server_name, "edge01.edges.test");
  f.book.on_seen("e1", {false, "Connection refused"});
  EXPECT_EQ(f.status().cause, "nothing is installed");
}

TEST(EdgeBook, AnUploadRestartsTheServiceAndTheSbcDecides) {
  Fixture f;
  const auto certificate = f.leaf();
  const auto done = f.upload(certificate);
  ASSERT_TRUE(done);
  EXPECT_EQ(f.plant.serving.at("e1").chain_pem, certificate.chain_pem);
  EXPECT_EQ(f.plant.serving.at("e1").restart, milliseconds{500});
  EXPECT_EQ(f.status().cause, "the SIP service restarts");
  EXPECT_EQ(f.status().fingerprint, done->fingerprint);
  f.book.on_seen("e1", {true, ""});
  EXPECT_EQ(f.status().sip, "SIP_DOWN") << "a look from before the restart";
  f.clock.advance(seconds{1});
  f.settle();
  EXPECT_EQ(f.status().sip, "SIP_UP");
  EXPECT_EQ(f.status().state, "OK");
  EXPECT_EQ(f.status().updated_at, f.clock.now());
  f.book.on_seen("e1", {false, "certificate has expired"});
  EXPECT_EQ(f.status().state, "Warning");
  EXPECT_EQ(f.status().cause, "certificate has expired");
}

TEST(EdgeBook, TheSameLeafAgainIsNoRestart) {
  Fixture f;
  const auto certificate = f.leaf();
  const auto first = f.upload(certificate);
  f.settle();
  f.clock.advance(seconds{5});
  const auto second = f.upload(certificate);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->at, first->at);
  EXPECT_EQ(f.plant.serving.at("e1").times, 1);
  EXPECT_EQ(f.edge().restarts, 1);
  EXPECT_EQ(f.edge().uploads, 2);
  EXPECT_EQ(f.status().sip, "SIP_UP");
}

TEST(EdgeBook, ABadUploadChangesNothing) {
  Fixture f;
  ASSERT_TRUE(f.upload(f.leaf()));
  const EdgeRecord before = f.edge();
  auto broken = f.leaf();
  broken.chain_pem = broken.certificate_pem;
  const auto refused = f.upload(broken);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 400);
  EXPECT_EQ(refused.error().detail_code, "certificate.chain.broken");
  EXPECT_EQ(f.edge().installed->leaf.fingerprint, before.installed->leaf.fingerprint);
  EXPECT_EQ(f.edge().uploads, 1);
  const auto nobody = f.book.upload("nobody", {});
  EXPECT_EQ(nobody.error().status, 404);
  EXPECT_EQ(nobody.error().entity_id, "nobody");
}

TEST(EdgeBook, AcceptAnyShowsTheConsequences) {
  Fixture f;
  f.patch(R"({"acceptAny":true})");
  auto broken = f.leaf();
  broken.chain_pem = broken.certificate_pem;
  EXPECT_TRUE(f.upload(broken));
  EXPECT_EQ(f.plant.serving.at("e1").chain_pem, broken.certificate_pem);
}

TEST(EdgeBook, WhatALeafDoesStaysWithIt) {
  Fixture f;
  const auto good = f.leaf();
  ASSERT_TRUE(f.upload(good));
  f.settle();
  f.patch(R"({"onApply":"sip-down"})");
  EXPECT_EQ(f.edge().options_mode(), OptionsMode::kAnswer);
  ASSERT_TRUE(f.upload(f.leaf()));
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kFail);
  ASSERT_TRUE(f.upload(good));
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kAnswer) << "a rollback helps";
  EXPECT_EQ(f.edge().restarts, 3);
}

TEST(EdgeBook, ALeafMayTakeTheTrunkDownAndNothingElse) {
  Fixture f;
  const auto good = f.leaf();
  ASSERT_TRUE(f.upload(good));
  f.settle();
  EXPECT_TRUE(trunk_of(f.edge()).up);
  f.patch(R"({"onApply":"trunk-down"})");
  ASSERT_TRUE(f.upload(f.leaf()));
  f.settle();
  EXPECT_EQ(f.status().state, "OK");
  EXPECT_EQ(f.status().sip, "SIP_UP");
  EXPECT_FALSE(trunk_of(f.edge()).up);
  EXPECT_EQ(trunk_of(f.edge()).since, f.edge().installed->at);
  ASSERT_TRUE(f.upload(good));
  f.settle();
  EXPECT_TRUE(trunk_of(f.edge()).up) << "a rollback helps";
}

TEST(EdgeBook, ALeafThatIsCriticalOrFlaps) {
  Fixture f;
  f.patch(R"({"onApply":"critical"})");
  ASSERT_TRUE(f.upload(f.leaf()));
  EXPECT_EQ(f.status().state, "Warning") << "still restarting";
  f.settle();
  EXPECT_EQ(f.status().state, "Critical");
  EXPECT_EQ(f.status().sip, "SIP_UP");
  f.patch(R"({"health":"OK"})");
  EXPECT_EQ(f.status().state, "OK");
  f.patch(R"({"onApply":"flap"})");
  ASSERT_TRUE(f.upload(f.leaf()));
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kFlap);
}

TEST(EdgeBook, SlowIsLateAndRefuseIsNo) {
  Fixture f;
  const auto slow = f.leaf();
  f.patch(R"({"onApply":"slow"})");
  ASSERT_TRUE(f.upload(slow));
  EXPECT_EQ(f.plant.serving.at("e1").restart, milliseconds{9'000});
  f.settle();
  EXPECT_EQ(f.status().state, "OK");
  f.patch(R"({"onApply":"refuse"})");
  EXPECT_EQ(f.upload(f.leaf()).error().detail_code, "certificate.refused");
  EXPECT_TRUE(f.upload(slow)) << "it is installed already";
  f.patch(R"({"onApply":"ok","restartMs":5})");
  ASSERT_TRUE(f.upload(f.leaf()));
  EXPECT_EQ(f.plant.serving.at("e1").restart, milliseconds{5});
  ASSERT_TRUE(f.upload(slow));
  EXPECT_EQ(f.plant.serving.at("e1").restart, milliseconds{5}) << "slow only once";
}

TEST(EdgeBook, SipCanBeTakenDownAndUp) {
  Fixture f;
  ASSERT_TRUE(f.upload(f.leaf()));
  f.settle();
  f.patch(R"({"sip":"DOWN"})");
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kFail);
  f.patch(R"({"sip":"UP"})");
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kAnswer);
}

TEST(EdgeBook, HealthCanBeForced) {
  Fixture f;
  f.patch(R"({"health":"CRITICAL"})");
  EXPECT_EQ(f.status().state, "Critical");
  f.patch(R"({"health":"UNKNOWN"})");
  EXPECT_EQ(f.status().state, "Unknown");
  f.patch(R"({"health":"OK"})");
  EXPECT_EQ(f.status().state, "Warning") << "what follows from the rest";
}

TEST(EdgeBook, AnOfflineEdgeIsToldAsItWasKnownLastAndTakesNothing) {
  Fixture f;
  const auto certificate = f.leaf();
  ASSERT_TRUE(f.upload(certificate));
  f.settle();
  f.patch(R"({"online":false})");
  const TimePoint frozen = f.status().updated_at;
  f.clock.advance(seconds{60});
  f.book.on_seen("e1", {false, "gone"});
  EXPECT_EQ(f.status().sip, "SIP_UP");
  EXPECT_EQ(f.status().updated_at, frozen);
  EXPECT_EQ(f.upload(f.leaf()).error().status, 503);
  EXPECT_EQ(f.upload(certificate).error().status, 503);
  f.patch(R"({"online":true})");
  EXPECT_EQ(f.status().sip, "SIP_DOWN");
}

TEST(EdgeBook, AWrongPatchChangesNothing) {
  Fixture f;
  for (const char* text : {"[]", R"({"sip":"SIDEWAYS"})", R"({"calls":-1})", R"({"what":true})", R"({"online":"no"})",
                           R"({"calls":3,"onApply":"explode"})", R"({"calls":[1]})"}) {
    const auto document = json::Document::parse(text).value();
    EXPECT_EQ(f.book.patch("e1", document.root()).error().kind, ErrorKind::kInvalid) << text;
  }
  EXPECT_EQ(f.edge().calls, 0);
  const auto document = json::Document::parse("{}").value();
  EXPECT_EQ(f.book.patch("e2", document.root()).error().kind, ErrorKind::kNotFound);
}

TEST(EdgeBook, DrainingEndsCallsOneByOneAndCutsTheRest) {
  Fixture f;
  const auto calls = [&] { return calls_at(f.edge(), f.clock.steady(), f.config.call_ends_every); };
  const auto state = [&] { return draining_state(f.edge(), f.clock.steady(), f.config.call_ends_every); };
  f.patch(R"({"calls":3})");
  EXPECT_EQ(state(), "NONE");
  EXPECT_TRUE(f.book.set_service("e1", false, seconds{60}));
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(state(), "WAIT");
  f.clock.advance(seconds{2});
  EXPECT_EQ(calls(), 1);
  f.clock.advance(seconds{1});
  EXPECT_EQ(calls(), 0);
  EXPECT_EQ(state(), "COMPLETE");
  EXPECT_TRUE(f.book.set_service("e1", true, seconds{0}));
  EXPECT_EQ(state(), "NONE");
  EXPECT_TRUE(f.edge().in_service);
  f.patch(R"({"calls":9})");
  EXPECT_TRUE(f.book.set_service("e1", false, seconds{4}));
  f.clock.advance(seconds{4});
  EXPECT_EQ(calls(), 0);
  EXPECT_EQ(state(), "WAIT_TIMEOUT");
  EXPECT_FALSE(f.book.set_service("nobody", true, seconds{0}));
}

TEST(EdgeBook, CallsThatAreSetWhileItDrainsAreThoseThatAreLeft) {
  Fixture f;
  f.patch(R"({"calls":30})");
  EXPECT_TRUE(f.book.set_service("e1", false, seconds{60}));
  f.clock.advance(seconds{10});
  f.patch(R"({"calls":1})");
  EXPECT_EQ(draining_state(f.edge(), f.clock.steady(), f.config.call_ends_every), "WAIT");
  f.clock.advance(seconds{1});
  EXPECT_EQ(draining_state(f.edge(), f.clock.steady(), f.config.call_ends_every), "COMPLETE");
}

TEST(EdgeBook, OutOfServiceItTakesNoCalls) {
  Fixture f;
  EXPECT_EQ(f.edge().options_mode(), OptionsMode::kAnswer);
  EXPECT_TRUE(f.book.set_service("e1", false, seconds{60}));
  EXPECT_EQ(f.edge().options_mode(), OptionsMode::kFail);
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kFail);
  EXPECT_TRUE(f.book.set_service("e1", true, seconds{0}));
  EXPECT_EQ(f.plant.serving.at("e1").mode, OptionsMode::kAnswer);
}

TEST(EdgeBook, AChangeNeedsThePresentVersion) {
  Fixture f;
  const int version = f.edge().version;
  EXPECT_EQ(f.book.rename("e1", version + 1, "x").error().status, 409);
  EXPECT_EQ(f.book.rename("e1", version, "x").value().version, version + 1);
  EXPECT_EQ(f.edge().config.name, "x");
  EXPECT_EQ(f.book.rename("e1", version, "y").error().status, 409);
}

TEST(EdgeBook, AResetForgetsAllButTheConfiguration) {
  Fixture f;
  ASSERT_TRUE(f.upload(f.leaf()));
  f.patch(R"({"onApply":"refuse","calls":4})");
  EXPECT_TRUE(f.book.add({.id = "x1", .name = "extra"}, true, true));
  EXPECT_EQ(f.book.size(), 2U);
  f.book.reset();
  EXPECT_EQ(f.book.size(), 1U);
  EXPECT_FALSE(f.edge().installed);
  EXPECT_EQ(f.edge().on_apply, OnApply::kOk);
  EXPECT_EQ(f.edge().sip_port, 20'001);
  EXPECT_TRUE(f.plant.serving.empty());
}

TEST(EdgeBook, ATrustStoreIsReplacedOnlyByAGoodOne) {
  Fixture f;
  const support::TestCa root("private");
  const auto leaf = root.issue({.dns = {"edge01.edges.test"}});
  EXPECT_FALSE(f.upload(leaf));
  EXPECT_FALSE(f.book.set_trust("bad"));
  EXPECT_TRUE(f.book.set_trust(root.certificate_pem()));
  EXPECT_TRUE(f.upload(leaf)) << "straight under a root that is known now";
}

}  // namespace
}  // namespace edgetrust::sim
