// A year of a fleet in virtual time: the rules that act, a CA with limits, and what goes wrong in a year. Then plans
// made a month ahead, against what happened.
#include "edgetrust/base/random.hpp"
#include "edgetrust/decide/schedule.hpp"
#include "edgetrust/forecast/plan.hpp"

#include <cstdio>
#include <future>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using decide::certificate::Observation;
using forecast::Pass;
using forecast::Run;
using forecast::Situation;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kEdges = 120;  // instrumented code takes ten times as long
#else
constexpr int kEdges = 1000;
#endif
constexpr int kSites = 60;
constexpr std::array kZones = {"America/New_York", "America/Los_Angeles", "America/Sao_Paulo",
                               "Europe/Dublin",    "Asia/Tokyo",          "Australia/Sydney"};
constexpr auto kDay = 24h;

TimePoint at(const char* text) { return *parse_rfc3339(text); }
const TimePoint kNewYear = at("2027-01-01T00:00:00Z");

// --- the fleet

struct Settings {
  int edges = kEdges;
  int fresh = 0;  // of them, the first ones: in one domain, and without a certificate yet
  std::function<void(api::RotationPolicySpec&)> prod = [](auto& /*spec*/) {};  // what its policy has beside
};

// Of ten Edges six have certificates of 90 days, three of 45, one of 6.
struct Kind {
  int days;
  const char* issuer;
  const char* policy;
};
Kind kind_of(int edge) {
  if (edge % 10 == 9) return {6, "vault", "short-lived"};
  return edge % 10 >= 6 ? Kind{45, "letsencrypt-tlsserver", "prod"} : Kind{90, "letsencrypt", "prod"};
}

template <class Object>
std::shared_ptr<Object> named(const std::string& name) {
  auto object = std::make_shared<Object>();
  object->meta.ns = "voice";
  object->meta.name = name;
  object->meta.uid = "uid-" + name;
  object->meta.generation = 1;
  return object;
}

// Delivered by night, on every day.
std::shared_ptr<api::RotationPolicy> prod_policy(const Settings& settings) {
  auto policy = named<api::RotationPolicy>("prod");
  policy->spec.budget = api::Budget{.max_concurrent = 8};
  policy->spec.observe = api::Observe{.interval = 2min};
  policy->spec.retry = api::RetryRule{.max_attempts = 4};
  settings.prod(policy->spec);
  return policy;
}

// A certificate of six days outlives no freeze of seven, and with 48 hours without an operator it cannot wait for the
// night as well.
std::shared_ptr<api::RotationPolicy> short_lived_policy() {
  auto policy = named<api::RotationPolicy>("short-lived");
  policy->spec = prod_policy({})->spec;
  policy->spec.windows = {{.start = "00:00", .duration = kDay}};
  policy->spec.retry->backoff = 12h;  // three failures in a row stay within five orders a week
  return policy;
}

