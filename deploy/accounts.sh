# shellcheck shell=bash
# Who may do what: one service account each for running, triggers, building and the scheduler; and the Twilio secrets.

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

# Those that this version's functions need.
wanted_accounts() {
  local kind
  for kind in $ACCOUNT_KINDS; do
    case "$kind" in
      inbox | wallboard) if is_function "$kind"; then echo "$kind"; fi ;;
      *) echo "$kind" ;;
    esac
  done
}

# The account that a function runs as: one that faces browsers has its own, and one without secrets may read none.
account_of() {
  case "$1" in
    inbox | wallboard) echo "$1" ;;
    customer_written) echo records ;;
    *) echo runtime ;;
  esac
}

prepare_accounts() {
  local kind only_this="resource.name==\"projects/$PROJECT/databases/$DATABASE\""
  step "Service accounts"
  for kind in $(wanted_accounts); do later make_account "$kind"; done
  all_done
  # Whoever runs a function reaches this one database and no other.
  give runtime roles/datastore.user "$only_this"
  give records roles/datastore.user "$only_this"
  if is_function wallboard; then give wallboard roles/datastore.viewer "$only_this"; fi
  if is_function inbox; then give inbox roles/datastore.user "$only_this"; fi
  give trigger roles/eventarc.eventReceiver ""
  give build roles/run.builder ""
  take_back build roles/cloudbuild.builds.builder # versions before gave it, and it may start builds
}

# Those of versions before have no description.
is_our_account() {
  local found description name
  found=$(row "$TMP/accounts.out" '|' "$(account "$1")")
  IFS='|' read -r _ description name <<<"$found"
  [ -n "$found" ] && { [ "$description" = "$MADE_BY_US" ] || [ "$name" = "$(purpose "$1")" ]; }
}

make_account() {
  [ -n "$(row "$TMP/accounts.out" '|' "$(account "$1")")" ] ||
    changed "make the service account $ACCOUNTS-$1" cloud iam service-accounts create "$ACCOUNTS-$1" \
      --display-name="$(purpose "$1")" --description="$MADE_BY_US"
}

give() {
  local member role=$2 condition=$3
  member=serviceAccount:$(account "$1")
  if has_line "$TMP/policy.out" "$role|$member|$condition"; then return; fi
  if [ -n "$condition" ]; then condition="expression=$condition,title=$ACCOUNTS-$1-database"; else condition=None; fi
  changed "give $ACCOUNTS-$1 the role $role" cloud projects add-iam-policy-binding "$PROJECT" --member="$member" --role="$role" --condition="$condition"
}

take_back() {
  local member role=$2
  member=serviceAccount:$(account "$1")
  has_line "$TMP/policy.out" "$role|$member|" || return 0
  changed "take the role $role back from $ACCOUNTS-$1" cloud projects remove-iam-policy-binding "$PROJECT" --all --member="$member" --role="$role"
}

# Once no function uses it any more: the database of before (another --database, or a backup brought back).
leave_other_databases() {
  local kind role member condition this="resource.name==\"projects/$PROJECT/databases/$DATABASE\""
  for kind in runtime records wallboard inbox; do
    while IFS='|' read -r role member condition; do
      if [ -z "$condition" ] || [ "$condition" = "$this" ]; then continue; fi
      changed "take $ACCOUNTS-$kind's role $role on the database of before" cloud projects remove-iam-policy-binding "$PROJECT" \
        --member="$member" --role="$role" --condition="expression=$condition,title=$ACCOUNTS-$kind-database"
    done <<<"$(grep -F "|serviceAccount:$(account "$kind")|" "$TMP/policy.out" || true)"
  done
}

# Variable, secret, and which functions get it (the column of the table); only the first must have a value.
SECRETS="
TWILIO_AUTH_TOKEN:twilio-auth-token:twilio
TWILIO_AUTH_TOKEN_SECONDARY:twilio-auth-token-secondary:twilio
TWILIO_WEBHOOK_SHARED_KEY:twilio-webhook-shared-key:twilio
TWILIO_API_KEY_SECRET:twilio-api-key-secret:key
INBOX_SECRET:inbox-secret:inbox
OIDC_CLIENT_SECRET:oidc-client-secret:inbox
VAPID_PRIVATE_KEY:vapid-private-key:push
"

