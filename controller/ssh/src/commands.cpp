#include "commands.hpp"

#include <algorithm>

namespace edgetrust::ssh {
namespace {

// The scripts hold no single quote, for they stand between two.

// Names, and what is in a file: its SHA-256, "absent", or "other" for what is no plain file. A link is never followed.
// Of the scripts that change the file or the service one is at work at a time, with the lock; what they call inherits
// it, but systemd starts nothing with it. Whoever has it and finds no timer armed owns whatever is there of a change.
constexpr std::string_view kPrelude = R"sh(
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 077
folder=/etc/purecloud/edge/conf/security
file=pinning-config.json
new=.pinning-config.json.edgetrust-new
previous=.pinning-config.json.edgetrust-previous
absent=.pinning-config.json.edgetrust-absent
undo=.pinning-config.json.edgetrust-undo
service=purecloud-edge
timer=edgetrust-pin-restore
at_boot=edgetrust-pin-restore-at-boot.service
units=/etc/systemd/system
wants=$units/multi-user.target.wants
lock=/run/edgetrust-pins.lock
digest() {
  if [ -L "$1" ]; then echo other
  elif [ ! -e "$1" ]; then echo absent
  elif [ ! -f "$1" ]; then echo other
  else sha256sum <"$1" | cut -c1-64
  fi
}
invocation() {
  id=$(systemctl show -p InvocationID --value "$service") || return
  if [ -n "$id" ]; then echo "$id"; else echo absent; fi
}
is_active() { systemctl is-active --quiet "$1"; }
is_armed() { is_active "$timer.timer" || is_active "$timer.service"; }
is_busy() { case $(systemctl show -p Job --value "$service") in "" | 0) return 1 ;; esac }
# A service that was started too often in vain is started no more, unless that is forgotten (systemd.unit(5), StartLimitBurst).
start_anew() {
  systemctl reset-failed "$service" 2>/dev/null || :
  systemctl --no-block restart "$service"
}
alone() { exec 9>>"$lock" && flock -w 5 9 || exit 75; }
disarm() { systemctl stop "$timer.timer" 2>/dev/null || :; }
# What the file was before the change under way; empty without one.
before() {
  if [ -f "$previous" ]; then digest "$previous"
  elif [ -f "$absent" ]; then echo absent
  fi
}
# What a change has left, and more files. A unit without a script to run does nothing.
forget() { rm -f "$wants/$at_boot" "$units/$at_boot" "$undo" "$previous" "$absent" "$@" && sync .; }
)sh";

// Where a CA certificate goes, what reads it, and what comes of it: Red Hat's way (update-ca-trust(8)) or Debian's
// (update-ca-certificates(8)). And whether chrony reads the folder of our sources (chrony.conf(5)).
constexpr std::string_view kPlaces = R"sh(
if [ -d /etc/pki/ca-trust/source/anchors ]; then
  anchors=/etc/pki/ca-trust/source/anchors update=update-ca-trust bundle=/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
elif [ -d /usr/local/share/ca-certificates ]; then
  anchors=/usr/local/share/ca-certificates update=update-ca-certificates bundle=/etc/ssl/certs/ca-certificates.crt
else
  anchors=
fi
is_in_force() {
  case $(cat "$bundle" 2>/dev/null) in *"$(cat "$1")"*) [ "edgetrust-$(sed /^-/d "$1" | base64 -d | sha256sum | cut -c1-64).crt" = "$(basename "$1")" ] ;; *) false ;; esac
}
sources=/etc/chrony/sources.d/edgetrust.sources
reads_sources() { grep -Eqs "^[[:space:]]*sourcedir[[:space:]].*/etc/chrony/sources\.d" /etc/chrony/chrony.conf /etc/chrony.conf; }
# What comes in, of which $1 is the hash, becomes the file $2, which everybody may read.
receive() {
  mine=$2.edgetrust-new
  trap "rm -f \"$mine\"" EXIT
  rm -f "$mine"
  (set -C && timeout 60 cat >"$mine")
  [ "$(digest "$mine")" = "$1" ] || exit 71
  chmod 644 "$mine"
  sync "$mine"
  mv -T "$mine" "$2"
  trap - EXIT
}
)sh";

constexpr std::string_view kLook = R"sh(
if cd -P "$folder" 2>/dev/null; then
  stat -c "folder=%u %a" .
  kind=$(digest "$file")
  case $kind in
    absent | other) echo "file=$kind" ;;
    *)
      echo "file=$(stat -c "%u %g %a %s" "$file" 2>/dev/null || echo absent)"
      echo "text=$(head -c 65537 "$file" 2>/dev/null | base64 | tr -d "\n")"
      ;;
  esac
  for one in "$new"* "$undo" "$previous" "$absent" "$units/$at_boot" "$wants/$at_boot"; do
    if [ -e "$one" ] || [ -L "$one" ]; then echo leftover=1; fi
  done
