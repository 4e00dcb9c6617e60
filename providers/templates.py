"""The collection templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.template import Template, parse
from providers import database

if TYPE_CHECKING:
    from providers.database import Snapshot

_TEMPLATES = database.Collection("templates", parse)
reference, of, load_one = _TEMPLATES.reference, _TEMPLATES.of, _TEMPLATES.load
_MOST = 300  # read for one answer


def load() -> list[Template]:
    """All of them, 300 at most; what makes no sense is told in their records."""
    return list(map(_TEMPLATES.checked, _records()))


def missing(names: Iterable[str]) -> list[str]:
    """Those of these names that no record has."""
    wanted = list(map(reference, names))
    return (
        [record.id for record in database.read(*wanted) if not record.exists]
        if wanted
        else []
    )


def with_content(content_sid: str | None = None) -> list[Snapshot]:
    """The records that name this content template of Twilio's, or any; 300 at most."""
    named = ((record, of(record).content_sid) for record in _records())
    return [record for record, sid in named if sid and sid == (content_sid or sid)]


def _records() -> list[Snapshot]:
    return database.find(database.filtered(_TEMPLATES.name, ()).limit(_MOST))
