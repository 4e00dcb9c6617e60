"""Checks a deployment from inside and from outside in one go, and says what to do: python -m tools.doctor --project P.

Changes nothing. Exit status: 0 all is well, 1 something is wrong, 2 there is nothing to look at.
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import requests
from twilio.base.exceptions import TwilioException
from urllib3.exceptions import HTTPError

from functions.table import FUNCTIONS
from providers import configuration, twilio
from tools import probe, probe_inbox, workers_checkup
from tools.checkup import INSIDE, Finding, Place
from tools.checkup_access import ACCESS
from tools.google_api import QUOTA_ROLE, Api, ApiError
from tools.terminal import plain
from tools.twilio_plan import Wanted, plan

_SECONDS = 30
# docs/operations.md names these, too.
ROLES = (
    "roles/viewer, roles/iam.securityReviewer, roles/secretmanager.secretAccessor "
    f"and {QUOTA_ROLE}"
)
_API_KEY = ("TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET")
_FROM_POST_EVENT = (
    "TWILIO_ACCOUNT_SID",
    "TWILIO_CONVERSATION_SERVICE_SID",
    "WEBHOOK_BASE_URL",
    "TWILIO_API_KEY_SID",
)


def webhooks(place: Place) -> Iterator[Finding]:
    """Asked as Twilio asks, signed and unsigned."""
    base = place.environment("post_event")["WEBHOOK_BASE_URL"]
    wrong = 0
    for name in probe.WEBHOOKS:
        found = probe.complaint(
            probe.Webhook(name, probe.address(base, place.prefix, name))
        )
        if found:
            wrong += 1
            yield Finding(False, f"{place.name(name)}: {found}")
    if not wrong:
        yield Finding(
            True, f"{len(probe.WEBHOOKS)} webhooks accept Twilio and refuse others"
        )


def private(place: Place) -> Iterator[Finding]:
    """Functions that are not public must refuse a caller without a sign-in."""
    for one in FUNCTIONS:
        address = (
            place.functions.get(place.name(one.name), {})
            .get("serviceConfig", {})
            .get("uri")
        )
        if one.caller not in ("firestore", "scheduler", "person") or not address:
            continue
        status = requests.get(
            address, timeout=_SECONDS, allow_redirects=False
        ).status_code
        if status not in (
            302,
            401,
            403,
        ):  # 302: Google's Identity-Aware Proxy asks for a sign-in
            yield Finding(
                False,
                f"{place.name(one.name)} answers {status} to a caller without a sign-in: run {place.again}",
            )


def inbox(place: Place) -> Iterator[Finding]:
    own = place.environment("inbox")
    if not own:
        return
    client = own.get("OIDC_CLIENT_ID")
    if domains := own.get("OIDC_ALLOWED_DOMAINS"):
        yield Finding(
            True, f"only addresses of {domains.replace(',', ', ')} sign in to the inbox"
        )
    if own.get("INBOX_SIGN_IN") != "iap" and not client:
        yield Finding(
            None,
            f"no worker can sign in to the inbox yet: {place.again} --oidc-client-id ID",
        )
    if own.get("INBOX_SIGN_IN") == "iap":
        return
    for page in ("inbox", "desk"):
        if url := own.get(f"{page.upper()}_URL"):
            found = probe_inbox.complaint(url, client, page)
            words = found or "its page is there"
            yield Finding(found is None, f"the {page}: {words}")


def twilios_side(place: Place) -> Iterator[Finding]:
    own = place.environment("post_event")
    service = own.get("TWILIO_CONVERSATION_SERVICE_SID")
    wanted = Wanted(own["WEBHOOK_BASE_URL"], place.prefix, service, (), None)
    found = plan(twilio.client(), wanted)
    for notice in found.notices:
        yield Finding(False if notice.is_fault else None, f"Twilio: {notice.sentence}")
    different = [row for change in found.changes for row in change.rows if row.differs]
    if not any(notice.forbids for notice in found.notices):
        for row in different:
            what = f"Twilio: {row.what} is {row.now} and must be {row.wanted}"
            yield Finding(False, f"{what}; run {place.again} --twilio")
    if found.is_fulfilled:
        yield Finding(True, "Twilio calls these webhooks")
    login = configuration.twilio_login()
    if login.is_api_key:
        yield Finding(True, f"Twilio accepts the API key {login.user}")


OUTSIDE: dict[str, Callable[[Place], Iterator[Finding]]] = {
    "webhooks": webhooks,
    "private functions": private,
    "inbox": inbox,
    "Twilio's side": twilios_side,
}


def learn_account(place: Place) -> None:
    """The account as the functions know it, into this process's environment: token and key from Secret Manager."""
    own = place.environment("post_event")
    for name in _API_KEY:  # one of the person's own is not the one that is deployed
        os.environ.pop(name, None)
    for name in _FROM_POST_EVENT:
        if own.get(name):
            os.environ[name] = own[name]
    given = place.functions[place.name("post_event")]["serviceConfig"].get(
        "secretEnvironmentVariables", []
    )
    api = place.api("secretmanager", "v1")
    for one in given:
        path = f"projects/{place.project}/secrets/{one['secret']}/versions/{one['version']}:access"
        if found := api.call("GET", path):
            data = found["payload"]["data"].replace("+", "-").replace("/", "_")
            os.environ[one["key"]] = base64.urlsafe_b64decode(data).decode()


