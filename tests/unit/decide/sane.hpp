#pragma once
// What every decision must be, whatever the situation: asked of each decision that any test of this room makes.
#include "edgetrust/json/value.hpp"
#include "support/observations.hpp"

namespace edgetrust::decide::certificate {

inline std::string fingerprint_of(const Observation& o, const Decision& decision) {
  api::EdgeCertificate written = o.object;
  written.status = decision.status;
  std::string text = std::string(decision.rule) + "\n" + api::encode_status(written) + "\n";
  if (decision.effect) text += std::string(name_of(*decision.effect));
  text += "\n" + (decision.wake_at ? std::to_string(decision.wake_at->time_since_epoch().count()) : "");
  for (const auto& said : decision.announcements) text += "\n" + said.reason + " " + said.message;
  return text;
}

inline bool rejected_in(const api::EdgeCertificateStatus& status, int revision) {
  return std::ranges::any_of(status.history, [&](const api::HistoryEntry& entry) {
    return entry.revision == revision &&
           (entry.result == api::RevisionResult::kRolledBack || entry.result == api::RevisionResult::kRejected);
  });
}

// Intention before effect, and nothing that could not be taken back.
class EffectIsCovered {
 public:
  EffectIsCovered(const Observation& o, const Decision& d) : o_(o), d_(d) {}

