#include "edgetrust/plugin/timeline.hpp"

#include "edgetrust/base/time_text.hpp"
#include "text.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

std::string describe_until(TimePoint until, TimePoint now) {
  return "until " + format_rfc3339(until) + (until > now ? ", in " + describe_span(until - now) : ", which is over");
}

}  // namespace

view::SeenEvent decode_event(json::View object) {
  view::SeenEvent event;
  const json::View series = object["series"];
  const auto moment = [&](json::View text) -> std::optional<TimePoint> {
    const auto parsed = parse_rfc3339(text.string().value_or(""));
    return parsed ? std::optional(*parsed) : std::nullopt;
  };
  const auto at = moment(series["lastObservedTime"]);
  const auto first = moment(object["eventTime"]);
  const auto old = moment(object["deprecatedLastTimestamp"]);
  event.at = at ? *at : first ? *first : old.value_or(TimePoint{});
  event.warning = object["type"].string_or("") == "Warning";
  event.reason = object["reason"].string_or("");
  event.note = object["note"].string_or("");
  event.count = static_cast<int>(std::clamp<std::int64_t>(series["count"].integer().value_or(1), 1, 1'000'000));
  return event;
}

std::string print(const view::Timeline& told, bool wide, TimePoint now, Style style) {
  const Tone tone = told.stalled ? Tone::kBad : told.quiet ? Tone::kGood : Tone::kWarn;
  std::string out;
  append_line(out, {style.paint(Tone::kHead, "EdgeCertificate " + told.certificate.to_string()), ", Edge ", told.edge,
                    told.site.empty() ? "" : ", site " + told.site});
  append_line(out, {"Phase    ", style.paint(tone, or_dash(told.phase)),
                    told.reason.empty() || told.reason == told.phase ? "" : ", " + told.reason,
                    told.stalled ? ": nothing goes on by itself" : ""});
  if (!told.message.empty()) append_line(out, {"         ", told.message});
  if (told.revision && told.not_before && told.not_after) {
    append_line(out, {"Serves   revision " + std::to_string(*told.revision), ", serial ", told.serial_number,
                      ", until " + format_rfc3339(*told.not_after) + "  ",
                      style.paint(life_tone(*told.not_before, *told.not_after, std::nullopt, now),
                                  life_bar(*told.not_before, *told.not_after, now))});
    if (wide) {
      append_line(out, {"Issuer   ", or_dash(told.issuer)});
      append_line(out, {"Valid    from ", format_rfc3339(*told.not_before),
                        told.renewal ? ", its renewal is due " + format_rfc3339(*told.renewal) : ""});
      append_line(out, {"SHA-256  ", or_dash(told.fingerprint_sha256)});
    }
  } else {
    append_line(out, {"Serves   nothing of ours that was proved"});
  }
  if (!told.trace_id.empty()) append_line(out, {"Trace    ", told.trace_id});
  append_heading(out, "WHAT HAPPENED", style);
  if (told.moments.empty()) append_line(out, {"nothing that is still known"});
  std::vector<Row> rows;
  rows.reserve(told.moments.size());
  for (const auto& moment : told.moments) {
    rows.push_back({format_rfc3339(moment.at), style.paint(moment.warning ? Tone::kBad : Tone::kPlain, moment.what),
                    moment.text + (moment.count > 1 ? " (" + std::to_string(moment.count) + " times)" : "")});
  }
  if (!rows.empty()) append_table(out, {"AT (UTC)", "WHAT", "HOW"}, rows);
  append_heading(out, "WAITS FOR", style);
  for (const auto& wait : told.waits) {
    append_line(out, {wait.what, wait.until ? ", " + describe_until(*wait.until, now) : ""});
    if (!wait.command.empty()) append_line(out, {"  ", style.paint(Tone::kFaint, wait.command)});
  }
  if (told.waits.empty()) append_line(out, {"a change of the object"});
  return out;
}

}  // namespace edgetrust::plugin
