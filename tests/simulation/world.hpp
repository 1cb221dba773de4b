#pragma once
// A world of memory for the real engine: cluster, CA, DNS and one Edge, in virtual time. Keys and certificates are
// tokens: text that says what they are.
#include "edgetrust/base/text.hpp"
#include "edgetrust/reconcile/certificate_reconciler.hpp"
#include "simulation/states.hpp"
#include "support/fake_clock.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace edgetrust::simulation {

// The operator died: thrown out of a port, caught by run().
struct Crash {};

// Counts every change of the world, and crashes at the one asked for.
class Moments {
 public:
  enum class When { kBefore, kAfter };
  void crash_at(int change, When when) {
    target_ = change;
    when_ = when;
  }
  // Wraps one change. `after` comes once an upload is over and survived.
  std::function<void()> after = [] {};
  template <class Commit>
  auto change(const std::string& what, Commit commit) {
    ++count_;
    log.push_back(what);
    if (count_ == target_ && when_ == When::kBefore) crash();
    auto result = commit();
    if (count_ == target_ && when_ == When::kAfter) crash();
    if (what == "upload") after();
    return result;
  }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] bool has_crashed() const { return crashed_; }
  std::vector<std::string> log;

 private:
  void crash() {
    crashed_ = true;
    throw Crash{};
  }
  bool crashed_ = false;
  int count_ = 0;
  int target_ = -1;
  When when_ = When::kBefore;
};

// The lead of an operator that loses it with the n-th change of the world.
struct LeadUntil final : ports::Leadership {
  LeadUntil(const Moments& of, int change) : moments(of), last(change) {}
  [[nodiscard]] bool holds() const override { return moments.count() < last; }
  const Moments& moments;
  int last;
};

// One resourceVersion for all, as etcd has it.
struct Etcd {
  std::int64_t version = 100;
  std::string next() { return std::to_string(++version); }
};

template <class Kind>
class MemoryObjects final : public ports::Objects<Kind> {
 public:
  MemoryObjects(Etcd& etcd, Moments& moments) : etcd_(etcd), moments_(moments) {}

  void put(Kind object) {
    object.meta.resource_version = etcd_.next();
    const api::ObjectKey key = object.meta.key();
    stored_[key] = std::make_shared<Kind>(std::move(object));
  }
  void erase(const api::ObjectKey& key) { stored_.erase(key); }
  [[nodiscard]] std::shared_ptr<const Kind> get(const api::ObjectKey& key) const override {
    const auto found = stored_.find(key);
    return found == stored_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::vector<std::shared_ptr<const Kind>> list(const std::string& ns) const override {
    std::vector<std::shared_ptr<const Kind>> all;
    for (const auto& [key, object] : stored_) {
      if (key.ns == ns) all.push_back(object);
    }
    return all;
  }
  Result<Kind> read(const api::ObjectKey& key, std::stop_token /*stop*/) override {
    const auto object = get(key);
    if (!object) return fail(ErrorKind::kNotFound, "no such object");
    return *object;
  }
  Result<std::string> write_status(const Kind& object, std::stop_token stop) override {
    return moments_.change("status", [&]() -> Result<std::string> {
      auto current = read(object.meta.key(), stop);
      if (!current) return tl::unexpected(current.error());
      if (current->meta.resource_version != object.meta.resource_version)
        return fail(ErrorKind::kConflict, "the object has been modified");
      auto next = std::make_shared<Kind>(*current);
      next->status = object.status;
      next->meta.resource_version = etcd_.next();
      stored_[object.meta.key()] = next;
      note_state(*next);
      return next->meta.resource_version;
    });
  }
  Result<std::string> set_finalizer(const api::ObjectMeta& meta, const std::string& finalizer, bool present,
                                    std::stop_token stop) override {
    return moments_.change("finalizer", [&]() -> Result<std::string> {
      auto current = read(meta.key(), stop);
      if (!current || current->meta.resource_version != meta.resource_version)
        return fail(ErrorKind::kConflict, "the object has been modified");
      auto next = std::make_shared<Kind>(*current);
      std::erase(next->meta.finalizers, finalizer);
      if (present) next->meta.finalizers.push_back(finalizer);
      next->meta.resource_version = etcd_.next();
      stored_[meta.key()] = next;
      return next->meta.resource_version;
    });
  }

 private:
  Etcd& etcd_;
  Moments& moments_;
  std::map<api::ObjectKey, std::shared_ptr<Kind>> stored_;
};

// The root of all token certificates, as a bundle.
inline const std::string kSimulatedRoot = "the simulated root";

// What a token certificate says; its text form is its PEM.
struct Token {
  std::string serial;
  std::string key;
  std::vector<std::string> names;
  TimePoint not_before;
  TimePoint not_after;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string pem() const;  // the same with the lines that PEM has around it
  static Result<Token> parse(const std::string& text);
};

// The world. Edge "edge01" in namespace "voice" with EdgeCertificate of the same name.
class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  support::FakeClock clock{"2026-11-22T12:00:00Z"};
  Moments moments;
  Etcd etcd;
  MemoryObjects<api::EdgeCertificate> certificates{etcd, moments};
  MemoryObjects<api::Edge> edges{etcd, moments};
  MemoryObjects<api::RotationPolicy> policies{etcd, moments};
  MemoryObjects<api::AcmeIssuer> issuers{etcd, moments};
  MemoryObjects<api::GenesysConnection> connections{etcd, moments};

