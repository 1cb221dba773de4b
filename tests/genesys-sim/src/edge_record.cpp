#include "edge_record.hpp"

#include "edgetrust/base/text.hpp"

namespace edgetrust::sim {
namespace {

constexpr std::array<std::pair<std::string_view, OnApply>, 7> kOnApply{{{"ok", OnApply::kOk},
                                                                        {"sip-down", OnApply::kSipDown},
                                                                        {"trunk-down", OnApply::kTrunkDown},
                                                                        {"critical", OnApply::kCritical},
                                                                        {"flap", OnApply::kFlap},
                                                                        {"slow", OnApply::kSlow},
                                                                        {"refuse", OnApply::kRefuse}}};

std::string state_of(const EdgeRecord& edge) {
  if (!edge.health.empty()) return edge.health;
  if (edge.effect() == OnApply::kCritical && !edge.restarting) return "Critical";
  return edge.sbc.up ? "OK" : "Warning";
}

void forgive(EdgeRecord& edge) {
  if (edge.installed) edge.leaves[edge.installed->leaf.fingerprint] = OnApply::kOk;
}

tl::unexpected<Error> bad(std::string_view field) {
  return fail(ErrorKind::kInvalid, "patch: " + std::string(field) + " is unknown or has a wrong value");
}

Status patch_text(EdgeRecord& edge, std::string_view field, std::string_view text) {
  if (field == "onApply") {
    const auto what = parse_on_apply(text);
    if (!what) return bad(field);
    edge.on_apply = *what;
  } else if (field == "sip" && (text == "UP" || text == "DOWN")) {
    edge.sip_forced_down = text == "DOWN";
    if (text == "UP") forgive(edge);
  } else if (field == "health" && (text == "OK" || text == "CRITICAL" || text == "UNKNOWN")) {
    edge.health = text == "OK" ? "" : text == "CRITICAL" ? "Critical" : "Unknown";
    if (text == "OK") forgive(edge);
  } else {
    return bad(field);
  }
  return {};
}

Status patch_number(EdgeRecord& edge, std::string_view field, std::int64_t number) {
  if (number < 0 || number > 3'600'000) return bad(field);
  if (field == "calls") {
    edge.calls = static_cast<int>(number);
  } else if (field == "restartMs") {
    edge.restart = milliseconds{number};
  } else {
    return bad(field);
  }
  return {};
}

Status patch_switch(EdgeRecord& edge, std::string_view field, bool on) {
  if (field == "online") {
    if (!on && edge.online) edge.frozen = guide_status(edge);
    if (on) edge.frozen.reset();
    edge.online = on;
  } else if (field == "softwareUpdate") {
    edge.software_update = on;
  } else if (field == "cloudMedia") {
    edge.cloud_media = on;
  } else if (field == "inService") {
    edge.in_service = on;
    edge.drain.reset();
  } else if (field == "acceptAny") {
    edge.accept_any = on;
  } else {
    return bad(field);
  }
  return {};
}

}  // namespace

std::string_view to_string(OnApply what) {
  for (const auto& [text, value] : kOnApply) {
    if (value == what) return text;
  }
  return "ok";
}

std::optional<OnApply> parse_on_apply(std::string_view text) {
  for (const auto& [word, value] : kOnApply) {
    if (word == text) return value;
  }
  return std::nullopt;
}

OnApply EdgeRecord::effect() const {
  if (!installed) return OnApply::kOk;
  const auto found = leaves.find(installed->leaf.fingerprint);
  return found == leaves.end() ? OnApply::kOk : found->second;
}

OptionsMode EdgeRecord::options_mode() const {
  if (!in_service || sip_forced_down || effect() == OnApply::kSipDown) return OptionsMode::kFail;
  return effect() == OnApply::kFlap ? OptionsMode::kFlap : OptionsMode::kAnswer;
}

GuideStatus guide_status(const EdgeRecord& edge) {
  if (edge.frozen) return *edge.frozen;
  return {.state = state_of(edge),
          .sip = edge.sbc.up ? "SIP_UP" : "SIP_DOWN",
          .cause = edge.sbc.up ? "" : edge.sbc.cause,
          .fingerprint = edge.installed ? edge.installed->leaf.fingerprint : "",
          .updated_at = edge.updated_at};
}

TrunkView trunk_of(const EdgeRecord& edge) {
  if (edge.effect() == OnApply::kTrunkDown)
    return {.up = false, .cause = "the far end refuses calls", .since = edge.installed->at};
  const GuideStatus seen = guide_status(edge);
  return {.up = seen.sip == "SIP_UP", .cause = seen.cause, .since = edge.sbc_changed};
}

int calls_at(const EdgeRecord& edge, SteadyPoint now, milliseconds every) {
  if (!edge.drain) return edge.calls;
  const auto passed = now - edge.drain->started;
  if (passed >= edge.drain->wait) return 0;
  const std::int64_t ended = every.count() > 0 ? passed / every : edge.drain->calls;
  return static_cast<int>(std::max<std::int64_t>(0, edge.drain->calls - ended));
}

std::string_view draining_state(const EdgeRecord& edge, SteadyPoint now, milliseconds every) {
  if (!edge.drain) return "NONE";
  if (calls_at(edge, now, every) > 0) return "WAIT";
  const bool in_time = every * edge.drain->calls <= milliseconds{edge.drain->wait};
  return in_time ? "COMPLETE" : "WAIT_TIMEOUT";
}

Status apply_patch(EdgeRecord& edge, json::View patch) {
  if (patch.kind() != json::Kind::kObject) return fail(ErrorKind::kInvalid, "patch: not a JSON object");
  EdgeRecord changed = edge;
  Status status;
  patch.for_each_member([&](std::string_view field, json::View value) {
    if (const auto text = value.string()) {
      status = patch_text(changed, field, *text);
    } else if (const auto number = value.integer()) {
      status = patch_number(changed, field, *number);
    } else if (const auto on = value.boolean()) {
      status = patch_switch(changed, field, *on);
    } else {
      status = bad(field);
    }
    return status.has_value();
  });
  if (status) edge = std::move(changed);
  return status;
}

}  // namespace edgetrust::sim
