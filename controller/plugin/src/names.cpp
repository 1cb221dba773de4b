#include "edgetrust/plugin/names.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

// Optimal string alignment: a character more, less, another, or two swapped.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.size()][b.size()];
}

}  // namespace

std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string>& known) {
  constexpr std::size_t kMost = 3;
  const std::string low = lower(wanted);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const auto& name : known) {
    const bool contains = low.size() >= 3 && name.find(low) != std::string::npos;
    const std::size_t away = contains ? 1 : distance(low, lower(name));
    if (away <= std::max<std::size_t>(1, low.size() / 3)) near.emplace_back(away, name);
  }
  std::ranges::sort(near);
  std::vector<std::string> names;
  for (const auto& [away, name] : near) {
    if (names.size() < kMost) names.push_back(name);
  }
  return names;
}

std::string not_found(std::string_view kind, std::string_view wanted, std::string_view ns,
                      const std::vector<std::string>& known) {
  std::string text =
      "there is no " + std::string(kind) + " \"" + printable(wanted, 253) + "\" in namespace " + std::string(ns);
  if (known.empty()) return text + ", nor any other";
  const auto names = nearest(wanted, known);
  if (!names.empty()) text += "; did you mean " + join(names, " or ") + "?";
  return text;
}

}  // namespace edgetrust::plugin
