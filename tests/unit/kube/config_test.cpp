#include "edgetrust/kube/config.hpp"

#include "support/fake_clock.hpp"

#include <filesystem>
#include <fstream>

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

// Files are what this part reads, so here are some, in a folder of the test's own.
struct ConfigTest : testing::Test {
  support::FakeClock clock;
  std::filesystem::path folder;

  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder = std::filesystem::path(testing::TempDir()) / (std::string("edgetrust_config_") + test->name());
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string& name, const std::string& text) const {
    const auto path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  static std::string kubeconfig(const std::string& cluster, const std::string& user, const std::string& context = "") {
    return "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
           "clusters: [{name: k, cluster: {" +
           cluster +
           "}}]\n"
           "users: [{name: u, user: {" +
           user +
           "}}]\n"
           "contexts: [{name: c, context: {cluster: k, user: u" +
           context + "}}]\n";
  }
  Result<ClusterConfig> load(const std::string& text, const std::string& context = "") {
    return load_kubeconfig({file("config", text)}, context, clock);
  }
};

const std::string kServer = "server: \"https://10.0.0.1:6443\", certificate-authority-data: Q0E=";

TEST_F(ConfigTest, ReadsInlineData) {
  const auto config =
      load(kubeconfig(kServer, "client-certificate-data: Q0VSVA==, client-key-data: S0VZ", ", namespace: voice"));
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->server.host, "10.0.0.1");
  EXPECT_EQ(config->server.port, 6443);
  EXPECT_EQ(config->tls.ca_pem, "CA");
  EXPECT_FALSE(config->tls.public_roots);
  EXPECT_EQ(config->tls.client_certificate_pem, "CERT");
  EXPECT_EQ(config->tls.client_key_pem.expose(), "KEY");
  EXPECT_EQ(config->token, nullptr);
  EXPECT_EQ(config->ns, "voice");
}

TEST_F(ConfigTest, ReadsFilesRelativeToItsOwnFolder) {
  file("pki/ca.crt", "CA");
  file("pki/me.crt", "CERT");
  file("pki/me.key", "KEY");
  const auto config =
      load(kubeconfig("server: \"https://k8s.example\", certificate-authority: pki/ca.crt",
                      "client-certificate: pki/me.crt, client-key: \"" + (folder / "pki/me.key").string() + "\""));
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->tls.ca_pem, "CA");
  EXPECT_EQ(config->tls.client_certificate_pem, "CERT");
  EXPECT_EQ(config->tls.client_key_pem.expose(), "KEY");
  EXPECT_EQ(config->ns, "default");
}

TEST_F(ConfigTest, WithoutACaThePublicRootsCount) {
  const auto config = load(kubeconfig("server: \"https://k8s.example\"", "token: abc"));
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(config->tls.public_roots);
}

TEST_F(ConfigTest, ReadsATokenOrATokenFileAndTheFileWins) {
  EXPECT_EQ(load(kubeconfig(kServer, "token: abc.DEF"))->token->token()->expose(), "abc.DEF");
  file("t", "from-file\n");
  EXPECT_EQ(load(kubeconfig(kServer, "token: abc, tokenFile: t"))->token->token()->expose(), "from-file");
}

