#!/usr/bin/env bash
# Builds everything, checks formatting and generated files, and runs the tests.
#
#   ./test.sh             everything (installs what is missing from Debian and npm; root or sudo)
#   ./test.sh unit        the unit tests alone: needs nothing but the .NET SDK
#   ./test.sh --filter X  only test classes whose name contains X
#
# Ends with "N passed, N failed, N skipped" alone on a line. With CI=true a missing part is a failure.
set -euo pipefail
cd "$(dirname "$0")"
. eng/prerequisites.sh

suites=all
filter=
while [ $# -gt 0 ]; do
    case $1 in
        unit) suites=unit ;;
        --filter)
            filter=${2:?--filter needs a part of a test class name}
            shift
            ;;
        -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "test.sh: unknown argument '$1'; see ./test.sh --help" >&2; exit 2 ;;
    esac
    shift
done

require_dotnet
mapfile -t projects < <(dotnet sln Operator.sln list | grep "^tests/Unit/")
if [ "$suites" = all ]; then
    require_packages bubblewrap clang python3 python3-torch shellcheck zlib1g-dev
    require_slurm
    require_npm
    PATH="$(dirname "$(eng/kubectl.sh)"):$PATH"
    export PATH
    projects+=(tests/Integration/*.csproj tests/EndToEnd/*.csproj)
fi

echo "== build"
dotnet build Operator.sln -c Release -nologo -v quiet -clp:NoSummary

if [ "$suites" = all ] && [ -z "$filter" ]; then
    echo "== format"
    dotnet format Operator.sln --verify-no-changes --no-restore --exclude-diagnostics IDE0005
    shellcheck -x ./*.sh eng/*.sh tests/Testing/Slurm/*.sh .ci/run trestle
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0 failed=0 skipped=0 broken=
failures() { sed 's/<UnitTestResult /\n&/g' "$results"/*.trx | grep '<UnitTestResult [^>]*outcome="Failed"' | grep -o ' testName="[^"]*"' | sed 's/ testName="/  /; s/"$//; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' || true; }
for project in "${projects[@]}"; do
    name=$(basename "$project" .csproj)
    echo "== $name"
    arguments=(-noColor -noLogo -result-trx "$results/$name.trx")
    [ -z "$filter" ] || arguments+=(-class "*$filter*")
    "$(dirname "$project")/bin/Release/net10.0/$name" "${arguments[@]}" || broken="$broken $name"
    if [ -f "$results/$name.trx" ]; then
        count() { grep -o '<Counters [^>]*' "$results/$name.trx" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*'; }
        passed=$((passed + $(count passed)))
        failed=$((failed + $(count failed)))
        skipped=$((skipped + $(count total) - $(count passed) - $(count failed)))
    fi
done

if [ -n "$broken" ]; then
    echo "failed:$broken"
    failures
fi
echo "$passed passed, $failed failed, $skipped skipped"
if [ "${CI:-}" = true ] && [ "$skipped" -gt 0 ] && [ -z "$filter" ]; then
    echo "test.sh: with CI=true a skipped test is a failure" >&2
    exit 1
fi
[ -z "$broken" ] && [ $((passed + failed)) -gt 0 ]
