#!/bin/sh
# Starts what the user wrote on one rank: environment, working directory, setup, run. POSIX sh; PID 1 of the container.
# TERM goes to the whole process group of the script that runs; KILL is for whoever started us.
# Exits as the script did, 128+n after signal n.

# Every name here begins with trestle_: a variable of the user's keeps its value.
trestle_root=${TRESTLE_ROOT:-/trestle}
trestle_termination_log=${TRESTLE_TERMINATION_LOG:-/dev/termination-log}

trestle_child=      # leader of the running script's process group
trestle_stopping=   # TERM came
trestle_forwarded=${TRESTLE_SIGNALED:+1}  # and was passed on, or whoever sent it sent it to all processes
trestle_interrupted=

forward() {
  trestle_stopping=1
  trestle_interrupted=1
  if [ -n "$trestle_child" ] && [ -z "$trestle_forwarded" ]; then
    trestle_forwarded=1
    # The group exists from setsid on; until then the process alone does.
    kill -s TERM -- "-$trestle_child" 2>/dev/null || kill -s TERM "$trestle_child" 2>/dev/null
  fi
}

# The interpreter that the script names, else bash, else sh.
interpret() {
  IFS= read -r trestle_first <"$1"
  case $trestle_first in
    '#!'*) set -- "$1" ;;
    *) if command -v bash >/dev/null 2>&1; then set -- bash "$1"; else set -- sh "$1"; fi ;;
  esac
  # A background process of sh ignores INT, and python under it knows no KeyboardInterrupt.
  if env --default-signal=INT,QUIT true 2>/dev/null; then set -- env --default-signal=INT,QUIT "$@"; fi
  if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"; fi
  exec "$@" 3>&- 4>&-
}

# Runs a script to its end and leaves its exit code in $trestle_code.
run_script() {
  trestle_child=
  [ -z "$trestle_stopping" ] || exit 143
  interpret "$1" &
  trestle_child=$!
  [ -z "$trestle_stopping" ] || forward
  trestle_interrupted=
  wait "$trestle_child"
  trestle_code=$?
  while [ -n "$trestle_interrupted" ]; do
    trestle_interrupted=
    wait "$trestle_child"
    trestle_again=$?
    [ "$trestle_again" -eq 127 ] || trestle_code=$trestle_again
  done
}

# Lets what the script said go out before what comes next, unless something of it still runs and holds the pipe.
# Takes the pauses between looks, in seconds.
drain() {
  for trestle_pause in "$@"; do
    kill -0 "$trestle_tee" 2>/dev/null || return 0
    sleep "$trestle_pause" 2>/dev/null || sleep 1
  done
}

# The log of setup is kept for its tail.
run_setup() {
  rm -f "$trestle_root/run/setup.pipe"
  mkfifo "$trestle_root/run/setup.pipe" || exit 1
  tee "$trestle_root/run/setup.log" <"$trestle_root/run/setup.pipe" &
  trestle_tee=$!
  exec 3>&1 4>&2 >"$trestle_root/run/setup.pipe" 2>&1
  run_script "$trestle_root/scripts/setup.sh"
  exec >&3 2>&4 3>&- 4>&-
  if [ "$trestle_code" -eq 0 ]; then
    drain 0.01 0.03 0.1 0.3 0.6 1
    return 0
  fi
  kill -s KILL -- "-$trestle_child" 2>/dev/null
  drain 0.01 0.03 0.1 0.3 1 1 1
  if [ -z "$trestle_stopping" ]; then
    echo "trestle: setup failed with exit code $trestle_code" >&2
    { echo "trestle: setup failed with exit code $trestle_code"; tail -n 30 "$trestle_root/run/setup.log" | tail -c 3500; } >"$trestle_termination_log"
  fi
  exit "$trestle_code"
}

# Somebody watches for signs of life, and output is one: a copy of it goes to a file whose changes are seen from outside.
run_watched() {
  rm -f "$trestle_root/run/output.pipe"
  mkfifo "$trestle_root/run/output.pipe" || exit 1
  : >"$trestle_root/run/output" || exit 1
  tee -a "$trestle_root/run/output" <"$trestle_root/run/output.pipe" &
  trestle_tee=$!
  # The copy is not kept.
  (while sleep 5; do [ ! -s "$trestle_root/run/output" ] || : >"$trestle_root/run/output"; done) </dev/null >/dev/null 2>&1 &
  trestle_keeper=$!
  exec 3>&1 4>&2 >"$trestle_root/run/output.pipe" 2>&1
  run_script "$trestle_root/scripts/run.sh"
  exec >&3 2>&4 3>&- 4>&-
  kill -s KILL "$trestle_keeper" 2>/dev/null
  # What run left behind ends with the container, and must not hold up its end.
  kill -s KILL -- "-$trestle_child" 2>/dev/null
  drain 0.01 0.03 0.1 0.3 1 1 1 1 1
}

# Beside us are those who bring what run wrote to its storage. What has gone well has ended when they have; what has not is told at
# once, and they go on within the grace period.
await_mounts() {
  [ "$trestle_code" -eq 0 ] || return 0
  for trestle_mount in ${TRESTLE_FLUSHED_MOUNTS:-}; do : >"$trestle_root/run/flush-$trestle_mount" || exit 1; done
  for trestle_mount in ${TRESTLE_FLUSHED_MOUNTS:-}; do
    while [ ! -f "$trestle_root/run/flushed-$trestle_mount" ]; do sleep 0.1 2>/dev/null || sleep 1; done
    [ -s "$trestle_root/run/flushed-$trestle_mount" ] || continue
    { printf 'trestle: not all that was written is in its storage: '; cat "$trestle_root/run/flushed-$trestle_mount"; } >"$trestle_termination_log"
    cat "$trestle_termination_log" >&2
    trestle_code=74
  done
}

trap forward TERM

# shellcheck source=/dev/null
. "$trestle_root/run/env" || exit 1

if [ -d "$trestle_root/workdir" ]; then
  if [ -d "$trestle_root/workdir-source" ]; then
    # A mounted ConfigMap is read-only and full of links; the user's copy is neither.
    for trestle_file in "$trestle_root/workdir-source"/* "$trestle_root/workdir-source"/.[!.]*; do
      [ ! -f "$trestle_file" ] || cp "$trestle_file" "$trestle_root/workdir/" || exit 1
    done
  fi
  cd "$trestle_root/workdir" || exit 1
fi

[ ! -f "$trestle_root/scripts/setup.sh" ] || run_setup
if [ -n "${TRESTLE_HEARTBEAT_FILE:-}" ]; then run_watched; else run_script "$trestle_root/scripts/run.sh"; fi
await_mounts
exit "$trestle_code"
