// A plan as text: a table, JSON, iCalendar.
#include "edgetrust/base/table.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/forecast/plan.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::forecast {
namespace {

// --- table

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string local(TimePoint at, const std::string& zone) {
  return zone.empty() ? format_rfc3339(at) : decide::describe_moment(at, zone);
}

std::string name_of(const api::ObjectKey& key) { return key.ns + "/" + key.name; }

// --- iCalendar

// RFC 5545 section 3.3.11.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) >= 0x20U) {
      out += c;
    }
  }
  return out;
}

// Section 3.1: no line is longer than 75 octets, and none is cut within a character.
void append_line(std::string& out, const std::string& line) {
  constexpr std::size_t kLongest = 75;
  std::size_t room = kLongest;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t next = at + 1;
    while (next < line.size() && (static_cast<unsigned char>(line[next]) & 0xC0U) == 0x80U) ++next;
    if (next - at > room) {
      out += "\r\n ";
      room = kLongest - 1;
    }
    out.append(line, at, next - at);
    room -= next - at;
    at = next;
  }
  out += "\r\n";
}

// Section 3.3.5, form 2: 20270103T020000Z.
std::string moment(TimePoint at) {
  std::string text = format_rfc3339(at);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

struct Entry {
  std::string uid;
  TimePoint starts;
  std::optional<TimePoint> ends;  // empty: it is a moment
  std::string summary;
  std::string description;
};

void append_event(std::string& out, TimePoint stamp, const Entry& entry) {
  append_line(out, "BEGIN:VEVENT");
  append_line(out, "UID:" + escaped(entry.uid));
  append_line(out, "DTSTAMP:" + moment(stamp));
  append_line(out, "DTSTART:" + moment(entry.starts));
  if (entry.ends) append_line(out, "DTEND:" + moment(*entry.ends));
  append_line(out, "SUMMARY:" + escaped(entry.summary));
  append_line(out, "DESCRIPTION:" + escaped(entry.description));
  append_line(out, "END:VEVENT");
}

std::string describe(const Place& place) {
  std::string text = "EdgeCertificate " + name_of(place.certificate) + "\nSite: " + or_dash(place.site) +
                     "\nRotationPolicy: " + place.policy;
  if (!place.wave.empty()) text += "\nWave: " + place.wave;
  return text;
}

// --- JSON

json::Value as_value(const Place& place) {
  return {{"namespace", place.certificate.ns},
          {"certificate", place.certificate.name},
          {"edge", place.edge},
          {"site", place.site},
          {"timeZone", place.time_zone},
          {"policy", place.policy},
          {"wave", place.wave}};
}

}  // namespace

std::string as_table(const Plan& plan) {
  std::string out = "Until " + format_rfc3339(plan.until) + " in " + join(plan.namespaces, ", ") + ": " +
                    std::to_string(plan.rotations.size()) + " rotations of " + std::to_string(plan.certificates) +
                    " EdgeCertificates, " + std::to_string(plan.unfinished.size()) + " unfinished at the end, " +
                    std::to_string(plan.expiries.size()) + " expire, if all goes well.\n";
  std::vector<Row> rows;
  for (const auto& rotation : plan.rotations) {
    const Place& place = rotation.place;
    rows.push_back({format_rfc3339(rotation.starts), local(rotation.starts, place.time_zone),
                    name_of(place.certificate), place.edge, or_dash(place.site), or_dash(place.wave),
                    std::to_string(rotation.revision)});
  }
  if (!rows.empty()) {
    out += "\nROTATIONS\n";
    append_table(out, {"START (UTC)", "LOCAL", "CERTIFICATE", "EDGE", "SITE", "WAVE", "REVISION"}, rows);
  }
  rows.clear();
  for (const auto& one : plan.unfinished) {
    rows.push_back({name_of(one.place.certificate), one.place.edge, one.phase, one.reason, format_rfc3339(one.since),
                    one.expires ? format_rfc3339(*one.expires) : "-", one.message});
  }
  if (!rows.empty()) {
    out += "\nUNFINISHED AT THE END\n";
    append_table(out, {"CERTIFICATE", "EDGE", "PHASE", "REASON", "SINCE", "EXPIRES", "MESSAGE"}, rows);
  }
  rows.clear();
  for (const auto& one : plan.expiries)
    rows.push_back({format_rfc3339(one.at), name_of(one.place.certificate), one.place.edge, or_dash(one.place.site)});
  if (!rows.empty()) {
    out += "\nEXPIRE\n";
    append_table(out, {"AT", "CERTIFICATE", "EDGE", "SITE"}, rows);
  }
  rows.clear();
  for (const auto& one : plan.infeasible) rows.push_back({one.kind, name_of(one.object), one.reason, one.message});
  if (!rows.empty()) {
    out += "\nINFEASIBLE\n";
    append_table(out, {"KIND", "NAME", "REASON", "MESSAGE"}, rows);
  }
  rows.clear();
  for (const auto& one : plan.unread) rows.push_back({one});
  if (!rows.empty()) {
    out += "\nLEFT OUT\n";
    append_table(out, {"CERTIFICATE AND REASON"}, rows);
  }
  return out;
}

