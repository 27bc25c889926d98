#!/bin/sh
# Starts the ranks of an attempt on the nodes that Slurm gave it. Runs once, on the first of them. What comes before has
# written scripts/ and set trestle_nodes, trestle_container, trestle_image, trestle_needs (secrets, or nothing), trestle_hang
# (seconds without a sign of life that are too long; 0 for never), trestle_grace (seconds from TERM to the end), trestle_node_program
# (what serves mounts of buckets), and of a task of a group trestle_group (its uid), trestle_group_name and trestle_task.
# Exits as the first rank that failed did.
# shellcheck disable=SC2154 # set by what comes before
: "$trestle_nodes" "$trestle_container" "$trestle_image" "$trestle_needs" "$trestle_hang" "$trestle_grace" "$trestle_node_program" "$trestle_group" "$trestle_group_name" "$trestle_task"
trestle_dir=$TRESTLE_ATTEMPT_DIR

trestle_tab=$(printf '\t')

say() { echo "trestle: $*" >&2; }

# An address that other nodes reach: what Slurm itself uses, else what the name resolves to. A loopback address only when
# there is no other, as on one machine that plays several nodes.
address() {
  trestle_found=$(scontrol show node "$1" -o 2>/dev/null | sed -n 's/.* NodeAddr=\([^ ]*\).*/\1/p')
  trestle_loopback=
  for trestle_name in "$trestle_found" "$1"; do
    case $trestle_name in
      '') continue ;;
      *[!0-9.]*) trestle_ip=$(getent ahosts "$trestle_name" 2>/dev/null | awk '$2 == "STREAM" && $1 !~ /^fe80/ { print $1; exit }') ;;
      *) trestle_ip=$trestle_name ;;
    esac
    case $trestle_ip in
      '') ;;
      127.* | ::1) trestle_loopback=${trestle_loopback:-$trestle_ip} ;;
      *) echo "$trestle_ip"; return ;;
    esac
  done
  echo "$trestle_loopback"
}

# How user code is run: on the host, or in the image by what the cluster has.
container() {
  [ -n "$trestle_image" ] || { echo none; return; }
  case $trestle_container in
    Pyxis | Apptainer | None) echo "$trestle_container" | tr '[:upper:]' '[:lower:]'; return ;;
  esac
  if srun --help 2>/dev/null | grep -q -- --container-image; then echo pyxis
  elif command -v apptainer >/dev/null 2>&1; then echo apptainer
  else
    say "neither pyxis nor apptainer is here: the job runs on the host, not in image $trestle_image"
    echo none
  fi
}

# TERM came to this script alone. Slurm signals every process of the step.
# shellcheck disable=SC2317 # a trap
forward() {
  scancel --signal=TERM "$SLURM_JOB_ID.0" 2>/dev/null
}

# The names TASK-RANK.GROUP of this task, for the tasks of its group that run here as well.
announce() {
  mkdir -p "$trestle_groups" || return
  trestle_each=0
  while read -r trestle_ip; do
    echo "$trestle_ip $trestle_task-$trestle_each.$trestle_group_name"
    trestle_each=$((trestle_each + 1))
  done <"$trestle_dir/addresses" >"$trestle_groups/.$trestle_task.new"
  mv -f "$trestle_groups/.$trestle_task.new" "$trestle_groups/$trestle_task"
}

