# shellcheck shell=bash
# The API key for Twilio's REST calls: its SID is a setting, its secret one of the secrets (deploy/secrets.sh).

# Settles which secrets the functions of the kind `calls` are given: the key's, or without a key the auth token.
settle_api_key() {
  if [ "$API_KEY" = 1 ] && [ -z "$TWILIO_API_KEY_SID" ]; then
    ask_for TWILIO_API_KEY_SID "Twilio API key SID (SK...)"
    TWILIO_API_KEY_SID=$ANSWER
  fi
  if [ -z "$TWILIO_API_KEY_SID" ]; then
    [ -z "${TWILIO_API_KEY_SECRET:-}" ] || fail "TWILIO_API_KEY_SECRET is set without TWILIO_API_KEY_SID: export both to use an API key, or neither."
    TWILIO_API_KEY_SECRET=""
    FUNCTIONS=${FUNCTIONS//calls/token}
    return
  fi
  # The value is not shown: somebody may have typed the secret.
  [[ "$TWILIO_API_KEY_SID" =~ ^SK[0-9a-fA-F]{32}$ ]] || fail "The SID of the API key must be SK and 32 hexadecimal digits, as the Twilio Console shows it; its secret is asked for, or taken from TWILIO_API_KEY_SECRET."
  FUNCTIONS=${FUNCTIONS//calls/key}
  if [ -z "${TWILIO_API_KEY_SECRET:-}" ] && ! knows_secret_of_key; then
    ask_for TWILIO_API_KEY_SECRET "Secret of the API key $TWILIO_API_KEY_SID (not shown)" -s
    TWILIO_API_KEY_SECRET=$ANSWER
  fi
  [ -n "${TWILIO_API_KEY_SECRET:-}" ] || unset TWILIO_API_KEY_SECRET # what is stored stays
}

# The stored secret belongs to the key that is deployed.
knows_secret_of_key() {
  [ "$TWILIO_API_KEY_SID" = "$DEPLOYED_KEY_SID" ] && has_value "${SECRET_PREFIX}twilio-api-key-secret"
}

# With a key that Twilio refuses no conversation would get a worker, so it is tried before any function has it.
check_api_key() {
  if [ -z "$TWILIO_API_KEY_SID" ] || [ "$PROBE" = 0 ] || [ "$DRY_RUN" = 1 ]; then return; fi
  with_twilio -m tools.twilio_login || fail "Twilio refuses the API key (above), so no function was deployed with it: run the same command again with a valid key."
}