TEST_F(ConfigTest, RefusesPluginsAndSaysWhatToUseInstead) {
  for (const char* user : {"exec: {command: aws}", "auth-provider: {name: gcp}"}) {
    const auto config = load(kubeconfig(kServer, user));
    ASSERT_FALSE(config.has_value());
    EXPECT_EQ(config.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(config.error().message().find("token"), std::string::npos);
    EXPECT_NE(config.error().message().find("user \"u\""), std::string::npos);
  }
}

TEST_F(ConfigTest, RefusesWhatItWouldOtherwiseIgnore) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {kServer + ", insecure-skip-tls-verify: true", "token: a"},
      {kServer + ", proxy-url: \"http://p\"", "token: a"},
      {kServer + ", tls-server-name: other", "token: a"},
      {"server: \"http://10.0.0.1:8080\"", "token: a"},
      {"server: \"\"", "token: a"},
      {"certificate-authority-data: Q0E=", "token: a"},
      {kServer, "username: admin, password: admin"},
      {kServer, "token: a, as: someone"},
      {kServer, "token: a, as-groups: [x]"},
      {kServer, "client-certificate-data: Q0VSVA=="},
      {kServer, "client-key-data: S0VZ"},
      {kServer, "client-certificate-data: \"not base64\", client-key-data: S0VZ"},
      {kServer, "client-certificate: missing.crt, client-key: missing.key"},
      {"server: \"https://k\", certificate-authority: missing.crt", "token: a"}};
  for (const auto& [cluster, user] : bad) {
    const auto config = load(kubeconfig(cluster, user));
    ASSERT_FALSE(config.has_value()) << cluster << " / " << user;
    EXPECT_TRUE(config.error().kind == ErrorKind::kInvalid || config.error().kind == ErrorKind::kUnsupported)
        << config.error().message();
    EXPECT_EQ(retry_of(config.error()), Retry::kAfterChange);
    EXPECT_EQ(config.error().message().find("S0VZ"), std::string::npos);
  }
}

TEST_F(ConfigTest, MergesFilesTheFirstOfANameCounts) {
  const auto first = file("one",
                          "current-context: c\nclusters: [{name: k, cluster: {server: \"https://first\"}}]\n"
                          "contexts: [{name: c, context: {cluster: k, user: u}}]\n");
  const auto second = file("two",
                           "current-context: d\nclusters: [{name: k, cluster: {server: \"https://second\"}}]\n"
                           "users: [{name: u, user: {token: t}}]\n"
                           "contexts: [{name: c, context: {cluster: none}}, {name: d, context: {cluster: k}}]\n");
  const std::string missing = (folder / "missing").string();
  const auto config = load_kubeconfig({missing, first, second}, "", clock);
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->server.host, "first");
  EXPECT_EQ(config->token->token()->expose(), "t");
  EXPECT_EQ(load_kubeconfig({first, second}, "d", clock)->token, nullptr);
  EXPECT_EQ(load_kubeconfig({missing}, "", clock).error().kind, ErrorKind::kNotFound);
}

TEST_F(ConfigTest, ANamespaceIsToldWithoutCredentials) {
  const auto path = file(
      "config",
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, namespace: voice}}, "
      "{name: d, context: {cluster: k, user: u, namespace: \"\"}}]\nusers: [{name: u, user: {exec: {command: x}}}]\n");
  EXPECT_EQ(context_namespace({path}, ""), "voice");
  EXPECT_EQ(context_namespace({path}, "d"), "default");
  EXPECT_NE(context_namespace({path}, "e").error().message().find("context \"e\""), std::string::npos);
  EXPECT_EQ(context_namespace({(folder / "missing").string()}, "").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(context_namespace({file("rubbish", "a: [b")}, "").error().kind, ErrorKind::kInvalid);
}

TEST_F(ConfigTest, NamesWhatIsMissing) {
  EXPECT_NE(load(kubeconfig(kServer, "token: a"), "other").error().message().find("context \"other\""),
            std::string::npos);
  EXPECT_NE(load("contexts: [{name: c, context: {cluster: k}}]\ncurrent-context: c\n")
                .error()
                .message()
                .find("cluster \"k\""),
            std::string::npos);
  EXPECT_NE(load("contexts: []\n").error().message().find("current-context"), std::string::npos);
}

TEST_F(ConfigTest, SurvivesEveryKindOfRubbish) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("just text"), std::string("a: [b"),
        std::string("clusters: 7\nusers: {a: b}\ncontexts: [1, {name: {}}, {name: c}]\ncurrent-context: c"),
        std::string("current-context: [a]"), std::string(3000, '['), std::string(2 << 20, 'x'),
        kubeconfig("server: [a, b]", "token: {a: b}"), std::string("\xff\xfe\x00", 3)}) {
    const auto config = load(text);
    ASSERT_FALSE(config.has_value()) << text.substr(0, 80);
    EXPECT_EQ(retry_of(config.error()), Retry::kAfterChange) << config.error().message();
  }
}

