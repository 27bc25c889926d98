#!/bin/sh
# shellcheck disable=SC2317 # env.sh calls the functions
# One rank on its node: writes the environment of the launch contract, reads the secrets from stdin, runs launch.sh on the host
# or in its image, and records how it ended. Runs under srun, one a node.
trestle_dir=$TRESTLE_ATTEMPT_DIR
trestle_rank=$SLURM_NODEID
trestle_tab=$(printf '\t')
# A node that lost contact may still run an attempt that moved on.
if [ -f "$trestle_dir/owner" ]; then
  read -r trestle_owner <"$trestle_dir/owner"
  [ "$trestle_owner" = "$SLURM_JOB_ID" ] || exit 75
fi

: >"$trestle_dir/began"
trestle_base=${SLURM_TMPDIR:-${TMPDIR:-/tmp}}
[ "$TRESTLE_CONTAINER" != pyxis ] || trestle_base=/tmp
# A name that nobody else could have taken before: on a node that is shared, /tmp is everybody's.
TRESTLE_ROOT=$(umask 077; mktemp -d "$trestle_base/trestle-${trestle_dir##*/}-$trestle_rank.XXXXXX" 2>/dev/null)
TRESTLE_TERMINATION_LOG=$TRESTLE_ROOT/run/last-words
# Slurm signals every process, so that the launcher has nobody to forward to.
TRESTLE_SIGNALED=all
export TRESTLE_ROOT TRESTLE_TERMINATION_LOG TRESTLE_SIGNALED
umask 077

# Slurm says of the step that it was out of memory, and of the job only that it failed. The kernel counts in the rank's own control group.
ran_out_of_memory() {
  sed -n 's/^[0-9]*:\(memory\)\{0,1\}://p' /proc/self/cgroup | while IFS= read -r trestle_control; do
    cat "/sys/fs/cgroup/memory$trestle_control/memory.oom_control" "/sys/fs/cgroup$trestle_control/memory.events" 2>/dev/null
  done | grep -q '^oom_kill [1-9]'
}

# record CODE STAGE: the first rank that failed wins; the others only follow it.
record() {
  mkdir "$trestle_dir/failed" 2>/dev/null || return 0
  trestle_why=
  ! ran_out_of_memory || trestle_why=' OutOfMemory'
  if [ -s "$TRESTLE_TERMINATION_LOG" ]; then cat "$TRESTLE_TERMINATION_LOG"; else tail -n 30 "$trestle_dir/rank-$trestle_rank.log" | tail -c 3500; fi >"$trestle_dir/last-words" 2>/dev/null
  echo "$trestle_rank $1 $2$trestle_why" >"$trestle_dir/exit.new" && mv -f "$trestle_dir/exit.new" "$trestle_dir/exit"
}

# The job can't start as it is.
refuse() {
  echo "trestle: $1" | tee "$TRESTLE_TERMINATION_LOG" >&2
  record 78 Start
  exit 78
}

# The node is at fault: no record, and the code that says so.
give_up() {
  echo "trestle: $1" >&2
  exit 75
}

if [ -z "$TRESTLE_ROOT" ] || ! mkdir "$TRESTLE_ROOT/run"; then
  give_up "no directory can be made in $trestle_base; is the node's disk full?"
fi
# Mounts of buckets; buckets.sh has these when there are some.
end_buckets() { :; }
stop_buckets() { :; }
# Caches in memory are elsewhere, with a link here.
clean() {
  stop_buckets
  for trestle_memory in "$TRESTLE_ROOT"/memory-*; do
    [ ! -L "$trestle_memory" ] || rm -rf "$(readlink "$trestle_memory")"
  done
  rm -rf "$TRESTLE_ROOT"
}
trap clean EXIT
ln -s "$trestle_dir/scripts" "$TRESTLE_ROOT/scripts"
if [ -d "$trestle_dir/workdir" ]; then
  cp -R "$trestle_dir/workdir" "$TRESTLE_ROOT/workdir" || give_up "the working directory can't be copied to $TRESTLE_ROOT"
fi
if [ -d "$trestle_dir/repository" ]; then
  cp -R "$trestle_dir/repository" "$TRESTLE_ROOT/repository" || give_up "the repository can't be copied to $TRESTLE_ROOT"
  ln -s "repository/$(sed -n 3p "$trestle_dir/scripts/code")" "$TRESTLE_ROOT/workdir"
fi

quote() { printf "'"; printf %s "$1" | sed "s/'/'\\\\''/g"; printf "'"; }

