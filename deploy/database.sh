# shellcheck shell=bash
# Firestore: the database, its rules, indexes and time to live, and the records that must exist.

# is_near: whether functions in $REGION are next to a database in $1.
is_near() {
  case "$1" in
    "$REGION") return 0 ;;
    nam5 | nam7) case "$REGION" in us-* | northamerica-*) return 0 ;; esac ;;
    eur3) case "$REGION" in europe-*) return 0 ;; esac ;;
  esac
  return 1
}

# Before anything is changed: a database stays where it is.
check_database() {
  local found kind edition recovery
  found=$(row "$TMP/databases.out" "$DATABASE")
  if [ -z "$found" ]; then
    [ -z "$ONLY" ] || fail "There is no database $DATABASE yet: run once without --only."
    NEW_DATABASE=1 HAS_RECOVERY=0
    DATABASE_LOCATION=${DATABASE_LOCATION:-$REGION}
    is_near "$DATABASE_LOCATION" || far_away "$DATABASE_LOCATION" "A database in $DATABASE_LOCATION is far from functions in $REGION: choose --database-location and --region next to each other."
    return
  fi
  NEW_DATABASE=0
  kind=$(field "$found" type) edition=$(field "$found" edition) recovery=$(field "$found" recovery)
  found=$(field "$found" location)
  HAS_RECOVERY=0
  if [ "$recovery" = POINT_IN_TIME_RECOVERY_ENABLED ]; then HAS_RECOVERY=1; fi
  [ "$kind" = FIRESTORE_NATIVE ] || fail "The database $DATABASE of $PROJECT is in Datastore mode: name another one with --database."
  [ "$edition" != ENTERPRISE ] || fail "The database $DATABASE of $PROJECT is of the Enterprise edition, which makes no indexes by itself: name another one with --database, such as --database inbound."
  if [ -n "$DATABASE_LOCATION" ] && [ "$DATABASE_LOCATION" != "$found" ]; then
    fail "The database $DATABASE is in $found and cannot be moved: leave out --database-location, or name another database with --database."
  fi
  is_near "$found" || far_away "$found" "The database $DATABASE is in $found and cannot be moved: run again with $(region_for "$found"), or name another database with --database."
  DATABASE_LOCATION=$found
}

# Where somebody names the region they may have their reasons (builds are not allowed everywhere): it works, slower.
far_away() {
  [ "$REGION_IS_CHOSEN" = 1 ] || fail "$2"
  note "The database is in $1, far from functions in $REGION: every message takes some tenths of a second longer."
}

region_for() {
  case "$1" in
    nam5 | nam7) echo "--region us-central1" ;;
    eur3) echo "--region europe-west1" ;;
    *) echo "--region $1" ;;
  esac
}

# uses_database: whether a function of ours uses the database already.
uses_database() { [ -n "$(having "$TMP/everywhere.out" "FIRESTORE_DATABASE=$DATABASE")" ]; }

# others_on_database: the other installations that use the database, by the label of their functions or, where those are
# gone, by an account of theirs that may still reach it.
others_on_database() {
  local condition="condition=resource.name==\"projects/$PROJECT/databases/$DATABASE\""
  {
    having "$TMP/all.out" "FIRESTORE_DATABASE=$DATABASE" | values owner
    having "$TMP/policy.out" "$condition" | values name | sed -nE "s/^serviceAccount:(.*)-runtime@$PROJECT\.iam\..*/\1/p" |
      while read -r app; do
        if [ -n "$(having "$TMP/accounts.out" "name=$app-runtime@$PROJECT.iam.gserviceaccount.com" "description=$MADE_BY_US")" ]; then echo "$app"; fi
      done
  } | sort -u | grep -vxF -e "$ACCOUNTS" -e "" || true
}

# Two installations on one database would claim each other's conversations. Where ours runs on it already, that was
# allowed by --share-database once.
check_other_installations() {
  local other others="" own
  for other in $(others_on_database); do
    if [ "$other" = inbound ]; then other="the one without a prefix"; else other="the one with --prefix $other"; fi
    others="${others:+$others and }$other"
  done
  [ -n "$others" ] || return 0
  if uses_database || [ "$SHARE_DATABASE" = 1 ]; then
    note "The database $DATABASE is shared with another installation of this service: $others."
    return
  fi
  own=${PREFIX:-inbound}
  fail "The database $DATABASE is used by another installation of this service in $PROJECT, $others, and both would take its conversations: add --database with a name of its own, such as --database $own-data, or --share-database if that is what you want."
}

# Somebody else's data or rules: asked before anything is changed. Ours are known by our functions, rules or records.
check_database_owner() {
  local owner words=""
  check_other_installations
  if [ "$NEW_DATABASE" = 1 ] || [ "$SHARE_DATABASE" = 1 ]; then return; fi
  if uses_database; then words=--known; fi
  owner=$("$PYTHON" -m tools.firestore_rules --project "$PROJECT" --database "$DATABASE" --patience "$((RETRIES * RETRY_SECONDS))" --owner ${words:+"$words"}) || exit 1
  [ -z "$owner" ] || fail "The database $DATABASE has $owner, which this service would change or delete: name a database of its own, such as --database inbound, or add --share-database if it is to be shared."
}

