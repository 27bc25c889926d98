# shellcheck shell=sh
# Sourced by the scripts at the root: says how to get what is missing, and gets what a package manager can give.

require_dotnet() {
    if command -v dotnet >/dev/null 2>&1 && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then return 0; fi
    cat >&2 <<'END'
trestle: the .NET SDK 10 is not installed. Get it in one of these ways and start again:
  - your distribution's package, where it has one:   apt-get install dotnet-sdk-10.0
  - Microsoft's package feed or installer script:    see "Install .NET on Linux" in the .NET documentation
END
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null 2>&1; then sudo "$@"; else return 1; fi
}

# require_packages NAME…: Debian packages, installed when missing.
require_packages() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "trestle: installing$missing" >&2
    # shellcheck disable=SC2086 # a list of package names
    if ! { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/dev/null; then
        echo "trestle: could not install$missing; install them as root (apt-get install$missing) and start again" >&2
        exit 1
    fi
}

# require_stopped_packages NAME…: the same for packages that bring daemons, which are not to start by themselves.
require_stopped_packages() {
    policy=/usr/sbin/policy-rc.d
    if [ -e $policy ]; then
        require_packages "$@"
        return 0
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat >$policy && chmod 755 $policy" || true
    (require_packages "$@") && installed=true || installed=false
    as_root rm -f $policy
    $installed || exit 1
}

# A real Slurm with accounting and the sshd of its login node, for tests and ./quickstart.sh --slurm.
require_slurm() {
    require_stopped_packages mariadb-client-core mariadb-server-core munge openssh-client openssh-server slurm-client slurmctld slurmd slurmdbd
}

require_npm() {
    command -v npm >/dev/null 2>&1 || require_packages npm
}
