#pragma once
// The newest form of an object that this process knows: the cache's, or what it wrote itself a moment ago and the watch
// has not brought back yet.
#include "edgetrust/api/object.hpp"

#include <charconv>
#include <memory>
#include <optional>

namespace edgetrust::reconcile {

// resourceVersions of one kind compare as integers (Kubernetes 1.35 made that part of its contract; before, it was so
// all the same).
inline bool is_older(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  };
  const auto x = number(a);
  const auto y = number(b);
  return x && y && *x < *y;
}

template <class Kind>
std::shared_ptr<const Kind> newest(const std::shared_ptr<const Kind>& cached,
                                   const std::shared_ptr<const Kind>& written) {
  if (!cached || !written || cached->meta.uid != written->meta.uid) return cached;
  return is_older(cached->meta.resource_version, written->meta.resource_version) ? written : cached;
}

}  // namespace edgetrust::reconcile
