#pragma once
// Everything that is true of one simulated Edge, and what follows from it. Plain values and pure functions.
#include "chain.hpp"
#include "config.hpp"
#include "edgetrust/base/clock.hpp"
#include "edgetrust/json/view.hpp"
#include "sip_plant.hpp"

#include <map>
#include <optional>
#include <string>

namespace edgetrust::sim {

// What a leaf that the Edge has not seen before does to it. A leaf it has seen does again what it did then, so that a
// rollback helps.
enum class OnApply { kOk, kSipDown, kTrunkDown, kCritical, kFlap, kSlow, kRefuse };
std::string_view to_string(OnApply what);
std::optional<OnApply> parse_on_apply(std::string_view text);

struct Installed {
  std::string chain_pem;
  LeafFacts leaf;
  TimePoint at;
};

struct Drain {
  SteadyPoint started;
  std::chrono::seconds wait{0};
  int calls = 0;
};

// The answer of the guide's status call.
struct GuideStatus {
  std::string state;  // OK, Warning, Critical, Unknown
  std::string sip;    // SIP_UP, SIP_DOWN
  std::string cause;  // of SIP_DOWN
  std::string fingerprint;
  TimePoint updated_at;
};

struct EdgeRecord {
  EdgeConfig config;
  std::uint16_t sip_port = 0;
  bool extra = false;  // made at run time: a reset removes it
  std::string trunk_id;
  int version = 1;
  TimePoint modified;

  std::optional<Installed> installed;
  std::map<std::string, OnApply> leaves;  // by fingerprint
  bool restarting = false;
  int restarts = 0;
  int uploads = 0;  // that were accepted, the same leaf again included

  OnApply on_apply = OnApply::kOk;
  bool accept_any = false;  // installs what it would refuse, so that the consequences can be seen
  bool sip_forced_down = false;
  std::string health;  // forced state; empty: what follows from the rest
  bool online = true;
  std::optional<GuideStatus> frozen;  // while offline the cloud tells what it knew last
  bool software_update = false;
  bool cloud_media = false;             // one of the vendor's own
  std::optional<milliseconds> restart;  // instead of the configured

  SbcView sbc{.up = false, .cause = "nothing is installed"};
  TimePoint sbc_changed;  // up or down since
  TimePoint updated_at;   // last look or change

  bool in_service = true;
  int calls = 0;
  std::optional<Drain> drain;

  [[nodiscard]] OnApply effect() const;  // of the leaf that is installed
  [[nodiscard]] OptionsMode options_mode() const;
};

GuideStatus guide_status(const EdgeRecord& edge);

// Its one trunk, as the cloud sees it.
struct TrunkView {
  bool up = false;
  std::string cause;
  TimePoint since;
};
TrunkView trunk_of(const EdgeRecord& edge);

// While draining a call ends every `every`; what is left when the wait is over is cut.
int calls_at(const EdgeRecord& edge, SteadyPoint now, milliseconds every);
// NONE, WAIT, COMPLETE or WAIT_TIMEOUT (drained by cutting calls).
std::string_view draining_state(const EdgeRecord& edge, SteadyPoint now, milliseconds every);

// PATCH /sim/v1/edges/{id}: changes `edge` as far as plain values go. Errors: kInvalid, naming the field, nothing
// changed.
Status apply_patch(EdgeRecord& edge, json::View patch);

}  // namespace edgetrust::sim
