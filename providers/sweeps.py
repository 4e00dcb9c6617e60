"""How far the sweep has come, so that the next run goes on from there: service/sweep and service/listing."""

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
    """Where each round stands: the last record's name that was looked at; None at a round's beginning.

    `listed_since`: conversations that began at Twilio before this have been looked for, but for what service/listing
    says. `asked`: those begun since then that need nobody. `services`: the Conversations services in use, as Twilio and
    the log named them at `services_at`; `listed_services`: those that have been listed.
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
    """Conversations of one service (None: the default one) that are still to be listed: those begun since then.

    `token`: the page of Twilio's list to go on from, of a list that ends at `until`. `is_refused`: Twilio did not give
    out the list; this is not stored.
    """

    service_sid: str | None
    since: datetime
    until: datetime | None = None
    token: str | None = None
    is_refused: bool = False


@dataclass(frozen=True)
class Listing:
    """What no run has listed yet, by service."""

    behind: tuple[Stretch, ...] = ()
    version: object = None
    problem: str | None = None


def _parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Progress:
    """What makes no sense counts as a round's beginning; the run's end writes the record anew."""
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
    """Valid SIDs of services only: each becomes a part of an address."""
    values = ({"sid": text} for text in fields.texts(name))
    return tuple(filter(None, (Fields(value).sid("sid", "IS") for value in values)))


def _parse_listing(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Listing:
    """An invalid stretch counts as left out; its conversations are then looked for since `listed_since` only."""
    found = map(_parse_stretch, Fields(data).objects("behind"))
    return Listing(tuple(filter(None, found)), version)


def _parse_stretch(data: Mapping[str, Any]) -> Stretch | None:
    fields = Fields(data)
    since, until = fields.time("since"), fields.time("until")
    token = fields.text("token", _LONGEST_TOKEN) if until else None
    return (
        Stretch(fields.sid("service_sid", "IS"), since, until if token else None, token)
        if since
        else None
    )


_SERVICE = database.Collection("service", _parse)
_LISTING = database.Collection("service", _parse_listing)


def load() -> Progress:
    return _SERVICE.load("sweep")


def load_listing() -> Listing:
    return _LISTING.load("listing")


def save_listing(before: Listing, behind: Iterable[Stretch]) -> Listing:
    """Writes what is still to be listed, if it differs. Raises database.LostRace: another run lists as well."""
    left = tuple(replace(stretch, is_refused=False) for stretch in behind)
    if left == before.behind:
        return before
    kept = [
        {name: value for name, value in asdict(one).items() if name != "is_refused"}
        for one in left
    ]
    version = database.write(
        _LISTING.reference("listing"), {"behind": kept}, before.version
    )
    return Listing(left, version)


def save(progress: Progress, started: datetime, mended: Mapping[str, int]) -> None:
    """Overlapping runs overwrite each other's progress: a stretch is then looked at twice, none is left out
    for longer than a round."""
    values = {
        k: list(v) if isinstance(v, tuple) else v for k, v in vars(progress).items()
    }
    told = {"last_run_at": started, "last_mended": dict(mended)}
    batch = database.client().batch()
    batch.set(_SERVICE.reference("sweep"), values | told)
    database.commit(batch)
