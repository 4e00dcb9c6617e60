"""Signs workers in and out: redirects to the issuer and back, and what the worker's record remembers of it."""

from __future__ import annotations

import hmac
import re
import threading
from urllib.parse import quote

from cachetools import TTLCache
from flask import Request

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
from providers.configuration import Issuer
from providers.openid import Begun, SignedIn

_NOT_SET_UP = (
    "Sign-in is not set up yet. Ask your administrator to set OIDC_CLIENT_ID "
    "(docs/inbox.md)."
)
_NO_PROXY = "You didn't come through Google's sign-in, or it has expired. Open the {} at its own address again."
_NOT_REACHED = "Your company's sign-in service isn't responding. Try again in a moment."
_BUSY = "Many workers are signing in. This page tries again automatically."
_ELSEWHERE = "This sign-in was started elsewhere, or too long ago. Please start over."
_USED = "This sign-in was used already. Please start over."
_UNFINISHED = "The sign-in was not finished. Please start over."
_BY_GOOGLE = "Google signs you in. To sign out, sign out of your Google account."
# https://cloud.google.com/iap/docs/query-parameters-and-headers-howto: with only one Google account, Google may sign
# the same person in again silently, so this is offered as another account and not as a way to sign out.
ANOTHER_GOOGLE_ACCOUNT = "?gcp-iap-mode=CLEAR_LOGIN_COOKIE"

# What may follow # in the page's own address: such as a conversation's SID, or one of the desk's pages.
_PLACE = re.compile(r"[A-Za-z0-9/_.%:@+=&?,~-]{1,200}")

_used: TTLCache[str, bool] = TTLCache(10_000, 600)  # states, as long as cookies live
_using = threading.Lock()


class SignOut(RequestModel):
    everywhere: bool = False


def door(page: Page) -> Answer:
    """Return the page for a visitor without a session."""
    if page.iap() is not None:
        text = _NO_PROXY.format(page.name)
        return page_kit.sentence(page, text, "", "Try again", 403)
    if configuration.issuer() is None:
        return page_kit.sentence(page, _NOT_SET_UP, "", "Try again")
    return page_kit.sentence(page, "Sign in to see your conversations.")


def another_account(page: Page, why: str) -> Answer:
    """Return the page for a signed-in person without access."""
    link = ANOTHER_GOOGLE_ACCOUNT if page.iap() is not None else "sign-in?again"
    return page_kit.sentence(page, why, link, "Use another account", 403)


def begin(page: Page, visit: Visit) -> Answer:
    """GET sign-in: redirect to the issuer. `?again` asks it for another account than the last one, as does signing out.

    `?to=`: the part of the page's address after #, where the worker comes back to.
    """
    issuer, base = configuration.issuer(), base_url.of(page, visit.request)
    if page.iap() is not None:  # IAP has signed this visitor in already
        return _to(base.path)
    if issuer is None:
        return _not_set_up(page, base)
    request = visit.request
    chooses = "again" in request.args or session.asks_for_account(page, request)
    try:
        begun = openid.begin(issuer, _back(base), chooses)
    except openid.Unreachable as error:
        return _not_reached(page, error)
    cookie = session.remembered(page, base, begun, _place(request))
    return _to(begun.address, cookie, *session.surplus(page, base, request))


def back(page: Page, visit: Visit) -> Answer:
    """GET back: the issuer's redirect with a code. A code and a state are valid once."""
    issuer, base = configuration.issuer(), base_url.of(page, visit.request)
    if issuer is None:
        return _not_set_up(page, base)
    found = session.begun(page, visit.request, visit.request.args.get("state", ""))
    try:
        begun = _checked(found, visit)
        signed_in = _signed_in(issuer, base, begun, visit.request.args["code"])
        worker = _admitted(signed_in)
    except (openid.Untrue, Refused) as error:
        return _refused(page, base, str(error), found)
    except openid.Unreachable as error:
        return _not_reached(page, error)
    if worker is None:
        log.warning("Signed in without a record in workers.", function=page.name)
    else:
        access.note(page, "signed in", worker)
    new_session = session.opened(page, base, signed_in, worker)
    place = found[1] if found else ""
    return _to(
        f"{base.path}#{place}" if place else base.path,
        new_session,
        session.forgotten(page, base, begun.state),
        session.signed_out(page, base, 0),
    )


def _place(request: Request) -> str:
    """Return where the worker was on the page; "" for what can't be such a place."""
    place = request.args.get("to", "")
    return place if _PLACE.fullmatch(place) else ""


def _checked(found: tuple[Begun, str] | None, visit: Visit) -> Begun:
    """Return the sign-in that this redirect finishes. Raises Refused for any other redirect."""
    args = visit.request.args
    state = args.get("state", "").encode()
    if found is None or not hmac.compare_digest(found[0].state.encode(), state):
        raise Refused(_ELSEWHERE)
    begun = found[0]
    if not _is_first_use(begun.state):
        raise Refused(_USED)
    if "error" in args or not args.get("code"):
        raise Refused(_UNFINISHED)
    return begun


