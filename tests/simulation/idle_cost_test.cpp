// What a thousand quiet Edges cost: the real engine and the real client, in virtual time, against a fake of the vendor.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/genesys/fleet.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "simulation/world.hpp"
#include "unit/genesys/scripted_transport.hpp"

#include <numeric>
#include <queue>

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using genesys::testing::json_answer;

constexpr int kEdges = 1000;
constexpr int kSites = 40;

std::string id_of(int edge) {
  const std::string digits = std::to_string(edge);
  return "10000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

// The vendor's listings.
class Vendor {
 public:
  explicit Vendor(int trunks_each) : trunks_each_(trunks_each) {}

  http::Response answer(const http::Request& request) {
    const std::string& target = request.url.target;
    if (target.ends_with("/oauth/token")) return desk_();
    if (target.find("/oauth/clients/") != std::string::npos) return json_answer(403, "{}");
    if (target.ends_with("/status")) return json_answer(200, R"({"state":"OK","sip":"SIP_UP"})");
    if (target.find("/trunks?") != std::string::npos)
      return page(target, kEdges * trunks_each_, [&](int n) {
        return R"({"id":"t)" + std::to_string(n) + R"(","name":"SBC","state":"active","edge":{"id":")" +
               id_of(n / trunks_each_) +
               R"("},"optionsEnabledStatus":"ENABLED","optionsStatus":[{"optionState":true}]})";
      });
    if (target.find("/sites?") != std::string::npos)
      return page(target, kSites, [](int n) {
        return R"({"id":"s)" + std::to_string(n) + R"(","edgeAutoUpdateConfig":{"timeZone":"Etc/UTC"}})";
      });
    return page(target, kEdges, [](int n) {
      return R"({"id":")" + id_of(n) +
             R"(","name":"edge","state":"active","statusCode":"ACTIVE","onlineStatus":"ONLINE",)" +
             R"("site":{"id":"s)" + std::to_string(n % kSites) + R"("}})";
    });
  }

 private:
  template <class Entity>
  static http::Response page(const std::string& target, int total, const Entity& entity) {
    const auto number = [&](const std::string& name) {
      return std::stoi(target.substr(target.find(name) + name.size()));
    };
    const int size = number("pageSize=");
    const int wanted = number("pageNumber=");
    std::string body = R"({"entities":[)";
    for (int n = (wanted - 1) * size; n < std::min(total, wanted * size); ++n) {
      body += (n > (wanted - 1) * size ? "," : "") + entity(n);
    }
    return json_answer(200, body + R"(],"pageNumber":)" + std::to_string(wanted) + R"(,"pageCount":)" +
                                std::to_string((total + size - 1) / size) + "}");
  }
  const int trunks_each_;
  genesys::testing::LoginDesk desk_;
};

// The world's drivers, but for the fleet.
class WithFleet final : public ports::Backends {
 public:
  WithFleet(ports::Backends& others, std::shared_ptr<ports::EdgeFleet> fleet)
      : others_(others), fleet_(std::move(fleet)) {}
  Result<std::shared_ptr<ports::CertificateAuthority>> authority(const api::AcmeIssuer& issuer,
                                                                 std::stop_token stop) override {
    return others_.authority(issuer, stop);
  }
  Result<ports::ExternalBinding> zero_ssl_binding(const api::AcmeIssuer& issuer, std::stop_token stop) override {
    return others_.zero_ssl_binding(issuer, stop);
  }
  Result<std::shared_ptr<ports::DnsZone>> zone(const api::AcmeIssuer& issuer, const std::string& name,
                                               std::stop_token stop) override {
    return others_.zone(issuer, name, stop);
  }
  Result<std::shared_ptr<ports::EdgeFleet>> fleet(const api::GenesysConnection& /*connection*/,
                                                  std::stop_token /*stop*/) override {
    return fleet_;
  }
  Result<std::shared_ptr<ports::Heartbeat>> heartbeat(const api::GenesysConnection& connection,
                                                      std::stop_token stop) override {
    return others_.heartbeat(connection, stop);
  }

 private:
  ports::Backends& others_;
  const std::shared_ptr<ports::EdgeFleet> fleet_;
};

