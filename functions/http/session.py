"""Who sends this request: our own signed cookie after a sign-in by OpenID Connect, or Google's signed header.

Neither is believed for longer than one request: the worker's record is read again each time, and says which sessions
have ended. What is written when is in docs/decisions/0015-sessions.md.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from flask import Request

from domain import addresses, sessions
from domain.sessions import Account, Ended
from domain.worker import Worker, is_identity
from functions.http import cookies
from functions.http.answers import NotSignedIn, Refused, TryAgain
from functions.http.base_url import BaseUrl
from functions.http.page import Page
from providers import clock, configuration, openid, workers

_SECONDS_TO_SIGN_IN = 600
_IAP_HEADER = "X-Goog-IAP-JWT-Assertion"
_LASTS = int(sessions.LASTS.total_seconds())
_ENDED = "This session has ended: sign in again."


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in: their verified e-mail address, and the record that had it then.

    `account`: at the issuer. `session`: the id of their session, empty behind Google's proxy, which keeps its own.
    """

    email: str
    identity: str
    account: Account | None = None
    session: str = ""


def of(page: Page, request: Request) -> Person:
    """Who it is, without a look at any record. Raises NotSignedIn, and Refused for an address of another domain."""
    if (iap := page.iap()) is not None:
        return _behind_proxy(iap, request)
    content = cookies.opened(page, request, page.name, _LASTS) or {}
    email, identity, session = (content.get(name) for name in ("email", "worker", "id"))
    if (
        not isinstance(email, str)
        or not isinstance(identity, str)
        or not is_identity(identity)
    ):
        raise NotSignedIn("Nobody is signed in here, or not any more: sign in.")
    if not isinstance(session, str) or not sessions.is_id(session):
        raise NotSignedIn(_ENDED)  # from before sessions had an id
    refuse_other_domains(email)
    issuer, subject = content.get("iss"), content.get("sub")
    account = Account(str(issuer), str(subject)) if issuer and subject else None
    return Person(email, identity, account, session)


def ends_at(page: Page, request: Request) -> datetime:
    """When this session ends at the latest; behind Google's proxy, hours from now. Raises NotSignedIn."""
    session = of(page, request).session
    return (sessions.began_at(session) if session else clock.now()) + sessions.LASTS


def worker(page: Page, person: Person) -> Worker:
    """Return the record of the person, read now; see worker_of."""
    return worker_of(page, person, workers.load(person.identity))


def worker_of(page: Page, person: Person, record: Worker) -> Worker:
    """Their record, which was read for this request; one that was given another name is looked for by its key.

    Raises Refused where there is none, and for a worker who may not use the page. Raises NotSignedIn for a session
    that has ended.
    """
    found = record if record.confirmed else named(person.email)
    if found is None:
        raise Refused(
            f"You are signed in as {person.email}, but nobody of this team is called so: ask whoever runs this "
            f"service to make the record workers/{person.email}."
        )
    if not found.confirmed:
        raise Refused(
            f"You are signed in as {person.email}, but your record waits for confirmation: ask the person who runs "
            f"this service to set confirmed: true in workers/{found.identity}."
        )
    _refuse_ended(person, found)
    if (why := page.why_not(found)) is not None:
        raise Refused(why)
    return found


def _refuse_ended(person: Person, worker: Worker) -> None:
    if person.session and sessions.has_ended(person.session, worker.ended):
        raise NotSignedIn(_ENDED)
    remembered = worker.account
    if person.account is None or remembered is None or remembered == person.account:
        return
    if person.session:
        raise NotSignedIn(_ENDED)  # another account has signed in since
    refuse_another_account(worker, person.account)


def refuse_another_account(worker: Worker, account: Account) -> None:
    """Raises Refused if another account of the same issuer signed this worker in before: addresses are passed on."""
    if sessions.is_another(worker.account, account):
        raise Refused(
            f"{worker.identity} signed in with another account before. If both are the same person's, ask whoever runs "
            f"this service to clear the field subject of the record workers/{worker.identity}."
        )


def refuse_other_domains(email: str) -> None:
    """Raises Refused for an address that is not of one of the allowed domains."""
    allowed = configuration.allowed_domains()
    domain = email.rpartition("@")[2]
    domain = (
        domain.lower() if domain.isascii() else domain
    )  # some other letters become an ASCII one in small letters
    if allowed and ("@" not in email or domain not in allowed):
        raise Refused(
            f"Only e-mail addresses of {' or '.join(sorted(allowed))} sign in here, and {email} is not one: use "
            "another account."
        )


def named(email: str) -> Worker | None:
    """The worker with this verified address. Only letters that cannot be taken for others are compared as names are:
    some alphabets have letters that become an a or a k in small letters, and are another's address."""
    if not is_identity(email):
        return None
    if email.isascii() and addresses.is_email(email.lower()):
        return workers.called(email)
    record = workers.load(email)
    return record if record.version is not None else None


def opened(
    page: Page, base: BaseUrl, signed_in: openid.SignedIn, worker: Worker | None
) -> tuple[str, str]:
    """The header of a new session."""
    identity = worker.identity if worker else signed_in.email
    content = _content(signed_in.email, identity, signed_in.account)
    return cookies.header(base, page.name, cookies.sealed(page.name, content), _LASTS)


def sealed(page: Page, secret: str, email: str, identity: str) -> str:
    """What the cookie of a session holds."""
    return cookies.sealed(page.name, _content(email, identity, None), secret)


def _content(email: str, identity: str, account: Account | None) -> dict[str, str]:
    session = sessions.new_id(clock.now(), secrets.token_urlsafe(9))
    content = {"email": email, "worker": identity, "id": session}
    return content | (
        {"iss": account.issuer, "sub": account.subject} if account else {}
    )


def closed(page: Page, base: BaseUrl) -> tuple[str, str]:
    return cookies.header(base, page.name, "", 0)


def ended_by(person: Person, worker: Worker, everywhere: bool) -> Ended:
    """What the worker's record says once this person has signed out."""
    now = clock.now()
    if everywhere:
        return Ended((), max(now, worker.ended.before or now))
    return sessions.after_signing_out(person.session, worker.ended, now)


def remembered(page: Page, base: BaseUrl, begun: openid.Begun) -> tuple[str, str]:
    """The header that keeps what must fit when somebody comes back from the issuer."""
    content = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
    purpose = _signing_in(page)
    value = cookies.sealed(purpose, content)
    return cookies.header(base, purpose, value, _SECONDS_TO_SIGN_IN)


def begun(page: Page, request: Request) -> openid.Begun | None:
    content = cookies.opened(page, request, _signing_in(page), _SECONDS_TO_SIGN_IN)
    values = [(content or {}).get(name) for name in ("state", "nonce", "verifier")]
    return openid.Begun("", *map(str, values)) if all(values) else None


def forgotten(page: Page, base: BaseUrl) -> tuple[str, str]:
    return cookies.header(base, _signing_in(page), "", 0)


def _signing_in(page: Page) -> str:
    """The cookie of a sign-in that has begun."""
    return f"{page.name}-sign-in"


def _behind_proxy(iap: configuration.Iap, request: Request) -> Person:
    try:
        found = openid.behind_proxy(iap, request.headers.get(_IAP_HEADER, ""))
    except openid.Untrue as error:
        raise NotSignedIn(str(error)) from None
    except openid.Unreachable:
        raise TryAgain("Google's keys could not be fetched; try again.") from None
    refuse_other_domains(found.email)
    if not is_identity(found.email):
        raise Refused(
            "Your e-mail address cannot be the name of a worker's record: use another account."
        )
    return Person(found.email, found.email, found.account)
