#include "edgetrust/page/fleet.hpp"

#include "edgetrust/json/value.hpp"
#include "edgetrust/page/document.hpp"
#include "support/objects.hpp"

namespace edgetrust::page {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

const TimePoint kNow = at("2026-11-29T00:00:00Z");

std::shared_ptr<const api::EdgeCertificate> made(const std::string& name, const std::string& status = "{}") {
  return std::make_shared<const api::EdgeCertificate>(certificate(name, status));
}

std::string condition(const std::string& type, const std::string& status, const std::string& reason = "R",
                      const std::string& message = "m") {
  return R"({"type":")" + type + R"(","status":")" + status + R"(","reason":")" + reason + R"(","message":")" +
         message + R"(","lastTransitionTime":"2026-11-28T00:00:00Z"})";
}

std::shared_ptr<const api::Edge> edge(const std::string& name, const std::string& conditions = "",
                                      const std::string& more = "") {
  return std::make_shared<const api::Edge>(
      object<api::Edge>(name, R"({"connectionRef":{"name":"prod"},"edgeId":"7f3c","site":"dublin","sip":{"host":"h"}})",
                        R"({"conditions":[)" + conditions + "]" + more + "}"));
}

std::string phase(const std::string& name, const std::string& conditions = "", const std::string& more = "") {
  return R"({"phase":")" + name + R"(","conditions":[)" + conditions + "]" + more + "}";
}

Row only_row(const Sight& sight) {
  auto all = rows(sight, kNow);
  EXPECT_EQ(all.size(), 1U);
  return all.front();
}
Urgency urgency(const std::string& status) {
  return only_row({.certificates = {made("a", status)}, .edges = {}}).urgency;
}
Mark health(const std::string& conditions, const std::string& more = "") {
  return only_row({.certificates = {made("a")}, .edges = {edge("edge-of-a", conditions, more)}}).health;
}
Mark pins(const std::string& state) {
  return only_row(
             {.certificates = {},
              .edges = {edge("e", "", R"(,"pins":{"policy":"p","state":")" + state + R"(","message":"as it is"})")}})
      .pins;
}

TEST(Urgency, IsWhatTheRotationNeeds) {
  EXPECT_EQ(urgency(kQuiet), Urgency::kWell);
  EXPECT_EQ(urgency("{}"), Urgency::kWaiting) << "nobody has looked at it yet";
  for (const auto* name : {"Pending", "Issuing", "Draining", "Delivering", "Observing"})
    EXPECT_EQ(urgency(phase(name, condition("Ready", "False"))), Urgency::kUnderWay) << name;
  EXPECT_EQ(urgency(phase("Waiting", condition("Ready", "True"))), Urgency::kWaiting);
  for (const auto* name : {"AwaitingApproval", "RollingBack", "RolledBack", "Held", "Failed"})
    EXPECT_EQ(urgency(phase(name, condition("Ready", "True"))), Urgency::kAttention) << name;
  EXPECT_EQ(urgency(phase("Issuing", condition("Stalled", "True"))), Urgency::kAttention);
  EXPECT_EQ(urgency(phase("Waiting", condition("Infeasible", "True"))), Urgency::kAttention);
  EXPECT_EQ(urgency(phase("Ready", condition("Ready", "False", "Expired"))), Urgency::kAttention);
}

