#include "vendor_rate.hpp"

#include "edgetrust/base/text.hpp"

#include <charconv>

namespace edgetrust::genesys {
namespace {

std::optional<std::int64_t> whole_number(const http::Headers& headers, std::string_view name) {
  const auto text = headers.get(name);
  if (!text) return std::nullopt;
  const std::string_view digits = trim(*text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::optional<VendorRate> vendor_rate(const http::Headers& headers) {
  constexpr std::int64_t kMost = 1'000'000;
  const auto count = whole_number(headers, "inin-ratelimit-count");
  const auto allowed = whole_number(headers, "inin-ratelimit-allowed");
  const auto reset = rate_reset(headers);
  if (!count || !allowed || !reset || *allowed < 1 || *allowed > kMost) return std::nullopt;
  return VendorRate{
      .count = static_cast<int>(std::min(*count, kMost)), .allowed = static_cast<int>(*allowed), .resets = *reset};
}

std::optional<std::chrono::seconds> rate_reset(const http::Headers& headers) {
  const auto seconds = whole_number(headers, "inin-ratelimit-reset");
  return seconds ? std::optional(std::chrono::seconds{*seconds}) : std::nullopt;
}

}  // namespace edgetrust::genesys
