"""Who sends this request: our own signed cookie after a sign-in by OpenID Connect, or Google's signed header.

Neither is believed for longer than one request: the worker's record is looked at again each time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

from flask import Request
from itsdangerous import BadData, URLSafeTimedSerializer

from domain import addresses
from domain.worker import Worker, is_identity
from functions.door.answers import NotSignedIn, Refused, TryAgain
from functions.inbox.place import Place
from providers import clock, configuration, openid, workers

HOURS = 12
_SESSION, _SIGNING_IN = "inbox", "inbox-sign-in"
_MINUTES_TO_SIGN_IN = 10
_IAP_HEADER = "X-Goog-IAP-JWT-Assertion"


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in: their verified e-mail address, and the record that had it then."""

    email: str
    identity: str


def of(request: Request) -> Person:
    """Who it is, without a look at any record. Raises NotSignedIn."""
    if (iap := configuration.iap()) is not None:
        return _behind_proxy(iap, request)
    found = _opened(request, _SESSION, HOURS * 3600)
    email, identity = (found or {}).get("email"), (found or {}).get("worker")
    if not isinstance(email, str) or not isinstance(identity, str) or not is_identity(identity):
        raise NotSignedIn("Nobody is signed in here, or not any more: sign in.")
    return Person(email, identity)


def ends_at(request: Request) -> datetime:
    """When this session is over; what was made in it must not outlive it. Behind Google's proxy: hours from now."""
    age = 0.0  # seconds, by the true time, as the cookie's signature counts it
    if configuration.iap() is None:
        try:
            sent = request.cookies.get(_SESSION, "")
            _, began = _serializer(_SESSION).loads(sent, return_timestamp=True)
            age = time.time() - began.timestamp()
        except BadData:
            age = HOURS * 3600
    return clock.now() + timedelta(hours=HOURS, seconds=-age)


def worker_of(person: Person, record: Worker) -> Worker:
    """Their record, which was read again just now; one that was given another name is looked for by its key.

    Raises Refused where there is none: nobody else decides who belongs to the team.
    """
    if record.version is not None:
        return record
    if (found := named(person.email)) is None:
        raise Refused(
            f"You are signed in as {person.email}, but nobody of this team is called so: ask whoever runs this "
            f"service to make the record workers/{person.email}."
        )
    return found


def named(email: str) -> Worker | None:
    """The worker with this verified address. Only letters that cannot be taken for others are compared as names are:
    some alphabets have letters that become an a or a k in small letters, and are another's address."""
    if not is_identity(email):
        return None
    record = workers.load(email)
    if record.version is not None or not (email.isascii() and addresses.is_email(email.lower())):
        return record if record.version is not None else None
    return workers.named(email)


def opened(place: Place, email: str) -> tuple[str, str]:
    """The header of a new session."""
    found = named(email)
    content = sealed(configuration.inbox_secret(), email, found.identity if found else email)
    return _cookie(place, _SESSION, content, HOURS * 3600)


def sealed(secret: str, email: str, identity: str) -> str:
    """What the cookie of a session holds."""
    found: str = _serializer(_SESSION, secret).dumps({"email": email, "worker": identity})
    return found


def closed(place: Place) -> tuple[str, str]:
    return _cookie(place, _SESSION, "", 0)


def remembered(place: Place, begun: openid.Begun) -> tuple[str, str]:
    """The header that keeps what must fit when somebody comes back from the issuer."""
    content = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
    return _cookie(place, _SIGNING_IN, _serializer(_SIGNING_IN).dumps(content), _MINUTES_TO_SIGN_IN * 60)


def begun(request: Request) -> openid.Begun | None:
    found = _opened(request, _SIGNING_IN, _MINUTES_TO_SIGN_IN * 60)
    kept = [(found or {}).get(name) for name in ("state", "nonce", "verifier")]
    return openid.Begun("", *map(str, kept)) if all(kept) else None


def forgotten(place: Place) -> tuple[str, str]:
    return _cookie(place, _SIGNING_IN, "", 0)


def _behind_proxy(iap: configuration.Iap, request: Request) -> Person:
    try:
        email = openid.behind_proxy(iap, request.headers.get(_IAP_HEADER, ""))
    except openid.Untrue as error:
        raise NotSignedIn(str(error)) from None
    except openid.Unreachable:
        raise TryAgain("Google's keys could not be fetched; try again.") from None
    return Person(email, email if is_identity(email) else "unknown")


def _serializer(purpose: str, secret: str | None = None) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret or configuration.inbox_secret(), salt=f"{purpose}-1")


def _opened(request: Request, name: str, seconds: int) -> dict[str, Any] | None:
    """What the cookie holds; None for none, a forged one and one that is too old. The first of several is the one
    with the longest path, which is this place's own."""
    sent = request.cookies.get(name, "")
    try:
        found = _serializer(name).loads(sent, max_age=seconds) if sent else None
    except BadData:
        return None
    return found if isinstance(found, dict) else None


def _cookie(place: Place, name: str, value: str, seconds: int) -> tuple[str, str]:
    cookie: SimpleCookie = SimpleCookie({name: value})
    cookie[name]["path"] = quote(place.path, safe="/@%:+")
    cookie[name]["max-age"] = seconds
    cookie[name]["httponly"] = True
    cookie[name]["samesite"] = "Lax"
    cookie[name]["secure"] = place.is_https
    return "Set-Cookie", cookie[name].OutputString()
