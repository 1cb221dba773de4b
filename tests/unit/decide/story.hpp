#pragma once
// The rules in a small world of their own: one CA, one DNS zone, one Edge, answering each effect. What is durable
// (status, Secrets, finalizers, the world) survives crash(); what lives in the process does not. The engine is not in
// it: tests/simulation has that.
#include "sane.hpp"

#include <functional>

namespace edgetrust::decide::certificate {

using namespace support;

// What comes of an effect: nothing is executed; it is executed and nobody hears of it; or all is well.
enum class Fate { kDone, kFails, kAnswerLost, kCrashBefore, kCrashAfter };

class Story {
 public:
  explicit Story(Observation start = fresh()) : o(std::move(start)) { o.object.status.observed_generation = -1; }

  Observation o;

  // --- the world
  std::string served;             // on the SIP-TLS port; empty: nothing listens
  std::set<std::string> records;  // TXT records that exist
  struct CaOrder {
    int revision = 0;
    std::vector<std::string> names;
    bool answered = false;
    bool finalized = false;
    bool invalid = false;
  };
  std::map<std::string, CaOrder> orders;                // by URL
  bool ca_refuses = false;                              // challenges are found invalid
  std::set<int> sick;                                   // revisions with which SIP is down
  ports::EdgeState sick_state = ports::EdgeState::kOk;  // what the status call says of it
  bool edge_is_down = false;                            // whatever is installed
  bool status_unknown = false;                          // the status call is not answered
  bool takes_nothing = false;                           // uploads are acknowledged and not installed
  std::function<Fate(const std::string&)> fate = [](const std::string&) { return Fate::kDone; };

  // --- what happened
  std::vector<std::string> done;  // executed effects in order, "Push 2"
  std::map<int, int> finalized;   // certificates a revision's key
  std::vector<Announcement> said;
  std::string last_rule;
  std::vector<std::string> log;  // a line a pass, for who looks for a fault
  [[nodiscard]] std::string last_lines(std::size_t n) const {
    std::string text;
    for (std::size_t i = log.size() > n ? log.size() - n : 0; i < log.size(); ++i) text += log[i] + "\n";
    return text;
  }

  [[nodiscard]] std::string pushes() const {
    std::string line;
    for (const auto& effect : done) {
      if (effect.starts_with("Push")) line += (line.empty() ? "" : " ") + effect.substr(5);
    }
    return line;
  }
  [[nodiscard]] int count(std::string_view effect) const {
    return static_cast<int>(std::ranges::count_if(done, [&](const std::string& e) { return e.starts_with(effect); }));
  }

  // One pass. False: nothing is left to do until wake_at, or until something changes.
  bool pass() {
    wake_at.reset();
    const Decision decision = decide(o);
    last_rule = decision.rule;
    log.push_back(format_rfc3339(o.now) + " " + support::summary(o, decision) + "   [" + served + "]");
    expect_sane(o, decision);
    api::EdgeCertificate written = o.object;
    written.status = decision.status;
    if (api::encode_status(written) != api::encode_status(o.object)) ++writes;
    o.object.status = through_json(decision.status);
    said.insert(said.end(), decision.announcements.begin(), decision.announcements.end());
    const auto& order = o.object.status.order;
    if (o.new_order_url && order && order->url == *o.new_order_url) o.new_order_url.reset();
    if (!decision.effect) {
      wake_at = decision.wake_at;
      return wake_at && *wake_at <= o.now;
    }
    perform(*decision.effect);
    return true;
  }
  // Until nothing is left to do before `limit` from now; false: it did not come to rest.
  bool run(api::Duration limit, int max_passes = 3000) {
    const TimePoint end = o.now + limit;
    for (int i = 0; i < max_passes; ++i) {
      if (pass()) continue;
      if (!wake_at || *wake_at > end) return true;
      o.now = *wake_at;
    }
    return false;
  }
  void crash() { support::crash(o); }

  std::optional<TimePoint> wake_at;
  int writes = 0;

