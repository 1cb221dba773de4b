#include "links.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::acme {
namespace {

// `parameters` is what stands between one link's '>' and the next one's '<': ;rel="next",
bool has_relation(std::string_view parameters, std::string_view relation) {
  const std::string text = lower(parameters);
  const auto rel = text.find("rel=");
  if (rel == std::string::npos) return false;
  std::string value = text.substr(rel + 4);
  if (value.starts_with('"')) {
    value = value.substr(1, value.find('"', 1) - 1);
  } else {
    value.resize(std::min(value.find_first_of(";, \t"), value.size()));
  }
  const auto words = split(value, ' ');
  return std::find(words.begin(), words.end(), relation) != words.end();
}

}  // namespace

std::vector<std::string> links_to(const http::Headers& headers, std::string_view relation) {
  std::vector<std::string> targets;
  for (const std::string_view field : headers.all("Link")) {
    for (auto begin = field.find('<'); begin != std::string_view::npos;) {
      const auto end = field.find('>', begin);
      if (end == std::string_view::npos) break;
      const auto next = field.find('<', end);
      if (has_relation(field.substr(end, next == std::string_view::npos ? next : next - end), relation))
        targets.emplace_back(field.substr(begin + 1, end - begin - 1));
      begin = next;
    }
  }
  return targets;
}

std::string link_to(const http::Headers& headers, std::string_view relation) {
  const auto targets = links_to(headers, relation);
  return targets.empty() ? std::string{} : targets.front();
}

}  // namespace edgetrust::acme