# No other program needs them: gcloud, pip and the tools get only what is passed to them.
keep_secrets_here() {
  local pair
  for pair in $SECRETS; do export -n "${pair%%:*}"; done
}

has_secret() { [ -n "$(row "$TMP/secrets.out" '|' "$1")" ]; }

# Ours carry our label; those of versions before do not, but our runtime account may read them.
is_our_secret() {
  local found
  found=$(row "$TMP/secrets.out" '|' "$1")
  if [ "${found#*|}" = "$ACCOUNTS" ]; then return 0; fi
  readers_of "$1"
  has_line "$TMP/readers.$1.out" "serviceAccount:$(account runtime)"
}

readers_of() {
  [ -e "$TMP/readers.$1.out" ] || look "readers.$1" "see who may read the secret $1" cloud secrets get-iam-policy "$1" \
    --flatten='bindings[].members' --filter='bindings.role=roles/secretmanager.secretAccessor' --format='value(bindings.members)'
}

# Whether a function of the table is given these secrets.
is_given() { echo "$FUNCTIONS" | awk -v kind="$1" 'NF >= 6 && ("+" $6 "+") ~ ("\\+" kind "\\+") { found = 1 } END { exit !found }'; }

prepare_secrets() {
  local pair variable secret kind
  [ -n "$ONLY" ] || step "Secrets"
  SECRET_FLAGS="" UNUSED_SECRETS=""
  for pair in $SECRETS; do
    secret=$SECRET_PREFIX$(echo "$pair" | cut -d : -f 2)
    if has_secret "$secret"; then later readers_of "$secret"; fi
  done
  all_done
  for pair in $SECRETS; do
    IFS=: read -r variable secret kind <<<"$pair"
    if is_given "$kind"; then
      prepare_secret "$variable" "$SECRET_PREFIX$secret" "$kind"
    elif has_secret "$SECRET_PREFIX$secret"; then
      drop_secret "$variable" "$SECRET_PREFIX$secret"
    fi
  done
}

# A value from the environment wins; an empty one takes an optional secret away; none keeps what is stored.
prepare_secret() {
  local variable=$1 secret=$2 kind=$3 stored="" version="" value
  if has_secret "$secret"; then
    label_secret "$secret"
    read_secret "$secret"
    version=$STORED_VERSION stored=$STORED
  fi
  if [ -n "${!variable+set}" ]; then value=${!variable}; else value=$stored; fi
  if [ -z "$value" ] && [ "$variable" = TWILIO_AUTH_TOKEN ]; then
    ask_for "$variable" "Twilio auth token (not shown)" -s
    value=$ANSWER
  fi
  if [ -z "$value" ] && { [ "$variable" = INBOX_SECRET ] || [ -z "${!variable+set}" ]; }; then value=$(made_value "$variable"); fi
  printf -v "$variable" '%s' "$value"
  if [ -z "$value" ]; then
    if [ -n "$stored" ]; then drop_secret "$variable" "$secret"; fi
    return
  fi
  if [ "$value" != "$stored" ]; then
    [ -z "$ONLY" ] || fail "The value of $variable is new: run without --only, so that every function gets it."
    store_secret "$secret" "$value"
    version=$NEW_VERSION
  fi
  let_read "$secret" "$kind"
  SECRET_FLAGS="$SECRET_FLAGS $kind:$variable=$secret:$version"
}

drop_secret() {
  [ -z "$ONLY" ] || fail "$1 is to be taken away: run without --only, so that no function needs it any more."
  UNUSED_SECRETS="$UNUSED_SECRETS $2"
}

# What nobody has to think of.
made_value() {
  case "$1" in
    INBOX_SECRET) "$PYTHON" -c 'import secrets; print(secrets.token_urlsafe(32))' ;;
    VAPID_PRIVATE_KEY) "$PYTHON" -m tools.vapid_key ;;
  esac
}