prepare_database() {
  local line words=""
  step "Firestore"
  if [ "$NEW_DATABASE" = 1 ]; then
    if [ "$BACKUPS" = 1 ]; then words=--enable-pitr; fi
    changed "make the database $DATABASE in $DATABASE_LOCATION" cloud firestore databases create --database="$DATABASE" \
      --location="$DATABASE_LOCATION" --type=firestore-native --edition=standard --delete-protection ${words:+"$words"}
  fi
  back_up
  if [ "$DRY_RUN" = 1 ] && [ "$NEW_DATABASE" = 1 ]; then
    note "would make the indexes, the time to live, the rules and the default records in it"
    return
  fi
  later look_indexes
  later look fields "list the field settings" cloud firestore indexes fields list --database="$DATABASE" --format=json
  all_done
  "$PYTHON" -m tools.firestore_indexes missing "$TMP/indexes.out" "$TMP/fields.out" >"$TMP/missing" || exit 1
  # One after the other where both are about the same field: Firestore changes a field once at a time.
  while IFS=$'\t' read -r line words; do
    case "$words" in indexes\ composite*) ;; *) continue ;; esac
    # shellcheck disable=SC2086 # one flag per word
    later changed "$line" cloud_unless_there firestore $words --database="$DATABASE" --async
  done <"$TMP/missing"
  all_done
  while IFS=$'\t' read -r line words; do
    case "$words" in indexes\ composite*) continue ;; esac
    # shellcheck disable=SC2086 # one flag per word
    changed "$line" cloud_unless_there firestore $words --database="$DATABASE" --async
  done <"$TMP/missing"
  "$PYTHON" -m tools.firestore_rules --project "$PROJECT" --database "$DATABASE" --patience "$((RETRIES * RETRY_SECONDS))" \
    ${DRY_FLAG:+"$DRY_FLAG"} --changes "$CHANGES" || exit 1
}

# Every day, kept for a week; only for a database that this script makes, or made in a first run that was stopped.
back_up() {
  if [ "$BACKUPS" = 0 ] || [ -s "$TMP/functions.out" ]; then return; fi
  if [ "$NEW_DATABASE" = 0 ]; then
    [ "$HAS_RECOVERY" = 1 ] || return 0
    look schedules "list the backup schedules" cloud firestore backups schedules list --database="$DATABASE" --format='value(name)'
    if [ -s "$TMP/schedules.out" ]; then return; fi
  fi
  changed "back up the database $DATABASE every day and keep it for a week" cloud firestore backups schedules create \
    --database="$DATABASE" --recurrence=daily --retention=7d
}

# Somebody else, or an earlier try whose answer was lost, has made it.
cloud_unless_there() {
  local said
  said=$(mktemp "$TMP/there.XXXXXX")
  cloud "$@" 2>"$said" || grep -q ALREADY_EXISTS "$said" || { cat "$said" >&2 && return 1; }
}

# What is to be removed is gone already.
cloud_unless_gone() {
  local said
  said=$(mktemp "$TMP/gone.XXXXXX")
  cloud "$@" 2>"$said" || grep -qiE 'NOT_FOUND|not found' "$said" || { cat "$said" >&2 && return 1; }
}

look_indexes() {
  look indexes "list the indexes" cloud firestore indexes composite list --database="$DATABASE" --format=json
}

# One function alone is deployed without making indexes: its queries must have theirs.
check_indexes() {
  look_indexes
  "$PYTHON" -m tools.firestore_indexes missing "$TMP/indexes.out" >"$TMP/missing" || exit 1
  if grep -q 'indexes composite' "$TMP/missing"; then
    fail "The database $DATABASE lacks indexes that this version's queries need: run once without --only."
  fi
}

# A query fails until its index is built, and Twilio may call these functions already.
wait_for_indexes() {
  local waiting said=0
  if [ "$DRY_RUN" = 1 ]; then return; fi
  waiting=$("$PYTHON" -m tools.firestore_indexes building "$TMP/indexes.out") || exit 1
  while [ "$waiting" != 0 ]; do
    [ "$said" = 1 ] || note "waiting for $waiting indexes to be built (minutes, in a large database longer)"
    [ "$said" = 0 ] || sleep "$RETRY_SECONDS"
    said=1
    look_indexes
    waiting=$("$PYTHON" -m tools.firestore_indexes building "$TMP/indexes.out") || exit 1
  done
}

default_records() {
  if [ "$DRY_RUN" = 1 ] && [ "$NEW_DATABASE" = 1 ]; then return; fi
  "$PYTHON" -m tools.seed --project "$PROJECT" --database "$DATABASE" ${DRY_FLAG:+"$DRY_FLAG"} --changes "$CHANGES" || exit 1
}

# The first person who may open the desk; the others are made supervisors there.
make_supervisors() {
  local address words=()
  if [ -z "$SUPERVISORS" ]; then return; fi
  if [ "$DRY_RUN" = 1 ] && [ "$NEW_DATABASE" = 1 ]; then
    note "would make$SUPERVISORS supervisor"
    return
  fi
  for address in $SUPERVISORS; do words+=(--supervisor "$address"); done
  "$PYTHON" -m tools.supervisor --project "$PROJECT" --database "$DATABASE" "${words[@]}" ${DRY_FLAG:+"$DRY_FLAG"} --changes "$CHANGES" || exit 1
}

# Also with --only: the new code reads what this writes.
upgrade_records() {
  if [ "$DRY_RUN" = 1 ] && [ "$NEW_DATABASE" = 1 ]; then return; fi
  "$PYTHON" -m tools.upgrade --project "$PROJECT" --database "$DATABASE" ${DRY_FLAG:+"$DRY_FLAG"} --changes "$CHANGES" || exit 1
}