  void operator()(const effect::LookAtEdge& /*e*/) const { EXPECT_TRUE(o_.edge && o_.connection); }
  void operator()(const effect::LookAtService& /*e*/) const { EXPECT_TRUE(o_.edge && o_.connection); }
  void operator()(const effect::SetService& e) const {
    ASSERT_TRUE(d_.status.drain) << "a crash would leave it out of service";
    if (e.in_service) return;
    EXPECT_TRUE(std::ranges::count(o_.object.meta.finalizers, api::kFinalizer)) << "a deletion would";
    ASSERT_TRUE(d_.status.delivery);
    EXPECT_FALSE(d_.status.delivery->installed_at) << "only a push is a reason";
    EXPECT_TRUE(!d_.status.slots || o_.slots_claimed_for == d_.status.delivery->started_at) << "I4";
    EXPECT_GT(e.calls_may_last, std::chrono::minutes{30}) << "the vendor would cut calls";
  }
  void operator()(const effect::AskPeers& e) const { EXPECT_TRUE(has_chain(e.revision)) << "nothing to ask about"; }
  void operator()(const effect::AskVendor& e) const { EXPECT_TRUE(has_chain(e.revision)) << "nothing to ask about"; }
  void operator()(const effect::LookAtOrder& e) const {
    EXPECT_TRUE(o_.issuer);
    EXPECT_EQ(e.url, d_.status.order->url);
  }
  void operator()(const effect::LookAtRenewalInfo& e) const {
    EXPECT_TRUE(o_.issuer);
    EXPECT_EQ(e.revision, d_.status.revision) << "asked of what is served alone";
    EXPECT_FALSE(d_.status.order || d_.status.delivery) << "asked only when all is quiet";
    EXPECT_GT(o_.revisions.at(e.revision).chain->not_after, o_.now);
  }
  void operator()(const effect::LookForRecords& e) const { each_is_written_down(e.records); }
  void operator()(const effect::LookForAnswers& e) const {
    EXPECT_TRUE(o_.serves_http01);
    for (const auto& answer : e.answers) {
      EXPECT_TRUE(std::ranges::count(d_.status.order->http_answers, answer)) << "nobody would give it";
    }
  }
  void operator()(const effect::SetFinalizer& e) const {
    if (e.present) return;
    EXPECT_TRUE(!d_.status.drain || is_out_of_reach()) << "the Edge would stay out of service";
    EXPECT_TRUE(o_.object.meta.deleting() || !d_.status.order || d_.status.order->records.empty())
        << "a record would be forgotten";
  }
  void operator()(const effect::CreateKey& e) const {
    EXPECT_FALSE(has_key(e.revision)) << "I1: one key a revision";
    EXPECT_EQ(e.revision, d_.status.order->revision);
    EXPECT_FALSE(rejected_in(d_.status, e.revision));
    EXPECT_TRUE(!e.copy_from || has_key(*e.copy_from)) << "nothing to copy";
  }
  void operator()(const effect::NewOrder& e) const {
    EXPECT_TRUE(has_key(e.revision)) << "I2: the key is durable before anything is ordered";
    EXPECT_EQ(e.revision, d_.status.order->revision);
    EXPECT_TRUE(d_.status.order->url.empty());
    EXPECT_EQ(e.request.dns_names, o_.object.spec.dns_names);
  }
  void operator()(const effect::PresentRecord& e) const {
    each_is_written_down({e.record});
    EXPECT_TRUE(std::ranges::count(o_.object.meta.finalizers, api::kFinalizer)) << "a deletion would forget it";
  }
  void operator()(const effect::RemoveRecord& /*e*/) const { EXPECT_TRUE(o_.issuer); }
  void operator()(const effect::AnswerChallenge& /*e*/) const { EXPECT_FALSE(d_.status.order->url.empty()); }
  void operator()(const effect::FinalizeOrder& e) const {
    EXPECT_TRUE(has_key(e.revision));
    EXPECT_EQ(e.order_url, d_.status.order->url) << "the order is known before it is finalized";
  }
  void operator()(const effect::StoreBundle& e) const {
    EXPECT_FALSE(has_chain(e.revision)) << "I1: one certificate a revision";
    EXPECT_FALSE(e.certificate_url.empty());
  }
  void operator()(const effect::DeactivateAuthorization& e) const {
    ASSERT_TRUE(o_.issuer && d_.status.order);
    EXPECT_TRUE(std::ranges::count(d_.status.order->abandoned, e.authorization)) << "a crash would forget it";
  }
  void operator()(const effect::RevokeCertificate& e) const {
    ASSERT_TRUE(o_.issuer && d_.status.revocation);
    EXPECT_TRUE(std::ranges::count(d_.status.revocation->revisions, e.revision)) << "nobody asked for it";
    EXPECT_EQ(o_.revisions.at(e.revision).server, o_.issuer->spec.server);
    EXPECT_TRUE(e.reason == ports::RevocationReason::kKeyCompromise || e.revision != d_.status.revision)
        << "the Edge serves it";
    EXPECT_FALSE(d_.status.delivery);
  }
  void operator()(const effect::StoreImport& /*e*/) const { EXPECT_TRUE(o_.import && o_.import->chain); }
  void operator()(const effect::StoreSource& e) const {
    ASSERT_TRUE(o_.source && o_.source->chain && !o_.source->defect && !o_.source->unjudged);
    EXPECT_EQ(e.fingerprint, o_.source->chain->fingerprint_sha256);
    EXPECT_EQ(e.secret, o_.object.spec.source_secret_ref->name);
    EXPECT_FALSE(is_rejected_leaf(e.fingerprint)) << "a rejected leaf is not taken again";
    if (has_chain(e.revision)) {
      EXPECT_EQ(o_.revisions.at(e.revision).chain->fingerprint_sha256, e.fingerprint);
    } else if (has_key(e.revision)) {
      EXPECT_EQ(o_.revisions.at(e.revision).source, e.fingerprint) << "the key of one, the certificate of another";
    }
  }
  void operator()(const effect::Push& e) const {
    ASSERT_TRUE(d_.status.delivery) << "a crash would not know what to watch";
    ASSERT_TRUE(has_key(e.revision) && has_chain(e.revision)) << "I2: what is pushed is stored";
    EXPECT_FALSE(rejected_in(d_.status, e.revision)) << "a rejected revision is never pushed again";
    EXPECT_FALSE(is_rejected_leaf(o_.revisions.at(e.revision).chain->fingerprint_sha256)) << "nor under another number";
    EXPECT_EQ(e.rollback, d_.status.delivery->rolling_back_since.has_value());
    EXPECT_EQ(e.revision, e.rollback ? d_.status.delivery->fallback : d_.status.delivery->revision);
    if (e.rollback) {
      EXPECT_GT(o_.revisions.at(e.revision).chain->not_after, o_.now) << "an expired certificate is no way back";
    } else {
      EXPECT_FALSE(o_.revisions.at(e.revision).defect) << "a broken chain never leaves the cluster";
      EXPECT_GT(e.revision, o_.object.status.revision.value_or(-1));
      EXPECT_TRUE(!d_.status.drain || d_.status.drain->ended_at) << "its calls are waited for";
      EXPECT_TRUE(!d_.status.slots || o_.slots_claimed_for == d_.status.delivery->started_at)
          << "I4: nothing is pushed without its slots";
    }
  }
  void operator()(const effect::WriteServingSecret& e) const {
    EXPECT_EQ(e.revision, d_.status.revision) << "secretName holds what the Edge serves";
  }
  void operator()(const effect::MarkRejected& e) const {
    EXPECT_TRUE(rejected_in(d_.status, e.revision));
    EXPECT_TRUE(has_chain(e.revision) || o_.revisions.at(e.revision).defect);
  }
  void operator()(const effect::ClaimSlots& e) const {
    ASSERT_TRUE(d_.status.slots && d_.status.delivery) << "a slot is named before it is claimed";
    EXPECT_EQ(e.slots.names, d_.status.slots->names);
    EXPECT_EQ(e.slots.revision, d_.status.delivery->revision);
  }
  void operator()(const effect::ReleaseSlots& e) const {
    EXPECT_FALSE(d_.status.delivery) << "a slot is held until the delivery is over";
    EXPECT_TRUE(!d_.status.drain || is_out_of_reach()) << "and the Edge is in service";
    EXPECT_TRUE(d_.status.slots && e.slots.names == d_.status.slots->names);
  }
  void operator()(const effect::DeleteRevision& e) const {
    EXPECT_NE(e.revision, d_.status.revision) << "I3";
    EXPECT_FALSE(d_.status.delivery);
    int previous = -1;  // what was live before what is served now
    for (const auto& entry : o_.object.status.history) {
      const bool was_live = entry.result == api::RevisionResult::kSuperseded ||
                            entry.result == api::RevisionResult::kActive ||
                            entry.result == api::RevisionResult::kAdopted;
      if (was_live && entry.revision < d_.status.revision.value_or(0) && has_chain(entry.revision) &&
          !o_.revisions.at(entry.revision).marked_rejected)
        previous = std::max(previous, entry.revision);
    }
    EXPECT_NE(e.revision, previous) << "I3: it is kept one revision longer";
  }

