"""The record settings/routing: how conversations are routed where no pool says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from domain import opt_out
from domain.addresses import visible
from domain.field_names import SETTINGS
from domain.fields import Fields
from domain.worker import Identities

OWN_WORKER = ("always", "available", "wait")
MODES = ("none", "custom", "pool")
HISTORIES = ("own", "all")
_LONGEST_KEPT = 36_500  # days
_ZONE_BLANKS = re.compile(r"[\s_-]")


@dataclass(frozen=True)
class Settings:
    """How conversations are routed. `history`: whether a worker reads all earlier conversations of a customer, or
    only their own. `opt_out_words`: folded, in addition to Twilio's. `keep_days`:
    how long closed conversations stay in the log.

    `own_worker`: what custom mode does when the assigned worker is Unavailable or full; `own_worker_wait`: for how many
    seconds the customer waits for them (None: without end).
    """

    mode: str = "pool"
    default_pool: str = "default"
    custom_fallback: str = "pool"
    create_customers: bool = True
    own_worker: str = "always"
    own_worker_wait: int | None = 300
    crm_open: bool = False
    service_level_seconds: int = 60
    time_zone: str = "UTC"
    history: str = "all"
    frontline_status: bool = False
    bots: Identities = Identities()  # noqa: RUF009 - it cannot be changed
    opt_out_words: tuple[str, ...] = ()
    keep_days: int = 365
    problem: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the pools' hours and of the wallboard's day."""
        return ZoneInfo(self.time_zone)


def parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Settings:
    """Read the record; invalid values count as left out and are reported in `problem`."""
    fields = Fields(data, typed_as=SETTINGS)
    mode = _choice(fields, "mode", MODES, "pool")
    fallback = _choice(fields, "custom_fallback", ("pool", "none"), "pool")
    own_worker = _choice(fields, "own_worker", OWN_WORKER, "always")
    if (mode, fallback, own_worker) == ("custom", "none", "available"):
        fields.complain(
            "custom_fallback is none and own_worker is available: a customer whose assigned worker is Unavailable "
            "stays without a worker until they write again while that worker is Available."
        )
    return Settings(
        mode=mode,
        default_pool=fields.record_name("default_pool") or "default",
        custom_fallback=fallback,
        create_customers=fields.flag("create_customers", default=True),
        own_worker=own_worker,
        own_worker_wait=fields.delay("own_worker_wait", default=300, safe=300, least=0),
        crm_open=fields.flag("crm_open", default=False),
        service_level_seconds=max(1, fields.whole("service_level_seconds", default=60)),
        time_zone=_time_zone(fields, "time_zone"),
        history=fields.choice("history", HISTORIES, "all", "own") or "all",
        frontline_status=fields.flag("frontline_status", default=False),
        bots=Identities(fields.texts("bots", blanks_matter=False)),
        opt_out_words=opt_out.words_in_settings(fields, "opt_out_words"),
        keep_days=min(_LONGEST_KEPT, fields.whole("keep_days", default=365, least=1)),
        problem=fields.problem,
    )


def _choice(fields: Fields, name: str, values: tuple[str, ...], default: str) -> str:
    return fields.choice(name, values, default, default) or default


@cache
def _zones() -> dict[str, str]:
    """Return the names of all time zones by their `_zone_key`."""
    return {_zone_key(name): name for name in available_timezones()}


def _zone_key(typed: str) -> str:
    """Return what all spellings of a time zone share: without case, blanks, underscores and hyphens."""
    return _ZONE_BLANKS.sub("", typed).casefold()


def _time_zone(fields: Fields, name: str) -> str:
    """Read a time zone's name in any spelling; UTC for none, and for an unknown one, which is reported."""
    typed = visible(fields.text(name) or "") or "UTC"
    try:
        return ZoneInfo(typed).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = _zones().get(_zone_key(typed))
    if zone is None:
        fields.complain(
            f"{name} must be a time zone such as Europe/Berlin. It is treated as UTC."
        )
    return zone or "UTC"
