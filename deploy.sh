#!/usr/bin/env bash
# Deploys everything to one Google Cloud project, as often as you like: what is already so is left alone. See --help.
set -euo pipefail
cd "$(dirname "$0")"

# entry point            called by   seconds  kept warm  at most  runs as    secrets            documents
# At most N: --max-instances; a number: never more. Runs as: deploy/accounts.sh. Secrets: whose values it is given ("-":
# none). twilio: what webhooks are signed with; calls: what REST calls need, the API key's secret if there is one, else
# the auth token. A function more is one line here, one in functions/table.py and one in main.py.
FUNCTIONS="
pre_event                twilio      10       warm       N        runtime    twilio
post_event               twilio      30       warm       N        runtime    twilio+calls
routing                  twilio      30       warm       N        runtime    twilio+calls
crm                      twilio      10       -          2        runtime    twilio
outgoing_conversation    twilio      10       -          2        runtime    twilio
templates                twilio      10       -          2        runtime    twilio
worker_available         firestore   60       -          N        runtime    calls              workers/{identity}
customer_written         firestore   60       -          2        records    -                  customers/{customer_id}
pool_written             firestore   60       -          2        runtime    calls              pools/{pool_id}
conversation_written     firestore   60       -          N        runtime    calls+push         conversations/{sid}
sweep                    scheduler   60       -          2        runtime    calls
wallboard                person      30       -          2        wallboard  -
inbox                    worker      30       -          N        inbox      calls+inbox+push
desk                     worker      60       -          2        inbox      calls+inbox+push
"

