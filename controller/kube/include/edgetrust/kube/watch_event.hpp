#pragma once
// One line of a watch (metav1.WatchEvent), and how text from the API server is parsed. Called by: Reflector, ApiClient.
// Threads: a value. Errors: kProtocol for what is no event.
#include "edgetrust/json/view.hpp"
#include "edgetrust/kube/watch.hpp"

#include <string_view>

namespace edgetrust::kube {

struct WatchEvent {
  json::Document document;
  json::View object;  // into the document
  LineFacts facts;
};

Result<WatchEvent> parse_watch_event(std::string_view line);

// The server's JSON, at most `max_octets` of it. Deeper than json's own bound, for managedFields and other people's
// fields nest; and an integer of any size is read as a number: Go writes 1e20 as 21 digits, which simdjson refuses, and
// one such field of one object would make the whole page unreadable.
Result<json::Document> parse_server_json(std::string_view text, std::size_t max_octets);

}  // namespace edgetrust::kube
