# shellcheck shell=bash
# The functions themselves: each is deployed only if its source or settings changed, several at a time.

THREADS=8

# What serves, as a label's value: the commit that git names, else the newest version in CHANGELOG.md.
version_label() {
  local version
  version=$(git describe --tags --always --dirty 2>/dev/null || sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
  echo "${version:-unknown}" | tr 'A-Z.' 'a-z-' | tr -cd 'a-z0-9_\n-' | cut -c 1-63
}

deployed_name() { echo "$NAME_PREFIX$(echo "$1" | tr _ -)"; }

# What gcloud would upload, as one number: the files' names and contents.
fingerprint_source() {
  look source "list the files to upload" gcloud meta list-files-for-upload .
  LC_ALL=C sort "$TMP/source.out" | tr '\n' '\0' | xargs -0 cat -- | cat "$TMP/source.out" - | checksum >"$TMP/source"
}

checksum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-32; }

# settings_of ENTRY CALLER SECONDS WARM MOST ACCOUNT SECRETS DOCUMENT: fills ARGUMENTS for `gcloud functions deploy`.
settings_of() {
  local entry=$1 caller=$2 seconds=$3 warm=$4 most=$5 runs_as=$6 kinds=$7 document=$8 minimum=0 secrets ingress
  if [ "$warm" = warm ]; then minimum=$MIN_INSTANCES; fi
  if [ "$most" = N ] || [ "$most" -gt "$MAX_INSTANCES" ]; then most=$MAX_INSTANCES; fi
  ingress=$(ingress_of "$caller")
  secrets=$(secret_flag "$kinds")
  ARGUMENTS=(
    --gen2 --runtime=python313 --region="$REGION" --source=. --entry-point="$entry"
    --service-account="$(account "$runs_as")" --build-service-account="projects/$PROJECT/serviceAccounts/$(account build)"
    --cpu=1 --memory=512Mi --concurrency="$THREADS" --timeout="${seconds}s"
    --min-instances="$minimum" --max-instances="$most" --ingress-settings="$ingress" --serve-all-traffic-latest-revision
    --set-env-vars="^|^$(variables "$kinds")"
  )
  if [ -n "$secrets" ]; then ARGUMENTS+=(--set-secrets="$secrets"); else ARGUMENTS+=(--clear-secrets); fi
  if [ "$caller" = firestore ]; then
    ARGUMENTS+=(
      --trigger-location="$DATABASE_LOCATION" --trigger-service-account="$(account trigger)" --retry
      --trigger-event-filters=type=google.cloud.firestore.document.v1.written
      --trigger-event-filters="database=$DATABASE"
      --trigger-event-filters-path-pattern="document=$document"
    )
  else
    ARGUMENTS+=(--trigger-http)
  fi
}

# Eventarc and Cloud Scheduler of the same project count as internal:
# https://cloud.google.com/run/docs/securing/ingress
ingress_of() {
  case "$1" in
    firestore | scheduler) echo internal-only ;;
    *) echo "${INGRESS:-all}" ;;
  esac
}

# GOOGLE_CLOUD_PROJECT is not in a 2nd gen function's environment by itself; THREADS is functions-framework's.
variables() {
  local all="GOOGLE_CLOUD_PROJECT=$PROJECT|FIRESTORE_DATABASE=$DATABASE|WEBHOOK_BASE_URL=$BASE_URL|THREADS=$THREADS" name more=""
  case "$1" in
    *inbox*) more=$REMEMBERED_BY_INBOX ;;
    *push*) more=VAPID_SUBJECT ;;
  esac
  case "$1" in *key*) more="$more $REMEMBERED_BY_CALLERS" ;; esac
  for name in $REMEMBERED $more; do
    if [ -n "${!name:-}" ]; then all="$all|$name=${!name}"; fi
  done
  echo "$all"
}

