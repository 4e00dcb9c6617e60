"""A monthly budget of the project that sends mail at half, nine tenths and the whole of it, through the Budget API.

https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets. A budget only notifies; it
stops nothing. The billing account's administrators are notified, and the addresses that alerts are sent to.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import requests

from tools.alerts import kept
from tools.google_api import Api, ApiError

Json = dict[str, Any]
SHARES = (0.5, 0.9, 1.0)
_MOST_CHANNELS = 5  # of one budget
_ROLES = "roles/billing.costsManager on the billing account"


def wanted(project: str, app: str, amount: int, channels: list[str]) -> Json:
    """Return the budget: `amount` a month in the billing account's own currency."""
    rule: Json = {"disableDefaultIamRecipients": False}
    if channels:
        rule["monitoringNotificationChannels"] = sorted(channels)[:_MOST_CHANNELS]
    return {
        "displayName": f"{app}: {project}"[:60],
        "budgetFilter": {
            "projects": [f"projects/{project}"],
            "calendarPeriod": "MONTH",
        },
        "amount": {"specifiedAmount": {"units": str(amount)}},
        "thresholdRules": [{"thresholdPercent": share} for share in SHARES],
        "notificationsRule": rule,
    }


def change(api: Api, account: str, budget: Json) -> tuple[str, str, Json] | None:
    """Return method, path and body of the request that makes the budget so; None if it is."""
    path = f"{account}/budgets"
    for have in api.all(path, "budgets"):
        if have.get("displayName") != budget["displayName"]:
            continue
        units = have.get("amount", {}).get("specifiedAmount", {}).get("units")
        channels = have.get("notificationsRule", {}).get(
            "monitoringNotificationChannels"
        )
        rule = budget["notificationsRule"].get("monitoringNotificationChannels")
        if units == budget["amount"]["specifiedAmount"]["units"] and channels == rule:
            return None
        return "PATCH", have["name"], budget
    return "POST", path, budget


def run(arguments: argparse.Namespace) -> None:
    """Create or renew the budget, and print what was changed."""
    project, patience = arguments.project, arguments.patience
    info = Api("cloudbilling", "v1", project, patience).call(
        "GET", f"projects/{project}/billingInfo"
    )
    account = (info or {}).get("billingAccountName")
    if not account:
        sys.exit(f"\ndeploy.sh: Project {project} has no billing account.")
    have = kept(Api("monitoring", "v3", project, patience), project, arguments.app)
    names = [channel["name"] for channel in have.channels]
    budget = wanted(project, arguments.app, arguments.amount, names)
    api = Api("billingbudgets", "v1", project, patience)
    needed = change(api, account, budget)
    if needed is None:
        return
    doing = f"set a budget of {arguments.amount} a month"
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.write(f"{doing}\n")
    if arguments.dry_run:
        print(f"  would {doing}")
        return
    method, path, body = needed
    api.call(method, path, body)
    print(f"  {doing}: done")


def main(words: list[str] | None = None) -> None:
    """Run the command; ends with one sentence when Google refuses or does not answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--app", default="inbound", help="the prefix, or inbound")
    parser.add_argument("--amount", type=int, required=True)
    parser.add_argument("--patience", type=float, default=0)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--changes", type=Path)
    try:
        run(parser.parse_args(words))
    except ApiError as error:
        sys.exit(
            f"\ndeploy.sh: The budget could not be set: {error.advice(_ROLES)}; then run the same command again."
        )
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: The Budget API could not be reached ({type(error).__name__}): check the network."
        )


if __name__ == "__main__":
    main()
