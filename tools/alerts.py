"""Alerts by e-mail when the service is broken, through the Monitoring REST API.

What this creates carries our label, `app`; nothing else is changed. tools/alert_policies.py says what is watched.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tools.alert_policies import SECTIONS, WAITING, Watched, policies
from tools.google_api import Api, ApiError

__all__ = ["SECTIONS", "main"]
Json = dict[str, Any]
_ROLES = "roles/monitoring.editor and roles/logging.configWriter"


@dataclass(frozen=True)
class Kept:
    """The channels and policies of an installation that exist at Google."""

    channels: list[Json]
    policies: list[Json]

    @property
    def emails(self) -> list[str]:
        """The addresses that alerts are sent to."""
        return [channel["labels"]["email_address"] for channel in self.channels]

    @property
    def waiting(self) -> int | None:
        """Minutes, as the alert's own condition has them."""
        for policy in self.policies:
            if policy["userLabels"].get("alert") == "waiting":
                words = policy["conditions"][0]["conditionMatchedLog"]["filter"]
                return int(words.rsplit(">=", 1)[1]) // 60
        return None


def kept(api: Api, project: str, app: str) -> Kept:
    """Read what carries the label `app`. Only channels by e-mail are ours to change."""

    def ours(kind: str) -> list[Json]:
        items = api.all(f"projects/{project}/{kind}", kind)
        return [item for item in items if item.get("userLabels", {}).get("app") == app]

    channels = ours("notificationChannels")
    return Kept([c for c in channels if _is_email(c)], ours("alertPolicies"))


def _is_email(channel: Json) -> bool:
    return "email_address" in channel.get("labels", {})


def faults(have: Kept, app: str) -> list[str]:
    """Return a sentence for each reason why an alert would reach no one.

    verificationStatus: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannels
    """
    sentences = []
    names = {channel["name"] for channel in have.channels}
    for channel in have.channels:
        address = channel["labels"]["email_address"]
        if channel.get("enabled") is False:
            sentences.append(f"the notification channel of {address} is disabled")
        if channel.get("verificationStatus") == "UNVERIFIED":
            sentences.append(
                f"the notification channel of {address} is not verified, so Google sends nothing to it"
            )
    for policy in have.policies:
        title = policy.get("displayName", policy["name"])
        if policy.get("enabled") is False:
            sentences.append(f"the alert {title!r} is disabled")
        if not names.intersection(policy.get("notificationChannels", [])):
            sentences.append(f"the alert {title!r} is sent to none of the addresses")
    present = {policy["userLabels"].get("alert") for policy in have.policies}
    missing = [title for name, title in SECTIONS.items() if name not in present]
    sentences += [
        f"there is no alert '{app}: {title.removeprefix('Alert: ')}'"
        for title in missing
    ]
    return sentences


@dataclass(frozen=True)
class Change:
    """One request that writes; `doing` completes "would ..."."""

    doing: str
    method: str
    path: str
    body: Json | None = None


def channel_changes(
    have: Kept, project: str, app: str, emails: list[str]
) -> list[Change]:
    """Return the channels to create, one for each new address."""
    return [
        Change(
            f"let alerts write to {email}",
            "POST",
            f"projects/{project}/notificationChannels",
            {
                "type": "email",
                "displayName": f"{app}: alerts",
                "labels": {"email_address": email},
                "userLabels": {"app": app},
            },
        )
        for email in emails
        if email not in have.emails
    ]


def policy_changes(have: Kept, project: str, wanted: dict[str, Json]) -> list[Change]:
    """Return the policies to create, and those to renew with the channels that people added by hand."""
    by_name = {policy["userLabels"].get("alert"): policy for policy in have.policies}
    ours = {channel["name"] for channel in have.channels}
    changes = []
    for name, policy in wanted.items():
        title = policy["displayName"]
        existing = by_name.get(name)
        if existing is None:
            path = f"projects/{project}/alertPolicies"
            changes.append(Change(f"make the alert {title!r}", "POST", path, policy))
        elif existing["userLabels"].get("mark") != policy["userLabels"]["mark"]:
            channels = list(policy["notificationChannels"])
            for channel in existing.get("notificationChannels", []):
                if channel not in ours and channel not in channels:
                    channels.append(channel)
            body = policy | {"notificationChannels": channels}
            doing = f"renew the alert {title!r}"
            changes.append(Change(doing, "PATCH", existing["name"], body))
    return changes


