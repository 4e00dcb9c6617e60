"""Signing in and out: to the issuer and back, by redirects alone; what is written into the worker's record for it."""

from __future__ import annotations

import hmac
import threading

from cachetools import TTLCache

from assignment import ledger
from domain.sessions import Account
from domain.worker import Worker, is_identity
from functions.http import access, base_url, page_kit, requests, session
from functions.http.answers import Answer, Impossible, NotSignedIn, Refused
from functions.http.base_url import BaseUrl
from functions.http.page import Page
from functions.http.requests import RequestModel
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import clock, configuration, database, log, openid

_NOT_SET_UP = (
    "The {} is not set up yet: whoever runs this service has to name who signs workers in (OIDC_CLIENT_ID, "
    "docs/inbox.md)."
)
_NO_PROXY = "You have not come here through Google's sign-in, or it has ended: open the inbox at its own address again."
_NOT_REACHED = "Your company's sign-in does not answer: try again in a moment."
_BUSY = "Many workers sign in at this moment; this page tries again by itself."
_USED = "This sign-in was used already: begin again."
_GOOGLES = "Google signs you in here: to sign out, sign out of your Google account."
# https://cloud.google.com/iap/docs/query-parameters-and-headers-howto: without a second account Google may sign the
# same person in again silently, so this is offered as another account and not as a way out.
ANOTHER_GOOGLE_ACCOUNT = "?gcp-iap-mode=CLEAR_LOGIN_COOKIE"

_used: TTLCache[str, bool] = TTLCache(
    10_000, 600
)  # states of sign-ins that came back, as long as their cookies live
_using = threading.Lock()


class SignOut(RequestModel):
    everywhere: bool = False


def door(page: Page) -> Answer:
    """What somebody sees who is not signed in."""
    if page.iap() is not None:
        return page_kit.sentence(page, _NO_PROXY, "", "Try again", 403)
    if configuration.issuer() is None:
        return page_kit.sentence(page, _NOT_SET_UP.format(page.name), "", "Try again")
    return page_kit.sentence(page, "Sign in to see your conversations.")


def another_account(page: Page, why: str) -> Answer:
    """The page for a person who is signed in, and whom this team does not take."""
    again = ANOTHER_GOOGLE_ACCOUNT if page.iap() is not None else "sign-in?again"
    return page_kit.sentence(page, why, again, "Sign in as somebody else", 403)


def begin(page: Page, visit: Visit) -> Answer:
    """GET sign-in: to the issuer. `?again`: another account than the last one."""
    issuer, base = configuration.issuer(), base_url.of(page, visit.request)
    if page.iap() is not None:
        return _to(
            base.path
        )  # whoever comes here is signed in, or has not come by the proxy
    if issuer is None:
        return page_kit.sentence(
            page, _NOT_SET_UP.format(page.name), base.path, "Try again", 503
        )
    try:
        begun = openid.begin(issuer, _back(base), "again" in visit.request.args)
    except openid.Unreachable as error:
        return _not_reached(page, error)
    return _to(begun.address, session.remembered(page, base, begun))


def back(page: Page, visit: Visit) -> Answer:
    """GET back: from the issuer, with a code that is good once. A state is good once, too."""
    base, args = base_url.of(page, visit.request), visit.request.args
    issuer, begun = configuration.issuer(), session.begun(page, visit.request)
    if issuer is None:
        return page_kit.sentence(
            page, _NOT_SET_UP.format(page.name), base.path, "Try again", 503
        )
    if begun is None or not hmac.compare_digest(
        begun.state.encode(), args.get("state", "").encode()
    ):
        return _refused(
            page,
            base,
            "This sign-in was begun elsewhere, or too long ago: begin again.",
        )
    if not _is_first_use(begun.state):
        return _refused(page, base, _USED)
    if "error" in args or not args.get("code"):
        return _refused(page, base, "The sign-in was not finished: begin again.")
    try:
        found = openid.signed_in(
            issuer, _back(base), args["code"], begun.nonce, begun.verifier
        )
        worker = _admitted(found)
    except (openid.Untrue, Refused) as error:
        return _refused(page, base, str(error))
    except openid.Unreachable as error:
        if isinstance(error, openid.Busy):
            _forget_use(begun.state)
        return _not_reached(page, error)
    if worker is None:
        log.warning("Signed in without a record in workers.", function=page.name)
    else:
        access.note(page, "signed in", worker)
    return _to(
        base.path,
        session.opened(page, base, found, worker),
        session.forgotten(page, base),
    )


