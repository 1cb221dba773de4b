#include "edgetrust/reconcile/pin_policy_reconciler.hpp"

#include "edgetrust/decide/pins/override.hpp"
#include "edgetrust/ports/pki.hpp"
#include "finding.hpp"
#include "pins/fleet.hpp"
#include "pins/intermediaries.hpp"
#include "pins/sight.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using api::PinSource;
using api::PinType;
using api::Truth;
using decide::pins::Pin;
using decide::pins::PinOutcome;
using decide::pins::Sight;
using decide::pins::Stand;

constexpr auto kProbeTimeout = 10s;

TimePoint seconds_of(TimePoint at) { return std::chrono::floor<std::chrono::seconds>(at); }

std::vector<api::ObservedPin> observed(const Sight& sight) {
  std::vector<api::ObservedPin> both;
  for (const PinType type : {PinType::kCertificate, PinType::kPublicKey}) {
    const auto& leaf = sight.leaf();
    both.push_back(
        {.fingerprint = decide::pins::colon_hex(type == PinType::kCertificate ? leaf.certificate : leaf.public_key),
         .type = type,
         .issuer = sight.issuer,
         .root = sight.root,
         .not_after = sight.not_after,
         .source = PinSource::kHandshake,
         .vantage = sight.vantage,
         .at = {}});
  }
  return both;
}
api::ObservedPin announced_pin(const std::string& hash) {
  return {.fingerprint = decide::pins::colon_hex(hash),
          .type = PinType::kCertificate,
          .issuer = {},
          .root = {},
          .not_after = {},
          .source = PinSource::kStatus,
          .vantage = std::string(decide::pins::kOperatorVantage),
          .at = {}};
}

// What was seen before keeps the time at which it was first seen.
void keep_times(std::vector<api::ObservedPin>& pins, const std::vector<api::ObservedPin>& before, TimePoint now) {
  for (auto& pin : pins) {
    const auto same = std::ranges::find_if(before, [&](const api::ObservedPin& other) {
      return other.fingerprint == pin.fingerprint && other.type == pin.type && other.source == pin.source &&
             other.vantage == pin.vantage;
    });
    pin.at = same != before.end() && same->at ? same->at : std::optional(seconds_of(now));
  }
}

std::string column(const PinOutcome& outcome) {
  const auto next = outcome.next.size();
  return std::to_string(outcome.accepted.size()) + (next > 0 ? ", " + std::to_string(next) + " next" : "");
}

// A condition in the making.
struct View {
  Truth truth;
  std::string reason;
  std::string message;
};

View view_of(const PinOutcome& outcome) {
  switch (outcome.stand) {
    case Stand::kMatched: return {Truth::kTrue, "Matched", "what the endpoint presents is accepted"};
    case Stand::kUnconfirmed: return {Truth::kFalse, "Unconfirmed", outcome.why};
    case Stand::kNotFollowed: return {Truth::kFalse, "ChangeNotFollowed", outcome.why};
    case Stand::kUnknown: break;
  }
  return {Truth::kUnknown, "NotSeen", outcome.why};
}

// The endpoint's own certificate, as far as anybody knows it for sure.
std::string leaf_of(const api::PinPolicySpec& spec, const PinOutcome& outcome, const Sight& sight) {
  if (sight.valid() && decide::pins::matches(outcome.accepted, spec.pins.match, sight.chain))
    return sight.leaf().certificate;
  for (const auto& pin : outcome.current) {
    const auto hash = decide::pins::parse_hash(pin.type == PinType::kCertificate ? pin.fingerprint : pin.certificate);
    if (hash) return *hash;
  }
  return {};
}

// How the Edges of a policy in Enforce are: the worst is told of.
Finding view_of_edges(const api::PinSummary& summary) {
  const auto some = [&](int count) {
    return std::to_string(count) + " of " + std::to_string(summary.total) + " Edges ";
  };
  if (summary.rolled_back > 0)
    return refused("RolledBack", some(summary.rolled_back) + "have their previous pin file back; see notMatched");
  if (summary.refusing > 0)
    return {.reason = "EdgesRefusing",
            .message = some(summary.refusing) + "have a file that refuses what they are presented; see notMatched"};
  if (summary.intercepted > 0)
    return {.reason = "EdgesIntercepted", .message = some(summary.intercepted) + "are presented a foreign chain"};
  if (summary.blocked > 0)
    return {.reason = "EdgesBlocked", .message = some(summary.blocked) + "wait for a person; see notMatched"};
  if (summary.unreachable > 0)
    return {.reason = "EdgesUnreachable", .message = some(summary.unreachable) + "cannot be reached by SSH"};
  if (const int changing = summary.changing + summary.drifted; changing > 0)
    return {.reason = "EdgesChanging",
            .message = some(changing) + "do not have the pin file yet that they should have"};
  if (summary.not_observed > 0)
    return {.reason = "EdgesNotObserved", .message = "of " + some(summary.not_observed) + "nobody knows"};
  return good("every Edge has the pin file that it should have");
}

