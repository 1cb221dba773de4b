#include "edgetrust/reconcile/certificate_reconciler.hpp"

#include "certificate/act.hpp"
#include "certificate/observe.hpp"
#include "edgetrust/api/change.hpp"
#include "edgetrust/api/codec.hpp"
#include "edgetrust/decide/certificate/decide.hpp"
#include "edgetrust/telemetry/trace.hpp"
#include "fresh.hpp"
#include "slots.hpp"

namespace edgetrust::reconcile {

using decide::certificate::Decision;
using decide::certificate::Effect;
using decide::certificate::Observation;

namespace {

// The CA itself wants less, in its own words (RFC 8555 section 6.6): a 429 without them may be of something before it,
// or of the API server.
bool is_refused_by_ca(const Error& error) { return error.code == "urn:ietf:params:acme:error:rateLimited"; }

}  // namespace

struct CertificateReconciler::State {
  World world;
  Notebook notebook;
  OrderBook orders;

  // The object as it shall be worked on: the cache's, unless this process has written a newer one.
  std::shared_ptr<const api::EdgeCertificate> newest_of(const api::ObjectKey& key) {
    auto cached = world.certificates.get(key);
    const auto notes = notebook.find(key);
    return notes ? newest(cached, notes->written) : cached;
  }

  // The fleet of a namespace as this process knows it: what it wrote itself is not waited for.
  decide::Fleet fleet(const std::string& ns) {
    decide::Fleet fleet{.members = {}, .slots = world.slots.list(ns), .pins = pin_work(world, ns)};
    for (const auto& cached : world.certificates.list(ns)) {
      const auto posted = notebook.posted(cached->meta.key());
      fleet.members.push_back({.certificate = newest(cached, posted.written),
                               .edge = world.edges.get({ns, cached->spec.edge_ref.name}),
                               .stuck = posted.stuck,
                               .issuer = issuer_of(*cached)});
    }
    return fleet;
  }

  std::shared_ptr<const api::AcmeIssuer> issuer_of(const api::EdgeCertificate& certificate) {
    const std::string name = api::issuer_in_use(certificate);
    return name.empty() ? nullptr : orders.newest_of(world.issuers.get({certificate.meta.ns, name}));
  }
  // What the CA makes an order wait for, as this process knows it.
  Status find_orders(Observation& o, std::stop_token stop) {
    if (!decide::certificate::asks_for_orders(o)) return {};
    EDGETRUST_TRY_ASSIGN(o.orders, orders.log(world, o.object.meta.ns, o.issuer->spec.server, std::move(stop)));
    return {};
  }