class Fleet {
 public:
  explicit Fleet(const Settings& settings) : situation_{.now = kNewYear, .certificates = {}, .slots = {}} {
    auto connection = named<api::GenesysConnection>("prod");
    connection->spec.certificate_upload.emplace().endpoint = "https://edge-api.example.com";
    std::map<std::string, std::shared_ptr<api::RotationPolicy>> policies{{"prod", prod_policy(settings)},
                                                                         {"short-lived", short_lived_policy()}};
    for (int i = 0; i < settings.edges; ++i) {
      Observation& o = situation_.certificates.emplace_back();
      const auto [days, issuer, policy] = kind_of(i);
      const std::string number = std::to_string(i);
      const std::string name = "edge" + std::string(4 - number.size(), '0') + number;
      const int site = i % kSites;
      auto edge = named<api::Edge>(name);
      edge->spec.connection_ref.name = "prod";
      edge->spec.edge_id = "id-" + name;
      edge->spec.site = "site" + std::to_string(site);
      edge->spec.time_zone = kZones.at(static_cast<std::size_t>(site) % kZones.size());
      const bool is_fresh = i < settings.fresh;
      edge->spec.sip.host = name + "." + (is_fresh ? "fresh.example" : domain_of(site));
      auto ca = named<api::AcmeIssuer>(issuer);
      const bool is_public = ca->meta.name != "vault";
      ca->spec.server = is_public ? "https://letsencrypt.example/directory" : "https://vault.example/directory";
      ca->spec.account_key_ref.name = issuer;
      if (is_public) {
        ca->spec.limits = api::IssuerLimits{
            .new_orders_per_3_hours = 300, .certificates_per_domain_per_week = 50, .duplicates_per_week = 5};
      }
      ca->spec.solvers = {api::Solver{.dns01 = api::Dns01Solver{}}};
      o.now = kNewYear;
      o.operator_version = "1.0.0";
      o.object = *named<api::EdgeCertificate>(name);
      o.object.spec.edge_ref.name = name;
      o.object.spec.issuer_ref = api::IssuerRef{.name = issuer};
      o.object.spec.policy_ref = api::LocalRef{policy};
      o.object.spec.dns_names = {edge->spec.sip.host};
      if (days == 6) o.object.spec.renew_before = 3 * kDay;
      o.edge = std::move(edge);
      o.issuer = std::move(ca);
      o.connection = connection;
      o.policy = policies.at(policy);
      if (!is_fresh) give_certificate(o, days);
    }
  }
  static std::string domain_of(int site) { return "region" + std::to_string(site % 6) + ".example"; }
  [[nodiscard]] Situation situation() const { return situation_; }
  [[nodiscard]] std::vector<Observation>& certificates() { return situation_.certificates; }

 private:
  // Of any age that a fleet has which was renewed in time so far.
  static void give_certificate(Observation& o, int days) {
    const auto lifetime = days * kDay;
    const double age = stable_fraction(o.object.meta.uid + " age") * (days == 6 ? 0.5 : 2.0 / 3);
    ports::ChainFacts chain;
    chain.not_before =
        kNewYear - std::chrono::floor<std::chrono::seconds>(std::chrono::duration<double>(lifetime) * age);
    chain.not_after = chain.not_before + lifetime;
    chain.fingerprint_sha256 = "first/" + o.object.meta.uid;
    chain.serial_number = chain.fingerprint_sha256;
    chain.issuer = o.object.spec.issuer_ref->name;
    chain.root = chain.issuer + " root";
    chain.dns_names = o.object.spec.dns_names;
    chain.server_auth = true;
    chain.certificates = 2;
    o.serving_fingerprint = chain.fingerprint_sha256;
    auto& status = o.object.status;
    status.observed_generation = 1;
    status.phase = api::Phase::kReady;
    status.revision = 1;
    status.fingerprint_sha256 = chain.fingerprint_sha256;
    status.not_before = chain.not_before;
    status.not_after = chain.not_after;
    status.history = {{.revision = 1, .fingerprint_sha256 = chain.fingerprint_sha256, .not_after = chain.not_after}};
    o.revisions[1] = {.number = 1,
                      .has_key = true,
                      .asked_for = {chain.dns_names.begin(), chain.dns_names.end()},
                      .server = o.issuer->spec.server,
                      .chain = std::move(chain)};
  }
  Situation situation_;
};

// --- what it meets

struct Stretch {
  TimePoint from;
  TimePoint to;
  [[nodiscard]] bool holds(TimePoint moment) const { return from <= moment && moment < to; }
};

// Let's Encrypt's limits as published (letsencrypt.org/docs/rate-limits): 300 orders an account in 3 hours, 5 a set of
// names in 7 days, and 50 a registered domain in 7 days of names that had no certificate yet. Counted by nobody but the
// CA.
class Limits {
 public:
  // Empty when it is allowed, else the limit that is exceeded.
  std::string judge(const std::string& account, const std::string& name, bool is_new, TimePoint now) {
    const std::string domain = name.substr(name.find('.') + 1);
    if (!has_room(orders_[account], 300, 3h, now)) return "orders";
    if (!has_room(names_[name], 5, 7 * kDay, now)) return "duplicates";
    if (is_new && !has_room(domains_[domain], 50, 7 * kDay, now)) return "domain";
    orders_[account].push_back(now);
    names_[name].push_back(now);
    if (is_new) domains_[domain].push_back(now);
    return {};
  }