def _admitted(found: openid.SignedIn) -> Worker | None:
    """The worker who has signed in, with their account remembered; None without a record. Raises Refused."""
    session.refuse_other_domains(found.email)
    if not is_identity(found.email):
        raise Refused("Your e-mail address cannot be the name of a worker's record.")

    def step() -> Worker | None:
        worker = session.named(found.email)
        return worker and remember(worker, found.account)

    return database.until_it_holds(step)


def remember(worker: Worker, account: Account) -> Worker:
    """Writes the account of a first sign-in. Raises Refused for another account, LostRace if the record has changed."""
    session.refuse_another_account(worker, account)
    before = worker.ended.before
    if before is not None and before > clock.now():
        raise Refused(
            f"Sessions of {worker.identity} are ended until {before:%d %B %Y, %H:%M} UTC (signed_out_before in its "
            "record): sign in after that."
        )
    if worker.account != account:
        ledger.remember_account(worker, account)
    return worker


def behind_proxy(page: Page, person: Person) -> None:
    """Behind Google's proxy opening the page is the sign-in. Raises Refused."""

    def step() -> Worker:
        worker = session.worker(page, person)
        return remember(worker, person.account) if person.account else worker

    access.note(page, f"opened the {page.name}", database.until_it_holds(step))


def out(page: Page, visit: Visit) -> Answer:
    """POST sign-out: this session ends on the server; `everywhere`: and every other one of this worker."""
    wanted = requests.read(visit, SignOut)
    if page.iap() is not None:
        raise Impossible(_GOOGLES)
    try:
        person = session.of(page, visit.request)
        database.until_it_holds(lambda: _end(page, person, wanted.everywhere))
    except (NotSignedIn, Refused):
        if wanted.everywhere:
            raise
    return Answer(
        {},
        headers=(
            *page_kit.headers(),
            session.closed(page, base_url.of(page, visit.request)),
        ),
    )


def _end(page: Page, person: Person, everywhere: bool) -> None:
    """Raises NotSignedIn if the session has ended before, Refused without a record, LostRace."""
    worker = session.worker(page, person)
    ledger.end_sessions(
        worker, session.ended_by(person, worker, everywhere), everywhere=everywhere
    )
    access.note(page, "signed out everywhere" if everywhere else "signed out", worker)


def _is_first_use(state: str) -> bool:
    with _using:
        if state in _used:
            return False
        _used[state] = True
        return True


def _forget_use(state: str) -> None:
    with _using:
        _used.pop(state, None)


def _not_reached(page: Page, error: openid.Unreachable) -> Answer:
    if isinstance(error, openid.Busy):
        answer = page_kit.sentence(page, _BUSY, "", "Try again", 503)
        return Answer(
            answer.body, 503, (*answer.headers, ("Refresh", "2")), answer.content_type
        )
    log.error("The issuer that signs workers in cannot be reached.", function=page.name)
    return page_kit.sentence(page, _NOT_REACHED, status=503)


def _refused(page: Page, base: BaseUrl, text: str) -> Answer:
    log.warning(f"A sign-in was refused: {text}", function=page.name)
    answer = page_kit.sentence(page, text, "sign-in?again", "Sign in", 403)
    return Answer(
        answer.body,
        403,
        (*answer.headers, session.forgotten(page, base)),
        answer.content_type,
    )


def _back(base: BaseUrl) -> str:
    return f"{base.address}back"


def _to(address: str, *cookies: tuple[str, str]) -> Answer:
    return Answer(None, 302, (("Location", address), *page_kit.headers(), *cookies))