# Writes the names of all tasks that run into $trestle_dir/hosts. The file stays the same one: it is mounted.
name_hosts() {
  cat /etc/hosts "$trestle_groups"/* >"$trestle_dir/hosts.next" 2>/dev/null
  cmp -s "$trestle_dir/hosts.next" "$trestle_dir/hosts" || cat "$trestle_dir/hosts.next" >"$trestle_dir/hosts"
}

# Seconds of a clock that never jumps.
up() {
  read -r trestle_up _ </proc/uptime
  echo "${trestle_up%%.*}"
}

# heard RANK: reads its file of signs (rank.sh writes: a count, seconds of silence, seconds without a touch or -; or: end) into
# trestle_silent and trestle_untouched. Fails when nothing new came for too long: who is not heard of may be well.
heard() {
  read -r trestle_count trestle_silent trestle_untouched 2>/dev/null <"$trestle_dir/signs-$1" || return 1
  eval "trestle_last=\${trestle_count_$1:-}"
  if [ "$trestle_count" != "$trestle_last" ]; then
    eval "trestle_count_$1=\$trestle_count trestle_at_$1=\$trestle_now"
  fi
  eval "trestle_age=\$((trestle_now - trestle_at_$1))"
  # The end of a rank is its last sign of life.
  if [ "$trestle_count" = end ]; then trestle_silent=$trestle_age trestle_untouched=-; return 0; fi
  case $trestle_silent$trestle_untouched in '' | *[!0-9-]*) return 1 ;; esac
  [ "$trestle_age" -lt "$trestle_hang" ]
}

# One look at all ranks. Succeeds, with trestle_rank and trestle_why set, when the attempt hangs: a rank has stopped touching its
# heartbeat file, or all of them are silent.
hangs() {
  trestle_now=$(up)
  trestle_rank=0 trestle_live='' trestle_running='' trestle_most=-1 trestle_least='' trestle_stopped=''
  trestle_each=0
  while [ "$trestle_each" -lt "$trestle_nodes" ]; do
    if heard "$trestle_each"; then
      [ "$trestle_count" = end ] || trestle_running=1
      if [ "$trestle_untouched" != - ] && [ "$trestle_untouched" -ge "$trestle_hang" ]; then
        if [ -z "$trestle_stopped" ] || [ "$trestle_untouched" -gt "$trestle_stopped" ]; then trestle_stopped=$trestle_untouched trestle_rank=$trestle_each; fi
      fi
      [ "$trestle_silent" -ge "$trestle_hang" ] || trestle_live=1
      if [ "$trestle_count" != end ] && [ "$trestle_silent" -gt "$trestle_most" ]; then
        trestle_most=$trestle_silent
        [ -n "$trestle_stopped" ] || trestle_rank=$trestle_each
      fi
      if [ -z "$trestle_least" ] || [ "$trestle_silent" -lt "$trestle_least" ]; then trestle_least=$trestle_silent; fi
    else
      trestle_live=1
      [ -e "$trestle_dir/signs-$trestle_each" ] || trestle_all=
    fi
    trestle_each=$((trestle_each + 1))
  done
  [ -n "$trestle_all" ] || { trestle_all=$trestle_now; return 1; }
  [ $((trestle_now - trestle_all)) -ge "$trestle_hang" ] && [ -n "$trestle_running" ] || return 1
  if [ -n "$trestle_stopped" ]; then
    trestle_why="rank $trestle_rank has not touched its heartbeat file for $trestle_stopped s"
  elif [ -z "$trestle_live" ]; then
    trestle_why="no rank has shown a sign of life for $trestle_least s; rank $trestle_rank has been quiet the longest"
  else
    return 1
  fi
}

# Ends an attempt that hangs, in the way of an attempt that fails. Ranks may save in the time they have.
watch() {
  trestle_pause=$((trestle_hang / 4))
  [ "$trestle_pause" -le 10 ] || trestle_pause=10
  [ "$trestle_pause" -ge 1 ] || trestle_pause=1
  trestle_all=
  until hangs; do sleep "$trestle_pause"; done
  mkdir "$trestle_dir/failed" 2>/dev/null || return
  say "$trestle_why; the attempt ends"
  echo "$trestle_why" >"$trestle_dir/last-words"
  echo "$trestle_rank 124 Run Hung" >"$trestle_dir/exit.new" && mv -f "$trestle_dir/exit.new" "$trestle_dir/exit"
  forward
  sleep "$trestle_grace"
  scancel "$SLURM_JOB_ID.0" 2>/dev/null
}

rm -rf "$trestle_dir"/signs-* "$trestle_dir"/durable-* "$trestle_dir/began" "$trestle_dir/addresses.new" "$trestle_dir/exit" "$trestle_dir/failed"
for trestle_host in $(scontrol show hostnames "$SLURM_JOB_NODELIST"); do
  trestle_ip=$(address "$trestle_host")
  if [ -z "$trestle_ip" ]; then
    say "node $trestle_host has no address: neither NodeAddr nor its name resolves"
    exit 75
  fi
  echo "$trestle_ip" >>"$trestle_dir/addresses.new"
done
mv -f "$trestle_dir/addresses.new" "$trestle_dir/addresses" || exit 1

TRESTLE_HOSTS=
trestle_namer=
if [ -n "$trestle_group" ]; then
  trestle_groups=${trestle_dir%/*}/groups/$trestle_group
  announce
  name_hosts
  TRESTLE_HOSTS=$trestle_dir/hosts
  (trap - TERM; while sleep 2; do name_hosts; done) </dev/null >/dev/null 2>&1 &
  trestle_namer=$!
fi
export TRESTLE_HOSTS

if [ -f "$trestle_dir/scripts/fetch.sh" ]; then
  /bin/sh "$trestle_dir/scripts/fetch.sh" </dev/null &
  wait $!
  trestle_code=$?
  [ "$trestle_code" -eq 0 ] || exit "$trestle_code"
fi

# Ranks get the secrets on their stdin; the file is gone before any of them runs.
exec 3</dev/null
if [ -f "$trestle_dir/secrets" ]; then
  exec 3<"$trestle_dir/secrets"
  rm -f "$trestle_dir/secrets"
elif [ -n "$trestle_needs" ]; then
  say "the secrets were handed out to an earlier run of this attempt"
  exit 75
fi

TRESTLE_CONTAINER=$(container)
TRESTLE_IMAGE=$trestle_image
TRESTLE_HANG=$trestle_hang
TRESTLE_GRACE=$trestle_grace
TRESTLE_NODE_PROGRAM=$trestle_node_program
export TRESTLE_CONTAINER TRESTLE_IMAGE TRESTLE_HANG TRESTLE_GRACE TRESTLE_NODE_PROGRAM
set -- --nodes="$trestle_nodes" --ntasks="$trestle_nodes" --ntasks-per-node=1 --kill-on-bad-exit=1 --output="$trestle_dir/rank-%t.log" --open-mode=append --input=all
# What --export=NONE of the submission left behind would keep the steps from their PATH.
unset SLURM_EXPORT_ENV SBATCH_EXPORT
if [ "$TRESTLE_CONTAINER" = pyxis ]; then
  trestle_binds=$trestle_dir:$trestle_dir
  while IFS=$trestle_tab read -r trestle_source trestle_path trestle_mode; do
    mkdir -p "$trestle_source"
    trestle_binds=$trestle_binds,$trestle_source:$trestle_path
    [ "$trestle_mode" != ro ] || trestle_binds=$trestle_binds:ro
  done <"$trestle_dir/scripts/mounts"
  [ -z "$TRESTLE_HOSTS" ] || trestle_binds=$trestle_binds,$TRESTLE_HOSTS:/etc/hosts:ro
  set -- "$@" --container-image="$trestle_image" --container-mounts="$trestle_binds" --no-container-mount-home
fi
trap forward TERM
srun "$@" /bin/sh "$trestle_dir/scripts/rank.sh" <&3 &
trestle_step=$!
exec 3<&-
trestle_watcher=
if [ "$trestle_hang" -gt 0 ]; then
  (trap - TERM; watch) &
  trestle_watcher=$!
fi
wait "$trestle_step"
trestle_code=$?
# A trap interrupts the wait.
while [ "$trestle_code" -gt 128 ] && kill -0 "$trestle_step" 2>/dev/null; do
  wait "$trestle_step"
  trestle_code=$?
done
[ -z "$trestle_watcher" ] || kill "$trestle_watcher" 2>/dev/null
if [ -n "$trestle_namer" ]; then
  kill "$trestle_namer" 2>/dev/null
  rm -f "$trestle_groups/$trestle_task"
  rmdir "$trestle_groups" 2>/dev/null
fi
# No rank ran: its own code says nothing of the user's. With pyxis it may be the image.
if [ "$trestle_code" -ne 0 ] && [ ! -e "$trestle_dir/began" ] && [ "$TRESTLE_CONTAINER" != pyxis ]; then
  say "srun could not start any rank; it ended with $trestle_code"
  trestle_code=75
fi
# srun's own code is that of whichever rank it heard of last; the first that failed has left its record.
if [ -s "$trestle_dir/exit" ]; then read -r _ trestle_code _ <"$trestle_dir/exit"; fi
exit "$trestle_code"
