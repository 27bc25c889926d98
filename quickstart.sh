#!/usr/bin/env bash
# Builds Trestle, starts the one-machine control plane with 4 virtual nodes of 8 declared GPUs each, and runs the
# published train-and-eval job group on it. Shows the queue and the logs live, ends with a summary, leaves nothing running.
#
#   ./quickstart.sh           about a minute and a half after the build
#   ./quickstart.sh --slurm   the same with the trainer on a real Slurm cluster that is started for it (root; installs Debian's Slurm),
#                             and the watcher and the evaluations on the virtual nodes
#   ./quickstart.sh --keep    leaves everything running and says how to use and stop it
set -euo pipefail
cd "$(dirname "$0")"
. eng/prerequisites.sh

group=train-eval-group
manifest=examples/skypilot/$group.yaml
seconds_allowed=${QUICKSTART_SECONDS:-180}
keep='' slurm=''
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=1 ;;
        --slurm) slurm=1 ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "quickstart.sh: unknown argument '$1'; see ./quickstart.sh --help" >&2; exit 2 ;;
    esac
    shift
done

say() { printf '\n== %s\n' "$*"; }
fail() { echo "quickstart.sh: $*" >&2; exit 1; }

require_dotnet
if [ -n "$slurm" ]; then
    [ "$(id -u)" -eq 0 ] || fail "--slurm must be run as root: the nodes of a Slurm cluster start jobs as other users"
    require_slurm
fi
if ! command -v bwrap >/dev/null 2>&1 || ! command -v python3 >/dev/null 2>&1; then require_packages bubblewrap python3; fi

say "building (a minute the first time)"
./trestle version
export TRESTLE_NO_BUILD=1

