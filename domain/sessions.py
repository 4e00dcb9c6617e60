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
    """The id of a session that begins now; it says when that was."""
    return f"{int(now.timestamp() * 1000):013d}-{random}"


def is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def began_at(session: str) -> datetime:
    """When the session with this id began. Raises ValueError for anything that is no id."""
    found = _ID.fullmatch(session)
    if found is None:
        raise ValueError("This is not the id of a session.")
    return datetime.fromtimestamp(int(found[1]) / 1000, UTC)


def has_ended(session: str, ended: Ended) -> bool:
    """Whether the worker signed out of this session, or everywhere after it began."""
    if session in ended.ids:
        return True
    return ended.before is not None and began_at(session) <= ended.before


def after_signing_out(session: str, ended: Ended, now: datetime) -> Ended:
    """The record's fields once this session has ended too.

    Only ids of sessions that could still be used take up room. If more than 20 are left, the oldest make room and
    `before` covers them instead: it also ends the sessions that began earlier than they did, which is the safe side.
    """
    usable = [
        one for one in ended.ids if one != session and began_at(one) + LASTS > now
    ]
    usable.append(session)
    dropped, kept = usable[:-MOST_ENDED], usable[-MOST_ENDED:]
    times = [began_at(one) for one in dropped]
    if ended.before is not None:
        times.append(ended.before)
    return Ended(tuple(kept), max(times, default=None))


def ended_in(listed: object, before: datetime | None) -> Ended:
    """Reads a record's `ended_sessions`; anything in it that is no id of ours never ended a session."""
    ids = [one for one in listed if is_id(one)] if isinstance(listed, list) else []
    return Ended(tuple(ids[-MOST_ENDED:]), before)


def account_in(value: object) -> Account | None:
    """Reads a record's `subject`; None if a person cleared it or it is no account."""
    if not isinstance(value, Mapping):
        return None
    issuer, subject = value.get("issuer"), value.get("subject")
    if (
        not isinstance(issuer, str)
        or not isinstance(subject, str)
        or not (issuer and subject)
    ):
        return None
    return Account(issuer, subject)


def is_account(issuer: object, subject: object) -> bool:
    """Whether an issuer's claims can be remembered as an account."""
    if not isinstance(issuer, str) or not isinstance(subject, str):
        return False
    if not issuer.isprintable() or not subject.isprintable():
        return False
    return 0 < len(issuer) <= _LONGEST_ISSUER and 0 < len(subject) <= _LONGEST_SUBJECT


def is_another(remembered: Account | None, account: Account) -> bool:
    """Whether the same issuer signed in another account before; another issuer's account is replaced."""
    return (
        remembered is not None
        and remembered.issuer == account.issuer
        and remembered.subject != account.subject
    )


def stored_account(account: Account) -> dict[str, str]:
    return {"issuer": account.issuer, "subject": account.subject}