@dataclass(frozen=True)
class Run:
    """One run against one project, with the options of the command line."""

    api: Api
    arguments: argparse.Namespace

    def do(self, change: Change) -> Json:
        """Apply one change and print it; a dry run only prints it."""
        if self.arguments.changes:
            with self.arguments.changes.open("a") as changes:
                changes.write(f"{change.doing}\n")
        if self.arguments.dry_run:
            print(f"  would {change.doing}")
            return {"name": "made-later"}
        answer = self.api.call(change.method, change.path, change.body)
        print(f"  {change.doing}: done")
        return dict(answer or {})


def put_right(api: Api, arguments: argparse.Namespace) -> None:
    """Create or renew channels and policies; does nothing for an installation that has never asked for alerts."""
    have = kept(api, arguments.project, arguments.app)
    emails = arguments.email or have.emails
    if not emails:
        return
    run = Run(api, arguments)
    if arguments.email and not arguments.dry_run:
        print(f"  alerts write to {', '.join(emails)}")
    names = {c["labels"]["email_address"]: c["name"] for c in have.channels}
    for change in channel_changes(have, arguments.project, arguments.app, emails):
        address = (change.body or {})["labels"]["email_address"]
        names[address] = run.do(change)["name"]
    # Sorted, so that the order of the options does not count as a change.
    channels = sorted(names[email] for email in emails)
    watched = Watched(arguments.app, arguments.region, arguments.prefix)
    wanted = policies(watched, arguments.waiting or have.waiting or WAITING, channels)
    for change in policy_changes(have, arguments.project, wanted):
        run.do(change)
    # Last, because a channel that a policy names cannot be deleted.
    for address in set(have.emails) - set(emails):
        doing = f"stop alerts from writing to {address}"
        run.do(Change(doing, "DELETE", names[address]))


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument(
        "--app", default="inbound", help="the label: the prefix, or inbound"
    )
    parser.add_argument("--region", default="us-central1")
    parser.add_argument("--prefix", default="")
    parser.add_argument(
        "--email",
        action="append",
        default=[],
        help="an address that alerts are sent to; may be repeated; none: the addresses stay as they are",
    )
    parser.add_argument(
        "--waiting",
        type=int,
        help=f"minutes that a customer may wait (default {WAITING})",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the names of what exists, and end"
    )
    parser.add_argument("--remove", metavar="NAME", help="remove this one, and end")
    parser.add_argument(
        "--patience",
        type=float,
        default=0,
        help="seconds to wait for what Google does not know yet",
    )
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each change"
    )
    arguments = parser.parse_args(words)
    arguments.email = list(dict.fromkeys(arguments.email))
    return arguments


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    api = Api("monitoring", "v3", arguments.project, arguments.patience)
    if arguments.remove:
        api.call("DELETE", arguments.remove)
    elif arguments.list:
        have = kept(api, arguments.project, arguments.app)
        # Policies first: a channel that a policy names cannot be deleted.
        for item in [*have.policies, *have.channels]:
            print(item["name"])
    else:
        put_right(api, arguments)


def main(words: list[str] | None = None) -> None:
    """Run the command; ends with one sentence when Google refuses or does not answer."""
    try:
        run(_arguments(words))
    except ApiError as error:
        sys.exit(
            f"\ndeploy.sh: The alerts could not be made: {error.advice(_ROLES)}; then run the same command again."
        )
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: The Monitoring API could not be reached ({type(error).__name__}): check the network."
        )


if __name__ == "__main__":
    main()
