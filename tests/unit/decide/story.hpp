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
  std::set<std::string> slots;    // that it holds
  struct CaOrder {
    int revision = 0;
    std::vector<std::string> names;
    bool answered = false;
    bool finalized = false;
    bool invalid = false;
  };
  std::map<std::string, CaOrder> orders;                         // by URL
  std::set<std::string> answers;                                 // challenges that were answered, by URL
  std::set<std::string> deactivated;                             // authorizations, by URL
  std::vector<std::pair<int, ports::RevocationReason>> revoked;  // in order
  bool ca_refuses = false;                                       // challenges are found invalid
  std::set<int> sick;                                            // revisions with which SIP is down
  ports::EdgeState sick_state = ports::EdgeState::kOk;           // what the status call says of it
  bool edge_is_down = false;                                     // whatever is installed
  bool status_unknown = false;                                   // the status call is not answered
  bool peers_refuse = false;                                     // whatever chain they are asked about
  bool vendor_refuses = false;                                   // whatever chain it is shown
  bool trunk_is_down = false;                                    // whatever is installed, and since just now
  bool trunks_unlisted = false;
  // Out of service it takes no calls, and its status is SIP_DOWN. Those that are up then last so long, or until the
  // vendor loses patience.
  bool in_service = true;
  api::Duration calls_last{};
  TimePoint out_since;
  api::Duration patience{};
  std::string pushed_with_calls;  // revisions
  [[nodiscard]] bool calls_are_up() const { return in_service || o.now < out_since + std::min(calls_last, patience); }
  bool takes_nothing = false;  // uploads are acknowledged and not installed
  std::function<std::optional<ports::RenewalInfo>(int)> suggests = [](int /*revision*/) {
    return std::optional<ports::RenewalInfo>{};  // the CA offers no renewal information
  };
  std::function<Fate(const std::string&)> fate = [](const std::string&) { return Fate::kDone; };

  // --- what happened
  std::vector<std::string> done;      // executed effects in order, "Push 2"
  std::map<int, int> finalized;       // certificates a revision's key
  std::vector<std::string> replaced;  // serial numbers that orders have named, "-" for none
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
    note_pass(o, o.now);
    const Decision decision = decide(o);
    last_rule = decision.rule;
    log.push_back(format_rfc3339(o.now) + " " + support::summary(o, decision) + "   [" + served + "]");
    expect_sane(o, decision);
    api::EdgeCertificate written = o.object;
    written.status = decision.status;
    const std::string encoded_before = api::encode_status(o.object);
    const api::EdgeCertificateStatus before = o.object.status;
    o.object.status = through_json(decision.status);
    if (api::encode_status(written) != encoded_before) {
      note_written(o, before, o.object.status);
      said.insert(said.end(), decision.announcements.begin(), decision.announcements.end());
    }
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
          if constexpr (requires { e.in_service; }) text += e.in_service ? " in" : " out";
        },
        effect);
    return text;
  }
  void perform(const Effect& effect) {
    const std::string name(name_of(effect));
    const Fate what = fate(title(effect));
    o.now += std::chrono::milliseconds{20};
    if (what == Fate::kCrashBefore) return crash();
    note_begun(o, effect);
    Result<Learned> result = fail(ErrorKind::kUnavailable, "told to fail");
    if (what != Fate::kFails) {
      result = std::visit([&](const auto& e) { return execute(e); }, effect);
      if (result) done.push_back(title(effect));
    }
    if (what == Fate::kCrashAfter) return crash();
    if (what == Fate::kAnswerLost) result = fail(ErrorKind::kTimeout, "no answer");
    if (result) {
      note_success(o, effect, std::move(*result), o, o.now);
    } else {
      note_failure(o, effect, result.error(), o.now);
    }
  }

  // --- effects
  Result<Learned> execute(const effect::LookAtEdge& e) {
    EdgeLook seen = served.empty() ? empty_look(o.now) : look(served, o.now);
    if (e.closely) {
      seen.evidence->peers = peers();
      seen.evidence->trunks = {
          {.name = "SBC", .state = trunk_is_down ? ports::TrunkState::kDown : ports::TrunkState::kUp, .since = o.now}};
      if (trunks_unlisted) seen.evidence->trunks.reset();
    } else {
      seen.evidence.reset();
    }
    for (const auto& [number, revision] : o.revisions) {
      if (seen.served && revision.chain && revision.chain->fingerprint_sha256 == served) seen.served = revision.chain;
    }
    bool down = edge_is_down || !in_service;
    for (const int revision : sick) down = down || served == fingerprint(revision);
    if (down) seen = with_health(seen, sick_state, ports::SipState::kDown);
    if (status_unknown) {
      seen.health.reset();
      seen.health_error = error(ErrorKind::kTimeout);
    }
    return Learned{.look = seen};
  }
  Result<Learned> execute(const effect::LookAtService& /*e*/) {
    const bool calls = !in_service && calls_are_up();
    return Learned{.service = ServiceLook{.edge = {.in_service = in_service,
                                                   .active = true,
                                                   .software_status = "NONE",
                                                   .draining = in_service ? ports::CallDraining::kNone
                                                               : calls    ? ports::CallDraining::kWaiting
                                                                          : ports::CallDraining::kComplete,
                                                   .conversations = calls ? 2 : 0},
                                          .at = o.now}};
  }
  Result<Learned> execute(const effect::SetService& e) {
    if (in_service && !e.in_service) out_since = o.now;
    in_service = e.in_service;
    patience = e.calls_may_last;
    return Learned{};
  }
  ports::Order view(const std::string& url) const {
    const CaOrder& kept = orders.at(url);
    ports::Order seen{.url = url,
                      .identifiers = std::set<std::string>(kept.names.begin(), kept.names.end()),
                      .status = ports::OrderStatus::kPending,
                      .expires = parse_rfc3339("2030-01-01T00:00:00Z").value()};
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
  Result<Learned> execute(const effect::AskPeers& e) {
    PeersLook told{.revision = e.revision, .edge_generation = o.edge->meta.generation, .at = o.now};
    told.peers = peers();
    return Learned{.peers = told};
  }
  Result<Learned> execute(const effect::AskVendor& e) {
    return Learned{.vendor = VendorLook{.fingerprint_sha256 = o.revisions.at(e.revision).chain->fingerprint_sha256,
                                        .objection = vendor_refuses ? "it can read 1 of 2 certificates" : ""}};
  }
  std::vector<PeerLook> peers() const {
    std::vector<PeerLook> all;
    for (const auto& peer : o.edge->spec.sip.peers)
      all.push_back({peer.name, peers_refuse ? Answer::kNo : Answer::kYes, peers_refuse ? "no such root" : ""});
    return all;
  }
  Result<Learned> execute(const effect::LookAtOrder& e) {
    if (!orders.contains(e.url)) return fail(ErrorKind::kNotFound, "no such order");
    return Learned{.order = view(e.url)};
  }
  Result<Learned> execute(const effect::LookAtRenewalInfo& e) {
    EXPECT_EQ(e.certificate.serial_number, o.revisions.at(e.revision).chain->serial_number);
    return Learned{.renewal_info = suggests(e.revision)};
  }
  // Its names are proved by DNS.
  Result<Learned> execute(const effect::LookForAnswers& /*e*/) {
    ADD_FAILURE() << "nothing is answered by HTTP here";
    return Learned{};
  }
  Result<Learned> execute(const effect::LookForRecords& e) {
    RecordsLook found{.everywhere = true, .at = o.now};
    for (const auto& record : e.records) {
      if (!records.contains(record_id(record))) found = {.everywhere = false, .missing = record.name, .at = o.now};
    }
    return Learned{.records = found};
  }
  Result<Learned> execute(const effect::SetFinalizer& e) {
    auto& all = o.object.meta.finalizers;
    std::erase(all, api::kFinalizer);
    if (e.present) all.emplace_back(api::kFinalizer);
    return Learned{};
  }
  Result<Learned> execute(const effect::CreateKey& e) {
    auto& revision = o.revisions[e.revision];
    revision.number = e.revision;
    revision.has_key = true;
    return Learned{};
  }
  Result<Learned> execute(const effect::NewOrder& e) {
    std::string url;
    for (const auto& [known, order] : orders) {
      const bool open = !order.finalized && !order.invalid;
      if (e.look_first && open && order.names == e.request.dns_names) url = known;
    }
    if (url.empty()) {
      const std::string before = e.request.replaces ? e.request.replaces->serial_number : "-";
      if (before != "-" && std::ranges::count(replaced, before) > 0) return fail(already_replaced());
      replaced.push_back(before);
      url = "https://ca.example/order/" + std::to_string(orders.size() + 1);
      orders[url] = {.revision = e.revision, .names = e.request.dns_names};
    }
    return Learned{.order = view(url)};
  }
  Result<Learned> execute(const effect::PresentRecord& e) {
    records.insert(record_id(e.record));
    return Learned{};
  }
  Result<Learned> execute(const effect::RemoveRecord& e) {
    records.erase(record_id(e.record));
    return Learned{};
  }
  Result<Learned> execute(const effect::AnswerChallenge& e) {
    const std::string url = e.url.substr(0, e.url.find("/answer/"));
    const std::string record =
        "_acme-challenge." + e.url.substr(e.url.rfind('/') + 1) + " " + url.substr(url.rfind('/') + 1);
    if (ca_refuses || !records.contains(record)) orders[url].invalid = true;  // the CA looks at once
    answers.insert(e.url);
    bool all = true;
    for (const auto& name : orders[url].names) all = all && answers.contains(url + "/answer/" + name);
    orders[url].answered = all;
    return Learned{};
  }
  Result<Learned> execute(const effect::FinalizeOrder& e) {
    CaOrder& order = orders.at(e.order_url);
    if (!order.answered || order.invalid) {  // no longer ready: it is given back as it is
      return Learned{.order = view(e.order_url)};
    }
    if (order.names != e.names.dns_names) return fail(ErrorKind::kInvalid, "badCSR");
    if (!order.finalized) ++finalized[e.revision];
    order.finalized = true;
    order.revision = e.revision;
    ports::Order seen = view(e.order_url);
    seen.authorizations.clear();  // as after newOrder: it comes without them
    return Learned{.order = std::move(seen)};
  }
  Result<Learned> execute(const effect::StoreBundle& e) {
    auto& revision = o.revisions[e.revision];
    if (!revision.chain) {
      revision.chain = chain(e.revision, o.now - 1h);
      revision.chain->dns_names = orders.at(o.object.status.order->url).names;
      revision.server = o.issuer->spec.server;
    }
    return Learned{};
  }
  Result<Learned> execute(const effect::DeactivateAuthorization& e) {
    deactivated.insert(e.authorization.url);
    return Learned{};
  }
  Result<Learned> execute(const effect::RevokeCertificate& e) {
    revoked.emplace_back(e.revision, e.reason);
    return Learned{};
  }
  Result<Learned> execute(const effect::StoreImport& /*e*/) {
    o.revisions[0] = {.number = 0, .has_key = true, .chain = o.import->chain};
    return Learned{};
  }
  Result<Learned> execute(const effect::StoreSource& e) {
    auto& revision = o.revisions[e.revision];
    revision.number = e.revision;
    revision.has_key = true;
    revision.source = e.fingerprint;
    if (!revision.chain) revision.chain = o.source->chain;
    return Learned{};
  }
  Result<Learned> execute(const effect::Push& e) {
    if (calls_are_up()) pushed_with_calls += std::to_string(e.revision) + " ";
    if (!takes_nothing) served = o.revisions.at(e.revision).chain->fingerprint_sha256;
    return Learned{};
  }
  Result<Learned> execute(const effect::WriteServingSecret& e) {
    o.serving_fingerprint = o.revisions.at(e.revision).chain->fingerprint_sha256;
    return Learned{};
  }
  Result<Learned> execute(const effect::ClaimSlots& e) {
    slots.insert(e.slots.names.begin(), e.slots.names.end());
    return Learned{};
  }
  Result<Learned> execute(const effect::ReleaseSlots& e) {
    for (const auto& name : e.slots.names) slots.erase(name);
    return Learned{};
  }
  Result<Learned> execute(const effect::MarkRejected& e) {
    o.revisions.at(e.revision).marked_rejected = true;
    return Learned{};
  }
  Result<Learned> execute(const effect::DeleteRevision& e) {
    o.revisions.erase(e.revision);
    return Learned{};
  }
};

}  // namespace edgetrust::decide::certificate
