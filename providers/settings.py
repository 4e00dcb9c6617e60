"""The record settings/routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.settings import Settings, parse
from providers import database, problems

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot


def reference() -> DocumentReference:
    return database.document("settings", "routing")


def of(snapshot: Snapshot) -> Settings:
    return parse(snapshot.to_dict())


def checked(snapshot: Snapshot) -> Settings:
    """The settings; what makes no sense is told in the record."""
    settings = of(snapshot)
    problems.keep_true(snapshot, settings.problem)
    return settings


def load() -> Settings:
    return of(database.read(reference())[0])
