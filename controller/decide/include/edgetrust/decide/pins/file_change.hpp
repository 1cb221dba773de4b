#pragma once
// The pin file of one Edge: what comes next, so that the file is right and nobody is locked out. At most one effect a
// pass; what is about to be done is written to Edge.status.pins before it is done, and every pass begins with a look at
// the machine, so that a crash at any point resumes. Called by the engine of Edges. Pure.
//
//   Installing ──> Restarting ──> Proving ──> Confirming ──> Matched
//                                    └──────> Restoring ───> RolledBack
//
// The Edge itself has a timer from the installation to the confirmation that puts the previous file back: what the
// operator does not live to see is not enforced.
#include "edgetrust/api/edge.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <optional>
#include <string>
#include <variant>

namespace edgetrust::decide::pins {

// After so long without a confirmation the Edge puts its previous file back.
inline constexpr std::chrono::seconds kRestoreAfter{120};
// How long the restarted service may take to be up, and its endpoint to be reached, before the previous file comes
// back. That and the restart with it are over within a minute.
inline constexpr std::chrono::seconds kProveWithin{45};
inline constexpr int kMostRestartsAnHour = 3;

enum class Proof { kNone, kGood, kUnreachable, kRefused };  // of the endpoint, as the Edge is presented it

struct FileSituation {
  std::string policy;  // the PinPolicy's name
  const std::optional<api::EdgePins>& before;
  // What this pass has seen of the machine, or why it could not.
  std::optional<ports::HostState> host;
  std::string host_trouble;
  bool for_a_person = false;  // nothing but a person mends that trouble
  // The file that it should have, made of the one that it has; or why there is none.
  std::optional<ports::PinDocument> wanted;
  std::string blocked;
  std::string
      intercepted;        // what the Edge is presented in place of the endpoint's chain: then nothing is written there
  std::string hindered;   // why no change may begin, whatever is waited for; a file that is right stays so
  bool online = false;    // the cloud sees the Edge
  bool enforced = true;   // false: it is only said what would be written
  std::string waits_for;  // why nothing may begin now: a window, another Edge; empty: it may
  api::Duration max_clock_offset{5000};
  Proof proof = Proof::kNone;  // asked for by the last pass; may be lost
  TimePoint now;
};

namespace file_effect {
struct Install {
  ports::PinDocument document;
  std::string replaces;
};
struct Restart {
  std::string invocation;  // that has not read the new file
};
struct Prove {};  // whether the endpoint can be reached from the Edge, and is accepted by the pins of the new file
struct Confirm {
  std::string sha256;
};
struct Restore {
  std::string sha256;
};
struct Clean {};
}  // namespace file_effect
using FileEffect = std::variant<std::monostate, file_effect::Install, file_effect::Restart, file_effect::Prove,
                                file_effect::Confirm, file_effect::Restore, file_effect::Clean>;

struct FileDecision {
  api::EdgePins status;  // to be written before the effect
  FileEffect effect;
  std::optional<TimePoint> wake_at;  // empty: when something changes, or at the next interval
  bool rolled_back = false;          // in this pass: worth an Event
};

FileDecision decide(const FileSituation& situation);

}  // namespace edgetrust::decide::pins