std::string what_would_be_written(const api::PinPolicySpec& spec, const PinOutcome& outcome, const Sight& sight) {
  std::string objection = decide::pins::objection(spec, outcome.accepted, sight);
  if (objection.empty()) objection = decide::pins::missing_backup(spec, outcome.lasting, sight);
  if (!objection.empty()) return "nothing is written in ReportOnly; Enforce would not write either: " + objection;
  return "nothing is written in ReportOnly; in Enforce the file would hold " + std::to_string(outcome.accepted.size()) +
         " pins";
}

// What is said of the endpoint while nobody looks. What was learned of it stays: a spec that is wrong for a moment is
// no reason to begin anew.
void forget_view(api::PinPolicyStatus& status) {
  api::PinPolicyStatus kept;
  kept.observed_generation = status.observed_generation;
  kept.conditions = std::move(status.conditions);
  kept.current = std::move(status.current);
  kept.next = std::move(status.next);
  status = std::move(kept);
  for (const auto type : {api::condition::kPinsCurrent, api::condition::kHandshakeValid, api::condition::kIntercepted,
                          api::condition::kClockInSync})
    api::remove(status.conditions, type);
}

// No Edge is about to be pinned by it.
bool may_go(const api::PinPolicy& policy) {
  return policy.meta.deleting() || policy.spec.mode != api::PinMode::kEnforce;
}

}  // namespace

struct PinPolicyReconciler::Pass {
  const api::PinPolicy& before;
  api::PinPolicy next;
  TimePoint now;

  void set(std::string_view type, const View& view) {
    set_condition(next.status.conditions, type, view.truth, view.reason, view.message, next.meta.generation, now);
  }
};

void PinPolicyReconciler::look_anew(const api::ObjectKey& key) {
  const std::scoped_lock lock(mutex_);
  looks_.erase(key);
}

void PinPolicyReconciler::forget(const api::ObjectKey& key) {
  retries_.succeeded(key);
  board_.forget_policy(key);
  look_anew(key);
}

std::optional<PinPolicyReconciler::Look> PinPolicyReconciler::remembered(const Pass& pass) {
  const std::scoped_lock lock(mutex_);
  const auto found = looks_.find(pass.before.meta.key());
  if (found == looks_.end()) return std::nullopt;
  const Look& last = found->second;
  const bool holds =
      last.uid == pass.before.meta.uid && last.generation == pass.before.meta.generation && pass.now < last.again;
  return holds ? std::optional(last) : std::nullopt;
}

void PinPolicyReconciler::present(const Pass& pass, Look& look, const std::stop_token& stop) {
  const api::PinEndpoint& endpoint = pass.before.spec.endpoint;
  const auto dial = [&](const TlsBounds& bounds) {
    return world_.probe.present({.host = endpoint.host,
                                 .port = static_cast<std::uint16_t>(endpoint.port),
                                 .server_name = std::string(api::server_name(endpoint)),
                                 .timeout = kProbeTimeout,
                                 .oldest = bounds.oldest,
                                 .cipher_suites = bounds.cipher_suites},
                                stop);
  };
  const auto seen = [&]() -> Result<ports::ChainView> {
    ports::ViewRequirements wanted{
        .server_name = std::string(api::server_name(endpoint)), .at = pass.now, .roots_pem = {}};
    if (endpoint.ca_bundle_ref) {
      EDGETRUST_TRY_ASSIGN(wanted.roots_pem,
                           world_.secrets.read_bundle(pass.before.meta.ns, *endpoint.ca_bundle_ref, stop));
    }
    EDGETRUST_TRY_ASSIGN(const Presented presented, reconcile::present(bounds_of(pass.before.spec.tls), dial));
    look.sight.tls = presented.refused;
    return ports_.viewer.view(presented.served.chain_pem, wanted).map_error([](Error e) {
      return e.code == ports::kRootsUnreadable ? within("endpoint.caBundleRef", std::move(e)) : e;
    });
  }();
  look.sight.vantage = std::string(decide::pins::kOperatorVantage);
  if (!seen) {
    look.error = seen.error();
    look.sight.problem = seen.error().message();
    return;
  }
  std::string refused = std::move(look.sight.tls);
  look.sight = sight_of(*seen, std::string(decide::pins::kOperatorVantage));
  look.sight.tls = std::move(refused);
  look.presented = observed(look.sight);
  if (look.sight.valid()) look.leaf_pem = seen->leaf_pem;
}

