#pragma once
// One connection of the server, from accept to close. All of it runs on the server's one I/O thread; only the handler
// runs elsewhere. It keeps itself alive by the operation it waits for: when there is none, it is gone and closed.
#include "edgetrust/http/server.hpp"

#include <mutex>
#include <utility>  // before asio, which on g++ 12 uses std::exchange without including it
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace edgetrust::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void abort() = 0;  // I/O thread: closes the socket, which ends every wait for it, and hears no channel
};

// Which connections there are: counted when one is accepted, closed when the server ends.
class Connections {
 public:
  void enter(Connection* connection) {
    const std::lock_guard lock(mutex_);
    open_.push_back(connection);
  }
  void leave(Connection* connection) {
    const std::lock_guard lock(mutex_);
    std::erase(open_, connection);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  void abort_all() {
    const std::lock_guard lock(mutex_);
    for (auto* connection : open_) connection->abort();
  }
  void abort_oldest() {
    const std::lock_guard lock(mutex_);
    if (open_.empty()) return;
    open_.front()->abort();
    open_.erase(open_.begin());  // it goes when it hears of it, and counts no longer
  }

 private:
  std::mutex mutex_;
  std::vector<Connection*> open_;  // in the order in which they came
};

// What the sessions of a server share. Destroyed bottom-up: the I/O context takes the waiting sessions with it.
struct ServerShared {
  ServerOptions options;
  Handler handler;
  Connections connections;
  asio::ssl::context tls{asio::ssl::context::tls_server};
  asio::io_context io{1};
  asio::thread_pool handlers;

