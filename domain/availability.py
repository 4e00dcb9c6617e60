"""When workers were Available, from the stored changes of their status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.figures import Span
from domain.status_change import StatusChange
from domain.worker import Worker


def spans(
    changes: Sequence[StatusChange], was_available: bool, span: Span
) -> list[Span]:
    """Return when a worker was Available within the span. `changes`: those within it, oldest first.

    `was_available`: at the beginning of the span.
    """
    found: list[Span] = []
    since = span.start if was_available else None
    for change in changes:
        if change.is_available and since is None:
            since = change.at
        elif not change.is_available and since is not None:
            found.append(Span(since, change.at))
            since = None
    if since is not None and since < span.end:
        found.append(Span(since, span.end))
    return found


def is_constant(worker: Worker, start: datetime) -> bool:
    """Return whether the worker's record alone says what the status was since `start`."""
    return worker.status_since is None or worker.status_since <= start


def by_hour(times: Iterable[Span], zone: ZoneInfo) -> Iterator[tuple[date, int, float]]:
    """Yield the seconds of each local hour that these times cover."""
    for time in times:
        at = time.start
        while at < time.end:
            local = at.astimezone(zone)
            past = timedelta(
                minutes=local.minute,
                seconds=local.second,
                microseconds=local.microsecond,
            )
            end = min(at + timedelta(hours=1) - past, time.end)
            yield local.date(), local.hour, (end - at).total_seconds()
            at = end
