#include "edgetrust/dns/name.hpp"

#include "edgetrust/base/text.hpp"

namespace edgetrust::dns {

std::string canonical_name(std::string_view name) {
  if (name.ends_with('.') && !name.ends_with("\\.")) name.remove_suffix(1);
  return lower(name);
}

bool is_within(const std::string& name, const std::string& zone) {
  // Label by label: the dot of "a\\.example" ends none.
  for (std::string rest = name; rest != zone; rest = parent_of(rest)) {
    if (rest.empty()) return false;
  }
  return true;
}

std::string parent_of(const std::string& name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\') {
      ++i;
    } else if (name[i] == '.') {
      return name.substr(i + 1);
    }
  }
  return {};
}

std::string shown(const std::string& name) { return name.empty() ? "." : name; }

}  // namespace edgetrust::dns
