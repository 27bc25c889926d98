#!/usr/bin/env bash
# slurm-daemon.sh DIR start|stop|kill NAME…: one process of a running cluster, by name:
# munged, mariadbd, slurmdbd, slurmctld, slurmd.gpu1 … slurmd.cpu1, sshd, or `connections`, which is
# every open SSH connection (only to be killed; sshd itself goes on).
# `start` waits until it serves, `stop` until it has ended in its own way, `kill` is SIGKILL.
set -euo pipefail
# shellcheck source=tests/Testing/Slurm/daemons.sh
. "$(dirname "$0")/daemons.sh"
[ $# -ge 3 ] || { sed -n '2,5p' "$0" >&2; exit 2; }
open_cluster "$1"
action=$2
shift 2

# sshd's children are privileged and speak for one connection each; what they started is left alone.
kill_connections() {
    local server child
    server=$(pid_of sshd) || die "sshd does not run"
    for child in $(descendants "$server"); do
        if [ "$(cat "/proc/$child/comm" 2>/dev/null)" = sshd ]; then kill -s KILL "$child" 2>/dev/null || true; fi
    done
}

for name in "$@"; do
    case $action:$name in
        kill:connections) kill_connections ;;
        start:*) begin "$name"; await "$name" ;;
        stop:*) daemon "$name"; end TERM "$name" ;;
        kill:*) daemon "$name"; end KILL "$name" ;;
        *) die "can't $action: start, stop or kill" ;;
    esac
done