 private:
  static bool has_room(std::vector<TimePoint>& taken, std::size_t most, std::chrono::hours within, TimePoint now) {
    std::erase_if(taken, [&](TimePoint before) { return before + within <= now; });
    return taken.size() < most;
  }
  std::map<std::string, std::vector<TimePoint>> orders_;
  std::map<std::string, std::vector<TimePoint>> names_;
  std::map<std::string, std::vector<TimePoint>> domains_;
};

class World final : public forecast::Outside {
 public:
  double sip_down = 0;  // of all uploads of a new certificate
  std::optional<Stretch> ca_outage;
  int limit_hits = 0;
  std::vector<std::string> hits;  // the first of them
  int orders = 0;

  Result<TimePoint> order(const Observation& o, const ports::OrderRequest& request) override {
    if (ca_outage && ca_outage->holds(o.now) && o.object.spec.issuer_ref->name.starts_with("letsencrypt"))
      return fail(ErrorKind::kUnavailable, "the CA does not answer");
    ++orders;
    const bool is_new = std::ranges::none_of(o.revisions, [](const auto& one) { return one.second.chain.has_value(); });
    // Vault has none.
    const std::string exceeded =
        o.issuer->spec.limits ? limits_.judge(o.object.spec.issuer_ref->name, request.dns_names.front(), is_new, o.now)
                              : "";
    if (!exceeded.empty()) {
      ++limit_hits;
      if (hits.size() < 20) hits.push_back(format_rfc3339(o.now) + " " + o.object.meta.name + " " + exceeded);
      Error limited{.kind = ErrorKind::kRateLimited,
                    .what = "too many orders",
                    .code = "urn:ietf:params:acme:error:rateLimited",
                    .retry_after = 3h};
      return fail(std::move(limited));
    }
    return o.now + chance(o, "order", 1min, 30min);
  }
  Status upload(const Observation& o, const ports::ChainFacts& chain) override {
    up_again_[o.object.meta.uid] = o.now + chance(o, chain.fingerprint_sha256, 2s, 60s);
    return {};
  }
  Result<ports::EdgeHealth> health(const Observation& o, const ports::ChainFacts* installed) override {
    ports::EdgeHealth health{.state = ports::EdgeState::kOk, .sip = ports::SipState::kUp};
    if (installed == nullptr) {
      health.sip = ports::SipState::kDown;
      return health;
    }
    health.fingerprint_sha256 = installed->fingerprint_sha256;
    const auto restart = up_again_.find(o.object.meta.uid);
    const bool restarting = restart != up_again_.end() && o.now < restart->second;
    if (restarting || breaks(*installed)) health.sip = ports::SipState::kDown;
    return health;
  }
  [[nodiscard]] bool breaks(const ports::ChainFacts& chain) const {
    return !chain.fingerprint_sha256.starts_with("first/") &&
           stable_fraction(chain.fingerprint_sha256 + " breaks") < sip_down;
  }

 private:
  // Drawn from who and what it is: the same in every run.
  static std::chrono::milliseconds chance(const Observation& o, const std::string& what,
                                          std::chrono::milliseconds least, std::chrono::milliseconds most) {
    const double share = stable_fraction(o.object.meta.uid + what + format_rfc3339(o.now));
    return least + std::chrono::floor<std::chrono::milliseconds>((most - least) * share);
  }
  Limits limits_;
  std::map<std::string, TimePoint> up_again_;
};

// --- what is watched for

class Judge {
 public:
  int rotations = 0;  // begun
  int rollbacks = 0;
  int outside_window = 0;
  int in_freeze = 0;
  int beyond_budget = 0;
  int late = 0;  // begun when it was urgent already
  std::int64_t expiries = 0;
  std::vector<std::string> details;

