// The one file that sees cpprestsdk. Its rules (2.10.18, read in its source and tried):
// - One thread runs all of its sockets, so its unguarded close() has nothing to race with; that thread never waits.
// - A body is a stream that cannot be rewound, and every request but GET and HEAD has one, if empty: the library sends
//   a request again when a pooled connection dies under it, unless it would have to rewind.
// - A pooled connection is looked at before it is used: closed or with something unasked for in it, it is given up
// while
//   it is still certain that nothing was sent.
// - A failed task that nobody looks at ends the process: every chain ends with a continuation that catches all.
// - It reads the size of a chunk as a signed number, and would hand over as much as a negative one becomes: before that
//   it tells its progress handler the total, which is looked at.
// - Its timeout is only one of silence: time is kept by the caller, who cancels.
#include "client.hpp"

#include <cstdlib>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>  // before asio, which on g++ 12 uses std::exchange without including it

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cpprest/astreambuf.h>
#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <poll.h>
#include <pplx/threadpool.h>

namespace edgetrust::http {
namespace {

namespace streams = concurrency::streams;
using boost::asio::ip::tcp;
using Octet = std::uint8_t;
using web::http::http_request;
using web::http::http_response;

// Longer than any exchange: see above.
constexpr std::chrono::hours kLibraryTimeout{24 * 365};

auto& library_thread() { return crossplat::threadpool::shared_instance().service(); }

// Takes what arrives into the exchange, and holds the library back while that is full.
class Sink final : public streams::details::streambuf_state_manager<Octet> {
 public:
  explicit Sink(std::shared_ptr<Exchange> exchange)
      : streambuf_state_manager(std::ios_base::out), exchange_(std::move(exchange)) {}

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  std::size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(std::size_t, std::ios_base::openmode) override {}
  std::size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode) const override { return pos_type(-1); }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return pos_type(-1); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override { return pos_type(-1); }
  bool acquire(Octet*& pointer, std::size_t& count) override {
    pointer = nullptr;
    count = 0;
    return false;
  }
  void release(Octet*, std::size_t) override {}

 protected:
  pplx::task<std::size_t> _putn(const Octet* octets, std::size_t count) override {
    const pplx::task_completion_event<std::size_t> taken;
    exchange_->put({reinterpret_cast<const char*>(octets), count}, [taken, count] { taken.set(count); });
    return pplx::create_task(taken);
  }
  pplx::task<int_type> _putc(Octet octet) override {
    return _putn(&octet, 1).then([octet](std::size_t) { return static_cast<int_type>(octet); });
  }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  // It is only written to.
  pplx::task<int_type> _bumpc() override { return nothing(); }
  pplx::task<int_type> _getc() override { return nothing(); }
  pplx::task<int_type> _nextc() override { return nothing(); }
  pplx::task<int_type> _ungetc() override { return nothing(); }
  pplx::task<std::size_t> _getn(Octet*, std::size_t) override { return pplx::task_from_result<std::size_t>(0); }
  int_type _sbumpc() override { return traits::eof(); }
  int_type _sgetc() override { return traits::eof(); }
  std::size_t _scopy(Octet*, std::size_t) override { return 0; }
  Octet* _alloc(std::size_t) override { return nullptr; }
  void _commit(std::size_t) override {}

 private:
  static pplx::task<int_type> nothing() { return pplx::task_from_result<int_type>(traits::eof()); }
  std::shared_ptr<Exchange> exchange_;
};

streams::istream body_stream(const std::string& body) {
  streams::producer_consumer_buffer<Octet> buffer;                                     // cannot be rewound
  buffer.putn_nocopy(reinterpret_cast<const Octet*>(body.data()), body.size()).get();  // unbounded: done at once
  buffer.close(std::ios_base::out).get();
  return buffer.create_istream();
}

http_request to_message(const Request& request, const std::shared_ptr<Link>& link,
                        const std::shared_ptr<Exchange>& exchange) {
  http_request message(std::string(to_string(request.method)));
  message.set_request_uri(web::uri(request.url.target));
  if (request.method != Method::kGet && request.method != Method::kHead) {
    message.set_body(body_stream(request.body), request.body.size());
    message.headers().remove("Content-Type");  // the library's guess
  }
  for (const auto& [name, value] : request.headers.fields()) message.headers().add(name, value);
  if (!request.headers.get("User-Agent")) message.headers().add("User-Agent", "edgetrust");
  message.set_response_stream(streams::ostream(streams::streambuf<Octet>(std::make_shared<Sink>(exchange))));
  // What it throws becomes the exchange's error.
  message.set_progress_handler([link](web::http::message_direction::direction way, utility::size64_t total) {
    if (way == web::http::message_direction::upload)
      link->sent = true;
    else if (!link->downloaded(total))
      throw std::runtime_error("Invalid chunked response header: a negative size");
    link->progressed();
  });
  return message;
}

Response to_head(const http_response& message) {
  Response head{.status = message.status_code()};
  for (const auto& [name, value] : message.headers()) head.headers.add(name, value);
  return head;
}

Broken caught() {
  try {
    throw;
  } catch (const web::http::http_exception& error) {
    return {.what = error.what(), .code = error.error_code().value()};
  } catch (const std::exception& error) {
    return {.what = error.what()};
  } catch (...) {
    return {.what = "unknown failure"};
  }
}

// What is at hand of a connection that was idle: the peer's goodbye, or an answer to no request.
bool has_something(int descriptor) {
  pollfd look{.fd = descriptor, .events = POLLIN | POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) != 0;
}

// Called by the library before each request on the connection that will carry it; a fresh one is not open yet.
void before_request(tcp::socket& socket, Link& link) {
  if (!socket.is_open()) return;
  if (has_something(socket.native_handle())) {
    link.stale = true;
    throw std::runtime_error("the pooled connection is closed");
  }
  link.sent = true;
}

web::http::client::http_client_config to_config(const Url& origin, const std::shared_ptr<const TlsClient>& tls,
                                                const std::shared_ptr<Link>& link) {
  web::http::client::http_client_config config;
  config.set_timeout(kLibraryTimeout);
  config.set_max_redirects(0);
  config.set_validate_certificates(true);
  // RFC 6066 section 3: no address in the server name.
  config.set_tlsext_sni_enabled(origin.host.find_first_not_of("0123456789.") != std::string::npos);
  config.set_ssl_context_callback(
      [tls, link](boost::asio::ssl::context& context) { tls->prepare(context.native_handle(), *link); });
  config.set_nativehandle_options([link, secure = origin.is_https()](web::http::client::native_handle handle) {
    using Secure = boost::asio::ssl::stream<tcp::socket&>;
    before_request(secure ? static_cast<Secure*>(handle)->next_layer() : *static_cast<tcp::socket*>(handle), *link);
  });
  return config;
}

class CpprestClient final : public Client {
 public:
  CpprestClient(const Url& origin, const std::shared_ptr<const TlsClient>& tls, std::shared_ptr<Activity> activity)
      : secure_(origin.is_https()),
        link_(std::make_shared<Link>(origin.host)),
        library_(
            std::make_shared<web::http::client::http_client>(web::uri(origin.origin()), to_config(origin, tls, link_))),
        activity_(std::move(activity)) {}

