"""Lets Artifact Registry delete images: of each function all but the last five, once they are a month old.

https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy: what a Delete policy names goes unless a
Keep policy names it too. Both name our functions only, for the repository holds those of the whole project, and
policies of others stay (gcloud's own command would remove them: it sends its file alone).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import requests

from tools.google_api import Api, ApiError

KEPT = 5
_MONTH = 30 * 24 * 3600
Json = dict[str, Any]


def package(project: str, region: str, name: str) -> str:
    """Return the name that Cloud Functions gives to a function's images: hyphens and underscores doubled."""
    return "__".join(
        part.replace("_", "__").replace("-", "--") for part in (project, region, name)
    )


def policies(app: str, packages: list[str]) -> dict[str, Json]:
    """Return our policies by name, in the shape of the API."""
    return {
        f"{app}-keep": {
            "action": "KEEP",
            "mostRecentVersions": {"packageNamePrefixes": packages, "keepCount": KEPT},
        },
        f"{app}-delete": {
            "action": "DELETE",
            "condition": {
                "tagState": "ANY",
                "olderThan": f"{_MONTH}s",
                "packageNamePrefixes": packages,
            },
        },
    }


def _same(have: Json | None, policy: Json) -> bool:
    return have is not None and {k: v for k, v in have.items() if k != "id"} == policy


def put_right(api: Api, repository: str, app: str, wanted: dict[str, Json]) -> bool:
    """Make our policies these, or remove them if `wanted` is empty; returns whether something was changed.

    Google makes the repository with cleanupPolicyDryRun, which deletes nothing. It is switched off unless policies of
    others are in the repository, because these would begin to delete, too.
    """
    stored = api.call("GET", repository)
    if stored is None:  # Google makes it with the first function
        return False
    have = stored.get("cleanupPolicies", {})
    names = (f"{app}-keep", f"{app}-delete")
    ours = {name: policy for name, policy in have.items() if name in names}
    others = {name: policy for name, policy in have.items() if name not in names}
    body: Json = {"name": repository}
    if not _are_as_wanted(ours, wanted):
        named = {name: {"id": name} | policy for name, policy in wanted.items()}
        body["cleanupPolicies"] = others | named
    if wanted and not others and stored.get("cleanupPolicyDryRun"):
        body["cleanupPolicyDryRun"] = False
    if len(body) == 1:
        return False
    api.call("PATCH", repository, body, updateMask=",".join(sorted({*body} - {"name"})))
    return True


def only_tries(repository: Json | None) -> bool:
    """Whether the repository's cleanup policies delete nothing (a dry run)."""
    return repository is not None and bool(repository.get("cleanupPolicyDryRun"))


def others_in(repository: Json | None, app: str) -> list[str]:
    """Return the names of the cleanup policies that are not ours."""
    names = (repository or {}).get("cleanupPolicies", {})
    return sorted(
        name for name in names if name not in (f"{app}-keep", f"{app}-delete")
    )


def switch_on(repository: str) -> str:
    """Return the command that makes the cleanup policies of a shared repository delete."""
    _, project, _, region, _, name = repository.split("/")
    return (
        f"gcloud artifacts repositories update {name} --no-cleanup-policy-dry-run "
        f"--location {region} --project {project}"
    )


def _are_as_wanted(ours: dict[str, Json], wanted: dict[str, Json]) -> bool:
    if ours.keys() != wanted.keys():
        return False
    return all(_same(ours[name], policy) for name, policy in wanted.items())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument(
        "--app", required=True, help="what the policies' names begin with"
    )
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each change"
    )
    parser.add_argument("functions", nargs="*", help="none: remove our policies")
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line asks for, and print what was changed."""
    packages = sorted(
        package(arguments.project, arguments.region, name)
        for name in arguments.functions
    )
    wanted = policies(arguments.app, packages) if packages else {}
    place = f"projects/{arguments.project}/locations/{arguments.region}"
    repository = f"{place}/repositories/gcf-artifacts"
    api = Api("artifactregistry", "v1", arguments.project)
    if put_right(api, repository, arguments.app, wanted):
        print(f"  keep the last {KEPT} images of each function: done")
        if arguments.changes:
            with arguments.changes.open("a") as changes:
                changes.write("keep few images\n")
    stored = api.call("GET", repository) if wanted else None
    if only_tries(stored):
        others = ", ".join(others_in(stored, arguments.app))
        print(
            f"  old images are not deleted yet: the repository's policies only log what they would delete, and "
            f"others have policies there ({others}); to delete: {switch_on(repository)}"
        )


def main() -> None:
    """Run the command; ends with one sentence when Google refuses or does not answer."""
    try:
        run(_arguments())
    except ApiError as error:
        advice = error.advice("roles/artifactregistry.admin")
        sys.exit(
            f"\ndeploy.sh: Old images could not be marked for deletion: {advice}; then run the same command again."
        )
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: Artifact Registry could not be reached ({type(error).__name__}): check the network."
        )


if __name__ == "__main__":
    main()
