"""A worker's sessions: which of them have ended, and with which account the worker signs in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LASTS = timedelta(hours=12)
MOST_ENDED = 20  # ids in a worker's record
_ID = re.compile(
    r"(\d{13})-[A-Za-z0-9_-]{8,40}"
)  # milliseconds since 1970, then a random part
_LONGEST_SUBJECT = 255  # https://openid.net/specs/openid-connect-core-1_0.html#IDToken
_LONGEST_ISSUER = 1000


@dataclass(frozen=True)
class Account:
    """The account that signs a worker in: its issuer, and the issuer's own name for it (the claim `sub`).

    An e-mail address can be given to another person; the subject of an issuer never is.
    """

    issuer: str
    subject: str


@dataclass(frozen=True)
class Ended:
    """What a worker's record says about ended sessions: their ids, oldest first, and all that began before a time."""

    ids: tuple[str, ...] = ()
    before: datetime | None = None


def new_id(now: datetime, random: str) -> str:
    """Return the id of a session that begins now, which says when it began."""
    return f"{int(now.timestamp() * 1000):013d}-{random}"


def is_id(value: object) -> bool:
    """Return whether it is an id of `new_id`."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def began_at(session: str) -> datetime:
    """Return when the session with this id began. Raises ValueError for anything that is no id."""
    match = _ID.fullmatch(session)
    if match is None:
        raise ValueError("This is not the id of a session.")
    return datetime.fromtimestamp(int(match[1]) / 1000, UTC)


def has_ended(session: str, ended: Ended) -> bool:
    """Return whether the worker signed out of this session, or everywhere after it began."""
    if session in ended.ids:
        return True
    return ended.before is not None and began_at(session) <= ended.before


def after_signing_out(session: str, ended: Ended, now: datetime) -> Ended:
    """Return the record's fields once this session has ended too.

    Only ids of sessions that could still be used take up room. If more than 20 are left, the oldest make room and
    `before` covers them instead: it also ends the sessions that began earlier than they did, which is the safe side.
    """
    oldest = now - LASTS
    usable = [
        other for other in ended.ids if other != session and began_at(other) > oldest
    ]
    usable.append(session)
    times = [*map(began_at, usable[:-MOST_ENDED]), ended.before]
    ids = tuple(usable[-MOST_ENDED:])
    return Ended(ids, max(filter(None, times), default=None))


def ended_in(listed: object, before: datetime | None) -> Ended:
    """Read a record's `ended_sessions`; values that are no ids count as left out."""
    if not isinstance(listed, list):
        return Ended((), before)
    return Ended(tuple(filter(is_id, listed))[-MOST_ENDED:], before)


def account_in(value: object) -> Account | None:
    """Read a record's `subject`; None if a person cleared it or it is no account."""
    if not isinstance(value, Mapping):
        return None
    issuer, subject = value.get("issuer"), value.get("subject")
    if not isinstance(issuer, str) or not isinstance(subject, str):
        return None
    return Account(issuer, subject) if issuer and subject else None


def is_account(issuer: object, subject: object) -> bool:
    """Return whether an issuer's claims can be stored as an account."""
    return _is_printable(issuer, _LONGEST_ISSUER) and _is_printable(
        subject, _LONGEST_SUBJECT
    )


def _is_printable(text: object, longest: int) -> bool:
    if not isinstance(text, str):
        return False
    return text.isprintable() and 0 < len(text) <= longest


def is_another(stored: Account | None, account: Account) -> bool:
    """Return whether the same issuer signed in another account before; another issuer's account is replaced."""
    if stored is None or stored.issuer != account.issuer:
        return False
    return stored.subject != account.subject


def stored_account(account: Account) -> dict[str, str]:
    """Return the record's field `subject`."""
    return {"issuer": account.issuer, "subject": account.subject}
