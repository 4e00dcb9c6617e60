"""Sets up Twilio's side: shows what would change, asks, and changes it; --check only compares."""

from __future__ import annotations

import argparse
import os
import re
import sys

from twilio.base.exceptions import TwilioException
from urllib3.exceptions import HTTPError

from providers import configuration, twilio
from tools import twilio_addresses
from tools.probe import address
from tools.twilio_plan import Change, Wanted, plan, removal

FRONTLINE = {
    "Routing: Custom routing, Callback URL": "routing",
    "Callbacks: CRM Callback URL": "crm",
    "Callbacks: Outgoing Conversations Callback URL": "outgoing_conversation",
    "Callbacks: Templates Callback URL": "templates",
}
WOULD_CHANGE = 3  # the exit status of a dry run that found something to change
TIMER = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")


def show(changes: list[Change]) -> None:
    """Every setting, with what would change marked."""
    for change in changes:
        for row in change.rows:
            if row.differs:
                print(
                    f"  {row.what}\n      now     {row.now}\n      wanted  {row.wanted}"
                )
            else:
                print(f"  {row.what}\n      stays   {row.now}")
        if change.is_needed:
            for sentence in change.stops:
                print(f"  {sentence}")


def show_of_service() -> None:
    """What was seen of webhooks that are set for one service only."""
    print(
        "\nTwilio was seen not to send onMessageAdded to one service's webhooks for what comes in by SMS. The "
        "sweep makes up for it, a minute or more late; without --service the whole account's webhooks are set, "
        "which get it."
    )


def show_frontline(wanted: Wanted) -> None:
    """What only a person can set."""
    print(
        "\nOnly if the account has Twilio Frontline: paste these in the Console under Frontline > Manage:"
    )
    for label, entry_point in FRONTLINE.items():
        print(
            f"  {label}\n      {address(wanted.base_url, wanted.prefix, entry_point)}"
        )


def agrees(question: str) -> bool:
    """Whether the person at the terminal says yes."""
    if not sys.stdin.isatty():
        sys.exit(
            "This needs an answer and there is no terminal: run it on one, or add --yes."
        )
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def apply(changes: list[Change], yes: bool) -> None:
    """Asks once for what is required and a second time for what is only advised."""
    required = [c for c in changes if not c.advised]
    advised = [c for c in changes if c.advised]
    if required and not (yes or agrees("Change these settings at Twilio?")):
        sys.exit("Nothing was changed.")
    for change in required:
        change.apply()
    for change in advised:
        question = "An inactive conversation gives its worker's place back. Set a timer for the whole account?"
        if yes or agrees(question):
            change.apply()
    print("Done; run with --check to compare again.")


def wanted_from(arguments: argparse.Namespace) -> Wanted:
    """The arguments as checked values; ends with a sentence about the first that makes no sense."""
    base_url, service, timer = (
        arguments.base_url,
        arguments.service,
        arguments.inactive_timer,
    )
    if not base_url:
        sys.exit(
            "Say where the functions are: --base-url https://REGION-PROJECT.cloudfunctions.net."
        )
    if not re.fullmatch(r"https?://[^\s?#]+", base_url):
        sys.exit(
            f"--base-url {base_url} must be an address such as https://example.com, without ? and #."
        )
    if service and not re.fullmatch(r"IS[0-9a-fA-F]{32}", service):
        sys.exit(f"--service {service} must be IS and 32 hexadecimal digits.")
    try:
        addresses = tuple(map(twilio_addresses.parse, arguments.number))
    except twilio_addresses.UnknownForm as error:
        sys.exit(str(error))
    if timer != "none" and not TIMER.fullmatch(timer):
        sys.exit(
            f"--inactive-timer {timer} must be a duration such as PT1H or P1D, or none."
        )
    chosen_timer = None if timer == "none" else timer
    return Wanted(
        base_url,
        arguments.prefix,
        service,
        addresses,
        chosen_timer,
        arguments.take_from_flex,
    )


def arguments_of(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.twilio_setup", description=__doc__
    )
    parser.add_argument(
        "--base-url",
        default=os.environ.get("WEBHOOK_BASE_URL"),
        help="public address of the functions",
    )
    parser.add_argument("--prefix", default="", help="as given to deploy.sh")
    parser.add_argument(
        "--service",
        default=os.environ.get("TWILIO_CONVERSATION_SERVICE_SID"),
        help="Conversations service (IS...); none: the account's own settings",
    )
    parser.add_argument(
        "--number",
        action="append",
        default=[],
        help="+1..., whatsapp:+1..., a short code (12345 or 12345:US), messenger:..., rcs:..., urn:mbid:... or an "
        "e-mail address; may be repeated",
    )
    parser.add_argument(
        "--take-from-flex",
        action="store_true",
        help="let the account's webhooks come here instead of to Flex",
    )
    parser.add_argument(
        "--inactive-timer",
        default="PT1H",
        help="set if there is none: PT1H, P1D, ...; or none",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only compare; exit status 1 if anything differs",
    )
    parser.add_argument(
        "--remove", action="store_true", help="take our webhooks away again"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only show what would change; exit status 3 if something would",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> None:
    wanted = wanted_from(arguments)
    client = twilio.client()
    print(
        f"Conversations service {wanted.service_sid}"
        if wanted.service_sid
        else "The account's own settings"
    )
    found = removal(client, wanted) if arguments.remove else plan(client, wanted)
    show(found.changes)
    for notice in found.notices:
        print(f"  {'Wrong' if notice.is_fault else 'Note'}: {notice.sentence}")
    if arguments.check:
        print(
            "Twilio's side is as it must be."
            if found.is_fulfilled
            else "Different: see above."
        )
        sys.exit(0 if found.is_fulfilled else 1)
    if any(notice.forbids for notice in found.notices):
        sys.exit("Nothing was changed: see above.")
    needed = [change for change in found.changes if change.is_needed]
    if not needed:
        print("Nothing to change.")
    elif not arguments.dry_run:
        apply(needed, arguments.yes)
    if not arguments.remove:
        if wanted.service_sid:
            show_of_service()
        show_frontline(wanted)
    if arguments.dry_run and needed:
        sys.exit(WOULD_CHANGE)


def main(words: list[str] | None = None) -> None:
    arguments = arguments_of(words)
    try:
        run(arguments)
    except configuration.ConfigurationError as error:
        sys.exit(str(error))
    except TwilioException as error:
        sys.exit(_refusal(error, arguments.service))
    except HTTPError as error:
        sys.exit(
            f"Twilio could not be reached ({type(error).__name__}): check the network and run it again."
        )


def _refusal(error: TwilioException, service: str | None) -> str:
    """One sentence: which credentials or which service Twilio refuses, and what to do."""
    refused = twilio.with_code(error)
    status, code = (
        int(getattr(refused, "status", 0) or 0),
        int(getattr(refused, "code", 0) or 0),
    )
    if twilio.is_about_login(status, code):
        return _login_refused(configuration.twilio_login())
    if status == 404 and service:
        return f"This account has no Conversations service {service}: check --service."
    return f"Twilio refused: {refused}"


def _login_refused(login: configuration.TwilioLogin) -> str:
    if login.is_api_key:
        return (
            f"Twilio refuses the API key {login.user}: check TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET, "
            "and that the key may read and change the configuration of Conversations."
        )
    return "Twilio refuses the account SID and token: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."


if __name__ == "__main__":
    main()