  Result<bool> record(const Decision& decision, std::shared_ptr<const api::EdgeCertificate>& object, Notes& notes,
                      const std::string& trace_id, std::stop_token stop);
  Status guard(const api::EdgeCertificate& object, Notes& notes, std::stop_token stop);
  // The error of an effect that failed.
  std::optional<Error> perform(const Effect& effect, const Observation& o, Notes& notes, std::stop_token stop);
  TimePoint again(Notes& notes) const;
  Outcome pass(std::shared_ptr<const api::EdgeCertificate>& object, Notes& notes, std::stop_token stop);
};

// Writes the status if it changed; `object` becomes the object as written.
Result<bool> CertificateReconciler::State::record(const Decision& decision,
                                                  std::shared_ptr<const api::EdgeCertificate>& object, Notes& notes,
                                                  const std::string& trace_id, std::stop_token stop) {
  auto next = std::make_shared<api::EdgeCertificate>(*object);
  next->status = decision.status;
  if (api::encode_status(*next) == api::encode_status(*object)) return false;
  auto version = world.certificates.write_status(*next, stop);
  if (!version) {
    // Someone else wrote first, or the cache was behind: look at the object itself and think again.
    if (version.error().kind == ErrorKind::kConflict) {
      if (auto read = world.certificates.read(object->meta.key(), stop))
        notes.written = std::make_shared<api::EdgeCertificate>(std::move(*read));
    }
    return tl::unexpected(within("status", version.error()));
  }
  next->meta.resource_version = *version;
  decide::certificate::note_written(notes.memory, object->status, next->status);
  object = next;
  notes.written = next;
  notebook.post(next->meta.key(), next);
  for (const auto& said : decision.announcements) {
    world.events.emit({std::string(api::kKind<api::EdgeCertificate>.kind), object->meta, trace_id}, said.warning,
                      said.reason, said.message);
  }
  return true;
}

// A consistent read: nothing outside is changed on the word of a stale cache.
Status CertificateReconciler::State::guard(const api::EdgeCertificate& object, Notes& notes, std::stop_token stop) {
  auto read = world.certificates.read(object.meta.key(), stop);
  if (!read) return tl::unexpected(within("consistent read", read.error()));
  if (read->meta.uid == object.meta.uid && read->meta.resource_version == object.meta.resource_version) return {};
  notes.written = std::make_shared<api::EdgeCertificate>(std::move(*read));
  return fail(ErrorKind::kConflict, "the object changed meanwhile");
}

std::optional<Error> CertificateReconciler::State::perform(const Effect& effect, const Observation& o, Notes& notes,
                                                           std::stop_token stop) {
  decide::certificate::note_begun(notes.memory, effect);
  auto learned = act(world, effect, o, notes, orders, stop);
  if (learned) {
    decide::certificate::note_success(notes.memory, effect, std::move(*learned), o, world.clock.now());
    return std::nullopt;
  }
  decide::certificate::note_failure(notes.memory, effect, learned.error(), world.clock.now());
  const bool asks_for_orders = std::holds_alternative<decide::certificate::effect::NewOrder>(effect);
  if (is_refused_by_ca(learned.error()) && asks_for_orders && o.issuer) {
    // What cannot be written is waited for by this object alone, and said by the next that is refused.
    (void)orders.note_refusal(world, o.issuer->meta.key(), learned.error(), std::move(stop));
  }
  return std::move(learned).error();
}

// An effect is followed by the next pass at once. Should rules and world ever chase each other in a circle, this keeps
// the pace human.
TimePoint CertificateReconciler::State::again(Notes& notes) const {
  constexpr int kManyPasses = 100;
  const TimePoint now = world.clock.now();
  return ++notes.passes_without_rest > kManyPasses ? now + std::chrono::seconds{1} : now;
}

namespace {

// The result that the decision puts on top of the history, if it does.
std::optional<api::RevisionResult> newly_ended(const api::EdgeCertificateStatus& before,
                                               const api::EdgeCertificateStatus& after) {
  if (after.history.empty()) return std::nullopt;
  const auto& top = after.history.front();
  const bool same = !before.history.empty() && before.history.front().revision == top.revision &&
                    before.history.front().result == top.result && before.history.front().at == top.at;
  return same ? std::nullopt : std::optional(top.result);
}

std::string trace_of(const api::ObjectMeta& meta, const api::EdgeCertificateStatus& status) {
  const auto revision = api::revision_in_question(status);
  return revision ? telemetry::trace_id(meta.uid, std::to_string(*revision)) : std::string{};
}

// What is copied from somebody else's Secret has no order that would name it.
std::string trace_of(const api::ObjectMeta& meta, const Decision& decision) {
  const auto* copy =
      decision.effect ? std::get_if<decide::certificate::effect::StoreSource>(&*decision.effect) : nullptr;
  return copy != nullptr ? telemetry::trace_id(meta.uid, std::to_string(copy->revision))
                         : trace_of(meta, decision.status);
}

// A new certificate seems to do harm. Whether the site as a whole is down, its other Edges tell, whose objects may be
// minutes old; a few of them suffice.
std::vector<std::string> in_question(const Effect& effect, const Observation& o,
                                     const decide::certificate::Memory& memory) {
  constexpr std::size_t kMost = 8;
  using decide::certificate::Health;
  const auto& delivery = o.object.status.delivery;
  const bool is_watched = delivery && delivery->installed_at && !delivery->rolling_back_since;
  const bool seems_bad = is_bad(memory.health.last) || memory.health.last == Health::kHeld;
  std::vector<std::string> names;
  if (!is_watched || !seems_bad || !std::holds_alternative<decide::certificate::effect::LookAtEdge>(effect))
    return names;
  for (const auto& edge : o.neighbours) {
    if (names.size() < kMost) names.push_back(edge->meta.name);
  }
  return names;
}

}  // namespace

CertificateReconciler::CertificateReconciler(const World& world) : state_(new State{.world = world}) {}
CertificateReconciler::~CertificateReconciler() = default;

void CertificateReconciler::forgive(const api::ObjectKey& key) {
  if (const auto notes = state_->notebook.find(key)) notes->forgiven = true;
}

Outcome CertificateReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  State& state = *state_;
  auto object = state.newest_of(key);
  if (!object) {
    state.notebook.forget(key);
    return {};
  }
  const auto notes = state.notebook.of(object->meta.uid, key);
  if (notes->forgiven.exchange(false)) decide::certificate::forgive(notes->memory);
  Outcome outcome = state.pass(object, *notes, std::move(stop));
  if (outcome.trace_id.empty()) outcome.trace_id = trace_of(object->meta, object->status);  // it did not come to decide
  notes->stuck = outcome.error.has_value();
  return outcome;
}