std::string as_json(const Plan& plan) {
  json::Value out{
      {"from", format_rfc3339(plan.from)}, {"until", format_rfc3339(plan.until)}, {"namespaces", plan.namespaces},
      {"certificates", plan.certificates}, {"rotations", json::Value::array()},   {"unfinished", json::Value::array()},
      {"expiries", json::Value::array()},  {"infeasible", json::Value::array()},  {"unread", plan.unread}};
  for (const auto& rotation : plan.rotations) {
    json::Value one = as_value(rotation.place);
    one["revision"] = rotation.revision;
    one["starts"] = format_rfc3339(rotation.starts);
    if (rotation.ends) one["ends"] = format_rfc3339(*rotation.ends);
    out["rotations"].push_back(std::move(one));
  }
  for (const auto& unfinished : plan.unfinished) {
    json::Value one = as_value(unfinished.place);
    one["phase"] = unfinished.phase;
    one["reason"] = unfinished.reason;
    one["message"] = unfinished.message;
    one["since"] = format_rfc3339(unfinished.since);
    if (unfinished.expires) one["expires"] = format_rfc3339(*unfinished.expires);
    out["unfinished"].push_back(std::move(one));
  }
  for (const auto& expiry : plan.expiries) {
    json::Value one = as_value(expiry.place);
    one["at"] = format_rfc3339(expiry.at);
    out["expiries"].push_back(std::move(one));
  }
  for (const auto& one : plan.infeasible) {
    out["infeasible"].push_back({{"kind", one.kind},
                                 {"namespace", one.object.ns},
                                 {"name", one.object.name},
                                 {"reason", one.reason},
                                 {"message", one.message}});
  }
  return json::dump(out) + "\n";
}

std::string as_calendar(const Plan& plan) {
  std::string out;
  append_line(out, "BEGIN:VCALENDAR");
  append_line(out, "VERSION:2.0");
  append_line(out, "PRODID:-//edgetrust//plan//EN");
  for (const auto& rotation : plan.rotations) {
    const Place& place = rotation.place;
    const std::string revision = std::to_string(rotation.revision);
    append_event(out, plan.from,
                 {.uid = name_of(place.certificate) + "/" + revision + "@edgetrust",
                  .starts = rotation.starts,
                  .ends = rotation.ends.value_or(plan.until),
                  .summary = "Certificate of Edge " + place.edge + (place.site.empty() ? "" : " (" + place.site + ")"),
                  .description = describe(place) + "\nRevision: " + revision});
  }
  for (const auto& expiry : plan.expiries) {
    append_event(out, plan.from,
                 {.uid = name_of(expiry.place.certificate) + "/" + moment(expiry.at) + "/expiry@edgetrust",
                  .starts = expiry.at,
                  .ends = std::nullopt,
                  .summary = "Certificate of Edge " + expiry.place.edge + " expires",
                  .description = describe(expiry.place)});
  }
  append_line(out, "END:VCALENDAR");
  return out;
}

}  // namespace edgetrust::forecast
