#include "edgetrust/decide/certificate/memory.hpp"

#include "certificate/questions.hpp"
#include "certificate/site.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;

// Looks at a delivery add up to its verdict.
HealthRecord folded(const HealthRecord& health, const Observation& o, const EdgeLook& look) {
  const auto& delivery = o.object.status.delivery;
  if (!delivery || !delivery->installed_at || delivery->rolling_back_since) return health;
  Assessment seen = assess(look, expected_of(o, delivery));
  const auto site = is_bad(seen.health) && !seen.of_certificate ? site_failure(o) : std::nullopt;
  if (site) seen = {.health = Health::kHeld, .reason = seen.reason + "; " + site->message};
  return fold(health, seen, look.at, 3 * rotation_of(o).interval + 10s);
}

template <class... Effects>
void forget_failures(Memory& memory) {
  (memory.failures.erase(std::string(Effects::kName)), ...);
}

void forget_order(Memory& memory) {
  memory.new_order_url.reset();
  memory.order.reset();
  memory.records.reset();
  memory.answers.reset();
  memory.answered.clear();
  forget_failures<effect::LookAtOrder, effect::PresentRecord, effect::LookForRecords, effect::LookForAnswers,
                  effect::AnswerChallenge, effect::FinalizeOrder, effect::StoreBundle>(memory);
}

class Success {
 public:
  Success(Memory& memory, Learned learned, const Observation& o, TimePoint now)
      : m_(memory), learned_(std::move(learned)), o_(o), now_(now) {}

  void operator()(const effect::LookAtEdge& /*e*/) {
    if (!learned_.look) return;
    m_.health = folded(m_.health, o_, *learned_.look);
    m_.look = std::move(learned_.look);
    m_.pushed_since_look = false;
  }
  void operator()(const effect::LookAtService& /*e*/) { m_.service = std::move(learned_.service); }
  void operator()(const effect::SetService& e) {
    const bool again = m_.service_call && m_.service_call->in_service == e.in_service;
    m_.service_call = ServiceCall{e.in_service, now_, again ? m_.service_call->since : now_};
  }
  void operator()(const effect::AskPeers& /*e*/) { m_.peers = std::move(learned_.peers); }
  void operator()(const effect::AskVendor& /*e*/) {
    m_.vendor = std::move(learned_.vendor);
    if (m_.vendor) m_.vendor->at = now_;
  }
  void operator()(const effect::LookAtOrder& /*e*/) { keep_order(); }
  void operator()(const effect::FinalizeOrder& /*e*/) { keep_order(); }
  void operator()(const effect::LookAtRenewalInfo& e) {
    m_.renewal_info = RenewalInfoLook{e.revision, std::move(learned_.renewal_info), now_};
  }
  void operator()(const effect::LookForRecords& /*e*/) { m_.records = std::move(learned_.records); }
  void operator()(const effect::LookForAnswers& /*e*/) {
    const auto is_right = [](const AnswersLook& look) { return look.seen == AnswersSeen::kRight; };
    auto& seen = learned_.answers;
    if (seen && m_.answers && is_right(*seen) == is_right(*m_.answers)) seen->since = m_.answers->since;
    m_.answers = std::move(seen);
  }
  void operator()(const effect::CreateKey& e) {
    forget_order(m_);
    m_.key_made = e.revision;
    m_.order_asked_for = false;
  }
  void operator()(const effect::NewOrder& /*e*/) {
    // What came back names its authorizations by URL only; the look fetches them.
    forget_order(m_);
    if (learned_.order) m_.new_order_url = learned_.order->url;
  }
  void operator()(const effect::PresentRecord& e) {
    m_.presented.insert(record_id(e.record));
    m_.removed.erase(record_id(e.record));
    m_.records.reset();
  }
  void operator()(const effect::RemoveRecord& e) {
    m_.removed.insert(record_id(e.record));
    m_.presented.erase(record_id(e.record));
    m_.records.reset();
  }
  void operator()(const effect::AnswerChallenge& e) {
    m_.answered.insert(e.url);
    if (m_.order) m_.order->at = now_;  // the server needs a moment: the next poll counts from here
  }
  void operator()(const effect::StoreBundle& /*e*/) { forget_order(m_); }
  void operator()(const effect::DeactivateAuthorization& e) { m_.deactivated.insert(e.authorization.url); }
  void operator()(const effect::RevokeCertificate& e) { m_.revoked.insert(e.revision); }
  void operator()(const effect::Push& e) { m_.pushed = e.revision; }
  void operator()(const effect::ClaimSlots& /*e*/) {
    if (const auto& delivery = o_.object.status.delivery) m_.slots_claimed_for = delivery->started_at;
  }
  void operator()(const effect::ReleaseSlots& /*e*/) { m_.slots_released = true; }
  void operator()(const auto& /*e*/) {}

