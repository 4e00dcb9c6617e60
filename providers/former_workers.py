"""The collection former_workers: the workers with a record that a person has deleted. Only the ledger writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.worker import former_name
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference


@dataclass(frozen=True)
class Former:
    """One entry; its existence is all that counts."""

    exists: bool
    problem: str | None = None


def _parse(name: str, data: Mapping[str, Any] | None, version: object = None) -> Former:
    return Former(data is not None)


_FORMER = database.Collection("former_workers", _parse)


def reference(identity: str) -> DocumentReference:
    """Return the reference of the entry for this identity."""
    return _FORMER.reference(former_name(identity))


def includes(identity: str) -> bool:
    """Return whether this worker's record was deleted."""
    return _FORMER.load(former_name(identity)).exists
