#include "edgetrust/kube/watch_event.hpp"

#include "edgetrust/kube/api_error.hpp"

#include <array>
#include <string>

namespace edgetrust::kube {
namespace {

constexpr std::size_t kDepth = 512;
constexpr std::size_t kMaxLine = std::size_t{4} << 20;
constexpr std::size_t kDigitsOfInt64 = 18;  // that many always fit
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::optional<LineType> type_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, LineType>, 5> kTypes = {{{"ADDED", LineType::kAdded},
                                                                            {"MODIFIED", LineType::kModified},
                                                                            {"DELETED", LineType::kDeleted},
                                                                            {"BOOKMARK", LineType::kBookmark},
                                                                            {"ERROR", LineType::kError}}};
  for (const auto& [text, type] : kTypes) {
    if (text == name) return type;
  }
  return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Gives integers of more digits than an int64 surely holds an exponent, which makes them doubles. Strings are passed
// over.
std::string with_large_integers_as_doubles(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 64);
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    result += c;
    if (in_string && c == '\\' && i + 1 < text.size()) {
      result += text[++i];
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && is_digit(c)) {
      std::size_t end = i;
      while (end < text.size() && is_digit(text[end])) ++end;
      const bool integer = end == text.size() || (text[end] != '.' && text[end] != 'e' && text[end] != 'E');
      const char before = i == 0 ? ' ' : text[i - 1];
      const bool whole = before != '.' && before != 'e' && before != 'E' && before != '+';
      result.append(text.substr(i + 1, end - i - 1));
      if (integer && whole && end - i > kDigitsOfInt64) result += "e0";
      i = end - 1;
    }
  }
  return result;
}

}  // namespace

Result<json::Document> parse_server_json(std::string_view text, std::size_t max_octets) {
  const json::Limits limits{.max_bytes = max_octets, .max_depth = kDepth};
  auto document = json::Document::parse(text, limits);
  if (document || text.size() > max_octets) return document;
  return json::Document::parse(with_large_integers_as_doubles(text),
                               {.max_bytes = 2 * max_octets, .max_depth = kDepth});
}

Result<WatchEvent> parse_watch_event(std::string_view line) {
  EDGETRUST_TRY_ASSIGN(auto document, parse_server_json(line, kMaxLine));
  const auto type = type_of(document.root()["type"].string_or(""));
  if (!type) return fail(ErrorKind::kProtocol, "a line of the watch has no known type");
  WatchEvent event{.document = std::move(document), .object = {}, .facts = {.type = *type}};
  event.object = event.document.root()["object"];
  if (event.object.kind() != json::Kind::kObject) {
    return fail(ErrorKind::kProtocol, "a line of the watch has no object");
  }
  const json::View meta = event.object["metadata"];
  event.facts.resource_version = meta["resourceVersion"].string_or("");
  event.facts.initial_events_end = meta["annotations"][kInitialEventsEnd].string() == "true";
  if (*type == LineType::kError) event.facts.error = api_error(event.object);
  return event;
}

}  // namespace edgetrust::kube
