#include "host_state.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "time_sources.hpp"

#include <charconv>
#include <cmath>
#include <map>

namespace edgetrust::ssh {
namespace {

constexpr std::size_t kLongestInvocation = 32;  // 128 bits in hexadecimal

using Lines = std::map<std::string, std::string>;
using ports::HostState;

tl::unexpected<Error> unreadable() { return fail(ErrorKind::kProtocol, "the Edge's answer cannot be understood"); }

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// "0 755": the owner, and a mode in which nobody else may write.
std::string trouble_with(const std::string& folder) {
  if (folder == "absent") return "/etc/purecloud/edge/conf/security does not exist; it is never made";
  if (folder == "closed") return "the login may not enter /etc/purecloud/edge/conf/security";
  const auto words = split(folder, ' ');
  const std::string mode = words.size() == 2 ? words[1] : "";
  const auto others_may_write = [&](std::size_t from_end) {
    return mode.size() < from_end || ((mode[mode.size() - from_end] - '0') & 2) != 0;
  };
  if (words[0] != "0" || others_may_write(1) || others_may_write(2))
    return "/etc/purecloud/edge/conf/security must belong to root, and nobody else may write there";
  return {};
}

// "0 0 600 1234": owner, group, mode, size.
Status read_file(const Lines& lines, HostState& state) {
  const auto file = lines.find("file");
  if (file == lines.end()) return state.folder_trouble.empty() ? Status(unreadable()) : Status{};
  if (file->second == "absent") return {};
  state.has_file = true;
  if (file->second == "other") {
    state.file_trouble = "pinning-config.json is a link or no plain file";
    return {};
  }
  const auto words = split(file->second, ' ');
  const auto size = words.size() == 4 ? number(words[3]) : std::nullopt;
  const auto text = lines.find("text");
  if (!size || text == lines.end()) return unreadable();
  if (*size > static_cast<double>(ports::kLargestPinFile)) {
    state.file_trouble = "pinning-config.json is larger than 64 KiB";
    return {};
  }
  auto octets = from_base64(text->second);
  if (!octets) return unreadable();
  if (static_cast<double>(octets->size()) != *size) {
    state.file_trouble = "pinning-config.json cannot be read, or was written to just now";
    return {};
  }
  state.is_private = words[0] == "0" && words[1] == "0" && words[2] == "600";
  state.sha256 = to_hex(crypto::sha256(*octets));
  state.text = std::move(*octets);
  return {};
}

std::chrono::milliseconds seconds(double value) {
  constexpr double kMost = 1e9;
  return std::chrono::milliseconds(std::llround(std::min(std::abs(value), kMost) * 1000));
}

// chronyc's tracking report as comma-separated values: the fifth is the system clock's offset in seconds, the last the
// leap status (chronyc(1)).
bool read_tracking(const std::string& report, HostState& state) {
  constexpr std::size_t kOffset = 4;
  const auto fields = split(report, ',');
  const auto offset = fields.size() > kOffset ? number(fields[kOffset]) : std::nullopt;
  if (!offset) return false;
  state.time_service = ports::TimeService::kChrony;
  if (fields.back() == "Not synchronised") return false;
  state.clock_offset = seconds(*offset);
  state.clock_synchronised = true;
  return true;
}

// "leap=00, offset=-0.125": ntpd's system variables (ntpq(8)). The offset is in milliseconds; leap 11, or 3, is an
// alarm: not in sync (RFC 5905 section 7.3).
bool read_ntp(const std::string& report, HostState& state) {
  std::map<std::string, std::string> variables;
  for (const auto& part : split(report, ',')) {
    const auto equals = part.find('=');
    if (equals != std::string::npos)
      variables[std::string(trim(part.substr(0, equals)))] = std::string(trim(part.substr(equals + 1)));
  }
  const auto offset = number(variables["offset"]);
  if (!offset) return false;
  state.time_service = ports::TimeService::kNtpd;
  const std::string& leap = variables["leap"];
  if (leap.empty() || leap == "11" || leap == "3" || leap == "leap_alarm") return false;
  state.clock_offset = seconds(*offset / 1000);
  state.clock_synchronised = true;
  return true;
}

Status read_clock(Lines& lines, TimePoint asked, TimePoint answered, HostState& state) {
  if (read_tracking(lines["tracking"], state) || read_ntp(lines["ntp"], state)) return {};
  const auto told = lines.find("time");
  const auto time = told == lines.end() ? std::nullopt : number(told->second);
  if (!time) return unreadable();
  const auto at = [](TimePoint point) { return static_cast<double>(point.time_since_epoch().count()) / 1000; };
  const double early = at(asked) - *time;
  const double late = *time - at(answered);
  state.clock_offset = seconds(std::max({early, late, 0.0}));
  return {};
}

void read_time_servers(Lines& lines, HostState& state) {
  if (const auto text = from_base64(lines["servers"])) state.time_servers = read_time_sources(*text);
  if (state.time_service != ports::TimeService::kChrony) {
    state.time_servers_trouble = "chrony does not run there";
  } else if (!lines.contains("sources")) {
    state.time_servers_trouble =
        "chrony does not read /etc/chrony/sources.d: its configuration needs the line sourcedir /etc/chrony/sources.d";
  }
}

// "edgetrust-<hash>+ edgetrust-<hash>": those with a plus are in force.
void read_anchors(const Lines& lines, HostState& state) {
  constexpr std::string_view kOurs = "edgetrust-";
  constexpr std::size_t kDigits = 64;
  const auto list = lines.find("anchors");
  if (list == lines.end()) {
    state.anchors_trouble = "there is neither /usr/local/share/ca-certificates nor /etc/pki/ca-trust/source/anchors";
    return;
  }
  for (std::string_view word : split(trim(list->second), ' ')) {
    const bool in_force = word.ends_with('+');
    if (in_force) word.remove_suffix(1);
    if (!word.starts_with(kOurs)) continue;
    word.remove_prefix(kOurs.size());
    if (word.size() == kDigits && from_hex(word)) state.anchors.push_back({std::string(word), in_force});
  }
}

}  // namespace

Result<std::string> read_invocation(std::string_view text) {
  if (text == "absent") return std::string();
  if (text.empty() || text.size() > kLongestInvocation || !from_hex(text)) return unreadable();
  return std::string(text);
}

Result<HostState> read_state(std::string_view text, TimePoint asked, TimePoint answered) {
  Lines lines;
  for (const auto& line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) lines.insert_or_assign(line.substr(0, equals), line.substr(equals + 1));
  }
  if (!lines.contains("folder") || !lines.contains("service") || !lines.contains("invocation")) return unreadable();
  HostState state;
  state.folder_trouble = trouble_with(lines["folder"]);
  state.folder_absent = lines["folder"] == "absent";
  EDGETRUST_TRY(read_file(lines, state));
  state.restore_armed = lines.contains("restore");
  state.has_leftovers = lines.contains("leftover");
  state.service_active = lines["service"] == "active";
  state.service_busy = lines.contains("service-job");
  EDGETRUST_TRY_ASSIGN(state.invocation, read_invocation(lines["invocation"]));
  EDGETRUST_TRY(read_clock(lines, asked, answered, state));
  read_time_servers(lines, state);
  read_anchors(lines, state);
  state.machine_id = from_hex(lines["machine"]) ? lines["machine"] : std::string{};
  return state;
}

}  // namespace edgetrust::ssh
