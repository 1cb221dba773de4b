#pragma once
// Field lists of RotationPolicy.
#include "edgetrust/api/rotation_policy.hpp"
#include "fields/common.hpp"

namespace edgetrust::json {

template <>
struct EnumNames<api::MayBreak> {
  static constexpr std::array<std::pair<api::MayBreak, std::string_view>, 3> kNames = {
      {{api::MayBreak::kWindow, "Window"}, {api::MayBreak::kFreeze, "Freeze"}, {api::MayBreak::kApproval, "Approval"}}};
};
template <>
struct EnumNames<api::SoftwareUpdateRule> {
  static constexpr std::array<std::pair<api::SoftwareUpdateRule, std::string_view>, 2> kNames = {
      {{api::SoftwareUpdateRule::kWait, "Wait"}, {api::SoftwareUpdateRule::kIgnore, "Ignore"}}};
};
template <>
struct EnumNames<api::DrainPolicy> {
  static constexpr std::array<std::pair<api::DrainPolicy, std::string_view>, 2> kNames = {
      {{api::DrainPolicy::kNone, "None"}, {api::DrainPolicy::kDrain, "Drain"}}};
};
template <>
struct EnumNames<api::SiteWideFailure> {
  static constexpr std::array<std::pair<api::SiteWideFailure, std::string_view>, 2> kNames = {
      {{api::SiteWideFailure::kHold, "Hold"}, {api::SiteWideFailure::kJudge, "Judge"}}};
};
template <>
struct EnumNames<api::RetryPolicy> {
  static constexpr std::array<std::pair<api::RetryPolicy, std::string_view>, 3> kNames = {
      {{api::RetryPolicy::kNever, "Never"},
       {api::RetryPolicy::kNextWindow, "NextWindow"},
       {api::RetryPolicy::kOnChange, "OnChange"}}};
};
template <>
struct EnumNames<api::PolicyState> {
  static constexpr std::array<std::pair<api::PolicyState, std::string_view>, 3> kNames = {
      {{api::PolicyState::kOpen, "Open"},
       {api::PolicyState::kFrozen, "Frozen"},
       {api::PolicyState::kHalted, "Halted"}}};
};

}  // namespace edgetrust::json

