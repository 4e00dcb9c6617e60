"""Alerts that write to somebody when the service is broken, through the Monitoring REST API.

https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies. What is made carries our label, `app`;
nothing else is looked at. docs/operations.md has a section for each alert, named in its text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from functions.table import FUNCTIONS
from tools.google_api import Api, ApiError

Json = dict[str, Any]
SECTIONS = {  # of docs/operations.md
    "webhooks": "Alert: a webhook fails or is throttled",
    "sweep": "Alert: no sweep for five minutes",
    "errors": "Alert: an error in the log",
    "waiting": "Alert: somebody waits too long",
}
WAITING = 30  # minutes
_FIRST = ("pre_event", "post_event")  # Twilio does not repeat these
_FIVE_MINUTES = "300s"
_FORBIDDEN_AT_LEAST = 10  # in five minutes: a scanner knocks now and then, a wrong token is refused all the time


@dataclass(frozen=True)
class Watched:
    """Which installation: its label, and its functions' names."""

    app: str
    region: str
    prefix: str

    def name(self, entry_point: str) -> str:
        return (
            f"{f'{self.prefix}-' if self.prefix else ''}{entry_point.replace('_', '-')}"
        )

    def logged_by(self, *entry_points: str) -> str:
        """A filter of log lines."""
        names = " OR ".join(f'"{self.name(one)}"' for one in entry_points)
        return f"{self._where()} AND resource.labels.service_name=({names})"

    def measured_at(self, *entry_points: str) -> str:
        """A filter of metrics, whose language is another one."""
        names = ", ".join(f'"{self.name(one)}"' for one in entry_points)
        return f"{self._where()} AND resource.labels.service_name=one_of({names})"

    def _where(self) -> str:
        return f'resource.type="cloud_run_revision" AND resource.labels.location="{self.region}"'


def _requests(watched: Watched, which: str, *entry_points: str) -> str:
    metric = 'metric.type="run.googleapis.com/request_count"'
    return f"{metric} AND {which} AND {watched.measured_at(*entry_points)}"


def _more_than(watched: Watched, title: str, which: str, threshold: float) -> Json:
    """So many answers of a kind by the first webhooks within five minutes."""
    summed = {
        "alignmentPeriod": _FIVE_MINUTES,
        "perSeriesAligner": "ALIGN_DELTA",
        "crossSeriesReducer": "REDUCE_SUM",
    }
    return {
        "displayName": title,
        "conditionThreshold": {
            "filter": _requests(watched, which, *_FIRST),
            "aggregations": [summed],
            "comparison": "COMPARISON_GT",
            "thresholdValue": threshold,
            "duration": "0s",
        },
    }


def _logged(title: str, wanted: str) -> Json:
    return {"displayName": title, "conditionMatchedLog": {"filter": wanted}}


def conditions(watched: Watched, waiting: int) -> dict[str, list[Json]]:
    """What each alert looks at; `waiting` in minutes."""
    swept = {
        "displayName": "no sweep has answered 200",
        "conditionAbsent": {
            "filter": _requests(
                watched, 'metric.labels.response_code_class="2xx"', "sweep"
            ),
            "aggregations": [
                {
                    "alignmentPeriod": "60s",
                    "perSeriesAligner": "ALIGN_DELTA",
                    "crossSeriesReducer": "REDUCE_SUM",
                }
            ],
            "duration": _FIVE_MINUTES,
        },
    }
    everything = watched.logged_by(*(one.name for one in FUNCTIONS))
    late = (
        f"{watched.logged_by('sweep')} AND jsonPayload.waiting_seconds>={waiting * 60}"
    )
    return {
        "webhooks": [
            _more_than(
                watched, "5xx to Twilio", 'metric.labels.response_code_class="5xx"', 0
            ),
            _more_than(
                watched, "429 to Twilio", 'metric.labels.response_code="429"', 0
            ),
            _more_than(
                watched,
                "403 to Twilio",
                'metric.labels.response_code="403"',
                _FORBIDDEN_AT_LEAST,
            ),
        ],
        "sweep": [swept],
        "errors": [_logged("an ERROR in the log", f"{everything} AND severity>=ERROR")],
        "waiting": [_logged(f"somebody waits {waiting} minutes", late)],
    }


def policies(watched: Watched, waiting: int, channel: str) -> dict[str, Json]:
    """By their short name, as the API wants them; a checksum tells whether one is as it should be."""
    found = {}
    for name, looked_at in conditions(watched, waiting).items():
        is_log = any("conditionMatchedLog" in one for one in looked_at)
        policy: Json = {
            "displayName": f"{watched.app}: {SECTIONS[name].removeprefix('Alert: ')}",
            "documentation": {
                "content": _text(watched, name),
                "mimeType": "text/markdown",
            },
            "conditions": looked_at,
            "combiner": "OR",
            "notificationChannels": [channel],
            # Google wants a rate for alerts on log lines; the others close by themselves.
            "alertStrategy": {"autoClose": "1800s"}
            | (_once_an_hour() if is_log else {}),
        }
        mark = hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()[
            :32
        ]
        found[name] = policy | {
            "userLabels": {"app": watched.app, "alert": name, "mark": mark}
        }
    return found