def _signed_in(issuer: Issuer, base: BaseUrl, begun: Begun, code: str) -> SignedIn:
    """Exchange the code. If the issuer is too busy, the same redirect can be repeated."""
    try:
        return openid.signed_in(issuer, _back(base), code, begun.nonce, begun.verifier)
    except openid.Busy:
        _forget_use(begun.state)
        raise


def _admitted(signed_in: SignedIn) -> Worker | None:
    """Return the worker and remember the account; None without a record. Raises Refused."""
    session.refuse_other_domains(signed_in.email)
    if not is_identity(signed_in.email):
        raise Refused("Your e-mail address can't be the name of a worker's record.")

    def step() -> Worker | None:
        worker = session.named(signed_in.email)
        return worker and remember(worker, signed_in.account)

    return database.until_it_holds(step)


def remember(worker: Worker, account: Account) -> Worker:
    """Write the account of a first sign-in. Raises Refused for another account, LostRace if the record has changed."""
    session.refuse_another_account(worker, account)
    before = worker.ended.before
    if before is not None and before > clock.now():
        raise Refused(
            f"{worker.identity} can't sign in until {before:%d %B %Y, %H:%M} UTC (signed_out_before in the record). "
            "Sign in after that."
        )
    if worker.account != account:
        ledger.remember_account(worker, account)
    return worker


def behind_proxy(page: Page, person: Person) -> None:
    """Remember the account: behind IAP, opening the page is the sign-in. Raises Refused."""

    def step() -> Worker:
        worker = session.worker(page, person)
        return remember(worker, person.account) if person.account else worker

    access.note(page, f"opened the {page.name}", database.until_it_holds(step))


def out(page: Page, visit: Visit) -> Answer:
    """POST sign-out: end this session on the server; `everywhere`: and every other one of this worker."""
    everywhere = requests.read(visit, SignOut).everywhere
    if page.iap() is not None:
        raise Impossible(_BY_GOOGLE)
    try:
        person = session.of(page, visit.request)
        database.until_it_holds(lambda: _end(page, person, everywhere))
    except (NotSignedIn, Refused):
        if everywhere:
            raise
    base = base_url.of(page, visit.request)
    sent = (session.closed(page, base), session.signed_out(page, base))
    return Answer({}, headers=(*page_kit.headers(), *sent))


def _end(page: Page, person: Person, everywhere: bool) -> None:
    """Raises NotSignedIn if the session has ended already, Refused without a record, LostRace."""
    worker = session.worker(page, person)
    ended = session.ended_by(person, worker, everywhere)
    ledger.end_sessions(worker, ended, everywhere=everywhere)
    access.note(page, "signed out everywhere" if everywhere else "signed out", worker)


def _is_first_use(state: str) -> bool:
    """Return whether the state is new to this instance: a copied redirect must not sign in twice."""
    with _using:
        is_first = state not in _used
        _used[state] = True
        return is_first


def _forget_use(state: str) -> None:
    """Let the same redirect be tried again."""
    with _using:
        _used.pop(state, None)


def _not_set_up(page: Page, base: BaseUrl) -> Answer:
    return page_kit.sentence(page, _NOT_SET_UP, base.path, "Try again", 503)


def _not_reached(page: Page, error: openid.Unreachable) -> Answer:
    """Return the page for an issuer that does not respond; if it is only busy, the page reloads by itself."""
    if isinstance(error, openid.Busy):
        answer = page_kit.sentence(page, _BUSY, "", "Try again", 503)
        return page_kit.with_headers(answer, ("Refresh", "2"))
    log.error("The issuer that signs workers in cannot be reached.", function=page.name)
    return page_kit.sentence(page, _NOT_REACHED, status=503)


def _refused(
    page: Page, base: BaseUrl, text: str, found: tuple[Begun, str] | None
) -> Answer:
    """Return the page with the reason, and forget the sign-in that was refused; others may go on."""
    log.warning(f"A sign-in was refused: {text}", function=page.name)
    place = f"&to={quote(found[1])}" if found and found[1] else ""
    link = f"sign-in?again{place}"
    answer = page_kit.sentence(page, text, link, "Sign in", 403)
    if found is None:
        return answer
    return page_kit.with_headers(answer, session.forgotten(page, base, found[0].state))


def _back(base: BaseUrl) -> str:
    """Return the redirect address that the issuer has to know."""
    return f"{base.address}back"


def _to(address: str, *cookies: tuple[str, str]) -> Answer:
    return Answer(None, 302, (("Location", address), *page_kit.headers(), *cookies))
