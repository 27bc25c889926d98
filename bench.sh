#!/usr/bin/env bash
# Measures Trestle beside its peers on this machine, prints a table and writes bench/results/NAME.json and bench/README.md.
#
#   ./bench.sh admission the admission pass over a busy cluster, in one process
#   ./bench.sh cachemount a checkpoint and many small files through the cache mount (root, for FUSE), beside the local disk and
#                        rclone (apt-get install rclone fuse3; without it, ours alone); TRESTLE_BENCH_MIB=1024 is its size
#   ./bench.sh local     the one-machine control plane
#   ./bench.sh gang      gangs as objects on an API server without kubelets: that of KUBECONFIG, beside JobSet where it is
#                        installed, else the one-machine server in memory
#   ./bench.sh scale     memory of the operator with 10,000 jobs, on the same servers; a quarter of an hour
#   ./bench.sh weights   updates of weights on 64 and 256 stand-in engines under load, beside a loop that asks one engine after
#                        another; TRESTLE_BENCH_UPDATES=1000 for as many at each mode instead of the short run
#   ./bench.sh slurm     the bridge with a real Slurm (Debian's packages, root), beside OpenSSH's client with sbatch
set -euo pipefail
cd "$(dirname "$0")"
. eng/prerequisites.sh

case ${1:-} in
    admission | cachemount | gang | local | scale | slurm | weights) ;;
    -h | --help) sed -n '/^set /q; 2,$s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "bench.sh: name a benchmark: admission, cachemount, gang, local, scale, slurm, weights" >&2; exit 2 ;;
esac
require_dotnet
if ! command -v bwrap >/dev/null 2>&1 || ! command -v python3 >/dev/null 2>&1; then require_packages bubblewrap python3; fi
if [ "$1" = slurm ]; then require_stopped_packages mariadb-client-core mariadb-server-core munge openssh-client openssh-server slurm-client slurmctld slurmd slurmdbd; fi
dotnet build bench/Trestle.Bench.csproj -c Release -nologo -v quiet -clp:ErrorsOnly -p:RunAnalyzers=false
if [ "$1" = cachemount ]; then dotnet build node/Trestle.Node.csproj -c Release -nologo -v quiet -clp:ErrorsOnly -p:RunAnalyzers=false; fi
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
TRESTLE_BENCH_COMMIT=$commit exec bench/bin/Release/net10.0/Trestle.Bench "$@"
