# shellcheck shell=bash
# What deploy.sh tells a person: steps, one sentence per error, and how a failed gcloud is explained.

step() { printf '\n%s\n' "$1"; }
note() { printf '  %s\n' "$1"; }

# fail SENTENCE: one sentence that says what to do, and the end.
fail() {
  printf '\ndeploy.sh: %s\n' "$1" >&2
  exit 1
}

# explain DOING LOG: turns what gcloud wrote into one sentence, and ends.
explain() {
  local doing=$1 log=$2 lacking api
  explain_googles_limits "$doing" "$log"
  if grep -qiE 'billing (account|must be enabled|is disabled)|BILLING_DISABLED|billing to be enabled' "$log"; then
    no_billing
  fi
  if grep -qiE 'SERVICE_DISABLED|API has not been used in project' "$log"; then
    api=$(grep -oE '[a-z]+\.googleapis\.com' "$log" | head -n 1 || true)
    fail "Google Cloud would not $doing because an API is not enabled: run 'gcloud services enable ${api:-NAME.googleapis.com} --project $PROJECT', wait a minute, then run the same command again."
  fi
  if grep -qiE 'PERMISSION_DENIED|does not have permission|Permission .* denied|forbidden|\b403\b' "$log"; then
    lacking=$(grep -oE "[Pp]ermission '?[a-z]+(\.[A-Za-z]+)+'?" "$log" | head -n 1 | sed -E "s/^[Pp]ermission '?//; s/'$//" || true)
    fail "You may not $doing in $PROJECT${lacking:+: your account lacks $lacking}; have an owner of the project give you the roles listed in docs/deploying.md, then run the same command again, it continues from here."
  fi
  if grep -qiE 'no active account|gcloud auth login|reauthentication|invalid_grant|UNAUTHENTICATED' "$log"; then
    fail "gcloud is not signed in (any more): run 'gcloud auth login', then the same command again."
  fi
  if grep -qiE 'unable to (find|reach)|connection|network is unreachable|timed out|name resolution' "$log"; then
    fail "Google Cloud could not be reached to $doing: check the network, then run the same command again, it continues from here."
  fi
  tail -n 8 "$log" | sed 's/^/    /' >&2
  fail "Google Cloud would not $doing, its words are above; put that right and run the same command again, it continues from here."
}

# What Google says of a project's limits, of somebody else's things and of an old gcloud.
explain_googles_limits() {
  local doing=$1 log=$2 most
  if grep -qiE 'CpuAllocPerProjectRegion|maxScale may not exceed|max_instances.* (quota|exceed)|max instances.*quota' "$log"; then
    most=$(grep -oE 'may not exceed [0-9]+' "$log" | grep -oE '[0-9]+' | head -n 1 || true)
    [ -n "$most" ] || most=$(grep -oE 'allowed: [0-9]+' "$log" | grep -oE '[0-9]+' | head -n 1 | sed 's/000$//' || true)
    fail "This project's Cloud Run quota in ${REGION:-this region} is smaller than --max-instances ${MAX_INSTANCES:-10}: add --max-instances ${most:-5}, or ask for a larger quota at https://console.cloud.google.com/iam-admin/quotas?project=$PROJECT (docs/scaling.md)."
  fi
  if grep -qiE 'cannot run builds in this region|quota restrictions.*builds' "$log"; then
    fail "Google does not let this project build in ${REGION:-this region} (a limit of some new projects): add --region with one of $BUILDS_ALLOWED; a database that exists may stay where it is."
  fi
  if grep -qiE 'A Cloud Run service with this name already exists' "$log"; then
    fail "There is a Cloud Run service of that name that this script did not make: add --prefix with a word of your own, such as --prefix chat."
  fi
  if grep -qiE 'unrecognized arguments|Invalid choice' "$log"; then
    fail "This gcloud is too old to $doing: run 'gcloud components update', then the same command again."
  fi
}

BUILDS_ALLOWED="us-central1, us-west2, europe-west1, asia-east1, australia-southeast1 or southamerica-east1"

no_billing() {
  fail "Project $PROJECT has no billing account: link one at https://console.cloud.google.com/billing/linkedaccount?project=$PROJECT, then run the same command again."
}

# confirm QUESTION WORD: true if the person types the word.
confirm() {
  local typed=""
  [ "$YES" = 1 ] && return 0
  [ -t 0 ] || fail "This needs an answer and there is no terminal: run it on one, or add --yes."
  printf '\n%s ' "$1"
  read -r typed
  [ "$typed" = "$2" ]
}
