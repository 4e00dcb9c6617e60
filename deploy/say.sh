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
  explain_unreachable "$doing" "$log"
  explain_policy "$doing" "$log"
  explain_googles_limits "$doing" "$log"
  if grep -qiE 'billing (account|must be enabled|is disabled)|BILLING_DISABLED|billing to be enabled' "$log"; then
    no_billing
  fi
  if grep -qiE 'SERVICE_DISABLED|API has not been used in project' "$log"; then
    api=$(grep -oE '[a-z]+\.googleapis\.com' "$log" | head -n 1 || true)
    fail "Google Cloud would not $doing because an API is not enabled: run 'gcloud services enable ${api:-NAME.googleapis.com} --project $PROJECT', wait a minute, then run the same command again."
  fi
  if grep -qiE 'no active account|gcloud auth login|reauthentication|invalid_grant|UNAUTHENTICATED|stale to sign-in|You are signed out' "$log"; then
    fail "gcloud is not signed in, or its credentials have expired: run 'gcloud auth login' (on a build machine: let the job sign in again), then run the same command again, it continues from here."
  fi
  if grep -qiE 'PERMISSION_DENIED|does not have permission|Permission .* denied|forbidden|\b403\b' "$log"; then
    lacking=$(grep -oE "[Pp]ermission '?[a-z]+(\.[A-Za-z]+)+'?" "$log" | head -n 1 | sed -E "s/^[Pp]ermission '?//; s/'$//" || true)
    fail "You may not $doing in $PROJECT${lacking:+: your account lacks $lacking}; have an owner of the project give you the roles listed in docs/deploying.md, then run the same command again, it continues from here."
  fi
  if grep -qiE 'unable to (find|reach)|connection|network is unreachable|timed out|name resolution' "$log"; then
    fail "Google Cloud could not be reached to $doing: check the network, then run the same command again, it continues from here."
  fi
  show_words "$log"
  fail "Google Cloud would not $doing, its words are above; put that right and run the same command again, it continues from here."
}

# A list without the things of one region must not pass for the whole: what is not listed would be made a second time.
explain_unreachable() {
  local regions
  regions=$(sed -n 's/.*UNREACHABLE_LOCATION //p' "$2" | head -n 1)
  [ -z "$regions" ] || fail "Google Cloud cannot reach $regions at the moment, so this could not $1 completely, and nothing was changed: run the same command again later."
}

# No role helps against an organisation's policy, and the administrators need Google's own words and identifier.
POLICY='prohibited by organization|vpcServiceControls|restrictServiceUsage|RESOURCE_USAGE_RESTRICTION_VIOLATED|resource usage restriction|constraints/[a-zA-Z.]+|org(anization)? policy'
explain_policy() {
  local doing=$1 log=$2 id
  if ! grep -qiE "$POLICY" "$log" || grep -qiE 'permitted customer|requireInvokerIam' "$log"; then return 0; fi
  id=$(grep -oiE "vpcServiceControlsUniqueIdentifier[\"']?: *[\"']?[A-Za-z0-9_-]+|constraints/[a-zA-Z.]+" "$log" | head -n 1 || true)
  id=$(echo "$id" | tr -d "\"'")
  show_words "$log"
  fail "A policy of your organisation does not allow this script to $doing in $PROJECT: give your organisation's administrators Google's words above${id:+ ($id)}, then run the same command again, it continues from here."
}

show_words() { tail -n 8 "$1" | sed 's/^/    /' >&2; }

# What Google says of a project's limits, of somebody else's things and of an old gcloud.
explain_googles_limits() {
  local doing=$1 log=$2 most
  if grep -qiE "$CPU_QUOTA" "$log"; then
    most=$(((${MAX_INSTANCES:-10} + 1) / 2))
    fail "This project's Cloud Run quota in ${REGION:-this region} is too small for these functions (\"Quota exceeded for total allowable CPU\"): add --max-instances $most, or ask for a larger quota at https://console.cloud.google.com/iam-admin/quotas?project=$PROJECT (docs/scaling.md)."
  fi
  if grep -qiE 'is not a valid location|location.* (is )?not (supported|available)' "$log"; then
    show_words "$log"
    fail "Google Cloud does not offer this in ${REGION:-this region}, so it could not $doing: 'gcloud scheduler locations list --project $PROJECT' and 'gcloud functions regions list --project $PROJECT' list the regions that can be given with --region."
  fi
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

# Health checks of several new revisions at once can exceed the quota that they keep to one at a time.
CPU_QUOTA='Quota exceeded for total allowable CPU'

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