 private:
  void keep_order() {
    if (learned_.order) m_.order = OrderLook{std::move(*learned_.order), now_};
  }

  Memory& m_;
  Learned learned_;
  const Observation& o_;
  const TimePoint now_;
};

}  // namespace

void note_pass(Memory& memory, TimePoint now) {
  if (!memory.known_since) memory.known_since = now;
}

void forgive(Memory& memory) {
  for (auto& [effect, failure] : memory.failures) failure.forgiven = true;
  if (memory.look && memory.look->health_error) memory.look.reset();
  memory.peers.reset();
}

void note_written(Memory& memory, const api::EdgeCertificateStatus& before, const api::EdgeCertificateStatus& after) {
  if (before.observed_generation != after.observed_generation) memory.failures.clear();
  const auto url_of = [](const api::EdgeCertificateStatus& s) { return s.order ? s.order->url : std::string{}; };
  if (url_of(before) != url_of(after)) {
    const bool written_down = memory.new_order_url == url_of(after);
    forget_order(memory);
    if (written_down) memory.order_asked_for = false;
  }
  const auto counted = [](const api::EdgeCertificateStatus& s) {
    return s.order ? std::pair(s.order->failures, s.order->replaces_refused) : std::pair(std::optional<int>{}, false);
  };
  if (counted(before) != counted(after)) forget_failures<effect::NewOrder>(memory);
  const auto asked = [](const api::EdgeCertificateStatus& s) { return s.order ? s.order->issuer : std::string{}; };
  if (asked(before) != asked(after)) {
    forget_order(memory);
    forget_failures<effect::NewOrder>(memory);
    memory.order_asked_for = false;
  }
  const bool no_records = !after.order || after.order->records.empty();
  if (no_records) {
    memory.removed.clear();
    forget_failures<effect::RemoveRecord>(memory);
  }
  if (!after.order || after.order->abandoned.empty()) {
    memory.deactivated.clear();
    forget_failures<effect::DeactivateAuthorization>(memory);
  }
  if (!after.revocation) {
    memory.revoked.clear();
    forget_failures<effect::RevokeCertificate>(memory);
  }
  const auto begun_at = [](const api::EdgeCertificateStatus& s) {
    return s.delivery ? std::optional(s.delivery->started_at) : std::nullopt;
  };
  const auto installed_at = [](const api::EdgeCertificateStatus& s) {
    return s.delivery ? s.delivery->installed_at : std::nullopt;
  };
  const auto drained_since = [](const api::EdgeCertificateStatus& s) {
    return s.drain ? std::optional(s.drain->since) : std::nullopt;
  };
  if (drained_since(before) != drained_since(after)) {
    memory.service.reset();
    memory.service_call.reset();
    forget_failures<effect::SetService, effect::LookAtService>(memory);
  }
  const bool next_delivery = begun_at(before) != begun_at(after);
  const bool next_observation = installed_at(before) != installed_at(after);
  if (next_delivery) {
    memory.pushed.reset();
    memory.slots_claimed_for.reset();
    memory.slots_released = false;
  }
  if (next_observation) memory.health = {};
  if (next_delivery || next_observation) forget_failures<effect::Push>(memory);
}

void note_begun(Memory& memory, const Effect& effect) {
  if (std::holds_alternative<effect::Push>(effect)) {
    memory.pushed.reset();
    memory.pushed_since_look = true;
  }
  if (const auto* call = std::get_if<effect::SetService>(&effect)) {
    memory.service.reset();
    if (memory.service_call && memory.service_call->in_service != call->in_service) memory.service_call.reset();
  }
  if (std::holds_alternative<effect::NewOrder>(effect)) memory.order_asked_for = true;
}

void note_success(Memory& memory, const Effect& effect, Learned learned, const Observation& o, TimePoint now) {
  std::visit(Success(memory, std::move(learned), o, now), effect);
  memory.failures.erase(std::string(name_of(effect)));
}

void note_failure(Memory& memory, const Effect& effect, const Error& error, TimePoint now) {
  if (error.kind == ErrorKind::kCancelled) return;
  const std::string name(name_of(effect));
  const auto before = memory.failures.find(name);
  const bool again = before != memory.failures.end() && !before->second.forgiven;
  const int count = again ? before->second.count + 1 : 1;
  memory.failures.insert_or_assign(name, Failure{name, error, count, now});
  // The server may have moved on since the order was read, or because of what it refused to answer for.
  if (std::holds_alternative<effect::AnswerChallenge>(effect) || std::holds_alternative<effect::FinalizeOrder>(effect))
    memory.order.reset();
}

}  // namespace edgetrust::decide::certificate
