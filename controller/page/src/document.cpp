#include "edgetrust/page/document.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/view/document.hpp"
#include "edgetrust/view/text.hpp"

namespace edgetrust::page {
namespace {

constexpr std::size_t kMostOfAMessage = 400;  // bytes, in a line of the fleet

const char* to_text(Urgency urgency) {
  switch (urgency) {
    case Urgency::kAttention: return "Attention";
    case Urgency::kUnderWay: return "UnderWay";
    case Urgency::kWaiting: return "Waiting";
    case Urgency::kWell: return "Well";
  }
  return "";
}

const char* to_text(Tone tone) {
  switch (tone) {
    case Tone::kGood: return "Good";
    case Tone::kBusy: return "Busy";
    case Tone::kBad: return "Bad";
    case Tone::kUnknown: return "Unknown";
  }
  return "";
}

const char* to_text(view::Life life) {
  switch (life) {
    case view::Life::kGood: return "Good";
    case view::Life::kDue: return "Due";
    case view::Life::kUrgent: return "Urgent";
    case view::Life::kExpired: return "Expired";
  }
  return "";
}

json::Value without_empty(json::Value object) {
  for (auto member = object.begin(); member != object.end();) {
    const bool says_nothing = member->is_string() && member->get_ref<const std::string&>().empty();
    member = says_nothing ? object.erase(member) : std::next(member);
  }
  return object;
}

json::Value as_value(const Mark& mark) {
  return without_empty({{"tone", to_text(mark.tone)}, {"text", mark.text}, {"message", mark.message}});
}

json::Value as_value(const Row& row) {
  json::Value one = view::as_value(row.certificate);
  one["message"] = printable(row.certificate.message, kMostOfAMessage);
  one["urgency"] = to_text(row.urgency);
  if (row.life) one["life"] = to_text(*row.life);
  one["health"] = as_value(row.health);
  if (!row.pins.text.empty()) one["pins"] = as_value(row.pins);
  return without_empty(std::move(one));
}

json::Value as_value(const std::vector<api::Condition>& conditions) {
  json::Value all = json::Value::array();
  for (const auto& condition : conditions) {
    all.push_back(without_empty({{"type", condition.type},
                                 {"status", api::to_string(condition.status)},
                                 {"reason", condition.reason},
                                 {"message", condition.message},
                                 {"since", format_rfc3339(condition.last_transition_time)}}));
  }
  return all;
}

json::Value as_value(const api::HistoryEntry& entry) {
  json::Value one = without_empty({{"revision", entry.revision},
                                   {"serialNumber", entry.serial_number},
                                   {"result", api::to_string(entry.result)},
                                   {"change", entry.change},
                                   {"approvedBy", entry.approved_by},
                                   {"evidence", entry.evidence},
                                   {"message", entry.message}});
  view::set_time(one, "notAfter", entry.not_after);
  view::set_time(one, "at", entry.at);
  return one;
}

}  // namespace

json::Value as_value(const std::vector<Row>& rows) {
  json::Value items = json::Value::array();
  for (const Row& row : rows) items.push_back(as_value(row));
  return items;
}

json::Value rotation(const view::Subject& subject, TimePoint now) {
  const api::Edge* edge = subject.edge ? &*subject.edge : nullptr;
  json::Value told = view::as_value(view::timeline(subject, now));
  told["health"] = as_value(health_of(edge));
  if (const Mark pins = pins_of(edge); !pins.text.empty()) told["pins"] = as_value(pins);
  told["conditions"] = as_value(subject.certificate.status.conditions);
  if (edge != nullptr) told["edgeConditions"] = as_value(edge->status.conditions);
  told["history"] = json::Value::array();
  for (const auto& entry : subject.certificate.status.history) told["history"].push_back(as_value(entry));
  return without_empty(std::move(told));
}

}  // namespace edgetrust::page