def _once_an_hour() -> Json:
    return {"notificationRateLimit": {"period": "3600s"}}


def _text(watched: Watched, name: str) -> str:
    doctor = f"python -m tools.doctor --project ${{project}}{f' --prefix {watched.prefix}' if watched.prefix else ''}"
    return f'What to look at: docs/operations.md, section "{SECTIONS[name]}". `{doctor}` checks everything at once.'


@dataclass(frozen=True)
class Kept:
    """What is there of ours."""

    channels: list[Json]
    policies: list[Json]

    @property
    def email(self) -> str | None:
        return self.channels[0]["labels"]["email_address"] if self.channels else None

    @property
    def waiting(self) -> int | None:
        """Minutes, as the alert's own condition says."""
        for policy in self.policies:
            if policy["userLabels"].get("alert") == "waiting":
                words = policy["conditions"][0]["conditionMatchedLog"]["filter"]
                return int(words.rsplit(">=", 1)[1]) // 60
        return None


def kept(api: Api, project: str, app: str) -> Kept:
    def ours(kind: str, key: str) -> list[Json]:
        listed = api.all(f"projects/{project}/{kind}", key)
        return [one for one in listed if one.get("userLabels", {}).get("app") == app]

    return Kept(
        ours("notificationChannels", "notificationChannels"),
        ours("alertPolicies", "alertPolicies"),
    )


@dataclass(frozen=True)
class Change:
    doing: str
    method: str
    path: str
    body: Json | None = None


def channel_change(have: Kept, project: str, app: str, email: str) -> Change | None:
    body = {
        "type": "email",
        "displayName": f"{app}: alerts",
        "labels": {"email_address": email},
        "userLabels": {"app": app},
    }
    if not have.channels:
        return Change(
            f"let alerts write to {email}",
            "POST",
            f"projects/{project}/notificationChannels",
            body,
        )
    if have.email != email:
        return Change(
            f"let alerts write to {email}", "PATCH", have.channels[0]["name"], body
        )
    return None


def policy_changes(have: Kept, project: str, wanted: dict[str, Json]) -> list[Change]:
    by_name = {policy["userLabels"].get("alert"): policy for policy in have.policies}
    changes = []
    for name, policy in wanted.items():
        doing = f"make the alert {policy['displayName']!r}"
        if name not in by_name:
            changes.append(
                Change(doing, "POST", f"projects/{project}/alertPolicies", policy)
            )
        elif by_name[name]["userLabels"].get("mark") != policy["userLabels"]["mark"]:
            changes.append(
                Change(
                    doing.replace("make", "renew", 1),
                    "PATCH",
                    by_name[name]["name"],
                    policy,
                )
            )
    return changes


def _do(api: Api, change: Change, arguments: argparse.Namespace) -> Json:
    if arguments.dry_run:
        print(f"  would {change.doing}")
        return {"name": "made-later"}
    answer = api.call(change.method, change.path, change.body)
    print(f"  {change.doing}: done")
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.write(f"{change.doing}\n")
    return dict(answer or {})


def put_right(api: Api, arguments: argparse.Namespace) -> None:
    """Makes or renews what is wanted; does nothing where nobody has ever asked for alerts."""
    have = kept(api, arguments.project, arguments.app)
    email = arguments.email or have.email
    if email is None:
        return
    if arguments.email and not arguments.dry_run:
        print(f"  alerts write to {email}")
    name = have.channels[0]["name"] if have.channels else ""
    if change := channel_change(have, arguments.project, arguments.app, email):
        name = _do(api, change, arguments)["name"]
    watched = Watched(arguments.app, arguments.region, arguments.prefix)
    wanted = policies(watched, arguments.waiting or have.waiting or WAITING, name)
    for change in policy_changes(have, arguments.project, wanted):
        _do(api, change, arguments)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument(
        "--app", default="inbound", help="the label: the prefix, or inbound"
    )
    parser.add_argument("--region", default="us-central1")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--email", help="who is told; none: whoever is told now")
    parser.add_argument(
        "--waiting",
        type=int,
        help=f"minutes that somebody may wait (default {WAITING})",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the names of what is there, and end"
    )
    parser.add_argument("--remove", metavar="NAME", help="remove this one, and end")
    parser.add_argument(
        "--patience",
        type=float,
        default=0,
        help="seconds to wait for an API just enabled",
    )
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each change"
    )
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> None:
    api = Api("monitoring", "v3", arguments.project, arguments.patience)
    if arguments.remove:
        api.call("DELETE", arguments.remove)
    elif arguments.list:
        have = kept(api, arguments.project, arguments.app)
        for one in [
            *have.policies,
            *have.channels,
        ]:  # a channel that a policy names cannot go
            print(one["name"])
    else:
        put_right(api, arguments)


def main(words: list[str] | None = None) -> None:
    try:
        run(_arguments(words))
    except ApiError as error:
        lacking = "roles/monitoring.editor and roles/logging.configWriter"
        why = (
            f"have an owner give you {lacking}"
            if error.status in (401, 403)
            else str(error)
        )
        sys.exit(
            f"\ndeploy.sh: The alerts could not be made: {why}; then run the same command again."
        )
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: The Monitoring API could not be reached ({type(error).__name__}): check the network."
        )


if __name__ == "__main__":
    main()