label_secret() {
  local found
  found=$(row "$TMP/secrets.out" '|' "$1")
  if [ "${found#*|}" != "$ACCOUNTS" ] && [ -z "$ONLY" ]; then
    changed "label the secret $1" cloud secrets update "$1" --update-labels="app=$ACCOUNTS"
  fi
}

# secret_flag KINDS: the secrets of a function whose column says twilio+inbox, for instance.
secret_flag() {
  local one flag=""
  for one in $SECRET_FLAGS; do
    case "+$1+" in *"+${one%%:*}+"*) flag="${flag:+$flag,}${one#*:}" ;; esac
  done
  echo "$flag"
}

# Only now: an instance does not start while its revision names a secret that is gone.
remove_secrets() {
  local secret
  for secret in $UNUSED_SECRETS; do changed "take away the secret $secret" cloud secrets delete "$secret"; done
}

# The newest version into STORED_VERSION and its value into STORED; both stay empty if there is none yet.
# gcloud must not write the value into its own log.
read_secret() {
  local both
  STORED="" STORED_VERSION=""
  both=$(CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 cloud secrets versions access latest --secret="$1" --format=json 2>"$TMP/secret.err" |
    "$PYTHON" -m tools.secret_value) || grep -q NOT_FOUND "$TMP/secret.err" || explain "read the secret $1" "$TMP/secret.err"
  if [ -n "$both" ]; then
    STORED_VERSION=${both%%$'\n'*}
    STORED=${both#*$'\n'}
  fi
}

# The value goes through a pipe: never on a command line, never into a file.
store_secret() {
  local secret=$1 value=$2 log=$TMP/$1
  NEW_VERSION=next
  has_secret "$secret" ||
    changed "make the secret $secret" cloud secrets create "$secret" --replication-policy=automatic --labels="app=$ACCOUNTS"
  if [ "$DRY_RUN" = 1 ]; then
    note "would add a version to the secret $secret"
    would "add a version to $secret"
    return
  fi
  printf '%s' "$value" | CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 gcloud secrets versions add "$secret" --data-file=- --format='value(name.basename())' \
    --project="$PROJECT" --quiet >"$log.out" 2>"$log.err" || explain "add a version to the secret $secret" "$log.err"
  NEW_VERSION=$(cat "$log.out")
  note "add version $NEW_VERSION to the secret $secret: done"
  echo "add a version to $secret" >>"$CHANGES"
}

# Each account that runs a function which is given the secret.
let_read() {
  local secret=$1 kind=$2 reader member
  for reader in $(echo "$FUNCTIONS" | awk -v kind="$kind" 'NF >= 6 && ("+" $6 "+") ~ ("\\+" kind "\\+") { print $1 }'); do account_of "$reader"; done | sort -u >"$TMP/wanted.$secret"
  if has_secret "$secret"; then readers_of "$secret"; else : >"$TMP/readers.$secret.out"; fi
  while read -r reader; do
    member=serviceAccount:$(account "$reader")
    if has_line "$TMP/readers.$secret.out" "$member"; then continue; fi
    changed "let $ACCOUNTS-$reader read the secret $secret" cloud secrets add-iam-policy-binding "$secret" \
      --member="$member" --role=roles/secretmanager.secretAccessor
  done <"$TMP/wanted.$secret"
}

# Only after every function was deployed: an account whose functions are given a secret no more may not read it either.
take_back_secrets() {
  local pair secret kind member
  [ -z "$ONLY" ] || return 0
  for pair in $SECRETS; do
    secret=$SECRET_PREFIX$(echo "$pair" | cut -d : -f 2)
    [ -e "$TMP/wanted.$secret" ] || continue
    for kind in $ACCOUNT_KINDS; do
      member=serviceAccount:$(account "$kind")
      if has_line "$TMP/wanted.$secret" "$kind" || ! has_line "$TMP/readers.$secret.out" "$member"; then continue; fi
      changed "stop $ACCOUNTS-$kind from reading the secret $secret" cloud secrets remove-iam-policy-binding "$secret" \
        --member="$member" --role=roles/secretmanager.secretAccessor
    done
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
