// What is shown of pins and Secrets, and what `breakglass` prints.
#include "edgetrust/json/value.hpp"
#include "edgetrust/plugin/breakglass.hpp"
#include "edgetrust/plugin/pins.hpp"
#include "edgetrust/plugin/secret_view.hpp"
#include "support/objects.hpp"
#include "support/test_ca.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace edgetrust::plugin {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const TimePoint kNow = at("2026-11-29T02:05:00Z");

// --- pins

api::PinPolicy pin_policy(const std::string& more = "", const std::string& status = "{}") {
  return object<api::PinPolicy>(
      "cloud", R"({"endpoint":{"host":"api.example"},"edges":["edge01"],"mode":"Enforce")" + more + "}", status);
}
const std::string kPinStatus =
    R"({"matchedOfTotal":"1/4","pins":"2 pins","summary":{"total":4,"matched":1,"drifted":1,"unreachable":2},
  "conditions":[{"type":"Ready","status":"False","reason":"Drifted","message":"1 of 4 Edges does not match","lastTransitionTime":"2026-11-29T00:00:00Z"},
                {"type":"Intercepted","status":"False","reason":"Matched","message":"","lastTransitionTime":"2026-11-29T00:00:00Z"}],
  "current":[{"fingerprint":"1A:2B","type":"Certificate","origin":"Handshake","since":"2026-11-27T00:00:00Z"},
             {"fingerprint":"3C:4D","type":"Certificate","origin":"Static","until":"2026-12-02T02:05:00Z"}],
  "observed":[{"fingerprint":"1A:2B","type":"Certificate","issuer":"i","root":"r","notAfter":"2027-11-30T00:00:00Z","source":"Handshake","vantage":"Operator","at":"2026-11-28T00:00:00Z"}],
  "notMatched":[{"name":"edge02","state":"Drifted","message":"the file is another one"}]})";

TEST(Pins, AllPoliciesAreATable) {
  EXPECT_EQ(print(std::vector{pin_policy("", kPinStatus)}, false, {}),
            "NAME    READY   MODE      ENDPOINT          EDGES   PINS     OVERRIDE\n"
            "cloud   False   Enforce   api.example:443   1/4     2 pins   -\n");
  EXPECT_THAT(print(std::vector{pin_policy("", kPinStatus)}, true, {}), HasSubstr("1 of 4 Edges does not match"));
  EXPECT_EQ(print(std::vector<api::PinPolicy>{}, false, {}), "No PinPolicies found.\n");
}

TEST(Pins, OnePolicyIsToldWhole) {
  const std::string text = print(pin_policy("", kPinStatus), false, kNow, {});
  EXPECT_THAT(text, AllOf(HasSubstr("ACCEPTED"), HasSubstr("2026-12-02T02:05:00Z, in 3 d"), HasSubstr("SEEN"),
                          HasSubstr("edge02   Drifted   the file is another one"), Not(HasSubstr("Override"))));
  EXPECT_THAT(print(pin_policy("", kPinStatus), false, kNow, {.colour = true}),
              HasSubstr("Intercepted   \x1b[32mFalse"))
      << "that nobody listens is good";
}

