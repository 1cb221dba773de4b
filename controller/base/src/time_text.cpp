#include "edgetrust/base/time_text.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

namespace edgetrust {
namespace {

using std::chrono::milliseconds;

// Reads digits and fixed characters from the front of a text; after the first mismatch everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    if (rest_.size() < count) return failed();
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return failed();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  void expect(std::string_view text) {
    if (rest_.substr(0, text.size()) != text) {
      failed();
      return;
    }
    rest_.remove_prefix(text.size());
  }
  bool accept(std::string_view any_of) {
    if (!ok_ || rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    last_ = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] char last() const { return last_; }
  int failed() {
    ok_ = false;
    return 0;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
  char last_ = '\0';
};

std::optional<TimePoint> make_time(int year, int month, int day, int hour, int minute, int second) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  // A leap second (":60", RFC 3339 section 5.7) is read as the second after it.
  if (!date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return TimePoint{sys_days{date} + hours{hour} + minutes{minute} + seconds{second}};
}

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<milliseconds> time;
};
Parts parts_of(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day{day}, std::chrono::hh_mm_ss<milliseconds>{time - day}};
}

std::string format_with(TimePoint time, bool micro) {
  const Parts p = parts_of(time);
  std::array<char, 64> buffer{};
  const int n = std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                              static_cast<int>(p.date.year()), static_cast<unsigned>(p.date.month()),
                              static_cast<unsigned>(p.date.day()), static_cast<int>(p.time.hours().count()),
                              static_cast<int>(p.time.minutes().count()), static_cast<int>(p.time.seconds().count()));
  std::string text(buffer.data(), static_cast<std::size_t>(n));
  if (micro) {
    const int m =
        std::snprintf(buffer.data(), buffer.size(), ".%06d", static_cast<int>(p.time.subseconds().count()) * 1000);
    text.append(buffer.data(), static_cast<std::size_t>(m));
  }
  return text + "Z";
}

}  // namespace

Result<TimePoint> parse_rfc3339(std::string_view text) {
  Scanner in(text);
  const int year = in.digits(4);
  in.expect("-");
  const int month = in.digits(2);
  in.expect("-");
  const int day = in.digits(2);
  if (!in.accept("Tt ")) in.failed();
  const int hour = in.digits(2);
  in.expect(":");
  const int minute = in.digits(2);
  in.expect(":");
  const int second = in.digits(2);
  int millis = 0;
  if (in.accept(".")) {
    int scale = 100;
    bool any = false;
    while (in.accept("0123456789")) {
      millis += (in.last() - '0') * scale;
      scale /= 10;
      any = true;
    }
    if (!any) in.failed();
  }
  int offset_minutes = 0;
  if (in.accept("+-")) {
    const int sign = in.last() == '+' ? 1 : -1;
    const int offset_hours = in.digits(2);
    in.expect(":");
    offset_minutes = sign * (offset_hours * 60 + in.digits(2));
  } else if (!in.accept("Zz")) {
    in.failed();
  }
  const auto time = make_time(year, month, day, hour, minute, second);
  if (!in.ok() || !in.rest().empty() || !time) {
    return fail(ErrorKind::kInvalid, "not an RFC 3339 time such as 2027-01-03T02:00:00Z");
  }
  return *time + milliseconds{millis} - std::chrono::minutes{offset_minutes};
}

std::string format_rfc3339(TimePoint time) { return format_with(time, false); }
std::string format_rfc3339_micro(TimePoint time) { return format_with(time, true); }

Result<TimePoint> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto bad = [] { return fail(ErrorKind::kInvalid, "not an HTTP date"); };
  const auto comma = text.find(", ");
  if (comma != 3) return bad();
  Scanner in(text.substr(5));
  const int day = in.digits(2);
  in.expect(" ");
  int month = 0;
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (in.rest().substr(0, 3) == kMonths.at(i)) month = static_cast<int>(i) + 1;
  }
  if (month == 0) return bad();
  in.expect(kMonths.at(static_cast<std::size_t>(month) - 1));
  in.expect(" ");
  const int year = in.digits(4);
  in.expect(" ");
  const int hour = in.digits(2);
  in.expect(":");
  const int minute = in.digits(2);
  in.expect(":");
  const int second = in.digits(2);
  in.expect(" GMT");
  const auto time = make_time(year, month, day, hour, minute, second);
  if (!in.ok() || !in.rest().empty() || !time) return bad();
  return *time;
}

Result<milliseconds> parse_duration(std::string_view text) {
  const auto bad = [] { return fail(ErrorKind::kInvalid, "not a duration such as 90s, 2h or 1h30m"); };
  if (text == "0") return milliseconds{0};
  if (text.empty() || text.size() > 32) return bad();
  double total = 0;
  while (!text.empty()) {
    double value = 0;
    double scale = 0;  // 0 until the decimal point
    std::size_t used = 0;
    bool digit = false;
    for (; used < text.size(); ++used) {
      const char c = text[used];
      if (c == '.' && scale == 0) {
        scale = 1;
      } else if (c >= '0' && c <= '9') {
        digit = true;
        if (scale == 0) {
          value = value * 10 + (c - '0');
        } else {
          scale /= 10;
          value += (c - '0') * scale;
        }
      } else {
        break;
      }
    }
    text.remove_prefix(used);
    if (!digit) return bad();
    double unit = 0;
    if (text.starts_with("ms")) {
      unit = 1;
      text.remove_prefix(2);
    } else if (text.starts_with("h")) {
      unit = 3'600'000;
      text.remove_prefix(1);
    } else if (text.starts_with("m")) {
      unit = 60'000;
      text.remove_prefix(1);
    } else if (text.starts_with("s")) {
      unit = 1000;
      text.remove_prefix(1);
    } else {
      return bad();
    }
    total += value * unit;
  }
  constexpr double kHundredYears = 100.0 * 365 * 24 * 3'600'000;
  if (total > kHundredYears) return fail(ErrorKind::kInvalid, "the duration is longer than 100 years");
  return milliseconds{std::llround(total)};
}

std::string format_duration(milliseconds duration) {
  if (duration == milliseconds::zero()) return "0s";
  const auto total = duration.count();
  const auto hours = total / 3'600'000;
  const auto minutes = total / 60'000 % 60;
  const auto seconds = total / 1000 % 60;
  const auto millis = total % 1000;
  std::string text;
  if (hours != 0) text += std::to_string(hours) + "h";
  if (minutes != 0) text += std::to_string(minutes) + "m";
  if (seconds != 0) text += std::to_string(seconds) + "s";
  if (millis != 0) text += std::to_string(millis) + "ms";
  return text;
}

}  // namespace edgetrust
