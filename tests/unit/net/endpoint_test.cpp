#include "edgetrust/net/endpoint.hpp"

namespace edgetrust::net {
namespace {

TEST(Endpoint, ReadsAddressesAndNames) {
  struct Case {
    std::string_view text;
    std::uint16_t default_port;
    std::string_view host;
    std::uint16_t port;
    std::string_view printed;
  };
  constexpr std::array<Case, 6> kCases{{
      {"192.0.2.1:53", 0, "192.0.2.1", 53, "192.0.2.1:53"},
      {"192.0.2.1", 53, "192.0.2.1", 53, "192.0.2.1:53"},
      {"[2001:db8::1]:5353", 53, "2001:db8::1", 5353, "[2001:db8::1]:5353"},
      {"[2001:DB8:0:0::1]", 53, "2001:db8::1", 53, "[2001:db8::1]:53"},
      {"NS1.Example.com.:65535", 0, "ns1.example.com", 65535, "ns1.example.com:65535"},
      {"localhost:1", 0, "localhost", 1, "localhost:1"},
  }};
  for (const Case& c : kCases) {
    const auto parsed = Endpoint::parse(c.text, c.default_port);
    ASSERT_TRUE(parsed.has_value()) << c.text << ": " << parsed.error().what;
    EXPECT_EQ(parsed->host, c.host) << c.text;
    EXPECT_EQ(parsed->port, c.port) << c.text;
    EXPECT_EQ(parsed->to_string(), c.printed);
  }
}

TEST(Endpoint, RefusesEverythingElse) {
  for (const char* text : {"",
                           ":53",
                           "192.0.2.1",
                           "192.0.2.1:",
                           "192.0.2.1:0",
                           "192.0.2.1:053",
                           "192.0.2.1:65536",
                           "192.0.2.1:+5",
                           "192.0.2.1:53x",
                           "192.0.2.1: 53",
                           " 192.0.2.1:53",
                           "192.0.2.256:53",
                           "10.0.0:53",
                           "2001:db8::1:53",
                           "[::1]",
                           "[::1",
                           "[192.0.2.1]:53",
                           "[fe80::1%eth0]:53",
                           "a..b:53",
                           "-a.example:53",
                           "a_b.example:53",
                           "ex ample:53",
                           "[ns1.example]:53",
                           "host:53:54"}) {
    const auto parsed = Endpoint::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
  }
  std::string too_long = "example:53";
  too_long.insert(0, 64, 'a');
  EXPECT_FALSE(Endpoint::parse(too_long).has_value());
}

TEST(Endpoint, AHostAloneNeedsNoBrackets) {
  EXPECT_EQ(Endpoint::of("::1", 53).value(), (Endpoint{"::1", 53}));
  EXPECT_TRUE(Endpoint::of("::1", 53)->is_address());
  EXPECT_TRUE(Endpoint::of("::1", 53)->is_ipv6());
  EXPECT_FALSE(Endpoint::of("ns1.example.com", 53)->is_address());
  EXPECT_FALSE(Endpoint::of("192.0.2.1:53", 53).has_value());
}

}  // namespace
}  // namespace edgetrust::net