usage() {
  cat <<'TEXT'
Usage: ./deploy.sh --project PROJECT [options]

  --project PROJECT         the Google Cloud project; its billing account must be linked
  --region REGION           where the functions run (default: where they run already, else us-central1)
  --database NAME           the Firestore database (default: (default))
  --database-location LOC   where to make it if there is none (default: the region; nam5 and eur3 span several)
  --prefix X                names become X-pre-event and so on, with accounts and secrets of their own
  --base-url URL            public address in front of the functions (default: https://REGION-PROJECT.cloudfunctions.net)
  --min-instances N         keep N instances of pre-event, post-event and routing warm (1 is advised; costs money)
  --max-instances N         at most N instances of each webhook at once (default: 10; a new project's quota allows 10 to 20)
  --alert-email ADDRESS     make alerts that write to this address when something is broken; kept up to date by later runs;
                            may be repeated: the addresses of the last run with this option count
  --alert-waiting MINUTES   with --alert-email: how long a customer may wait before it does (default: 30)
  --budget AMOUNT           send mail when the project's cost in a month nears AMOUNT, in the billing account's currency
  --no-backups              make a new database without point-in-time recovery and daily backups
  --share-database          use the database although another application or another installation of this service is in it;
                            replaces the rules
  --keep-others             leave functions of this installation that this version of the service does not have
  --ingress WHICH           all (default), or internal-and-gclb: the public functions only answer behind your load balancer
  --supervisor ADDRESS      make this worker a supervisor, who may open the desk; may be repeated
  --oidc-client-id ID       the OAuth client that signs people into inbox and desk; its secret: OIDC_CLIENT_SECRET, or asked for
  --allowed-domain DOMAIN   only addresses of this domain sign in; may be repeated; '' allows every domain again
  --trust-email             accept an issuer of your own that sends no email_verified (Entra ID)
  --twilio-api-key [SK...]  make REST calls with this API key, so that the auth token only checks signatures; its secret:
                            TWILIO_API_KEY_SECRET, or asked for; '' returns to the auth token
  --only NAME               deploy and probe this function alone, after one complete run
  --dry-run                 print what would be done, change nothing; exit status 3 if something would change
  --no-probe                do not check the deployed webhooks with signed and unsigned requests;
                            with --delete: leave Twilio's settings alone
  --twilio                  then set up Twilio's side (python -m tools.twilio_setup)
  --number NUMBER           with --twilio: an address whose messages start conversations: +1..., whatsapp:+1..., 12345:US (a short code),
                            messenger:..., rcs:..., urn:mbid:... or an e-mail address; may be repeated
  --delete                  list what this made and remove it after a question; never Firestore data
  --yes                     answer yes to every question
  --help

Reads TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN from the environment, else asks for them. Optional, from the environment:
TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET, TWILIO_CONVERSATION_SERVICE_SID, TWILIO_SMS_NUMBER, TWILIO_WHATSAPP_NUMBER,
TWILIO_AUTH_TOKEN_SECONDARY, TWILIO_WEBHOOK_SHARED_KEY; for the inbox OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_ISSUER,
OIDC_ALLOWED_DOMAINS, OIDC_TRUST_EMAIL, INBOX_URL, DESK_URL, INBOX_SIGN_IN, VAPID_SUBJECT. What is not given stays as deployed; an empty value takes it away.
docs/deploying.md tells the whole way.
TEXT
}

PROJECT="" REGION="" DATABASE="" DATABASE_LOCATION="" PREFIX="" BASE_URL="" MIN_INSTANCES="" MAX_INSTANCES="" ONLY=""
ALERT_EMAIL="" ALERT_WAITING="" BUDGET="" BACKUPS=1 SHARE_DATABASE=0 KEEP_OTHERS=0 INGRESS="" SUPERVISORS=""
DRY_RUN=0 PROBE=1 TWILIO=0 NUMBERS="" DELETE=0 YES=0
API_KEY=0 DOMAINS_ARE_GIVEN=0 DEPLOYED_KEY_SID=""
REMEMBERED="TWILIO_ACCOUNT_SID TWILIO_CONVERSATION_SERVICE_SID TWILIO_SMS_NUMBER TWILIO_WHATSAPP_NUMBER"
# Of functions whose secrets include the kind `inbox`.
REMEMBERED_BY_INBOX="INBOX_URL OIDC_ISSUER OIDC_CLIENT_ID VAPID_SUBJECT INBOX_SIGN_IN IAP_AUDIENCE OIDC_ALLOWED_DOMAINS OIDC_TRUST_EMAIL DESK_URL DESK_IAP_AUDIENCE"
REMEMBERED_BY_CALLERS="TWILIO_API_KEY_SID" # by the functions that make REST calls with the key
RETRIES=${DEPLOY_RETRIES:-8} RETRY_SECONDS=${DEPLOY_RETRY_SECONDS:-15}

TMP=$(mktemp -d)
. deploy/say.sh
. deploy/cloud.sh
. deploy/needs.sh
. deploy/database.sh
. deploy/accounts.sh
. deploy/secrets.sh
. deploy/api_key.sh
. deploy/functions.sh
. deploy/services.sh
. deploy/inbox.sh
. deploy/alerts.sh
. deploy/twilio.sh
. deploy/remove.sh
trap 'rm -rf "$TMP"' EXIT
trap interrupted INT TERM HUP

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --help | -h) usage && exit 0 ;;
      --dry-run) DRY_RUN=1 ;;
      --no-probe) PROBE=0 ;;
      --twilio) TWILIO=1 ;;
      --delete) DELETE=1 ;;
      --yes) YES=1 ;;
      --no-backups) BACKUPS=0 ;;
      --share-database) SHARE_DATABASE=1 ;;
      --keep-others) KEEP_OTHERS=1 ;;
      --trust-email) OIDC_TRUST_EMAIL=1 ;;
      --twilio-api-key)
        API_KEY=1
        if [ $# -gt 1 ] && [[ "$2" != -* ]]; then
          TWILIO_API_KEY_SID=$2
          if [ -z "$2" ]; then API_KEY=0; fi
          shift
        fi
        ;;
      --allowed-domain)
        [ $# -gt 1 ] || fail "$1 needs a value: see ./deploy.sh --help."
        add_domain "$2"
        shift
        ;;
      --project | --region | --database | --database-location | --prefix | --base-url | --min-instances | --max-instances | \
        --alert-email | --alert-waiting | --budget | --oidc-client-id | --ingress | --supervisor | --only | --number)
        if [ -z "${2:-}" ]; then fail "$1 needs a value: see ./deploy.sh --help."; fi
        read_value "$1" "$2"
        shift
        ;;
      *) fail "'$1' is not an option: see ./deploy.sh --help." ;;
    esac
    shift
  done
}

