// Registration, the account's URL, and what the client refuses to start with.
#include "edgetrust/crypto/key.hpp"
#include "fake_acme.hpp"

namespace edgetrust::acme {
namespace {

using testing::HasSubstr;

Config with_key(std::string_view pem) {
  Config config;
  config.directory_url = at("/directory");
  config.account_key_pem = Secret(pem);
  return config;
}
Error refusal(Config config) {
  const support::FakeClock clock;
  return make_client(std::move(config), std::make_shared<support::FakeTransport>(), clock).error();
}

TEST(Account, IsRegisteredOnceAndRemembered) {
  Config config;
  config.contact_email = "voice@example.com";
  World world(std::move(config));
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
  const std::size_t requests = world.requests();
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
  EXPECT_EQ(world.requests(), requests);
  const auto seen = world.server.seen("/new-account");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].payload, R"({"contact":["mailto:voice@example.com"],"termsOfServiceAgreed":true})");
}

TEST(Account, IsFoundAgainByAnotherProcess) {
  World world;
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
  const auto second = make_client(with_key(crypto::kRfc7515A3Key), world.shared, world.clock).value();
  EXPECT_EQ(second->account({}).value(), at("/account/1"));
  EXPECT_EQ(world.server.seen("/new-account")[1].payload, R"({"termsOfServiceAgreed":true})");
}

TEST(Account, SignsWithEveryKindOfKey) {
  const auto p384 = crypto::PrivateKey::generate({crypto::KeyFamily::kEcdsa, 384}).value();
  const std::string p384_pem(p384.to_pem()->expose());
  for (const std::string_view pem : {crypto::kRfc7515A3Key, crypto::kRfc7515A2Key, std::string_view(p384_pem)}) {
    World world(with_key(pem));
    world.server.reply("/order/1", json_answer(200, order_json("ready", "", "")));
    EXPECT_TRUE(world.client->order(at("/order/1"), {}).has_value());  // FakeAcme checks algorithm and signature
  }
}

TEST(Account, BindsAnExternalAccount) {
  for (const char* text :
       {"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==\n"}) {
    Config config;
    config.external_account = ExternalAccountBinding{.key_id = "kid-1", .hmac_key = Secret(text)};
    World world(std::move(config));
    world.server.directory.insert(world.server.directory.size() - 2, R"(,"externalAccountRequired":true)");
    ASSERT_TRUE(world.client->account({}).has_value());
    const auto payload = json::Document::parse(world.server.seen("/new-account")[0].payload).value();
    const auto binding = support::read_jws(payload.root()["externalAccountBinding"].text()).value();
    EXPECT_EQ(binding.protected_header, R"({"alg":"HS256","kid":"kid-1","url":"https://ca.example/new-account"})");
    EXPECT_EQ(binding.payload, R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                               R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
    EXPECT_TRUE(support::verifies_hs256(
        binding,
        from_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .value()));
  }
}

TEST(Account, AsksForTheBindingThatTheServerWants) {
  World world;
  world.server.directory.insert(world.server.directory.size() - 2, R"(,"externalAccountRequired":true)");
  const auto refused = world.client->account({});
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message(), HasSubstr("set externalAccountBinding"));
  EXPECT_TRUE(world.server.seen("/new-account").empty());
}

TEST(Account, WithoutALocationIsAnError) {
  World world;
  world.server.reply("/new-account", json_answer(201, R"({"status":"valid"})"));
  EXPECT_EQ(world.client->account({}).error().kind, ErrorKind::kProtocol);
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
}

TEST(Account, ThatIsOverIsUnauthorized) {
  for (const char* status : {"deactivated", "revoked"}) {
    World world;
    world.server.reply("/new-account", json_answer(200, R"({"status":")" + std::string(status) + R"("})",
                                                   {{"Location", at("/account/9")}}));
    const auto refused = world.client->account({});
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnauthorized);
    EXPECT_THAT(refused.error().message(), HasSubstr(status));
  }
}

// A server that lost its accounts (a test server restarted, a backup restored) gets the same key again, once.
TEST(Account, IsRegisteredAgainWhenTheServerForgotIt) {
  World world;
  ASSERT_EQ(world.client->account({}).value(), at("/account/1"));
  world.server.forget_accounts();
  world.server.reply("/order/1", json_answer(200, order_json("ready", "", "")));
  EXPECT_TRUE(world.client->order(at("/order/1"), {}).has_value());
  EXPECT_EQ(world.client->account({}).value(), at("/account/2"));
  EXPECT_EQ(world.server.seen("/new-account").size(), 2U);
  EXPECT_EQ(world.server.seen("/order/1")[0].kid, at("/account/2"));
}