  void see(const Pass& pass) {
    const Observation& o = pass.after;
    const auto& before = pass.before;
    const auto& after = o.object.status;
    if (!before.delivery && after.delivery) begun(o);
    if (before.delivery && !after.delivery) ended(o);
    const bool turned = after.delivery && after.delivery->rolling_back_since &&
                        !(before.delivery && before.delivery->rolling_back_since);
    if (turned) {
      ++rollbacks;
      rolled_back_.insert(o.object.meta.uid);
    }
  }
  // What is served is asked at the end too.
  void close(const Run& run) {
    for (std::size_t i = 0; i < run.size(); ++i) {
      if (run.installed(i)->not_after <= run.now()) expired(run.observation(i));
    }
  }
  [[nodiscard]] int outside() const { return outside_window + in_freeze + beyond_budget; }

 private:
  void begun(const Observation& o) {
    ++rotations;
    const auto rotation = api::effective_rotation({}, &o.policy->spec);
    const auto& serving = *o.revisions.at(*o.object.status.revision).chain;
    if (serving.not_after <= o.now) expired(o);
    if (o.now >= decide::urgent_time(serving.not_before, serving.not_after, rotation.urgent_before)) {
      ++late;
      note(o, "begun late");
    }
    if (decide::freeze_at(rotation.freezes, o.now) != nullptr) {
      ++in_freeze;
      note(o, "begun in a freeze");
    }
    const auto slot = decide::next_slot(rotation.windows, o.edge->spec.time_zone, o.now, 1s);
    if (!slot || !*slot || (*slot)->opens > o.now) {
      ++outside_window;
      note(o, "begun outside of a window");
    } else {
      closes_[o.object.meta.uid] = (*slot)->closes;
    }
    auto& of_policy = under_way_["policy " + o.policy->meta.name];
    auto& of_site = under_way_[o.edge->spec.site];
    of_policy.insert(o.object.meta.uid);
    of_site.insert(o.object.meta.uid);
    const bool too_many = std::cmp_greater(of_policy.size(), rotation.max_concurrent) ||
                          std::cmp_greater(of_site.size(), rotation.max_concurrent_per_site);
    if (too_many) {
      ++beyond_budget;
      note(o, "begun beyond the budget");
    }
  }
  void ended(const Observation& o) {
    for (auto& [where, who] : under_way_) who.erase(o.object.meta.uid);
    // An operator that was away watches to the end when it is back.
    const auto closes = closes_.find(o.object.meta.uid);
    if (closes != closes_.end() && o.now > closes->second && !rolled_back_.contains(o.object.meta.uid) && !was_away) {
      ++outside_window;
      note(o, "ended outside of its window");
    }
    rolled_back_.erase(o.object.meta.uid);
    was_away = false;
  }
  void expired(const Observation& o) {
    ++expiries;
    note(o, "expired");
  }
  void note(const Observation& o, const std::string& what) {
    if (details.size() < 20) details.push_back(format_rfc3339(o.now) + " " + o.object.meta.name + " " + what);
  }

 public:
  bool was_away = false;

 private:
  std::map<std::string, std::set<std::string>> under_way_;
  std::map<std::string, TimePoint> closes_;
  std::set<std::string> rolled_back_;
};

// Somebody is called when a policy is halted, and lets it go on within two hours.
void live_through(forecast::Run& run, TimePoint until) {
  while (run.now() < until) {
    run.advance(std::min(run.now() + 2h, until));
    if (!run.halted().empty()) run.resume();
  }
}

// What `make sim-year` says in the end.
class Summary final : public testing::Environment {
 public:
  void TearDown() override {
    const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_);
    std::printf("sim-year: %d Edges, %s; plan matches %s; %lld s\n", kEdges, year.c_str(), plans.c_str(),
                static_cast<long long>(took.count()));
  }
  std::string year = "no year was lived through";
  std::string plans = "none were made";

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};
// GoogleTest owns it.
Summary& summary() {
  static auto* const environment = new Summary;
  return *environment;
}
[[maybe_unused]] const auto* const kRegistered = testing::AddGlobalTestEnvironment(&summary());

