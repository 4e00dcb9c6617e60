"""A worker: whether they are Available, for which pools, and how many conversations they can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from domain import sessions
from domain.field_names import WORKERS
from domain.fields import Fields, is_record_name
from domain.sessions import Account, Ended

STATUSES = ("Available", "Unavailable")
PERSON, FRONTLINE, SERVICE = "person", "frontline", "service"
WORKER, SUPERVISOR = "worker", "supervisor"
ROLES = (WORKER, SUPERVISOR)
MAKERS = (PERSON, FRONTLINE, SERVICE)
_LONGEST_IDENTITY = 256
# Names that Twilio (https://www.twilio.com/docs/api/errors/50203) or Firestore reserves:
_NO_IDENTITY = re.compile(
    r"system|private|unique|US[0-9a-f]{32}|\.{1,2}|__.*|.*/.*|", re.DOTALL
)
_KEPT_BY_SERVICE = {"last_assigned_at", "status_since", "pools"}


@dataclass(frozen=True)
class Worker:
    """A worker's record. `version` is None where there is no record yet.

    `missed`: conversations in a row that went back to the queue for want of an answer, the last one at `missed_at`.
    `unavailable_because`: why the service made them Unavailable; None if they did so themselves.
    `frontline_available`: the position of the switch in Frontline's app at the last look. `made_by`: one of MAKERS;
    `confirmed`: whether they may sign in and be assigned customers. `frontline_asked`: how often Frontline was asked
    about an unconfirmed worker, and `ask_frontline_at` when it is asked next (None: never again). `ended_sessions` and
    `subject` are the record's raw values; only a sign-in reads them. `is_complete`: whether the record has every field
    that queries need, with valid values.
    """

    identity: str
    available: bool = False
    role: str = WORKER
    pools: tuple[str, ...] | None = None
    own_capacity: float | None = None
    display_name: str | None = None
    addresses: tuple[str, ...] = ()
    active: int | None = 0
    full: bool | None = False
    last_assigned_at: datetime | None = None
    status_since: datetime | None = None
    missed: int = 0
    missed_at: datetime | None = None
    unavailable_because: str | None = None
    frontline_available: bool | None = None
    devices: object = field(default=None, compare=False)
    ended_sessions: object = field(default=None, compare=False)
    signed_out_before: datetime | None = field(default=None, compare=False)
    subject: object = field(default=None, compare=False)
    away_until: datetime | date | None = None
    deputy: str | None = None
    has_status: bool = True
    has_odd_blanks_in_pools: bool = False
    can_sign_in: bool = True
    made_by: str = PERSON
    confirmed: bool = True
    has_confirmed: bool = True
    frontline_asked: int = 0
    ask_frontline_at: datetime | None = None
    is_complete: bool = False
    problem: str | None = None
    reported_problem: object = None
    version: object = None

    @property
    def name(self) -> str:
        return self.display_name or self.identity

    @property
    def ended(self) -> Ended:
        """The worker's ended sessions."""
        return sessions.ended_in(self.ended_sessions, self.signed_out_before)

    @property
    def account(self) -> Account | None:
        """The account that signed the worker in first."""
        return sessions.account_in(self.subject)

    @property
    def decisive_pools(self) -> tuple[str, ...]:
        """The pools on which the worker's capacity depends: none if they have a capacity of their own."""
        return () if self.own_capacity is not None else self.pool_ids

    @property
    def pool_ids(self) -> tuple[str, ...]:
        """The worker's pools, also where the record has no such field."""
        return self.pools or ()


def is_identity(text: str) -> bool:
    """Return whether Twilio takes the text as an identity, and Firestore as a record's name."""
    return len(text) <= _LONGEST_IDENTITY and not _NO_IDENTITY.fullmatch(text)


@lru_cache(maxsize=1000)
def key_of(identity: str) -> str:
    """Return what all spellings of one name share: without case, blanks and invisible characters."""
    visible = "".join(filter(str.isprintable, identity))
    return unicodedata.normalize("NFKC", visible).casefold().replace(" ", "")


def former_name(identity: str) -> str:
    """Return the name of the record in former_workers: the key, or a hash if the key cannot name a record."""
    key = key_of(identity)
    if is_record_name(key):
        return key
    return f"unnamed-{sha256(identity.encode(errors='replace')).hexdigest()[:32]}"


class Identities(tuple[str, ...]):
    """Names of workers or bots. `in` compares them by key_of, so it finds other spellings too."""

    __slots__ = ()

    def __contains__(self, identity: object) -> bool:
        return isinstance(identity, str) and key_of(identity) in set(map(key_of, self))


def identity_in(fields: Fields, name: str) -> str | None:
    """Read a field with a worker's identity. Any other value counts as left out and is reported."""
    value = fields.text(name, longest=1000)
    if value and not is_identity(value):
        fields.complain(
            f"{name} must be a worker's identity such as john@example.com. It is ignored."
        )
        return None
    return value