  ServerShared(ServerOptions o, Handler h)
      : options(std::move(o)), handler(std::move(h)), handlers(static_cast<std::size_t>(options.threads)) {}
};

ServerRequest to_request(wire::request<wire::string_body>&& message);
wire::response<wire::string_body> to_message(Response&& response, bool keep_alive, bool head);
// The head of a stream of events, which ends with the connection.
wire::response<wire::empty_body> to_stream_head(const Response& response);
Answer call(const Handler& handler, const ServerRequest& request) noexcept;
// The status that says why a request could not be read; 0 when the connection broke or the time ran out.
int refusal_of(beast::error_code error);

template <class Stream>
class Session final : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... Args>
  explicit Session(ServerShared& shared, Args&&... args) : shared_(shared), stream_(std::forward<Args>(args)...) {
    shared_.connections.enter(this);
  }
  ~Session() override {
    leave_channel();
    shared_.connections.leave(this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;

  void abort() override {
    leave_channel();
    lowest().close();
  }

  void start() {
    expires(shared_.options.request_timeout);
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](beast::error_code error) {
        if (!error) self->read_request();
      });
    } else {
      read_request();
    }
  }

 private:
  auto self() { return this->shared_from_this(); }
  PlainStream& lowest() { return beast::get_lowest_layer(stream_); }
  void expires(std::chrono::milliseconds after) { lowest().expires_after(after); }

  // Between two requests: silence is bounded by another limit than a request that has begun.
  void wait_for_request() {
    if (buffer_.size() > 0) return begin_request();
    expires(shared_.options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(kReadSize), [self = self()](beast::error_code error, std::size_t size) {
      if (error) return;
      self->buffer_.commit(size);
      self->begin_request();
    });
  }

  void begin_request() {
    expires(shared_.options.request_timeout);
    read_request();
  }

  void read_request() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(shared_.options.max_body);
    wire::async_read(stream_, buffer_, *parser_,
                     [self = self()](beast::error_code error, std::size_t /*size*/) { self->on_request(error); });
  }

  void on_request(beast::error_code error) {
    if (error) {
      if (const int status = refusal_of(error); status != 0) refuse(status);
      return;
    }
    lowest().expires_never();
    keep_alive_ = parser_->get().keep_alive() && !shared_.options.is_public;
    head_ = parser_->get().method() == wire::verb::head;
    asio::post(shared_.handlers, [self = self(), request = to_request(parser_->release())]() mutable {
      Answer answer = call(self->shared_.handler, request);
      auto& io = self->shared_.io;
      asio::post(io,
                 [self = std::move(self), answer = std::move(answer)]() mutable { self->answer(std::move(answer)); });
    });
  }

  void answer(Answer&& response) {
    if (response.status == 0) return;
    if (response.events && !head_) return stream(std::move(response));
    write(to_message(std::move(response), keep_alive_, head_), [](Session& session) {
      if (session.keep_alive_) return session.wait_for_request();
      session.close();
    });
  }

  // --- a stream of events, until the client goes

  void stream(Answer&& answer) {
    stream_head_.emplace(to_stream_head(answer));
    events_ = std::move(answer.events);
    expires(shared_.options.request_timeout);
    wire::async_write(stream_, *stream_head_, [self = self()](beast::error_code error, std::size_t) {
      if (error) return self->hang_up();
      if (self->events_) self->listen();
    });
  }

  void listen() {
    lowest().expires_never();
    events_->on_word([weak = this->weak_from_this(), &io = shared_.io] {
      asio::post(io, [weak] {
        if (const auto session = weak.lock()) session->speak();
      });
    });
    watch_for_end();
    beat();
    speak();
  }

  // Nothing more is asked on this connection: what comes is its end, or thrown away.
  void watch_for_end() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadSize), [self = self()](beast::error_code error, std::size_t) {
      if (!error) return self->watch_for_end();
      self->hang_up();
    });
  }

  // After that no word of the channel reaches the I/O context: the server may end.
  void leave_channel() { events_.reset(); }

  void hang_up() {
    heartbeat_.cancel();
    abort();
  }

  // Without it nobody would know of a client that went without a word.
  void beat() {
    heartbeat_.expires_after(shared_.options.event_heartbeat);
    heartbeat_.async_wait([self = self()](beast::error_code error) {
      if (error || !self->events_) return;
      if (!self->speaking_) self->send(":\n\n");
      self->beat();
    });
  }

  void speak() {
    if (speaking_ || !events_) return;
    std::string event = events_->next();
    if (!event.empty()) send(std::move(event));
  }

  void send(std::string text) {
    speaking_ = true;
    said_ = std::move(text);
    deadline_.expires_after(shared_.options.request_timeout);
    deadline_.async_wait([self = self()](beast::error_code error) {
      if (!error) self->hang_up();
    });
    asio::async_write(stream_, asio::buffer(said_), [self = self()](beast::error_code error, std::size_t) {
      self->deadline_.cancel();
      if (error) return self->hang_up();
      self->speaking_ = false;
      self->speak();
    });
  }

  // Some of the request is still unread. Closing now would reset the connection, and the answer could be lost with it:
  // say that no more is sent, and read what comes for a moment.
  void refuse(int status) {
    Response response{.status = status};
    write(to_message(std::move(response), false, false), [](Session& session) {
      beast::error_code ignored;
      session.lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      session.expires(kLinger);
      session.drain();
    });
  }

  void drain() {
    buffer_.clear();
    lowest().async_read_some(buffer_.prepare(kReadSize), [self = self()](beast::error_code error, std::size_t) {
      if (!error) self->drain();
    });
  }

  template <class Then>
  void write(wire::response<wire::string_body> message, Then then) {
    expires(shared_.options.request_timeout);
    message_.emplace(std::move(message));
    wire::async_write(stream_, *message_, [self = self(), then](beast::error_code error, std::size_t) {
      if (!error) then(*self);
    });
  }

  void close() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      expires(kLinger);
      stream_.async_shutdown([self = self()](beast::error_code) {});
    } else {
      beast::error_code ignored;
      lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    }
  }

  static constexpr std::size_t kReadSize = 4096;
  static constexpr std::uint32_t kMaxHeader = 16 * 1024;
  static constexpr std::chrono::milliseconds kLinger{1000};

  ServerShared& shared_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<wire::request_parser<wire::string_body>> parser_;
  std::optional<wire::response<wire::string_body>> message_;
  std::optional<wire::response<wire::empty_body>> stream_head_;
  std::shared_ptr<EventListener> events_;
  std::string said_;  // what is being sent
  bool speaking_ = false;
  asio::steady_timer heartbeat_{shared_.io};
  asio::steady_timer deadline_{shared_.io};  // of what is being sent: the stream's own counts the read as well
  bool keep_alive_ = false;
  bool head_ = false;
};

}  // namespace edgetrust::http
