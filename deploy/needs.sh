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

check_project() {
  # gcloud writes into its own log what it prints, so it must keep none of this.
  CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 attempt "$TMP/token" gcloud auth print-access-token --quiet || explain "sign in" "$TMP/token.err"
  GOOGLE_ACCESS_TOKEN=$(cat "$TMP/token.out")
  rm -f "$TMP/token.out"
  export GOOGLE_ACCESS_TOKEN
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

check_region() {
  has_line "$TMP/regions.out" "$REGION" ||
    fail "There is no Cloud Functions region '$REGION': choose one of$(sort "$TMP/regions.out" | tr '\n' ' ' | sed 's/^/ /; s/ $//')."
}
