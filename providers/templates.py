"""The collection templates."""

from __future__ import annotations

from domain.template import Template, parse
from providers import database

_TEMPLATES = database.Collection("templates", parse)
_MOST = 300  # read for one answer


def load() -> list[Template]:
    """All of them, 300 at most; what makes no sense is told in their records."""
    return list(map(_TEMPLATES.checked, database.find(database.filtered(_TEMPLATES.name, ()).limit(_MOST))))
