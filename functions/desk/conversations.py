"""The page Conversations: a search of the log, and its export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain import addresses
from domain.conversation import STATES, Conversation
from domain.csv_cells import harmless
from domain.fields import is_record_name
from domain.worker import is_identity, key_of
from functions.desk import authority, team
from functions.desk.formats import iso, name_of
from functions.desk.requests import Search
from functions.desk.team import Team
from functions.http import requests
from functions.http.answers import Answer, BadInput
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import audit, clock, conversation_search
from providers.audit import Entry
from providers.conversation_search import Place, Wanted

_MOST_EXPORTED = 5000
_EXPORT_PAGE = 500
_MARGIN = 3.0  # seconds that must be left to read another page of an export
_COLUMNS = [
    "conversation",
    "customer",
    "address",
    "pool",
    "worker",
    "state",
    "arrived",
    "waited_seconds",
    "closed",
]


def found(visit: Visit, person: Person) -> Answer:
    """POST conversations {query, pool, worker, state, since, until, after}: one page, newest first."""
    authority.supervisor(person)
    shown = team.look()
    asked = requests.read(visit, Search)
    page = conversation_search.page(_wanted(shown, asked))
    return Answer(
        {
            "conversations": [_row(shown, one) for one in page.conversations],
            "next": _cursor(page.next),
            "states": list(STATES),
            "pools": _choices(shown.pools),
            "workers": [
                {"id": worker.identity, "name": worker.name}
                for worker in shown.workers.values()
            ],
        }
    )


def export(visit: Visit, person: Person) -> Answer:
    """POST conversations/export, with the same filters: all pages as CSV, up to 5,000 conversations."""
    supervisor = authority.supervisor(person)
    shown = team.look()
    wanted = _wanted(shown, requests.read(visit, Search))
    audit.note(Entry(supervisor.identity, "exported", "conversations"))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    rows, is_whole = 0, True
    for page in _pages(wanted):
        for conversation in page.conversations:
            writer.writerow(map(harmless, _cells(shown, conversation)))
        rows += len(page.conversations)
        is_whole = page.next is None
        if rows >= _MOST_EXPORTED:
            break
    return Answer({"csv": text.getvalue(), "rows": rows, "whole": is_whole})


def _pages(wanted: Wanted) -> Iterator[conversation_search.Page]:
    after = wanted.after
    while True:
        page = conversation_search.page(replace(wanted, after=after), _EXPORT_PAGE)
        yield page
        after = page.next
        if after is None or clock.is_time_over(_MARGIN):
            return


def _wanted(shown: Team, asked: Search) -> Wanted:
    """Return the filters. Raises BadInput."""
    zone = ZoneInfo(shown.settings.time_zone)
    customers: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    if text := asked.query.strip():
        ids, _ = conversation_search.customer_ids(text)
        customers = tuple(filter(is_record_name, ids))
        people = tuple(_people(shown, text))
        if not customers and not people:
            customers = ("-",)  # matches no conversation
    for name, value, is_valid in (
        ("worker", asked.worker, is_identity),
        ("pool", asked.pool, is_record_name),
    ):
        if value and not is_valid(value):
            raise BadInput(f"{name} must be the name of a {name}.", field=name)
    return Wanted(
        customers,
        people,
        asked.state,
        asked.worker,
        asked.pool,
        _midnight(asked.since, zone),
        _midnight(asked.until, zone, days=1),
        _place(asked.after),
    )


def _people(shown: Team, text: str) -> Iterator[str]:
    """Yield the workers whose name or identity begins with the text, or whose name has a word that does."""
    key = key_of(text)
    for worker in shown.workers.values():
        words = map(key_of, (worker.identity, worker.name, *worker.name.split()))
        if key and any(word.startswith(key) for word in words):
            yield worker.identity


def _midnight(day: date | None, zone: ZoneInfo, days: int = 0) -> datetime | None:
    """Return the beginning of the day, or of the day after it. Raises BadInput for one outside all calendars."""
    if day is None:
        return None
    try:
        start = datetime.combine(day + timedelta(days=days), time(), zone)
        return start.astimezone(UTC)
    except OverflowError:
        raise BadInput("Choose a day of this century.") from None


def _place(text: str) -> Place | None:
    """Return where the previous page ended. Raises BadInput."""
    if not text:
        return None
    at, _, sid = text.partition(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not is_record_name(sid):
        raise BadInput("after must be the `next` of the previous page.", field="after")
    return Place(moment, sid)


def _cursor(place: Place | None) -> str | None:
    return f"{place.at.isoformat()} {place.sid}" if place else None


def _choices(pools: Any) -> list[dict[str, str]]:
    return [{"id": pool.id, "name": pool.display_name} for pool in pools.values()]


def _row(shown: Team, conversation: Conversation) -> dict[str, Any]:
    last = conversation.last_message
    return {
        "sid": conversation.sid,
        "name": name_of(conversation),
        "address": conversation.address,
        "state": conversation.state,
        "pool": shown.pool_name(conversation.pool or ""),
        "worker": shown.name(conversation.worker) or None,
        "arrived": iso(conversation.created_at),
        "waited": conversation.waited,
        "last": last.text if last else None,
    }


def _cells(shown: Team, conversation: Conversation) -> list[str]:
    waited = conversation.waited
    return [
        conversation.sid,
        name_of(conversation),
        addresses.bare(conversation.address or ""),
        shown.pool_name(conversation.pool or ""),
        conversation.worker or "",
        conversation.state,
        iso(conversation.created_at) or "",
        "" if waited is None else f"{waited:.0f}",
        iso(conversation.closed_at) or "",
    ]