def parse(
    identity: str, data: Mapping[str, Any] | None, version: object = None
) -> Worker:
    """Read a worker's record; any status but "Available" counts as Unavailable.

    `problem` reports invalid values of fields that people edit. Invalid values of fields that the service keeps are
    repaired instead: they make the record incomplete.
    """
    fields = Fields(data, typed_as=WORKERS)
    record = fields.all
    made_by, confirmed = _who_made_it(fields, record)
    status = fields.choice(
        "status", STATUSES, default="Unavailable", safe="Unavailable"
    )
    can_sign_in = _has_visible_name(identity, fields)
    pools = fields.record_names("pools")
    worker = Worker(
        identity=identity,
        available=status == "Available" and can_sign_in,
        role=fields.choice("role", ROLES, WORKER, WORKER) or WORKER,
        has_odd_blanks_in_pools=_has_odd_blanks(record.get("pools"), pools),
        can_sign_in=can_sign_in,
        pools=pools if "pools" in record else None,
        own_capacity=fields.limit("capacity", default=None),
        display_name=fields.text("display_name"),
        addresses=fields.texts("addresses"),
        full=_flag(record, "full"),
        frontline_available=_flag(record, "frontline_available"),
        devices=record.get("devices"),
        ended_sessions=record.get("ended_sessions"),
        signed_out_before=fields.time("signed_out_before"),
        subject=record.get("subject"),
        away_until=_day(fields, "away_until"),
        deputy=identity_in(fields, "deputy"),
        has_status=record.get("status") is not None,
        made_by=made_by,
        confirmed=confirmed and data is not None,
        has_confirmed=record.get("confirmed") is not None,
        reported_problem=record.get("problem"),
        problem=fields.problem,
        version=version,
        **_kept_by_service(data),
    )
    return replace(worker, is_complete=_is_complete(worker, data, record))


def _day(fields: Fields, name: str) -> datetime | date | None:
    """Return the day of a timestamp or of a text such as 2026-12-24; invalid ones are reported."""
    value = fields.plain(name)
    if not isinstance(value, str):
        return fields.time(name)
    from domain import typed_holidays  # few workers are away

    day = typed_holidays.day(value)
    if day is None:
        fields.complain(f"{name} must be a date such as 2026-12-24. It is ignored.")
    return day


def is_away(worker: Worker, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the worker is away today, by the clock of this zone; the last day counts."""
    last = worker.away_until
    if isinstance(last, datetime):
        last = last.astimezone(zone).date()
    return last is not None and now.astimezone(zone).date() <= last


def _has_visible_name(identity: str, fields: Fields) -> bool:
    """Return whether a person can sign in with this identity; report one that no sign-in can match."""
    if identity == identity.strip() and identity.isprintable():
        return True
    name = ascii(identity)[1:-1]
    fields.complain(
        f"No worker can sign in as “{name}”: make a record with a name of visible characters."
    )
    return False


def _has_odd_blanks(typed: object, pools: tuple[str, ...]) -> bool:
    """Return whether the record names valid pools, but not spelled as a query looks for them."""
    names = [typed] if isinstance(typed, str) else typed
    if not isinstance(names, list) or len(pools) != len(names):
        return False
    return list(pools) != typed


def _kept_by_service(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Read the fields that the service keeps; invalid values count as missing and are not reported."""
    fields = Fields(data)
    active = fields.whole("active", default=-1)
    return {
        "active": active if active >= 0 else None,
        "last_assigned_at": fields.time("last_assigned_at"),
        "status_since": fields.time("status_since"),
        "missed": max(0, fields.whole("missed", default=0)),
        "missed_at": fields.time("missed_at"),
        "unavailable_because": fields.text("unavailable_because"),
        "frontline_asked": max(0, fields.whole("frontline_asked", default=0)),
        "ask_frontline_at": fields.time("ask_frontline_at"),
    }


def _flag(record: Mapping[str, Any], name: str) -> bool | None:
    value = record.get(name)
    return value if isinstance(value, bool) else None


def _is_complete(
    worker: Worker, data: Mapping[str, Any] | None, record: Mapping[str, Any]
) -> bool:
    """Return whether queries find the record by all fields that the service keeps for them."""
    fields = Fields(data)
    fields.whole("active", default=-1)
    fields.time("last_assigned_at")
    fields.time("status_since")
    return all(
        (
            fields.problem is None,
            set(record) >= _KEPT_BY_SERVICE,
            worker.active is not None,
            worker.full is not None,
            worker.has_status,
            worker.has_confirmed,
            not worker.has_odd_blanks_in_pools,
            record.get("key") == key_of(worker.identity),
            record.get("made_by") == worker.made_by,
        )
    )


def _who_made_it(fields: Fields, record: Mapping[str, Any]) -> tuple[str, bool]:
    """Return which of MAKERS made the record, and whether the worker is confirmed.

    A person's record is confirmed even before the service completes it, which is when it gets `key` and `made_by`.
    A record that the service has made for a new user needs `confirmed: true`.
    """
    made_by = SERVICE if "key" in record else PERSON
    if record.get("made_by") in MAKERS:
        made_by = record["made_by"]
    return made_by, fields.flag("confirmed", default=made_by != SERVICE, safe=False)


def stored(worker: Worker) -> dict[str, Any]:
    """Return the fields of a new record."""
    asking = {
        "frontline_asked": worker.frontline_asked,
        "ask_frontline_at": worker.ask_frontline_at,
    }
    return {
        "key": key_of(worker.identity),
        "status": "Available" if worker.available else "Unavailable",
        "pools": list(worker.pool_ids),
        "display_name": worker.display_name,
        "active": worker.active or 0,
        "full": bool(worker.full),
        "last_assigned_at": worker.last_assigned_at,
        "status_since": worker.status_since,
        "made_by": worker.made_by,
        "confirmed": worker.confirmed,
        **{name: value for name, value in asking.items() if value},
    }
