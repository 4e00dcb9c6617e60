# shellcheck shell=bash
# Who may do what: one service account each for running, triggers, building and the scheduler.

account() { echo "$ACCOUNTS-$1@$PROJECT.iam.gserviceaccount.com"; }

ACCOUNT_KINDS="runtime records wallboard inbox trigger build scheduler"
MADE_BY_US="Made by deploy.sh of the inbound conversation service"

purpose() {
  case "$1" in
    runtime) echo "Runs the functions" ;;
    records) echo "Runs customer-written" ;;
    wallboard) echo "Runs the wallboard" ;;
    inbox) echo "Runs the inbox" ;;
    trigger) echo "Delivers Firestore's events" ;;
    build) echo "Builds the functions" ;;
    scheduler) echo "Calls the sweep every minute" ;;
  esac
}

# Those that this version's functions need: what they run as, and the three that serve all of them.
wanted_accounts() {
  local used
  used=$(awk 'NF { print $6 }' <<<"$FUNCTIONS")
  for kind in $ACCOUNT_KINDS; do
    case "$kind" in
      trigger | build | scheduler) echo "$kind" ;;
      *) if grep -qx "$kind" <<<"$used"; then echo "$kind"; fi ;;
    esac
  done
}

kinds_with_database() {
  for kind in $ACCOUNT_KINDS; do
    if [ -n "$(database_role "$kind")" ]; then echo "$kind"; fi
  done
}

# What an account that runs functions may do with the one database, and with no other.
database_role() {
  case "$1" in
    trigger | build | scheduler) ;;
    wallboard) echo roles/datastore.viewer ;;
    *) echo roles/datastore.user ;;
  esac
}

prepare_accounts() {
  local kind role only_this="resource.name==\"projects/$PROJECT/databases/$DATABASE\""
  step "Service accounts"
  for kind in $(wanted_accounts); do later make_account "$kind"; done
  all_done
  for kind in $(wanted_accounts); do
    role=$(database_role "$kind")
    if [ -n "$role" ]; then give "$kind" "$role" "$only_this"; fi
  done
  give trigger roles/eventarc.eventReceiver ""
  give build roles/run.builder ""
  take_back build roles/cloudbuild.builds.builder # versions before gave it, and it may start builds
}

# Those of versions before have no description.
is_our_account() {
  local found description name
  found=$(row "$TMP/accounts.out" "$(account "$1")")
  description=$(field "$found" description) name=$(field "$found" display)
  [ -n "$found" ] && { [ "$description" = "$MADE_BY_US" ] || [ "$name" = "$(purpose "$1")" ]; }
}

make_account() {
  has_row "$TMP/accounts.out" "$(account "$1")" ||
    changed "make the service account $ACCOUNTS-$1" cloud iam service-accounts create "$ACCOUNTS-$1" \
      --display-name="$(purpose "$1")" --description="$MADE_BY_US"
}

give() {
  local member role=$2 condition=$3
  member=serviceAccount:$(account "$1")
  if [ -n "$(having "$TMP/policy.out" "name=$member" "role=$role" "condition=$condition")" ]; then return; fi
  if [ -n "$condition" ]; then condition="expression=$condition,title=$ACCOUNTS-$1-database"; else condition=None; fi
  changed "give $ACCOUNTS-$1 the role $role" cloud projects add-iam-policy-binding "$PROJECT" --member="$member" --role="$role" --condition="$condition"
}

take_back() {
  local member role=$2
  member=serviceAccount:$(account "$1")
  [ -n "$(having "$TMP/policy.out" "name=$member" "role=$role" condition=)" ] || return 0
  changed "take the role $role back from $ACCOUNTS-$1" cloud projects remove-iam-policy-binding "$PROJECT" --all --member="$member" --role="$role"
}

# Once no function uses it any more: the database of before (another --database, or a backup brought back).
leave_other_databases() {
  local kind role member condition line this="resource.name==\"projects/$PROJECT/databases/$DATABASE\""
  for kind in $(kinds_with_database); do
    member=serviceAccount:$(account "$kind")
    while IFS= read -r line; do
      role=$(field "$line" role) condition=$(field "$line" condition)
      if [ -z "$condition" ] || [ "$condition" = "$this" ]; then continue; fi
      changed "take $ACCOUNTS-$kind's role $role on the database of before" cloud projects remove-iam-policy-binding "$PROJECT" \
        --member="$member" --role="$role" --condition="expression=$condition,title=$ACCOUNTS-$kind-database"
    done <<<"$(row "$TMP/policy.out" "$member")"
  done
}

# ask_for VARIABLE LABEL [-s]: asks on the terminal; -s does not show what is typed.
ask_for() {
  [ -t 0 ] || fail "$1 is not set and there is no terminal to ask on: export $1, then run the same command again."
  printf '%s: ' "$2"
  # shellcheck disable=SC2229,SC2086 # no flag at all when it may be shown
  read -r ${3:-} ANSWER
  printf '\n'
  [ -n "$ANSWER" ] || fail "$1 was left empty: run the same command again and give it."
}
