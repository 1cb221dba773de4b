#include "edgetrust/decide/pins/pin.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"

namespace edgetrust::decide::pins {
namespace {

std::string octets(std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += static_cast<char>(i * 7);
  return all;
}

TEST(Pin, IsReadAsColonHexOrBase64) {
  const std::string hex = to_hex(octets(32));
  EXPECT_EQ(parse_hash(to_colon_hex(octets(32))), hex);
  EXPECT_EQ(parse_hash(lower(to_colon_hex(octets(32)))), hex);
  EXPECT_EQ(parse_hash(to_base64(octets(32))), hex);
  EXPECT_EQ(colon_hex(hex), to_colon_hex(octets(32)));
}

TEST(Pin, WeakHashesAreRefusedByName) {
  for (const auto& md5 : {to_colon_hex(octets(16)), to_base64(octets(16)), to_hex(octets(16))})
    EXPECT_THAT(parse_hash(md5).error().what, testing::HasSubstr("MD5")) << md5;
  for (const auto& sha1 : {to_colon_hex(octets(20)), to_base64(octets(20)), to_hex(octets(20)),
                           std::string("1A:2B:3C:4D:5E:6F:7A:8B:9C:0D:1E:2F:3A:4B:5C:6D:7E:8F:9A:0B")})
    EXPECT_THAT(parse_hash(sha1).error().what, testing::HasSubstr("SHA-1")) << sha1;
}

TEST(Pin, AnythingElseIsNoPin) {
  for (const auto& text :
       {std::string(), std::string("null"), to_colon_hex(octets(31)), to_colon_hex(octets(33)), to_hex(octets(32)),
        to_base64(octets(31)), to_base64(octets(33)), to_colon_hex(octets(32)) + ":", to_colon_hex(octets(32)) + "\n",
        to_base64(octets(48)), std::string(R"(","enabled":false,"x":")"), to_colon_hex(octets(20)) + " "}) {
    const auto parsed = parse_hash(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Pin, TheRootsOfAmazonAreFivePublicKeys) {
  const auto& roots = amazon_trust_services();
  EXPECT_EQ(roots.size(), 5U);
  EXPECT_EQ(std::set(roots.begin(), roots.end()).size(), 5U);
  for (const auto& root : roots) EXPECT_EQ(root.type, api::PinType::kPublicKey);
}

}  // namespace
}  // namespace edgetrust::decide::pins
