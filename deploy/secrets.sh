# shellcheck shell=bash
# The secrets: which functions are given them, who may read them, and how a value gets into Secret Manager.

# Variable, secret, and which functions get it: one of these kinds in their column. Only the first must have a value.
# token: functions that make REST calls with the auth token and check no signature (deploy/api_key.sh).
SECRETS="
TWILIO_AUTH_TOKEN:twilio-auth-token:twilio+token
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

has_secret() { has_row "$TMP/secrets.out" "$1"; }

# A newest version that is disabled or destroyed is no value: an instance could not start with it.
has_value() { [ -n "$(having "$TMP/secrets.out" "name=$1" state=ENABLED)" ]; }

names_of_secrets() {
  local pair
  for pair in $SECRETS; do echo "$SECRET_PREFIX$(echo "$pair" | cut -d : -f 2)"; done
}

# Ours carry our label; those of versions before do not, but our runtime account may read them.
is_our_secret() {
  if [ -n "$(having "$TMP/secrets.out" "name=$1" "owner=$ACCOUNTS")" ]; then return 0; fi
  readers_of "$1"
  has_line "$TMP/readers.$1.out" "serviceAccount:$(account runtime)"
}

readers_of() {
  [ -e "$TMP/readers.$1.out" ] || look "readers.$1" "see who may read the secret $1" cloud secrets get-iam-policy "$1" \
    --flatten='bindings[].members' --filter='bindings.role=roles/secretmanager.secretAccessor' --format='value(bindings.members)'
}

# readers_wanted KINDS: the accounts of the functions that are given one of these kinds of secrets.
readers_wanted() {
  awk -v kinds="$1" '
    BEGIN { n = split(kinds, kind, "+") }
    NF >= 7 { for (i = 1; i <= n; i++) if (("+" $7 "+") ~ ("\\+" kind[i] "\\+")) print $6 }' <<<"$FUNCTIONS" | sort -u
}

is_given() { [ -n "$(readers_wanted "$1")" ]; }

prepare_secrets() {
  local pair variable secret kind
  [ -n "$ONLY" ] || step "Secrets"
  SECRET_FLAGS="" UNUSED_SECRETS=""
  for secret in $(names_of_secrets); do
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
  STORED="" STORED_VERSION=""
  if has_secret "$secret"; then
    label_secret "$secret"
    if has_value "$secret"; then read_secret "$secret"; fi
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
  if [ -z "$(having "$TMP/secrets.out" "name=$1" "owner=$ACCOUNTS")" ] && [ -z "$ONLY" ]; then
    changed "label the secret $1" cloud secrets update "$1" --update-labels="app=$ACCOUNTS"
  fi
}

# secret_flag KINDS: the secrets of a function whose column says twilio+inbox, for instance.
secret_flag() {
  local one kind flag=""
  for one in $SECRET_FLAGS; do
    for kind in $(echo "${one%%:*}" | tr + ' '); do
      case "+$1+" in *"+$kind+"*) ;; *) continue ;; esac
      flag="${flag:+$flag,}${one#*:}"
      break
    done
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

# Everywhere, or in the region alone where the organisation does not allow "global" (constraints/gcp.resourceLocations).
create_secret() {
  local said
  said=$(mktemp "$TMP/secret.XXXXXX")
  if [ ! -e "$TMP/secrets-here" ]; then
    cloud "$@" --replication-policy=automatic 2>"$said" && return
    grep -qi 'gcp.resourceLocations' "$said" || { cat "$said" >&2 && return 1; }
    touch "$TMP/secrets-here"
  fi
  cloud "$@" --replication-policy=user-managed --locations="$REGION"
}

# The value goes through a pipe: never on a command line, never into a file.
store_secret() {
  local secret=$1 value=$2 log=$TMP/$1
  NEW_VERSION=next
  has_secret "$secret" || changed "make the secret $secret" create_secret secrets create "$secret" --labels="app=$ACCOUNTS"
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
  readers_wanted "$kind" >"$TMP/wanted.$secret"
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
  local secret kind member
  [ -z "$ONLY" ] || return 0
  for secret in $(names_of_secrets); do
    [ -e "$TMP/wanted.$secret" ] || continue
    for kind in $ACCOUNT_KINDS; do
      member=serviceAccount:$(account "$kind")
      if has_line "$TMP/wanted.$secret" "$kind" || ! has_line "$TMP/readers.$secret.out" "$member"; then continue; fi
      changed "stop $ACCOUNTS-$kind from reading the secret $secret" cloud secrets remove-iam-policy-binding "$secret" \
        --member="$member" --role=roles/secretmanager.secretAccessor
    done
  done
}
