"""Identifies who sends a request: by our own signed cookie after an OpenID Connect sign-in, or by Google's IAP header.

Neither is trusted beyond one request: the worker's record is read on each request, and lists the sessions that have
ended. docs/decisions/0015-sessions.md says what is written when.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Request

from domain import addresses, sessions
from domain.sessions import Account, Ended
from domain.worker import Worker, is_identity
from functions.http import base_url, cookies
from functions.http.answers import NotSignedIn, Refused, TryAgain
from functions.http.base_url import BaseUrl
from functions.http.page import Page
from providers import clock, configuration, openid, workers
from providers.openid import Begun

_SECONDS_TO_SIGN_IN = 600
_MOST_AT_ONCE = 5  # sign-ins of one browser that are begun and not finished
_STATE = re.compile(r"[A-Za-z0-9_-]{16,100}")
_LENGTH_OF_STATE = 16  # characters of it in a cookie's name
_CHOOSES_FOR = 30 * 24 * 3600  # seconds
_IAP_HEADER = "X-Goog-IAP-JWT-Assertion"
_LASTS = int(sessions.LASTS.total_seconds())
_NOT_SIGNED_IN = "You aren't signed in. Please sign in."
_ENDED = "This session has ended. Please sign in again."


@dataclass(frozen=True)
class Person:
    """A signed-in person: the verified e-mail address, and the worker's record that had it at the sign-in.

    `account`: at the issuer. `session`: the session's id; empty behind IAP, which keeps sessions of its own.
    """

    email: str
    identity: str
    account: Account | None = None
    session: str = ""


def of(page: Page, request: Request) -> Person:
    """Return the person without reading a record.

    Raises NotSignedIn, and Refused for an e-mail address of a domain that is not allowed.
    """
    if (iap := page.iap()) is not None:
        return _behind_proxy(iap, request)
    content = cookies.opened(page, request, page.name, _LASTS) or {}
    email, identity, session = (
        str(content.get(name, "")) for name in ("email", "worker", "id")
    )
    if not is_identity(identity):
        raise NotSignedIn(_NOT_SIGNED_IN)
    if not sessions.is_id(session):
        raise NotSignedIn(_ENDED)  # a cookie from before sessions had ids
    refuse_other_domains(email)
    return Person(email, identity, _account_in(content), session)


def _account_in(content: Mapping[str, Any]) -> Account | None:
    """Return the account in a cookie; None in a cookie from before accounts were remembered."""
    issuer, subject = content.get("iss"), content.get("sub")
    return Account(str(issuer), str(subject)) if issuer and subject else None


def ends_at(page: Page, request: Request) -> datetime:
    """Return the latest time at which this session ends; behind IAP a session's length from now.

    Raises NotSignedIn.
    """
    session = of(page, request).session
    began_at = sessions.began_at(session) if session else clock.now()
    return began_at + sessions.LASTS


def worker(page: Page, person: Person) -> Worker:
    """Read and return the person's record; see worker_of."""
    return worker_of(page, person, workers.load(person.identity))


def worker_of(page: Page, person: Person, record: Worker) -> Worker:
    """Return the person's record: `record`, which this request has read, or the renamed one with the same address.

    Raises Refused if there is no confirmed record or the worker may not use the page, and NotSignedIn for a session
    that has ended.
    """
    worker = record if record.confirmed else named(person.email)
    if worker is None:
        raise Refused(
            f"You are signed in as {person.email}, but you aren't a member of this team. "
            f"Ask your administrator to add workers/{person.email}."
        )
    if not worker.confirmed:
        raise Refused(
            f"You are signed in as {person.email}, but your record waits for confirmation. "
            f"Ask your administrator to set confirmed: true in workers/{worker.identity}."
        )
    _refuse_ended(person, worker)
    if (why := page.why_not(worker)) is not None:
        raise Refused(why)
    return worker


def _refuse_ended(person: Person, worker: Worker) -> None:
    """Raise NotSignedIn for an ended session, also if another account has signed in since.

    Raises Refused behind IAP, which has no sessions of ours, for another account of the same issuer.
    """
    if person.session and sessions.has_ended(person.session, worker.ended):
        raise NotSignedIn(_ENDED)
    if worker.account is None or person.account in (None, worker.account):
        return
    if person.session:  # another account has signed in since
        raise NotSignedIn(_ENDED)
    refuse_another_account(worker, person.account)


def refuse_another_account(worker: Worker, account: Account | None) -> None:
    """Raise Refused if another account of the same issuer signed this worker in before.

    An e-mail address can be given to another person; an issuer's account never is.
    """
    if account is not None and sessions.is_another(worker.account, account):
        raise Refused(
            f"{worker.identity} signed in with another account before. If both belong to the same person, ask your "
            f"administrator to clear the field subject of the record workers/{worker.identity}."
        )


def refuse_other_domains(email: str) -> None:
    """Raise Refused for an e-mail address outside the allowed domains."""
    allowed = configuration.allowed_domains()
    if allowed and _domain_of(email) not in allowed:
        raise Refused(
            f"You can sign in only with an e-mail address of {' or '.join(sorted(allowed))}, and {email} isn't one. "
            "Use another account."
        )


def _domain_of(email: str) -> str:
    """Return the domain, in lower case if it is ASCII: some other letters have an ASCII letter as lower case."""
    _, at, domain = email.rpartition("@")
    if not at:
        return ""
    return domain.lower() if domain.isascii() else domain