 private:
  static api::EdgeCertificateStatus through_json(const api::EdgeCertificateStatus& status) {
    api::EdgeCertificate object;
    object.status = status;
    const auto document =
        json::Document::parse(R"({"metadata":{},"spec":{},"status":)" + api::encode_status(object) + "}").value();
    return api::decode<api::EdgeCertificate>(document.root()).status;
  }
  static std::string title(const Effect& effect) {
    std::string text(name_of(effect));
    std::visit(
        [&](const auto& e) {
          if constexpr (requires { e.revision; }) text += " " + std::to_string(e.revision);
        },
        effect);
    return text;
  }
  void perform(const Effect& effect) {
    const std::string name(name_of(effect));
    const Fate what = fate(title(effect));
    o.now += 20ms;
    if (what == Fate::kCrashBefore) return crash();
    Status result;
    if (what != Fate::kFails) {
      result = std::visit([&](const auto& e) { return execute(e); }, effect);
      if (result) done.push_back(title(effect));
    } else {
      result = fail(ErrorKind::kUnavailable, "told to fail");
    }
    if (what == Fate::kCrashAfter) return crash();
    if (what == Fate::kAnswerLost) {
      result = fail(ErrorKind::kTimeout, "no answer");
      forget(effect);
    }
    if (result) {
      if (o.failure && (!is_look(effect) || o.failure->effect == name)) o.failure.reset();
    } else {
      const int before = o.failure && o.failure->effect == name ? o.failure->count : 0;
      o.failure = Failure{name, result.error(), before + 1, o.now};
    }
  }
  // What the process learned from an answer that it did not get.
  void forget(const Effect& effect) {
    if (std::holds_alternative<effect::Push>(effect)) o.pushed.reset();
    if (std::holds_alternative<effect::NewOrder>(effect)) {
      o.new_order_url.reset();
      o.order.reset();
    }
    if (std::holds_alternative<effect::LookAtEdge>(effect)) o.look.reset();
    if (std::holds_alternative<effect::PresentRecord>(effect)) o.presented.clear();
    if (std::holds_alternative<effect::RemoveRecord>(effect)) o.removed.clear();
  }

