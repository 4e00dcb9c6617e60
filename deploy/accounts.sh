# shellcheck shell=bash
# Who may do what: one service account each for running, triggers, building and the scheduler; and the Twilio secrets.

account() { echo "$ACCOUNTS-$1@$PROJECT.iam.gserviceaccount.com"; }

prepare_accounts() {
  step "Service accounts"
  later make_account runtime "Runs the functions"
  later make_account trigger "Delivers Firestore's events"
  later make_account build "Builds the functions"
  later make_account scheduler "Calls the sweep every minute"
  all_done
  # The runtime account reaches this one database and no other.
  give runtime roles/datastore.user "resource.name==\"projects/$PROJECT/databases/$DATABASE\""
  give trigger roles/eventarc.eventReceiver ""
  give build roles/cloudbuild.builds.builder ""
}

make_account() {
  has_line "$TMP/accounts.out" "$(account "$1")" ||
    changed "make the service account $ACCOUNTS-$1" cloud iam service-accounts create "$ACCOUNTS-$1" --display-name="$2"
}

give() {
  local member role=$2 condition=$3
  member=serviceAccount:$(account "$1")
  if has_line "$TMP/policy.out" "$role|$member|$condition"; then return; fi
  if [ -n "$condition" ]; then condition="expression=$condition,title=$ACCOUNTS-$1-database"; else condition=None; fi
  changed "give $ACCOUNTS-$1 the role $role" cloud projects add-iam-policy-binding "$PROJECT" --member="$member" --role="$role" --condition="$condition"
}

# Variable and secret; only the first must have a value.
SECRETS="TWILIO_AUTH_TOKEN:twilio-auth-token TWILIO_AUTH_TOKEN_SECONDARY:twilio-auth-token-secondary TWILIO_WEBHOOK_SHARED_KEY:twilio-webhook-shared-key"

prepare_secrets() {
  local pair
  [ -n "$ONLY" ] || step "Secrets"
  SECRET_FLAG="" UNUSED_SECRETS=""
  for pair in $SECRETS; do prepare_secret "${pair%%:*}" "$SECRET_PREFIX${pair##*:}"; done
}

# A value from the environment wins; an empty one takes an optional secret away; none keeps what is stored.
prepare_secret() {
  local variable=$1 secret=$2 stored="" version="" value
  if has_line "$TMP/secrets.out" "$secret"; then
    read_secret "$secret"
    version=$STORED_VERSION stored=$STORED
  fi
  if [ -n "${!variable+set}" ]; then value=${!variable}; else value=$stored; fi
  if [ -z "$value" ] && [ "$variable" = TWILIO_AUTH_TOKEN ]; then
    ask_for "$variable" "Twilio auth token (not shown)" -s
    value=$ANSWER
  fi
  printf -v "$variable" '%s' "$value"
  if [ -z "$value" ]; then
    if [ -n "$stored" ]; then
      [ -z "$ONLY" ] || fail "$variable is to be taken away: run without --only, so that no function needs it any more."
      UNUSED_SECRETS="$UNUSED_SECRETS $secret"
    fi
    return
  fi
  if [ "$value" != "$stored" ]; then
    [ -z "$ONLY" ] || fail "The value of $variable is new: run without --only, so that every function gets it."
    store_secret "$secret" "$value"
    version=$NEW_VERSION
  fi
  let_runtime_read "$secret"
  SECRET_FLAG="${SECRET_FLAG:+$SECRET_FLAG,}$variable=$secret:$version"
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
  has_line "$TMP/secrets.out" "$secret" ||
    changed "make the secret $secret" cloud secrets create "$secret" --replication-policy=automatic
  if [ "$DRY_RUN" = 1 ]; then
    note "would add a version to the secret $secret"
    return
  fi
  printf '%s' "$value" | CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 gcloud secrets versions add "$secret" --data-file=- --format='value(name.basename())' \
    --project="$PROJECT" --quiet >"$log.out" 2>"$log.err" || explain "add a version to the secret $secret" "$log.err"
  NEW_VERSION=$(cat "$log.out")
  note "add version $NEW_VERSION to the secret $secret: done"
  echo "add a version to $secret" >>"$CHANGES"
}

let_runtime_read() {
  local secret=$1 member
  member=serviceAccount:$(account runtime)
  if has_line "$TMP/secrets.out" "$secret"; then
    attempt "$TMP/readers" cloud secrets get-iam-policy "$secret" --flatten='bindings[].members' \
      --filter='bindings.role=roles/secretmanager.secretAccessor' --format='value(bindings.members)' ||
      explain "see who may read the secret $secret" "$TMP/readers.err"
    if has_line "$TMP/readers.out" "$member"; then return; fi
  fi
  changed "let $ACCOUNTS-runtime read the secret $secret" cloud secrets add-iam-policy-binding "$secret" \
    --member="$member" --role=roles/secretmanager.secretAccessor
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
