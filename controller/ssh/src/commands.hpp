#pragma once
// All that is ever run on an Edge: a table of fixed scripts for /bin/sh, each with its arguments. Private to the room.
#include "edgetrust/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::ssh {

// One word of a command line. It is made of hexadecimal digits or of a number, so that it needs no quotes and can be
// nothing else.
class Word {
 public:
  // Lower-case hexadecimal digits, 1 to 64. Empty: the word "absent". Errors: kInvalid.
  static Result<Word> hex(std::string_view digits);
  static Word number(std::uint64_t value) { return Word(std::to_string(value)); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  explicit Word(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Whole command lines, ready to be run.
namespace command {
std::string look();
// Reads the new file, and says the service's invocation.
std::string install(const Word& sha256, const Word& replaces, const Word& restore_after_seconds);
std::string restart(const Word& invocation);
std::string confirm(const Word& sha256);
std::string restore(const Word& sha256);
std::string clean();
// Reads a sources file of chrony's with that hash; "absent": there shall be none.
std::string time_servers(const Word& sha256);
// Reads a CA certificate, of which the first is the hash of its text.
std::string trust(const Word& of_text, const Word& sha256);
std::string distrust(const Word& sha256);
}  // namespace command

// How a script ends when it does not succeed. Other statuses are those of the tools that it calls.
enum class Exit : int {
  kFolder = 65,
  kUploadDiffers = 71,
  kArmed = 72,
  kFileChanged = 73,
  kNoTimer = 74,
  kAtWork = 75,
  kNoPrevious = 76,
  kNotTrusted = 77,
  kNoSuchPlace = 78
};

}  // namespace edgetrust::ssh