TEST(Account, IsNotRegisteredAgainForEver) {
  World world;
  world.server.reply_always("/order/1", problem(400, "accountDoesNotExist"));
  const auto refused = world.client->order(at("/order/1"), {});
  EXPECT_TRUE(refused.error().code.ends_with("accountDoesNotExist"));
  EXPECT_EQ(world.server.seen("/new-account").size(), 2U);
  EXPECT_EQ(world.server.seen("/order/1").size(), 2U);
}

TEST(Account, ALostAnswerToItsRegistrationExecutedNothingOfTheCaller) {
  World world;
  world.server.reply("/new-account", lost_answer());
  const auto lost = world.client->new_order(kRequest, {});
  EXPECT_EQ(lost.error().kind, ErrorKind::kTimeout);
  EXPECT_FALSE(lost.error().maybe_executed);
  EXPECT_TRUE(world.server.seen("/new-order").empty());
}

TEST(Config, IsChecked) {
  const auto with = [](auto change) {
    Config config = with_key(crypto::kRfc7515A3Key);
    change(config);
    return refusal(std::move(config));
  };
  const std::vector<std::pair<std::function<void(Config&)>, std::string>> cells = {
      {[](Config& c) { c.directory_url = ""; }, "directory"},
      {[](Config& c) { c.directory_url = "http://ca.example/directory"; }, "https"},
      {[](Config& c) { c.directory_url = "https://user@ca.example/directory"; }, "user information"},
      {[](Config& c) { c.directory_url = "https://169.254.169.254/directory"; }, "metadata"},
      {[](Config& c) { c.directory_url = "https://[fe80::1]/directory"; }, "link-local"},
      {[](Config& c) { c.directory_url = "https://2852039166/directory"; }, "host"},
      {[](Config& c) { c.account_key_pem = Secret("no key"); }, "the ACME account's key"},
      {[](Config& c) { c.contact_email = "voice"; }, "e-mail"},
      {[](Config& c) { c.contact_email = "a@b.example,c@d.example"; }, "e-mail"},
      {[](Config& c) { c.contact_email = "a@b.example?subject=x"; }, "e-mail"},
      {[](Config& c) { c.allowed_hosts = {"https://other.example"}; }, "host name"},
      {[](Config& c) { c.allowed_hosts = {"other.example:8443"}; }, "host name"},
      {[](Config& c) { c.allowed_hosts = {"other.example/"}; }, "host name"},
      {[](Config& c) { c.external_account = ExternalAccountBinding{.key_id = "", .hmac_key = Secret("AAAA")}; },
       "key id"},
      {[](Config& c) { c.external_account = ExternalAccountBinding{.key_id = "k", .hmac_key = Secret("")}; },
       "MAC key"},
      {[](Config& c) { c.external_account = ExternalAccountBinding{.key_id = "k", .hmac_key = Secret("!CANARY!")}; },
       "MAC key"},
  };
  for (const auto& [change, text] : cells) {
    const Error error = with(change);
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << text;
    EXPECT_THAT(error.message(), HasSubstr(text));
    EXPECT_THAT(error.message(), testing::Not(HasSubstr("CANARY")));
  }
}

TEST(Config, RefusesMetadataAddressesAmongTheAllowedHosts) {
  for (const char* host :
       {"169.254.169.254", "169.254.0.1", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254",
        "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "::", "224.0.0.1",
        "255.255.255.255", "ff02::1", "metadata.google.internal", "Metadata.Google.Internal"}) {
    Config config = with_key(crypto::kRfc7515A3Key);
    config.allowed_hosts = {host};
    EXPECT_THAT(refusal(std::move(config)).message(), HasSubstr("metadata address")) << host;
  }
}

TEST(Config, AllowsPrivateAndLoopbackAddresses) {
  for (const char* url :
       {"https://127.0.0.1:14000/dir", "https://[::1]:14000/dir", "https://10.0.0.5/dir", "https://192.168.1.1/dir",
        "https://[fd12:3456::1]/dir", "https://vault.internal.example:8200/v1/pki/acme/directory"}) {
    Config config = with_key(crypto::kRfc7515A3Key);
    config.directory_url = url;
    const support::FakeClock clock;
    EXPECT_TRUE(make_client(std::move(config), std::make_shared<support::FakeTransport>(), clock).has_value()) << url;
  }
}

}  // namespace
}  // namespace edgetrust::acme