// Only of an endpoint whose leaf is accepted: nobody else's word is asked for.
void PinPolicyReconciler::ask(const Pass& pass, Look& look, const std::stop_token& stop) {
  const auto& rotation = pass.before.spec.rotation;
  if (look.leaf_pem.empty() || !rotation.allow || !rotation.follows(PinSource::kStatus)) return;
  const auto known = decide::pins::follow(
      {pass.before.spec, pass.before.status.current, pass.before.status.next, {look.sight}, {}, pass.now});
  if (!known || !decide::pins::matches(known->accepted, pass.before.spec.pins.match, look.sight.chain)) return;
  const api::PinEndpoint& endpoint = pass.before.spec.endpoint;
  const auto answer = ports_.announcements.ask(
      {.host = endpoint.host, .port = static_cast<std::uint16_t>(endpoint.port), .leaf_pem = look.leaf_pem}, stop);
  if (!answer) {
    look.announcement_error = answer.error();
  } else if (*answer) {
    look.announced = decide::pins::Announcement{(*answer)->certificate_sha256, (*answer)->next_certificate_sha256};
    look.presented.push_back(announced_pin((*answer)->certificate_sha256));
    if (const auto& next = (*answer)->next_certificate_sha256) look.presented.push_back(announced_pin(*next));
  }
}

PinPolicyReconciler::Look PinPolicyReconciler::look(const Pass& pass, const std::stop_token& stop) {
  const api::ObjectKey key = pass.before.meta.key();
  Look look{.uid = pass.before.meta.uid, .generation = pass.before.meta.generation};
  present(pass, look, stop);
  ask(pass, look, stop);
  look.intermediaries = read_intermediaries(world_, ports_.viewer, pass.before, pass.now, stop);
  look.again = pass.now + pass.before.spec.rotation.interval;
  if (look.error) {
    look.again = std::min(look.again, retries_.failed(key, *look.error, pass.now));
  } else {
    retries_.succeeded(key);
  }
  const std::scoped_lock lock(mutex_);
  looks_.insert_or_assign(key, look);
  return look;
}

Outcome PinPolicyReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto policy = ports_.policies.get(key);
  if (!policy) {
    forget(key);
    return {};
  }
  Pass pass{.before = *policy, .next = *policy, .now = world_.clock.now()};
  const auto finish = [&](const Finding& finding) {
    forget(key);
    forget_view(pass.next.status);
    report(pass.next, finding, pass.now);
    return record(world_, ports_.policies, *policy, pass.next, {}, stop);
  };
  if (const auto finding = unusable(*policy)) return finish(*finding);
  if (policy->meta.has_finalizer(api::kFinalizer) && may_go(*policy) && still_pinned(world_, *policy, false).empty())
    return let_go(pass, stop);
  if (policy->meta.deleting())
    return finish(leaving(*policy).value_or(Finding{.reason = "Deleting", .message = "it is being deleted"}));
  if (policy->spec.mode == api::PinMode::kDisabled)
    return finish(
        leaving(*policy).value_or(Finding{.ready = true, .reason = "Disabled", .message = "nothing is looked at"}));
  return serve(pass, stop);
}

// Nothing that pins is left on an Edge by its doing: it may be deleted.
Outcome PinPolicyReconciler::let_go(const Pass& pass, const std::stop_token& stop) {
  const auto done = ports_.policies.set_finalizer(pass.before.meta, std::string(api::kFinalizer), false, stop);
  if (done || done.error().kind == ErrorKind::kNotFound) return {.wake_at = pass.now, .effect = "SetFinalizer"};
  if (done.error().kind == ErrorKind::kConflict) return {.wake_at = pass.now + 500ms};
  return {.error = within("finalizer", done.error())};
}

