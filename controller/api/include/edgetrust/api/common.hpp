#pragma once
// Small types that several kinds share. References never cross a namespace: none has a `namespace` field.
#include "edgetrust/base/clock.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace edgetrust::api {

using Duration = std::chrono::milliseconds;

struct LocalRef {
  std::string name;
  bool operator==(const LocalRef&) const = default;
  [[nodiscard]] bool empty() const { return name.empty(); }
};

struct SecretKeyRef {
  std::string name;
  std::string key;
  bool operator==(const SecretKeyRef&) const = default;
};

enum class BundleKind { kSecret, kConfigMap };
struct CaBundleRef {
  BundleKind kind = BundleKind::kSecret;
  std::string name;
  std::string key;
  bool operator==(const CaBundleRef&) const = default;
};

enum class Day { kMon, kTue, kWed, kThu, kFri, kSat, kSun };

// A time of day in the Edge's own zone. It belongs to the day it starts on.
struct Window {
  std::string start;  // "HH:MM"
  Duration duration{};
  std::vector<Day> days;  // empty: every day
  bool operator==(const Window&) const = default;
};

struct LabelSelector {
  std::map<std::string, std::string> match_labels;
};
// Whether those labels are among these; an empty selector fits everything.
bool fits(const LabelSelector& selector, const std::map<std::string, std::string>& labels);

// The Edge is out of service for a change, or about to be taken out. Written before that, taken away once the Edge has
// been seen in service again: whatever becomes of the change, it is put back.
struct DrainStatus {
  TimePoint since;
  std::optional<TimePoint> ended_at;  // the wait for its calls is over: the change may begin
};
// The slots of the rotation budget that a change needs. Written before they are claimed, taken away once they are
// free again: whoever finds a slot held by somebody whose status does not name it may take it.
struct SlotsStatus {
  int revision = 0;                // of an EdgeCertificate; of pins, a number that tells one change from the next
  std::vector<std::string> names;  // of the Leases
};

// The annotations that ask the operator for something, each acted on once per value.
inline constexpr std::string_view kRenewRequestedAt = "edgetrust.io/renew-requested-at";
inline constexpr std::string_view kRotateRequestedAt = "edgetrust.io/rotate-requested-at";
inline constexpr std::string_view kRollbackRequestedAt = "edgetrust.io/rollback-requested-at";
inline constexpr std::string_view kResumeRequestedAt = "edgetrust.io/resume-requested-at";      // of a RotationPolicy
inline constexpr std::string_view kRevokeRequestedAt = "edgetrust.io/revoke-requested-at";      // "<time> <reason>"
inline constexpr std::string_view kRolloverRequestedAt = "edgetrust.io/rollover-requested-at";  // of an AcmeIssuer
inline constexpr std::string_view kDeactivateRequestedAt = "edgetrust.io/deactivate-requested-at";  // of an AcmeIssuer
inline constexpr std::string_view kRetryRequestedAt = "edgetrust.io/retry-requested-at";  // of an Edge: its pins
inline constexpr std::string_view kApprove = "edgetrust.io/approve";
inline constexpr std::string_view kHoldUntil = "edgetrust.io/hold-until";
// Of an Edge: the machine, as status.pins.machine has it, whose pins somebody has seen to by hand.
inline constexpr std::string_view kForgetMachine = "edgetrust.io/forget-machine";
// The finalizer that is held while a TXT record of ours may exist; a quiet object has none.
inline constexpr std::string_view kCertificateLabel =
    "edgetrust.io/certificate";  // a label's value is at most 63 characters: see label_value
inline constexpr std::string_view kFinalizer = "edgetrust.io/cleanup";
// The label that marks what a backup must hold.
inline constexpr std::string_view kBackupLabel = "edgetrust.io/backup";

}  // namespace edgetrust::api