TEST(Year, FleetLivesThroughWhatGoesWrong) {
  const Settings settings{.prod = [](api::RotationPolicySpec& spec) {
    spec.freezes = {{.name = "black-friday",
                     .from = at("2027-11-22T00:00:00Z"),
                     .to = at("2027-11-29T00:00:00Z"),
                     .reason = "CHG0041"}};
  }};
  World world;
  world.sip_down = 0.02;
  world.ca_outage = Stretch{at("2027-04-06T09:00:00Z"), at("2027-04-09T09:00:00Z")};
  Judge judge;
  forecast::Run run(Fleet(settings).situation(), world, [&](const Pass& pass) { judge.see(pass); });
  live_through(run, at("2027-08-10T12:00:00Z"));
  judge.was_away = true;
  run.stop(run.now() + 48h);
  live_through(run, kNewYear + 365 * kDay);
  judge.close(run);

  const std::string seen = std::to_string(judge.rotations) + " rotations, " + std::to_string(world.orders) +
                           " orders, " + std::to_string(judge.rollbacks) + " rollbacks, " +
                           std::to_string(run.passes()) + " passes";
  summary().year = seen + "; expiries " + std::to_string(judge.expiries) + ", limit hits " +
                   std::to_string(world.limit_hits) + ", rotations outside " + std::to_string(judge.outside()) +
                   ", begun late " + std::to_string(judge.late);
  EXPECT_THAT(judge.details, testing::IsEmpty()) << seen;
  EXPECT_EQ(judge.expiries, 0);
  EXPECT_THAT(world.hits, testing::IsEmpty()) << world.limit_hits << " in all";
  EXPECT_EQ(judge.outside_window, 0);
  EXPECT_EQ(judge.in_freeze, 0);
  EXPECT_EQ(judge.beyond_budget, 0);
  EXPECT_EQ(judge.late, 0);
  // Everybody was rotated as often as their lifetime asks for, and as many went wrong as were meant to.
  EXPECT_GE(judge.rotations, kEdges * 6);
  EXPECT_NEAR(judge.rollbacks, judge.rotations * world.sip_down, judge.rotations * 0.01);
}

// Starts of pushes, by EdgeCertificate.
using Starts = std::map<std::string, std::vector<TimePoint>>;

// Of the starts in either, how many are in both: of the same Edge, and in the same night.
std::pair<std::size_t, std::size_t> compare(const Starts& planned, Starts happened) {
  constexpr auto kSameNight = 6h;
  std::size_t both = 0;
  std::size_t either = 0;
  for (const auto& [name, starts] : planned) {
    auto& left = happened[name];
    for (const TimePoint start : starts) {
      const auto found =
          std::ranges::find_if(left, [&](TimePoint other) { return std::chrono::abs(other - start) <= kSameNight; });
      ++either;
      if (found == left.end()) continue;
      ++both;
      left.erase(found);
    }
  }
  for (const auto& [name, starts] : happened) either += starts.size();
  return {both, either};
}

TEST(Year, PlansComeTrue) {
  World world;  // nothing goes wrong, but orders and restarts take what they take
  Starts happened;
  forecast::Run run(Fleet({}).situation(), world, [&](const Pass& pass) {
    const Observation& o = pass.after;
    if (!pass.before.delivery && o.object.status.delivery) happened[o.object.meta.name].push_back(o.now);
  });
  std::size_t matches = 0;
  std::size_t all = 0;
  for (int month = 0; month < 12; ++month) {
    const TimePoint until = run.now() + 30 * kDay;
    auto plan = std::async(std::launch::async, forecast::plan, run.situation(), until);
    happened.clear();
    run.advance(until);
    Starts planned;
    for (const auto& rotation : plan.get().rotations)
      planned[rotation.place.certificate.name].push_back(rotation.starts);
    const auto [both, either] = compare(planned, happened);
    matches += both;
    all += either;
  }
  char percent[16];
  std::snprintf(percent, sizeof percent, "%.2f %%", 100.0 * static_cast<double>(matches) / static_cast<double>(all));
  summary().plans = std::to_string(matches) + " of " + std::to_string(all) + " (" + percent + ")";
  EXPECT_GE(all, static_cast<std::size_t>(kEdges) * 6);
  EXPECT_GE(matches * 100, all * 99) << summary().plans;
}

