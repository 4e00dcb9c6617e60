"""Keeps the records in templates in step with Twilio's content templates: python -m tools.templates sync.

Each content template that Conversations can send gets a record, known by its content_sid, because names are not
unique. In records that exist only what is missing is filled in, and the approval by WhatsApp is kept up to date.
"""

from __future__ import annotations

import argparse
import os
import sys

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from domain.contents import Content
from providers import configuration, contents
from providers.twilio import Outcome, Result


def show_what_is_left_out(found: list[Content]) -> None:
    for content in found:
        if not content.is_sendable:
            print(f"  leave out {content.name} ({content.sid}): {content.reason}")


def sync(dry_run: bool) -> None:
    """Ends the process with a sentence where Twilio or Firestore does not answer."""
    found = _listed()
    show_what_is_left_out(found)
    changes = contents.plan(found, creates=True)
    for change in changes:
        is_done = dry_run or contents.apply(change)
        say = contents.in_words if is_done else contents.edited_meanwhile
        print(f"  {say(change)}")
    print(contents.summary(len(found), len(changes), dry_run))


def _listed() -> list[Content]:
    result: Result = contents.listed()
    if result.outcome is Outcome.DONE:
        return list(result.body)
    if result.outcome is Outcome.MISCONFIGURED:
        sys.exit(
            f"Twilio refused to list the content templates: {result.why} "
            "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
        )
    sys.exit(
        f"Twilio's content templates could not be listed: {result.why} Run the command again."
    )


def arguments_of(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.templates", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="sync")
    command = commands.add_parser(
        "sync", help="read Twilio's Content API and write the records that differ"
    )
    command.add_argument(
        "--project",
        default=os.environ.get("GOOGLE_CLOUD_PROJECT"),
        help="the Google Cloud project",
    )
    command.add_argument(
        "--database",
        default=os.environ.get("FIRESTORE_DATABASE") or "(default)",
        help="the Firestore database",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="only show what would be written"
    )
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    arguments = arguments_of(words)
    if not arguments.project:
        sys.exit(
            "Say which Google Cloud project it is: --project, or set GOOGLE_CLOUD_PROJECT."
        )
    os.environ["GOOGLE_CLOUD_PROJECT"] = arguments.project
    os.environ["FIRESTORE_DATABASE"] = arguments.database
    try:
        configuration.twilio()
        sync(arguments.dry_run)
    except configuration.ConfigurationError as error:
        sys.exit(str(error))
    except GoogleAuthError:
        sys.exit(
            "You are not signed in to Google: run gcloud auth application-default login, then this command again."
        )
    except GoogleAPIError as error:
        sys.exit(
            f"Firestore could not be reached ({type(error).__name__}): you need roles/datastore.user."
        )


if __name__ == "__main__":
    main()
