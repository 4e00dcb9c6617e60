"""What the desk's page sends, as typed values."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from functions.http.requests import RequestModel

State = Literal["", "unrouted", "queued", "assigning", "assigned", "inactive", "closed"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1500)]


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


class HandOver(RequestModel):
    """`seen`: the worker that the page shows, "" for none."""

    to: Literal["queue", "pool", "worker"]
    pool: Name | None = None
    worker: Name | None = None
    word: Annotated[str, StringConstraints(max_length=500)] = ""
    seen: Annotated[str, StringConstraints(max_length=1500)] | None = None


class Priority(RequestModel):
    priority: Annotated[int, Field(ge=-(2**31), le=2**31, strict=True)]


class SetStatus(RequestModel):
    worker: Name
    status: Literal["Available", "Unavailable"]


class Search(RequestModel):
    """`query`: a customer's name or number, or a worker. `since` and `until`: days, both included. `after`: where the
    previous page ended."""

    query: Annotated[str, StringConstraints(max_length=200)] = ""
    pool: Annotated[str, StringConstraints(max_length=1500)] = ""
    worker: Annotated[str, StringConstraints(max_length=1500)] = ""
    state: State = ""
    since: date | None = None
    until: date | None = None
    after: Annotated[str, StringConstraints(max_length=120)] = ""
