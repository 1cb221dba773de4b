#pragma once
// One line of a fleet: an EdgeCertificate as a person looks at it. Pure: objects and a time in, plain data out.
// Called by: plugin (`list`), page.
#include "edgetrust/api/kinds.hpp"

#include <optional>
#include <string>

namespace edgetrust::view {

struct FleetRow {
  api::ObjectKey certificate;
  std::string edge;
  std::string site;
  std::string phase;  // empty: the operator has not looked at it yet
  api::Truth ready = api::Truth::kUnknown;
  bool stalled = false;
  std::optional<int> revision;
  std::string serial_number;
  std::string issuer;
  std::optional<TimePoint> not_before;
  std::optional<TimePoint> not_after;
  std::optional<TimePoint> renewal;
  std::string next;
  std::string reason;
  std::string message;
};

// `edge`: the one that it names; null where there is none.
FleetRow row_of(const api::EdgeCertificate& certificate, const api::Edge* edge);
bool is_true(const std::vector<api::Condition>& conditions, std::string_view type);

// How far a certificate's life has come.
enum class Life {
  kGood,
  kDue,     // for its renewal
  kUrgent,  // 72 hours or a tenth of its life are left, as RotationPolicy's `urgent` has it by default
  kExpired
};
Life life(TimePoint not_before, TimePoint not_after, std::optional<TimePoint> renewal, TimePoint now);

}  // namespace edgetrust::view
