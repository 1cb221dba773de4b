// Registration, the account's URL, and what the client refuses to start with.
#include "edgetrust/crypto/key.hpp"
#include "fake_acme.hpp"
#include "support/test_ca.hpp"

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

// A fallback's account is seldom used: it shall be known to work before it is needed.
TEST(Account, IsProvedAnewAfterSixDaysAndNeverMadeTwice) {
  World world;
  (void)world.client->account({});
  world.clock.advance(std::chrono::hours{6 * 24});
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
  const auto seen = world.server.seen("/new-account");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].payload, R"({"onlyReturnExisting":true})");
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
  const std::string key =
      from_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow").value();
  struct Cell {
    crypto::Hash algorithm;
    const char* name;
    const EVP_MD* hash;
  };
  for (const Cell& cell :
       {Cell{crypto::Hash::kSha256, "HS256", EVP_sha256()}, Cell{crypto::Hash::kSha384, "HS384", EVP_sha384()},
        Cell{crypto::Hash::kSha512, "HS512", EVP_sha512()}}) {
    for (const char* text :
         {"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
          "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==\n"}) {
      Config config;
      config.external_account =
          ExternalAccountBinding{.key_id = "kid-1", .hmac_key = Secret(text), .algorithm = cell.algorithm};
      World world(std::move(config));
      world.server.directory.insert(world.server.directory.size() - 2, R"(,"externalAccountRequired":true)");
      ASSERT_TRUE(world.client->account({}).has_value());
      const auto payload = json::Document::parse(world.server.seen("/new-account")[0].payload).value();
      const auto binding = support::read_jws(payload.root()["externalAccountBinding"].text()).value();
      EXPECT_EQ(binding.protected_header,
                R"({"alg":")" + std::string(cell.name) + R"(","kid":"kid-1","url":"https://ca.example/new-account"})");
      EXPECT_EQ(binding.payload, R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                 R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
      EXPECT_TRUE(support::verifies_mac(cell.hash, binding, key));
    }
  }
}

// Section 7.3.2: it is told the contact of now, once, and only where it shows another.
TEST(Account, IsToldAnotherContact) {
  Config first = with_key(crypto::kRfc7515A3Key);
  first.contact_email = "voice@example.com";
  World world(std::move(first));
  ASSERT_TRUE(world.client->account({}).has_value());
  EXPECT_EQ(world.server.contacts(at("/account/1")), R"(["mailto:voice@example.com"])");
  for (const char* email : {"noc@example.com", ""}) {
    Config changed = with_key(crypto::kRfc7515A3Key);
    changed.contact_email = email;
    const auto client = make_client(std::move(changed), world.shared, world.clock).value();
    EXPECT_EQ(client->account({}).value(), at("/account/1"));
    EXPECT_EQ(world.server.contacts(at("/account/1")),
              std::string(email).empty() ? "[]" : R"(["mailto:noc@example.com"])");
    const std::size_t requests = world.requests();
    EXPECT_TRUE(client->account({}).has_value());
    EXPECT_EQ(world.requests(), requests);
  }
}

// Boulder keeps no contacts: what it does not show is not told it again and again.
TEST(Account, ThatShowsNoContactIsLeftAlone) {
  Config config;
  config.contact_email = "voice@example.com";
  World world(std::move(config));
  world.server.reply("/new-account", json_answer(200, R"({"status":"valid"})", {{"Location", at("/account/1")}}));
  EXPECT_TRUE(world.client->account({}).has_value());
  EXPECT_TRUE(world.server.seen("/account/1").empty());
}

TEST(Account, ARefusedContactIsAnErrorOfTheAccountAlone) {
  World world;
  ASSERT_TRUE(world.client->account({}).has_value());
  Config config = with_key(crypto::kRfc7515A3Key);
  config.contact_email = "voice@localhost";
  const auto client = make_client(std::move(config), world.shared, world.clock).value();
  world.server.reply("/account/1", problem(400, "invalidContact"));
  EXPECT_EQ(client->account({}).error().kind, ErrorKind::kInvalid);
  world.server.reply("/order/1", json_answer(200, order_json("ready", "", "")));
  EXPECT_TRUE(client->order(at("/order/1"), {}).has_value());
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

std::string a_new_key() { return support::test_key_pem(support::TestKey::kEc256); }

TEST(KeyChange, MakesTheNextKeyTheAccounts) {
  for (const std::string& pem : {support::test_key_pem(support::TestKey::kEc256),
                                 support::test_key_pem(support::TestKey::kEc384), std::string(crypto::kRfc7515A2Key)}) {
    World world;
    ASSERT_EQ(world.client->account({}).value(), at("/account/1"));
    ASSERT_TRUE(world.client->change_key(Secret(pem), {}).has_value());
    // From now on the new one signs: FakeAcme would not take the old one's signature.
    world.server.reply("/order/1", json_answer(200, order_json("ready", "", "")));
    EXPECT_TRUE(world.client->order(at("/order/1"), {}).has_value());
    EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
    EXPECT_EQ(world.server.accounts_made(), 1);
    EXPECT_TRUE(world.client->change_key(Secret(pem), {}).has_value());
    EXPECT_EQ(world.server.seen("/key-change").size(), 1U);
  }
}

// Nobody knows whether it was executed: the server is asked, and it is not done twice.
TEST(KeyChange, IsKnownAfterALostAnswer) {
  const std::string pem = a_new_key();
  World world;
  ASSERT_TRUE(world.client->account({}).has_value());
  world.server.lose_answer("/key-change");
  EXPECT_TRUE(world.client->change_key(Secret(pem), {}).error().maybe_executed);
  EXPECT_TRUE(world.client->change_key(Secret(pem), {}).has_value());
  EXPECT_EQ(world.server.seen("/key-change").size(), 1U);
  EXPECT_EQ(world.server.accounts_made(), 1);
}

// The process died in between: which of the two keys is the account's?
TEST(KeyChange, ANewProcessAsksForTheNextKeyFirst) {
  for (const bool executed : {false, true}) {
    const std::string pem = a_new_key();
    World world;
    ASSERT_TRUE(world.client->account({}).has_value());
    if (executed) {
      ASSERT_TRUE(world.client->change_key(Secret(pem), {}).has_value());
    }
    Config config = with_key(crypto::kRfc7515A3Key);
    config.next_account_key_pem = Secret(pem);
    const auto client = make_client(std::move(config), world.shared, world.clock).value();
    EXPECT_EQ(client->account({}).value(), at("/account/1"));
    EXPECT_TRUE(client->change_key(Secret(pem), {}).has_value());
    EXPECT_EQ(world.server.seen("/key-change").size(), 1U);
    EXPECT_EQ(world.server.accounts_made(), 1) << "the old key was registered again";
  }
}

TEST(KeyChange, AnotherAccountsKeyIsRefused) {
  World world;
  ASSERT_TRUE(world.client->account({}).has_value());
  const auto other = make_client(with_key(crypto::kRfc7515A2Key), world.shared, world.clock).value();
  ASSERT_EQ(other->account({}).value(), at("/account/2"));
  const auto refused = world.client->change_key(Secret(crypto::kRfc7515A2Key), {});
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(world.server.seen("/key-change").empty());
}

TEST(KeyChange, IsNotOfferedByEveryServer) {
  World world;
  const auto begin = world.server.directory.find(R"("keyChange")");
  world.server.directory.erase(begin, world.server.directory.find(R"("revokeCert")") - begin);
  EXPECT_EQ(world.client->change_key(Secret(a_new_key()), {}).error().kind, ErrorKind::kUnsupported);
}

// Vault names a place for it, and has nothing there.
TEST(KeyChange, ThatIsNamedAndNotThereIsNotOffered) {
  World world;
  world.server.reply("/key-change", json_answer(404, R"({"errors":["unsupported path"]})"));
  EXPECT_EQ(world.client->change_key(Secret(a_new_key()), {}).error().kind, ErrorKind::kUnsupported);
}

TEST(KeyChange, AServerThatWantsAnExternalAccountHasNoneForTheNextKey) {
  Config config = with_key(crypto::kRfc7515A3Key);
  config.next_account_key_pem = Secret(a_new_key());
  World world(std::move(config));
  world.server.reply("/new-account", problem(403, "externalAccountRequired"));
  EXPECT_EQ(world.client->account({}).value(), at("/account/1"));
}

// Something happens right before a request goes out.
class Interrupted final : public http::Transport {
 public:
  explicit Interrupted(std::shared_ptr<http::Transport> real) : real_(std::move(real)) {}
  std::function<void()> before = [] {};
  Result<http::Response> send(const http::Request& request, std::stop_token stop) override {
    std::exchange(before, [] {})();
    return real_->send(request, std::move(stop));
  }
  Result<http::Response> stream(const http::Request& request, std::chrono::milliseconds idle, std::size_t max_line,
                                const std::function<bool(std::string_view)>& on_line, std::stop_token stop) override {
    return real_->stream(request, idle, max_line, on_line, std::move(stop));
  }

 private:
  std::shared_ptr<http::Transport> real_;
};

// Another worker's request was signed with the old key when the server had already changed it.
TEST(KeyChange, ARequestThatItOvertookIsSignedAgain) {
  const std::string pem = a_new_key();
  World world;
  const auto between = std::make_shared<Interrupted>(world.shared);
  const auto client = make_client(with_key(crypto::kRfc7515A3Key), between, world.clock).value();
  ASSERT_TRUE(client->account({}).has_value());
  world.server.reply("/order/1", json_answer(200, order_json("ready", "", "")));
  between->before = [&] { ASSERT_TRUE(client->change_key(Secret(pem), {}).has_value()); };
  EXPECT_TRUE(client->order(at("/order/1"), {}).has_value());
  EXPECT_EQ(world.server.seen("/key-change").size(), 1U);
}

TEST(Deactivation, IsForGoodAndIdempotent) {
  World world;
  ASSERT_TRUE(world.client->account({}).has_value());
  EXPECT_TRUE(world.client->deactivate_account({}).has_value());
  const auto over = world.client->account({});
  EXPECT_EQ(over.error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(over.error().code, ports::kAccountDeactivated);
  EXPECT_TRUE(world.client->deactivate_account({}).has_value());
  EXPECT_EQ(world.server.seen("/account/1").size(), 1U);
}

TEST(Deactivation, IsKnownAfterALostAnswer) {
  World world;
  ASSERT_TRUE(world.client->account({}).has_value());
  world.server.lose_answer("/account/1");
  EXPECT_FALSE(world.client->deactivate_account({}).has_value());
  EXPECT_TRUE(world.client->deactivate_account({}).has_value());
}

// Boulder and Pebble know no such account any more.
TEST(Deactivation, OfAnAccountThatMayNotBeAskedForIsDone) {
  World world;
  world.server.reply_always("/new-account", problem(403, "unauthorized"));
  EXPECT_TRUE(world.client->deactivate_account({}).has_value());
  EXPECT_TRUE(world.server.seen("/account/1").empty());
}

TEST(Deactivation, ThatIsRefusedIsNoSuccess) {
  World world;
  world.server.reply("/account/1", problem(403, "unauthorized"));
  EXPECT_EQ(world.client->deactivate_account({}).error().kind, ErrorKind::kUnauthorized);
}

TEST(Deactivation, OfAnAuthorization) {
  World world;
  world.server.reply("/authz/1", json_answer(200, authorization_json("deactivated")));
  EXPECT_TRUE(world.client->deactivate_authorization(at("/authz/1"), {}).has_value());
  EXPECT_EQ(world.server.seen("/authz/1")[0].payload, R"({"status":"deactivated"})");
  world.server.reply("/authz/1", problem(404, "malformed"));
  EXPECT_TRUE(world.client->deactivate_authorization(at("/authz/1"), {}).has_value());
  world.server.reply("/authz/1", problem(500, "serverInternal"));
  EXPECT_EQ(world.client->deactivate_authorization(at("/authz/1"), {}).error().kind, ErrorKind::kUnavailable);
}

TEST(Offers, AreTheDirectorys) {
  World world;
  world.server.directory.insert(world.server.directory.size() - 2, R"(,"profiles":{"classic":"c","short":"s"})");
  const auto offers = world.client->offers({}).value();
  EXPECT_EQ(offers.terms_of_service, "https://ca.example/terms");
  EXPECT_EQ(offers.profiles, (std::vector<std::string>{"classic", "short"}));
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
