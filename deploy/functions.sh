# shellcheck shell=bash
# The functions themselves: each is deployed only if its source or settings changed, several at a time.

THREADS=8

deployed_name() { echo "$NAME_PREFIX$(echo "$1" | tr _ -)"; }

# What gcloud would upload, as one number: the files' names and contents.
fingerprint_source() {
  look source "list the files to upload" gcloud meta list-files-for-upload .
  LC_ALL=C sort "$TMP/source.out" | tr '\n' '\0' | xargs -0 cat -- | cat "$TMP/source.out" - | checksum >"$TMP/source"
}

checksum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-32; }

# settings_of ENTRY CALLER SECONDS WARM DOCUMENT: fills ARGUMENTS for `gcloud functions deploy`.
settings_of() {
  local entry=$1 caller=$2 seconds=$3 warm=$4 document=$5 minimum=0 maximum=20
  if [ "$warm" = warm ]; then minimum=$MIN_INSTANCES; fi
  if [ "$caller" = scheduler ] || [ "$caller" = person ]; then maximum=2; fi
  ARGUMENTS=(
    --gen2 --runtime=python313 --region="$REGION" --source=. --entry-point="$entry"
    --service-account="$(account runtime)" --build-service-account="projects/$PROJECT/serviceAccounts/$(account build)"
    --cpu=1 --memory=512Mi --concurrency="$THREADS" --timeout="${seconds}s"
    --min-instances="$minimum" --max-instances="$maximum" --ingress-settings=all --serve-all-traffic-latest-revision
    --set-env-vars="^|^$(variables)" --set-secrets="$SECRET_FLAG"
  )
  if [ "$caller" = firestore ]; then
    ARGUMENTS+=(
      --trigger-location="$DATABASE_LOCATION" --trigger-service-account="$(account trigger)" --retry
      --trigger-event-filters=type=google.cloud.firestore.document.v1.written
      --trigger-event-filters="database=$DATABASE"
      --trigger-event-filters-path-pattern="document=$document"
    )
  elif [ "$caller" = twilio ]; then
    ARGUMENTS+=(--trigger-http --allow-unauthenticated) # Twilio is known by its signature
  else
    ARGUMENTS+=(--trigger-http --no-allow-unauthenticated)
  fi
}

# GOOGLE_CLOUD_PROJECT is not in a 2nd gen function's environment by itself; THREADS is functions-framework's.
variables() {
  local all="GOOGLE_CLOUD_PROJECT=$PROJECT|FIRESTORE_DATABASE=$DATABASE|WEBHOOK_BASE_URL=$BASE_URL|THREADS=$THREADS" name
  for name in $REMEMBERED; do
    if [ -n "${!name:-}" ]; then all="$all|$name=${!name}"; fi
  done
  echo "$all"
}

deploy_functions() {
  step "Functions in $REGION"
  local entry rest jobs="" job failed=""
  fingerprint_source
  while read -r entry rest; do
    if [ -z "$entry" ] || ! is_wanted "$entry"; then continue; fi
    wait_for_room
    # shellcheck disable=SC2086 # the columns of the table
    background deploy_one "$entry" $rest 2>"$TMP/said.$entry"
    jobs="$jobs $!:$entry"
  done <<<"$FUNCTIONS"
  for job in $jobs; do
    wait "${job%%:*}" && continue
    failed="$failed $(deployed_name "${job##*:}")"
    say_once "${job##*:}"
  done
  [ -z "$failed" ] || fail "Not deployed:$failed. Once the above is put right run the same command again; what is deployed stays."
}

# Why it failed, unless the one before failed for the same reason.
say_once() {
  sed "s/$(deployed_name "$1")/FUNCTION/g" "$TMP/said.$1" >"$TMP/saying"
  if ! cmp -s "$TMP/saying" "$TMP/saying.last"; then cat "$TMP/said.$1" >&2; fi
  mv "$TMP/saying" "$TMP/saying.last"
}

is_wanted() { [ -z "$ONLY" ] || [ "$(deployed_name "$1")" = "$NAME_PREFIX$ONLY" ]; }

deploy_one() {
  local entry=$1 caller=$2 name mark started=$SECONDS
  name=$(deployed_name "$entry")
  settings_of "$entry" "$caller" "$3" "${4:--}" "${5:-}"
  mark=$({ cat "$TMP/source" && printf '%s\n' "${ARGUMENTS[@]}"; } | checksum)
  case "$(row "$TMP/functions.out" '|' "$name")" in
    "$name|ACTIVE|$mark|"*)
      [ "$DRY_RUN" = 1 ] || printf '  %-24s unchanged\n' "$name"
      let_callers_in "$name" "$caller"
      ;;
    *)
      [ "$DRY_RUN" = 1 ] || printf '  %-24s deploying\n' "$name"
      change "deploy $name" cloud functions deploy "$name" "${ARGUMENTS[@]}" --update-labels="app=$ACCOUNTS,mark=$mark"
      if [ "$DRY_RUN" = 0 ]; then
        [ "$caller" = twilio ] || let_callers_in "$name" "$caller"
        printf '  %-24s deployed in %d s\n' "$name" $((SECONDS - started))
        touch "$TMP/deployed.$name"
      fi
      ;;
  esac
}