read_value() {
  case "$1" in
    --project) PROJECT=$2 ;;
    --region) REGION=$2 ;;
    --database) DATABASE=$2 ;;
    --database-location) DATABASE_LOCATION=$2 ;;
    --prefix) PREFIX=$2 ;;
    --base-url) BASE_URL=${2%/} ;;
    --min-instances) MIN_INSTANCES=$2 ;;
    --max-instances) MAX_INSTANCES=$2 ;;
    --alert-email) add_alert_address "$2" ;;
    --alert-waiting) ALERT_WAITING=$2 ;;
    --budget) BUDGET=$2 ;;
    --oidc-client-id) OIDC_CLIENT_ID=$2 ;;
    --ingress) INGRESS=$2 ;;
    --supervisor) SUPERVISORS="$SUPERVISORS $2" ;;
    --only) ONLY=$(echo "$2" | tr _ -) ;;
    --number) NUMBERS="$NUMBERS --number $2" ;;
  esac
}

# One word each, so that a list of them is one string.
add_alert_address() {
  [[ "$1" =~ ^[^@[:space:]*?]+@[^@[:space:]*?]+\.[^@[:space:]*?]+$ ]] || fail "--alert-email '$1' must be an e-mail address."
  ALERT_EMAIL="${ALERT_EMAIL:+$ALERT_EMAIL }$1"
}

check_arguments() {
  [ -n "$PROJECT" ] || fail "Which project? Add --project PROJECT; 'gcloud projects list' shows yours."
  [[ "$PROJECT" =~ ^[a-z][a-z0-9.:-]*$ ]] || fail "--project '$PROJECT' must be a project's id, not its name or number."
  [[ "$REGION" =~ ^[a-z0-9-]*$ ]] || fail "--region '$REGION' must be a region such as us-central1."
  [[ "$DATABASE" =~ ^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])?$ ]] || fail "--database '$DATABASE' must be 4 to 63 lower-case letters, digits and hyphens, or (default)."
  [[ "$PREFIX" =~ ^([a-z]([a-z0-9-]{0,17}[a-z0-9])?)?$ ]] || fail "--prefix '$PREFIX' must be 1 to 19 lower-case letters, digits and hyphens, beginning with a letter."
  [ "$PREFIX" != inbound ] || fail "--prefix inbound would share accounts with the installation that has no prefix: choose another one."
  [[ "$MIN_INSTANCES" =~ ^[0-9]*$ ]] || fail "--min-instances '$MIN_INSTANCES' must be a whole number."
  [[ "$MAX_INSTANCES" =~ ^([1-9][0-9]*)?$ ]] || fail "--max-instances '$MAX_INSTANCES' must be a whole number from 1."
  [[ "$ALERT_WAITING" =~ ^([1-9][0-9]*)?$ ]] || fail "--alert-waiting '$ALERT_WAITING' must be whole minutes, from 1."
  [[ "$BUDGET" =~ ^([1-9][0-9]*)?$ ]] || fail "--budget '$BUDGET' must be a whole amount a month, from 1."
  [ -z "$ALERT_WAITING" ] || [ -n "$ALERT_EMAIL" ] || fail "--alert-waiting needs --alert-email ADDRESS."
  [ -z "$BASE_URL" ] || is_public_address "$BASE_URL" || fail "--base-url '$BASE_URL' must be an address such as https://example.com, with https and without ? and #."
  [[ "$INGRESS" =~ ^(all|internal-and-gclb)?$ ]] || fail "--ingress '$INGRESS' must be all or internal-and-gclb."
  check_supervisors
  check_domains
  is_function "$ONLY" || ONLY=${ONLY#"$PREFIX-"}
  if [ -n "$ONLY" ] && ! is_function "$ONLY"; then
    fail "There is no function '$ONLY': the names are$(echo "$FUNCTIONS" | cut -d ' ' -f 1 | tr '_\n' '- ' | sed 's/  */ /g; s/ $//')."
  fi
  ACCOUNTS=${PREFIX:-inbound}
  NAME_PREFIX=${PREFIX:+$PREFIX-}
  SECRET_PREFIX=$NAME_PREFIX
  DRY_FLAG="" YES_FLAG=""
  if [ "$DRY_RUN" = 1 ]; then DRY_FLAG=--dry-run; fi
  if [ "$YES" = 1 ]; then YES_FLAG=--yes; fi
}