else
  case $(stat "$folder" 2>&1) in *": No such file or directory") echo folder=absent ;; *) echo folder=closed ;; esac
fi
if [ -s /etc/machine-id ]; then echo "machine=$( (echo edgetrust; cat /etc/machine-id) | sha256sum | cut -c1-32)"; fi
if is_armed; then echo restore=armed; fi
echo "service=$(systemctl is-active "$service")"
if is_busy; then echo service-job=1; fi
echo "invocation=$(invocation)"
echo "tracking=$(timeout 4 chronyc -n -c tracking 2>/dev/null)"
echo "ntp=$(timeout 4 ntpq -n -c "rv 0 leap,offset" 2>/dev/null | tr "\n" " ")"
date +time=%s.%N
if reads_sources; then echo sources=read; fi
echo "servers=$(head -c 8192 "$sources" 2>/dev/null | base64 | tr -d "\n")"
if [ -n "$anchors" ]; then
  list=
  for one in "$anchors"/edgetrust-*.crt; do
    if [ -f "$one" ]; then list="$list $(basename "$one" .crt)"; if is_in_force "$one"; then list="$list+"; fi; fi
  done
  echo "anchors=$list"
fi
)sh";

// Reads the new file. $1 its hash, $2 that of the file that it replaces or "absent", $3 seconds, $4 the script that
// undoes it. Whatever goes wrong before the rename leaves nothing of it behind, and touches nothing of another
// change's. What comes in is waited for without the lock: it may never come. Says the service's invocation.
constexpr std::string_view kInstall = R"sh(
set -eu
cd -P "$folder" 2>/dev/null || exit 65
mine=$new.$$
begun=
give_up() {
  if [ -n "$begun" ]; then disarm; forget; fi
  rm -f "$mine"
}
trap give_up EXIT
case $(stat -c "%u %a" .) in
  "0 "*[2367]? | "0 "*[2367]) exit 65 ;;
  "0 "*) ;;
  *) exit 65 ;;
esac
rm -f "$mine"
(set -C && timeout 60 cat >"$mine")
[ "$(digest "$mine")" = "$1" ] || exit 71
chown 0:0 "$mine"
chmod 600 "$mine"
sync "$mine"
alone
if is_armed; then exit 72; fi
[ "$(digest "$file")" = "$2" ] || exit 73
begun=1
forget
if [ "$2" = absent ]; then
  : >"$absent"
else
  cp -p "$file" "$previous"
  [ "$(digest "$previous")" = "$2" ] || exit 73
  sync "$previous"
fi
unread=$(invocation)
printf "sha256=%s unread=%s\n%s\n" "$1" "$unread" "$4" >"$undo"
sync "$undo"
sync .
mkdir -p -m 755 "$wants" || exit 74
cat >"$units/$at_boot" <<END || exit 74
[Unit]
Description=Put back the pin file of $service that nobody has confirmed
Before=$service.service
RequiresMountsFor=$folder

[Service]
Type=oneshot
ExecStart=/bin/sh -c "exec flock $lock /bin/sh $folder/$undo"
END
chmod 644 "$units/$at_boot"
ln -s "../$at_boot" "$wants/$at_boot"
sync "$units/$at_boot" "$wants"
systemd-run --quiet --collect --unit="$timer" --on-active="$3" --timer-property=AccuracySec=1s flock "$lock" /bin/sh "$folder/$undo" || exit 74
[ "$(digest "$file")" = "$2" ] || exit 73
mv -T "$mine" "$file"
trap - EXIT
sync .
invocation
)sh";

// Undoes one change. Runs from a file beside the pin file, of which the first line names the hash of the new file, and
// the invocation of the service that has not read that: at the end of the timer, at a boot, or asked to for that hash,
// with the lock. What says what was there goes last, and after the restart is under way: it can be run again. At a boot
// the service has not been started, and reads the file later.
constexpr std::string_view kUndo = R"sh(
[ "${1-$sha256}" = "$sha256" ] || exit 73
cd -P "$folder" 2>/dev/null || exit 65
before=$(before)
case $(digest "$file") in
  "$sha256")
    case $before in
      "" | other) exit 76 ;;
      absent) rm -f "$file" ;;
      *) ln -f "$previous" "$new.undo" && mv -T "$new.undo" "$file" ;;
    esac || exit
    sync .
    ;;
  "$before") ;;
  *) forget "$new"*; exit ;;
