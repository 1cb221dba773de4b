#pragma once
// The log: one JSON object a line, {"time","level","msg", fields…}. A message is a constant, what varies is a field, so
// that a machine can count messages and find objects.
//
//   log.info("pushed a certificate", {{"object", name}, {"revision", 7}, {"took", elapsed}});
//   const Logger mine = log.with({{"kind", "EdgeCertificate"}, {"name", name}});
//   mine.warn("the push was refused", {{"error", error}});
//
// Called by: everyone. Threads: any; lines come out whole. Errors: none; a sink that throws loses the line. Units:
// durations are written in seconds, times in RFC 3339 with milliseconds, UTC.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/error.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace edgetrust::telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };
std::string_view to_string(Level level);

// Text known when compiling.
class Message {
 public:
  consteval Message(const char* text) : text_(text) {}
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// A field's name, known when compiling; one of the names that every line has does not compile.
class Key {
 public:
  consteval Key(const char* text) : text_(text) {
    if (text_.empty() || text_ == "time" || text_ == "level" || text_ == "msg") throw "this key is taken";
  }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// What a field may hold. Borrows: it lives as long as the statement that logs. Strings are made printable and cut at
// 4 KiB. An Error becomes {"kind","message","code","correlationId","retryAfter","maybeExecuted","where"}, what is empty
// left out. There is no way to make one of a Secret.
class Value {
 public:
  Value(std::string_view text) : value_(text) {}
  Value(const std::string& text) : value_(std::string_view(text)) {}
  Value(const char* text) : value_(std::string_view(text)) {}
  Value(std::same_as<bool> auto flag) : value_(flag) {}
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) Value(T number)
      : value_(std::conditional_t<std::signed_integral<T>, std::int64_t, std::uint64_t>{number}) {}
  Value(std::floating_point auto number) : value_(static_cast<double>(number)) {}
  template <class Rep, class Period>
  Value(std::chrono::duration<Rep, Period> duration)
      : value_(std::chrono::duration_cast<std::chrono::milliseconds>(duration)) {}
  Value(TimePoint time) : value_(time) {}
  Value(const Error& error) : value_(&error) {}

  using Held = std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double, std::chrono::milliseconds,
                            TimePoint, const Error*>;
  [[nodiscard]] const Held& held() const { return value_; }

 private:
  Held value_;
};

struct Field {
  Key key;
  Value value;
};
using Fields = std::initializer_list<Field>;

// Takes one line, its newline included. Called by one thread at a time.
using Sink = std::function<void(std::string_view line)>;
Sink stderr_sink();

class Logger {
 public:
  // The clock outlives the logger and all that come from it.
  Logger(Sink sink, const Clock& clock, Level least = Level::kInfo);

  void debug(Message message, Fields fields = {}) const { write(Level::kDebug, message, fields); }
  void info(Message message, Fields fields = {}) const { write(Level::kInfo, message, fields); }
  void warn(Message message, Fields fields = {}) const { write(Level::kWarn, message, fields); }
  void error(Message message, Fields fields = {}) const { write(Level::kError, message, fields); }
  void write(Level level, Message message, Fields fields) const;

  [[nodiscard]] bool enabled(Level level) const;

  // One that adds these fields to every line, before the line's own. A field of the same name replaces one from above.
  [[nodiscard]] Logger with(Fields fields) const;

 private:
  struct Shared;
  struct Inherited;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<const Inherited> inherited_;
};

}  // namespace edgetrust::telemetry