TEST(Pins, OnePolicyIsWiderByWhatIsKnownOfEachPin) {
  const std::string text = print(pin_policy("", kPinStatus), true, kNow, {});
  for (const char* line : {
           "Edges    1/4 match; 1 drifted, 2 unreachable\n",
           "TYPE          PIN     FROM        UNTIL                          SINCE                  OF CERTIFICATE\n"
           "Certificate   1A:2B   handshake   -                              2026-11-27T00:00:00Z   -\n"
           "Certificate   3C:4D   static      2026-12-02T02:05:00Z, in 3 d   -                      -\n",
           "TYPE          PIN     BY         ROOT   SINCE                  FROM        ISSUER   EXPIRES\n"
           "Certificate   1A:2B   Operator   r      2026-11-28T00:00:00Z   handshake   i        2027-11-30T00:00:00Z\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(print(pin_policy("", kPinStatus), false, kNow, {}), HasSubstr("Edges    1/4 match\n"));
  EXPECT_THAT(print(pin_policy(), true, kNow, {}), HasSubstr("Edges    - match\n"));
}

TEST(Pins, AnOverrideIsToldWithItsEnd) {
  const auto overridden = [](const std::string& until) {
    return pin_policy(R"(,"emergencyOverride":{"disablePinning":true,"until":")" + until + R"(","reason":"a proxy"})");
  };
  EXPECT_THAT(print(overridden("2026-11-30T00:00:00Z"), false, kNow, {}),
              HasSubstr("Override until 2026-11-30T00:00:00Z: a proxy"));
  EXPECT_THAT(print(overridden("2026-11-29T00:00:00Z"), false, kNow, {}),
              HasSubstr("Override ended 2026-11-29T00:00:00Z"));
  EXPECT_EQ(as_value(std::vector{pin_policy("", kPinStatus)})["policies"][0]["status"]["matchedOfTotal"], "1/4");
}

// --- breakglass

api::Edge edge(const std::string& more = "") {
  return object<api::Edge>(
      "edge01",
      R"({"connectionRef":{"name":"prod"},"edgeId":"7f3c","sip":{"host":"edge01.example","port":5061})" + more + "}");
}
const std::string kSsh =
    R"(,"ssh":{"host":"10.0.0.5","port":2222,"user":"root","privateKeyRef":{"name":"k","key":"k"},"hostKeys":["ssh-ed25519 AAAA"]})";

TEST(BreakGlass, NamesFileTimerAndServiceOfTheEdge) {
  const std::string text =
      break_glass({.edge = edge(kSsh), .certificate = certificate("edge01", kQuiet), .policies = {pin_policy()}}, kNow);
  for (const char* line : {
           "  kubectl edgetrust hold edge01 -n voice --until 2026-11-30T02:05:00Z --reason 'break glass'\n",
           "  kubectl edgetrust override cloud -n voice --until 2026-11-30T02:05:00Z --reason 'break glass'\n",
           "  ssh -p 2222 root@10.0.0.5\n",
           "#   ssh-ed25519 AAAA\n",
           "  cat /etc/purecloud/edge/conf/security/pinning-config.json\n",
           "  systemctl start edgetrust-pin-restore.service\n",
           "  mv -T /etc/purecloud/edge/conf/security/.pinning-config.json.edgetrust-previous "
           "/etc/purecloud/edge/conf/security/pinning-config.json && systemctl restart purecloud-edge\n",
           "  kubectl get secret edge01-tls -n voice\n",
           "  kubectl get secret edge01-r2-key edge01-r2 -n voice\n",
           "  kubectl edgetrust override cloud -n voice --end\n",
           "  kubectl edgetrust hold edge01 -n voice --release\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

// As a shell on the Edge runs it.
TEST(BreakGlass, SwitchesOffPinningAndNothingElse) {
  const std::string text = break_glass({.edge = edge(kSsh), .certificate = {}, .policies = {pin_policy()}}, kNow);
  const std::string file = testing::TempDir() + "breakglass-" + std::to_string(getpid()) + ".json";
  const auto after = [&](const std::string& before) {
    std::ofstream(file, std::ios::trunc) << before;
    const auto start = text.find("sed -zi");
    std::string command = text.substr(start, text.find('\n', start) - start);
    command.replace(command.find("/etc/purecloud"), std::string::npos, file);
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ostringstream all;
    all << std::ifstream(file).rdbuf();
    return all.str();
  };
  EXPECT_EQ(after(R"({"vendor": {"enabled": true},
 "certificatePinning": {
   "enabled": true, "fingerprints": [{"enabled": true}]},
 "tlsSettings": {"enabled":true}})"),
            R"({"vendor": {"enabled": true},
 "certificatePinning": {
   "enabled": false, "fingerprints": [{"enabled": true}]},
 "tlsSettings": {"enabled":true}})");
  EXPECT_EQ(after(R"({"certificatePinning":{"x":1,"enabled":true},"enabled":true})"),
            R"({"certificatePinning":{"x":1,"enabled":false},"enabled":true})");
  const std::string other = R"({"certificatePinning": {"algorithm": "SHA256"}, "vendor": {"enabled": true}})";
  EXPECT_EQ(after(other), other);
  std::filesystem::remove(file);
}

TEST(BreakGlass, WithoutSshAndPinsItSaysSo) {
  const std::string text = break_glass({.edge = edge(), .certificate = {}, .policies = {}}, kNow);
  EXPECT_THAT(text, AllOf(HasSubstr("The Edge has no spec.ssh"), HasSubstr("No PinPolicy names this Edge"),
                          Not(HasSubstr("rollback"))));
}

TEST(BreakGlass, WhatAnObjectHoldsIsNoCommand) {
  const std::string text = break_glass(
      {.edge = edge(
           R"(,"ssh":{"host":"h; reboot","user":"it's","privateKeyRef":{"name":"k","key":"k"},"hostKeys":["x\nreboot"]})"),
       .certificate = {},
       .policies = {}},
      kNow);
  EXPECT_THAT(text, HasSubstr("  ssh -p 22 'it'\\''s@h; reboot'\n"));
  EXPECT_THAT(text, Not(HasSubstr("\nreboot")));
}

// --- inspect secret

struct InspectTest : testing::Test {
  support::TestCa root{"root"};
  support::TestCa inter = root.intermediate("inter");
  support::TestCertificate leaf = inter.issue({.common_name = "a.example", .dns = {"a.example"}, .ips = {"192.0.2.1"}});
  support::TestCertificate other = inter.issue({.dns = {"b.example"}});

  static SecretView of(const std::string& chain, const std::string& key, const std::string& name = "a-tls") {
    ports::SecretObject secret;
    secret.meta.ns = "voice";
    secret.meta.name = name;
    secret.type = "kubernetes.io/tls";
    if (!chain.empty()) secret.data.emplace("tls.crt", Secret(chain));
    if (!key.empty()) secret.data.emplace("tls.key", Secret(key));
    return inspect(secret, {certificate("a", kQuiet)});
  }
};

TEST_F(InspectTest, AGoodSecretIsToldWithItsUserAndNeverItsKey) {
  const SecretView view = of(leaf.chain_pem, leaf.key_pem);
  EXPECT_TRUE(view.is_good) << view.chain_trouble << view.key_state;
  ASSERT_EQ(view.chain.size(), 2U);
  EXPECT_THAT(view.chain[0].names, ElementsAre("a.example", "192.0.2.1"));
  EXPECT_EQ(view.chain[0].key, "ECDSA 256");
  EXPECT_THAT(view.used_by, ElementsAre("EdgeCertificate a (spec.secretName: what its Edge serves)"));
  const std::string text = print(view, kNow, {}) + as_value(view).dump();
  EXPECT_THAT(text, HasSubstr("INTERMEDIATE"));
  EXPECT_THAT(text, Not(HasSubstr("PRIVATE")));
  EXPECT_THAT(text, Not(HasSubstr(leaf.key_pem.substr(40, 30))));
}

TEST_F(InspectTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(of(leaf.chain_pem, other.key_pem).key_state, "is that of another certificate");
  EXPECT_THAT(of(leaf.chain_pem, "").key_state, HasSubstr("tls.key"));
  EXPECT_THAT(of("", leaf.key_pem).chain_trouble, HasSubstr("tls.crt"));
  EXPECT_FALSE(of("garbage", leaf.key_pem).chain_trouble.empty());
  EXPECT_EQ(of(leaf.chain_pem + root.certificate_pem(), leaf.key_pem).chain_trouble,
            "the root is in it; it should be left out");
  EXPECT_THAT(of(leaf.certificate_pem + root.certificate_pem(), leaf.key_pem).chain_trouble,
              HasSubstr("did not issue it"));
  EXPECT_THAT(of(inter.certificate_pem() + leaf.certificate_pem, leaf.key_pem).chain_trouble,
              HasSubstr("a leaf must come first"));
  for (const auto& view : {of(leaf.chain_pem, other.key_pem), of("", "")}) EXPECT_FALSE(view.is_good);
}

TEST_F(InspectTest, RevisionsAreKnownByTheirNames) {
  EXPECT_THAT(of(leaf.chain_pem, "", "a-r2").used_by, ElementsAre("EdgeCertificate a (revision 2)"));
  EXPECT_THAT(of("", leaf.key_pem, "a-r2-key").used_by, ElementsAre("EdgeCertificate a (key of revision 2)"));
  EXPECT_THAT(of("", "", "else").used_by, ElementsAre());
}

}  // namespace
}  // namespace edgetrust::plugin
