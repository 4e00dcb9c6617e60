# shellcheck shell=bash
# After deploying: are the webhooks answering as Twilio will find them, and does Twilio know them.

# The tools read token and key from the environment of their own process only.
with_twilio() {
  TWILIO_ACCOUNT_SID=$TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN=$TWILIO_AUTH_TOKEN \
    TWILIO_API_KEY_SID=$TWILIO_API_KEY_SID TWILIO_API_KEY_SECRET=${TWILIO_API_KEY_SECRET:-} \
    TWILIO_CONVERSATION_SERVICE_SID=$TWILIO_CONVERSATION_SERVICE_SID "$PYTHON" "$@"
}

probe_webhooks() {
  if [ "$PROBE" = 0 ] || [ "$DRY_RUN" = 1 ]; then return; fi
  step "Signed and unsigned requests to $BASE_URL"
  local names="" entry caller rest
  while read -r entry caller rest; do
    if [ "$caller" = twilio ] && is_wanted "$entry"; then names="$names $entry"; fi
  done <<<"$FUNCTIONS"
  [ -n "$names" ] || return 0
  # shellcheck disable=SC2086 # a list of words
  with_twilio -m tools.probe --base-url "$BASE_URL" --prefix "$PREFIX" --patience "$((RETRIES * RETRY_SECONDS))" $names ||
    fail "The webhooks do not answer as they must (above), so Twilio was not pointed at them; put that right and run the same command again."
}

set_up_twilio() {
  [ "$TWILIO" = 1 ] || return 0
  step "Twilio"
  local status=0
  # shellcheck disable=SC2086 # a list of words
  with_twilio -m tools.twilio_setup --base-url "$BASE_URL" --prefix "$PREFIX" $NUMBERS ${DRY_FLAG:+"$DRY_FLAG"} ${YES_FLAG:+"$YES_FLAG"} || status=$?
  if [ "$DRY_RUN" = 1 ] && [ "$status" = 3 ]; then would "change Twilio's settings"; return; fi
  [ "$status" = 0 ] || fail "Twilio's side is not set up (above): run python -m tools.twilio_setup, or the same command again."
}
