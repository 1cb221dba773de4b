#include "edgetrust/base/encoding.hpp"

#include <array>
#include <cstdint>

namespace edgetrust {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

template <class Sink>
void encode64(std::string_view bytes, std::string_view alphabet, bool pad, Sink sink) {
  std::size_t i = 0;
  const auto at = [&](std::size_t k) -> std::uint32_t {
    return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0;
  };
  for (; i < bytes.size(); i += 3) {
    const std::uint32_t word = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 4; ++k) {
      if (k <= have) {
        sink(alphabet[word >> (18 - 6 * k) & 0x3FU]);
      } else if (pad) {
        sink('=');
      }
    }
  }
}

template <class Sink>
Status decode64(std::string_view text, std::string_view alphabet, bool pad, Sink sink) {
  if (pad) {
    if (text.size() % 4 != 0) return fail(ErrorKind::kInvalid, "base64: the length is not a multiple of 4");
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return fail(ErrorKind::kInvalid, "base64: a single character is left over");
  std::uint32_t word = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return fail(ErrorKind::kInvalid, "base64: a character outside the alphabet");
    word = word << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      sink(static_cast<char>(word >> bits & 0xFFU));
    }
  }
  if ((word & ((1U << bits) - 1)) != 0) return fail(ErrorKind::kInvalid, "base64: the unused bits are not zero");
  return {};
}

Result<std::string> decoded(std::string_view text, std::string_view alphabet, bool pad) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  EDGETRUST_TRY(decode64(text, alphabet, pad, [&](char c) { bytes.push_back(c); }));
  return bytes;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4U]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 0xFU]);
  }
  return text;
}

std::string to_colon_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    if (!text.empty()) text.push_back(':');
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4U]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 0xFU]);
  }
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size();) {
    if (!bytes.empty() && text[i] == ':') ++i;
    const int high = i < text.size() ? hex_value(text[i]) : -1;
    const int low = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    if (high < 0 || low < 0) return fail(ErrorKind::kInvalid, "hex: two digits an octet are needed");
    bytes.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return bytes;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  encode64(bytes, kBase64, true, [&](char c) { text.push_back(c); });
  return text;
}
Result<std::string> from_base64(std::string_view text) { return decoded(text, kBase64, true); }

std::string to_base64url(std::string_view bytes) {
  std::string text;
  encode64(bytes, kBase64Url, false, [&](char c) { text.push_back(c); });
  return text;
}
Result<std::string> from_base64url(std::string_view text) { return decoded(text, kBase64Url, false); }

Secret secret_to_base64(const Secret& bytes) {
  Secret text;
  encode64(bytes.expose(), kBase64, true, [&](char c) { text.append({&c, 1}); });
  return text;
}

Result<Secret> secret_from_base64(std::string_view text) {
  Secret bytes;
  EDGETRUST_TRY(decode64(text, kBase64, true, [&](char c) { bytes.append({&c, 1}); }));
  return bytes;
}

}  // namespace edgetrust
