#pragma once
// Distinct types for things that are all strings: an Edge's id is not an order's URL. `using EdgeId = Id<struct
// EdgeIdTag>;`
#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace edgetrust {

template <class Tag>
struct Id {
  std::string value;
  Id() = default;
  explicit Id(std::string v) : value(std::move(v)) {}
  auto operator<=>(const Id&) const = default;
  [[nodiscard]] bool empty() const { return value.empty(); }
};

}  // namespace edgetrust

template <class Tag>
struct std::hash<edgetrust::Id<Tag>> {
  std::size_t operator()(const edgetrust::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
