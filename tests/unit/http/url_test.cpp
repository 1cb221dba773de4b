#include "edgetrust/http/url.hpp"

namespace edgetrust::http {
namespace {

struct Good {
  const char* text;
  Url url;
  const char* printed;
};

TEST(Url, ReadsWhatIsAbsoluteHttp) {
  const std::vector<Good> table = {
      {"https://api.example", {"https", "api.example", 443, "/"}, "https://api.example/"},
      {"HTTPS://API.Example/", {"https", "api.example", 443, "/"}, "https://api.example/"},
      {"http://127.0.0.1:8080/a/b?c=d&e", {"http", "127.0.0.1", 8080, "/a/b?c=d&e"}, "http://127.0.0.1:8080/a/b?c=d&e"},
      {"https://a.example:443/x", {"https", "a.example", 443, "/x"}, "https://a.example/x"},
      {"http://a.example:443/x", {"http", "a.example", 443, "/x"}, "http://a.example:443/x"},
      {"https://a?q=1", {"https", "a", 443, "/?q=1"}, "https://a/?q=1"},
      {"https://[::1]:8443/x", {"https", "::1", 8443, "/x"}, "https://[::1]:8443/x"},
      {"https://[2001:DB8:0:0::1]", {"https", "2001:db8::1", 443, "/"}, "https://[2001:db8::1]/"},
      {"https://a/%2e%2E/;p=1,2/@:!$'()*+~",
       {"https", "a", 443, "/%2e%2E/;p=1,2/@:!$'()*+~"},
       "https://a/%2e%2E/;p=1,2/@:!$'()*+~"},
      {"https://xn--bcher-kva.example:1/",
       {"https", "xn--bcher-kva.example", 1, "/"},
       "https://xn--bcher-kva.example:1/"},
      {"https://my_host.1x.example", {"https", "my_host.1x.example", 443, "/"}, "https://my_host.1x.example/"},
  };
  for (const auto& [text, expected, printed] : table) {
    const auto url = Url::parse(text);
    ASSERT_TRUE(url.has_value()) << text << ": " << url.error().message();
    EXPECT_EQ(*url, expected) << text;
    EXPECT_EQ(url->to_string(), printed);
    EXPECT_EQ(Url::parse(printed).value(), expected) << printed;
  }
}

TEST(Url, RefusesEverythingElse) {
  const std::vector<std::string> table = {"",
                                          "/",
                                          "/path",
                                          "a.example",
                                          "//a.example/",
                                          "https:/a",
                                          "https:a",
                                          "https//a",
                                          "://a",
                                          "ftp://a/",
                                          "file:///etc/passwd",
                                          "javascript://a",
                                          "httpss://a",
                                          " https://a",
                                          "https://a ",
                                          "https://a/ b",
                                          "https://a/\tb",
                                          "https://a/\nHost: b",
                                          "https://a/b\r\n",
                                          std::string("https://a/\0b", 12),
                                          "https://a/\x7f",
                                          "https://a/\xc3\xa9",
                                          "https://b\xc3\xbc.example/",
                                          "https://",
                                          "https:///",
                                          "https://?",
                                          "https://:443/",
                                          "https://user@a/",
                                          "https://user:pass@a/",
                                          "https://a@b@c/",
                                          "https://good.example@evil.example/",
                                          "https://@a/",
                                          "https://a/#f",
                                          "https://a#f",
                                          "https://a?x#f",
                                          "https://a:/",
                                          "https://a:0/",
                                          "https://a:65536/",
                                          "https://a:99999999999999999999/",
                                          "https://a:-1/",
                                          "https://a:+1/",
                                          "https://a:1a/",
                                          "https://a: 1/",
                                          "https://a:0x50/",
                                          "https://a:1:2/",
                                          "https://[::1/",
                                          "https://::1/",
                                          "https://[::1]x/",
                                          "https://[::1]:/",
                                          "https://[]/",
                                          "https://[::g]/",
                                          "https://[fe80::1%eth0]/",
                                          "https://[127.0.0.1]/",
                                          "https://[v1.a]/",
                                          "https://a]/",
                                          "https://a..b/",
                                          "https://.a/",
                                          "https://a./",
                                          "https://-a/",
                                          "https://a-/",
                                          "https://a%2eb/",
                                          "https://a\\b/",
                                          "https://a\\@b/",
                                          "https://127.1/",
                                          "https://0x7f.1/",
                                          "https://0x7f000001/",
                                          "https://2130706433/",
                                          "https://1.2.3.256/",
                                          "https://1.2.3.4.5/",
                                          "https://127.0.0.01/",
                                          "https://a/%",
                                          "https://a/%2",
                                          "https://a/%zz",
                                          "https://a/<script>",
                                          "https://a/\"",
                                          "https://a/`",
                                          "https://a/{x}",
                                          "https://a/|",
                                          "https://a/^",
                                          "https://a/[x]",
                                          "https://a/b\\c",
                                          "https://" + std::string(64, 'a') + "/",
                                          "https://" + std::string(254, 'a') + "/",
                                          "https://a/" + std::string(8192, 'x')};
  for (const auto& text : table) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url.has_value()) << text << " was read as " << url->to_string();
    EXPECT_EQ(url.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Url, LimitsAreInclusive) {
  EXPECT_TRUE(Url::parse("https://a/" + std::string(8192 - 10, 'x')).has_value());
  EXPECT_TRUE(Url::parse("https://" + std::string(63, 'a') + "/").has_value());
  EXPECT_TRUE(Url::parse("https://a:65535/").has_value());
}

TEST(Url, OriginLeavesTheDefaultPortOut) {
  EXPECT_EQ(Url::parse("https://a:443/x").value().origin(), "https://a");
  EXPECT_EQ(Url::parse("http://a:80/x").value().origin(), "http://a");
  EXPECT_EQ(Url::parse("http://a:8080/x").value().origin(), "http://a:8080");
  EXPECT_EQ(Url::parse("https://[::1]:1/x").value().authority(), "[::1]:1");
}

TEST(Url, WithTargetKeepsTheOrigin) {
  const Url url = Url::parse("https://a:8443/x?y").value();
  EXPECT_EQ(url.with_target("/z").to_string(), "https://a:8443/z");
  EXPECT_EQ(url.with_target("z").to_string(), "https://a:8443/z");
  EXPECT_EQ(url.with_target("").to_string(), "https://a:8443/");
  EXPECT_TRUE(url.is_https());
  EXPECT_FALSE(Url::parse("http://a").value().is_https());
}

TEST(Query, EncodesEverythingButUnreserved) {
  EXPECT_EQ(percent_encode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encode("a b/c?d=e&f+\xc3\xa9%"), "a%20b%2Fc%3Fd%3De%26f%2B%C3%A9%25");
  EXPECT_EQ(percent_encode(std::string_view("\0\xff", 2)), "%00%FF");
  EXPECT_EQ(query_string({}), "");
  EXPECT_EQ(query_string({{"a", "1"}, {"b c", "x=y"}, {"d", ""}}), "a=1&b%20c=x%3Dy&d=");
}

}  // namespace
}  // namespace edgetrust::http