std::optional<Finding> PinPolicyReconciler::leaving(const api::PinPolicy& policy) const {
  constexpr std::size_t kRoom = 1024;
  const auto edges = still_pinned(world_, policy, true);
  if (edges.empty()) return std::nullopt;
  return Finding{.reason = "SwitchingOff",
                 .message = "pinning is switched off, in their windows, on " + std::to_string(edges.size()) +
                            (edges.size() == 1 ? " Edge" : " Edges") +
                            "; to leave what is there to others at once, set deletionPolicy to Keep. Waits for " +
                            printable(join(edges, ", "), kRoom)};
}

// What Edges were presented a while ago at most. One that is presented a foreign chain bears no witness.
std::vector<Sight> PinPolicyReconciler::witnesses(const Pass& pass, const Sight& from_operator) const {
  const api::PinPolicySpec& spec = pass.before.spec;
  std::vector<Pin> none;
  auto all = board_.sights(pass.before.meta.key(), pass.now - 2 * spec.rotation.interval);
  std::erase_if(all, [&](const Sight& sight) {
    return decide::pins::is_intercepted(sight, from_operator, none, spec.pins.match);
  });
  return all;
}

std::optional<decide::pins::OverrideView> PinPolicyReconciler::describe_override(Pass& pass) {
  auto& status = pass.next.status;
  auto view = decide::pins::override_view(
      pass.before.spec, api::find(pass.before.status.conditions, api::condition::kOverrideActive), pass.now);
  status.override_text = view ? view->column : "";
  if (view) pass.set(api::condition::kOverrideActive, {view->active, view->reason, view->message});
  return view;
}

void PinPolicyReconciler::describe_edges(Pass& pass, const PinFleet& fleet) {
  constexpr std::size_t kRoom = 512;
  auto& conditions = pass.next.status.conditions;
  if (fleet.vantages > 0 || !fleet.intercepted.empty()) {
    pass.set(
        api::condition::kIntercepted,
        fleet.intercepted.empty()
            ? View{Truth::kFalse, "NotIntercepted", "every Edge is presented what the operator is"}
            : View{Truth::kTrue, "ForeignChain",
                   "presented a chain in place of the endpoint's: " + printable(join(fleet.intercepted, ", "), kRoom)});
  } else {
    api::remove(conditions, api::condition::kIntercepted);
  }
  if (fleet.clocks > 0) {
    pass.set(api::condition::kClockInSync,
             fleet.clocks_off.empty()
                 ? View{Truth::kTrue, "InSync", "the clocks of the Edges are right"}
                 : View{Truth::kFalse, "OffsetTooLarge",
                        "the clock is off too far: " + printable(join(fleet.clocks_off, ", "), kRoom)});
  } else {
    api::remove(conditions, api::condition::kClockInSync);
  }
}

