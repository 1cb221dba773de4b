#pragma once
// The machine of one Edge: its pin file, the service that reads it, its clock, whom it trusts. Implemented by ssh/.
// Threads: any; one call is one session, each step of which has a deadline. Errors beside those named below:
// kUnavailable, kTimeout and kCancelled of the connection; kUnauthorized when the login is refused; kForbidden with
// code kHostKeyRefused when the host is another than the one that is known; kProtocol for an answer that is none, or
// too large. After a lost answer to a change, `maybe_executed`: look before anything else.
#include "edgetrust/base/result.hpp"
#include "edgetrust/ports/pin_file.hpp"
#include "edgetrust/ports/tls_probe.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace edgetrust::ports {

inline constexpr std::string_view kHostKeyRefused = "HostKeyRefused";
// The file on the Edge is not the one that a change was decided upon: somebody else has edited it.
inline constexpr std::string_view kFileChanged = "FileChanged";
// There is a change on the Edge already, of which the timer is armed, or another script is at work with it: nothing has
// been done.
inline constexpr std::string_view kChangeUnderWay = "ChangeUnderWay";
// The SSH server dials nobody for us: that is a setting of its own, or of our key.
inline constexpr std::string_view kForwardingRefused = "ForwardingRefused";
// The Edge was reached, and what was to be seen from there was not.
inline constexpr std::string_view kEndpointUnreached = "EndpointUnreached";

inline constexpr std::chrono::seconds kGreetsWithin{3};

struct PresentRequest {
  std::string host;  // a name is resolved on the Edge
  std::uint16_t port = 443;
  std::string server_name;                 // SNI; empty: the host when it is a DNS name
  TlsVersion oldest = TlsVersion::kTls12;  // this and cipher_suites as those of ProbeTarget
  std::vector<std::string> cipher_suites;
};

enum class TimeService { kNone, kChrony, kNtpd };

struct CaCertificate {
  std::string pem;     // one certificate
  std::string sha256;  // of the DER, lower-case hex
  bool operator==(const CaCertificate&) const = default;
};
// One that was put into the Edge's trust store.
struct HostAnchor {
  std::string sha256;
  bool in_force = false;  // it is there unchanged, and in the bundle that programs read
  bool operator==(const HostAnchor&) const = default;
};

struct HostState {
  std::string folder_trouble;  // why nothing may be put into the file's folder; empty: it may
  bool folder_absent = false;  // there is none: that is known, and not merely that it cannot be entered
  bool has_file = false;
  std::string file_trouble;  // it is no plain file, or too large to be one of ours
  std::string text;
  std::string sha256;          // of the text, lower-case hex; empty without a file
  bool is_private = false;     // mode 600, root:root
  bool restore_armed = false;  // the timer that puts the previous file back
  bool has_leftovers = false;  // of a change that is over or was cut
  bool service_active = false;
  bool service_busy = false;  // it is about to be started, stopped or restarted: systemd has a job for it
  std::string invocation;     // of the service: another one for each start (systemd.exec(5), $INVOCATION_ID)
  std::chrono::milliseconds clock_offset{};  // how far the Edge's clock is from the right time, either way
  // As chrony or ntpd says; where neither is in sync, or there, the offset is from this machine's clock.
  bool clock_synchronised = false;
  TimeService time_service = TimeService::kNone;
  std::vector<std::string> time_servers;  // that were put into chrony
  std::string time_servers_trouble;       // why none can be
  std::vector<HostAnchor> anchors;
  std::string anchors_trouble;  // why there can be none
};

class EdgeHost {
 public:
  virtual ~EdgeHost() = default;

  virtual Result<HostState> look(std::stop_token stop) = 0;
  // Whether an SSH server answers there at all: a connection and its first word, within kGreetsWithin. No session. For
  // one that did not answer last time.
  virtual Status greet(std::stop_token stop) = 0;
  // What that endpoint presents when it is dialled from the Edge. As TlsProbe::present(): a handshake that judges
  // nothing, here through the SSH connection. kForbidden with code kForwardingRefused when the SSH server does not dial
  // for us; code kEndpointUnreached for whatever goes wrong beyond the Edge: kUnavailable when nothing answers there,
  // kTimeout when nobody says anything, there or on the way; kProtocol when it is no TLS, or takes none of what is
  // offered. Without that code it is the Edge that was not reached.
  virtual Result<ServedChain> present(const PresentRequest& request, std::stop_token stop) = 0;
  // Of what changes the file or the service one is at work on an Edge at a time, however many were begun. Who finds
  // another one at work for some seconds has done nothing: kConflict, code kChangeUnderWay.

  // Puts the document in place of the file with that hash (empty: there is none), unless that is another one by now
  // (kConflict, code kFileChanged) or a timer is armed (kConflict, code kChangeUnderWay). Before that it arms a timer
  // on the Edge: after `restore_after` the previous file comes back, and if the service has been started since before
  // the new one had its place, it is started again. When the Edge is booted meanwhile, the previous file comes back
  // before the service starts. The document is written to a file beside it, its length and hash are compared there, it
  // is synced and renamed: whoever opens the file has the old or the new one, whole. kInvalid when the Edge cannot take
  // it (a full or read-only disk): nothing has changed. Returns the service's invocation as read after the rename:
  // every later one has read the new file.
  virtual Result<std::string> install(const PinDocument& document, const std::string& replaces,
                                      std::chrono::seconds restore_after, std::stop_token stop) = 0;
  // Starts the service anew and does not wait for it, if it is still that invocation and nobody else has it started,
  // stopped or restarted: so a restart that is asked for twice is one.
  virtual Status restart(const std::string& invocation, std::stop_token stop) = 0;
  // Disarms the timer and forgets the previous file. kConflict, code kFileChanged, when the file is not the one with
  // that hash, or the timer has run out: nothing has been done.
  virtual Status confirm(const std::string& sha256, std::stop_token stop) = 0;
  // What the timer of the file with that hash would do, now; the service is not waited for. A second time it goes on
  // from where the first was cut, or finds nothing to do. A file that somebody else has put there stays. kConflict,
  // code kFileChanged, when the timer is that of another change; kInvalid when the previous file is gone.
  virtual Status restore(const std::string& sha256, std::stop_token stop) = 0;
  // Takes away what a cut connection has left, if no timer is armed.
  virtual Status clean(std::stop_token stop) = 0;

  // Puts these servers (host names or addresses) into chrony as a file of ours, which it reads anew, and gives it some
  // seconds to come into sync: whether it has, the next look tells. None: the file goes. kInvalid where chrony does not
  // run, or reads no such file.
  virtual Status set_time_servers(const std::vector<std::string>& servers, std::stop_token stop) = 0;
  // Puts a CA certificate into the Edge's trust store, and looks whether it got into the bundle; or takes it away.
  // Debian's way or Red Hat's. kInvalid where neither is there.
  virtual Status trust(const CaCertificate& certificate, std::stop_token stop) = 0;
  virtual Status distrust(const std::string& sha256, std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