esac
now=$(invocation) || exit
case $now in
  "$unread" | absent) ;;
  *) start_anew || exit ;;
esac
forget "$new"*
)sh";

// $1 the invocation that is to end.
constexpr std::string_view kRestart = R"sh(
alone
if is_busy || [ "$(invocation)" != "$1" ]; then exit 0; fi
start_anew
)sh";

// $1 the hash of the file that is in place. A timer that has run out already waits for the lock.
constexpr std::string_view kConfirm = R"sh(
cd -P "$folder" 2>/dev/null || exit 65
alone
[ "$(digest "$file")" = "$1" ] || exit 73
if is_active "$timer.service"; then exit 73; fi
disarm
if is_active "$timer.service" || [ "$(digest "$file")" != "$1" ]; then exit 73; fi
forget "$new"*
)sh";

// $1 the hash of the file that goes.
constexpr std::string_view kRestore = R"sh(
cd -P "$folder" 2>/dev/null || exit 65
alone
if [ -f "$undo" ]; then /bin/sh "./$undo" "$1" || exit
elif [ "$(digest "$file")" = "$1" ]; then exit 76
fi
disarm
)sh";

// What nobody has confirmed is undone, be it that its timer could not: who confirms takes the unit for a boot away
// first. Of a change that was undone it is seen to that the service learns of it.
constexpr std::string_view kClean = R"sh(
cd -P "$folder" 2>/dev/null || exit 0
alone
if is_armed; then exit 0; fi
if [ -f "$undo" ] && { [ -L "$wants/$at_boot" ] || [ "$(digest "$file")" = "$(before)" ]; }; then exec /bin/sh "./$undo"; fi
forget "$new"*
)sh";

// Reads the file, unless $1 is "absent". What is in sync within some seconds need not be waited for in another session.
constexpr std::string_view kTimeServers = R"sh(
set -eu
if [ "$1" = absent ]; then
  rm -f "$sources"
  chronyc reload sources >/dev/null || :
  exit 0
fi
reads_sources || exit 78
mkdir -p -m 755 /etc/chrony/sources.d
receive "$1" "$sources"
sync /etc/chrony/sources.d
chronyc reload sources >/dev/null
chronyc waitsync 3 0 0 2 >/dev/null || :
)sh";

// $1 the hash of what comes in, $2 that of the certificate.
constexpr std::string_view kTrust = R"sh(
set -eu
[ -n "$anchors" ] || exit 78
receive "$1" "$anchors/edgetrust-$2.crt"
sync "$anchors"
"$update" >/dev/null
is_in_force "$anchors/edgetrust-$2.crt" || exit 77
)sh";
// $1 the certificate's hash. Its file is emptied first and goes last: as long as the bundle may have the certificate, a
// look finds a file that says so. The bundle is made anew once more, for what leads to that file.
constexpr std::string_view kDistrust = R"sh(
set -eu
[ -n "$anchors" ] || exit 0
one=$anchors/edgetrust-$1.crt
: >"$one"
sync "$one"
"$update" >/dev/null
rm -f "$one"
sync "$anchors"
"$update" >/dev/null
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

std::string look() { return shell(kPlaces, kLook); }

std::string install(const Word& sha256, const Word& replaces, const Word& restore_after_seconds) {
  std::string line = shell(kInstall);
  for (const Word* word : {&sha256, &replaces, &restore_after_seconds}) add(line, *word);
  return line + " " + quoted(std::string(kPrelude) + std::string(kUndo));
}

std::string restart(const Word& invocation) {
  std::string line = shell(kRestart);
  add(line, invocation);
  return line;
}

std::string confirm(const Word& sha256) {
  std::string line = shell(kConfirm);
  add(line, sha256);
  return line;
}

std::string restore(const Word& sha256) {
  std::string line = shell(kRestore);
  add(line, sha256);
  return line;
}

std::string clean() { return shell(kClean); }

std::string time_servers(const Word& sha256) {
  std::string line = shell(kPlaces, kTimeServers);
  add(line, sha256);
  return line;
}

std::string trust(const Word& of_text, const Word& sha256) {
  std::string line = shell(kPlaces, kTrust);
  add(line, of_text);
  add(line, sha256);
  return line;
}

std::string distrust(const Word& sha256) {
  std::string line = shell(kPlaces, kDistrust);
  add(line, sha256);
  return line;
}

}  // namespace command
}  // namespace edgetrust::ssh
