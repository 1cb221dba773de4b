#include "edgetrust/audit/sink.hpp"

#include "edgetrust/audit/chain.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace edgetrust::audit {
namespace {

// The octets of the log that were taken. Missing or unreadable: none, and all is sent again; whoever takes it knows a
// record by its hash.
std::int64_t position_in(const std::string& path) {
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  return error == std::errc{} && position >= 0 ? position : 0;
}

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
      thread_([this](const std::stop_token& stop) { loop(stop); }) {}

Sink::~Sink() {
  thread_.request_stop();
  thread_.join();
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

void Sink::loop(const std::stop_token& stop) {
  std::int64_t position = position_in(cursor_of(options_.log_path));
  auto pause = options_.first_pause;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return more_; })) return;
      more_ = false;
    }
    std::ifstream log(options_.log_path, std::ios::binary);
    log.seekg(position);
    std::string line;
    while (std::getline(log, line) && !log.eof()) {  // a line without its newline is still being written
      const std::int64_t behind = position + static_cast<std::int64_t>(line.size()) + 1;
      std::optional<std::chrono::seconds> wish;
      {
        const std::lock_guard lock(mutex_);
        pending_ = pending_in(line);
      }
      Status taken = offer(line, stop, wish);
      if (!taken) {
        if (stop.stop_requested()) return;
        if (options_.failed) options_.failed(within("audit sink", taken.error()));
        std::unique_lock lock(mutex_);
        more_ = true;  // this one, after the pause
        changed_.wait_for(lock, stop, wish ? std::max<std::chrono::milliseconds>(*wish, pause) : pause,
                          [] { return false; });
        pause = std::min(2 * pause, options_.longest_pause);
        break;
      }
      position = behind;
      pause = options_.first_pause;
      if (const Status kept = remember(position); !kept && options_.failed)
        options_.failed(within("audit sink", kept.error()));
      if (options_.took) options_.took();
      const std::lock_guard lock(mutex_);
      pending_.reset();
      ++taken_;
    }
  }
}

// Lines that are no records (one was cut by a crash) are passed over.
Status Sink::offer(const std::string& line, const std::stop_token& stop, std::optional<std::chrono::seconds>& wish) {
  auto request = cloud_event(line, options_.endpoint, options_.key);
  if (!request) return {};
  EDGETRUST_TRY_ASSIGN(const http::Response answer, transport_->send(*request, stop));
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

Status Sink::remember(std::int64_t offset) const {
  const std::string path = cursor_of(options_.log_path);
  const std::string fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << offset << "\n";
    if (!out.flush()) return fail(ErrorKind::kUnavailable, fresh + " cannot be written");
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail(ErrorKind::kUnavailable, path + " cannot be replaced");
  return {};
}

}  // namespace edgetrust::audit
