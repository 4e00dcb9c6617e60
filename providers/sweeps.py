"""The progress of the sweep, from which the next run continues: service/sweep and service/listing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from domain.fields import Fields
from providers import database

_LONGEST_TOKEN = 2000  # characters


@dataclass(frozen=True)
class Progress:
    """The position of each round: the name of the last examined record; None at a round's beginning.

    `listed_since`: all conversations that began at Twilio before this have been listed, except those in
    service/listing. `asked`: conversations begun since then that need no worker. `services`: the Conversations services
    in use, as Twilio and the records named them at `services_at`; `listed_services`: those already listed.
    """

    queue_after: str | None = None
    log_after: str | None = None
    worker_after: str | None = None
    truth_after: str | None = None
    asleep_after: str | None = None
    frontline_after: str | None = None
    asked: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    listed_services: tuple[str, ...] = ()
    services_at: datetime | None = None
    listed_since: datetime | None = None
    templates_checked_at: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Stretch:
    """Conversations of one service (None: the default one) that have yet to be listed: those begun since then.

    `token`: the page of Twilio's list to continue from, of a list that ends at `until`. `is_refused`: Twilio refused
    the list; this is not stored.
    """

    service_sid: str | None
    since: datetime
    until: datetime | None = None
    token: str | None = None
    is_refused: bool = False


@dataclass(frozen=True)
class Listing:
    """The conversations that no run has listed yet, by service."""

    behind: tuple[Stretch, ...] = ()
    version: object = None
    problem: str | None = None


def _parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Progress:
    """Read the progress; an invalid position counts as a round's beginning. The end of the run rewrites the record."""
    fields = Fields(data)
    names = (
        "queue_after",
        "log_after",
        "worker_after",
        "truth_after",
        "asleep_after",
        "frontline_after",
    )
    values: dict[str, Any] = {name: fields.record_name(name) for name in names}
    values |= {name: _sids(fields, name) for name in ("services", "listed_services")}
    values |= {
        name: fields.time(name)
        for name in ("services_at", "listed_since", "templates_checked_at")
    }
    return Progress(**values, asked=fields.texts("asked"))


def _sids(fields: Fields, name: str) -> tuple[str, ...]:
    """Return only the valid SIDs of services, because each becomes a part of an address."""
    values = ({"sid": text} for text in fields.texts(name))
    return tuple(filter(None, (Fields(value).sid("sid", "IS") for value in values)))


def _parse_listing(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Listing:
    """Read the listing without invalid stretches; their conversations are then listed from `listed_since` only."""
    stretches = map(_parse_stretch, Fields(data).objects("behind"))
    return Listing(tuple(filter(None, stretches)), version)


def _parse_stretch(data: Mapping[str, Any]) -> Stretch | None:
    """Read a stretch, None for an invalid one. A page is of use only with the end of its list."""
    fields = Fields(data)
    since, until = fields.time("since"), fields.time("until")
    token = fields.text("token", _LONGEST_TOKEN)
    if since is None:
        return None
    stretch = Stretch(fields.sid("service_sid", "IS"), since)
    if until is None or token is None:
        return stretch
    return replace(stretch, until=until, token=token)


_SERVICE = database.Collection("service", _parse)
_LISTING = database.Collection("service", _parse_listing)


def load() -> Progress:
    """Read the progress of the sweep."""
    return _SERVICE.load("sweep")


def load_listing() -> Listing:
    """Read what is still to be listed."""
    return _LISTING.load("listing")


def save_listing(before: Listing, behind: Iterable[Stretch]) -> Listing:
    """Write the remaining stretches, if they differ. Raises database.LostRace: another run lists at the same time."""
    stretches = tuple(replace(stretch, is_refused=False) for stretch in behind)
    if stretches == before.behind:
        return before
    stored = list(map(asdict, stretches))
    for fields in stored:
        del fields["is_refused"]
    version = database.write(
        _LISTING.reference("listing"), {"behind": stored}, before.version
    )
    return Listing(stretches, version)


def save(progress: Progress, started: datetime, mended: Mapping[str, int]) -> None:
    """Write the progress and what this run repaired.

    Overlapping runs overwrite each other's progress: a stretch may be examined twice, and none is left out for longer
    than a round.
    """
    fields = {**vars(progress), "last_run_at": started, "last_mended": dict(mended)}
    for name in ("asked", "services", "listed_services"):
        fields[name] = list(fields[name])  # Firestore takes no tuples
    batch = database.client().batch()
    batch.set(_SERVICE.reference("sweep"), fields)
    database.commit(batch)