work=$(mktemp -d "${TMPDIR:-/tmp}/trestle-quickstart.XXXXXX")
state=$work/state
storages=$state/objects
up=() launch=()
follower=
leave() {
    code=$?
    trap - EXIT INT TERM
    set +e
    [ -z "$follower" ] || { kill "$follower" 2>/dev/null; wait "$follower" 2>/dev/null; }
    if [ -n "$keep" ] && [ "$code" -eq 0 ]; then
        say "left running, as asked"
        echo "use it:   export KUBECONFIG=$state/kubeconfig; ./trestle queue"
        echo "stop it:  ./trestle local down --state $state --purge${slurm:+ && tests/Testing/Slurm/slurm-down.sh $work/slurm} && rm -r $work"
        exit 0
    fi
    if [ "$code" -ne 0 ] && [ -d "$state/logs" ]; then
        echo "quickstart.sh: the last lines of the control plane's logs:" >&2
        tail -n 8 "$state"/logs/*.log >&2
    fi
    if [ -d "$state" ] && ! ./trestle local down --state "$state" --purge >"$work/down" 2>&1; then
        cat "$work/down" >&2
        [ "$code" -ne 0 ] || code=1
    fi
    if [ -n "$slurm" ] && ! tests/Testing/Slurm/slurm-down.sh "$work/slurm" >"$work/down" 2>&1; then
        cat "$work/down" >&2
        [ "$code" -ne 0 ] || code=1
    fi
    rm -rf "$work"
    exit "$code"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The cluster's users are not root: where storages are, everybody may write, as on the shared file system of a lab.
start_slurm() {
    chmod 711 "$work"
    setpriv --reuid=slurm --regid=slurm --clear-groups test -x "$work" || fail "--slurm needs a temporary directory that other users may enter; give one with TMPDIR, or make ${TMPDIR:-/tmp} so with chmod o+x"
    install -d -m 1777 "$storages"
    # Without --keep it ends with this script, however that ends.
    local owner=("$$")
    [ -z "$keep" ] || owner=()
    # Its users can't write where TMPDIR may point to.
    env -u TMPDIR tests/Testing/Slurm/slurm-up.sh "$work/slurm" "${owner[@]}" >"$work/slurm.settings" || fail "the Slurm cluster did not start"
    local user port
    user=$(sed -n 's/^USER_A=//p' "$work/slurm.settings")
    port=$(sed -n 's/^SSH_PORT=//p' "$work/slurm.settings")
    up+=(--storage-root "$storages" --slurm "slurm=ssh://$user@127.0.0.1:$port?key=$work/slurm/ssh/a.ed25519&known-hosts=$work/slurm/ssh/known_hosts&poll=1s")
    launch+=(--infra trainer=slurm/slurm/gpu)
}

if [ -n "$slurm" ]; then
    say "starting a Slurm cluster: slurmctld, slurmdbd, 4 nodes with 8 declared H100 each, a login node"
    storages=$work/storages
    start_slurm
fi

say "starting the control plane: 4 virtual nodes with 8 declared H100 each"
./trestle local up --detach --state "$state" --nodes 4 --gpus H100:8 "${up[@]}" || fail "the control plane did not start"
export KUBECONFIG=$state/kubeconfig
started=$SECONDS

say "launching $manifest${launch[*]:+ ${launch[*]}}"
./trestle launch "$manifest" "${launch[@]}" || fail "the group was not launched"

# The follower ends with the group's exit code; the phase, asked below, is what counts here.
./trestle logs -f "$group" >"$work/log" 2>"$work/log.err" &
follower=$!

phase() { ./trestle describe "$group" -o json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin).get("status", {}).get("phase", "Pending"))' 2>/dev/null || echo unknown; }
shown=0
show_log() {
    local lines
    lines=$(wc -l <"$work/log")
    if [ "$lines" -gt "$shown" ]; then sed -n "$((shown + 1)),${lines}p" "$work/log"; fi
    shown=$lines
}

say "what happens (queue, then new log lines)"
round=0
while :; do
    now=$(phase)
    show_log
    case $now in Succeeded | Failed | Cancelled) break ;; esac
    [ $((SECONDS - started)) -lt "$seconds_allowed" ] || { ./trestle describe "$group" >&2; fail "the group is $now after $seconds_allowed seconds"; }
    if [ $((round % 4)) -eq 0 ]; then echo; ./trestle queue || true; echo; fi
    round=$((round + 1))
    sleep 1
done
# The last lines of a task may be a moment behind its end.
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$follower" 2>/dev/null || break; sleep 0.3; done
show_log

say "summary after $((SECONDS - started)) seconds"
./trestle describe "$group" -o json >"$work/group.json" || fail "the group can't be read"
./trestle history -o json >"$work/jobs.json" || fail "the jobs can't be read"
python3 - "$work/group.json" "$work/jobs.json" "$storages/shared-ckpts" <<'END' || fail "the group did not end as it should"
import glob, json, os, sys

group = json.load(open(sys.argv[1], encoding="utf-8"))
jobs = {job["metadata"]["name"]: job.get("status", {}) for job in json.load(open(sys.argv[2], encoding="utf-8"))["items"]}
store = sys.argv[3]
status = group.get("status", {})


def where(name):
    job = jobs.get(name, {})
    slurm = job.get("placement", {}).get("slurm")
    nodes = sorted({rank["node"] for rank in job.get("nodes", {}).get("ranks", []) if rank.get("node")})
    return (f"slurm/{slurm['cluster']} job {slurm.get('jobId')}" if slurm else "kubernetes") + (f" on {' '.join(nodes)}" if nodes else "")


print(f"group {group['metadata']['name']}: {status.get('phase')}")
for task in status.get("tasks", []):
    print(f"  task {task['name']:<14} {task.get('role', ''):<10} {task.get('phase', ''):<10} {where(task.get('ref') or '')}")
checkpoints = sorted(os.path.basename(path) for path in glob.glob(os.path.join(store, "step-*.json")))
scores = [json.load(open(path, encoding="utf-8")) for path in sorted(glob.glob(os.path.join(store, "evals", "*.json")))]
launched = status.get("launched", [])
final_path = os.path.join(store, "final.json")
final = json.load(open(final_path, encoding="utf-8")) if os.path.exists(final_path) else None
print(f"steps trained: {final['step'] if final else 'not finished'}")
print(f"checkpoints: {len(checkpoints)} ({', '.join(checkpoints)})")
print(f"evaluations: {len(launched)} launched, {len(scores)} scored")
for job in launched:
    score = next((s for s in scores if job["name"].endswith(f"-{s['step']:06d}")), None)
    print(f"  {job['name']:<36} {job.get('phase', ''):<10} {'score %.4f' % score['score'] if score else '':<13} {where(job['name'])}")
print(f"final model: {final['sha256'] if final else 'none'}")
wrong = [text for text, bad in (
    (f"the group is {status.get('phase')}: {status.get('message', '')}", status.get("phase") != "Succeeded"),
    ("there is no final model", final is None),
    ("there are no checkpoints", not checkpoints),
    ("no evaluation was launched", not launched),
    ("no evaluation has a score", not scores)) if bad]
for text in wrong:
    print(f"quickstart.sh: {text}", file=sys.stderr)
sys.exit(1 if wrong else 0)
END
