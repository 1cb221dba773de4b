#pragma once
// What work is about: one object of one kind. A plain value, ordered so that it can be a map's key.
#include <compare>
#include <string>

namespace edgetrust::runtime {

struct Key {
  std::string kind;
  std::string ns;
  std::string name;
  auto operator<=>(const Key&) const = default;
  // "EdgeCertificate voice/edge01", for logs.
  [[nodiscard]] std::string to_string() const { return kind + " " + ns + "/" + name; }
};

// Which key goes first where there are more than workers.
enum class Rank { kFirst, kNormal, kLast };

}  // namespace edgetrust::runtime
