# shellcheck shell=bash
# Firestore: the database, its rules, indexes and time to live, and the records that must exist.

# is_near: whether functions in $REGION may use a database in $1.
is_near() {
  case "$1" in
    "$REGION") return 0 ;;
    nam*) case "$REGION" in us-* | northamerica-*) return 0 ;; esac ;;
    eur*) case "$REGION" in europe-*) return 0 ;; esac ;;
  esac
  return 1
}

# Before anything is changed: a database stays where it is.
check_database() {
  local found kind
  found=$(row "$TMP/databases.out" , "$DATABASE")
  if [ -z "$found" ]; then
    [ -z "$ONLY" ] || fail "There is no database $DATABASE yet: run once without --only."
    NEW_DATABASE=1
    DATABASE_LOCATION=${DATABASE_LOCATION:-$REGION}
    is_near "$DATABASE_LOCATION" || fail "A database in $DATABASE_LOCATION is far from functions in $REGION: choose --database-location and --region next to each other."
    return
  fi
  NEW_DATABASE=0
  kind=${found##*,}
  found=${found#*,}
  found=${found%%,*}
  [ "$kind" = FIRESTORE_NATIVE ] || fail "The database $DATABASE of $PROJECT is in Datastore mode: name another one with --database."
  if [ -n "$DATABASE_LOCATION" ] && [ "$DATABASE_LOCATION" != "$found" ]; then
    fail "The database $DATABASE is in $found and cannot be moved: leave out --database-location, or name another database with --database."
  fi
  is_near "$found" || fail "The database $DATABASE is in $found and cannot be moved: run again with $(region_for "$found"), or name another database with --database."
  DATABASE_LOCATION=$found
}

region_for() {
  case "$1" in
    nam*) echo "--region us-central1" ;;
    eur*) echo "--region europe-west1" ;;
    *) echo "--region $1" ;;
  esac
}

prepare_database() {
  local line words
  step "Firestore"
  if [ "$NEW_DATABASE" = 1 ]; then
    changed "make the database $DATABASE in $DATABASE_LOCATION" cloud firestore databases create \
      --database="$DATABASE" --location="$DATABASE_LOCATION" --type=firestore-native --delete-protection
  fi
  if [ "$DRY_RUN" = 1 ] && [ "$NEW_DATABASE" = 1 ]; then
    note "would make the indexes, the time to live, the rules and the default records in it"
    return
  fi
  later look_indexes
  later look fields "list the field settings" cloud firestore indexes fields list --database="$DATABASE" --format=json
  all_done
  "$PYTHON" -m tools.firestore_indexes missing "$TMP/indexes.out" "$TMP/fields.out" >"$TMP/missing" || exit 1
  while IFS=$'\t' read -r line words; do
    # shellcheck disable=SC2086 # one flag per word
    later changed "$line" cloud_unless_there firestore $words --database="$DATABASE" --async
  done <"$TMP/missing"
  all_done
  "$PYTHON" -m tools.firestore_rules --project "$PROJECT" --database "$DATABASE" ${DRY_FLAG:+"$DRY_FLAG"} ${YES_FLAG:+"$YES_FLAG"} --changes "$CHANGES" || exit 1
}

# Somebody else, or an earlier try whose answer was lost, has made it.
cloud_unless_there() {
  local said
  said=$(mktemp "$TMP/there.XXXXXX")
  cloud "$@" 2>"$said" || grep -q ALREADY_EXISTS "$said" || { cat "$said" >&2 && return 1; }
}

look_indexes() {
  look indexes "list the indexes" cloud firestore indexes composite list --database="$DATABASE" --format=json
}

# A query fails until its index is built, so Twilio is not pointed here before.
wait_for_indexes() {
  local waiting said=0
  [ "$DRY_RUN" = 1 ] && return
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