# An address of this machine may do without https, for tests.
is_public_address() { [[ "$1" =~ ^(https://[^/?#,|]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?)(/[^?#,|]*)?$ ]]; }

check_supervisors() {
  local address
  for address in $SUPERVISORS; do
    [[ "$address" =~ ^[^@/[:space:]]+@[^@/[:space:]]+\.[^@/[:space:]]+$ ]] || fail "--supervisor '$address' must be an e-mail address, the one that the worker signs in with."
  done
}

is_function() { echo "$FUNCTIONS" | cut -d ' ' -f 1 | tr _ - | grep -qxF -- "$1"; }

# What may make the rest pointless: another region, a database elsewhere, settings of an earlier run.
look_ahead() {
  later look regions "list the regions" state regions
  later look scheduler_regions "list the scheduler's regions" state scheduler_regions
  later look all "list the functions" state functions
  later look databases "list the databases" state databases
  all_done
  settle_region
}

# Nobody says where: where they run already. Two copies would share one database.
settle_region() {
  local regions
  REGION_IS_CHOSEN=1
  keep_ours
  regions=$(values region <"$TMP/everywhere.out" | sort -u)
  if [ -z "$REGION" ]; then
    [ "$(echo "$regions" | wc -l)" -le 1 ] || fail "These functions run in more than one region: add --region with one of $(echo "$regions" | tr '\n' ' ' | sed 's/ $//')."
    [ -n "$regions" ] || REGION_IS_CHOSEN=0
    REGION=${regions:-us-central1}
  fi
  ELSEWHERE=$(echo "$regions" | grep -vxF -- "$REGION" | tr '\n' ' ' | sed 's/ $//' || true)
  keep_region
}

check_elsewhere() {
  [ -z "$ELSEWHERE" ] || fail "These functions run in $ELSEWHERE already and would share the database: leave out --region, take them down there first (--delete --region ${ELSEWHERE%% *}), or add a --prefix and a --database."
}

# What else is there already, read at once.
look_around() {
  later look accounts "list the service accounts" state accounts
  later look policy "read the project's access policy" state policy
  # shellcheck disable=SC2046 # a list of words
  later look secrets "list the secrets" state secrets $(names_of_secrets)
  later look jobs "list the scheduler jobs" state jobs
  later look services "list the Cloud Run services" state services
  all_done
}

# Settings that nobody gave stay as they are deployed.
recall() {
  local deployed name
  deployed=$(row "$TMP/functions.out" "$(deployed_name pre_event)")
  MIN_INSTANCES=${MIN_INSTANCES:-$(field "$deployed" least)}
  MIN_INSTANCES=${MIN_INSTANCES:-0}
  MAX_INSTANCES=${MAX_INSTANCES:-$(field "$deployed" most)}
  MAX_INSTANCES=${MAX_INSTANCES:-10}
  DATABASE=${DATABASE:-$(field "$deployed" FIRESTORE_DATABASE)}
  DATABASE=${DATABASE:-(default)}
  BASE_URL=${BASE_URL:-$(field "$deployed" WEBHOOK_BASE_URL)}
  BASE_URL=${BASE_URL:-https://$REGION-$PROJECT.cloudfunctions.net}
  recall_ingress "$(field "$deployed" ingress)"
  # shellcheck disable=SC2086 # a list of words
  {
    recall_from pre_event $REMEMBERED
    recall_from inbox $REMEMBERED_BY_INBOX
    recall_from post_event $REMEMBERED_BY_CALLERS
  }
  DEPLOYED_KEY_SID=$(field "$(row "$TMP/functions.out" "$(deployed_name post_event)")" "$REMEMBERED_BY_CALLERS")
  if [ "$MIN_INSTANCES" -gt "$MAX_INSTANCES" ]; then fail "--min-instances $MIN_INSTANCES is more than --max-instances $MAX_INSTANCES."; fi
}

# recall_ingress DEPLOYED: behind a load balancer the functions' own addresses answer no other caller.
recall_ingress() {
  if [ -z "$INGRESS" ]; then
    INGRESS=all
    if [ "$1" = ALLOW_INTERNAL_AND_GCLB ]; then INGRESS=internal-and-gclb; fi
  fi
  if [ "$INGRESS" = internal-and-gclb ] && [[ "$BASE_URL" == *.cloudfunctions.net* ]]; then
    fail "--ingress internal-and-gclb closes the functions' own addresses, and Twilio would reach none: add --base-url with the address of your load balancer."
  fi
}

# recall_from ENTRY NAME...: the settings of that function, where the environment has none.
recall_from() {
  local deployed name
  deployed=$(row "$TMP/functions.out" "$(deployed_name "$1")")
  shift
  for name in "$@"; do
    if [ -z "${!name+set}" ]; then printf -v "$name" '%s' "$(field "$deployed" "$name")"; fi
    [[ "${!name}" != *[\|[:space:]]* ]] || fail "$name must be one word, without spaces."
  done
}

# Everything that has to be asked is asked before anything is changed.
check_account() {
  if [ -z "${TWILIO_AUTH_TOKEN:-}" ] && ! has_value "${SECRET_PREFIX}twilio-auth-token"; then
    ask_for TWILIO_AUTH_TOKEN "Twilio auth token (not shown)" -s
    TWILIO_AUTH_TOKEN=$ANSWER
  fi
  if [ -z "$TWILIO_ACCOUNT_SID" ]; then
    ask_for TWILIO_ACCOUNT_SID "Twilio account SID (AC...)"
    TWILIO_ACCOUNT_SID=$ANSWER
  fi
  [[ "$TWILIO_ACCOUNT_SID" =~ ^AC[0-9a-fA-F]{32}$ ]] || fail "TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits; the Twilio Console shows it on its first page."
  settle_api_key
}

summary() {
  if [ "$DRY_RUN" = 1 ]; then
    step "Nothing was changed (dry run)."
    if [ -s "$CHANGES" ]; then exit 3; fi
  elif [ -s "$CHANGES" ]; then
    step "Done: $(wc -l <"$CHANGES" | tr -d ' ') changes, version $(version_label). Webhooks are at $BASE_URL/${NAME_PREFIX}pre-event and so on."
  else
    step "Done: everything was already so; nothing was changed."
  fi
}

main() {
  read_arguments "$@"
  check_arguments
  keep_secrets_here
  check_tools
  step "Project $PROJECT"
  check_project
  if [ "$DELETE" = 1 ]; then
    delete_everything
    exit 0
  fi
  enable_apis
  look_ahead
  check_region
  check_elsewhere
  check_permissions
  recall
  check_database
  look_around
  check_owners
  check_account
  settle_inbox
  if [ -z "$ONLY" ]; then
    prepare_database
    prepare_accounts
  else
    check_indexes
  fi
  prepare_secrets
  check_api_key
  renew_token
  wait_for_indexes # before any code that queries with them serves
  renew_token
  upgrade_records # a worker of an earlier version must not be locked out by the new code
  deploy_functions
  renew_token
  remove_unknown
  take_back_secrets
  remove_secrets
  if [ -z "$ONLY" ]; then
    leave_other_databases
    schedule_sweep
    default_records
    make_supervisors
    keep_few_images
    set_up_alerts
    set_up_budget
  fi
  probe_webhooks
  probe_pages
  set_up_twilio
  say_what_is_open
  summary
}

# In braces: bash reads a script as it goes, and this one may be replaced meanwhile.
{ main "$@"; exit; }
