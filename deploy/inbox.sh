# shellcheck shell=bash
# The inbox: who signs workers in (OpenID Connect), its public address, and a look whether signing in would begin.

# --allowed-domain, once for each domain or with commas between them; an empty one starts over.
add_domain() {
  if [ "$DOMAINS_ARE_GIVEN" = 0 ] || [ -z "$1" ]; then OIDC_ALLOWED_DOMAINS=""; fi
  OIDC_ALLOWED_DOMAINS=${OIDC_ALLOWED_DOMAINS:+$OIDC_ALLOWED_DOMAINS,}$1
  DOMAINS_ARE_GIVEN=1
}

check_domains() {
  local domain domains all=""
  [ -n "${OIDC_ALLOWED_DOMAINS:-}" ] || return 0
  IFS=', ;' read -ra domains <<<"$(echo "$OIDC_ALLOWED_DOMAINS" | tr '[:upper:]' '[:lower:]')"
  for domain in ${domains[@]+"${domains[@]}"}; do
    [ -n "$domain" ] || continue
    domain=${domain#@}
    [[ "$domain" =~ ^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$ ]] || fail "--allowed-domain '$domain' must be a domain such as example.com."
    all="${all:+$all,}$domain"
  done
  OIDC_ALLOWED_DOMAINS=$all
}

# https://developers.google.com/identity/openid-connect/openid-connect: Google says whether an address is verified.
check_trust() {
  [ "${OIDC_TRUST_EMAIL:-}" = 1 ] || [ -z "${OIDC_TRUST_EMAIL:-}" ] || fail "OIDC_TRUST_EMAIL '$OIDC_TRUST_EMAIL' must be 1 or empty."
  case "${OIDC_TRUST_EMAIL:-}:${OIDC_ISSUER:-https://accounts.google.com}" in
    1:https://accounts.google.com*) fail "--trust-email is only for an issuer of your own, and Google is everybody's: set OIDC_ISSUER, or leave it out (OIDC_TRUST_EMAIL= takes it away)." ;;
  esac
}

needs_desk_address() {
  is_function desk || return 1
  [ -z "${DESK_URL:-}" ] || { [ "${INBOX_SIGN_IN:-}" = iap ] && [ -z "${DESK_IAP_AUDIENCE:-}" ]; }
}

settle_desk() {
  local number=$1
  DESK_URL=${DESK_URL:-https://$(deployed_name desk)-$number.$REGION.run.app}
  if [ "${INBOX_SIGN_IN:-}" = iap ]; then DESK_IAP_AUDIENCE=/projects/$number/locations/$REGION/services/$(deployed_name desk); fi
}

settle_inbox() {
  is_function inbox || return 0
  local number
  [ "${INBOX_SIGN_IN:-}" = iap ] || check_trust
  if [ -z "${INBOX_URL:-}" ] || needs_desk_address || { [ "${INBOX_SIGN_IN:-}" = iap ] && [ -z "${IAP_AUDIENCE:-}" ]; }; then
    look number "look at the project" cloud projects describe "$PROJECT" --format='value(projectNumber)'
    number=$(cat "$TMP/number.out")
    INBOX_URL=${INBOX_URL:-https://$(deployed_name inbox)-$number.$REGION.run.app}
    if needs_desk_address; then settle_desk "$number"; fi
    # What Google's proxy signs for: https://cloud.google.com/iap/docs/signed-headers-howto
    if [ "${INBOX_SIGN_IN:-}" = iap ]; then IAP_AUDIENCE=/projects/$number/locations/$REGION/services/$(deployed_name inbox); fi
  fi
  INBOX_URL=${INBOX_URL%/}
  DESK_URL=${DESK_URL:-}
  DESK_URL=${DESK_URL%/}
  is_public_address "$INBOX_URL" || fail "INBOX_URL '$INBOX_URL' must be an address such as https://inbox.example.com."
  [ -z "$DESK_URL" ] || is_public_address "$DESK_URL" || fail "DESK_URL '$DESK_URL' must be an address such as https://desk.example.com."
  [ -z "${OIDC_ISSUER:-}" ] || is_public_address "$OIDC_ISSUER" || fail "OIDC_ISSUER '$OIDC_ISSUER' must be an address such as https://login.example.com."
  if [ -z "${VAPID_SUBJECT:-}" ]; then VAPID_SUBJECT=${ALERT_EMAIL:+mailto:$ALERT_EMAIL}; fi
  VAPID_SUBJECT=${VAPID_SUBJECT:-$INBOX_URL}
  if [ "${INBOX_SIGN_IN:-}" = iap ] || [ -z "${OIDC_CLIENT_ID:-}" ]; then return; fi
  if [ -z "${OIDC_CLIENT_SECRET:-}" ] && ! has_value "${SECRET_PREFIX}oidc-client-secret"; then
    say_redirect
    ask_for OIDC_CLIENT_SECRET "Secret of the OAuth client $OIDC_CLIENT_ID (not shown)" -s
    OIDC_CLIENT_SECRET=$ANSWER
  fi
}

# One client signs people into both pages: https://developers.google.com/identity/protocols/oauth2/web-server
redirects() {
  echo "$INBOX_URL/back${DESK_URL:+ and $DESK_URL/back}"
}

say_redirect() { note "The client's authorised redirect URIs: $(redirects)"; }

# What is still to be done by hand, said at the end, where it is read.
say_what_is_open() {
  if ! is_function inbox || [ -n "$ONLY" ] || [ "${INBOX_SIGN_IN:-}" = iap ] || [ -n "${OIDC_CLIENT_ID:-}" ]; then return; fi
  step "The inbox is at $INBOX_URL, but nobody can sign in yet"
  note "At https://console.cloud.google.com/auth/clients?project=$PROJECT make a client of the type \"Web application\" (Google asks for a name of the app first, with the audience \"Internal\" if all workers are of your organisation)."
  note "Paste as its authorised redirect URIs: $(redirects)"
  note "Then run: ./deploy.sh --project $PROJECT${PREFIX:+ --prefix $PREFIX} --oidc-client-id THE-CLIENT-ID (its secret is asked for, or taken from OIDC_CLIENT_SECRET)."
}

# Begins to sign in as a browser would, and goes no further than the issuer's first page.
probe_pages() {
  if [ "$PROBE" = 0 ] || [ "$DRY_RUN" = 1 ]; then return; fi
  if is_function inbox && is_wanted inbox; then probe_inbox; fi
  if is_function desk && is_wanted desk && [ -n "$DESK_URL" ]; then probe_desk; fi
}

probe_desk() {
  step "The desk at $DESK_URL"
  "$PYTHON" -m tools.probe_inbox --page desk --url "$DESK_URL" --patience "$((RETRIES * RETRY_SECONDS))" ${OIDC_CLIENT_ID:+--client "$OIDC_CLIENT_ID"} ||
    fail "Supervisors cannot sign in to the desk yet (above); the webhooks are not touched by that. Put it right and run the same command again."
}

probe_inbox() {
  step "The inbox at $INBOX_URL"
  "$PYTHON" -m tools.probe_inbox --url "$INBOX_URL" --patience "$((RETRIES * RETRY_SECONDS))" ${OIDC_CLIENT_ID:+--client "$OIDC_CLIENT_ID"} ||
    fail "Workers cannot sign in to the inbox yet (above); the webhooks are not touched by that. Put it right and run the same command again."
}
