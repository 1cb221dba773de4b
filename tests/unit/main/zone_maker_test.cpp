#include "zone_maker.hpp"

#include "edgetrust/dns/aliased_zone.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"

#include <cstdio>
#include <fstream>

#include <unistd.h>

namespace edgetrust {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ZoneMakerTest : testing::Test {
  support::FakeClock clock;
  support::FakeRandom random;
  const dns::Resolver resolver{{}, {}, random};
  std::map<std::string, std::string> secrets;  // by "name/key"
  std::vector<std::string> asked;

  Result<std::shared_ptr<ports::DnsZone>> make(const api::Dns01Solver& solver, Clouds clouds = {}) {
    ZoneMaker maker(resolver, clock, random, std::move(clouds));
    return maker.make(solver, {.secret = [this](const auto& name, const auto& key) -> Result<Secret> {
                                 asked.push_back(name + "/" + key);
                                 const auto found = secrets.find(asked.back());
                                 if (found == secrets.end()) return fail(ErrorKind::kNotFound, "no Secret " + name);
                                 return Secret(found->second);
                               },
                               .trust = [](const auto&) -> Result<http::TlsOptions> { return http::TlsOptions{}; }});
  }
  std::string refusal(const api::Dns01Solver& solver, Clouds clouds = {}) {
    const auto made = make(solver, std::move(clouds));
    return made ? "it was made" : made.error().message();
  }
};

TEST_F(ZoneMakerTest, EachProviderIsMadeOfWhatItNames) {
  secrets = {{"s/id", "AKIA1\n"},
             {"s/key", "value\n"},
             {"s/username", "u"},
             {"s/password", "p"},
             {"s/tsig", "c2VjcmV0"},
             {"s/account", R"({"username":"u","password":"p","subdomain":"s","fulldomain":"s.example.net"})"}};
  const api::SecretKeyRef key{"s", "key"};
  EXPECT_TRUE(make({.cloudflare = api::CloudflareSolver{.api_token_ref = key}}).has_value());
  EXPECT_THAT(asked, ElementsAre("s/key"));
  EXPECT_TRUE(make({.route53 = api::Route53Solver{.access_key_id_ref = api::SecretKeyRef{"s", "id"},
                                                  .secret_access_key_ref = key}})
                  .has_value());
  EXPECT_TRUE(make({.azure_dns = api::AzureDnsSolver{.subscription_id = "s",
                                                     .resource_group = "g",
                                                     .tenant_id = "t",
                                                     .client_id = "c",
                                                     .client_secret_ref = key}})
                  .has_value());
  EXPECT_TRUE(make({.rfc2136 = api::Rfc2136Solver{.nameserver = "192.0.2.53",
                                                  .tsig_key_name = "k",
                                                  .tsig_secret_ref = api::SecretKeyRef{"s", "tsig"}}})
                  .has_value());
  EXPECT_TRUE(
      make({.acme_dns = api::AcmeDnsSolver{.host = "https://auth.example.net", .account_ref = {"s", "account"}}})
          .has_value());
  EXPECT_TRUE(
      make({.webhook = api::WebhookSolver{.url = "https://dns.example.com", .basic_auth_ref = api::LocalRef{"s"}}})
          .has_value());
  EXPECT_THAT(asked, ElementsAre("s/key", "s/id", "s/key", "s/key", "s/tsig", "s/account", "s/username", "s/password"));
  EXPECT_THAT(refusal({}), HasSubstr("no provider"));
}

TEST_F(ZoneMakerTest, AMissingSecretAndABadOneAreNamed) {
  const api::Dns01Solver solver{.cloudflare = api::CloudflareSolver{.api_token_ref = {"s", "key"}}};
  EXPECT_THAT(refusal(solver), HasSubstr("no Secret s"));
  secrets = {{"s/key", "two words"}};
  EXPECT_THAT(refusal(solver), HasSubstr("Secret s key key"));
}

TEST_F(ZoneMakerTest, WithoutKeysThePodsIdentityIsNeeded) {
  const api::Dns01Solver aws{.route53 = api::Route53Solver{}};
  EXPECT_THAT(refusal(aws), HasSubstr("AWS_WEB_IDENTITY_TOKEN_FILE"));
  EXPECT_TRUE(
      make(aws, {.aws_role_arn = "arn:aws:iam::123456789012:role/pod", .aws_token_file = "/token"}).has_value());
  const api::Dns01Solver azure{.azure_dns = api::AzureDnsSolver{.subscription_id = "s", .resource_group = "g"}};
  EXPECT_THAT(refusal(azure), HasSubstr("AZURE_TENANT_ID"));
  EXPECT_THAT(refusal(azure, {.azure_client_id = "c", .azure_tenant_id = "t"}),
              HasSubstr("AZURE_FEDERATED_TOKEN_FILE"));
  EXPECT_TRUE(make(azure, {.azure_client_id = "c", .azure_tenant_id = "t", .azure_token_file = "/token"}).has_value());
  EXPECT_THAT(refusal(azure, {.azure_client_id = "c",
                              .azure_tenant_id = "t",
                              .azure_token_file = "/token",
                              .azure_authority_host = "http://login.example"}),
              HasSubstr("https"));
}

TEST_F(ZoneMakerTest, AnAliasIsFollowedOnlyWhereTheSolverSaysSo) {
  secrets = {{"s/key", "value"}};
  api::Dns01Solver solver{.cloudflare = api::CloudflareSolver{.api_token_ref = {"s", "key"}}};
  solver.delegation_zones = {"acme.example.net"};
  const auto follows = [&] { return dynamic_cast<dns::AliasedZone*>(make(solver).value().get()) != nullptr; };
  EXPECT_FALSE(follows());
  solver.cname_strategy = api::CnameStrategy::kNone;
  EXPECT_FALSE(follows());
  solver.cname_strategy = api::CnameStrategy::kFollow;
  EXPECT_TRUE(follows());
}

TEST_F(ZoneMakerTest, AnotherAddressIsHttpsAndHasAName) {
  EXPECT_EQ(parse_dns_endpoint("sts=https://127.0.0.1:1")->first, "sts");
  EXPECT_EQ(parse_dns_endpoint("azure=https://a.example/x=y")->second, "https://a.example/x=y");
  for (const char* bad : {"", "sts", "cloud=https://a", "cloudflare=http://a", "=https://a", "sts="})
    EXPECT_FALSE(parse_dns_endpoint(bad).has_value()) << bad;
  const api::Dns01Solver solver{.cloudflare = api::CloudflareSolver{.api_token_ref = {"s", "key"}}};
  secrets = {{"s/key", "value"}};
  EXPECT_THAT(refusal(solver, {.endpoints = {{"cloudflare", "https://169.254.169.254"}}}), HasSubstr("metadata"));
}

TEST(TokenFile, IsReadAnewEachTime) {
  const std::string path = testing::TempDir() + "token-" + std::to_string(getpid());
  const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::trunc) << text; };
  const auto read = token_file(path);
  write("first\n");
  EXPECT_EQ(read()->expose(), "first");
  write("second");
  EXPECT_EQ(read()->expose(), "second");
  for (const std::string& bad : {std::string(), std::string(" \n"), std::string(100'000, 'x')}) {
    write(bad);
    EXPECT_EQ(read().error().kind, ErrorKind::kInvalid);
  }
  std::remove(path.c_str());
  EXPECT_THAT(read().error().message(), HasSubstr(path));
}

}  // namespace
}  // namespace edgetrust
