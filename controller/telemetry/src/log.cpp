#include "edgetrust/telemetry/log.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <vector>

namespace edgetrust::telemetry {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMillisecondsEnd = std::string_view("2027-01-03T02:00:00.000").size();

std::string rfc3339_milliseconds(TimePoint time) {
  return format_rfc3339_micro(time).substr(0, kMillisecondsEnd) + "Z";
}

double seconds(std::chrono::milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

json::Value to_json(const Error& error) {
  json::Value value = {{"kind", to_string(error.kind)}, {"message", printable(error.message(), kMaxText)}};
  if (!error.code.empty()) value["code"] = printable(error.code, kMaxText);
  if (!error.correlation_id.empty()) value["correlationId"] = printable(error.correlation_id, kMaxText);
  if (error.retry_after) value["retryAfter"] = error.retry_after->count();
  if (error.maybe_executed) value["maybeExecuted"] = true;
  value["where"] = std::string(error.where.file_name()) + ":" + std::to_string(error.where.line());
  return value;
}

struct ToJson {
  json::Value operator()(std::string_view text) const { return printable(text, kMaxText); }
  json::Value operator()(std::chrono::milliseconds duration) const { return seconds(duration); }
  json::Value operator()(TimePoint time) const { return rfc3339_milliseconds(time); }
  json::Value operator()(const Error* error) const { return to_json(*error); }
  json::Value operator()(auto plain) const { return plain; }
};

// A field as it will stand in a line.
struct Rendered {
  std::string_view key;  // a literal
  std::string value;
};

Rendered render(const Field& field) { return {field.key.text(), json::dump(std::visit(ToJson{}, field.value.held()))}; }

void add(std::vector<Rendered>& fields, Rendered field) {
  std::erase_if(fields, [&](const Rendered& known) { return known.key == field.key; });
  fields.push_back(std::move(field));
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  return "error";
}

struct Logger::Shared {
  Sink sink;
  const Clock& clock;
  Level least;
  std::mutex mutex;
};

struct Logger::Inherited {
  std::vector<Rendered> fields;
};

Sink stderr_sink() {
  return [](std::string_view line) { (void)std::fwrite(line.data(), 1, line.size(), stderr); };
}

Logger::Logger(Sink sink, const Clock& clock, Level least)
    : shared_(new Shared{.sink = std::move(sink), .clock = clock, .least = least, .mutex = {}}),
      inherited_(std::make_shared<const Inherited>()) {}

bool Logger::enabled(Level level) const { return level >= shared_->least; }

void Logger::write(Level level, Message message, Fields fields) const {
  if (!enabled(level)) return;
  std::vector<Rendered> all = inherited_->fields;
  for (const Field& field : fields) add(all, render(field));
  std::string line = "{\"time\":\"" + rfc3339_milliseconds(shared_->clock.now()) + "\",\"level\":\"" +
                     std::string(to_string(level)) + "\",\"msg\":" + json::dump(printable(message.text(), kMaxText));
  for (const auto& [key, value] : all) line += "," + json::dump(std::string(key)) + ":" + value;
  line += "}\n";
  const std::lock_guard lock(shared_->mutex);
  try {
    shared_->sink(line);
  } catch (...) {
    // Nobody is left to be told; work goes on without the line.
  }
}

Logger Logger::with(Fields fields) const {
  auto inherited = std::make_shared<Inherited>(*inherited_);
  for (const Field& field : fields) add(inherited->fields, render(field));
  Logger child = *this;
  child.inherited_ = std::move(inherited);
  return child;
}

}  // namespace edgetrust::telemetry