  // The Edge as it really is.
  std::string installed;              // the chain that its port serves; empty: nothing listens
  std::set<std::string> bad_serials;  // leaves with which SIP does not work
  TimePoint installed_at;
  std::set<std::string> trunk_breakers;  // leaves with which its trunk goes down, whatever the status says
  std::set<std::string> mute_serials;    // leaves with which OPTIONS are answered with 503
  bool trunks_unlisted = false;
  std::set<std::string> unparsable_serials;  // leaves that the vendor's own parser objects to
  std::optional<Error> parser_error;         // why it cannot be asked
  int parser_calls = 0;
  std::chrono::milliseconds status_takes{0};
  std::vector<ports::ProbeTarget> handshakes;  // all of them, in order
  // What the status call says while this leaf is installed, a letter a call: g good, b SIP_DOWN, all else, and when it
  // is over, no answer.
  std::string scripted_serial;
  std::string script;
  // Out of service it takes no calls: its status is SIP_DOWN. Calls that are up end by themselves after a while, and
  // are cut when the vendor's own wait is over.
  bool in_service = true;
  std::chrono::milliseconds calls_last{0};  // those that are up when it goes out
  TimePoint out_since;
  std::chrono::milliseconds patience{0};  // the vendor's
  int times_out = 0;                      // how often it was taken out of service
  int service_looks = 0;
  std::set<std::string> pushed_with_calls;  // serials that were uploaded while calls were up or could come in
  std::optional<Error> service_error;       // of every request about its service, which is then not executed
  std::set<std::string> stays_out_with;     // serials with which it takes the request to come back, and does not
  int uploads = 0;
  std::vector<std::string> uploaded_serials;  // in order
  // The CA as it really is.
  std::map<std::string, int> orders_by_key;  // finalized orders a key
  int orders = 0;
  std::map<std::string, int> orders_of;  // by the AcmeIssuer that was asked
  std::set<std::string> dead_issuers;    // whose CA cannot be reached
  std::string asked_issuer;              // the last one
  std::string gives_order;               // of somebody else, which it gives to whoever orders; empty: it makes one
  // What the CA answers instead of taking an order, asked right before it would.
  std::function<std::optional<Error>(const ports::OrderRequest&)> objection_to_order = [](const auto& /*request*/) {
    return std::nullopt;
  };
  // The same of any request on the way to a certificate: "newOrder", "order", "challenge", "finalize", "certificate".
  std::function<std::optional<Error>(std::string_view request)> ca_says = [](auto /*request*/) { return std::nullopt; };
  std::map<std::string, ports::RenewalInfo> suggestions;  // when it would have a certificate renewed, by serial number
  bool offers_renewal_info = false;
  int renewal_looks = 0;
  std::vector<std::string> replaced;    // serial numbers that orders have named, in order; "-" for none
  std::set<std::string> unreplaceable;  // as if another order had replaced them already
  int refused_replacements = 0;
  ports::Offers offers;
  std::vector<std::string> account_keys{"the first"};  // in order; the last one is the account's now
  bool account_over = false;
  std::set<std::string> deactivated;                       // authorizations
  std::map<std::string, ports::RevocationReason> revoked;  // by serial number
  std::optional<Error> revoke_error;
  int bindings_made = 0;      // at ZeroSSL
  int refused_orders = 0;     // the challenges of the first so many orders are found invalid
  bool uploads_fail = false;  // before anything is done
  int tried_uploads = 0;
  int answers_lost = 0;                 // of the next so many uploads, which are executed
  bool fail_after_lost_answer = false;  // uploads_fail from then on
  std::set<std::string> records;        // TXT records that exist, "name value"
  std::set<std::string> zones_asked;    // names whose solver was asked for
  // Answers to http-01 stand in the statuses, and are given from there by whoever is up. Empty: there is none.
  [[nodiscard]] std::string http_answer(const std::string& host, const std::string& path) const;
  bool serves_http01 = true;
  int web_looks = 0;
  // What the operator finds in their place when it looks.
  std::function<std::optional<Result<ports::WebPage>>(const std::string& host)> web_instead = [](const auto& /*host*/) {
    return std::nullopt;
  };
  std::set<std::string> keys_ever;                                        // every key that was made
  std::map<std::string, std::string> bundles{{"roots", kSimulatedRoot}};  // Secrets with CA certificates, by name

