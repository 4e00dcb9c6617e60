# shellcheck shell=bash
# What has to be there before anything is changed: gcloud, a signed-in person, a project with billing, the region.

APIS="cloudresourcemanager cloudfunctions run cloudbuild artifactregistry eventarc pubsub firestore firebaserules secretmanager cloudscheduler iam logging"

# Only when alerts are wanted, or there already.
wanted_apis() {
  local api
  for api in $APIS ${ALERT_EMAIL:+monitoring} ${BUDGET:+monitoring cloudbilling billingbudgets}; do echo "$api.googleapis.com"; done
}

check_tools() {
  command -v gcloud >/dev/null || fail "The gcloud command is missing: install it from https://cloud.google.com/sdk/docs/install, then run 'gcloud auth login'."
  if [ -z "${PYTHON:-}" ]; then
    # shellcheck source=local/setup.sh
    . local/setup.sh
    setup_environment || fail "The tools need .venv, which could not be made (above)."
    PYTHON=.venv/bin/python
  fi
}

# A token lasts an hour at most, and large indexes may take longer to build: before each part that needs it.
renew_token() {
  if [ "$DRY_RUN" = 0 ]; then read_token; fi
}

read_token() {
  # gcloud writes into its own log what it prints, so it must keep none of this.
  CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 attempt "$TMP/token" gcloud auth print-access-token --quiet || explain "sign in" "$TMP/token.err"
  GOOGLE_ACCESS_TOKEN=$(cat "$TMP/token.out")
  rm -f "$TMP/token.out"
  export GOOGLE_ACCESS_TOKEN
}

check_project() {
  read_token
  later look billing "look at the billing account" cloud_or_nothing billing projects describe "$PROJECT" --format='value(billingEnabled)'
  later look apis "list the enabled APIs" cloud services list --enabled --format='value(config.name)'
  all_done
  if [ "$(cat "$TMP/billing.out")" = False ]; then no_billing; fi
}

# The billing API may be out of a deployer's reach; enabling the others says the same a moment later.
cloud_or_nothing() { cloud "$@" 2>/dev/null || true; }

enable_apis() {
  local missing="" api
  for api in $(wanted_apis); do
    has_line "$TMP/apis.out" "$api" || missing="$missing $api"
  done
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # a list of words
  changed "enable the APIs$missing" cloud services enable $missing
  if [ "$DRY_RUN" = 1 ]; then
    note "The rest can only be compared once these are on; a dry run ends here in a new project."
    exit 3
  fi
}

# Everything that is missing is named before anything is changed, and not one refusal after the other.
check_permissions() {
  local words=--later missing
  if [ ! -s "$TMP/functions.out" ]; then words=--first; fi
  if [ -n "$ONLY" ]; then words=--functions; fi
  look missing "see what you may do" "$PYTHON" -m tools.permissions --project "$PROJECT" "$words"
  missing=$(paste -s -d ';' "$TMP/missing.out" | sed 's/;/, /g')
  [ -z "$missing" ] || fail "You may not do all that this needs in $PROJECT; nothing was changed. Missing: $missing. Have an owner of the project give you the roles listed in docs/deploying.md, then run the same command again."
}

# Where both Cloud Functions and Cloud Scheduler are offered.
both_regions() {
  values name <"$TMP/regions.out" | sort | grep -xF -f <(values name <"$TMP/scheduler_regions.out") | tr '\n' ' ' | sed 's/ $//'
}

check_region() {
  has_row "$TMP/regions.out" "$REGION" || fail "There is no Cloud Functions region '$REGION': choose one of $(both_regions)."
  if [ ! -s "$TMP/scheduler_regions.out" ] || has_row "$TMP/scheduler_regions.out" "$REGION"; then return; fi
  fail "Cloud Scheduler, which calls the sweep, is not offered in $REGION: choose another region with --region, one of $(both_regions)."
}