struct IdleCost : testing::Test {
  World world;

  // Requests in each minute, of all Edges and their connection, looked at when they ask to be.
  std::vector<int> requests_a_minute(int minutes, int trunks_each) {
    Vendor vendor(trunks_each);
    std::vector<int> counts(static_cast<std::size_t>(minutes));
    const TimePoint begin = world.clock.now();
    auto transport = std::make_shared<genesys::testing::ScriptedTransport>([&](const http::Request& request) {
      ++counts.at(static_cast<std::size_t>((world.clock.now() - begin) / 1min));
      return vendor.answer(request);
    });
    genesys::Config config{.api_url = "https://api.example.com", .login_url = "https://login.example.com"};
    config.credentials = {.client_id = "client", .client_secret = Secret("secret"), .origin = {}};
    config.upload.emplace().url = "https://upload.example.com";
    const std::shared_ptr<ports::EdgeFleet> fleet =
        genesys::make_fleet(std::move(config), {transport, transport}, world.clock).value();
    const reconcile::World real = world.ports();
    WithFleet backends(real.backends, fleet);
    const reconcile::World ports{real.clock,       real.certificates, real.edges,  real.policies, real.issuers,
                                 real.connections, real.secrets,      real.events, backends,      real.lookup,
                                 real.probe,       real.pki,          real.slots};
    reconcile::FleetListings listings(ports);
    reconcile::ConnectionReconciler connections(ports, listings, {"voice"});
    reconcile::EdgeReconciler edges(ports, listings);

    using Due = std::pair<TimePoint, std::string>;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> queue;
    queue.emplace(begin, "");
    // Spread over five minutes: somebody always wants to know.
    for (int n = 0; n < kEdges; ++n) queue.emplace(begin + n * 300ms, make_edge(n));
    while (queue.top().first < begin + minutes * 1min) {
      const auto [due, name] = queue.top();
      queue.pop();
      if (due > world.clock.now()) world.clock.advance(due - world.clock.now());
      const auto outcome =
          name.empty() ? connections.reconcile({"voice", "prod"}, {}) : edges.reconcile({"voice", name}, {});
      EXPECT_FALSE(outcome.error) << name;
      if (outcome.effect_error) {
        EXPECT_EQ(outcome.effect_error->kind, ErrorKind::kRateLimited) << name;
      }
      queue.emplace(outcome.wake_at.value(), name);
    }
    return counts;
  }

  std::string make_edge(int n) {
    api::Edge edge = *world.edges.get({"voice", "edge01"});
    edge.meta.name = "edge-" + std::to_string(n);
    edge.meta.uid = "uid-" + edge.meta.name;
    edge.spec.edge_id = id_of(n);
    world.edges.put(edge);
    return edge.meta.name;
  }
};

TEST_F(IdleCost, AThousandQuietEdgesCostThirtyRequestsAMinuteAtMost) {
  const auto counts = requests_a_minute(20, 1);
  for (const int count : counts) EXPECT_LE(count, 30);
  EXPECT_GE(counts.at(0), 21) << "they are looked at at all";
  const auto edge = world.edges.get({"voice", "edge-999"});
  EXPECT_EQ(edge->status.trunks.size(), 1U);
  EXPECT_EQ(edge->status.time_zone, "Etc/UTC");
  EXPECT_EQ(api::find(edge->status.conditions, api::condition::kSipHealthy)->reason, "TrunksUp");
}

// 5,000 trunks are more pages than the budget has at once.
TEST_F(IdleCost, ManyTrunksAreListedLessOftenAndAllTheSame) {
  const auto counts = requests_a_minute(30, 5);
  EXPECT_LE(std::accumulate(counts.begin(), counts.end(), 0) / 30, 30);
  for (int n = 0; n < kEdges; ++n) {
    const auto edge = world.edges.get({"voice", "edge-" + std::to_string(n)});
    ASSERT_EQ(edge->status.trunks.size(), 5U) << n;
    ASSERT_EQ(api::find(edge->status.conditions, api::condition::kReady)->status, api::Truth::kTrue) << n;
  }
}

}  // namespace
}  // namespace edgetrust::simulation
