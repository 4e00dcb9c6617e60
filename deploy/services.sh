# shellcheck shell=bash
# The Cloud Run services under the functions: who may call them, and which revision serves.

# Twilio and browsers are let in by Google and checked by the function; the others let one service account in, or nobody.
let_callers_in() {
  local name=$1 caller=$2 wanted="" member log=$TMP/callers.$1
  case "$caller" in
    firestore) wanted=serviceAccount:$(account trigger) ;;
    scheduler) wanted=serviceAccount:$(account scheduler) ;;
    person) ;;
    worker) [ "${INBOX_SIGN_IN:-}" = iap ] || wanted=allUsers ;; # else Google's proxy lets people in
    *) wanted=allUsers ;;
  esac
  : >"$log.out"
  if is_ours "$name"; then # a new one lets nobody in yet
    attempt "$log" cloud run services get-iam-policy "$name" --region="$REGION" --flatten='bindings[].members' \
      --filter='bindings.role=roles/run.invoker' --format='value(bindings.members)' || explain "see who may call $name" "$log.err"
  fi
  if [ "$wanted" = allUsers ] && ! has_line "$log.out" allUsers; then
    let_everybody_in "$name"
  elif [ -n "$wanted" ] && ! has_line "$log.out" "$wanted"; then
    change "let $wanted call $name" cloud run services add-iam-policy-binding "$name" --region="$REGION" --member="$wanted" --role=roles/run.invoker
  fi
  for member in allUsers allAuthenticatedUsers; do
    if [ "$wanted" != "$member" ] && has_line "$log.out" "$member"; then
      change "stop $member from calling $name" cloud run services remove-iam-policy-binding "$name" --region="$REGION" --member="$member" --role=roles/run.invoker
    fi
  done
}

# Newer organisations forbid allUsers ("Domain restricted sharing"). Google's way for such a service is not to ask
# who calls: https://cloud.google.com/run/docs/authenticating/public
let_everybody_in() {
  local name=$1 log=$TMP/everybody.$1
  if is_unchecked "$name"; then return; fi
  if [ "$DRY_RUN" = 1 ]; then
    change "let allUsers call $name" cloud run services add-iam-policy-binding "$name" --region="$REGION" --member=allUsers --role=roles/run.invoker
    return
  fi
  if [ ! -e "$TMP/no-all-users" ] && attempt "$log" cloud run services add-iam-policy-binding "$name" --region="$REGION" --member=allUsers --role=roles/run.invoker; then
    echo "let allUsers call $name" >>"$CHANGES"
    return
  fi
  [ -e "$TMP/no-all-users" ] || grep -qiE 'permitted customer|iam.allowedPolicyMemberDomains' "$log.err" || explain "let allUsers call $name" "$log.err"
  touch "$TMP/no-all-users"
  if attempt "$log" cloud run services update "$name" --region="$REGION" --no-invoker-iam-check; then
    echo "stop asking who calls $name" >>"$CHANGES"
    printf '  %-24s open without allUsers, which this organisation forbids\n' "$name"
    return
  fi
  if grep -qiE 'requireInvokerIam|constraint' "$log.err"; then
    fail "This organisation forbids functions that anybody may call, in both ways that Google knows, and Twilio cannot sign in: have an exception from run.managed.requireInvokerIam or iam.allowedPolicyMemberDomains made for $PROJECT, then run the same command again, it continues from here."
  fi
  explain "open $name to Twilio" "$log.err"
}

# Looked at afresh where it was deployed just now, for a deployment may ask again who calls.
is_unchecked() {
  local name=$1 list=services
  if [ -e "$TMP/deployed.$name" ] && has_row "$TMP/services.out" "$name"; then
    list=now.$name
    look "$list" "look at $name" state services
  fi
  [ -n "$(having "$TMP/$list.out" "name=$name" open=yes)" ]
}

# An unchanged function that was rolled back by hand stays so; nobody should forget it.
say_what_is_rolled_back() {
  local name revision line
  while IFS= read -r line; do
    name=$(field "$line" name) revision=$(field "$line" held)
    if [ -z "$revision" ] || [ -e "$TMP/deployed.$name" ] || ! is_ours "$name"; then continue; fi
    note "$name was rolled back to $revision and stays so; to leave that: gcloud run services update-traffic $name --to-latest --region $REGION --project $PROJECT"
  done <"$TMP/services.out"
}

is_ours() { has_row "$TMP/functions.out" "$1"; }

# What has a name of ours and was not made by this script: never overwritten, emptied or deleted.
check_owners() {
  local entry name secret kind found other="add --prefix with a word of your own, such as --prefix chat"
  while read -r entry _; do
    if [ -z "$entry" ]; then continue; fi
    name=$(deployed_name "$entry")
    if is_ours "$name"; then continue; fi
    if [ -n "$(having "$TMP/all.out" "name=$name" "region=$REGION")" ]; then
      fail "There is a function $name in $REGION that this script did not make, and it would be overwritten: $other."
    fi
    if has_row "$TMP/services.out" "$name"; then
      fail "There is a Cloud Run service $name in $REGION that this script did not make: $other."
    fi
  done <<<"$FUNCTIONS"
  for secret in $(names_of_secrets); do
    if has_secret "$secret" && ! is_our_secret "$secret"; then
      fail "There is a secret $secret that this script did not make, and it would get another value: $other."
    fi
  done
  for kind in $ACCOUNT_KINDS; do
    if has_row "$TMP/accounts.out" "$(account "$kind")" && ! is_our_account "$kind"; then
      fail "There is a service account $ACCOUNTS-$kind that this script did not make, and it would get other roles: $other."
    fi
  done
  found=$(row "$TMP/jobs.out" "$(deployed_name sweep)")
  if [ -n "$found" ] && [ "$(field "$found" account)" != "$(account scheduler)" ]; then
    fail "There is a scheduler job $(deployed_name sweep) in $REGION that this script did not make, and it would be changed: $other."
  fi
  check_database_owner
}
