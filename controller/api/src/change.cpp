#include "edgetrust/api/change.hpp"

#include "edgetrust/api/conditions.hpp"

#include <algorithm>
#include <charconv>

namespace edgetrust::api {
namespace {

constexpr std::string_view kBefore = "revision ";
constexpr std::string_view kAfter = " is stored";

}  // namespace

std::string is_stored(int revision) { return std::string(kBefore) + std::to_string(revision) + std::string(kAfter); }

std::optional<int> stored_revision(std::string_view message) {
  if (!message.starts_with(kBefore) || !message.ends_with(kAfter)) return std::nullopt;
  message.remove_prefix(kBefore.size());
  if (message.size() <= kAfter.size()) return std::nullopt;
  message.remove_suffix(kAfter.size());
  int revision = 0;
  const auto [end, error] = std::from_chars(message.data(), message.data() + message.size(), revision);
  return error == std::errc{} && end == message.data() + message.size() ? std::optional(revision) : std::nullopt;
}

std::optional<int> revision_in_question(const EdgeCertificateStatus& status) {
  if (status.delivery) return status.delivery->revision;
  if (status.order) return status.order->revision;
  // What waits has a larger number than all that have ended.
  std::optional<int> newest = status.revision;
  for (const auto& entry : status.history) newest = std::max(newest, std::optional(entry.revision));
  if (const Condition* issued = find(status.conditions, condition::kIssued); issued != nullptr)
    newest = std::max(newest, stored_revision(issued->message));
  return newest;
}

std::string pin_file_in_question(const EdgePins& pins) {
  if (pins.change) return pins.change->file_sha256;
  return pins.state == EdgePinState::kRolledBack ? pins.rejected_sha256 : pins.file_sha256;
}

}  // namespace edgetrust::api