def asked(
    name: str, check: Callable[[Place], Iterator[Finding]], place: Place
) -> Iterator[Finding]:
    """Yield the findings of one check; a check that fails is a finding, too."""
    try:
        yield from check(place)
    except ApiError as error:
        yield Finding(False, f"{name}: not looked at; {error.advice(ROLES)}")
    except configuration.ConfigurationError as error:
        yield Finding(False, f"{name}: {error}")
    except TwilioException as error:
        yield Finding(False, f"{name}: {twilio.classify(error).why}")
    except (HTTPError, requests.RequestException) as error:
        yield Finding(
            False, f"{name}: no answer ({type(error).__name__}: {str(error)[:200]})"
        )


def examine(place: Place) -> Iterator[Finding]:
    """Yield every finding, from inside Google Cloud first."""
    inside = INSIDE | ACCESS | {"workers": workers_checkup.workers}
    for name, check in inside.items():
        yield from asked(name, check, place)
    try:
        learn_account(place)
    except (ApiError, KeyError, requests.RequestException):
        yield Finding(
            False,
            "the Twilio token cannot be read, so webhooks and Twilio were not checked",
        )
        return
    for name, check in OUTSIDE.items():
        yield from asked(name, check, place)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.doctor", description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--prefix", default="", help="as given to deploy.sh")
    parser.add_argument(
        "--region", default="", help="where to look; none: where they run"
    )
    arguments = parser.parse_args(words)
    try:
        place = Place(arguments.project, arguments.prefix, arguments.region)
        if emulator := os.environ.get("FIRESTORE_EMULATOR_HOST"):
            os.environ["EMULATOR_API_URL"] = f"http://{emulator}"
            place.documents = Api(
                "emulator", "v1", arguments.project, bearer="owner"
            )  # its name for an admin
        if not place.functions:
            print(
                f"There is nothing in {arguments.project} that deploy.sh has made: run {place.again}."
            )
            sys.exit(2)
        findings = list(_printed(examine(place)))
    except ApiError as error:
        sys.exit(f"The functions cannot be listed: {error.advice(ROLES)}.")
    except requests.RequestException as error:
        sys.exit(
            f"Google Cloud could not be reached ({type(error).__name__}): check the network, then run this again."
        )
    except (OSError, subprocess.CalledProcessError):
        sys.exit(
            "gcloud is not there or not signed in: install it, run 'gcloud auth login', then this again."
        )
    wrong = sum(finding.ok is False for finding in findings)
    print(f"\n{wrong} to be put right." if wrong else "\nAll is well.")
    sys.exit(1 if wrong else 0)


def _printed(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Each as soon as it is known."""
    marks = {True: "ok    ", None: "note  ", False: "WRONG "}
    for finding in findings:
        print(marks[finding.ok] + plain(finding.sentence), flush=True)
        yield finding


if __name__ == "__main__":
    main()
