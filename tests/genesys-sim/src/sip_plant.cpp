#include "sip_plant.hpp"

#include "sbc.hpp"
#include "sip_service.hpp"

#include <future>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace edgetrust::sim {
namespace {

constexpr std::chrono::milliseconds kShortestTick{50};
constexpr std::chrono::milliseconds kLookAgain{500};  // at a silent Edge: an SBC asks such a peer more often

// An Edge in the plant: its service, its place, and the SBC's looks at it.
struct Stand {
  std::shared_ptr<SipService> service = std::make_shared<SipService>();
  std::shared_ptr<SipPort> port;
  std::unique_ptr<asio::steady_timer> restart;
  std::unique_ptr<asio::steady_timer> again;
  std::uint64_t generation = 0;  // of what can be seen: a look that began before a change is thrown away
  std::uint64_t installs = 0;    // a restart that is overtaken by another does not open the port
  bool looking = false;
  bool look_again = false;
};

class Plant final : public SipPlant {
 public:
  Plant(std::chrono::milliseconds interval, TlsContext sbc, Events events)
      : interval_(interval),
        events_(std::move(events)),
        sbc_(std::move(sbc)),
        keep_running_(asio::make_work_guard(io_)),
        tick_(io_),
        thread_([this] { io_.run(); }) {
    asio::post(io_, [this] { schedule(); });
  }
  Plant(const Plant&) = delete;
  Plant& operator=(const Plant&) = delete;
  ~Plant() override {
    io_.stop();
    thread_.join();
    stands_.clear();
  }

  Result<std::uint16_t> add_edge(SipEdge edge) override {
    std::promise<Result<std::uint16_t>> promise;
    asio::post(io_, [&] { promise.set_value(place(std::move(edge))); });
    return promise.get_future().get();
  }
  void remove_edge(const std::string& edge) override {
    asio::post(io_, [this, edge] { remove(edge); });
  }
  void serve(const std::string& edge, std::string chain_pem, Secret key_pem, OptionsMode mode,
             std::chrono::milliseconds restart) override {
    TlsContext context = make_server_context(chain_pem, key_pem);
    asio::post(io_, [this, edge, context, mode, restart] { install(edge, context, mode, restart); });
  }
  void stop_serving(const std::string& edge) override {
    asio::post(io_, [this, edge] {
      if (Stand* stand = find(edge)) close(*stand);
    });
  }
  void set_mode(const std::string& edge, OptionsMode mode) override {
    asio::post(io_, [this, edge, mode] {
      Stand* stand = find(edge);
      if (stand == nullptr) return;
      stand->service->mode = mode;
      stand->generation += 1;
      look(*stand);
    });
  }
  void catch_up() override {
    // Shared: a plant that ends first drops what is queued, and the wait with it.
    auto done = std::make_shared<std::promise<void>>();
    auto reached = done->get_future();
    asio::post(io_, [promise = std::move(done)] { promise->set_value(); });
    reached.wait();
  }
  Status set_trust(const std::string& trust_pem) override {
    EDGETRUST_TRY_ASSIGN(TlsContext context, make_sbc_context(trust_pem));
    asio::post(io_, [this, context] {
      sbc_ = context;
      for (auto& [id, stand] : stands_) {
        stand->generation += 1;
        look(*stand);
      }
    });
    return {};
  }

 private:
  Stand* find(const std::string& edge) {
    const auto found = stands_.find(edge);
    return found == stands_.end() ? nullptr : found->second.get();
  }

  Result<std::shared_ptr<SipPort>> port_for(const SipEdge& edge) {
    if (edge.shared && shared_ && shared_->services() < kEdgesPerSharedPort) return shared_;
    auto port = SipPort::reserve(io_, edge.port);
    if (port && edge.shared) shared_ = *port;
    return port;
  }

  Result<std::uint16_t> place(SipEdge edge) {
    EDGETRUST_TRY_ASSIGN(const std::shared_ptr<SipPort> port, port_for(edge));
    auto stand = std::make_unique<Stand>();
    stand->port = port;
    stand->restart = std::make_unique<asio::steady_timer>(io_);
    stand->again = std::make_unique<asio::steady_timer>(io_);
    stand->service->edge = std::move(edge);
    port->attach(stand->service);
    order_.push_back(stand->service->edge.id);
    look(*stand);
    stands_[stand->service->edge.id] = std::move(stand);
    return port->number();
  }

  void remove(const std::string& edge) {
    Stand* stand = find(edge);
    if (stand == nullptr) return;
    close(*stand);
    stand->port->detach(edge);
    std::erase(order_, edge);
    stands_.erase(edge);
  }

  void close(Stand& stand) {
    stand.generation += 1;
    stand.installs += 1;
    stand.restart->cancel();
    stand.service->open = false;
    stand.service->context.reset();
    stand.port->refresh();  // first: whoever is dropped must not get in again at once
    stand.port->drop_connections(*stand.service);
  }

  void install(const std::string& edge, const TlsContext& context, OptionsMode mode, std::chrono::milliseconds wait) {
    Stand* stand = find(edge);
    if (stand == nullptr) return;
    close(*stand);
    stand->service->context = context;
    stand->service->mode = mode;
    stand->restart->expires_after(wait);
    stand->restart->async_wait([this, edge, install = stand->installs](SystemError error) {
      Stand* ready = find(edge);
      if (error || ready == nullptr || ready->installs != install) return;
      ready->service->open = true;
      ready->port->refresh();
      events_.serves(edge);
      look(*ready);
    });
  }

  void look(Stand& stand) {
    if (stand.looking) {
      stand.look_again = true;
      return;
    }
    stand.looking = true;
    const auto report = [this, edge = stand.service->edge.id, generation = stand.generation](const SbcView& view) {
      Stand* seen = find(edge);
      if (seen == nullptr) return;
      seen->looking = false;
      if (seen->generation == generation) events_.seen(edge, view);
      if (std::exchange(seen->look_again, false)) return look(*seen);
      if (view.silent && seen->service->open) look_later(*seen);
    };
    look_at(io_, sbc_, stand.port->number(), stand.service->edge.server_name, ++looks_, report);
  }

  void look_later(Stand& stand) {
    stand.again->expires_after(kLookAgain);
    stand.again->async_wait([this, edge = stand.service->edge.id](SystemError error) {
      Stand* silent = find(edge);
      if (!error && silent != nullptr) look(*silent);
    });
  }

  void schedule() {
    const auto edges = static_cast<std::int64_t>(std::max<std::size_t>(1, order_.size()));
    tick_.expires_after(std::max(kShortestTick, interval_ / edges));
    tick_.async_wait([this](SystemError error) {
      if (error) return;
      if (!order_.empty()) {
        next_ = (next_ + 1) % order_.size();
        look(*stands_.at(order_[next_]));
      }
      schedule();
    });
  }

  const std::chrono::milliseconds interval_;
  const Events events_;
  asio::io_context io_{1};
  TlsContext sbc_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_;
  asio::steady_timer tick_;
  std::shared_ptr<SipPort> shared_;  // the one that takes the next Edge without a port of its own
  std::map<std::string, std::unique_ptr<Stand>> stands_;
  std::vector<std::string> order_;
  std::size_t next_ = 0;
  std::uint64_t looks_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<SipPlant>> SipPlant::start(std::chrono::milliseconds interval, const std::string& trust_pem,
                                                  Events events) {
  EDGETRUST_TRY_ASSIGN(TlsContext sbc, make_sbc_context(trust_pem));
  return std::make_unique<Plant>(interval, std::move(sbc), std::move(events));
}

}  // namespace edgetrust::sim
