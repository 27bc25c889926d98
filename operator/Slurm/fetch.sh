#!/bin/sh
# Gets the code of an attempt from its repository, once for all ranks, into $TRESTLE_ATTEMPT_DIR/repository. Reads from scripts/code: URL, ref,
# directory in it, and the name of a Secret, one a line, "" for none. What lets git in is on the node, for this user, while it works.
trestle_dir=$TRESTLE_ATTEMPT_DIR
{
  IFS= read -r trestle_url
  IFS= read -r trestle_ref
  IFS= read -r trestle_path
  IFS= read -r trestle_secret
} <"$trestle_dir/scripts/code"
umask 077

# The job can't start as it is; as rank.sh says it.
refuse() {
  echo "trestle: $1" >&2
  mkdir "$trestle_dir/failed" 2>/dev/null || exit 78
  { echo "$1"; tail -n 20 "$trestle_keys/said" 2>/dev/null | tail -c 3000; } >"$trestle_dir/last-words"
  echo "0 78 Start" >"$trestle_dir/exit.new" && mv -f "$trestle_dir/exit.new" "$trestle_dir/exit"
  exit 78
}

trestle_keys=$(mktemp -d "${TMPDIR:-/tmp}/trestle-code.XXXXXX") || { echo "trestle: no directory can be made in ${TMPDIR:-/tmp}; is the node's disk full?" >&2; exit 75; }
trap 'rm -rf "$trestle_keys"' EXIT
trap 'exit 143' TERM
command -v git >/dev/null 2>&1 || refuse "workdir.git needs git on the nodes; install it, or use workdir.configMap"

# entry KEY: puts an entry of the Secret into a file.
entry() {
  sed -n "s#^$trestle_secret/$1 ##p" "$trestle_dir/secrets" 2>/dev/null | head -n 1 | base64 -d >"$trestle_keys/$1" 2>/dev/null
  [ -s "$trestle_keys/$1" ]
}

GIT_TERMINAL_PROMPT=0
GIT_SSH_COMMAND='ssh -o BatchMode=yes -o StrictHostKeyChecking=yes'
if [ -n "$trestle_secret" ]; then
  if entry ssh-privatekey; then
    echo >>"$trestle_keys/ssh-privatekey"
    # shellcheck disable=SC2089,SC2090 # git reads it as a shell does
    GIT_SSH_COMMAND="$GIT_SSH_COMMAND -o IdentitiesOnly=yes -i '$trestle_keys/ssh-privatekey'"
    if entry known_hosts; then GIT_SSH_COMMAND="$GIT_SSH_COMMAND -o UserKnownHostsFile='$trestle_keys/known_hosts'"; fi
  elif entry username && entry password; then
    # shellcheck disable=SC2016 # for the other script
    printf '#!/bin/sh\ncase $1 in Username*) cat "%s/username" ;; *) cat "%s/password" ;; esac\n' "$trestle_keys" "$trestle_keys" >"$trestle_keys/ask"
    chmod 700 "$trestle_keys/ask"
    GIT_ASKPASS=$trestle_keys/ask
    export GIT_ASKPASS
  else
    refuse "Secret $trestle_secret of workdir.git has neither ssh-privatekey nor username and password; add them"
  fi
fi
# shellcheck disable=SC2090
export GIT_TERMINAL_PROMPT GIT_SSH_COMMAND

# The one commit when the server gives it by that name; else all of it.
get() {
  git init -q "$1" || return
  git -C "$1" fetch -q --depth 1 -- "$trestle_url" "${trestle_ref:-HEAD}" && { git -C "$1" checkout -q FETCH_HEAD; return; }
  [ -n "$trestle_ref" ] && git -C "$1" fetch -q -- "$trestle_url" '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*' && git -C "$1" checkout -q "$trestle_ref"
}

rm -rf "$trestle_dir/repository" "$trestle_dir/repository.new"
if ! get "$trestle_dir/repository.new" >"$trestle_keys/said" 2>&1; then
  cat "$trestle_keys/said" >&2
  refuse "git can't get ${trestle_ref:-the default branch} from the repository of workdir.git"
fi
case /$trestle_path/ in */../*) refuse "workdir.git.path must not hold .." ;; esac
[ -d "$trestle_dir/repository.new/$trestle_path" ] || refuse "the repository has no directory $trestle_path; correct workdir.git.path"
mv "$trestle_dir/repository.new" "$trestle_dir/repository"