TEST(Year, FirstOrdersOfOneDomainComeWeekByWeek) {
  constexpr int kFresh = 120;
  World world;
  forecast::Run run(Fleet({.edges = kFresh, .fresh = kFresh}).situation(), world, [](const Pass& /*pass*/) {});
  const auto live = [&] {
    int count = 0;
    for (std::size_t i = 0; i < run.size(); ++i) {
      const Observation& o = run.observation(i);
      if (o.issuer->spec.limits && o.object.status.revision) ++count;
    }
    return count;
  };
  std::vector<int> by_week;
  for (int week = 0; week < 3; ++week) {
    run.advance(run.now() + 7 * kDay);
    by_week.push_back(live());
  }
  EXPECT_THAT(by_week, testing::ElementsAre(50, 100, kFresh * 9 / 10));
  EXPECT_THAT(world.hits, testing::IsEmpty());
}

// --- settings that cannot work say so at the start

std::vector<forecast::Obstacle> obstacles(const Settings& settings) {
  return forecast::plan(Fleet(settings).situation(), kNewYear + 1h).infeasible;
}

// The number that a message asks for.
int asked_for(const std::string& message) {
  const std::string before = "it has to be ";
  const auto at = message.find(before);
  return at == std::string::npos ? 0 : std::stoi(message.substr(at + before.size()));
}

TEST(Infeasible, NothingIsSaidOfSettingsThatWork) { EXPECT_THAT(obstacles({}), testing::IsEmpty()); }

TEST(Infeasible, BudgetsNameTheNumberThatWouldDo) {
  int concurrent = 1;
  int concurrent_per_site = 1;
  const Settings settings{.edges = 1000, .prod = [&](api::RotationPolicySpec& spec) {
                            spec.windows = {{.start = "02:00", .duration = 40min, .days = {api::Day::kSun}}};
                            spec.budget = api::Budget{.max_concurrent = concurrent,
                                                      .max_concurrent_per_site = concurrent_per_site};
                          }};
  auto found = obstacles(settings);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().reason, "Budget");
  EXPECT_EQ(found.front().object.name, "prod");
  EXPECT_THAT(found.front().message, testing::HasSubstr("budget.maxConcurrent 1 leaves room for"));
  concurrent = asked_for(found.front().message);
  ASSERT_GT(concurrent, 1);

  found = obstacles(settings);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().reason, "SiteBudget");
  EXPECT_THAT(found.front().message, testing::HasSubstr("budget.maxConcurrentPerSite 1 leaves room for"));
  concurrent_per_site = asked_for(found.front().message);
  ASSERT_GT(concurrent_per_site, 1);

  EXPECT_THAT(obstacles(settings), testing::IsEmpty());
}

TEST(Infeasible, TheLimitOfTheCaIsNamed) {
  const auto found = obstacles({.edges = 100, .fresh = 70});  // 63 of them at the CA with limits
  ASSERT_EQ(found.size(), 2U) << "said of each issuer";
  EXPECT_EQ(found.front().kind, "AcmeIssuer");
  EXPECT_EQ(found.front().reason, "IssuerLimitDomain");
  EXPECT_EQ(asked_for(found.front().message), 63);
  EXPECT_THAT(obstacles({.edges = 100, .fresh = 50}), testing::IsEmpty());
}

TEST(Infeasible, WindowsAndFreezesAreNamed) {
  const auto reasons = [](const std::function<void(api::RotationPolicySpec&)>& prod) {
    std::map<std::string, int> counts;
    for (const auto& obstacle : obstacles({.edges = 100, .prod = prod})) ++counts[obstacle.reason];
    return counts;
  };
  const std::map<std::string, int> each_of_prod_lacks_a_window{{"Window", 90}};
  EXPECT_EQ(reasons([](auto& spec) {
              spec.windows = {{.start = "02:00", .duration = 10min}};
              spec.urgent = api::Urgent{.may_break = std::vector<api::MayBreak>{}};
            }),
            each_of_prod_lacks_a_window);
  const std::map<std::string, int> each_of_prod_is_frozen{{"Freeze", 90}};
  EXPECT_EQ(reasons([](auto& spec) {
              spec.freezes = {{.name = "forever", .from = kNewYear, .to = kNewYear + 200 * kDay, .reason = {}}};
            }),
            each_of_prod_is_frozen);
}

}  // namespace
}  // namespace edgetrust::simulation
