"""The door of every Firestore trigger: unpacks the event, hands over before and after, says what failed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
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
    """One document before and after; None where it did not or does not exist.

    Events come at least once, in any order: `after` may be outdated, so whoever acts reads the record again, or
    makes sure that it is still at this version. `at`: when `after` was written, which is its version.
    """

    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    collection: str = ""
    at: datetime | None = None


def delivered(function: Function, event: CloudEvent) -> None:
    """Runs the function. An error is raised, so that Google delivers the event again.

    What cannot be read, or is about another collection, is logged and done with: again would be no better.
    """
    from google.protobuf.message import DecodeError

    name = function.name
    header = (
        request.headers.get("X-Cloud-Trace-Context") if has_request_context() else None
    )
    log.trace_from(header, configuration.firestore().project)
    try:
        change = unpack(event.data or b"")
    except (DecodeError, TypeError, ValueError, OverflowError):
        return log.error(
            f"{name} was sent an event that cannot be read.", function=name
        )
    if (
        change.collection != function.collection
        or not change.name
        or "/" in change.name
    ):
        return log.error(
            f"{name} was sent an event about another document than its own.",
            function=name,
        )
    with clock.within(function.seconds):
        try:
            importlib.import_module(function.module).handle(change)
        except database.Unwritable as error:  # again would be no better
            log.error(f"{name} cannot write what it has to: {error}", function=name)
        except (
            TryAgain
        ) as later:  # the reason is in the log already; a traceback adds nothing
            raise ServiceUnavailable(str(later)) from None
        except Exception as error:
            if trouble := database.trouble(error):
                log.error(f"{name} {trouble} The event comes again.", function=name)
            raise
    return None


def unpack(payload: bytes) -> Change:
    """The protobuf payload of google.cloud.firestore.document.v1.*.

    Raises DecodeError, and ValueError or OverflowError for a time that Python cannot hold.
    """
    from google.events.cloud import firestore

    data = firestore.DocumentEventData()._pb
    data.ParseFromString(payload)
    before, after = (_document(data, name) for name in ("old_value", "value"))
    path = (data.value.name or data.old_value.name).partition("/documents/")[2]
    collection, _, name = path.partition("/")
    at = (
        data.value.update_time.ToDatetime(tzinfo=UTC)
        if data.value.HasField("update_time")
        else None
    )
    return Change(name, before, after, collection, at)


def _document(data: Any, name: str) -> dict[str, Any] | None:
    if not data.HasField(name):
        return None
    return {field: _plain(value) for field, value in getattr(data, name).fields.items()}


def _plain(value: Any) -> Any:
    """A Firestore value as Python has it; https://cloud.google.com/firestore/docs/reference/rest/v1/Value"""
    kind = value.WhichOneof("value_type")
    if kind is None or kind == "null_value":
        return None
    content = getattr(value, kind)
    if kind == "map_value":
        return {field: _plain(inner) for field, inner in content.fields.items()}
    if kind == "array_value":
        return [_plain(inner) for inner in content.values]
    if kind == "timestamp_value":
        return content.ToDatetime(tzinfo=UTC)
    return content
