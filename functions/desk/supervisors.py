"""Keeps the team from losing its last supervisor, even if two of them change each other at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.worker import SUPERVISOR, Worker, parse
from functions.http.answers import BadInput
from providers import database, workers

if TYPE_CHECKING:
    from providers.database import Snapshot

_MOST = 20
_LAST = "role: {name} is the last supervisor. Make another worker a supervisor first."


def other_than(
    identity: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Snapshot | None:
    """Return the record of another supervisor, on which this change of a worker's record depends.

    The change is written only if that record has not changed, so of two supervisors who demote each other one stays.
    None if the change takes no supervisor away; `after` is empty for a deletion. Raises BadInput for the last one.
    """
    if not _is_supervisor(parse(identity, before or None)):
        return None
    if after and _is_supervisor(parse(identity, after)):
        return None
    others = [one for one in workers.supervisors(_MOST) if one.identity != identity]
    for record in database.read(*(workers.reference(one.identity) for one in others)):
        if _is_supervisor(workers.of(record)):
            return record
    raise BadInput(_LAST.format(name=identity), field="role")


def _is_supervisor(worker: Worker) -> bool:
    return worker.confirmed and worker.role == SUPERVISOR
