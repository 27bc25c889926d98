# shellcheck shell=bash
# Sourced by the scripts beside it: which processes a cluster in $DIR has, and how one is started and stopped.
# A process is known by "PID STARTTIME" in run/NAME.pid: the start time tells it from a stranger that got its number.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# open_cluster DIR: sets DIR, PORT, NODES and what follows from them.
open_cluster() {
    DIR=$(cd "$1" && pwd -P) || die "there is no directory $1"
    [ -s "$DIR/settings" ] || die "$DIR holds no cluster"
    # shellcheck source=/dev/null
    . "$DIR/settings"
    export SLURM_CONF=$DIR/etc/slurm.conf
}

# daemon NAME: sets `as`, `run` and `ready`: its user, its command (in the foreground), and what succeeds once it serves.
daemon() {
    as=slurm run=(env SLURM_CONF="$SLURM_CONF") ready=(true)
    case $1 in
        munged)
            as=munge
            run=(/usr/sbin/munged --foreground --force --socket="$DIR/munge/socket" --key-file="$DIR/munge/key"
                --seed-file="$DIR/munge/seed" --pid-file="$DIR/munge/pid" --log-file="$DIR/munge/log")
            ready=(munge --no-input --socket="$DIR/munge/socket")
            ;;
        mariadbd)
            run=(/usr/sbin/mariadbd --defaults-file="$DIR/etc/my.cnf")
            ready=(test -S "$DIR/mysql/socket")
            ;;
        slurmdbd)
            # Its client library finds MariaDB's socket by this variable only.
            run+=(MYSQL_UNIX_PORT="$DIR/mysql/socket" /usr/sbin/slurmdbd -D)
            ready=(sacctmgr -n show cluster)
            ;;
        slurmctld)
            run+=(/usr/sbin/slurmctld -D -f "$SLURM_CONF")
            ready=(controller_is_up)
            ;;
        slurmd.*)
            as=root
            run+=(/usr/sbin/slurmd -D -f "$SLURM_CONF" -N "${1#slurmd.}")
            ready=(node_is_up "${1#slurmd.}")
            ;;
        sshd)
            as=root
            run=(/usr/sbin/sshd -D -e -f "$DIR/ssh/sshd_config")
            ready=(port_is_open "$PORT")
            ;;
        *) die "there is no process '$1' in a cluster" ;;
    esac
}

controller_is_up() { scontrol ping | grep -q 'is UP'; }
# A node that has spoken to slurmctld has a version; one that does not answer any more has a star or is DOWN.
node_is_up() { sinfo -hN -n "$1" -o '%T' | grep -qE '^(idle|mixed|allocated|completing|planned)$'; }
port_is_open() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

user_of() { echo "slurm$PORT$1"; }

start_time() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

# pid_of NAME: prints it while the process lives.
pid_of() {
    local pid began
    read -r pid began 2>/dev/null <"$DIR/run/$1.pid" || return 1
    [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ] && echo "$pid"
}

# begin NAME: starts it when it does not run, without waiting until it serves.
begin() {
    local as run ready
    daemon "$1"
    pid_of "$1" >/dev/null && return 0
    [ "$as" = root ] || run=(setpriv --reuid="$as" --regid="$as" --clear-groups -- "${run[@]}")
    setsid "${run[@]}" </dev/null >>"$DIR/log/$1.out" 2>&1 9>&- &
    echo "$! $(start_time $!)" >"$DIR/run/$1.pid"
}

# await NAME: until it serves; dies with the end of its log when it ended or takes longer than two minutes.
await() {
    local as run ready limit=$((SECONDS + 120))
    daemon "$1"
    until "${ready[@]}" >/dev/null 2>&1; do
        pid_of "$1" >/dev/null || { tail -n 20 "$DIR/log/$1.out" >&2; die "$1 ended while it started"; }
        [ $SECONDS -lt $limit ] || { tail -n 20 "$DIR/log/$1.out" >&2; die "$1 does not serve after two minutes"; }
        sleep 0.05
    done
}

# end SIGNAL NAME…: and waits; what ignores the signal for 20 seconds is killed.
end() {
    local signal=$1 name pid limit
    shift
    for name in "$@"; do
        if pid=$(pid_of "$name"); then kill -s "$signal" "$pid" 2>/dev/null || true; fi
    done
    for name in "$@"; do
        limit=$((SECONDS + 20))
        while pid=$(pid_of "$name"); do
            [ $SECONDS -lt $limit ] || kill -s KILL "$pid" 2>/dev/null || true
            sleep 0.02
        done
        rm -f "$DIR/run/$name.pid"
    done
}

# descendants PID: the numbers of all processes below it.
descendants() {
    local children child
    children=$(cat "/proc/$1/task/"*/children 2>/dev/null) || true
    for child in $children; do
        echo "$child"
        descendants "$child"
    done
}