  // --- effects
  Status execute(const effect::LookAtEdge& /*e*/) {
    EdgeLook seen = served.empty() ? empty_look(o.now) : look(served, o.now);
    bool down = edge_is_down;
    for (const int revision : sick) down = down || served == fingerprint(revision);
    if (down) seen = with_health(seen, sick_state, ports::SipState::kDown);
    if (status_unknown) {
      seen.health.reset();
      seen.health_error = error(ErrorKind::kTimeout);
    }
    const auto& delivery = o.object.status.delivery;
    if (delivery && delivery->installed_at && !delivery->rolling_back_since) {
      o.health = fold(o.health, assess(seen, fingerprint(delivery->revision), delivery->port_answered), o.now, 55s);
    }
    o.look = seen;
    return {};
  }
  ports::Order view(const std::string& url) const {
    const CaOrder& kept = orders.at(url);
    ports::Order seen{
        .url = url, .status = ports::OrderStatus::kPending, .expires = parse_rfc3339("2030-01-01T00:00:00Z").value()};
    if (kept.answered) seen.status = ports::OrderStatus::kReady;
    if (kept.finalized) seen.status = ports::OrderStatus::kValid;
    if (kept.invalid) seen.status = ports::OrderStatus::kInvalid;
    if (kept.finalized) seen.certificate_url = url + "/certificate";
    for (const auto& name : kept.names) {
      seen.authorizations.push_back(
          {.url = url + "/" + name,
           .identifier = name,
           .status = kept.answered ? ports::AuthorizationStatus::kValid : ports::AuthorizationStatus::kPending,
           .dns = ports::DnsChallenge{.url = url + "/answer/" + name,
                                      .record_name = "_acme-challenge." + name,
                                      .record_value = url.substr(url.rfind('/') + 1)}});
    }
    return seen;
  }
  Status execute(const effect::LookAtOrder& e) {
    if (!orders.contains(e.url)) return fail(ErrorKind::kNotFound, "no such order");
    o.order = OrderLook{view(e.url), o.now};
    return {};
  }
  Status execute(const effect::LookForRecords& e) {
    RecordsLook found{.everywhere = true, .at = o.now};
    for (const auto& record : e.records) {
      if (!records.contains(record_id(record))) found = {.everywhere = false, .missing = record.name, .at = o.now};
    }
    o.records = found;
    return {};
  }
  Status execute(const effect::SetFinalizer& e) {
    auto& all = o.object.meta.finalizers;
    std::erase(all, api::kFinalizer);
    if (e.present) all.emplace_back(api::kFinalizer);
    return {};
  }
  Status execute(const effect::CreateKey& e) {
    auto& revision = o.revisions[e.revision];
    revision.number = e.revision;
    revision.has_key = true;
    o.key_made = e.revision;
    o.order.reset();
    o.new_order_url.reset();
    return {};
  }
  Status execute(const effect::NewOrder& e) {
    std::string url;
    for (const auto& [known, order] : orders) {
      const bool open = !order.finalized && !order.invalid;
      if (e.look_first && open && order.names == e.request.dns_names) url = known;
    }
    if (url.empty()) {
      url = "https://ca.example/order/" + std::to_string(orders.size() + 1);
      orders[url] = {.revision = e.revision, .names = e.request.dns_names};
    }
    o.new_order_url = url;
    o.order.reset();  // what comes back names its authorizations by URL only
    o.presented.clear();
    o.removed.clear();
    o.answered.clear();
    o.records.reset();
    return {};
  }
  Status execute(const effect::PresentRecord& e) {
    records.insert(record_id(e.record));
    o.presented.insert(record_id(e.record));
    o.records.reset();
    return {};
  }
  Status execute(const effect::RemoveRecord& e) {
    records.erase(record_id(e.record));
    o.removed.insert(record_id(e.record));
    return {};
  }
  Status execute(const effect::AnswerChallenge& e) {
    const std::string url = e.url.substr(0, e.url.find("/answer/"));
    const std::string record =
        "_acme-challenge." + e.url.substr(e.url.rfind('/') + 1) + " " + url.substr(url.rfind('/') + 1);
    if (ca_refuses || !records.contains(record)) orders[url].invalid = true;  // the CA looks at once
    o.answered.insert(e.url);
    bool all = true;
    for (const auto& name : orders[url].names) all = all && o.answered.contains(url + "/answer/" + name);
    orders[url].answered = all;
    o.order->at = o.now;
    return {};
  }
  Status execute(const effect::FinalizeOrder& e) {
    CaOrder& order = orders.at(e.order_url);
    if (!order.answered || order.invalid) {  // no longer ready: it is given back as it is
      o.order = OrderLook{view(e.order_url), o.now};
      return {};
    }
    if (order.names != e.names.dns_names) return fail(ErrorKind::kInvalid, "badCSR");
    if (!order.finalized) ++finalized[e.revision];
    order.finalized = true;
    order.revision = e.revision;
    o.order = OrderLook{view(e.order_url), o.now};
    o.order->order.authorizations.clear();  // as above
    return {};
  }
  Status execute(const effect::StoreBundle& e) {
    auto& revision = o.revisions[e.revision];
    if (!revision.chain) {
      revision.chain = chain(e.revision, o.now - 1h);
      revision.chain->dns_names = orders.at(o.object.status.order->url).names;
    }
    o.order.reset();
    o.records.reset();
    o.presented.clear();
    o.answered.clear();
    return {};
  }
  Status execute(const effect::StoreImport& /*e*/) {
    o.revisions[0] = {.number = 0, .has_key = true, .chain = o.import->chain};
    return {};
  }
  Status execute(const effect::Push& e) {
    if (!takes_nothing) served = o.revisions.at(e.revision).chain->fingerprint_sha256;
    o.pushed = e.revision;
    o.health = {};
    return {};
  }
  Status execute(const effect::WriteServingSecret& e) {
    o.serving_fingerprint = o.revisions.at(e.revision).chain->fingerprint_sha256;
    return {};
  }
  Status execute(const effect::DeleteRevision& e) {
    o.revisions.erase(e.revision);
    return {};
  }
};

}  // namespace edgetrust::decide::certificate
