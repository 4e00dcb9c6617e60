"""The record settings/routing."""

from __future__ import annotations

from functools import partial

from domain.settings import parse
from providers import database

_SETTINGS = database.Collection("settings", parse)
of, checked = _SETTINGS.of, _SETTINGS.checked
reference, load = partial(_SETTINGS.reference, "routing"), partial(_SETTINGS.load, "routing")
