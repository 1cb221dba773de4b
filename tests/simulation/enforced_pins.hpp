#pragma once
// A fleet in Enforce with its engines, its machines and its endpoint: what the simulations of Enforce share. Whatever
// is changed in it, what is due is done second by second; a crash throws the engines away.
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/pins/file_change.hpp"
#include "edgetrust/reconcile/edge_pin_reconciler.hpp"
#include "edgetrust/reconcile/pin_policy_reconciler.hpp"
#include "simulation/pin_world.hpp"

namespace edgetrust::simulation {

using namespace std::chrono_literals;
using api::EdgePinState;

struct Enforced {
  World world;
  Endpoint endpoint;
  Machines machines;
  MemoryObjects<api::PinPolicy> policies{world.etcd, world.moments};
  reconcile::World real = world.ports();
  reconcile::World around{
      real.clock,  real.certificates, real.edges,  real.policies, real.issuers, real.connections, real.secrets,
      real.events, real.backends,     real.lookup, endpoint,      real.pki,     real.slots,       {},
      nullptr,     nullptr,           &policies};
  std::unique_ptr<ports::PinFiles> files = pinfile::make_pin_files();
  std::unique_ptr<reconcile::PinBoard> board;
  std::unique_ptr<reconcile::PinPolicyReconciler> policy_engine;
  std::unique_ptr<reconcile::EdgePinReconciler> edge_engine;
  std::map<std::string, TimePoint> due;  // by "policy name" or "edge name"; empty: now
  int at_once = 0;                       // most machines that were changed at one moment

  Enforced() {
    start();
    world.certificates.erase({"voice", "edge01"});
    world.edges.erase({"voice", "edge01"});
    add_edge("edge01");
    put_policy([](api::PinPolicySpec& spec) { spec.pins.static_pins = {colons('a'), colons('z')}; });
  }
  void start() {
    board = std::make_unique<reconcile::PinBoard>();
    policy_engine = std::make_unique<reconcile::PinPolicyReconciler>(
        around, reconcile::PinPorts{policies, endpoint, endpoint}, *board);
    edge_engine = std::make_unique<reconcile::EdgePinReconciler>(
        around, reconcile::EdgePinPorts{policies, endpoint, machines, *files, {"voice"}}, *board);
    due.clear();
  }
  Machine& machine(const std::string& name = "edge01") { return *machines.all.at(name); }
  void add_edge(const std::string& name) {
    api::Edge edge;
    edge.meta.ns = "voice";
    edge.meta.name = name;
    edge.meta.uid = "uid-" + name;
    edge.meta.generation = 1;
    edge.spec.connection_ref.name = "prod";
    edge.spec.edge_id = "11111111-2222-3333-4444-555555555555";
    edge.spec.site = "new-york";
    edge.spec.ssh = api::SshEndpoint{.host = "10.0.1." + std::to_string(machines.all.size() + 1)};
    world.edges.put(edge);
    machines.all[name] = std::make_shared<Machine>(world, endpoint);
  }
  void put_policy(const std::function<void(api::PinPolicySpec&)>& change) {
    api::PinPolicy policy;
    if (const auto known = policies.get({"voice", "cloud"})) policy = *known;
    policy.meta.ns = "voice";
    policy.meta.name = "cloud";
    policy.meta.uid = "uid-cloud";
    policy.meta.creation_time = policy.meta.creation_time.value_or(world.clock.now());
    ++policy.meta.generation;
    policy.spec.endpoint.host = "api.example.com";
    policy.spec.edge_selector = api::LabelSelector{};
    if (policy.meta.generation == 1) policy.spec.mode = api::PinMode::kEnforce;
    change(policy.spec);
    policies.put(policy);
    due.clear();
  }
  // Another one that selects the same Edges, and holds them when the first is gone.
  void put_heir(const std::function<void(api::PinPolicySpec&)>& change) {
    api::PinPolicy heir = *policies.get({"voice", policies.get({"voice", "heir"}) ? "heir" : "cloud"});
    if (heir.meta.name != "heir") {
      heir.meta.name = "heir";
      heir.meta.uid = "uid-heir";
      heir.meta.finalizers.clear();
      heir.status = {};
    }
    ++heir.meta.generation;
    change(heir.spec);
    policies.put(heir);
    due.clear();
  }
  void change_edge(const std::string& name, const std::function<void(api::Edge&)>& change) {
    api::Edge edge = *world.edges.get({"voice", name});
    change(edge);
    world.edges.put(edge);
    due.clear();
  }
  void be_online(api::Truth truth) {
    change_edge("edge01", [&](api::Edge& edge) {
      api::remove(edge.status.conditions, api::condition::kOnline);
      edge.status.conditions.push_back({.type = std::string(api::condition::kOnline), .status = truth});
    });
  }
  void run_until_restarted(const std::string& name = "edge01") {
    constexpr int kLongest = 600;  // seconds
    const int before = machine(name).restarts;
    for (int i = 0; i < kLongest && machine(name).restarts == before; ++i) run(1s);
    ASSERT_EQ(machine(name).restarts, before + 1);
  }
  void change_policy_of_rotation(const std::function<void(api::RotationPolicySpec&)>& change) {
    api::RotationPolicy policy = *world.policies.get({"voice", "default"});
    change(policy.spec);
    ++policy.meta.generation;
    world.policies.put(policy);
    due.clear();
  }
  // As a client deletes it: finalizers hold it.
  template <class Kind>
  void remove(MemoryObjects<Kind>& objects, const std::string& name) {
    Kind object = *objects.get({"voice", name});
    if (object.meta.finalizers.empty()) {
      objects.erase({"voice", name});
    } else {
      object.meta.deletion_time = world.clock.now();
      ++object.meta.generation;
      objects.put(object);
    }
    due.clear();
  }
  template <class Kind>
  void collect(MemoryObjects<Kind>& objects) {
    for (const auto& object : objects.list("voice")) {
      if (object->meta.deleting() && object->meta.finalizers.empty()) objects.erase(object->meta.key());
    }
  }