namespace edgetrust::api {

// A field a line, with all that is said of it.
// clang-format off
template <class V>
void fields(V& v, Urgent& urgent) {
  using namespace json;
  v("before", urgent.before, doc("How close to the served certificate's expiry a rotation becomes urgent; never more than a tenth of its lifetime. Default 72h."));
  v("mayBreak", urgent.may_break, max_items(3), doc("What an urgent rotation does not wait for. Default Window; an empty list means nothing. A halt and the budget are always waited for, a wave never once it is urgent."));
}

template <class V>
void fields(V& v, Freeze& freeze) {
  using namespace json;
  v("name", freeze.name, required, min_length(1), max_length(63), doc("Name of the freeze, for messages."));
  v("from", freeze.from, required, doc("When it begins."));
  v("to", freeze.to, required, doc("When it ends."));
  v("reason", freeze.reason, max_length(256), doc("Why, e.g. a change number."));
  v.rule("timestamp(self.from) < timestamp(self.to)", "a freeze must end after it begins");
}

template <class V>
void fields(V& v, Approval& approval) {
  using namespace json;
  v("required", approval.required, doc("Whether a rotation waits for the annotation edgetrust.io/approve on the EdgeCertificate, e.g. {\"revision\":7,\"change\":\"CHG0045123\",\"by\":\"ada\"}. An approval is for one revision. Default false."));
  v("validFor", approval.valid_for, doc("How long an approval holds, from when it was first seen. Default 168h."));
}

template <class V>
void fields(V& v, Budget& budget) {
  using namespace json;
  v("maxConcurrent", budget.max_concurrent, minimum(1), maximum(1000), doc("Rotations under this policy at a time. Default 1."));
  v("maxConcurrentPerSite", budget.max_concurrent_per_site, minimum(1), maximum(1000), doc("Rotations in a site of the connection at a time, under whatever policy. Edges whose site is not known count as one site. Default 1."));
  v("haltAfterRollbacks", budget.halt_after_rollbacks, minimum(1), maximum(1000), doc("After so many rollbacks no further Edge starts until the annotation edgetrust.io/resume-requested-at of the policy gets a new value. Those of the last `spread` count, or of the last week if that is longer. Default 2."));
  v("spread", budget.spread, doc("Over how long renewals that are due together are spread. Default 672h."));
}

template <class V>
void fields(V& v, Wave& wave) {
  using namespace json;
  v("name", wave.name, required, min_length(1), max_length(63), doc("Name of the wave."));
  v("edgeSelector", wave.edge_selector, doc("Which Edges belong to it, by labels of the Edge objects (matchLabels only). Empty: all that are in no wave before."));
  v("soak", wave.soak, doc("How long a change must have been live in this wave before the next one gets it. Default 0s: until it is proved there. If no Edge of the wave is due within that time, the one that is due first is renewed early."));
}

template <class V>
void fields(V& v, Drain& drain) {
  using namespace json;
  v("policy", drain.policy, doc("None: push while calls are up. Drain: take the Edge out of service first, wait for its calls to end, and put it back into service in every outcome. Default None."));
  v("timeout", drain.timeout, doc("How long to wait for calls to end; a window must have room for it. When calls last longer the Edge goes back into service, nothing is pushed, and it is tried again in the next window; only what is urgent is pushed all the same. Default 30m."));
  v.rule("!has(self.timeout) || duration(self.timeout) >= duration('1s')", "drain.timeout must be at least 1s");
}

template <class V>
void fields(V& v, Observe& observe) {
  using namespace json;
  v("settle", observe.settle, doc("Time for the Edge to restart its SIP service after the push. A bad answer within it counts only if it is still bad at its end, unless the Edge is Critical, or SIP_DOWN with a failing handshake, failAfter times in a row. Default 90s."));
  v("period", observe.period, doc("How long the Edge must be healthy without interruption before the certificate counts as good. Default 10m."));
  v("interval", observe.interval, doc("Time between two looks. Default 15s."));
  v("failAfter", observe.fail_after, minimum(1), maximum(20), doc("So many bad answers in a row roll back. Default 2."));
  v("onSiteWideFailure", observe.on_site_wide_failure, doc("Hold: while most Edges of the site that were not touched are down too there is no verdict. Judge: each Edge is judged alone. Default Hold."));
  v.rule("!has(self.interval) || duration(self.interval) >= duration('1s')", "observe.interval must be at least 1s");
}

template <class V>
void fields(V& v, RetryRule& retry) {
  using namespace json;
  v("policy", retry.policy, doc("After a rollback. Never: stop until told otherwise. NextWindow: try a new revision in a later window. OnChange: try again after the spec changed. Default NextWindow."));
  v("backoff", retry.backoff, doc("Shortest time between a rollback and the next try. Default 24h."));
  v("maxAttempts", retry.max_attempts, minimum(1), maximum(20), doc("Tries in all before it stops. Default 2."));
}

template <class V>
void fields(V& v, RotationOverrides& rotation) {
  using namespace json;
  v("windows", rotation.windows, max_items(7), doc("When a rotation may start, in the Edge's local time. Nothing starts that cannot end (drain, push, settle, observe, rollback) inside the window. Default: 02:00 for 2h, every day."));
  v("drain", rotation.drain, doc("Whether calls are drained before the push."));
  v("observe", rotation.observe, doc("How the Edge is watched after the push, and what rolls it back."));
  v("retry", rotation.retry, doc("What happens after a rollback."));
}

template <class V>
void fields(V& v, RotationPolicySpec& spec) {
  using namespace json;
  v("windows", spec.windows, max_items(7), doc("When a rotation may start, in the Edge's local time. Nothing starts that cannot end (drain, push, settle, observe, rollback) inside the window. Default: 02:00 for 2h, every day."));
  v("urgent", spec.urgent, doc("What a rotation close to expiry need not wait for."));
  v("freezes", spec.freezes, max_items(32), doc("Times in which no rotation is under way: none starts that could not end before, rollback included. A rollback is always allowed."));
  v("approval", spec.approval, doc("Whether a person must approve each rotation."));
  v("budget", spec.budget, doc("How many Edges may be changed at a time."));
  v("waves", spec.waves, max_items(16), map_key("name"), doc("The order in which a change reaches the fleet: another issuer, root, kind of key or version of the operator. It must have been live on an Edge of each earlier wave for that wave's soak, without a rollback since. Edges that no selector fits come last. What has gone through once is no change any more."));
  v("softwareUpdate", spec.software_update, doc("Wait: no rotation while the Edge updates its software. Ignore: rotate all the same. Default Wait."));
  v("drain", spec.drain, doc("Whether calls are drained before the push."));
  v("observe", spec.observe, doc("How the Edge is watched after the push, and what rolls it back."));
  v("retry", spec.retry, doc("What happens after a rollback."));
}

template <class V>
void fields(V& v, ResumeStatus& resumed) {
  using namespace json;
  v("request", resumed.request, doc("Last value of edgetrust.io/resume-requested-at that was acted on."));
  v("at", resumed.at, required, doc("When it was seen: earlier rollbacks no longer count."));
}

template <class V>
void fields(V& v, RotationPolicyStatus& status) {
  using namespace json;
  v("observedGeneration", status.observed_generation, doc("The metadata.generation that this status is about."));
  v("conditions", status.conditions, map_key("type"), max_items(16), doc("Ready, Halted, Frozen, Infeasible."));
  v("state", status.state, doc("Open, Frozen or Halted."));
  v("wave", status.wave, doc("The wave in which a change has to soak before others get it."));
  v("rotating", status.rotating, doc("Names of the EdgeCertificates under this policy that are rotating."));
  v("rollbacks", status.rollbacks, doc("Rollbacks since the last resume, as far back as spread or a week, whichever is longer."));
  v("resumed", status.resumed, doc("The last resume."));
  v("soaked", status.soaked, max_items(32), doc("Changes that have gone through: issuer, root, kind of key, version of the operator."));
  v("nextFreeze", status.next_freeze, doc("The next freeze, for people."));
}
// clang-format on

}  // namespace edgetrust::api