TEST_F(ConfigTest, FindsTheFilesKubectlWouldFind) {
  EXPECT_EQ(kubeconfig_paths("", "/home/me"), (std::vector<std::string>{"/home/me/.kube/config"}));
  EXPECT_EQ(kubeconfig_paths("/a:/b", "/home/me"), (std::vector<std::string>{"/a", "/b"}));
}

TEST_F(ConfigTest, ReadsThePodsServiceAccount) {
  file("sa/ca.crt", "CA");
  file("sa/namespace", "voice\n");
  file("sa/token", "one");
  const auto config = in_cluster_config("10.96.0.1", "443", clock, (folder / "sa").string());
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->server.host, "10.96.0.1");
  EXPECT_EQ(config->server.port, 443);
  EXPECT_EQ(config->tls.ca_pem, "CA");
  EXPECT_FALSE(config->tls.public_roots);
  EXPECT_EQ(config->ns, "voice");
  EXPECT_EQ(config->token->token()->expose(), "one");
  EXPECT_EQ(in_cluster_config("fd00::1", "443", clock, (folder / "sa").string())->server.host, "fd00::1");
}

TEST_F(ConfigTest, SaysWhenItIsInNoPod) {
  EXPECT_EQ(in_cluster_config("", "", clock, folder.string()).error().kind, ErrorKind::kInvalid);
  file("ca.crt", "CA");
  file("namespace", "voice");
  EXPECT_EQ(in_cluster_config("10.96.0.1", "443", clock, folder.string()).error().kind, ErrorKind::kUnauthorized);
}

TEST_F(ConfigTest, TheTokenFileIsReadAgainAfterAMinute) {
  const auto path = file("token", "one\n");
  const auto source = token_file(path, clock);
  EXPECT_EQ(source->token()->expose(), "one");
  file("token", "two\n");
  clock.advance(59s);
  EXPECT_EQ(source->token()->expose(), "one");
  clock.advance(1s);
  EXPECT_EQ(source->token()->expose(), "two");
}

TEST_F(ConfigTest, ARefusedTokenIsReadAgainAtOnce) {
  const auto source = token_file(file("token", "one"), clock);
  EXPECT_EQ(source->token()->expose(), "one");
  file("token", "two");
  source->refused();
  EXPECT_EQ(source->token()->expose(), "two");
}

TEST_F(ConfigTest, AnUnreadableTokenFileLeavesTheLastToken) {
  const auto path = file("token", "one");
  const auto source = token_file(path, clock);
  EXPECT_EQ(source->token()->expose(), "one");
  for (const char* content : {"", "two words", "break\r\nX-Header: y"}) {
    file("token", content);
    clock.advance(60s);
    EXPECT_EQ(source->token()->expose(), "one") << content;
  }
  std::filesystem::remove(path);
  clock.advance(60s);
  EXPECT_EQ(source->token()->expose(), "one");
  EXPECT_EQ(token_file(path, clock)->token().error().kind, ErrorKind::kUnauthorized);
}

TEST_F(ConfigTest, AFixedTokenThatCannotBeAHeaderIsRefused) {
  EXPECT_FALSE(load(kubeconfig(kServer, "token: \"a\\nX-Header: y\"")).has_value());
}

// A program that gives credentials, as a test says: what it was started with, and what it prints.
struct ExecTest : ConfigTest {
  std::vector<CredentialProgram> started;
  std::string printed =
      R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t1"}})";

  Result<ClusterConfig> load_exec(const std::string& exec) {
    const std::string text = kubeconfig(kServer, "exec: {apiVersion: client.authentication.k8s.io/v1, " + exec + "}");
    return load_kubeconfig({file("config", text)}, "", clock,
                           [this](const CredentialProgram& program) -> Result<Secret> {
                             started.push_back(program);
                             return Secret(printed);
                           });
  }
};

