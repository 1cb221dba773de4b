#include "edgetrust/api/object.hpp"

#include <charconv>

namespace edgetrust::api {
namespace {

std::optional<std::uint64_t> number(std::string_view version) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), value);
  if (error != std::errc{} || end != version.data() + version.size()) return std::nullopt;
  return value;
}

}  // namespace

bool is_older(std::string_view version, std::string_view than) {
  const auto a = number(version);
  const auto b = number(than);
  return a && b && *a < *b;
}

}  // namespace edgetrust::api
