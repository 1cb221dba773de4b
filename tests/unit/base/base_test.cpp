#include "edgetrust/base/backoff.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/id.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/base/text.hpp"
#include "support/fake_random.hpp"

#include <cstring>
#include <type_traits>

namespace edgetrust {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!Printable<Secret>, "a secret must not be printable");
static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_same_v<Id<struct A>, Id<struct B>>);

TEST(Secret, WipesTheStringItTakesOver) {
  std::string plain = "a client secret that is longer than the short buffer";
  const char* bytes = plain.data();
  const std::size_t size = plain.size();
  const Secret secret = Secret::take(plain);
  EXPECT_EQ(secret.expose(), "a client secret that is longer than the short buffer");
  EXPECT_TRUE(plain.empty());
  EXPECT_TRUE(std::all_of(bytes + 1, bytes + size, [](char c) { return c == '\0'; }));
}

Result<int> half_of(int value) {
  if (value % 2 != 0) return fail(ErrorKind::kInvalid, "odd");
  return value / 2;
}
Result<int> quarter_of(int value) {
  EDGETRUST_TRY_ASSIGN(const int half, half_of(value));
  EDGETRUST_TRY_ASSIGN(const int quarter,
                       half_of(half).map_error([](Error e) { return within("second half", std::move(e)); }));
  return quarter;
}

TEST(Result, PassesErrorsUpWithContext) {
  EXPECT_EQ(quarter_of(8).value(), 2);
  EXPECT_EQ(quarter_of(3).error().message(), "odd");
  EXPECT_EQ(quarter_of(6).error().message(), "second half: odd");
  EXPECT_EQ(retry_of(quarter_of(6).error()), Retry::kAfterChange);
}

TEST(Encoding, Base64MatchesRfc4648Section10) {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(plain), text);
    EXPECT_EQ(from_base64(text).value(), plain);
    EXPECT_EQ(secret_to_base64(Secret(plain)).expose(), text);
    EXPECT_EQ(secret_from_base64(text).value().expose(), plain);
  }
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(from_base64url("-__-").value(), "\xfb\xff\xfe");
}

TEST(Encoding, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Z===", "Zm9v!", "Zh==", "Zm9vYg==\n", "=Zg="})
    EXPECT_FALSE(from_base64(text).has_value()) << text;
  for (const char* text : {"Zg==", "Zh", "A", "Zm 9"}) EXPECT_FALSE(from_base64url(text).has_value()) << text;
}

TEST(Encoding, Hex) {
  EXPECT_EQ(to_hex("\x01\xab"), "01ab");
  EXPECT_EQ(to_colon_hex("\x01\xab"), "01:AB");
  EXPECT_EQ(from_hex("01:AB").value(), "\x01\xab");
  for (const char* text : {"0", "0g", "01:", ":01", "01::ab"}) EXPECT_FALSE(from_hex(text).has_value()) << text;
}

TEST(Text, PrintableKeepsGoodTextAndTamesTheRest) {
  EXPECT_EQ(printable("Grüße ✓"), "Grüße ✓");
  EXPECT_EQ(printable("a\nb\x1b[0m\x7f"), "a b [0m ");
  EXPECT_EQ(printable("a\u009b2Jb\u0085c\u00a0d"), "a 2Jb c\u00a0d") << "C1, and what comes after it";
  EXPECT_EQ(printable("\u202egpj.exe\u2066x\u2069\u200f\u061c\u2028y"), " gpj.exe x    y") << "bidirectional controls";
  EXPECT_EQ(printable("\xff\xc0\x80x"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx");
  EXPECT_EQ(printable("ééé", 5), "éé");
}

TEST(Text, AnAddressHasOneForm) {
  EXPECT_EQ(canonical_address("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(canonical_address("2001:DB8:0:0::0007"), "2001:db8::7");
  EXPECT_EQ(canonical_address("::1"), "::1");
  for (const char* none : {"", "edge01.example.com", "192.0.2", "192.0.2.07.1", "2001:db8::g", "[::1]", "1", " ::1"})
    EXPECT_EQ(canonical_address(none), "") << none;
}

TEST(Text, SplitAndJoin) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(trim("  a b\n"), "a b");
  EXPECT_EQ(trim(" \t"), "");
}

TEST(Backoff, DoublesUpToItsCeilingAndJittersDownwards) {
  const Backoff backoff{.first = 1s, .ceiling = 10s, .factor = 2, .jitter = 0.2};
  EXPECT_EQ(backoff.after(1, 0), 1s);
  EXPECT_EQ(backoff.after(3, 0), 4s);
  EXPECT_EQ(backoff.after(30, 0), 10s);
  EXPECT_EQ(backoff.after(1, 0.5), 900ms);
}

TEST(Random, BelowStaysBelowAndFractionInUnitRange) {
  support::FakeRandom random(7);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 200; ++i) {
    seen.insert(random.below(5));
    const double f = random.fraction();
    EXPECT_GE(f, 0.0);
    EXPECT_LT(f, 1.0);
  }
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(random.below(0), 0U);
}

TEST(Random, StableFractionSpreadsSimilarNames) {
  std::array<int, 10> buckets{};
  for (int i = 0; i < 1000; ++i)
    ++buckets.at(static_cast<std::size_t>(stable_fraction("edge" + std::to_string(i)) * 10));
  for (const int count : buckets) {
    EXPECT_GT(count, 60);
    EXPECT_LT(count, 140);
  }
  EXPECT_EQ(stable_fraction("edge01"), stable_fraction("edge01"));
}

}  // namespace
}  // namespace edgetrust