# Lines of SECRET/KEY BASE64, by which env.sh names what it needs.
trestle_secrets=$(cat)
secret() {
  trestle_value=$(printf '%s\n' "$trestle_secrets" | sed -n "s#^$2 ##p" | head -n 1 | base64 -d; echo .)
  trestle_value=${trestle_value%.}
  if [ -z "$trestle_value" ] && ! printf '%s\n' "$trestle_secrets" | grep -q "^$2 "; then
    [ "$3" = optional ] || refuse "secret $2 is not there; create it, or make the variable optional"
    return 0
  fi
  printf 'export %s=' "$1"
  quote "$trestle_value"
  echo
}
secrets_of() {
  printf '%s\n' "$trestle_secrets" | sed -n "s#^$2/\([A-Za-z_][A-Za-z0-9_]*\) .*#\1#p" | while IFS= read -r trestle_key; do secret "$1$trestle_key" "$2/$trestle_key"; done
}

# shellcheck disable=SC2034 # for env.sh
trestle_head=$(head -n 1 "$trestle_dir/addresses")
# shellcheck disable=SC2034
trestle_ip=$(sed -n "$((trestle_rank + 1))p" "$trestle_dir/addresses")
{
  # shellcheck source=/dev/null
  . "$trestle_dir/scripts/env.sh"
} >"$TRESTLE_ROOT/run/env" || give_up "the environment can't be written to $TRESTLE_ROOT"
cp "$trestle_dir/scripts/mounts" "$TRESTLE_ROOT/mounts" || give_up "the list of mounts can't be written to $TRESTLE_ROOT"
if [ -f "$trestle_dir/scripts/buckets.sh" ]; then
  # shellcheck source=/dev/null
  . "$trestle_dir/scripts/buckets.sh"
  # shellcheck source=/dev/null
  . "$trestle_dir/scripts/serve.sh"
fi
trestle_secrets=

# Frameworks misread what Slurm says of this one step.
for trestle_name in $(env | sed -n 's/^\(SLURM_STEP[A-Z_]*\|SLURM_LOCALID\|SLURM_NTASKS\|SLURM_NPROCS\|SLURM_TASKS_PER_NODE\|SLURM_SRUN_[A-Z_]*\|SLURM_LAUNCH_[A-Z_]*\|SLURM_GTIDS\|SLURM_TASK_PID\|SLURM_UMASK\|SLURM_CPU_BIND[A-Z_]*\|PMI_[A-Z_]*\|PMIX_[A-Z_]*\)=.*/\1/p'); do
  unset "$trestle_name"
done

# Mounts, as what runs the image wants them. On the host they take a mount namespace of our own.
apptainer() {
  trestle_binds=$trestle_dir,$TRESTLE_ROOT
  while IFS=$trestle_tab read -r trestle_source trestle_path trestle_mode; do
    mkdir -p "$trestle_source"
    trestle_binds=$trestle_binds,$trestle_source:$trestle_path:$trestle_mode
  done <"$TRESTLE_ROOT/mounts"
  [ -z "$TRESTLE_HOSTS" ] || trestle_binds=$trestle_binds,$TRESTLE_HOSTS:/etc/hosts:ro
  exec apptainer exec --nv --bind "$trestle_binds" "docker://$TRESTLE_IMAGE" /bin/sh "$trestle_dir/scripts/launch.sh"
}

