# shellcheck shell=bash
# deploy.sh --delete: lists what an earlier run made and removes it; Firestore's data, rules and indexes stay.

delete_everything() {
  look_ahead
  recall
  look_around
  find_ours
  if [ ! -s "$TMP/ours" ]; then
    step "There is nothing in $PROJECT ($REGION) that this script made${PREFIX:+ with --prefix $PREFIX}.${ELSEWHERE:+ Functions run in $ELSEWHERE.}"
    return
  fi
  step "To be removed from $PROJECT:"
  sed 's/^/  /; s/|/ /' "$TMP/ours"
  [ -z "$ELSEWHERE" ] || note "Kept for the functions in $ELSEWHERE: secrets, roles and service accounts."
  note "Kept: the Firestore database with its data, rules and indexes; the enabled APIs; images and sources of the builds (gcf-artifacts, gcf-v2-sources-...)."
  [ "$DRY_RUN" = 0 ] || return 0
  confirm "Type the project's name to remove all of this:" "$PROJECT" || fail "Nothing was removed."
  leave_twilio
  remove_ours
  "$PYTHON" -m tools.image_cleanup --project "$PROJECT" --region "$REGION" --app "$ACCOUNTS" >/dev/null || exit 1
  step "Removed."
}

# One line each: kind|name, in the order in which they can go.
find_ours() {
  local role member kind secret
  {
    having "$TMP/jobs.out" "account=$(account scheduler)" | values name | sed 's/^/scheduler job|/'
    values name <"$TMP/functions.out" | sed 's/^/function|/'
    if [ -n "$ELSEWHERE" ]; then return; fi
    for secret in $(names_of_secrets); do
      if has_secret "$secret" && is_our_secret "$secret"; then echo "secret|$secret"; fi
    done
    find_alerts
    for kind in $ACCOUNT_KINDS; do
      is_our_account "$kind" || continue
      member=$(account "$kind")
      for role in $(row "$TMP/policy.out" "serviceAccount:$member" | values role); do echo "role|$role of $member"; done
      echo "service account|$member"
    done
  } | awk '!seen[$0]++' >"$TMP/ours"
}

# Twilio refuses a customer's message when its Pre-Event URL answers 404, so Twilio's side goes first.
leave_twilio() {
  local secret=${SECRET_PREFIX}twilio-auth-token
  [ "$PROBE" = 1 ] || return 0
  step "Twilio"
  if [ -z "${TWILIO_AUTH_TOKEN:-}" ] && has_value "$secret" && is_our_secret "$secret"; then
    read_secret "$secret"
    TWILIO_AUTH_TOKEN=$STORED
  fi
  TWILIO_AUTH_TOKEN=${TWILIO_AUTH_TOKEN:-}
  secret=${SECRET_PREFIX}twilio-api-key-secret
  if [ -z "${TWILIO_API_KEY_SECRET:-}" ] && has_value "$secret" && is_our_secret "$secret"; then
    read_secret "$secret"
    TWILIO_API_KEY_SECRET=$STORED
  fi
  # shellcheck disable=SC2034 # deploy/twilio.sh
  if [ -z "${TWILIO_API_KEY_SECRET:-}" ]; then TWILIO_API_KEY_SID=""; fi # the token does as well
  with_twilio -m tools.twilio_setup --base-url "$BASE_URL" --prefix "$PREFIX" --remove ${YES_FLAG:+"$YES_FLAG"} ||
    fail "Twilio may still call these functions, and refuses customers' messages once they are gone: put that right, or add --no-probe if Twilio no longer matters."
}

# What a version knew that this one does not: it would go on serving the code of that version. Only once the others
# serve; its trigger first, so that no event starts it meanwhile.
remove_unknown() {
  local line name job
  if [ -n "$ONLY" ]; then return; fi
  for job in $(having "$TMP/jobs.out" "account=$(account scheduler)" | values name); do
    if [ "$job" != "$(deployed_name sweep)" ] && is_to_go "scheduler job $job"; then
      changed "remove the scheduler job $job" cloud scheduler jobs delete "$job" --location="$REGION"
    fi
  done
  while IFS= read -r line; do
    name=$(field "$line" name)
    if [ -z "$name" ] || ! is_to_go "function $name"; then continue; fi
    remove_trigger "$name" "$(field "$line" trigger)"
    changed "remove $name" cloud functions delete "$name" --gen2 --region="$REGION"
  done <<<"$(having "$TMP/functions.out" known=no)"
}

is_to_go() {
  if [ "$KEEP_OTHERS" = 1 ]; then
    note "The $1 belongs to this installation and to another version of the service; --keep-others leaves it running."
    return 1
  fi
  note "The $1 belongs to this installation, but this version of the service does not have it."
}

# remove_trigger FUNCTION TRIGGER: one that is gone already is no failure.
remove_trigger() {
  [ -n "$2" ] || return 0
  changed "remove the trigger of $1" cloud_unless_gone eventarc triggers delete "${2##*/}" --location="$(trigger_location "$2")"
}

trigger_location() { echo "$1" | cut -d / -f 4; }

remove_ours() {
  local kind name
  while IFS='|' read -r kind name; do
    case "$kind" in
      "scheduler job") changed "remove $kind $name" cloud scheduler jobs delete "$name" --location="$REGION" ;;
      function) changed "remove $kind $name" cloud functions delete "$name" --gen2 --region="$REGION" ;;
      secret) changed "remove $kind $name" cloud secrets delete "$name" ;;
      alert) changed "remove $kind $name" "$PYTHON" -m tools.alerts --project "$PROJECT" --remove "$name" ;;
      role)
        changed "remove $kind $name" cloud projects remove-iam-policy-binding "$PROJECT" --all \
          --role="${name%% of *}" --member="serviceAccount:${name##* of }"
        ;;
      "service account") changed "remove $kind $name" cloud iam service-accounts delete "$name" ;;
    esac
  done <"$TMP/ours"
}
