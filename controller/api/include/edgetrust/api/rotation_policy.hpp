#pragma once
// RotationPolicy: how a fleet may be changed.
#include "edgetrust/api/common.hpp"
#include "edgetrust/api/object.hpp"

namespace edgetrust::api {

enum class MayBreak { kWindow, kFreeze, kApproval };
struct Urgent {
  std::optional<Duration> before;
  std::optional<std::vector<MayBreak>> may_break;  // default Window; empty: nothing
};
struct Freeze {
  std::string name;
  TimePoint from;
  TimePoint to;
  std::string reason;
};
struct Approval {
  std::optional<bool> required;
  std::optional<Duration> valid_for;
};
struct Budget {
  std::optional<int> max_concurrent;
  std::optional<int> max_concurrent_per_site;
  std::optional<int> halt_after_rollbacks;
  std::optional<Duration> spread;
};
struct Wave {
  std::string name;
  LabelSelector edge_selector;
  Duration soak{};
};
enum class SoftwareUpdateRule { kWait, kIgnore };
enum class DrainPolicy { kNone, kDrain };
struct Drain {
  std::optional<DrainPolicy> policy;
  std::optional<Duration> timeout;
};
enum class SiteWideFailure { kHold, kJudge };
struct Observe {
  std::optional<Duration> settle;
  std::optional<Duration> period;
  std::optional<Duration> interval;
  std::optional<int> fail_after;
  std::optional<SiteWideFailure> on_site_wide_failure;
};
enum class RetryPolicy { kNever, kNextWindow, kOnChange };
struct RetryRule {
  std::optional<RetryPolicy> policy;
  std::optional<Duration> backoff;
  std::optional<int> max_attempts;
};

// The part that EdgeCertificate.spec.rotation may set for one Edge; what it sets wins over the policy.
struct RotationOverrides {
  std::vector<Window> windows;
  std::optional<Drain> drain;
  std::optional<Observe> observe;
  std::optional<RetryRule> retry;
};

struct RotationPolicySpec {
  std::vector<Window> windows;
  std::optional<Urgent> urgent;
  std::vector<Freeze> freezes;
  std::optional<Approval> approval;
  std::optional<Budget> budget;
  std::vector<Wave> waves;
  std::optional<SoftwareUpdateRule> software_update;
  std::optional<Drain> drain;
  std::optional<Observe> observe;
  std::optional<RetryRule> retry;
};

enum class PolicyState { kOpen, kFrozen, kHalted };
// The last request to go on after a halt: rollbacks before it no longer count.
struct ResumeStatus {
  std::string request;  // the annotation's text
  TimePoint at;         // when it was seen
};
struct RotationPolicyStatus {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::optional<PolicyState> state;
  std::string wave;
  std::vector<std::string> rotating;
  std::optional<int> rollbacks;
  std::optional<ResumeStatus> resumed;
  std::vector<std::string> soaked;
  std::string next_freeze;
};

using RotationPolicy = Object<RotationPolicySpec, RotationPolicyStatus>;

// What holds for one EdgeCertificate: its own `rotation`, then the policy's fields, then the defaults of the contract.
struct EffectiveRotation {
  std::vector<Window> windows;  // never empty
  Duration urgent_before;
  std::vector<MayBreak> urgent_may_break;
  std::vector<Freeze> freezes;
  bool approval_required;
  Duration approval_valid_for;
  int max_concurrent;
  int max_concurrent_per_site;
  int halt_after_rollbacks;
  Duration spread;
  SoftwareUpdateRule software_update;
  std::optional<Duration> drain_timeout;  // how long calls may last; empty: the push does not wait for them
  Duration settle;
  Duration period;
  Duration interval;
  int fail_after;
  SiteWideFailure on_site_wide_failure;
  RetryPolicy retry;
  Duration retry_backoff;
  int max_attempts;
};
EffectiveRotation effective_rotation(const RotationOverrides& own, const RotationPolicySpec* policy);

}  // namespace edgetrust::api