host() {
  [ -s "$TRESTLE_ROOT/mounts" ] || [ -n "$TRESTLE_HOSTS" ] || exec /bin/sh "$trestle_dir/scripts/launch.sh"
  set -- --tmpfs / --proc /proc --dev-bind /dev /dev
  for trestle_top in /*; do
    case $trestle_top in
      /proc | /dev) ;;
      *) if [ -L "$trestle_top" ]; then set -- "$@" --symlink "$(readlink "$trestle_top")" "$trestle_top"; else set -- "$@" --bind "$trestle_top" "$trestle_top"; fi ;;
    esac
  done
  while IFS=$trestle_tab read -r trestle_source trestle_path trestle_mode; do
    mkdir -p "$trestle_source"
    if [ "$trestle_mode" = ro ]; then set -- "$@" --ro-bind "$trestle_source" "$trestle_path"; else set -- "$@" --bind "$trestle_source" "$trestle_path"; fi
  done <"$TRESTLE_ROOT/mounts"
  [ -z "$TRESTLE_HOSTS" ] || set -- "$@" --ro-bind "$TRESTLE_HOSTS" /etc/hosts
  # Slurm signals bwrap too, and with bwrap everything in it would be killed at once.
  trap '' TERM
  exec bwrap "$@" env --default-signal=TERM /bin/sh "$trestle_dir/scripts/launch.sh"
}

if [ "$TRESTLE_CONTAINER" = none ] && [ -s "$TRESTLE_ROOT/mounts" ] && ! command -v bwrap >/dev/null 2>&1; then
  refuse "mounts on a Slurm node need an image with pyxis or apptainer, or bubblewrap (bwrap) on the node"
fi
if [ "$TRESTLE_CONTAINER" = none ] && [ -n "$TRESTLE_HOSTS" ] && ! command -v bwrap >/dev/null 2>&1; then
  echo "trestle: the host names of the group are in $TRESTLE_HOSTS and not in /etc/hosts: that takes an image with pyxis or apptainer, or bubblewrap (bwrap) on the node" >&2
  TRESTLE_HOSTS=
fi
# Tells batch.sh, by a file, how long this rank has shown no sign of life. Times are since a change was seen here: what files say
# of their own times is only compared.
signs() {
  trestle_count=0 trestle_output='' trestle_beat='' trestle_touched=''
  read -r trestle_up _ </proc/uptime
  trestle_alive=${trestle_up%%.*}
  while :; do
    read -r trestle_up _ </proc/uptime
    trestle_now=${trestle_up%%.*}
    trestle_seen=$(stat -c '%n %s %y' "$TRESTLE_ROOT/run/output" "$TRESTLE_ROOT/run/setup.log" 2>/dev/null)
    [ "$trestle_seen" = "$trestle_output" ] || trestle_alive=$trestle_now
    trestle_output=$trestle_seen
    trestle_seen=$(stat -c '%s %y' "$TRESTLE_ROOT/run/heartbeat" 2>/dev/null)
    if [ -n "$trestle_seen" ] && [ "$trestle_seen" != "$trestle_beat" ]; then trestle_alive=$trestle_now trestle_touched=$trestle_now; fi
    trestle_beat=$trestle_seen
    trestle_count=$((trestle_count + 1))
    if [ -n "$trestle_touched" ]; then trestle_since=$((trestle_now - trestle_touched)); else trestle_since=-; fi
    echo "$trestle_count $((trestle_now - trestle_alive)) $trestle_since" >"$trestle_dir/signs-$trestle_rank.new" && mv -f "$trestle_dir/signs-$trestle_rank.new" "$trestle_dir/signs-$trestle_rank"
    sleep "$trestle_pause"
  done
}

trestle_signs=
if [ "${TRESTLE_HANG:-0}" -gt 0 ]; then
  trestle_pause=$((TRESTLE_HANG / 4))
  [ "$trestle_pause" -le 10 ] || trestle_pause=10
  [ "$trestle_pause" -ge 1 ] || trestle_pause=1
  # Slurm's TERM is for the user's processes; a rank that saves goes on living.
  (trap '' TERM; signs) </dev/null >/dev/null 2>&1 &
  trestle_signs=$!
fi
# What the user's code writes is open to others as it is in a container on Kubernetes.
umask 022
trestle_stopping=
trap 'trestle_stopping=1' TERM
case $TRESTLE_CONTAINER in
  apptainer) apptainer </dev/null & ;;
  pyxis) /bin/sh "$trestle_dir/scripts/launch.sh" </dev/null & ;;
  *) host </dev/null & ;;
esac
trestle_child=$!
wait "$trestle_child"
trestle_code=$?
while [ "$trestle_code" -gt 128 ] && kill -0 "$trestle_child" 2>/dev/null; do
  wait "$trestle_child"
  trestle_code=$?
done
if [ -n "$trestle_signs" ]; then
  kill -s KILL "$trestle_signs" 2>/dev/null
  wait "$trestle_signs" 2>/dev/null
  echo end >"$trestle_dir/signs-$trestle_rank.new" && mv -f "$trestle_dir/signs-$trestle_rank.new" "$trestle_dir/signs-$trestle_rank"
fi
if [ "$trestle_code" -ne 0 ]; then
  if [ -s "$TRESTLE_TERMINATION_LOG" ] && [ "$trestle_code" -ne 74 ]; then record "$trestle_code" Setup; else record "$trestle_code" Run; fi
fi
end_buckets
# A rank that was told to end must not end the others: srun would send them TERM again while they save. Its code is in the record.
[ -z "$trestle_stopping" ] || exit 0
exit "$trestle_code"