  [[nodiscard]] bool leads() const { return around.leadership == nullptr || around.leadership->holds(); }
  // One round of passes that are due, for as long as this operator leads. What one writes may be another's affair: then
  // all of them are due.
  void round() {
    const auto one = [&](const std::string& key, const std::function<reconcile::Outcome()>& pass) {
      if (!leads()) return;
      const auto known = due.find(key);
      if (known != due.end() && known->second > world.clock.now()) return;
      const int before = world.moments.count();
      const auto outcome = pass();
      EXPECT_FALSE(outcome.error) << outcome.error->message();
      const bool wakes_others = world.moments.count() != before || outcome.pins_changed;
      if (wakes_others) due.clear();
      due[key] = outcome.wake_at.value_or(TimePoint::max());
    };
    for (const auto& policy : policies.list("voice"))
      one("policy " + policy->meta.name, [&] { return policy_engine->reconcile(policy->meta.key(), {}); });
    for (const auto& edge : world.edges.list("voice"))
      one(edge->meta.name, [&] { return edge_engine->reconcile(edge->meta.key(), {}); });
    collect(policies);
    collect(world.edges);
    int changing = 0;
    for (const auto& [name, machine] : machines.all) changing += machine->timer.has_value() ? 1 : 0;
    at_once = std::max(at_once, changing);
  }
  void second() {
    world.clock.advance(1s);
    std::set<Machine*> each;  // two Edges may name one
    for (auto& [name, machine] : machines.all) each.insert(machine.get());
    for (Machine* machine : each) machine->second();
  }
  // A crash throws the engines away; another operator starts after a while.
  void run(std::chrono::seconds time, std::chrono::seconds down_for = 3s) {
    constexpr int kManyRounds = 40;  // in a second
    for (const TimePoint end = world.clock.now() + time; world.clock.now() < end && leads();) {
      try {
        int rounds = 0;
        for (int before = -1; before != world.moments.count() && rounds < kManyRounds; ++rounds) {
          before = world.moments.count();
          round();
        }
        EXPECT_LT(rounds, kManyRounds) << "it does not come to rest";
        second();
      } catch (const Crash&) {
        for (std::chrono::seconds gone{0}; gone < down_for; gone += 1s) second();
        start();
      }
    }
  }

  [[nodiscard]] api::EdgePins pins(const std::string& name = "edge01") const {
    return world.edges.get({"voice", name})->status.pins.value_or(api::EdgePins{});
  }
  [[nodiscard]] bool is_held(const std::string& name = "edge01") const {
    return !world.edges.get({"voice", name})->meta.finalizers.empty();
  }
  [[nodiscard]] bool policy_is_held() const { return !policies.get({"voice", "cloud"})->meta.finalizers.empty(); }
  [[nodiscard]] std::string said(std::string_view type) const {
    const auto conditions = policies.get({"voice", "cloud"})->status.conditions;
    const auto* condition = api::find(conditions, type);
    return condition == nullptr ? "-" : (condition->status == api::Truth::kTrue ? "+" : "-") + condition->reason;
  }
  [[nodiscard]] std::string message() const {
    const auto conditions = policies.get({"voice", "cloud"})->status.conditions;
    return api::find(conditions, api::condition::kReady)->message;
  }
  [[nodiscard]] int events(const std::string& reason) const {
    return static_cast<int>(std::ranges::count(world.events, reason, &World::Event::reason));
  }
  [[nodiscard]] bool slots_are_free() const {
    return std::ranges::none_of(world.slots().list("voice"), [](const auto& slot) { return slot.holder.has_value(); });
  }
};

inline void close_the_window(Enforced& story) {
  story.change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "03:00", .duration = 1h, .days = {}}}; });
}

inline void open_the_window(Enforced& story) {
  story.change_policy_of_rotation([](auto& spec) { spec.windows = {{.start = "00:00", .duration = 24h, .days = {}}}; });
}

// Any leaf under the root of the endpoint's chain is accepted.
inline void pin_the_root(Enforced& story) {
  story.put_policy([](auto& spec) {
    spec.pins.type = api::PinType::kPublicKey;
    spec.pins.match = api::PinMatch::kAnyInChain;
    spec.pins.static_pins = {colons('R'), colons('Z')};
  });
}

inline constexpr auto kTrusted = 2h;

inline void trust_proxy(Enforced& story) {
  story.world.bundles["proxy-ca"] = std::string(1, kProxyCa);
  story.put_policy([&](auto& spec) {
    // One witness would do: whoever sees by the proxy is none.
    spec.observe_from = {api::PinVantage::kOperator, api::PinVantage::kEdge};
    spec.rotation.confirmations = 1;
    spec.trusted_intermediaries = {{.name = "dc-proxy",
                                    .ca_ref = {.kind = api::BundleKind::kSecret, .name = "proxy-ca", .key = "ca.crt"},
                                    .until = story.world.clock.now() + kTrusted}};
  });
}

inline void drain(Enforced& story, std::chrono::minutes timeout = 30min) {
  story.change_policy_of_rotation(
      [&](auto& spec) { spec.drain = api::Drain{.policy = api::DrainPolicy::kDrain, .timeout = timeout}; });
}

}  // namespace edgetrust::simulation