deploy_functions() {
  step "Functions in $REGION"
  local entry rest jobs="" job failed="" alone=0 failed_first=0 alone_again="" usual=$RETRIES
  fingerprint_source
  settle_patience
  while read -r entry rest; do
    if [ -z "$entry" ] || ! is_wanted "$entry"; then continue; fi
    wait_for_room
    # shellcheck disable=SC2086 # the columns of the table
    background deploy_one "$entry" $rest 2>"$TMP/said.$entry"
    jobs="$jobs $!:$entry"
    # The first one ever makes what the others share (repository, bucket, agents), and learns whether accounts are known.
    if [ "$FRESH" = 1 ] && [ "$alone" = 0 ] && [ "$DRY_RUN" = 0 ]; then
      alone=1
      wait "$!" || { failed_first=1 && break; }
    fi
  done <<<"$FUNCTIONS"
  for job in $jobs; do
    wait "${job%%:*}" && continue
    entry=${job##*:}
    if [ "$failed_first" = 0 ] && grep -q "$CPU_QUOTA" "$TMP/said.$entry"; then
      alone_again="$alone_again $entry"
      continue
    fi
    failed="$failed $(deployed_name "$entry")"
    say_once "$entry"
  done
  # shellcheck disable=SC2086 # a list of words
  deploy_one_at_a_time $alone_again
  RETRIES=$usual
  [ -z "$failed" ] || fail "Not deployed:$failed. Once the above is put right run the same command again; what is deployed stays."
  say_what_is_rolled_back
}

# deploy_one_at_a_time ENTRY...: those that started together took more of the quota of CPUs than each of them needs.
# Adds to `failed` of deploy_functions.
deploy_one_at_a_time() {
  local entry columns
  [ $# -eq 0 ] || note "Google's quota of CPUs was too small for several functions at once; one at a time again:$(printf ' %s' "$@")"
  for entry in "$@"; do
    columns=$(awk -v entry="$entry" '$1 == entry' <<<"$FUNCTIONS")
    # shellcheck disable=SC2086 # the columns of the table
    background deploy_one $columns 2>"$TMP/said.$entry"
    wait "$!" && continue
    failed="$failed $(deployed_name "$entry")"
    say_once "$entry"
  done
}

# Google says that new accounts and roles take minutes to be known everywhere ("potentially 7 minutes or longer"):
# https://docs.cloud.google.com/iam/docs/access-change-propagation
settle_patience() {
  FRESH=0
  if [ -z "$(having "$TMP/functions.out" state=ACTIVE)" ]; then
    FRESH=1 RETRIES=$((RETRIES * 5))
    [ "$DRY_RUN" = 1 ] || note "The service accounts are new: Google may take up to 10 minutes to know them everywhere; this waits."
  elif grep -q '^make the service account' "$CHANGES"; then
    RETRIES=$((RETRIES * 5)) # one that this version added
  fi
}

# Why it failed, unless the one before failed for the same reason.
say_once() {
  sed "s/$(deployed_name "$1")/FUNCTION/g" "$TMP/said.$1" >"$TMP/saying"
  if ! cmp -s "$TMP/saying" "$TMP/saying.last"; then cat "$TMP/said.$1" >&2; fi
  mv "$TMP/saying" "$TMP/saying.last"
}

is_wanted() { [ -z "$ONLY" ] || [ "$(deployed_name "$1")" = "$NAME_PREFIX$ONLY" ]; }

deploy_one() {
  local entry=$1 caller=$2 name mark deployed started=$SECONDS
  name=$(deployed_name "$entry")
  settings_of "$entry" "$caller" "$3" "$4" "$5" "$6" "$7" "${8:-}"
  mark=$({ cat "$TMP/source" && printf '%s\n' "${ARGUMENTS[@]}"; } | checksum)
  deployed=$(row "$TMP/functions.out" "$name")
  case "$(field "$deployed" state) $(field "$deployed" mark)" in
    "ACTIVE $mark")
      [ "$DRY_RUN" = 1 ] || printf '  %-24s unchanged\n' "$name"
      let_callers_in "$name" "$caller"
      ;;
    *)
      [ "$DRY_RUN" = 1 ] || printf '  %-24s deploying\n' "$name"
      if [ -n "$deployed" ] && [ "$caller" = firestore ] && [ "$(field "$deployed" FIRESTORE_DATABASE)" != "$DATABASE" ]; then
        change "remove $name, whose trigger watches another database" cloud functions delete "$name" --gen2 --region="$REGION"
        deployed=""
      fi
      # Only for a new one: on one that exists it would take the callers away until they are let in again.
      if [ -z "$deployed" ] && [ "$caller" != firestore ]; then ARGUMENTS+=(--no-allow-unauthenticated); fi
      MORE_TRANSIENT=$TRANSIENT_BUILD change "deploy $name" cloud functions deploy "$name" "${ARGUMENTS[@]}" \
        --update-labels="app=$ACCOUNTS,mark=$mark,source=$(cat "$TMP/source"),version=$(version_label)"
      if [ "$DRY_RUN" = 0 ]; then
        touch "$TMP/deployed.$name"
        let_callers_in "$name" "$caller"
        printf '  %-24s deployed in %d s\n' "$name" $((SECONDS - started))
      fi
      ;;
  esac
}

