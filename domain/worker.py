"""A worker: who is Available, for which pools, and how much they hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from domain import sessions
from domain.field_names import WORKERS
from domain.fields import Fields, is_record_name
from domain.sessions import Account, Ended

STATUSES = ("Available", "Unavailable")
PERSON, FRONTLINE, SERVICE = "person", "frontline", "service"
WORKER, SUPERVISOR = "worker", "supervisor"
ROLES = (WORKER, SUPERVISOR)
MAKERS = (PERSON, FRONTLINE, SERVICE)
_RESERVED = (
    "system",
    "private",
    "unique",
)  # https://www.twilio.com/docs/api/errors/50203
_USER_SID = re.compile(r"US[0-9a-f]{32}")


@dataclass(frozen=True)
class Worker:
    """A worker's record. `version` is None where there is no record yet.

    `missed`: conversations in a row that went back to the queue for want of an answer, the last one at `missed_at`.
    `unavailable_because`: why the service, and not they themselves, made them Unavailable. `frontline_available`: where
    the switch in Frontline's app stood when it was last looked at. `made_by`: who made the record; `confirmed`: whether
    they may sign in and be assigned customers. `frontline_asked`: how often Frontline was asked about an unconfirmed
    one, and `ask_frontline_at` when it is asked next (None: never again). `ended_sessions` and `subject` are as they
    stand in the record; only a sign-in reads them.
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
        """Their sessions that are over."""
        return sessions.ended_in(self.ended_sessions, self.signed_out_before)

    @property
    def account(self) -> Account | None:
        """The account that signed them in first."""
        return sessions.account_in(self.subject)

    @property
    def decisive_pools(self) -> tuple[str, ...]:
        """The pools on which the worker's capacity depends: none where they have an own one."""
        return () if self.own_capacity is not None else self.pools or ()


def is_identity(text: str) -> bool:
    """Whether Twilio takes it as an identity and Firestore as a record's name."""
    return (
        0 < len(text) <= 256
        and "/" not in text
        and text not in (*_RESERVED, ".", "..")
        and not text.startswith("__")
        and not _USER_SID.fullmatch(text)
    )


@lru_cache(maxsize=1000)
def key_of(identity: str) -> str:
    """What two spellings of one person's name have in common: no case, no blanks, nothing invisible."""
    seen = "".join(character for character in identity if character.isprintable())
    return unicodedata.normalize("NFKC", seen).casefold().replace(" ", "")


def former_name(identity: str) -> str:
    """Return the name of the record in former_workers: the key, or a hash where that can be no record's name."""
    key = key_of(identity)
    return (
        key
        if is_record_name(key)
        else f"unnamed-{sha256(identity.encode(errors='replace')).hexdigest()[:32]}"
    )


class Identities(tuple[str, ...]):
    """Names of workers or bots; one of them in another spelling is in it, too."""

    __slots__ = ()

    def __contains__(self, identity: object) -> bool:
        return isinstance(identity, str) and key_of(identity) in set(map(key_of, self))


def identity_in(fields: Fields, name: str) -> str | None:
    value = fields.text(name, longest=1000)
    if value and not is_identity(value):
        fields.complain(
            f"{name} must be a worker's identity such as john@example.com; it is ignored."
        )
        return None
    return value