# Only Twilio's webhooks are open; the others let one service account in, or nobody.
let_callers_in() {
  local name=$1 caller=$2 wanted="" member log=$TMP/callers.$1
  case "$caller" in
    twilio) wanted=allUsers ;;
    firestore) wanted=serviceAccount:$(account trigger) ;;
    scheduler) wanted=serviceAccount:$(account scheduler) ;;
  esac
  : >"$log.out"
  if [ -n "$(row "$TMP/functions.out" '|' "$name")" ]; then # a new one lets nobody in yet
    attempt "$log" cloud run services get-iam-policy "$name" --region="$REGION" --flatten='bindings[].members' \
      --filter='bindings.role=roles/run.invoker' --format='value(bindings.members)' || explain "see who may call $name" "$log.err"
  fi
  if [ -n "$wanted" ] && ! has_line "$log.out" "$wanted"; then
    change "let $wanted call $name" cloud run services add-iam-policy-binding "$name" --region="$REGION" --member="$wanted" --role=roles/run.invoker
  fi
  for member in allUsers allAuthenticatedUsers; do
    if [ "$wanted" != "$member" ] && has_line "$log.out" "$member"; then
      change "stop $member from calling $name" cloud run services remove-iam-policy-binding "$name" --region="$REGION" --member="$member" --role=roles/run.invoker
    fi
  done
}

# The scheduler signs in at the service's own address (run.app): that is what Cloud Run accepts as audience.
schedule_sweep() {
  step "Scheduler"
  local name address job have want
  name=$(deployed_name sweep)
  if [ -e "$TMP/deployed.$name" ]; then
    look everywhere "list the functions" list_functions
    keep_region
  fi
  address=$(row "$TMP/functions.out" '|' "$name" | cut -d '|' -f 4)
  if [ -z "$address" ]; then
    note "would call $name every minute"
    return
  fi
  want="$name|* * * * *|$address/|$(account scheduler)|$address|ENABLED"
  have=$(row "$TMP/jobs.out" '|' "$name")
  if [ "$have" = "$want" ]; then return; fi
  if [ -n "$have" ]; then job=update; else job=create; fi
  changed "$job the scheduler job $name" cloud scheduler jobs "$job" http "$name" --location="$REGION" --schedule='* * * * *' \
    --uri="$address/" --http-method=POST --attempt-deadline=60s --max-retry-attempts=0 \
    --oidc-service-account-email="$(account scheduler)" --oidc-token-audience="$address"
  case "$have" in
    *PAUSED) changed "resume the scheduler job $name" cloud scheduler jobs resume "$name" --location="$REGION" ;;
  esac
}

# In every region; the last column tells which. functions.out has those of the region in use.
list_functions() {
  local columns="name.basename(),state,labels.mark,serviceConfig.uri,serviceConfig.minInstanceCount" name
  for name in FIRESTORE_DATABASE WEBHOOK_BASE_URL $REMEMBERED; do columns="$columns,serviceConfig.environmentVariables.$name"; done
  cloud functions list --v2 --regions=- --filter="labels.app=$ACCOUNTS" --format="value[separator='|']($columns,name.segment(3))"
}

keep_region() { awk -F '|' -v region="$REGION" '$12 == region' "$TMP/everywhere.out" >"$TMP/functions.out"; }