Outcome CertificateReconciler::State::pass(std::shared_ptr<const api::EdgeCertificate>& object, Notes& notes,
                                           std::stop_token stop) {
  decide::certificate::note_pass(notes.memory, world.clock.now());
  auto observation = observe(world, object, notes, stop);
  if (!observation) return {.error = within("observing", observation.error())};
  observation->issuer = orders.newest_of(observation->issuer);
  observation->other_issuer = orders.newest_of(observation->other_issuer);
  if (decide::certificate::asks_for_fleet(*observation)) observation->fleet = fleet(object->meta.ns);
  if (const auto found = find_orders(*observation, stop); !found)
    return {.error = within("what was ordered", found.error())};
  const Decision decision = decide::certificate::decide(*observation);
  Outcome outcome{.rule = std::string(decision.rule), .trace_id = trace_of(object->meta, decision)};

  const auto written = record(decision, object, notes, outcome.trace_id, stop);
  if (!written) {
    outcome.error = written.error();
    return outcome;
  }
  outcome.wrote_status = *written;
  if (*written) {
    const auto& before = observation->object.status;
    outcome.ended = newly_ended(before, decision.status);
    if (outcome.ended && before.delivery && before.delivery->revision == decision.status.history.front().revision)
      outcome.delivered_for = world.clock.now() - before.delivery->started_at;
    for (const auto& said : decision.announcements) outcome.said.push_back({said.warning, said.reason, said.message});
  }
  if (!decision.effect) {
    outcome.wake_at = decision.wake_at;
    const bool resting = !decision.wake_at || *decision.wake_at > world.clock.now();
    if (resting)
      notes.passes_without_rest = 0;
    else
      outcome.wake_at = again(notes);
    return outcome;
  }
  outcome.effect = std::string(decide::certificate::name_of(*decision.effect));
  if (decide::certificate::is_guarded(*decision.effect)) {
    if (const Status current = guard(*object, notes, stop); !current) {
      outcome.effect.clear();
      if (current.error().kind == ErrorKind::kConflict) {
        outcome.wake_at = again(notes);
      } else {
        outcome.error = current.error();
      }
      return outcome;
    }
  }
  if (!world.may_change(stop)) return outcome;
  observation->object = *object;  // as it was written
  outcome.effect_error = perform(*decision.effect, *observation, notes, stop);
  outcome.in_question = in_question(*decision.effect, *observation, notes.memory);
  outcome.wake_at = again(notes);
  return outcome;
}

}  // namespace edgetrust::reconcile
