#include "edgetrust/plugin/pins.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"
#include "text.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

std::string describe(api::PinMode mode) {
  switch (mode) {
    case api::PinMode::kDisabled: return "Disabled";
    case api::PinMode::kReportOnly: return "ReportOnly";
    case api::PinMode::kEnforce: return "Enforce";
  }
  return {};
}

std::string describe(api::PinType type) { return type == api::PinType::kCertificate ? "Certificate" : "PublicKey"; }

std::string describe(api::PinOrigin origin) {
  switch (origin) {
    case api::PinOrigin::kStatic: return "static";
    case api::PinOrigin::kNext: return "next";
    case api::PinOrigin::kPreset: return "preset";
    case api::PinOrigin::kStatus: return "status call";
    case api::PinOrigin::kHandshake: return "handshake";
  }
  return {};
}

std::string describe(api::PinSource source) {
  return describe(source == api::PinSource::kStatus ? api::PinOrigin::kStatus : api::PinOrigin::kHandshake);
}

// "1 drifted, 2 unreachable": what those are that do not match. Empty: none.
std::string describe_unmatched(const api::PinSummary& summary) {
  const std::pair<int, const char*> counts[] = {
      {summary.drifted, " drifted"},         {summary.intercepted, " intercepted"},   {summary.blocked, " blocked"},
      {summary.unreachable, " unreachable"}, {summary.not_observed, " not observed"}, {summary.changing, " changing"},
      {summary.rolled_back, " rolled back"}, {summary.refusing, " refusing"}};
  std::vector<std::string> parts;
  for (const auto& [count, what] : counts) {
    if (count > 0) parts.push_back(std::to_string(count) + what);
  }
  return join(parts, ", ");
}

std::string endpoint_of(const api::PinPolicy& policy) {
  return policy.spec.endpoint.host + ":" + std::to_string(policy.spec.endpoint.port);
}

const api::Condition* ready_of(const api::PinPolicy& policy) {
  return api::find(policy.status.conditions, api::condition::kReady);
}

Cell paint(const api::PinPolicy& policy, Style style) {
  const api::Condition* ready = ready_of(policy);
  if (ready == nullptr) return "-";
  const Tone tone = ready->status == api::Truth::kTrue ? Tone::kGood : Tone::kBad;
  return style.paint(tone, api::to_string(ready->status));
}

void append_conditions(std::string& out, const api::PinPolicy& policy, Style style) {
  std::vector<Row> rows;
  for (const auto& condition : policy.status.conditions) {
    const bool wanted = condition.type != api::condition::kIntercepted &&
                        condition.type != api::condition::kOverrideActive &&
                        condition.type != api::condition::kStalled && condition.type != api::condition::kReconciling;
    const bool good = condition.status == (wanted ? api::Truth::kTrue : api::Truth::kFalse);
    const Tone tone = condition.status == api::Truth::kUnknown ? Tone::kWarn : good ? Tone::kGood : Tone::kBad;
    rows.push_back(
        {condition.type, style.paint(tone, api::to_string(condition.status)), condition.reason, condition.message});
  }
  if (rows.empty()) return;
  append_heading(out, "CONDITIONS", style);
  append_table(out, {"TYPE", "STATUS", "REASON", "MESSAGE"}, rows);
}

void append_pins(std::string& out, std::string_view title, const std::vector<api::AcceptedPin>& pins, bool wide,
                 TimePoint now, Style style) {
  if (pins.empty()) return;
  std::vector<Row> rows;
  rows.reserve(pins.size());
  for (const auto& pin : pins) {
    rows.push_back(widened({describe(pin.type), pin.fingerprint, describe(pin.origin),
                            pin.until ? format_rfc3339(*pin.until) + ", in " + describe_span(*pin.until - now) : "-"},
                           wide, {or_dash(pin.since), or_dash(pin.certificate)}));
  }
  append_heading(out, title, style);
  append_table(out, widened({"TYPE", "PIN", "FROM", "UNTIL"}, wide, {"SINCE", "OF CERTIFICATE"}), rows);
}

}  // namespace

