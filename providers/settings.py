"""The record settings/routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.settings import Settings, parse
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

_SETTINGS = database.Collection("settings", lambda name, data, version: parse(data))
of, checked = _SETTINGS.of, _SETTINGS.checked


def reference() -> DocumentReference:
    return _SETTINGS.reference("routing")


def load() -> Settings:
    return _SETTINGS.load("routing")
