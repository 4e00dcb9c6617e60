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


class NewWorker(RequestModel):
    """A worker to add. `capacity` is left out for the pools' own."""

    email: str = Field(default="", max_length=320)
    display_name: str | None = None
    capacity: Any = None
    role: str | None = None
    pools: list[str] | None = None


class SearchCustomers(RequestModel):
    """`after`: where the last page ended."""

    query: str = Field(default="", max_length=200)
    after: list[str] | None = Field(default=None, min_length=2, max_length=2)


class Merge(RequestModel):
    """The customer that is kept, and the versions of both records as they were read."""

    into: str = Field(min_length=1, max_length=1500)
    version: str
    into_version: str


class Lift(RequestModel):
    """An address that opted out."""

    address: str = Field(min_length=1, max_length=320)
