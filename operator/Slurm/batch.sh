#!/bin/sh
# Starts the ranks of an attempt on the nodes that Slurm gave it. Runs once, on the first of them. What comes before has
# written scripts/ and set trestle_nodes, trestle_container, trestle_image and trestle_needs (secrets, or nothing).
# Exits as the first rank that failed did.
# shellcheck disable=SC2154 # set by what comes before
: "$trestle_nodes" "$trestle_container" "$trestle_image" "$trestle_needs"
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

rm -rf "$trestle_dir/addresses.new" "$trestle_dir/exit" "$trestle_dir/failed"
for trestle_host in $(scontrol show hostnames "$SLURM_JOB_NODELIST"); do
  trestle_ip=$(address "$trestle_host")
  if [ -z "$trestle_ip" ]; then
    say "node $trestle_host has no address: neither NodeAddr nor its name resolves"
    exit 75
  fi
  echo "$trestle_ip" >>"$trestle_dir/addresses.new"
done
mv -f "$trestle_dir/addresses.new" "$trestle_dir/addresses" || exit 1

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
export TRESTLE_CONTAINER TRESTLE_IMAGE
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
  set -- "$@" --container-image="$trestle_image" --container-mounts="$trestle_binds" --no-container-mount-home
fi
trap forward TERM
srun "$@" /bin/sh "$trestle_dir/scripts/rank.sh" <&3 &
trestle_step=$!
exec 3<&-
wait "$trestle_step"
trestle_code=$?
# A trap interrupts the wait.
while [ "$trestle_code" -gt 128 ] && kill -0 "$trestle_step" 2>/dev/null; do
  wait "$trestle_step"
  trestle_code=$?
done
# srun's own code is that of whichever rank it heard of last; the first that failed has left its record.
if [ -s "$trestle_dir/exit" ]; then read -r _ trestle_code _ <"$trestle_dir/exit"; fi
exit "$trestle_code"
