# shellcheck shell=sh disable=SC2154
# Functions of the submission script; root, guard, names and mark are set before. Each attempt is answered by one line: MARK INDEX VERDICT ...
# Directory of an attempt: uid, job, secrets, try-N (made by whoever may call sbatch for the Nth time), jobid, closed, owner.
set -u
umask 077
looked=
queue=
accounting=
queue_rc=-
accounting_rc=-

say() { printf '%s %s\n' "$mark" "$*"; }

# A text on one line, its line breaks as vertical tabs.
one_line() { tail -c 600 "$1" | tr '\n\r' '\013 '; }

write_jobid() { printf '%s\n' "$2" > "$1/jobid.new" && mv -f "$1/jobid.new" "$1/jobid"; }

# Asks Slurm once for all names of this script.
look() {
    [ -z "$looked" ] || return 0
    looked=1
    queue=$(squeue -h --me -a -t all -n "$names" -o '%A %j' 2> /dev/null < /dev/null)
    queue_rc=$?
    accounting=$(sacct -X -n -P -D -S now-30days -u "$(id -un)" --name="$names" -o JobIDRaw,JobName 2> /dev/null < /dev/null)
    accounting_rc=$?
}

# Sets hit to the id of the job of that name, or to nothing. What the queue says comes first.
find_job() {
    hit=
    while read -r id name; do
        if [ "$name" = "$1" ]; then hit=$id; fi
    done << END
$queue
END
    [ -z "$hit" ] || return 0
    while IFS='|' read -r id name; do
        if [ "$name" = "$1" ]; then hit=$id; fi
    done << END
$accounting
END
}

# Says which job an attempt has, when it has one.
known() {
    if [ -s "$dir/jobid" ]; then
        read -r id < "$dir/jobid"
        say "$1" job "$id"
        return 0
    fi
    [ -n "$2" ] || return 1
    look
    find_job "$key"
    [ -n "$hit" ] || return 1
    write_jobid "$dir" "$hit"
    say "$1" job "$hit"
}

# own UID: the first one who writes it has the directory. Without a subshell: this is done for every job.
own() {
    set -C
    printf '%s\n' "$1" 2> /dev/null > "$dir/uid"
    set +C
}

# open INDEX KEY UID: makes the directory and sees whose it is.
open() {
    key=$2
    dir=$root/$2
    if ! mkdir -p "$dir" 2> /dev/null; then
        say "$1" blocked "the directory of the attempt can't be made under workRoot"
        return 1
    fi
    own "$3"
    uid=
    read -r uid 2> /dev/null < "$dir/uid"
    if [ -n "$uid" ] && [ "$uid" != "$3" ]; then
        say "$1" foreign
        return 1
    fi
}

# claim INDEX KEY UID TRY SURE: succeeds when this script, and no other, may now call sbatch. SURE is empty when nothing was sent before.
claim() {
    unwritten=
    key=$2
    dir=$root/$2
    # Not in one call: it would make the second where the first is there already, and say that it failed.
    if [ -z "$5" ] && mkdir "$dir" 2> /dev/null && mkdir "$dir/try-$4" 2> /dev/null; then
        own "$3"
        return 0
    fi
    open "$1" "$2" "$3" || return 1
    ! known "$1" "$5" || return 1
    if [ -d "$dir/closed" ]; then
        if [ -d "$dir/try-1" ]; then doubt "$1" 1; else say "$1" closed; fi
        return 1
    fi
    if ! mkdir "$dir/try-$4" 2> /dev/null; then
        if [ ! -d "$dir/try-$4" ]; then
            say "$1" blocked "the directory of the attempt can't be written"
            return 1
        fi
        doubt "$1" "$4"
        return 1
    fi
    # Whoever closes an attempt makes closed first and looks for tries then: one of both sees the other.
    if [ -d "$dir/closed" ]; then
        echo 'closed before sbatch' > "$dir/try-$4/error"
        say "$1" closed
        return 1
    fi
}

# A try was begun and has left no job id.
doubt() {
    ! known "$1" again || return 0
    last=$2
    while [ -d "$dir/try-$((last + 1))" ]; do last=$((last + 1)); done
    if [ -s "$dir/try-$last/error" ]; then
        say "$1" error "$last" "$queue_rc" "$accounting_rc" "$(one_line "$dir/try-$last/error")"
    else
        say "$1" doubt "$last" "$queue_rc" "$accounting_rc"
    fi
}

# put NAME TEXT: writes a file of the attempt. printf is a part of the shell: no command line ever shows the text.
put() { printf '%s' "$2" 2> /dev/null > "$dir/$1" || unwritten=1; }

# ready INDEX TRY: succeeds when all files were written; else the try is given back.
ready() {
    [ -n "$unwritten" ] || return 0
    rmdir "$dir/try-$2"
    say "$1" blocked "the files of the attempt can't be written; is the file system of workRoot full?"
    return 1
}

# send INDEX TRY OPTION...
send() {
    index=$1
    try=$2
    shift 2
    out=$(sbatch --parsable --job-name="$key" --dependency=singleton --no-requeue --chdir="$dir" --output="$dir/job.log" --open-mode=append "$@" "$guard" "$dir" 2> "$dir/try-$try/stderr" < /dev/null)
    rc=$?
    id=${out%%;*}
    case $id in
        '' | *[!0-9]*) id= ;;
    esac
    if [ "$rc" -eq 0 ] && [ -n "$id" ]; then
        write_jobid "$dir" "$id"
        say "$index" job "$id"
        return
    fi
    [ -s "$dir/try-$try/stderr" ] || echo "sbatch ended with $rc" > "$dir/try-$try/stderr"
    mv -f "$dir/try-$try/stderr" "$dir/try-$try/error"
    say "$index" error "$try" - - "$(one_line "$dir/try-$try/error")"
}

# close INDEX KEY UID: no script may call sbatch for it any more; says whether one did.
close() {
    open "$1" "$2" "$3" || return 0
    mkdir -p "$dir/closed"
    if [ ! -d "$dir/closed" ]; then
        say "$1" blocked "the directory of the attempt can't be written"
        return
    fi
    rm -f "$dir/secrets"
    ! known "$1" again || return 0
    if [ -d "$dir/try-1" ]; then
        doubt "$1" 1
    else
        say "$1" never
    fi
}