# The scheduler signs in at the service's own address (run.app): that is what Cloud Run accepts as audience.
schedule_sweep() {
  step "Scheduler"
  local name address job have want
  name=$(deployed_name sweep)
  if [ -e "$TMP/deployed.$name" ]; then
    look all "list the functions" state functions
    keep_ours
    keep_region
  fi
  address=$(field "$(row "$TMP/functions.out" "$name")" address)
  if [ -z "$address" ]; then
    note "would call $name every minute"
    return
  fi
  have=$(row "$TMP/jobs.out" "$name")
  want=$(having "$TMP/jobs.out" "name=$name" "schedule=* * * * *" "address=$address/" "account=$(account scheduler)" "audience=$address" state=ENABLED)
  if [ -n "$want" ]; then return; fi
  if [ -n "$have" ]; then job=update; else job=create; fi
  changed "$job the scheduler job $name" cloud scheduler jobs "$job" http "$name" --location="$REGION" --schedule='* * * * *' \
    --uri="$address/" --http-method=POST --attempt-deadline=60s --max-retry-attempts=0 \
    --oidc-service-account-email="$(account scheduler)" --oidc-token-audience="$address"
  if [ "$(field "$have" state)" = PAUSED ]; then changed "resume the scheduler job $name" cloud scheduler jobs resume "$name" --location="$REGION"; fi
}

# all.out has every function of the project, everywhere.out those of this installation, functions.out those of the region.
keep_ours() { having "$TMP/all.out" "owner=$ACCOUNTS" >"$TMP/everywhere.out"; }
keep_region() { having "$TMP/everywhere.out" "region=$REGION" >"$TMP/functions.out"; }

# Every deployment leaves an image, for which Google charges; the last five of each function are enough to roll back.
# Only ours: the repository belongs to all functions of the project. https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy
keep_few_images() {
  if [ "$DRY_RUN" = 1 ]; then return; fi
  # shellcheck disable=SC2046 # a list of words
  "$PYTHON" -m tools.image_cleanup --project "$PROJECT" --region "$REGION" --app "$ACCOUNTS" --changes "$CHANGES" $(images_of_ours) || exit 1
}

# A policy knows the beginnings of names: none that somebody else's function begins with, too.
images_of_ours() {
  local entry name others
  others=$(awk -F '\t' -v ours="owner=$ACCOUNTS" '{ for (n = 1; n <= NF; n++) if ($n == ours) next; print }' "$TMP/all.out" | values name)
  while read -r entry _; do
    if [ -z "$entry" ]; then continue; fi
    name=$(deployed_name "$entry")
    grep -q "^$name" <<<"$others" || echo "$name"
  done <<<"$FUNCTIONS"
}
