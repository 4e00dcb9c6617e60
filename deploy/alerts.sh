# shellcheck shell=bash
# Alerts through the Monitoring API (tools/alerts.py); docs/operations.md says what to do at each.

# Made when an address is given; later runs keep what is there up to date, for a new function has to be watched, too.
set_up_alerts() {
  local address addresses=()
  for address in $ALERT_EMAIL; do addresses+=(--email "$address"); done
  has_line "$TMP/apis.out" monitoring.googleapis.com || [ -n "$ALERT_EMAIL" ] || return 0
  "$PYTHON" -m tools.alerts --project "$PROJECT" --app "$ACCOUNTS" --region "$REGION" --prefix "$PREFIX" --patience "$((RETRIES * RETRY_SECONDS))" \
    ${addresses[@]+"${addresses[@]}"} ${ALERT_WAITING:+--waiting "$ALERT_WAITING"} ${DRY_FLAG:+"$DRY_FLAG"} --changes "$CHANGES" || exit 1
}

# In the billing account's own currency; only when it is named, because it needs a role on the billing account.
set_up_budget() {
  [ -n "$BUDGET" ] || return 0
  "$PYTHON" -m tools.budget --project "$PROJECT" --app "$ACCOUNTS" --amount "$BUDGET" --patience "$((RETRIES * RETRY_SECONDS))" \
    ${DRY_FLAG:+"$DRY_FLAG"} --changes "$CHANGES" || exit 1
}

# One line each for --delete.
find_alerts() {
  has_line "$TMP/apis.out" monitoring.googleapis.com || return 0
  "$PYTHON" -m tools.alerts --project "$PROJECT" --app "$ACCOUNTS" --list | sed 's/^/alert|/'
}
