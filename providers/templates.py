"""The collection templates."""

from __future__ import annotations

from domain.template import Template, parse
from providers import database, problems

_MOST = 300  # read for one answer


def load() -> list[Template]:
    """All of them, 300 at most; what makes no sense is told in their records."""
    found = []
    for snapshot in database.find(database.client().collection("templates").limit(_MOST)):
        found.append(parse(snapshot.id, snapshot.to_dict()))
        problems.keep_true(snapshot, found[-1].problem)
    return found
