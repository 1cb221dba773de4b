#include "front.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "vendor.hpp"

namespace edgetrust::sim {
namespace {

constexpr std::size_t kMostText = 1024;

http::Response planned(const FaultAction& action) {
  const int status = action.status.value_or(200);
  http::Response response = vendor_error(
      {.status = status, .code = std::string(code_for(status)), .message = "Planned by the simulator's control port"});
  if (action.body) response.body = *action.body;
  if (status == 429 && action.headers.empty()) {
    for (const auto& [name, value] :
         {std::pair{"Retry-After", "1"}, std::pair{"inin-ratelimit-count", "301"},
          std::pair{"inin-ratelimit-allowed", "300"}, std::pair{"inin-ratelimit-reset", "1"}}) {
      response.headers.set(name, value);
    }
  }
  return response;
}

void put_context_id(http::Response& response, const std::string& id) {
  constexpr std::string_view kEmpty = R"("contextId":"")";
  if (const auto at = response.body.find(kEmpty); at != std::string::npos) {
    response.body.insert(at + kEmpty.size() - 1, id);
  }
  response.headers.set("ININ-Correlation-Id", id);
}

}  // namespace

void Pause::wait(std::chrono::milliseconds how_long) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, how_long, [&] { return ended_; });
}

void Pause::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

Front::Front(std::string port, FaultTable& faults, Journal& journal, Pause& pause, const Clock& clock, Random& random)
    : port_(std::move(port)), faults_(faults), journal_(journal), pause_(pause), clock_(clock), random_(random) {}

http::Response Front::handle(const http::ServerRequest& request, const Inner& inner) {
  JournalEntry entry{.time = clock_.now(),
                     .port = port_,
                     .method = printable(request.method, 16),
                     .path = printable(request.path, kMostText),
                     .query = printable(request.query, kMostText),
                     .fault = {},
                     .edge_id = {},
                     .fingerprint = {}};
  const FaultAction action = faults_.take(port_, request.method, request.path).value_or(FaultAction{});
  const bool has_fault = action.delay.count() > 0 || action.drop_before || action.commit_then_drop ||
                         action.answers() || !action.headers.empty();
  if (has_fault) entry.fault = action.name();
  if (action.delay.count() > 0) pause_.wait(action.delay);
  Answer answer;
  entry.executed = !action.drop_before && !action.answers();
  if (entry.executed) {
    answer = inner(request);
  } else if (action.answers()) {
    answer.response = planned(action);
  }
  for (const auto& [name, value] : action.headers) answer.response.headers.set(name, value);
  if (action.drop_before || action.commit_then_drop) answer.response = {};  // status 0: no answer
  if (answer.response.status != 0) put_context_id(answer.response, new_correlation_id());
  entry.status = answer.response.status;
  entry.edge_id = std::move(answer.edge_id);
  entry.fingerprint = std::move(answer.fingerprint);
  journal_.add(std::move(entry));
  return std::move(answer.response);
}

std::string Front::new_correlation_id() {  // shaped like a UUID
  const auto word = [](std::uint64_t value) { return to_hex({reinterpret_cast<const char*>(&value), sizeof(value)}); };
  const std::string hex = word(random_.next()) + word(random_.next());
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-4" + hex.substr(13, 3) + "-8" + hex.substr(17, 3) + "-" +
         hex.substr(20, 12);
}

}  // namespace edgetrust::sim