def named(email: str) -> Worker | None:
    """Return the worker with this verified address.

    Only an ASCII address is compared as names are: other alphabets have letters whose lower case is an ASCII letter,
    so that a different person's address could match.
    """
    if not is_identity(email):
        return None
    if email.isascii() and addresses.is_email(email.lower()):
        return workers.called(email)
    record = workers.load(email)
    return record if record.version is not None else None


def opened(
    page: Page, base: BaseUrl, signed_in: openid.SignedIn, worker: Worker | None
) -> tuple[str, str]:
    """Return the header that sets the cookie of a new session."""
    identity = worker.identity if worker else signed_in.email
    content = _content(signed_in.email, identity, signed_in.account)
    return cookies.header(base, page.name, cookies.sealed(page.name, content), _LASTS)


def sealed(page: Page, secret: str, email: str, identity: str) -> str:
    """Return the value of a new session's cookie."""
    return cookies.sealed(page.name, _content(email, identity, None), secret)


def _content(email: str, identity: str, account: Account | None) -> dict[str, str]:
    """Return a cookie's content with a new session id; `iss` and `sub` only if the account is known."""
    session = sessions.new_id(clock.now(), secrets.token_urlsafe(9))
    content = {"email": email, "worker": identity, "id": session}
    if account is not None:
        content |= {"iss": account.issuer, "sub": account.subject}
    return content


def closed(page: Page, base: BaseUrl) -> tuple[str, str]:
    """Return the header that removes the session's cookie."""
    return cookies.header(base, page.name, "", 0)


def ended_by(person: Person, worker: Worker, everywhere: bool) -> Ended:
    """Return the record's ended sessions once this person has signed out."""
    now = clock.now()
    if everywhere:
        return Ended((), max(now, worker.ended.before or now))
    return sessions.after_signing_out(person.session, worker.ended, now)


def remembered(page: Page, base: BaseUrl, begun: Begun, to: str) -> tuple[str, str]:
    """Return the header that keeps what the issuer's answer is checked against, and where to go after that.

    Each sign-in has a cookie of its own, so that several tabs can sign in at once.
    """
    content = {
        "state": begun.state,
        "nonce": begun.nonce,
        "verifier": begun.verifier,
        "to": to,
    }
    value = cookies.sealed(_signing_in(page), content)
    return cookies.header(
        base, _signing_in(page, begun.state), value, _SECONDS_TO_SIGN_IN
    )


def begun(page: Page, request: Request, state: str) -> tuple[Begun, str] | None:
    """Return the sign-in with this state that this browser has begun, and where to go after it.

    None if the browser has begun none, or too long ago.
    """
    if not _STATE.fullmatch(state):
        return None
    name = _signing_in(page, state)
    content = cookies.opened(
        page, request, _signing_in(page), _SECONDS_TO_SIGN_IN, name
    )
    values = [(content or {}).get(key) for key in ("state", "nonce", "verifier")]
    if content is None or not all(values):
        return None
    return Begun("", *map(str, values)), str(content.get("to", ""))


def forgotten(page: Page, base: BaseUrl, state: str) -> tuple[str, str]:
    """Return the header that removes the cookie of one sign-in."""
    return cookies.header(base, _signing_in(page, state), "", 0)


def surplus(page: Page, base: BaseUrl, request: Request) -> list[tuple[str, str]]:
    """Return the headers that remove sign-ins which were begun and not finished, beyond a few."""
    start = cookies.name_of(base, f"{_signing_in(page)}-")
    states = [
        name.removeprefix(start)
        for name in request.cookies
        if name[: len(start)] == start
    ]
    return [forgotten(page, base, state) for state in states[: -_MOST_AT_ONCE + 1]]


def asks_for_account(page: Page, request: Request) -> bool:
    """Return whether the last session in this browser was ended by signing out."""
    base = base_url.of(page, request)
    return bool(request.cookies.get(cookies.name_of(base, _signed_out(page))))


def signed_out(
    page: Page, base: BaseUrl, seconds: int = _CHOOSES_FOR
) -> tuple[str, str]:
    """Return the header that makes the next sign-in ask for an account; 0 seconds end that."""
    return cookies.header(base, _signed_out(page), "1" if seconds else "", seconds)


def _signing_in(page: Page, state: str = "") -> str:
    name = f"{page.name}-sign-in"
    return f"{name}-{state[:_LENGTH_OF_STATE]}" if state else name


def _signed_out(page: Page) -> str:
    return f"{page.name}-signed-out"


def _behind_proxy(iap: configuration.Iap, request: Request) -> Person:
    """Return the person in IAP's header. Raises NotSignedIn, Refused and TryAgain."""
    try:
        signed_in = openid.behind_proxy(iap, request.headers.get(_IAP_HEADER, ""))
    except openid.Untrue as error:
        raise NotSignedIn(str(error)) from None
    except openid.Unreachable:
        raise TryAgain("Google's keys could not be fetched; try again.") from None
    refuse_other_domains(signed_in.email)
    if not is_identity(signed_in.email):
        raise Refused(
            "Your e-mail address can't be the name of a worker's record. Use another account."
        )
    return Person(signed_in.email, signed_in.email, signed_in.account)