std::string print(const api::PinPolicy& policy, bool wide, TimePoint now, Style style) {
  const auto& status = policy.status;
  std::string out;
  append_line(out, {style.paint(Tone::kHead, "PinPolicy " + policy.meta.key().to_string()), ", ", endpoint_of(policy)});
  append_line(out, {"Mode     ", describe(policy.spec.mode)});
  const std::string unmatched = wide && status.summary ? describe_unmatched(*status.summary) : std::string{};
  append_line(out,
              {"Edges    ", or_dash(status.matched_of_total), " match", unmatched.empty() ? "" : "; " + unmatched});
  if (policy.broken) append_line(out, {style.paint(Tone::kBad, "It cannot be read: " + policy.broken->message())});
  if (const auto& override_now = policy.spec.emergency_override) {
    const bool over = now >= override_now->until;
    append_line(out, {"Override ", style.paint(over ? Tone::kFaint : Tone::kBad,
                                               (over ? "ended " : "until ") + format_rfc3339(override_now->until) +
                                                   ": " + override_now->reason)});
  }
  append_conditions(out, policy, style);
  append_pins(out, "ACCEPTED", status.current, wide, now, style);
  append_pins(out, "ANNOUNCED", status.next, wide, now, style);
  std::vector<Row> rows;
  rows.reserve(status.observed.size());
  for (const auto& seen : status.observed) {
    rows.push_back(widened({describe(seen.type), seen.fingerprint, seen.vantage, or_dash(seen.root), or_dash(seen.at)},
                           wide, {describe(seen.source), or_dash(seen.issuer), or_dash(seen.not_after)}));
  }
  if (!rows.empty()) {
    append_heading(out, "SEEN", style);
    append_table(out, widened({"TYPE", "PIN", "BY", "ROOT", "SINCE"}, wide, {"FROM", "ISSUER", "EXPIRES"}), rows);
  }
  rows.clear();
  for (const auto& edge : status.not_matched)
    rows.push_back({edge.name, style.paint(Tone::kBad, api::to_string(edge.state)), or_dash(edge.message)});
  if (!rows.empty()) {
    append_heading(out, "EDGES THAT DO NOT MATCH", style);
    append_table(out, {"EDGE", "STATE", "MESSAGE"}, rows);
  }
  return out;
}

std::string print(const std::vector<api::PinPolicy>& policies, bool wide, Style style) {
  if (policies.empty()) return "No PinPolicies found.\n";
  std::vector<Row> rows;
  for (const auto& policy : policies) {
    const api::Condition* said = api::said(policy.status.conditions);
    rows.push_back(widened(
        {policy.meta.name, paint(policy, style), describe(policy.spec.mode), endpoint_of(policy),
         or_dash(policy.status.matched_of_total), or_dash(policy.status.pins), or_dash(policy.status.override_text)},
        wide, {said == nullptr ? "-" : or_dash(said->message)}));
  }
  std::string out;
  append_table(out, widened({"NAME", "READY", "MODE", "ENDPOINT", "EDGES", "PINS", "OVERRIDE"}, wide, {"MESSAGE"}),
               rows);
  return out;
}

json::Value as_value(const std::vector<api::PinPolicy>& policies) {
  json::Value items = json::Value::array();
  for (const auto& policy : policies) {
    const auto status = json::Document::parse(api::encode_status(policy));
    json::Value one{{"namespace", policy.meta.ns},
                    {"name", policy.meta.name},
                    {"mode", describe(policy.spec.mode)},
                    {"endpoint", endpoint_of(policy)}};
    if (status) one["status"] = json::to_value(status->root());
    items.push_back(std::move(one));
  }
  return {{"policies", std::move(items)}};
}

}  // namespace edgetrust::plugin
