#include "edgetrust/audit/sink.hpp"

#include "edgetrust/audit/chain.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/json/value.hpp"
#include "volume_thread.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace edgetrust::audit {
namespace {

std::optional<Sink::Pending> pending_in(const std::string& line) {
  const auto document = json::Document::parse(line);
  const auto at = document ? parse_rfc3339(document->root()["at"].string_or("")) : Result<TimePoint>(TimePoint{});
  const auto sequence = document ? document->root()["sequence"].integer() : std::nullopt;
  if (!at || !sequence || *sequence < 1) return std::nullopt;
  return Sink::Pending{.sequence = static_cast<std::uint64_t>(*sequence), .at = *at};
}

std::string cursor_of(const std::string& log_path) { return log_path + ".sent"; }

}  // namespace

Result<http::Request> cloud_event(std::string_view line, const http::Url& endpoint, const Secret& key) {
  const auto document = json::Document::parse(line);
  if (!document || !follow(line, nullptr)) return fail(ErrorKind::kInvalid, "it is no record");
  const json::View record = document->root();
  const json::Value event{{"specversion", "1.0"},
                          {"id", record["hash"].string_or("")},
                          {"source", "/edgetrust/" + record["operator"].string_or("")},
                          {"type", "io.edgetrust.audit." + record["action"].string_or("")},
                          {"subject", record["kind"].string_or("") + "/" + record["namespace"].string_or("") + "/" +
                                          record["name"].string_or("")},
                          {"time", record["at"].string_or("")},
                          {"datacontenttype", "application/json"},
                          {"data", json::to_value(record)}};
  http::Request request{.method = http::Method::kPost, .url = endpoint, .body = json::dump(event), .name = "record"};
  EDGETRUST_TRY_ASSIGN(const std::string mac, crypto::hmac(crypto::Hash::kSha256, key, request.body));
  request.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                     {"Edgetrust-Signature", "sha256=" + to_hex(mac)}};
  return request;
}

Sink::Sink(Options options, std::shared_ptr<http::Transport> transport, const Clock& clock)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      clock_(clock),
      pause_(options_.first_pause),
      volume_(std::make_unique<VolumeThread>(options_.patience)) {}

Sink::~Sink() { stop(); }

void Sink::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

void Sink::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Sink::wake() {
  {
    const std::lock_guard lock(mutex_);
    more_ = true;
  }
  changed_.notify_all();
}

std::uint64_t Sink::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

std::optional<Sink::Pending> Sink::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

// Missing or unreadable: the beginning, and all is sent again; whoever takes it knows a record by its hash.
Sink::Place Sink::place_in(const std::string& path) {
  std::ifstream in(path);
  Place place;
  if (in >> place.begin >> place.end >> place.sha256 && place.begin >= 0 && place.begin < place.end) return place;
  return {};
}

Status Sink::keep(const Place& place, const std::string& path) {
  const std::string fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << place.begin << ' ' << place.end << ' ' << place.sha256 << '\n';
    if (!out.flush()) return fail(ErrorKind::kUnavailable, fresh + " cannot be written");
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail(ErrorKind::kUnavailable, path + " cannot be replaced");
  return {};
}

// Where to go on: behind that line, or at the beginning where it does not stand there. Then another log has taken the
// place of the one that was handed over.
std::int64_t Sink::position_after(const Place& place, std::istream& log) {
  if (place.sha256.empty()) return 0;
  log.seekg(place.begin);
  std::string line;
  const bool stands = std::getline(log, line) && !log.eof() && log.tellg() == std::streamoff{place.end} &&
                      to_hex(crypto::sha256(line)) == place.sha256;
  log.clear();
  return stands ? place.end : 0;
}

// Some of the whole lines behind that place; one without its newline is still being written.
Result<std::vector<Sink::Line>> Sink::lines_after(const Place& place, const std::string& path) {
  constexpr std::size_t kMost = 100;
  std::ifstream log(path, std::ios::binary);
  if (!log) return fail(ErrorKind::kUnavailable, path + " cannot be read");
  std::int64_t position = position_after(place, log);
  log.seekg(position);
  std::vector<Line> lines;
  for (std::string text; lines.size() < kMost && std::getline(log, text) && !log.eof();) {
    const std::int64_t end = position + static_cast<std::int64_t>(text.size()) + 1;
    lines.push_back({.begin = position, .end = end, .text = std::move(text)});
    position = end;
  }
  return lines;
}

void Sink::loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return more_; })) return;
      more_ = false;
    }
    Wish wish;
    const Status handed = hand_over(stop, wish);
    if (handed || stop.stop_requested()) continue;
    if (options_.failed) options_.failed(within("audit sink", handed.error()));
    std::unique_lock lock(mutex_);
    more_ = true;  // the same again, after the pause
    changed_.wait_for(lock, stop, wish ? std::max<std::chrono::milliseconds>(*wish, pause_) : pause_,
                      [] { return false; });
    pause_ = std::min(2 * pause_, options_.longest_pause);
  }
}

// All that stands in the log by now.
Status Sink::hand_over(const std::stop_token& stop, Wish& wish) {
  const std::string& path = options_.log_path;
  const auto silent = [&] { return fail(ErrorKind::kUnavailable, "the volume of " + path + " does not answer"); };
  if (!place_) place_ = volume_->answer([path] { return place_in(cursor_of(path)); });
  if (!place_) return silent();
  while (!stop.stop_requested()) {
    auto lines = volume_->answer([path, place = *place_] { return lines_after(place, path); });
    if (!lines) return silent();
    if (!*lines) return fail(lines->error());
    if ((*lines)->empty()) return {};
    for (const Line& line : **lines) {
      const bool is_record = follow(line.text, nullptr).has_value();  // one that was cut is passed over
      if (is_record) {
        {
          const std::lock_guard lock(mutex_);
          pending_ = pending_in(line.text);
        }
        EDGETRUST_TRY(offer(line.text, stop, wish));
      }
      place_ = {.begin = line.begin, .end = line.end, .sha256 = to_hex(crypto::sha256(line.text))};
      const Status kept =
          volume_->answer([path, place = *place_] { return keep(place, cursor_of(path)); }).value_or(silent());
      if (!kept && options_.failed) options_.failed(within("audit sink", kept.error()));
      if (is_record) took();
    }
  }
  return {};
}

void Sink::took() {
  pause_ = options_.first_pause;
  {
    const std::lock_guard lock(mutex_);
    pending_.reset();
    ++taken_;
  }
  if (options_.took) options_.took();
}

Status Sink::offer(const std::string& line, const std::stop_token& stop, Wish& wish) {
  EDGETRUST_TRY_ASSIGN(const http::Request request, cloud_event(line, options_.endpoint, options_.key));
  EDGETRUST_TRY_ASSIGN(const http::Response answer, transport_->send(request, stop));
  if (answer.ok()) return {};
  wish = http::retry_after(answer.headers, clock_.now());
  if (wish) wish = std::min<std::chrono::seconds>(*wish, std::chrono::hours{1});
  const std::string said = "the endpoint answers " + std::to_string(answer.status);
  switch (answer.status) {
    case 401: return fail(ErrorKind::kUnauthorized, said);
    case 403: return fail(ErrorKind::kForbidden, said);
    case 429: return fail(ErrorKind::kRateLimited, said);
    default: return fail(answer.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kInvalid, said);
  }
}

}  // namespace edgetrust::audit
