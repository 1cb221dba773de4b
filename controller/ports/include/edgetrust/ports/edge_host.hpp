#pragma once
// The machine of one Edge: its pin file, the service that reads it, its clock. Implemented by ssh/. Threads: any; one
// call is one session, each step of which has a deadline. Errors beside those named below: kUnavailable, kTimeout and
// kCancelled of the connection; kUnauthorized when the login is refused; kForbidden with code kHostKeyRefused when the
// host is another than the one that is known; kProtocol for an answer that is none, or too large. After a lost answer
// to a change, `maybe_executed`: look before anything else.
#include "edgetrust/base/result.hpp"
#include "edgetrust/ports/pin_file.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace edgetrust::ports {

inline constexpr std::string_view kHostKeyRefused = "HostKeyRefused";
// The file on the Edge is not the one that a change was decided upon: somebody else has edited it.
inline constexpr std::string_view kFileChanged = "FileChanged";

struct HostState {
  std::string folder_trouble;  // why nothing may be put into the file's folder; empty: it may
  bool has_file = false;
  std::string file_trouble;  // it is no plain file, or too large to be one of ours
  std::string text;
  std::string sha256;          // of the text, lower-case hex; empty without a file
  bool is_private = false;     // mode 600, root:root
  bool restore_armed = false;  // the timer that puts the previous file back
  bool has_leftovers = false;  // of a change that is over or was cut
  bool service_active = false;
  std::string invocation;  // of the service: another one for each start (systemd.exec(5), $INVOCATION_ID)
  std::chrono::milliseconds clock_offset{};  // how far the Edge's clock is from the right time, either way
  bool clock_synchronised = false;           // as chrony says; without chrony the offset is from this machine's clock
};

class EdgeHost {
 public:
  virtual ~EdgeHost() = default;

  virtual Result<HostState> look(std::stop_token stop) = 0;
  // Puts the document in place of the file with that hash (empty: there is none), unless that is another one by now
  // (kConflict, code kFileChanged). Before that it arms a timer on the Edge: after `restore_after` the previous file
  // comes back, and if the service has been started since `invocation`, it is started again. The document is written to
  // a file beside it, its length and hash are compared there, it is synced and renamed: whoever opens the file has the
  // old or the new one, whole. kInvalid when the Edge cannot take it (a full or read-only disk): nothing has changed.
  virtual Status install(const PinDocument& document, const std::string& replaces, const std::string& invocation,
                         std::chrono::seconds restore_after, std::stop_token stop) = 0;
  // Starts the service anew and does not wait for it.
  virtual Status restart(std::stop_token stop) = 0;
  // Disarms the timer and forgets the previous file. kConflict, code kFileChanged, when the file is not the one with
  // that hash: the timer was faster.
  virtual Status confirm(const std::string& sha256, std::stop_token stop) = 0;
  // What the timer would do, now: if the file is the one with that hash, the previous one comes back, and the service
  // is started again if it has been since `invocation`.
  virtual Status restore(const std::string& sha256, const std::string& invocation, std::stop_token stop) = 0;
  // Takes away what a cut connection has left, if no timer is armed.
  virtual Status clean(std::stop_token stop) = 0;
};

}  // namespace edgetrust::ports
