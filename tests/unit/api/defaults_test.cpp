#include "edgetrust/api/acme_issuer.hpp"
#include "edgetrust/api/edge.hpp"
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/api/genesys_connection.hpp"

namespace edgetrust::api {
namespace {

using namespace std::chrono_literals;

TEST(EffectiveRotation, WithoutAnyPolicyTheContractsDefaultsHold) {
  const EffectiveRotation rotation = effective_rotation({}, nullptr);
  ASSERT_EQ(rotation.windows.size(), 1U);
  EXPECT_EQ(rotation.windows[0], (Window{.start = "02:00", .duration = 2h, .days = {}}));
  EXPECT_EQ(rotation.settle, 90s);
  EXPECT_EQ(rotation.period, 10min);
  EXPECT_EQ(rotation.interval, 15s);
  EXPECT_EQ(rotation.fail_after, 2);
  EXPECT_EQ(rotation.on_site_wide_failure, SiteWideFailure::kHold);
  EXPECT_EQ(rotation.retry, RetryPolicy::kNextWindow);
  EXPECT_EQ(rotation.retry_backoff, 24h);
  EXPECT_EQ(rotation.max_attempts, 2);
}

TEST(EffectiveRotation, EachMemberComesFromTheObjectElseThePolicyElseTheDefault) {
  const Window night{.start = "01:00", .duration = 1h, .days = {}};
  const Window noon{.start = "12:00", .duration = 3h, .days = {Day::kSun}};
  RotationPolicySpec policy{
      .windows = {night, noon},
      .observe = Observe{.settle = 1s, .period = 2s, .fail_after = 9, .on_site_wide_failure = SiteWideFailure::kJudge},
      .retry = RetryRule{.policy = RetryPolicy::kNever, .max_attempts = 5}};
  const EffectiveRotation by_policy = effective_rotation({}, &policy);
  EXPECT_EQ(by_policy.windows, (std::vector<Window>{night, noon}));
  EXPECT_EQ(by_policy.settle, 1s);
  EXPECT_EQ(by_policy.interval, 15s);
  EXPECT_EQ(by_policy.retry, RetryPolicy::kNever);

  const RotationOverrides own{.windows = {noon},
                              .observe = Observe{.period = 7s, .interval = 3s},
                              .retry = RetryRule{.policy = RetryPolicy::kOnChange, .backoff = 1h}};
  const EffectiveRotation mixed = effective_rotation(own, &policy);
  EXPECT_EQ(mixed.windows, std::vector<Window>{noon});
  EXPECT_EQ(mixed.settle, 1s);
  EXPECT_EQ(mixed.period, 7s);
  EXPECT_EQ(mixed.interval, 3s);
  EXPECT_EQ(mixed.fail_after, 9);
  EXPECT_EQ(mixed.on_site_wide_failure, SiteWideFailure::kJudge);
  EXPECT_EQ(mixed.retry, RetryPolicy::kOnChange);
  EXPECT_EQ(mixed.retry_backoff, 1h);
  EXPECT_EQ(mixed.max_attempts, 5);
}

TEST(EdgeOf, ItsSiteIsItsOwnElseTheApis) {
  Edge edge;
  EXPECT_EQ(site_of(edge), "");
  edge.status.site = "New York";
  EXPECT_EQ(site_of(edge), "New York");
  edge.spec.site = "ny";
  EXPECT_EQ(site_of(edge), "ny");
}

TEST(EdgeOf, APeerDialsItsOwnNameElseTheHostUnlessThatIsAnAddress) {
  Edge edge;
  edge.spec.sip.host = "Edge01.example.com";
  EXPECT_EQ(name_dialled(edge, {.name = "sbc", .server_name = "Voice.example.com"}), "voice.example.com");
  EXPECT_EQ(name_dialled(edge, {.name = "sbc"}), "edge01.example.com");
  for (const char* address : {"192.0.2.7", "2001:db8::7"}) {
    edge.spec.sip.host = address;
    EXPECT_EQ(name_dialled(edge, {.name = "sbc"}), "") << address;
    EXPECT_EQ(name_dialled(edge, {.name = "sbc", .server_name = "voice.example.com"}), "voice.example.com");
  }
}

TEST(EdgeOf, ItsPeersBundlesInSecretsConcernIt) {
  Edge edge;
  edge.spec.sip.peers = {{.name = "a", .trust_bundle_ref = {.name = "roots", .key = "ca.crt"}},
                         {.name = "b", .trust_bundle_ref = {BundleKind::kConfigMap, "others", "ca.crt"}}};
  EXPECT_TRUE(names_secret(edge, "roots"));
  EXPECT_FALSE(names_secret(edge, "others")) << "a ConfigMap";
  EXPECT_FALSE(names_secret(edge, "root"));
}

Solver solver_of(std::vector<std::string> zones, std::vector<std::string> names) {
  return {.selector = SolverSelector{.dns_zones = std::move(zones), .dns_names = std::move(names)}};
}

TEST(SolverFor, NamesBeatZonesLongerZonesBeatShorterAndTheRestGoesToTheDefault) {
  AcmeIssuerSpec issuer;
  issuer.solvers = {solver_of({"example.com"}, {}), solver_of({"voice.example.com", "net"}, {}),
                    solver_of({}, {"edge07.voice.example.com"}), Solver{}};
  const auto which = [&](std::string_view name) { return solver_for(issuer, name) - issuer.solvers.data(); };
  EXPECT_EQ(which("edge01.example.com"), 0);
  EXPECT_EQ(which("example.com"), 0);
  EXPECT_EQ(which("*.example.com"), 0);
  EXPECT_EQ(which("edge01.voice.example.com"), 1);
  EXPECT_EQ(which("voice.example.com"), 1);
  EXPECT_EQ(which("edge07.voice.example.com"), 2);
  EXPECT_EQ(which("a.net"), 1);
  EXPECT_EQ(which("badexample.com"), 3) << "a zone ends at a dot";
  EXPECT_EQ(which("com"), 3);
}

TEST(SolverFor, WithoutADefaultAForeignNameHasNone) {
  AcmeIssuerSpec issuer;
  issuer.solvers = {solver_of({"example.com"}, {})};
  EXPECT_EQ(solver_for(issuer, "example.net"), nullptr);
  EXPECT_EQ(solver_for(AcmeIssuerSpec{}, "example.com"), nullptr);
}

TEST(SolverFor, OfTwoThatFitAlikeTheFirstWins) {
  AcmeIssuerSpec issuer;
  issuer.solvers = {Solver{}, Solver{}, solver_of({"example.com"}, {}), solver_of({"example.com"}, {})};
  EXPECT_EQ(solver_for(issuer, "example.org"), &issuer.solvers[0]);
  EXPECT_EQ(solver_for(issuer, "example.com"), &issuer.solvers[2]);
}

// Solvers that cannot prove a name are passed over for it, however well they fit.
TEST(SolverFor, HttpAloneProvesAddressesAndDnsAloneWildcards) {
  AcmeIssuerSpec issuer;
  Solver http = solver_of({"example.com"}, {"192.0.2.7"});
  http.http01.emplace();
  Solver rest;
  rest.http01.emplace();
  issuer.solvers = {Solver{}, http, rest};
  const auto which = [&](std::string_view name) { return solver_for(issuer, name) - issuer.solvers.data(); };
  EXPECT_EQ(which("edge01.example.com"), 1);
  EXPECT_EQ(which("*.example.com"), 0);
  EXPECT_EQ(which("example.net"), 0);
  EXPECT_EQ(which("192.0.2.7"), 1);
  EXPECT_EQ(which("192.0.2.8"), 2);
  EXPECT_EQ(which("2001:db8::7"), 2);
  issuer.solvers[1].selector->dns_names = {"2001:db8:0::7"};
  EXPECT_EQ(which("2001:DB8::7"), 1) << "an address in another form";
  EXPECT_EQ(dns_solver_for(issuer, "edge01.example.com"), &issuer.solvers[0]) << "the wildcard below it has a record";
  issuer.solvers = {http};
  EXPECT_EQ(solver_for(issuer, "*.example.com"), nullptr);
  EXPECT_EQ(solver_for(issuer, "192.0.2.8"), nullptr);
  EXPECT_EQ(dns_solver_for(issuer, "edge01.example.com"), nullptr);
}

TEST(SecretNames, FollowFromTheNameAndTheRevision) {
  EdgeCertificate certificate;
  certificate.meta.name = "edge01";
  EXPECT_EQ(serving_secret_name(certificate), "edge01-tls");
  certificate.spec.secret_name = "custom";
  EXPECT_EQ(serving_secret_name(certificate), "custom");
  EXPECT_EQ(bundle_secret_name("edge01", 7), "edge01-r7");
  EXPECT_EQ(key_secret_name("edge01", 7), "edge01-r7-key");
}

TEST(GenesysConnection, HostsFollowFromTheRegionUnlessEndpointsAreGiven) {
  GenesysConnectionSpec spec;
  spec.region = "mypurecloud.ie";
  EXPECT_EQ(spec.api_url(), "https://api.mypurecloud.ie");
  EXPECT_EQ(spec.login_url(), "https://login.mypurecloud.ie");
  spec.endpoints = Endpoints{.api = "https://a", .login = "https://l"};
  EXPECT_EQ(spec.api_url(), "https://a");
  EXPECT_EQ(spec.login_url(), "https://l");
}

TEST(NamesSecret, WhatIsItsOwnOrNamedInItsSpecAndNoOther) {
  EdgeCertificate certificate;
  certificate.meta.name = "edge01";
  for (const char* its_own : {"edge01-tls", "edge01-r1", "edge01-r12-key"})
    EXPECT_TRUE(names_secret(certificate, its_own)) << its_own;
  for (const char* other : {"edge02-tls", "edge01", "by-hand", "wanted"})
    EXPECT_FALSE(names_secret(certificate, other)) << other;
  certificate.spec.secret_name = "wanted";
  certificate.spec.adoption = Adoption{.import_from = LocalRef{"by-hand"}};
  EXPECT_TRUE(names_secret(certificate, "wanted"));
  EXPECT_TRUE(names_secret(certificate, "by-hand"));
  EXPECT_FALSE(names_secret(certificate, "renewed-elsewhere"));
  certificate.spec.source_secret_ref = LocalRef{"renewed-elsewhere"};
  EXPECT_TRUE(names_secret(certificate, "renewed-elsewhere"));
  EXPECT_FALSE(names_secret(certificate, "edge01-tls"));
}

}  // namespace
}  // namespace edgetrust::api
