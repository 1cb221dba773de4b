# Sourced by setup and tools/build: runs a long command so that whoever waits sees it is alive, and learns why it failed.
say() { printf '%s\n' "$*"; }
die() { printf '\nfailed: %s\n' "$*" >&2; exit 1; }

# step NAME LOG HINT COMMAND…: the command's output goes to LOG; a line every $beat seconds says how long it has run. The shell's own child is ended with the shell.
beat=${EDGETRUST_BEAT_SECONDS:-15}
step_pid=
step() {
  local name=$1 log=$2 hint=$3 start=$SECONDS said=$SECONDS rc=0
  shift 3
  "$@" >"$log" 2>&1 </dev/null &
  step_pid=$!
  while kill -0 "$step_pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - said >= beat)); then said=$SECONDS; say "  $name: $((SECONDS - start)) s so far"; fi
  done
  wait "$step_pid" || rc=$?
  step_pid=
  if ((rc != 0)); then
    { printf '\n%s ended with status %d after %d s. The last lines of its output (all of it: %s):\n' "$name" "$rc" "$((SECONDS - start))" "$log"
      tail -n 20 "$log" | sed 's/^/    /'
      printf 'What to try: %s\n' "$hint"; } >&2
    return "$rc"
  fi
  say "  $name: done in $((SECONDS - start)) s"
}
end_step() { if [ -n "$step_pid" ]; then kill "$step_pid" 2>/dev/null || true; wait "$step_pid" 2>/dev/null || true; fi; }
trap end_step EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
