#include "edgetrust/reconcile/pin_policy_reconciler.hpp"

#include "finding.hpp"
#include "pins/fleet.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using api::PinSource;
using api::PinType;
using api::Truth;
using decide::pins::PinOutcome;
using decide::pins::Sight;
using decide::pins::Stand;

constexpr auto kProbeTimeout = 10s;

TimePoint seconds_of(TimePoint at) { return std::chrono::floor<std::chrono::seconds>(at); }

Sight sight_of(const ports::ChainView& view) {
  Sight sight{.vantage = std::string(decide::pins::kOperatorVantage),
              .chain = {},
              .issuer = view.presented.front().issuer,
              .root = view.validated.empty() ? "" : view.validated.back().subject,
              .not_after = view.presented.front().not_after,
              .problem = view.problem};
  // Of a chain that does not validate only the leaf is worth a word.
  const auto& links = view.validated.empty() ? std::vector{view.presented.front()} : view.validated;
  for (const auto& link : links) sight.chain.push_back({link.certificate_sha256, link.public_key_sha256});
  return sight;
}

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

std::string what_would_be_written(const api::PinPolicySpec& spec, const PinOutcome& outcome, const Sight& sight) {
  const std::string objection = decide::pins::objection(spec, outcome.accepted, sight);
  if (!objection.empty()) return "nothing is written in ReportOnly; Enforce would not write either: " + objection;
  return "nothing is written in ReportOnly; in Enforce the file would hold " + std::to_string(outcome.accepted.size()) +
         " pins";
}

// What is said of the endpoint while nobody looks.
void forget_view(api::PinPolicyStatus& status) {
  const auto generation = status.observed_generation;
  auto conditions = std::move(status.conditions);
  status = {};
  status.observed_generation = generation;
  status.conditions = std::move(conditions);
  for (const auto type : {api::condition::kPinsCurrent, api::condition::kHandshakeValid})
    api::remove(status.conditions, type);
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
  const auto seen = [&]() -> Result<ports::ChainView> {
    ports::ViewRequirements wanted{
        .server_name = std::string(api::server_name(endpoint)), .at = pass.now, .roots_pem = {}};
    if (endpoint.ca_bundle_ref) {
      EDGETRUST_TRY_ASSIGN(wanted.roots_pem,
                           world_.secrets.read_bundle(pass.before.meta.ns, *endpoint.ca_bundle_ref, stop));
    }
    EDGETRUST_TRY_ASSIGN(const ports::ServedChain served,
                         world_.probe.present({.host = endpoint.host,
                                               .port = static_cast<std::uint16_t>(endpoint.port),
                                               .server_name = wanted.server_name,
                                               .timeout = kProbeTimeout},
                                              stop));
    return ports_.viewer.view(served.chain_pem, wanted);
  }();
  look.sight.vantage = std::string(decide::pins::kOperatorVantage);
  if (!seen) {
    look.error = seen.error();
    look.sight.problem = seen.error().message();
    return;
  }
  look.sight = sight_of(*seen);
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
  if (policy->spec.mode == api::PinMode::kDisabled)
    return finish({.ready = true, .reason = "Disabled", .message = "nothing is looked at"});
  return serve(pass, stop);
}

Outcome PinPolicyReconciler::serve(Pass& pass, const std::stop_token& stop) {
  const api::PinPolicySpec& spec = pass.before.spec;
  auto& status = pass.next.status;
  const auto last = remembered(pass);
  const Look seen = last ? *last : look(pass, stop);
  const auto followed =
      decide::pins::follow({spec, status.current, status.next, {seen.sight}, seen.announced, pass.now});
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

  Finding finding = good(what_would_be_written(spec, outcome, seen.sight));
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
  report(pass.next, finding, pass.now);

  std::optional<TimePoint> wake_at = seen.again;
  if (outcome.wake_at) wake_at = std::min(*wake_at, *outcome.wake_at);
  Outcome done = record(world_, ports_.policies, pass.before, pass.next, wake_at, stop);
  if (!last) {
    done.effect = "LookAtEndpoint";
    done.effect_error = seen.error ? seen.error : seen.announcement_error;
  }
  const auto say = [&](bool warning, std::string reason, std::string message) {
    world_.events.emit({std::string(api::kKind<api::PinPolicy>.kind), pass.next.meta}, warning, reason, message);
    done.said.push_back({warning, std::move(reason), std::move(message)});
  };
  if (!done.wrote_status) return done;
  for (const auto& leaf : outcome.unannounced)
    say(true, "UnannouncedChange",
        "the endpoint presents " + leaf + ", which nobody announced and enough vantages have seen: it is accepted");
  if (outcome.first)
    say(false, "PinLearned", "the first pin is " + *outcome.first + ", which enough vantages have seen");
  return done;
}

}  // namespace edgetrust::reconcile
