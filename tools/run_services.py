"""Reads Cloud Run services as gcloud prints them in JSON; writes one line each: name|open or asks|revision.

open: callers are not checked (--no-invoker-iam-check). revision: where the service was rolled back to,
that is to say all or part of its traffic is held at a revision by name; nothing: the latest one serves.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_UNCHECKED = "run.googleapis.com/invoker-iam-disabled"


def line(service: dict[str, Any]) -> str:
    """One service as `gcloud run services list` and `describe` show it (Knative's shape)."""
    metadata = service["metadata"]
    is_open = str(metadata.get("annotations", {}).get(_UNCHECKED, "")).lower() == "true"
    return "|".join((metadata["name"], "open" if is_open else "asks", held_at(service)))


def held_at(service: dict[str, Any]) -> str:
    """The revision that serves by name, or nothing."""
    traffic = service.get("spec", {}).get("traffic", [])
    named = [
        part["revisionName"]
        for part in traffic
        if part.get("revisionName") and part.get("percent")
    ]
    return str(named[0]) if named else ""


def main() -> None:
    read = json.load(sys.stdin)
    for service in read if isinstance(read, list) else [read]:
        print(line(service))


if __name__ == "__main__":
    main()