Outcome PinPolicyReconciler::serve(Pass& pass, const std::stop_token& stop) {
  const api::PinPolicySpec& spec = pass.before.spec;
  auto& status = pass.next.status;
  const auto last = remembered(pass);
  const Look seen = last ? *last : look(pass, stop);
  std::vector<Sight> sights{seen.sight};
  if (std::ranges::count(spec.observe_from, api::PinVantage::kEdge) > 0)
    std::ranges::move(witnesses(pass, seen.sight), std::back_inserter(sights));
  const auto followed =
      decide::pins::follow({spec, status.current, status.next, std::move(sights), seen.announced, pass.now});
  if (!followed) {
    forget(pass.before.meta.key());
    forget_view(status);
    report(pass.next, refused("Invalid", followed.error().message()), pass.now);
    return record(world_, ports_.policies, pass.before, pass.next, {}, stop);
  }
  const PinOutcome& outcome = *followed;
  // Of an endpoint that is not seen, what was seen last stays.
  if (!seen.presented.empty()) {
    const auto before = std::exchange(status.observed, seen.presented);
    keep_times(status.observed, before, pass.now);
  }
  status.current = outcome.current;
  status.next = outcome.next;
  status.pins = column(outcome);
  const PinFleet fleet = count_edges(world_, ports_.policies, pass.before);
  status.summary = fleet.summary;
  status.matched_of_total = std::to_string(fleet.summary.matched) + "/" + std::to_string(fleet.summary.total);
  status.not_matched = fleet.not_matched;

  const bool enforces = spec.mode == api::PinMode::kEnforce;
  std::string objection = decide::pins::objection(spec, outcome.accepted, seen.sight);
  if (objection.empty() && !seen.intermediaries) objection = seen.intermediaries.error().message();
  const std::string no_backup = decide::pins::missing_backup(spec, outcome.lasting, seen.sight);
  const std::string& against = objection.empty() ? no_backup : objection;
  Finding finding = good(what_would_be_written(spec, outcome, seen.sight));
  if (enforces) finding = against.empty() ? view_of_edges(fleet.summary) : refused("NotEnforceable", against);
  if (enforces && finding.ready && !seen.announced) {
    const bool from_edges = std::ranges::count(spec.observe_from, api::PinVantage::kEdge) > 0;
    const std::string never =
        decide::pins::never_confirmed(spec, outcome.lasting, seen.sight, 1 + (from_edges ? fleet.vantages : 0));
    if (!never.empty()) finding.message += "; " + never;
  }
  describe_edges(pass, fleet);
  const View current = view_of(outcome);
  pass.set(api::condition::kPinsCurrent, current);
  if (seen.error) {
    finding = failed("Endpoint", *seen.error);
    pass.set(api::condition::kHandshakeValid, {Truth::kUnknown, finding.reason, finding.message});
  } else if (!seen.sight.valid()) {
    finding = {.reason = "ChainInvalid", .message = seen.sight.problem};
    pass.set(api::condition::kHandshakeValid, {Truth::kFalse, finding.reason, finding.message});
  } else {
    pass.set(api::condition::kHandshakeValid,
             {Truth::kTrue, "Validated", "the chain leads to \"" + seen.sight.root + "\""});
    if (outcome.stand != Stand::kMatched) finding = {.reason = current.reason, .message = current.message};
  }
  if (finding.ready && !fleet.held_by_another.empty())
    finding = refused("Conflict", "an older PinPolicy selects them too and holds them: " +
                                      printable(join(fleet.held_by_another, ", "), 1024));
  if (auto left = leaving(pass.before); left && (finding.ready || !enforces)) finding = *std::move(left);
  const auto overridden = describe_override(pass);
  if (enforces && overridden && overridden->active == Truth::kTrue)
    finding = {.ready = false, .stalled = false, .reason = "Overridden", .message = overridden->message};
  report(pass.next, finding, pass.now);

  std::optional<TimePoint> wake_at = seen.again;
  if (overridden && overridden->wake_at) wake_at = std::min(*wake_at, *overridden->wake_at);
  if (outcome.wake_at) wake_at = std::min(*wake_at, *outcome.wake_at);
  Outcome done = record(world_, ports_.policies, pass.before, pass.next, wake_at, stop);
  // What an Edge gets is what the status says.
  const bool is_written = done.wrote_status || api::encode_status(pass.before) == api::encode_status(pass.next);
  if (is_written)
    done.pins_changed =
        board_.post(pass.before.meta.key(),
                    {.uid = pass.before.meta.uid,
                     .generation = pass.before.meta.generation,
                     .accepted = outcome.accepted,
                     .leaf = leaf_of(spec, outcome, seen.sight),
                     .seen = seen.sight,
                     .objection = objection,
                     .no_backup = no_backup,
                     .intermediaries = seen.intermediaries ? std::optional(*seen.intermediaries) : std::nullopt});
  if (!last) {
    done.effect = "LookAtEndpoint";
    done.effect_error = seen.error ? seen.error : seen.announcement_error;
  }
  const auto say = [&](bool warning, std::string reason, std::string message) {
    world_.events.emit({std::string(api::kKind<api::PinPolicy>.kind), pass.next.meta}, warning, reason, message);
    done.said.push_back({warning, std::move(reason), std::move(message)});
  };
  if (!done.wrote_status) return done;
  const auto* was = api::find(pass.before.status.conditions, api::condition::kOverrideActive);
  const bool was_active = was != nullptr && was->status == Truth::kTrue;
  const bool is_active = overridden && overridden->active == Truth::kTrue;
  if (is_active != was_active || (is_active && was->reason != overridden->reason))
    say(is_active, "OverrideActive", overridden ? overridden->message : "pinning is not overridden");
  for (const auto& leaf : outcome.unannounced)
    say(true, "UnannouncedChange",
        "the endpoint presents " + leaf + ", which nobody announced and enough vantages have seen: it is accepted");
  if (outcome.first)
    say(false, "PinLearned", "the first pin is " + *outcome.first + ", which enough vantages have seen");
  return done;
}

}  // namespace edgetrust::reconcile
