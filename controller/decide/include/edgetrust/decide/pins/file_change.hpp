#pragma once
// The pin file of one Edge: what comes next, so that the file is right and nobody is locked out. At most one effect a
// pass; what is about to be done is written to Edge.status.pins before it is done, and every pass begins with a look at
// the machine, so that a crash at any point resumes. Called by the engine of Edges. Pure.
//
//   Installing ──> Restarting ──> Proving ──> Confirming ──> Matched
//                                    └──────> Restoring ───> RolledBack
//
// The Edge itself has a timer from the installation to the confirmation that puts the previous file back: what the
// operator does not live to see is not enforced. A file that pins nothing is never taken back: that the service is up
// with it is proof enough. Only what has its proof is Confirming; a file that stays without one, for nothing better is
// to be had, is confirmed while it is still Proving.
#include "edgetrust/api/edge.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <optional>
#include <string>
#include <variant>

namespace edgetrust::decide::pins {

// After so long without a confirmation the Edge puts its previous file back.
inline constexpr std::chrono::seconds kRestoreAfter{120};
// How long the service may take, from when it is started with the new file, to be up, and its endpoint to be reached,
// before the previous file comes back. That and the restart with it are over within a minute.
inline constexpr std::chrono::seconds kProveWithin{45};
// The longest time from the beginning of a change to the end of going back, by whomever: what the Edge is like after
// that is judged anew, and nothing is held for it any longer, also when the Edge's own timer does not come to its end.
inline constexpr std::chrono::minutes kLongestChange{5};
// The cloud takes a while to miss an Edge: that it sees one counts from then on after the service was started anew.
inline constexpr std::chrono::seconds kMissedWithin{20};
// After so many no change begins; going back is always allowed, and a file that pins nothing is what a person does
// about the others: it may begin once more, with the restart of going back.
inline constexpr int kMostRestartsAnHour = 3;
inline constexpr int kMoreToSwitchOff = 2;
// So often one step is tried that fails each time.
inline constexpr int kMostTries = 5;
// An Edge whose file refuses what it is presented gets the one that was rolled back once more after that time, whatever
// that was rolled back for: it cannot be worse, and the restarts of an hour are counted.
inline constexpr std::chrono::minutes kRefusingTriesAfter{5};

// Of the endpoint, as the Edge is presented it.
enum class Proof {
  kNone,     // nobody has looked
  kUnknown,  // somebody has, and nothing can be said
  kGood,
  kUnreachable,  // neither it nor what is in between has to do with the file
  kRefused
};

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
      intercepted;       // what the Edge is presented in place of the endpoint's chain: then nothing is written there
  std::string hindered;  // why no change may begin, or go as far as the restart, whatever is waited for
  // What the service has to read besides its file at its start: why the machine does not have it; or that it has, but
  // not yet had when the service was started, which is started anew for it as for a file. Empty: neither.
  std::string missing;
  std::string unread;
  bool online = false;        // the cloud sees the Edge
  bool refuses = false;       // the file that is there now refuses what the endpoint presents to the Edge
  bool enforced = true;       // false: it is only said what would be written
  bool pins = true;           // the file that is there now pins something
  bool switches_off = false;  // the wanted one pins nothing
  std::string waits_for;      // why nothing may begin now: a window, another Edge; empty: it may
  api::Duration max_clock_offset{5000};
  Proof proof = Proof::kNone;  // asked for by an earlier pass, and when; may be lost
  TimePoint proof_at;
  int failures = 0;                   // of the effect of this step, or of Clean, in a row; may be lost
  std::string failure;                // the last of them
  std::optional<TimePoint> retry_at;  // when a file may be tried again whose failure may pass; empty: never
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
  bool restarts = false;             // a change begins in this pass that has the service started anew
};

FileDecision decide(const FileSituation& situation);

// What two statuses of decide() say of changes, one written right after the other.
// Whether a change begins with the second.
bool begins_change(const std::optional<api::EdgePins>& before, const api::EdgePins& after);
enum class ChangeEnd {
  kProved,      // the new file is in force
  kUnproved,    // the new file stays, and nobody has proved it
  kTakenBack,   // the new file was rolled back, and the Edge has been seen without it
  kStillThere,  // the new file was rolled back, and is there, or was when the Edge fell silent
  kUndone       // none of these: not begun, given up, the Edge's timer was faster, somebody has edited the file, or the
                // file was there before: its mode or owner was wrong, or the service had something else to read
};
// Of the change that ends with the second; empty: none does.
std::optional<ChangeEnd> change_end(const std::optional<api::EdgePins>& before, const api::EdgePins& after);

}  // namespace edgetrust::decide::pins