def parse(
    identity: str, data: Mapping[str, Any] | None, version: object = None
) -> Worker:
    """The record as the rules read it: anything but exactly "Available" is not available."""
    fields = Fields(data, typed_as=WORKERS)
    given = fields.all
    kept = Fields(
        data
    )  # what the service keeps: wrong values there are put right, not reported
    patience = Fields(data)  # kept as well; the next one who goes back writes it anew
    asking = Fields(
        data
    )  # kept as well: values that are not understood mean that nobody asks again
    made_by, confirmed = _who_made_it(fields, given)
    confirmed = confirmed and data is not None
    status = fields.choice(
        "status", STATUSES, default="Unavailable", safe="Unavailable"
    )
    can_sign_in = identity == identity.strip() and identity.isprintable()
    if not can_sign_in:
        shown = ascii(identity)[1:-1]
        fields.complain(
            f"Nobody can sign in as “{shown}”: make a record with a name of visible characters."
        )
    active = kept.whole("active", default=-1)
    full, listed, pools = (
        given.get("full"),
        given.get("pools"),
        fields.record_names("pools"),
    )
    # Names of pools that only have to be written as they are called:
    typed = [listed] if isinstance(listed, str) else listed
    odd_blanks = (
        isinstance(typed, list) and len(pools) == len(typed) and list(pools) != listed
    )
    worker = Worker(
        identity=identity,
        available=status == "Available" and can_sign_in,
        role=fields.choice("role", ROLES, WORKER, WORKER) or WORKER,
        has_odd_blanks_in_pools=odd_blanks,
        can_sign_in=can_sign_in,
        pools=pools if "pools" in given else None,
        own_capacity=fields.limit("capacity", default=None),
        display_name=fields.text("display_name"),
        addresses=fields.texts("addresses"),
        active=active if active >= 0 else None,
        full=full if isinstance(full, bool) else None,
        last_assigned_at=kept.time("last_assigned_at"),
        status_since=kept.time("status_since"),
        missed=max(0, patience.whole("missed", default=0)),
        missed_at=patience.time("missed_at"),
        unavailable_because=patience.text("unavailable_because"),
        frontline_available=seen
        if isinstance(seen := given.get("frontline_available"), bool)
        else None,
        devices=given.get("devices"),
        ended_sessions=given.get("ended_sessions"),
        signed_out_before=fields.time("signed_out_before"),
        subject=given.get("subject"),
        has_status=given.get("status") is not None,
        made_by=made_by,
        confirmed=confirmed,
        has_confirmed=given.get("confirmed") is not None,
        frontline_asked=max(0, asking.whole("frontline_asked", default=0)),
        ask_frontline_at=asking.time("ask_frontline_at"),
        reported_problem=given.get("problem"),
        version=version,
    )
    timed = (
        "last_assigned_at" in given and "status_since" in given and kept.problem is None
    )
    counted = worker.active is not None and worker.full is not None
    has_key = given.get("key") == key_of(identity)
    is_complete = (
        timed and counted and worker.pools is not None and worker.has_status and has_key
    )
    is_complete = is_complete and not worker.has_odd_blanks_in_pools
    is_complete = (
        is_complete and given.get("made_by") == made_by and worker.has_confirmed
    )
    return replace(worker, is_complete=is_complete, problem=fields.problem)


def _who_made_it(fields: Fields, given: Mapping[str, Any]) -> tuple[str, bool]:
    """Return who made the record, and whether the worker is confirmed.

    A person's record is confirmed, also before the service has completed it, which is when it gets `key` and `made_by`.
    A record that the service has made for a new user needs `confirmed: true`.
    """
    made_by: str = (
        given["made_by"]
        if given.get("made_by") in MAKERS
        else SERVICE
        if "key" in given
        else PERSON
    )
    return made_by, fields.flag("confirmed", default=made_by != SERVICE, safe=False)


def stored(worker: Worker) -> dict[str, Any]:
    """The fields of a record that is made anew."""
    return {
        "key": key_of(worker.identity),
        "status": "Available" if worker.available else "Unavailable",
        "pools": list(worker.pools or ()),
        "display_name": worker.display_name,
        "active": worker.active or 0,
        "full": bool(worker.full),
        "last_assigned_at": worker.last_assigned_at,
        "status_since": worker.status_since,
        "made_by": worker.made_by,
        "confirmed": worker.confirmed,
        **(
            {"frontline_asked": worker.frontline_asked}
            if worker.frontline_asked
            else {}
        ),
        **(
            {"ask_frontline_at": worker.ask_frontline_at}
            if worker.ask_frontline_at
            else {}
        ),
    }