  // The watch cache of the slots has seen none of them.
  bool slots_are_old_news = false;

  // A Secret that somebody else renews, written in one piece; and what happens right before it is read.
  static constexpr const char* kSource = "from-elsewhere";
  void put_source(const Token& certificate, const std::string& key);
  void remove_source();
  void before_reading_source(std::function<void()> what);
  // What happens right before a Secret is changed.
  void before_updating(std::function<void(const std::string& name)> what);

  // Genesys as it really is, and how often it was asked.
  std::vector<ports::EdgeInfo> listed;
  std::map<ports::EdgeId, std::vector<ports::Trunk>> trunks;  // by id in lower case
  ports::ClientInfo client{.id = "client-1", .standby = false, .trouble = {}, .state = {}, .delete_after = {}};
  int fleet_checks = 0;
  int edge_listings = 0;
  int trunk_listings = 0;
  int trunk_calls = 0;  // for one Edge
  std::vector<ports::TrustedAuthority> authorities;
  std::optional<Error> authority_error;  // of every change of them
  // The dead man's switch.
  std::vector<TimePoint> pings;
  Status ping_answer;
  // What was said.
  struct Event {
    std::string kind;
    bool warning = false;
    std::string reason;
    std::string message;
    std::string trace_id;
  };
  std::vector<Event> events;

  // The planted bug, push first and save later: Secrets are kept in memory until an upload is answered.
  bool save_later = false;
  void save();
  void lose_unsaved();

  reconcile::World ports();
  [[nodiscard]] ports::BudgetSlots& slots() const;
  [[nodiscard]] bool calls_are_up() const;
  // Secrets by name, as stored.
  [[nodiscard]] std::map<std::string, std::string> secret_texts() const;
  // The Edge as its object says, changed.
  void change_edge(const std::function<void(api::Edge&)>& change);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Runs the engine until nothing is left to do before `limit`; a crash makes a new engine. Returns false when it did not
// come to rest.
bool run(World& world, std::chrono::milliseconds limit);

}  // namespace edgetrust::simulation
