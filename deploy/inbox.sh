# shellcheck shell=bash
# The inbox: who signs workers in (OpenID Connect), its public address, and a look whether signing in would begin.

settle_inbox() {
  is_function inbox || return 0
  local number
  if [ -z "${INBOX_URL:-}" ] || { [ "${INBOX_SIGN_IN:-}" = iap ] && [ -z "${IAP_AUDIENCE:-}" ]; }; then
    look number "look at the project" cloud projects describe "$PROJECT" --format='value(projectNumber)'
    number=$(cat "$TMP/number.out")
    INBOX_URL=${INBOX_URL:-https://$(deployed_name inbox)-$number.$REGION.run.app}
    # What Google's proxy signs for: https://cloud.google.com/iap/docs/signed-headers-howto
    if [ "${INBOX_SIGN_IN:-}" = iap ]; then IAP_AUDIENCE=/projects/$number/locations/$REGION/services/$(deployed_name inbox); fi
  fi
  INBOX_URL=${INBOX_URL%/}
  [[ "$INBOX_URL" =~ ^https?://[^/?#,|]+(/[^?#,|]*)?$ ]] || fail "INBOX_URL '$INBOX_URL' must be an address such as https://inbox.example.com."
  if [ -z "${VAPID_SUBJECT:-}" ]; then VAPID_SUBJECT=${ALERT_EMAIL:+mailto:$ALERT_EMAIL}; fi
  VAPID_SUBJECT=${VAPID_SUBJECT:-$INBOX_URL}
  if [ "${INBOX_SIGN_IN:-}" = iap ] || [ -z "${OIDC_CLIENT_ID:-}" ]; then return; fi
  if [ -z "${OIDC_CLIENT_SECRET:-}" ] && ! has_secret "${SECRET_PREFIX}oidc-client-secret"; then
    say_redirect
    ask_for OIDC_CLIENT_SECRET "Secret of the OAuth client $OIDC_CLIENT_ID (not shown)" -s
    OIDC_CLIENT_SECRET=$ANSWER
  fi
}

say_redirect() { note "The client's authorised redirect URI: $INBOX_URL/back"; }

# What is still to be done by hand, said at the end, where it is read.
say_what_is_open() {
  if ! is_function inbox || [ -n "$ONLY" ] || [ "${INBOX_SIGN_IN:-}" = iap ] || [ -n "${OIDC_CLIENT_ID:-}" ]; then return; fi
  step "The inbox is at $INBOX_URL, but nobody can sign in yet"
  note "At https://console.cloud.google.com/auth/clients?project=$PROJECT make a client of the type \"Web application\" (Google asks for a name of the app first, with the audience \"Internal\" if all workers are of your organisation)."
  note "Paste as its authorised redirect URI: $INBOX_URL/back"
  note "Then run: ./deploy.sh --project $PROJECT${PREFIX:+ --prefix $PREFIX} --oidc-client-id THE-CLIENT-ID (its secret is asked for, or taken from OIDC_CLIENT_SECRET)."
}

# Begins to sign in as a browser would, and goes no further than the issuer's first page.
probe_inbox() {
  if [ "$PROBE" = 0 ] || [ "$DRY_RUN" = 1 ] || ! is_function inbox || ! is_wanted inbox; then return; fi
  step "The inbox at $INBOX_URL"
  "$PYTHON" -m tools.probe_inbox --url "$INBOX_URL" --patience "$((RETRIES * RETRY_SECONDS))" ${OIDC_CLIENT_ID:+--client "$OIDC_CLIENT_ID"} ||
    fail "Workers cannot sign in to the inbox yet (above); the webhooks are not touched by that. Put it right and run the same command again."
}
