# shellcheck shell=bash
# Calling gcloud: read, change (or only say so in a dry run), several at a time, and ending all of them.

CHANGES=$TMP/changes
: >"$CHANGES"

cloud() { gcloud "$@" --project="$PROJECT" --quiet </dev/null; }

# What passes by itself: something made a moment ago is not known everywhere yet, or another operation is running.
TRANSIENT='service account .* does not exist|Permission denied on secret|ABORTED|RESOURCE_EXHAUSTED|concurrent policy changes|try (again|retrying)|SERVICE_DISABLED|has not been used in project|unable to queue|operation .* in progress|Eventarc Service Agent|propagat|UNAVAILABLE|\b50[234]\b'

# The same of a build: its account was made a moment ago, or gcloud tripped over deploying several at once.
# shellcheck disable=SC2034 # deploy/functions.sh
TRANSIENT_BUILD='service account .* was not found|must grant Storage|missing permission on the build|repository metadata|gcloud crashed|denied on .*bucket'

# is_transient LOG: gcloud adds "or it may not exist" to every refusal, so it means a late account only beside one of ours.
is_transient() {
  local ours="$ACCOUNTS-(${ACCOUNT_KINDS// /|})@[^ ]*.*or it may not exist"
  grep -qiE "$TRANSIENT|$ours${MORE_TRANSIENT:+|$MORE_TRANSIENT}" "$1"
}

# attempt LOG COMMAND...: runs it, its output to LOG.out and LOG.err, and tries again what passes by itself.
attempt() {
  local log=$1 tries=0
  shift
  until "$@" >"$log.out" 2>"$log.err" </dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt "$RETRIES" ] || ! is_transient "$log.err"; then return 1; fi
    [ "$tries" -gt 1 ] || say_that_it_waits "$log.err"
    sleep "$RETRY_SECONDS"
  done
}

# On the terminal, also where the command's own output is kept.
exec 3>&1
say_that_it_waits() {
  local words
  words=$(grep -v '^[[:space:]]*$' "$1" | head -n 1 | cut -c 1-160)
  note "waiting up to $((RETRIES * RETRY_SECONDS)) s, for Google may not be ready yet: $words" >&3
}

# look NAME DOING COMMAND...: reads something into $TMP/NAME.out.
look() {
  local log=$TMP/$1 doing=$2
  shift 2
  attempt "$log" "$@" || explain "$doing" "$log.err"
}

PARALLEL=5
wait_for_room() {
  while [ "$(jobs -pr | wc -l)" -ge "$PARALLEL" ]; do sleep 0.1; done
}

# later COMMAND...: runs it beside the others; `all_done` waits for them and ends if one failed, with what it said.
LATER=""
later() {
  local said
  wait_for_room
  said=$(mktemp "$TMP/said.XXXXXX")
  background "$@" 2>"$said"
  LATER="$LATER $!:$said"
}
all_done() {
  local job failed=""
  for job in $LATER; do wait "${job%%:*}" || failed=${failed:-${job#*:}}; done
  LATER=""
  if [ -n "$failed" ]; then
    cat "$failed" >&2
    exit 1
  fi
}

# change DOING COMMAND...: one change, counted; a dry run prints the command instead.
change() {
  local doing=$1 log
  shift
  if [ "$DRY_RUN" = 1 ]; then
    printf '  would %s:' "$doing"
    shift # `cloud` or `cloud_unless_there`, which add the project
    printf ' %q' gcloud "$@" --project="$PROJECT"
    printf '\n'
    would "$doing"
    return
  fi
  log=$(mktemp "$TMP/change.XXXXXX")
  attempt "$log" "$@" || explain "$doing" "$log.err"
  printf '%s\n' "$doing" >>"$CHANGES"
}

# would DOING: notes a change that a dry run leaves out, so that its exit status can say so.
would() { printf '%s\n' "$1" >>"$CHANGES"; }

# changed DOING COMMAND...: the same with a line for the person.
changed() {
  change "$@"
  [ "$DRY_RUN" = 1 ] || note "$1: done"
}

# Each background job leads a process group of its own, so that Ctrl-C can end it together with its gcloud.
background() {
  set -m
  "$@" </dev/null &
  set +m
}

end_children() {
  local pid
  for pid in $(jobs -p); do kill -TERM -- "-$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
}

interrupted() {
  trap '' INT TERM HUP
  end_children
  printf '\ndeploy.sh: Stopped; run the same command again and it continues where this left off.\n' >&2
  exit 130
}

has_line() { grep -qxF -- "$2" "$1"; }

# state KIND [NAME...]: what the project holds, one line per thing, each value with its name (tools/cloud_state.py).
state() { "$PYTHON" -m tools.cloud_state --project "$PROJECT" --region "$REGION" "$@"; }

# having FILE KEY=VALUE...: the lines of a list that have all of these values.
having() {
  awk -F '\t' '
    BEGIN { for (i = 2; i < ARGC; i++) { wanted[i] = ARGV[i]; ARGV[i] = "" } }
    {
      found = 0
      for (i in wanted) for (n = 1; n <= NF; n++) if ($n == wanted[i]) { found++; break }
      if (found == ARGC - 2) print
    }' "$@"
}

# field LINE KEY: one value of a line; nothing if it has none.
field() {
  local rest=$'\t'$1$'\t'
  case "$rest" in *$'\t'"$2="*) ;; *) return 0 ;; esac
  rest=${rest#*$'\t'"$2="}
  echo "${rest%%$'\t'*}"
}

# values KEY: that value of each line that comes in.
values() {
  local line
  while IFS= read -r line; do field "$line" "$1"; done
}

# row FILE NAME: the line of the thing of that name; nothing if there is none.
row() { having "$1" "name=$2"; }
has_row() { [ -n "$(row "$1" "$2")" ]; }
