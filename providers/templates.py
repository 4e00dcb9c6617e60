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
    """Return all templates, 300 at most; report invalid entries in their records."""
    return list(map(_TEMPLATES.checked, _records()))


def missing(names: Iterable[str]) -> list[str]:
    """Return the names that no record has."""
    references = list(map(reference, names))
    if not references:
        return []
    return [record.id for record in database.read(*references) if not record.exists]


def with_content(content_sid: str | None = None) -> list[Snapshot]:
    """Return the records with this content SID of Twilio's, or with any; 300 at most."""
    sids = {record: of(record).content_sid for record in _records()}
    wanted = {content_sid} if content_sid else {*sids.values()} - {None, ""}
    return [record for record, sid in sids.items() if sid in wanted]


def _records() -> list[Snapshot]:
    return database.find(database.filtered(_TEMPLATES.name, ()).limit(_MOST))
