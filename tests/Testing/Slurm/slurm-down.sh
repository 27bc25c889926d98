#!/usr/bin/env bash
# slurm-down.sh DIR: ends the cluster that slurm-up.sh started there, with its jobs, and removes its users and DIR.
# What has ended already is no error.
set -euo pipefail
# shellcheck source=tests/Testing/Slurm/daemons.sh
. "$(dirname "$0")/daemons.sh"
[ $# -eq 1 ] || { sed -n '2,3p' "$0" >&2; exit 2; }
[ -d "$1" ] || exit 0
open_cluster "$1"
# An up that is still at work ends first.
exec 9>"$DIR/lock"
flock -w 300 9 || die "slurm-up.sh is at work in $DIR"

# The users are this cluster's own: whatever runs as one of them belongs to it.
leftovers() {
    local process
    for process in /proc/[0-9]*; do
        case $(stat -c %U "$process" 2>/dev/null) in "$(user_of a)" | "$(user_of b)") echo "${process#/proc/}" ;; esac
    done
}

# slurmd's steps are root's and outlive it.
steps() {
    local process
    grep -lszxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | while read -r process; do
        process=${process%/environ}
        if [ "$(cat "$process/comm" 2>/dev/null)" = slurmstepd ]; then echo "${process#/proc/}"; fi
    done || true
}

# No new work, then no work, then no servers: slurmctld and MariaDB write their state when they are asked to end.
end TERM sshd
for node in $NODES; do end KILL "slurmd.$node"; done
for process in $(steps) $(leftovers); do kill -s KILL "$process" 2>/dev/null || true; done
if grep -qs '^CgroupPlugin=cgroup/v1' "$DIR/etc/cgroup.conf"; then
    for node in $NODES; do find /sys/fs/cgroup/*/"slurm_$node" -depth -type d -exec rmdir {} \; 2>/dev/null || true; done
fi
end TERM slurmctld
end TERM slurmdbd
end TERM mariadbd
end TERM munged
for user in a b; do
    if id "$(user_of $user)" >/dev/null 2>&1; then
        until userdel "$(user_of $user)" 2>/dev/null; do
            for process in $(leftovers); do kill -s KILL "$process" 2>/dev/null || true; done
            sleep 0.05
        done
    fi
done
# Who waits for the owner's end waits no more, unless it is this process.
watch=$(cat "$DIR/run/watch.pid" 2>/dev/null || true)
rm -rf "$DIR"
if [ -n "$watch" ] && [ "$watch" != $$ ]; then kill -- "-$watch" 2>/dev/null || true; fi
