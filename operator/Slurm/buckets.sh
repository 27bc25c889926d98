# shellcheck shell=sh disable=SC2154 # set by rank.sh
# Mounts of buckets on a Slurm node, read by rank.sh: a cache on the node's disk that trestle-node fills and empties, without root.
# serve.sh calls serve_bucket for each; rank.sh calls end_buckets when the rank has ended, and stop_buckets before it ends itself.
trestle_mounts=

# serve_bucket NUMBER PATH rw|ro SECRET MEDIUM ARGUMENTS…: goes on when what is in the bucket is in the cache. MEDIUM is LocalSSD, Memory, or
# a directory whose caches outlive the attempt.
serve_bucket() {
  trestle_number=$1 trestle_path=$2 trestle_mode=$3 trestle_secret=$4 trestle_medium=$5
  shift 5
  [ "$TRESTLE_CONTAINER" != pyxis ] || refuse "the mount at $trestle_path is of a bucket, which pyxis can't show to a job that has begun; use apptainer or no image"
  command -v "$TRESTLE_NODE_PROGRAM" >/dev/null 2>&1 || refuse "$TRESTLE_NODE_PROGRAM is not on this node; install trestle-node there, or correct spec.nodeProgram of the SlurmCluster"
  case $trestle_medium in
    LocalSSD) trestle_cache=$TRESTLE_ROOT/cache-$trestle_number ;;
    Memory)
      trestle_cache=$(umask 077; mktemp -d "/dev/shm/trestle-${trestle_dir##*/}-$trestle_rank.XXXXXX") || give_up "no directory can be made in /dev/shm"
      ln -s "$trestle_cache" "$TRESTLE_ROOT/memory-$trestle_number" # what is in memory goes with the rank
      ;;
    *) trestle_cache=$trestle_medium/$(id -un)/$trestle_rank-$trestle_number ;;
  esac
  mkdir -p "$trestle_cache/files" || give_up "no cache can be made at $trestle_cache"
  chmod 755 "$trestle_cache/files"
  trestle_access=
  if [ "$trestle_secret" != - ]; then
    trestle_access=$(secret AWS_ACCESS_KEY_ID "$trestle_secret/AWS_ACCESS_KEY_ID" ''; secret AWS_SECRET_ACCESS_KEY "$trestle_secret/AWS_SECRET_ACCESS_KEY" ''; secret AWS_SESSION_TOKEN "$trestle_secret/AWS_SESSION_TOKEN" optional) || exit 78
  fi
  trestle_log=$trestle_dir/rank-$trestle_rank.mount-$trestle_number.log
  # A mount that was killed is served again, and goes on where it was.
  (
    trap '' TERM
    eval "$trestle_access"
    trestle_tries=0
    until "$TRESTLE_NODE_PROGRAM" cachemount serve --cache "$trestle_cache" --front Directory "$@" --socket "$TRESTLE_ROOT/run/mount-$trestle_number" \
      --fetch true --flush-request "$TRESTLE_ROOT/run/flush-$trestle_number" --flush-answer "$TRESTLE_ROOT/run/flushed-$trestle_number" \
      --durable "$trestle_dir/durable-$trestle_rank-$trestle_number" --end-request "$TRESTLE_ROOT/run/end-mounts"; do
      trestle_tries=$((trestle_tries + 1))
      if [ -f "$TRESTLE_ROOT/run/end-mounts" ]; then break; fi
      # One that never served is not going to.
      if [ "$trestle_tries" -ge 5 ] && [ ! -f "$TRESTLE_ROOT/run/served-$trestle_number" ]; then exit 1; fi
      sleep 1
    done
  ) </dev/null >>"$trestle_log" 2>&1 &
  trestle_mounts="$trestle_mounts $!"
  trestle_access=
  until "$TRESTLE_NODE_PROGRAM" cachemount status --socket "$TRESTLE_ROOT/run/mount-$trestle_number" >/dev/null 2>&1; do
    kill -0 "${trestle_mounts##* }" 2>/dev/null || give_up "the mount at $trestle_path can't be served: $(tail -n 1 "$trestle_log")"
    sleep 0.3
  done
  : >"$TRESTLE_ROOT/run/served-$trestle_number"
  printf '%s\t%s\t%s\n' "$trestle_cache/files" "$trestle_path" "$trestle_mode" >>"$TRESTLE_ROOT/mounts"
}

# What was written is brought to the buckets in the time that is left.
end_buckets() {
  [ -n "$trestle_mounts" ] || return 0
  : >"$TRESTLE_ROOT/run/end-mounts"
  trestle_left=$((TRESTLE_GRACE * 5))
  for trestle_mount in $trestle_mounts; do
    while [ "$trestle_left" -gt 0 ] && kill -0 "$trestle_mount" 2>/dev/null; do
      sleep 0.2
      trestle_left=$((trestle_left - 1))
    done
    kill -0 "$trestle_mount" 2>/dev/null || continue
    echo "trestle: not all that was written is in its bucket; what is left is lost with this node's cache" >&2
  done
  stop_buckets
}

# Nothing serves a cache that is about to go: not after a later mount could not be had, and not when the time is over.
stop_buckets() {
  for trestle_mount in $trestle_mounts; do
    # shellcheck disable=SC2046 # the server, and whoever would start it again
    kill -s KILL "$trestle_mount" $(pgrep -P "$trestle_mount") 2>/dev/null
  done
  trestle_mounts=
}
