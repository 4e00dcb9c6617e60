"""Prints what a Google Cloud project holds, one line per thing, for deploy.sh.

A line is `name=value` pairs with tabs between them, so that the shell reads a value by its name (`field` in
deploy/cloud.sh). `python -m tools.cloud_state --project demo functions` lists the functions; KINDS has every kind.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from tools.cloud_rows import (
    Row,
    account_row,
    binding_rows,
    database_row,
    function_row,
    job_row,
    secret_row,
    service_row,
    short,
)
from tools.google_api import Api, ApiError, Unreachable


@dataclass(frozen=True)
class Place:
    """The project and the region that are looked at."""

    project: str
    region: str

    def api(self, name: str, version: str) -> Api:
        return Api(name, version, self.project)

    @property
    def everywhere(self) -> str:
        return f"projects/{self.project}/locations/-"

    @property
    def here(self) -> str:
        return f"projects/{self.project}/locations/{self.region}"


def _functions(place: Place, _: list[str]) -> Iterator[Row]:
    api = place.api("cloudfunctions", "v2")
    listed = api.all(f"{place.everywhere}/functions", "functions")
    return map(function_row, listed)


def _regions(place: Place, _: list[str]) -> Iterator[Row]:
    api = place.api("cloudfunctions", "v2")
    listed = api.all(f"projects/{place.project}/locations", "locations")
    return ({"name": one["locationId"]} for one in listed)


def _scheduler_regions(place: Place, _: list[str]) -> Iterator[Row]:
    api = place.api("cloudscheduler", "v1")
    listed = api.all(f"projects/{place.project}/locations", "locations")
    return ({"name": one["locationId"]} for one in listed)


def _databases(place: Place, _: list[str]) -> Iterator[Row]:
    listed = place.api("firestore", "v1").all(
        f"projects/{place.project}/databases", "databases"
    )
    return map(database_row, listed)


def _accounts(place: Place, _: list[str]) -> Iterator[Row]:
    listed = place.api("iam", "v1").all(
        f"projects/{place.project}/serviceAccounts", "accounts", pageSize=100
    )
    return map(account_row, listed)


def _policy(place: Place, _: list[str]) -> Iterator[Row]:
    asked = {"options": {"requestedPolicyVersion": 3}}
    policy = place.api("cloudresourcemanager", "v1").call(
        "POST", f"projects/{place.project}:getIamPolicy", asked
    )
    bindings = (policy or {}).get("bindings", [])
    return (row for binding in bindings for row in binding_rows(binding))


def _secrets(place: Place, looked_at: list[str]) -> Iterator[Row]:
    """List the secrets; of those in `looked_at` also read the state of the newest version."""
    api = place.api("secretmanager", "v1")
    for secret in api.all(f"projects/{place.project}/secrets", "secrets"):
        state = ""
        if short(secret) in looked_at:
            name = f"projects/{place.project}/secrets/{short(secret)}"
            newest = api.call("GET", f"{name}/versions/latest")
            state = "NONE" if newest is None else newest.get("state", "ENABLED")
        yield secret_row(secret, state)


def _jobs(place: Place, _: list[str]) -> Iterator[Row]:
    listed = place.api("cloudscheduler", "v1").all(f"{place.here}/jobs", "jobs")
    return map(job_row, listed)


def _services(place: Place, _: list[str]) -> Iterator[Row]:
    listed = place.api("run", "v2").all(f"{place.here}/services", "services")
    return map(service_row, listed)


KINDS: dict[str, Callable[[Place, list[str]], Iterator[Row]]] = {
    "functions": _functions,
    "regions": _regions,
    "scheduler_regions": _scheduler_regions,
    "databases": _databases,
    "accounts": _accounts,
    "policy": _policy,
    "secrets": _secrets,
    "jobs": _jobs,
    "services": _services,
}


def line(row: Row) -> str:
    """Return one row as text; blanks and control characters of a value become single spaces."""
    return "\t".join(f"{key}={' '.join(value.split())}" for key, value in row.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", default="")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("names", nargs="*", help="the secrets to look at closely")
    arguments = parser.parse_args()
    place = Place(arguments.project, arguments.region)
    try:
        for row in KINDS[arguments.kind](place, arguments.names):
            print(line(row))
    except (ApiError, requests.RequestException) as error:
        sys.exit(_words(error))


def _words(error: ApiError | requests.RequestException) -> str:
    """Return Google's own words, which deploy/say.sh turns into a sentence."""
    if isinstance(error, Unreachable):
        return error.text  # without the status, which would be waited for
    if isinstance(error, ApiError):
        return f"{error.status}: {error.text}"
    return f"connection failed: {error}"


if __name__ == "__main__":
    main()
