#!/usr/bin/env bash
# slurm-up.sh DIR [OWNER]: a whole Slurm cluster on this machine, for tests; everything it has lies under DIR.
#
# Debian's munge, MariaDB (no port), slurmdbd, slurmctld, nodes gpu1 … gpu4 with 8 declared H100 each and cpu1, and an sshd on
# 127.0.0.1 that lets two users in by key. Nothing of the system's own configuration is read or changed, but two users are
# added to the machine until slurm-down.sh. When the process OWNER ends, the cluster ends too. Needs root, since slurmd and sshd
# become other users. Prints NAME=VALUE lines: SSH_PORT, USER_A, USER_B, CONF; keys are
# DIR/ssh/{a,b}.{ed25519,ecdsa,rsa}, pins DIR/ssh/known_hosts.
#
#   SLURM_CGROUPS=1     jobs in cgroups (version 1), so that a job out of memory is OUT_OF_MEMORY and not FAILED;
#                       one such cluster at a time, for cgroups are named by node
#   SLURM_CONF_LINES=…  more lines for slurm.conf
set -euo pipefail
set +m # with job control setsid would fork, and its number not be the daemon's
umask 022
# shellcheck source=tests/Testing/Slurm/daemons.sh
. "$(dirname "$0")/daemons.sh"
[ $# -ge 1 ] || { sed -n '2,13p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || die "needs root"
for program in slurmctld slurmd slurmdbd sbatch munged mariadbd sshd ssh-keygen; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null || die "there is no $program; ./test.sh installs it"
done

mkdir -p "$1"
DIR=$(cd "$1" && pwd -P)
[ ${#DIR} -lt 80 ] || die "the path of a socket in $DIR would be too long"
exec 9>"$DIR/lock"
flock -n 9 || die "$DIR/lock is held"
mkdir -p "$DIR"/{etc,run,log,ssh,dev,home,spool}
chmod 755 "$DIR"

# Several clusters can run at once: who can make the users that are named by a port has that port and the 199 after it.
if [ ! -s "$DIR/settings" ]; then
    for PORT in $(seq 21000 200 29800); do
        port_is_open "$PORT" && continue
        # '*' and not '!', which sshd takes for a locked account.
        useradd --no-create-home --home-dir "$DIR/home/a" --shell /bin/bash --password '*' "$(user_of a)" 2>/dev/null && break
    done
    useradd --no-create-home --home-dir "$DIR/home/b" --shell /bin/bash --password '*' "$(user_of b)"
    printf '%s\n' "PORT=$PORT" 'NODES="gpu1 gpu2 gpu3 gpu4 cpu1"' >"$DIR/settings"
fi
open_cluster "$DIR"
install -d -o munge -g munge -m 755 "$DIR/munge"
install -d -o slurm -g slurm "$DIR/state" "$DIR/log/slurm"
install -d -o slurm -g slurm -m 700 "$DIR/mysql"
for user in a b; do install -d -o "$(user_of $user)" -g "$(user_of $user)" -m 700 "$DIR/home/$user"; done

write_munge_key() {
    [ -s "$DIR/munge/key" ] || install -o munge -g munge -m 400 <(head -c 128 /dev/urandom) "$DIR/munge/key"
}

# Without a password: MariaDB asks the socket who is there, and lets in the user slurm alone. Its data need not last.
write_database() {
    cat >"$DIR/etc/my.cnf" <<END
[mariadbd]
datadir=$DIR/mysql/data
socket=$DIR/mysql/socket
pid-file=$DIR/mysql/pid
skip-networking
innodb_flush_log_at_trx_commit=0
innodb_flush_method=nosync
innodb_doublewrite=0
innodb_lock_wait_timeout=900
performance_schema=off
END
    [ ! -d "$DIR/mysql/data" ] || return 0
    echo 'CREATE DATABASE slurm_acct_db;' >"$DIR/etc/first.sql"
    setpriv --reuid=slurm --regid=slurm --clear-groups -- mariadb-install-db --defaults-file="$DIR/etc/my.cnf" --skip-test-db \
        --auth-root-authentication-method=socket --auth-root-socket-user=slurm --extra-file="$DIR/etc/first.sql" \
        >"$DIR/log/mariadb-install-db.out" 2>&1 || { tail "$DIR/log/mariadb-install-db.out" >&2; die "MariaDB could not be set up"; }
}

tracking() {
    if [ "${SLURM_CGROUPS:-0}" = 1 ]; then
        printf '%s\n' CgroupPlugin=cgroup/v1 CgroupMountpoint=/sys/fs/cgroup ConstrainRAMSpace=yes >"$DIR/etc/cgroup.conf"
        printf '%s\n' ProctrackType=proctrack/cgroup TaskPlugin=task/cgroup
    else
        # From 23.02 on slurmd wants a cgroup hierarchy unless told so.
        ! dpkg --compare-versions "$(slurmctld -V | cut -d' ' -f2)" ge 23.02 || echo CgroupPlugin=disabled >"$DIR/etc/cgroup.conf"
        printf '%s\n' ProctrackType=proctrack/linuxproc JobAcctGatherParams=OverMemoryKill
    fi
}

# Nodes on one machine differ by port; config_overrides lets them be larger than it.
write_slurm_conf() {
    local host port=$((PORT + 10)) node gres
    host=$(hostname -s)
    {
        cat <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$((PORT + 1))
SrunPortRange=$((PORT + 20))-$((PORT + 199))
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=slurm
AuthType=auth/munge
# A requeued job may start when credentials of its first run are no longer valid: after 10 seconds here, 120 by default.
AuthInfo=socket=$DIR/munge/socket,cred_expire=10
StateSaveLocation=$DIR/state
SlurmdSpoolDir=$DIR/spool/%n
SlurmctldPidFile=$DIR/state/pid
SlurmdPidFile=$DIR/run/%n.slurmd
SlurmctldLogFile=$DIR/log/slurm/slurmctld.log
SlurmdLogFile=$DIR/log/slurmd.%n.log
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
MpiDefault=none
GresTypes=gpu
ReturnToService=1
SlurmdTimeout=15
KillWait=5
MinJobAge=300
MessageTimeout=10
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2,bf_continue,default_queue_depth=1000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MaxJobCount=20000
PreemptType=preempt/qos
PreemptMode=REQUEUE
PriorityType=priority/multifactor
PriorityWeightQOS=10000
PriorityWeightAge=1000
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((PORT + 2))
# slurmdbd's clients take munge's socket from here.
AccountingStoragePass=$DIR/munge/socket
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
END
        tracking
        for node in $NODES; do
            gres=
            case $node in gpu*) gres='Gres=gpu:h100:8' ;; esac
            echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=64 RealMemory=512000 $gres"
            port=$((port + 1))
        done
        echo "PartitionName=gpu Nodes=gpu[1-4] Default=YES MaxTime=7-0 DefaultTime=1:00:00 DefMemPerCPU=1000"
        echo "PartitionName=cpu Nodes=cpu1 MaxTime=UNLIMITED DefaultTime=30:00 DefMemPerCPU=1000"
        [ -z "${SLURM_CONF_LINES:-}" ] || printf '%s\n' "$SLURM_CONF_LINES"
    } >"$SLURM_CONF"
    # A GPU needs a file: each is a second /dev/null, or an empty file where mknod is not allowed.
    for gres in 0 1 2 3 4 5 6 7; do
        [ -e "$DIR/dev/nvidia$gres" ] || mknod -m 666 "$DIR/dev/nvidia$gres" c 1 3 2>/dev/null || : >"$DIR/dev/nvidia$gres"
    done
    echo "NodeName=gpu[1-4] Name=gpu Type=h100 File=$DIR/dev/nvidia[0-7]" >"$DIR/etc/gres.conf"
}

write_slurmdbd_conf() {
    cat >"$DIR/etc/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$DIR/munge/socket
DbdHost=$(hostname -s)
DbdAddr=127.0.0.1
DbdPort=$((PORT + 2))
SlurmUser=slurm
PidFile=$DIR/state/dbd.pid
LogFile=$DIR/log/slurm/slurmdbd.log
StorageType=accounting_storage/mysql
StorageUser=slurm
StorageLoc=slurm_acct_db
END
    chown slurm:slurm "$DIR/etc/slurmdbd.conf"
    chmod 600 "$DIR/etc/slurmdbd.conf"
}

# Limits are sshd's defaults, as on a real login node: 10 sessions a connection, refusals from 10 connections not yet let in.
# It greets with a banner, as many do.
write_ssh() {
    local type user key
    for type in ed25519 ecdsa rsa; do
        for key in host a b; do
            [ -s "$DIR/ssh/$key.$type" ] || ssh-keygen -q -t $type -N '' -C "$key" -f "$DIR/ssh/$key.$type"
        done
    done
    for user in a b; do cat "$DIR/ssh/$user".*.pub >"$DIR/ssh/keys.$(user_of $user)"; done
    for key in "$DIR"/ssh/host.*.pub; do echo "[127.0.0.1]:$PORT $(cut -d' ' -f1,2 "$key")"; done >"$DIR/ssh/known_hosts"
    printf '%s\n' '*** For members of the lab only. ***' 'Maintenance is on Monday, 06:00.' >"$DIR/ssh/banner"
    cat >"$DIR/ssh/sshd_config" <<END
ListenAddress 127.0.0.1:$PORT
HostKey $DIR/ssh/host.ed25519
HostKey $DIR/ssh/host.ecdsa
HostKey $DIR/ssh/host.rsa
PidFile none
AuthorizedKeysFile $DIR/ssh/keys.%u
AuthenticationMethods publickey
AllowUsers $(user_of a) $(user_of b)
UsePAM no
# The files are root's, but the directories above DIR may be anyone's to write.
StrictModes no
SetEnv SLURM_CONF=$SLURM_CONF
Banner $DIR/ssh/banner
END
    mkdir -p /run/sshd
}

write_accounts() {
    [ ! -e "$DIR/run/accounts" ] || return 0
    {
        sacctmgr -i add cluster test
        sacctmgr -i add qos low Priority=10 PreemptMode=requeue
        sacctmgr -i add qos high Priority=1000 Preempt=low,normal
        sacctmgr -i add account lab Cluster=test
        sacctmgr -i modify account lab set QOS=normal,low,high DefaultQOS=normal
        sacctmgr -i add user "$(user_of a),$(user_of b)" Account=lab Cluster=test
    } >"$DIR/log/sacctmgr.out" 2>&1 || { tail "$DIR/log/sacctmgr.out" >&2; die "the accounts could not be made"; }
    : >"$DIR/run/accounts"
}

write_munge_key
write_slurm_conf
write_slurmdbd_conf
write_ssh
begin munged
begin sshd
write_database
begin mariadbd
await munged
await mariadbd
begin slurmdbd
await slurmdbd
write_accounts
begin slurmctld
await slurmctld
for node in $NODES; do mkdir -p "$DIR/spool/$node"; begin "slurmd.$node"; done
for node in $NODES; do await "slurmd.$node"; done
await sshd

# Tests that are killed can't clean up.
if [ -n "${2:-}" ]; then
    cp "$(dirname "$0")"/{daemons,slurm-down}.sh "$DIR/run/"
    # shellcheck disable=SC2016 # for the other shell to expand
    setsid bash -c 'tail --pid="$1" -f /dev/null; exec "$2/run/slurm-down.sh" "$2"' owner "$2" "$DIR" </dev/null >/dev/null 2>&1 9>&- &
    echo $! >"$DIR/run/watch.pid"
fi
printf '%s\n' "SSH_PORT=$PORT" "USER_A=$(user_of a)" "USER_B=$(user_of b)" "CONF=$SLURM_CONF"