TEST_F(ExecTest, AProgramGivesTheToken) {
  const auto config =
      load_exec("command: bin/login, args: [get, --json], env: [{name: A, value: b}], provideClusterInfo: true");
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->token->token()->expose(), "t1");
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].path, (folder / "bin/login").string()) << "relative paths start at the file";
  EXPECT_EQ(started[0].arguments, (std::vector<std::string>{"get", "--json"}));
  ASSERT_EQ(started[0].variables.size(), 2U);
  EXPECT_EQ(started[0].variables[0].first, "KUBERNETES_EXEC_INFO");
  EXPECT_EQ(
      started[0].variables[0].second,
      R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"cluster":{"certificate-authority-data":"Q0E=","server":"https://10.0.0.1:6443/"},"interactive":false}})");
  EXPECT_EQ(started[0].variables[1], (std::pair<std::string, std::string>{"A", "b"}));
}

TEST_F(ExecTest, ItIsAskedAgainOnceTheTokenHasExpiredOrWasRefused) {
  printed = R"({"kind":"ExecCredential","status":{"token":"t1","expirationTimestamp":"2026-11-22T12:01:00Z"}})";
  const auto config = load_exec("command: login");
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(started[0].path, "login") << "looked for as a shell does";
  EXPECT_EQ(config->token->token()->expose(), "t1");
  EXPECT_EQ(started.size(), 1U);
  printed = R"({"kind":"ExecCredential","status":{"token":"t2","expirationTimestamp":"2026-11-22T13:00:00Z"}})";
  clock.advance(60s);
  EXPECT_EQ(config->token->token()->expose(), "t2");
  EXPECT_EQ(config->token->token()->expose(), "t2");
  EXPECT_EQ(started.size(), 2U);
  config->token->refused();
  EXPECT_EQ(config->token->token()->expose(), "t2");
  EXPECT_EQ(started.size(), 3U);
}

TEST_F(ExecTest, AProgramGivesAClientCertificate) {
  printed = R"({"kind":"ExecCredential","status":{"clientCertificateData":"CERT","clientKeyData":"KEY"}})";
  const auto config = load_exec("command: login");
  ASSERT_TRUE(config.has_value()) << config.error().message();
  EXPECT_EQ(config->token, nullptr);
  EXPECT_EQ(config->tls.client_certificate_pem, "CERT");
  EXPECT_EQ(config->tls.client_key_pem.expose(), "KEY");
}

TEST_F(ExecTest, WhatIsNoCredentialIsRefusedWithoutBeingQuoted) {
  for (const char* text :
       {"", "s3cret", R"({"kind":"Other","status":{"token":"s3cret"}})", R"({"kind":"ExecCredential"})",
        R"({"kind":"ExecCredential","status":{"clientKeyData":"s3cret"}})",
        R"({"kind":"ExecCredential","status":{"token":"s3cret\n"}})",
        R"({"kind":"ExecCredential","status":{"token":"s3cret","expirationTimestamp":"soon"}})"}) {
    printed = text;
    const auto config = load_exec("command: login");
    ASSERT_FALSE(config.has_value()) << text;
    EXPECT_EQ(config.error().message().find("s3cret"), std::string::npos) << config.error().message();
  }
}

TEST_F(ExecTest, WhatCannotBeServedIsRefusedBeforeAnythingIsRun) {
  EXPECT_FALSE(load_exec("command: login, interactiveMode: Always").has_value());
  EXPECT_FALSE(load_exec("args: [x]").has_value());
  const std::string old =
      kubeconfig(kServer, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: login}");
  EXPECT_FALSE(load_kubeconfig({file("config", old)}, "", clock, [](const auto&) -> Result<Secret> {
                 return Secret("{}");
               }).has_value());
  EXPECT_TRUE(started.empty());
}

}  // namespace
}  // namespace edgetrust::kube
