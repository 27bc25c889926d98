#!/bin/sh
# Made by the Trestle bridge; runs the script of an attempt once. Argument: the directory of the attempt.
dir=$1
# An attempt belongs to the first job that runs it; the same job may come back after a requeue.
if ! (set -C; printf '%s\n' "$SLURM_JOB_ID" > "$dir/owner") 2> /dev/null; then
    owner=
    read -r owner 2> /dev/null < "$dir/owner"
    if [ -z "$owner" ]; then
        echo "trestle: $dir is not there or can't be written; workRoot must be on a file system that login and compute nodes share" >&2
        exit 75
    fi
    if [ "$owner" != "$SLURM_JOB_ID" ]; then
        echo "trestle: job $owner runs this attempt; job $SLURM_JOB_ID ends" >&2
        exit 75
    fi
fi
export TRESTLE_ATTEMPT_DIR="$dir"
first=
IFS= read -r first < "$dir/job"
case $first in
    '#!'*) exec ${first#??} "$dir/job" ;;
    *) exec /bin/sh "$dir/job" ;;
esac
