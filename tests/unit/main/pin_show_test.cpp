#include "pin_show.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/ports/pki.hpp"
#include "objects.hpp"

#include <gmock/gmock.h>

namespace edgetrust {
namespace {

using testing::HasSubstr;
using testing::Not;

struct PinShowTest : testing::Test, ports::TlsProbe, ports::ChainViewer {
  ports::ProbeTarget target;
  ports::ViewRequirements wanted;
  std::string problem;
  std::optional<Error> roots_error;

  Result<ports::ServedChain> present(const ports::ProbeTarget& asked, std::stop_token /*stop*/) override {
    target = asked;
    return ports::ServedChain{.chain_pem = "chain", .tls_version = "TLSv1.3"};
  }
  Result<ports::ChainView> view(const std::string& /*chain*/, const ports::ViewRequirements& how) override {
    wanted = how;
    if (roots_error) return fail(*roots_error);
    const ports::SeenCertificate leaf{.subject = "CN=api.example.com",
                                      .issuer = "Issuing CA",
                                      .not_before = kNow,
                                      .not_after = kNow + std::chrono::hours{24},
                                      .certificate_sha256 = to_hex(std::string(32, 'a')),
                                      .public_key_sha256 = to_hex(std::string(32, 'A'))};
    ports::SeenCertificate root = leaf;
    root.subject = "CN=Root";
    root.public_key_sha256 = to_hex(std::string(32, 'R'));
    ports::ChainView seen{.presented = {leaf}, .problem = problem};
    if (problem.empty()) seen.validated = {leaf, root};
    return seen;
  }
  PinShow show(const PinShowOptions& options) { return show_pins(options, "roots", *this, *this, kNow, {}).value(); }
};

TEST_F(PinShowTest, PrintsBothHashesOfEachCertificate) {
  const auto shown = show({.endpoint = "api.example.com"});
  EXPECT_TRUE(shown.validates);
  EXPECT_THAT(shown.text, HasSubstr("api.example.com:443, TLSv1.3, 2026-11-22T12:00:00Z\n"));
  EXPECT_THAT(shown.text, HasSubstr("leaf: CN=api.example.com\n  issuer       Issuing CA\n"
                                    "  valid        2026-11-22T12:00:00Z to 2026-11-23T12:00:00Z\n"
                                    "  Certificate  " +
                                    to_colon_hex(std::string(32, 'a')) + "\n  PublicKey    " +
                                    to_colon_hex(std::string(32, 'A')) + "\n"));
  EXPECT_THAT(shown.text, HasSubstr("root: CN=Root\n"));
  const auto pasted = [](const std::string& what, char pin) {
    return HasSubstr("\n  pins: {" + what + ", static: [\"" + to_colon_hex(std::string(32, pin)) + "\"]}\n");
  };
  EXPECT_THAT(shown.text, pasted("type: Certificate", 'a'));
  EXPECT_THAT(shown.text, pasted("type: PublicKey", 'A'));
  EXPECT_THAT(shown.text, pasted("type: PublicKey, match: AnyInChain", 'R'));
  EXPECT_THAT(shown.text, HasSubstr("\n  endpoint: {host: \"api.example.com\"}\n"));
  EXPECT_EQ(target.server_name, "api.example.com");
  EXPECT_EQ(wanted.server_name, "api.example.com");
  EXPECT_EQ(wanted.roots_pem, "roots");
}

TEST_F(PinShowTest, TakesAPortAndAServerName) {
  const auto shown = show({.endpoint = "10.0.0.1:8443", .server_name = "api.example.com", .ca_file = "roots.pem"});
  EXPECT_THAT(shown.text, HasSubstr("\n  endpoint: {host: \"10.0.0.1\", port: 8443, serverName: \"api.example.com\"}"
                                    "  # and a caBundleRef"));
  EXPECT_EQ(target.host, "10.0.0.1");
  EXPECT_EQ(target.port, 8443);
  EXPECT_EQ(target.server_name, "api.example.com");
  EXPECT_EQ(wanted.server_name, "api.example.com");
}

TEST_F(PinShowTest, WhatIsWrongIsNamed) {
  const auto error_of = [&](const PinShowOptions& options) {
    return show_pins(options, "roots", *this, *this, kNow, {}).error().message();
  };
  EXPECT_THAT(error_of({.endpoint = "https://api.example.com"}), HasSubstr("is a URL: write host or host:port alone"));
  EXPECT_THAT(error_of({.endpoint = "https://api.example.com:443/"}), HasSubstr("is a URL"));
  roots_error =
      Error{.kind = ErrorKind::kInvalid, .what = "it holds no root", .code = std::string(ports::kRootsUnreadable)};
  EXPECT_EQ(error_of({.endpoint = "api.example.com", .ca_file = "ca.pem"}), "--ca-file ca.pem: it holds no root");
}

TEST_F(PinShowTest, AChainThatDoesNotValidateIsShownWithAWarning) {
  problem = "\"Proxy CA\" is no known root";
  const auto shown = show({.endpoint = "api.example.com"});
  EXPECT_FALSE(shown.validates);
  EXPECT_THAT(shown.text, HasSubstr("nothing of it should be pinned: \"Proxy CA\" is no known root"));
  EXPECT_THAT(shown.text, HasSubstr("leaf: "));
  EXPECT_THAT(shown.text, Not(HasSubstr("root: ")));
  EXPECT_THAT(shown.text, Not(HasSubstr("pins: {")));
}

}  // namespace
}  // namespace edgetrust
