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
