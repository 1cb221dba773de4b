#pragma once
// Conditions by type, and the closed list of their reasons.
#include "edgetrust/api/object.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::api {

namespace condition {
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::string_view kReconciling = "Reconciling";
inline constexpr std::string_view kStalled = "Stalled";
inline constexpr std::string_view kIssued = "Issued";
inline constexpr std::string_view kDelivered = "Delivered";
inline constexpr std::string_view kEdgeHealthy = "EdgeHealthy";
inline constexpr std::string_view kRolledBack = "RolledBack";
inline constexpr std::string_view kRollbackAvailable = "RollbackAvailable";
inline constexpr std::string_view kInfeasible = "Infeasible";
inline constexpr std::string_view kFrozen = "Frozen";
inline constexpr std::string_view kHalted = "Halted";
inline constexpr std::string_view kCredentialsValid = "CredentialsValid";
inline constexpr std::string_view kEndpointsAvailable = "EndpointsAvailable";
inline constexpr std::string_view kHeartbeatSent = "HeartbeatSent";
inline constexpr std::string_view kTrustAnchorsSynced = "TrustAnchorsSynced";
inline constexpr std::string_view kOnline = "Online";
inline constexpr std::string_view kSipHealthy = "SipHealthy";
inline constexpr std::string_view kPeersTrustChain = "PeersTrustChain";
inline constexpr std::string_view kClockInSync = "ClockInSync";
inline constexpr std::string_view kPinsCurrent = "PinsCurrent";
inline constexpr std::string_view kHandshakeValid = "HandshakeValid";
inline constexpr std::string_view kIntercepted = "Intercepted";
inline constexpr std::string_view kOverrideActive = "OverrideActive";
}  // namespace condition

// How something failed, as the second half of a reason: "IssuerUnavailable", "UploadCredentialsRefused". A closed list,
// one word a kind of error.
std::string_view manner_of(ErrorKind kind);

// The reasons that more than one kind reads.
namespace reason {
inline constexpr std::string_view kPeerDoesNotTrust = "PeerDoesNotTrust";
inline constexpr std::string_view kPeersNotJudged = "PeersNotJudged";
}  // namespace reason

const Condition* find(const std::vector<Condition>& conditions, std::string_view type);

// The one that says most: Stalled, else Reconciling, else Ready; nullptr when there is none. Ready may have words of
// its own (Expired): what the rotation says is in the other two while they are there.
const Condition* said(const std::vector<Condition>& conditions);
// Its reason; empty when there is none.
std::string_view reason_said(const std::vector<Condition>& conditions);

// Sets or replaces one condition; last_transition_time moves only when the status does.
void set(std::vector<Condition>& conditions, Condition condition, TimePoint now);
void remove(std::vector<Condition>& conditions, std::string_view type);

}  // namespace edgetrust::api