 private:
  [[nodiscard]] bool has_key(int revision) const {
    return o_.revisions.contains(revision) && o_.revisions.at(revision).has_key;
  }
  // The Edge: nobody here can put it back into service.
  [[nodiscard]] bool is_out_of_reach() const {
    return !o_.edge || !o_.connection || std::ranges::any_of(o_.failures, [](const auto& failed) {
      return failed.second.error.kind == ErrorKind::kNotFound;
    });
  }
  [[nodiscard]] bool has_chain(int revision) const {
    return o_.revisions.contains(revision) && o_.revisions.at(revision).chain;
  }
  [[nodiscard]] bool is_rejected_leaf(const std::string& fingerprint) const {
    return std::ranges::any_of(d_.status.history, [&](const api::HistoryEntry& entry) {
      return entry.fingerprint_sha256 == fingerprint && rejected_in(d_.status, entry.revision);
    });
  }
  void each_is_written_down(const std::vector<api::TxtRecord>& records) const {
    for (const auto& record : records) {
      EXPECT_TRUE(std::ranges::count(d_.status.order->records, record)) << "a crash would leave it behind";
    }
  }
  const Observation& o_;
  const Decision& d_;
};

inline void expect_conditions(const Observation& o, const Decision& d) {
  const auto& all = d.status.conditions;
  ASSERT_NE(api::find(all, api::condition::kReady), nullptr);
  EXPECT_FALSE(api::find(all, api::condition::kReconciling) && api::find(all, api::condition::kStalled));
  std::set<std::string> types;
  for (const auto& condition : all) {
    EXPECT_TRUE(types.insert(condition.type).second) << condition.type << " twice";
    EXPECT_FALSE(condition.reason.empty()) << condition.type;
    EXPECT_FALSE(condition.message.empty()) << condition.type;
    const auto* before = api::find(o.object.status.conditions, condition.type);
    EXPECT_TRUE(condition.last_transition_time <= o.now ||
                (before != nullptr && before->last_transition_time == condition.last_transition_time));
  }
  for (const auto type : {api::condition::kReconciling, api::condition::kStalled}) {
    const auto* found = api::find(all, type);
    EXPECT_TRUE(found == nullptr || found->status == api::Truth::kTrue) << "only while true";
  }
  // Ready is about what is served: never true without a valid certificate of ours.
  const bool valid = d.status.revision && d.status.not_after && *d.status.not_after > o.now;
  EXPECT_TRUE(valid || api::find(all, api::condition::kReady)->status != api::Truth::kTrue);
}

inline void expect_sane(const Observation& o, const Decision& d) {
  EXPECT_EQ(fingerprint_of(o, d), fingerprint_of(o, decide(o))) << "the same observation, another decision";
  EXPECT_FALSE(d.rule.empty());
  EXPECT_TRUE(d.status.phase);
  EXPECT_EQ(d.status.observed_generation, o.object.meta.generation);
  EXPECT_FALSE(d.effect && d.wake_at) << "what the effect brings comes first";
  expect_conditions(o, d);

  std::set<int> revisions;
  for (const auto& entry : d.status.history)
    EXPECT_TRUE(revisions.insert(entry.revision).second) << "revision " << entry.revision << " twice in the history";
  EXPECT_LE(d.status.history.size(), 10U);

  api::EdgeCertificate written = o.object;
  written.status = d.status;
  const std::string text = api::encode_status(written);
  EXPECT_LE(text.size(), 16U * 1024);
  const auto document = json::Document::parse("{\"metadata\":{},\"spec\":{},\"status\":" + text + "}").value();
  EXPECT_EQ(api::encode_status(api::decode<api::EdgeCertificate>(document.root())), text) << "not read back as written";
  // Awake at once with nothing new would be a loop without end.
  const bool at_once = d.wake_at && *d.wake_at <= o.now;
  EXPECT_FALSE(at_once && text == api::encode_status(o.object)) << "the next pass would decide the same";
  if (d.effect) std::visit(EffectIsCovered(o, d), *d.effect);
}

// One line of a table: a situation, and what is decided in one line.
struct Row {
  std::string name;
  Observation o;
  std::string expected;
};
template <class Value, class Change>
Value with(Value value, Change change) {
  change(value);
  return value;
}
inline void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Decision decision = decide(row.o);
    EXPECT_EQ(support::summary(row.o, decision), row.expected);
    expect_sane(row.o, decision);
  }
}
inline std::string ready_message(const Decision& decision) {
  const auto* ready = api::find(decision.status.conditions, api::condition::kReady);
  return ready == nullptr ? "" : ready->message;
}
inline const api::Condition* condition(const Decision& decision, std::string_view type) {
  return api::find(decision.status.conditions, type);
}
inline const effect::Push* push_of(const Decision& decision) {
  return decision.effect ? std::get_if<effect::Push>(&*decision.effect) : nullptr;
}

}  // namespace edgetrust::decide::certificate
