"""What the desk's page sends, as typed values."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from functions.http.requests import RequestModel


class Save(RequestModel):
    """The changed fields of a record. `version`: of the record as it was read; None makes a new one. A field that is
    null is removed. `removed`: further fields to remove, in which null is a value."""

    version: str | None = None
    fields: dict[str, Any]
    removed: tuple[str, ...] = ()


class Look(RequestModel):
    """The typed fields of a form that is not saved yet."""

    fields: dict[str, Any] = Field(default_factory=dict)


class Remove(RequestModel):
    """A record to delete, as it was read."""

    version: str | None = None