TEST(Urgency, FollowsTheCertificatesLife) {
  const auto until = [](const std::string& renewal, const std::string& end) {
    return only_row({.certificates = {made("a", phase("Ready", condition("Ready", "True"),
                                                      R"(,"notBefore":"2026-09-01T00:00:00Z","notAfter":")" + end +
                                                          R"(","renewalTime":")" + renewal + R"(")"))},
                     .edges = {}});
  };
  EXPECT_EQ(until("2026-12-01T00:00:00Z", "2026-12-30T00:00:00Z").urgency, Urgency::kWell);
  EXPECT_EQ(until("2026-11-28T00:00:00Z", "2026-12-30T00:00:00Z").urgency, Urgency::kWaiting);
  EXPECT_EQ(until("2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z").urgency, Urgency::kAttention);
  const Row expired = until("2026-11-01T00:00:00Z", "2026-11-28T00:00:00Z");
  EXPECT_EQ(expired.urgency, Urgency::kAttention);
  EXPECT_EQ(expired.life, view::Life::kExpired);
}

TEST(Urgency, AnEdgeThatIsIllNeedsAttentionUnlessItIsAtWork) {
  const auto with = [](const std::string& status) {
    return only_row({.certificates = {made("a", status)}, .edges = {edge("edge-of-a", condition("Online", "False"))}})
        .urgency;
  };
  EXPECT_EQ(with(kQuiet), Urgency::kAttention);
  EXPECT_EQ(with(phase("Observing", condition("Ready", "True"))), Urgency::kUnderWay) << "it restarts";
}

TEST(Health, IsWhatTheEdgesConditionsSay) {
  EXPECT_EQ(health(condition("Online", "True") + "," + condition("SipHealthy", "True")).text, "online, SIP up");
  EXPECT_EQ(health(condition("Online", "True")).tone, Tone::kGood);
  const Mark ill =
      health(condition("Online", "True") + "," + condition("SipHealthy", "False", "R", "no answer") + "," +
             condition("ClockInSync", "False", "R", "90 s off") + "," + condition("PeersTrustChain", "True"));
  EXPECT_EQ(ill.tone, Tone::kBad);
  EXPECT_EQ(ill.text, "SIP down, clock off");
  EXPECT_EQ(ill.message, "no answer; 90 s off");
  EXPECT_EQ(health(condition("PeersTrustChain", "False")).text, "a peer lacks trust");
  EXPECT_EQ(health(condition("Stalled", "True", "Conflict")).text, "Conflict");
  EXPECT_EQ(health(condition("Online", "True"), R"(,"serviceState":"OutOfService")").tone, Tone::kBusy);
  EXPECT_EQ(health("").tone, Tone::kUnknown);
  EXPECT_EQ(health(condition("Online", "Unknown")).tone, Tone::kUnknown);
  EXPECT_EQ(only_row({.certificates = {made("a")}, .edges = {}}).health.text, "no Edge");
}

TEST(Pins, AreJudgedByTheirState) {
  EXPECT_EQ(pins("Matched").tone, Tone::kGood);
  for (const auto* state : {"Applying", "Restarting"}) EXPECT_EQ(pins(state).tone, Tone::kBusy) << state;
  for (const auto* state : {"Drifted", "RolledBack", "Unreachable", "Intercepted", "Blocked"})
    EXPECT_EQ(pins(state).tone, Tone::kBad) << state;
  EXPECT_EQ(pins("NotObserved").tone, Tone::kUnknown);
  EXPECT_EQ(pins("Drifted").text, "Drifted");
  EXPECT_EQ(pins("Drifted").message, "as it is");
  const Row row = only_row({.certificates = {made("a", kQuiet)},
                            .edges = {edge("edge-of-a", "", R"(,"pins":{"policy":"p","state":"Blocked"})")}});
  EXPECT_EQ(row.urgency, Urgency::kAttention);
}

TEST(Rows, TheMostUrgentFirstAndOfTheseWhatExpiresFirst) {
  const auto ending = [](const std::string& when) {
    return phase("Ready", condition("Ready", "True"),
                 R"(,"notBefore":"2026-09-01T00:00:00Z","notAfter":")" + when + R"(")");
  };
  const auto all = rows({.certificates = {made("late", ending("2027-03-01T00:00:00Z")), made("wait", phase("Waiting")),
                                          made("soon", ending("2027-02-01T00:00:00Z")), made("bad", phase("Failed")),
                                          made("busy", phase("Issuing"))},
                         .edges = {edge("alone"), edge("edge-of-bad")}},
                        kNow);
  std::vector<std::string> order;
  for (const auto& row : all) order.push_back(row.certificate.edge);
  EXPECT_THAT(order,
              ElementsAre("edge-of-bad", "edge-of-busy", "edge-of-wait", "edge-of-soon", "edge-of-late", "alone"));
  EXPECT_EQ(all.front().certificate.site, "dublin");
  EXPECT_EQ(all.back().certificate.certificate.name, "");
}

TEST(Document, LeavesOutWhatSaysNothing) {
  const auto value = as_value(rows({.certificates = {made("a", kQuiet)}, .edges = {edge("alone")}}, kNow));
  EXPECT_EQ(value[0]["name"], "a");
  EXPECT_EQ(value[0]["life"], "Good");
  EXPECT_EQ(value[0]["urgency"], "Well");
  EXPECT_FALSE(value[0].contains("pins"));
  EXPECT_FALSE(value[1].contains("name"));
  EXPECT_FALSE(value[1].contains("phase"));
  EXPECT_EQ(value[1]["message"], "no EdgeCertificate names it");
}

TEST(Document, AMessageInTheFleetIsShortAndInTheRotationWhole) {
  const std::string message(2000, 'm');
  const std::string status = phase("Failed", condition("Stalled", "True", "R", message));
  EXPECT_LE(
      as_value(rows({.certificates = {made("a", status)}, .edges = {}}, kNow))[0]["message"].get<std::string>().size(),
      400U);
  EXPECT_EQ(
      rotation({.certificate = certificate("a", status), .edge = {}, .policy = {}, .events = {}}, kNow)["message"],
      message);
}

TEST(Document, OfARotationHasItsTimelineTheConditionsAndTheRevisions) {
  const auto value = rotation({.certificate = certificate("a", kQuiet),
                               .edge = *edge("edge-of-a", condition("Online", "False", "Offline", "not seen")),
                               .policy = {},
                               .events = {}},
                              kNow);
  EXPECT_EQ(value["waitsFor"][0]["what"], "the renewal");
  EXPECT_EQ(value["happened"][0]["what"], "Rotated");
  EXPECT_EQ(value["conditions"][0]["type"], "Ready");
  EXPECT_EQ(value["edgeConditions"][0]["reason"], "Offline");
  EXPECT_EQ(value["health"]["text"], "offline");
  EXPECT_EQ(value["history"][1]["result"], "Superseded");
  EXPECT_FALSE(value["history"][1].contains("change"));
}

// What an object knows of an order and of credentials stays where it is.
TEST(Document, TellsNoTokenNoRecordAndNotWhereKeysAre) {
  const auto of = object<api::EdgeCertificate>(
      "a",
      R"({"edgeRef":{"name":"e"},"issuerRef":{"name":"le"},"dnsNames":["a.example"],"secretName":"canary-secret"})",
      phase(
          "Issuing", condition("Reconciling", "True", "Validating", "the CA looks"),
          R"(,"order":{"revision":4,"url":"https://ca/canary-order","expires":"2026-12-06T00:00:00Z","records":[{"name":"n","value":"canary-value"}],
                "httpAnswers":[{"host":"h","token":"canary-token"}],"accountThumbprint":"canary-thumbprint"})"));
  const auto at_edge = object<api::Edge>("e", R"({"connectionRef":{"name":"prod"},"edgeId":"7f3c","sip":{"host":"h"},
               "ssh":{"host":"canary-host","user":"root","privateKeyRef":{"name":"canary-key","key":"k"},"hostKeys":["ssh-ed25519 AAAA"]}})");
  const std::string fleet =
      json::dump(as_value(rows({.certificates = {std::make_shared<const api::EdgeCertificate>(of)},
                                .edges = {std::make_shared<const api::Edge>(at_edge)}},
                               kNow)));
  const std::string one = json::dump(rotation({.certificate = of, .edge = at_edge, .policy = {}, .events = {}}, kNow));
  EXPECT_THAT(fleet, HasSubstr("the CA looks"));
  EXPECT_THAT(one, HasSubstr("the CA looks"));
  EXPECT_THAT(fleet + one, Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace edgetrust::page
