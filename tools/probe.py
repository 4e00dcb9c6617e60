"""Asks each deployed webhook as Twilio would, signed, and unsigned: only the first may be accepted."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import requests
from twilio.request_validator import RequestValidator

from providers import configuration

# Frontline's callbacks say what they ask for in Location. An unknown one gets 422 if the
# signature is right (else 403). The other webhooks answer 200 to an event of no interest.
BY_LOCATION = ("crm", "outgoing_conversation", "templates")
WEBHOOKS = ("pre_event", "post_event", "routing", *BY_LOCATION)
# Events that a version from before they mattered answers with 200, and this one with 400, for all else is missing.
MESSAGES = ("onMessageAdded", "onDeliveryUpdated")
_SECONDS = 30  # a cold start takes seconds
_BETWEEN = 3.0


@dataclass(frozen=True)
class Webhook:
    """One webhook at its public address."""

    entry_point: str
    address: str

    @property
    def form(self) -> dict[str, str]:
        """A genuine request that changes nothing."""
        key = "Location" if self.entry_point in BY_LOCATION else "EventType"
        return {"AccountSid": configuration.twilio().account_sid, key: "onProbe"}

    @property
    def accepted(self) -> int:
        return 422 if self.entry_point in BY_LOCATION else 200


def address(base_url: str, prefix: str, entry_point: str) -> str:
    """Where Twilio calls this entry point."""
    name = entry_point.replace("_", "-")
    return f"{base_url.rstrip('/')}/{f'{prefix}-' if prefix else ''}{name}"


def complaint(webhook: Webhook) -> str | None:
    """Return what is wrong with the webhook as a sentence; None if it accepts Twilio only."""
    try:
        signed = _signed(webhook, webhook.form)
        unsigned = _post(webhook, webhook.form, {})
        events = MESSAGES if webhook.entry_point == "post_event" else ()
        unknown = [
            event
            for event in events
            if _signed(webhook, _bare(event)).status_code != 400
        ]
    except requests.RequestException as error:
        return f"nothing answers at {webhook.address} ({type(error).__name__})"
    if signed.status_code != webhook.accepted:
        return f"a signed request got {signed.status_code} instead of {webhook.accepted}: {_reason(signed)}"
    if unsigned.status_code != 403:
        return f"an unsigned request got {unsigned.status_code} instead of 403: anyone could send events"
    if unknown:
        return (
            f"it does not know {' and '.join(unknown)}: an older version answers there"
        )
    return None


def _bare(event: str) -> dict[str, str]:
    return {"AccountSid": configuration.twilio().account_sid, "EventType": event}


def _signed(webhook: Webhook, form: dict[str, str]) -> requests.Response:
    validator = RequestValidator(configuration.twilio().signing_secrets[0])
    return _post(
        webhook,
        form,
        {"X-Twilio-Signature": validator.compute_signature(webhook.address, form)},
    )


def _post(
    webhook: Webhook, form: dict[str, str], headers: dict[str, str]
) -> requests.Response:
    """Without following redirects: Twilio would not send the form again either."""
    return requests.post(
        webhook.address, form, headers=headers, timeout=_SECONDS, allow_redirects=False
    )


def _reason(response: requests.Response) -> str:
    """Our own refusals are JSON; anything else comes from in front of the function."""
    ours = "json" in response.headers.get("Content-Type", "")
    reasons = {
        (
            403,
            True,
        ): "WEBHOOK_BASE_URL is not the address that was called, or the auth token is not this account's",
        (
            403,
            False,
        ): "Google refuses callers that it does not know; ./deploy.sh lets them in, also where the organisation "
        "forbids allUsers",
        (
            404,
            False,
        ): "there is no function at this address: check --base-url and --prefix",
    }
    return reasons.get((response.status_code, ours), "see the function's log")


def patient_complaint(webhook: Webhook, until: float) -> str | None:
    """The same, asked until `until` (time.monotonic): new permissions take up to a minute to be known."""
    while (found := complaint(webhook)) is not None and time.monotonic() < until:
        time.sleep(_BETWEEN)
    return found


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--base-url", required=True, help="public address in front of the functions"
    )
    parser.add_argument("--prefix", default="")
    parser.add_argument(
        "--patience",
        type=float,
        default=0,
        help="seconds to go on asking until all is right",
    )
    parser.add_argument(
        "webhooks", nargs="*", help=f"entry points; none: {' '.join(WEBHOOKS)}"
    )
    arguments = parser.parse_args(words)
    names = arguments.webhooks or WEBHOOKS
    if unknown := set(names) - set(WEBHOOKS):
        parser.error(f"not a webhook: {', '.join(sorted(unknown))}")
    until = time.monotonic() + arguments.patience
    failed = False
    for name in names:
        webhook = Webhook(name, address(arguments.base_url, arguments.prefix, name))
        found = patient_complaint(webhook, until)
        failed = failed or found is not None
        print(
            f"  {webhook.address}: {found or 'accepts Twilio, refuses others'}",
            flush=True,
        )
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except configuration.ConfigurationError as error:
        sys.exit(str(error))