  Status start(const Request& request, std::size_t allowed, std::shared_ptr<Exchange> exchange) override try {
    if (!sends_as_written(request.url.target)) {
      return fail(ErrorKind::kInvalid,
                  request.url.origin() + ": the path '" + request.url.target + "' cannot be sent as it is written");
    }
    link_->begin(allowed);
    has_body_ = !request.body.empty();
    cancel_ = pplx::cancellation_token_source();
    auto message = to_message(request, link_, exchange);
    activity_->begin();
    library_thread().post([library = library_, message, token = cancel_.get_token(), exchange, activity = activity_] {
      run(*library, message, token, exchange, activity);
    });
    return {};
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInvalid, request.url.origin() + ": the request cannot be sent: " + error.what());
  }

  void cancel() override {
    auto done = std::make_shared<std::promise<void>>();
    library_thread().post([cancel = cancel_, done] {
      cancel.cancel();
      done->set_value();
    });
    done->get_future().wait();
  }

  [[nodiscard]] bool may_have_sent() const override { return link_->sent || (!secure_ && !has_body_); }
  [[nodiscard]] Link& link() override { return *link_; }

 private:
  // The library takes a target apart and puts it together again.
  [[nodiscard]] bool sends_as_written(const std::string& target) const {
    return web::uri_builder(library_->base_uri()).append(web::uri(target)).to_uri().resource().to_string() == target;
  }

  // On the library's thread. Nothing is thrown out of here, and no task is left alone with an exception.
  static void run(web::http::client::http_client& library, const http_request& message,
                  const pplx::cancellation_token& token, const std::shared_ptr<Exchange>& exchange,
                  const std::shared_ptr<Activity>& activity) noexcept {
    const auto finish = [exchange, activity](std::optional<Broken> broken) {
      exchange->end(std::move(broken));
      activity->end();
    };
    try {
      library.request(message, token)
          .then([exchange](const http_response& response) {
            exchange->put_head(to_head(response));
            return response.content_ready();
          })
          .then([finish](const pplx::task<http_response>& whole) {
            try {
              whole.get();
              finish(std::nullopt);
            } catch (...) {
              finish(caught());
            }
          });
    } catch (...) {
      finish(caught());
    }
  }

  bool secure_;
  bool has_body_ = false;
  std::shared_ptr<Link> link_;
  std::shared_ptr<web::http::client::http_client> library_;
  std::shared_ptr<Activity> activity_;
  pplx::cancellation_token_source cancel_;
};

}  // namespace

void Activity::begin() {
  const std::lock_guard lock(mutex_);
  ++running_;
}

void Activity::end() {
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

void Activity::wait_none() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return running_ == 0; });
  lock.unlock();
  // What OpenSSL keeps for the library's thread (errors, random numbers) would be there until the process ends, and
  // longer than anybody can free it.
  std::promise<void> freed;
  boost::asio::post(library_thread(), [&freed] {
    OPENSSL_thread_stop();
    freed.set_value();
  });
  freed.get_future().wait();
}

Result<std::unique_ptr<Client>> make_client(const Url& origin, std::shared_ptr<const TlsClient> tls,
                                            std::shared_ptr<Activity> activity) try {
  if (origin.host.find(':') != std::string::npos) {
    return fail(ErrorKind::kUnsupported, origin.origin() + ": IPv6 addresses in URLs are not supported; use a name");
  }
  return std::make_unique<CpprestClient>(origin, tls, std::move(activity));
} catch (const std::exception& error) {
  return fail(ErrorKind::kInvalid, origin.origin() + ": " + error.what());
}

void initialize() {
  static const bool kOnce = [] {
    // cpprestsdk loads OpenSSL's default roots for every connection: 22 ms each with Debian's bundle, thrown away
    // unused.
    ::setenv("SSL_CERT_FILE", "/nonexistent", 1);
    ::setenv("SSL_CERT_DIR", "/nonexistent", 1);
    crossplat::threadpool::initialize_with_threads(1);
    return true;
  }();
  static_cast<void>(kOnce);
}

}  // namespace edgetrust::http
