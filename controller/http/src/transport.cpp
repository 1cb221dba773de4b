// The real transport: takes a connection, carries one exchange over it, watches the time, keeps the connection.
#include "edgetrust/http/transport.hpp"

#include "failure.hpp"
#include "receiver.hpp"

#include <list>

namespace edgetrust::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Event = Exchange::Event;

constexpr std::size_t kSlack = std::size_t{128} * 1024;  // beside a body: a header, the framing of TLS and of chunks
constexpr std::size_t kMaxIdle = 32;

// Idle connections, the last used at the back. The library closes those that stay idle for a minute.
class Pool {
 public:
  std::unique_ptr<Client> take(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    for (auto entry = idle_.rbegin(); entry != idle_.rend(); ++entry) {
      if (entry->origin != origin) continue;
      auto client = std::move(entry->client);
      idle_.erase(std::next(entry).base());
      return client;
    }
    return nullptr;
  }
  void put(const std::string& origin, std::unique_ptr<Client> client) {
    const std::lock_guard lock(mutex_);
    idle_.push_back({origin, std::move(client)});
    if (idle_.size() > kMaxIdle) idle_.pop_front();
  }

 private:
  struct Idle {
    std::string origin;
    std::unique_ptr<Client> client;
  };
  std::mutex mutex_;
  std::list<Idle> idle_;
};

// An exchange under way; when it is left before its end, the connection is closed.
class Call {
 public:
  Call(Pool& pool, std::unique_ptr<Client> client, const Url& origin)
      : pool_(pool), client_(std::move(client)), origin_(origin) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  Call(Call&&) = delete;
  Call& operator=(Call&&) = delete;
  ~Call() { give_up(); }

  Status start(const Request& request, std::size_t allowed) {
    EDGETRUST_TRY(client_->start(request, allowed, exchange_));
    running_ = true;
    return {};
  }

  // The next event that is no failure. `limit` is what a timeout's message says; `silence` how.
  Result<Event> next(Clock::time_point deadline, const std::stop_token& stop, milliseconds limit,
                     bool silence = false) {
    const Event event = exchange_->next(deadline, stop);
    switch (event) {
      case Event::kHead:
      case Event::kPiece: return event;
      case Event::kEnd:
        running_ = false;
        pool_.put(origin_.origin(), std::move(client_));
        return event;
      case Event::kBroken: running_ = false; return fail(explain_broken(exchange_->take_broken(), *client_, origin_));
      case Event::kTimeout: give_up(); return fail(explain_timeout(*client_, origin_, limit, silence));
      case Event::kStopped: break;
    }
    give_up();
    return cancelled(client_->may_have_sent());
  }

  Exchange& exchange() { return *exchange_; }
  [[nodiscard]] bool was_stale() const { return client_ && client_->link().stale; }

  static tl::unexpected<Error> cancelled(bool maybe_executed) {
    Error error = fail(ErrorKind::kCancelled, "asked to stop").value();
    error.maybe_executed = maybe_executed;
    return tl::unexpected<Error>(std::move(error));
  }

 private:
  void give_up() {
    if (!std::exchange(running_, false)) return;
    client_->cancel();
    exchange_->abandon();
  }

  Pool& pool_;
  std::unique_ptr<Client> client_;
  const Url& origin_;
  std::shared_ptr<Exchange> exchange_ = std::make_shared<Exchange>();
  bool running_ = false;
};

class PooledTransport final : public Transport {
 public:
  explicit PooledTransport(std::shared_ptr<const TlsClient> tls) : tls_(std::move(tls)) {}
  ~PooledTransport() override { activity_->wait_none(); }
  PooledTransport(const PooledTransport&) = delete;
  PooledTransport& operator=(const PooledTransport&) = delete;
  PooledTransport(PooledTransport&&) = delete;
  PooledTransport& operator=(PooledTransport&&) = delete;

  Result<Response> send(const Request& request, std::stop_token stop) override {
    return exchange(request, request.max_body, stop, [&](Call& call, Clock::time_point deadline) {
      return receive_body(call, request, deadline, stop);
    });
  }

  Result<Response> stream(const Request& request, milliseconds idle, std::size_t max_line,
                          const std::function<bool(std::string_view line)>& on_line, std::stop_token stop) override {
    return exchange(request, std::max(request.max_body, max_line), stop, [&](Call& call, Clock::time_point deadline) {
      return receive_lines(call, request, deadline, idle, LineReceiver(request.url, max_line, on_line), stop);
    });
  }

 private:
  // Ends: each round uses up one idle connection, and a fresh one is never stale.
  template <class Receive>
  Result<Response> exchange(const Request& request, std::size_t largest, const std::stop_token& stop, Receive receive) {
    EDGETRUST_TRY(check_request(request));
    const auto deadline = Clock::now() + request.timeout;
    while (!stop.stop_requested()) {
      auto client = pool_.take(request.url.origin());
      if (!client) {
        EDGETRUST_TRY_ASSIGN(client, make_client(request.url, tls_, activity_));
      }
      Call call(pool_, std::move(client), request.url);
      EDGETRUST_TRY(call.start(request, largest + kSlack));
      auto response = receive(call, deadline);
      if (response || !call.was_stale()) return response;
    }
    return Call::cancelled(false);
  }

  static Result<Response> receive_body(Call& call, const Request& request, Clock::time_point deadline,
                                       const std::stop_token& stop, std::optional<Response> known_head = std::nullopt) {
    Response response;
    BodyReceiver body(request.url, request.max_body);
    if (known_head) {
      response = std::move(*known_head);
      EDGETRUST_TRY(body.head(response));
    }
    for (;;) {
      EDGETRUST_TRY_ASSIGN(const Event event, call.next(deadline, stop, request.timeout));
      if (event == Event::kEnd) break;
      if (event == Event::kPiece) {
        EDGETRUST_TRY(body.piece(call.exchange().take_piece()));
        continue;
      }
      response = call.exchange().take_head();
      EDGETRUST_TRY(check_head(response, request.url));
      if (request.method != Method::kHead) EDGETRUST_TRY(body.head(response));
    }
    response.body = body.take();
    return response;
  }

  static Result<Response> receive_lines(Call& call, const Request& request, Clock::time_point deadline,
                                        milliseconds idle, LineReceiver lines, const std::stop_token& stop) {
    EDGETRUST_TRY_ASSIGN(const Event first, call.next(deadline, stop, request.timeout));
    static_cast<void>(first);  // a head comes first, always
    Response head = call.exchange().take_head();
    EDGETRUST_TRY(check_head(head, request.url));
    if (!head.ok()) return receive_body(call, request, deadline, stop, std::move(head));
    for (;;) {
      EDGETRUST_TRY_ASSIGN(const Event event, call.next(Clock::now() + idle, stop, idle, true));
      if (event == Event::kEnd) break;
      EDGETRUST_TRY_ASSIGN(const bool more, lines.piece(call.exchange().take_piece()));
      if (!more) return head;
    }
    lines.end();
    return head;
  }

  std::shared_ptr<const TlsClient> tls_;
  std::shared_ptr<Activity> activity_ = std::make_shared<Activity>();
  Pool pool_;
};

}  // namespace

Result<std::shared_ptr<Transport>> make_transport(TlsOptions options) {
  initialize();
  EDGETRUST_TRY_ASSIGN(auto tls, TlsClient::create(options));
  return std::make_shared<PooledTransport>(std::move(tls));
}

}  // namespace edgetrust::http
