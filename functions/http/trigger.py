"""The entry of every Firestore trigger: unpacks the event, calls the handler, logs a failure."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request
from werkzeug.exceptions import ServiceUnavailable

from functions.http.answers import TryAgain
from functions.http.function import Function
from providers import clock, configuration, database, log

if TYPE_CHECKING:
    from cloudevents.http.event import CloudEvent


@dataclass(frozen=True)
class Change:
    """One document before and after; None if it did not or does not exist.

    Events come at least once, in any order: `after` may be outdated, so a handler reads the record again before it
    acts, or checks its version. `at`: the time of the write of `after`, which is its version. `was_at`: that of
    `before`.
    """

    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    collection: str = ""
    at: datetime | None = None
    was_at: datetime | None = None


def delivered(function: Function, event: CloudEvent) -> None:
    """Run the function. Errors are raised, so that Google delivers the event again.

    An event that cannot be read, or is about another collection, is only logged: another delivery would fail, too.
    """
    header = None
    if has_request_context():
        header = request.headers.get("X-Cloud-Trace-Context")
    log.trace_from(header, configuration.firestore().project)
    change = _change(function, event)
    if change is not None:
        with clock.within(function.seconds):
            _run(function, change)


def _change(function: Function, event: CloudEvent) -> Change | None:
    """Return the event's change; log and return None for one that this function cannot handle."""
    from google.protobuf.message import DecodeError

    name = function.name
    try:
        change = unpack(event.data or b"")
    except (DecodeError, TypeError, ValueError, OverflowError):
        log.error(f"{name} was sent an event that cannot be read.", function=name)
        return None
    is_document = change.name != "" and "/" not in change.name
    if change.collection == function.collection and is_document:
        return change
    log.error(
        f"{name} was sent an event about another document than its own.", function=name
    )
    return None


def _run(function: Function, change: Change) -> None:
    """Call the handler and log a failure. Raises what makes Google deliver the event again."""
    name = function.name
    try:
        importlib.import_module(function.module).handle(change)
    except database.Unwritable as error:  # another delivery would fail, too
        log.error(f"{name} cannot write its result: {error}", function=name)
    except TryAgain as error:  # the reason is logged already; a traceback adds nothing
        raise ServiceUnavailable(str(error)) from None
    except Exception as error:
        if trouble := database.trouble(error):
            log.error(f"{name} {trouble} The event comes again.", function=name)
        raise


def unpack(payload: bytes) -> Change:
    """Decode the protobuf payload of google.cloud.firestore.document.v1.*.

    Raises DecodeError, and ValueError or OverflowError for a time that Python cannot hold.
    """
    from google.events.cloud import firestore

    data = firestore.DocumentEventData()._pb
    data.ParseFromString(payload)
    before, after = (_document(data, name) for name in ("old_value", "value"))
    path = (data.value.name or data.old_value.name).partition("/documents/")[2]
    collection, _, name = path.partition("/")
    at, was_at = _version(data.value), _version(data.old_value)
    return Change(name, before, after, collection, at, was_at)


def _version(document: Any) -> datetime | None:
    """Return the time of the write that made this version of a document."""
    if not document.HasField("update_time"):
        return None
    version: datetime = document.update_time.ToDatetime(tzinfo=UTC)
    return version


def _document(data: Any, name: str) -> dict[str, Any] | None:
    """Return the fields of `value` or `old_value`; None for a document that does not exist."""
    if not data.HasField(name):
        return None
    return _fields(getattr(data, name))


def _fields(holder: Any) -> dict[str, Any]:
    """Convert the fields of a document, or of a map in it."""
    return {field: _plain(value) for field, value in holder.fields.items()}


def _plain(value: Any) -> Any:
    """Convert a Firestore value to Python's; https://cloud.google.com/firestore/docs/reference/rest/v1/Value"""
    kind = value.WhichOneof("value_type")
    if kind in (None, "null_value"):
        return None
    content = getattr(value, kind)
    convert = _CONVERSIONS.get(kind)
    return content if convert is None else convert(content)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "map_value": _fields,
    "array_value": lambda array: list(map(_plain, array.values)),
    "timestamp_value": lambda timestamp: timestamp.ToDatetime(tzinfo=UTC),
}
