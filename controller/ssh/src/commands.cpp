#include "commands.hpp"

#include <algorithm>

namespace edgetrust::ssh {
namespace {

// The scripts hold no single quote, for they stand between two. The one that is handed to systemd-run also holds none
// of
// "${", "$$" and "%": systemd would replace them (systemd.service(5), Command lines).

// Names, and what is in a file: its SHA-256, "absent", or "other" for what is no plain file. A link is never followed.
constexpr std::string_view kPrelude = R"sh(
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 077
folder=/etc/purecloud/edge/conf/security
file=pinning-config.json
new=.pinning-config.json.edgetrust-new
previous=.pinning-config.json.edgetrust-previous
absent=.pinning-config.json.edgetrust-absent
service=purecloud-edge
timer=edgetrust-pin-restore
digest() {
  if [ -L "$1" ]; then echo other
  elif [ ! -e "$1" ]; then echo absent
  elif [ ! -f "$1" ]; then echo other
  else sha256sum <"$1" | cut -c1-64
  fi
}
invocation() {
  id=$(systemctl show -p InvocationID --value "$service")
  if [ -n "$id" ]; then echo "$id"; else echo absent; fi
}
is_active() { systemctl is-active --quiet "$1"; }
)sh";

constexpr std::string_view kLook = R"sh(
if cd -P "$folder" 2>/dev/null; then
  stat -c "folder=%u %a" .
  kind=$(digest "$file")
  case $kind in
    absent | other) echo "file=$kind" ;;
    *) stat -c "file=%u %g %a %s" "$file"; echo "text=$(head -c 65537 "$file" | base64 | tr -d "\n")" ;;
  esac
  for one in "$new" "$previous" "$absent"; do
    if [ -e "$one" ] || [ -L "$one" ]; then echo leftover=1; fi
  done
else
  echo folder=absent
fi
if is_active "$timer.timer" || is_active "$timer.service"; then echo restore=armed; fi
echo "service=$(systemctl is-active "$service")"
echo "invocation=$(invocation)"
echo "tracking=$(chronyc -n -c tracking 2>/dev/null)"
date +time=%s.%N
)sh";

// $1 the new file's hash, $2 that of the file that it replaces or "absent", $3 the new one's length, $4 the service's
// invocation, $5 seconds, $6 the script of the timer. Whatever goes wrong before the rename leaves nothing behind.
constexpr std::string_view kInstall = R"sh(
set -eu
cd -P "$folder" 2>/dev/null || exit 65
undo() { systemctl stop "$timer.timer" 2>/dev/null || :; rm -f "$new" "$previous" "$absent"; }
trap undo EXIT
case $(stat -c "%u %a" .) in
  "0 "*[2367]? | "0 "*[2367]) exit 65 ;;
  "0 "*) ;;
  *) exit 65 ;;
esac
if [ "$(digest "$new")" != "$1" ] || [ "$(stat -c %s "$new")" != "$3" ]; then exit 71; fi
[ "$(digest "$file")" = "$2" ] || exit 73
chown 0:0 "$new"
chmod 600 "$new"
sync "$new"
systemctl stop "$timer.timer" 2>/dev/null || :
rm -f "$previous" "$absent"
if [ "$2" = absent ]; then
  : >"$absent"
  sync "$absent"
else
  cp -p "$file" "$previous"
  [ "$(digest "$previous")" = "$2" ] || exit 73
  sync "$previous"
fi
sync .
systemd-run --quiet --collect --unit="$timer" --on-active="$5" --timer-property=AccuracySec=1s /bin/sh -c "$6" edgetrust "$1" "$4" || exit 74
[ "$(digest "$file")" = "$2" ] || exit 73
mv -T "$new" "$file"
trap - EXIT
sync .
)sh";

constexpr std::string_view kRestart = R"sh(
systemctl --no-block restart "$service"
)sh";

// $1 the hash of the file that is in place.
constexpr std::string_view kConfirm = R"sh(
cd -P "$folder" 2>/dev/null || exit 65
systemctl stop "$timer.timer" 2>/dev/null || :
if is_active "$timer.service" || [ "$(digest "$file")" != "$1" ]; then exit 73; fi
rm -f "$new" "$previous" "$absent" && sync .
)sh";

constexpr std::string_view kDisarm = R"sh(
systemctl stop "$timer.timer" 2>/dev/null || :
)sh";

// $1 the hash of the file that goes, $2 the invocation of the service that has not read it.
constexpr std::string_view kRestore = R"sh(
cd -P "$folder" 2>/dev/null || exit 65
if [ "$(digest "$file")" = "$1" ]; then
  if [ -f "$previous" ]; then mv -T "$previous" "$file"
  elif [ -f "$absent" ]; then rm -f "$file" "$absent"
  else exit 76
  fi || exit
  sync .
  [ "$(invocation)" = "$2" ] || systemctl restart "$service" || exit
fi
rm -f "$new" "$previous" "$absent"
)sh";

constexpr std::string_view kClean = R"sh(
cd -P "$folder" 2>/dev/null || exit 0
if is_active "$timer.timer" || is_active "$timer.service"; then exit 0; fi
rm -f "$new" "$previous" "$absent"
)sh";

std::string quoted(std::string_view script) { return "'" + std::string(script) + "'"; }

template <class... Scripts>
std::string shell(const Scripts&... scripts) {
  std::string whole(kPrelude);
  (whole.append(scripts), ...);
  return "/bin/sh -c " + quoted(whole) + " edgetrust";
}
void add(std::string& line, const Word& word) { line += " " + word.text(); }

}  // namespace

Result<Word> Word::hex(std::string_view digits) {
  constexpr std::size_t kLongest = 64;
  if (digits.empty()) return Word("absent");
  const bool is_hex =
      std::ranges::all_of(digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!is_hex || digits.size() > kLongest)
    return fail(ErrorKind::kInvalid, "an argument of a command is not lower-case hexadecimal");
  return Word(std::string(digits));
}

namespace command {

std::string look() { return shell(kLook); }

std::string install(const Word& sha256, const Word& replaces, const Word& length, const Word& invocation,
                    const Word& restore_after_seconds) {
  std::string line = shell(kInstall);
  for (const Word* word : {&sha256, &replaces, &length, &invocation, &restore_after_seconds}) add(line, *word);
  return line + " " + quoted(std::string(kPrelude) + std::string(kRestore));
}

std::string restart() { return shell(kRestart); }

std::string confirm(const Word& sha256) {
  std::string line = shell(kConfirm);
  add(line, sha256);
  return line;
}

std::string restore(const Word& sha256, const Word& invocation) {
  std::string line = shell(kDisarm, kRestore);
  add(line, sha256);
  add(line, invocation);
  return line;
}

std::string clean() { return shell(kClean); }

}  // namespace command
}  // namespace edgetrust::ssh
