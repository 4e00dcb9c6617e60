"""Signing in and out: to the issuer and back, by redirects alone; what is written into the worker's record for it."""

from __future__ import annotations

import hmac
import threading

from cachetools import TTLCache

from assignment import ledger
from domain.sessions import Account
from domain.worker import Worker, is_identity
from functions.http.answers import Answer, Impossible, NotSignedIn, Refused
from functions.http.webhook import Visit
from functions.inbox import access, asked, authority, pages, session
from functions.inbox.place import Place
from functions.inbox.session import Person
from providers import clock, configuration, database, log, openid, workers

_NOT_SET_UP = (
    "The inbox is not set up yet: whoever runs this service has to name who signs workers in (OIDC_CLIENT_ID, "
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


def door() -> Answer:
    """What somebody sees who is not signed in."""
    if configuration.iap() is not None:
        return pages.sentence(_NO_PROXY, "", "Try again", 403)
    if configuration.issuer() is None:
        return pages.sentence(_NOT_SET_UP, "", "Try again")
    return pages.sentence("Sign in to see your conversations.")


def another_account(why: str) -> Answer:
    """The page for a person who is signed in, and whom this team does not take."""
    again = (
        ANOTHER_GOOGLE_ACCOUNT if configuration.iap() is not None else "sign-in?again"
    )
    return pages.sentence(why, again, "Sign in as somebody else", 403)


def begin(visit: Visit, place: Place) -> Answer:
    """GET sign-in: to the issuer. `?again`: another account than the last one."""
    issuer = configuration.issuer()
    if configuration.iap() is not None:
        return _to(
            place.path
        )  # whoever comes here is signed in, or has not come by the proxy
    if issuer is None:
        return pages.sentence(_NOT_SET_UP, place.path, "Try again", 503)
    try:
        begun = openid.begin(issuer, _back(place), "again" in visit.request.args)
    except openid.Unreachable as error:
        return _not_reached(error)
    return _to(begun.address, session.remembered(place, begun))


def back(visit: Visit, place: Place) -> Answer:
    """GET back: from the issuer, with a code that is good once. A state is good once, too."""
    issuer, begun, args = (
        configuration.issuer(),
        session.begun(visit.request),
        visit.request.args,
    )
    if issuer is None:
        return pages.sentence(_NOT_SET_UP, place.path, "Try again", 503)
    if begun is None or not hmac.compare_digest(
        begun.state.encode(), args.get("state", "").encode()
    ):
        return _refused(
            place, "This sign-in was begun elsewhere, or too long ago: begin again."
        )
    if not _is_first_use(begun.state):
        return _refused(place, _USED)
    if "error" in args or not args.get("code"):
        return _refused(place, "The sign-in was not finished: begin again.")
    try:
        found = openid.signed_in(
            issuer, _back(place), args["code"], begun.nonce, begun.verifier
        )
        worker = _admitted(found)
    except (openid.Untrue, Refused) as error:
        return _refused(place, str(error))
    except openid.Unreachable as error:
        if isinstance(error, openid.Busy):
            _forget_use(begun.state)
        return _not_reached(error)
    if worker is None:
        log.warning("Signed in without a record in workers.", function="inbox")
    else:
        access.note("signed in", worker)
    return _to(
        place.path, session.opened(place, found, worker), session.forgotten(place)
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


def behind_proxy(person: Person) -> None:
    """Behind Google's proxy opening the page is the sign-in. Raises Refused."""

    def step() -> Worker:
        worker = authority.worker(person)
        return remember(worker, person.account) if person.account else worker

    access.note("opened the inbox", database.until_it_holds(step))


def out(visit: Visit, place: Place) -> Answer:
    """POST sign-out: this session ends on the server; `everywhere`: and every other one of this worker."""
    wanted = asked.read(visit, asked.SignOut)
    if configuration.iap() is not None:
        raise Impossible(_GOOGLES)
    try:
        person = session.of(visit.request)
        database.until_it_holds(lambda: _end(person, wanted.everywhere))
    except (NotSignedIn, Refused):
        if wanted.everywhere:
            raise
    return Answer({}, headers=(*pages.headers(), session.closed(place)))


def _end(person: Person, everywhere: bool) -> None:
    """Raises NotSignedIn if the session has ended before, Refused without a record, LostRace."""
    worker = session.worker_of(person, workers.load(person.identity))
    ledger.end_sessions(
        worker, session.ended_by(person, worker, everywhere), everywhere=everywhere
    )
    access.note("signed out everywhere" if everywhere else "signed out", worker)


def _is_first_use(state: str) -> bool:
    with _using:
        if state in _used:
            return False
        _used[state] = True
        return True


def _forget_use(state: str) -> None:
    with _using:
        _used.pop(state, None)


def _not_reached(error: openid.Unreachable) -> Answer:
    if isinstance(error, openid.Busy):
        answer = pages.sentence(_BUSY, "", "Try again", 503)
        return Answer(
            answer.body, 503, (*answer.headers, ("Refresh", "2")), answer.content_type
        )
    log.error("The issuer that signs workers in cannot be reached.", function="inbox")
    return pages.sentence(_NOT_REACHED, status=503)


def _refused(place: Place, text: str) -> Answer:
    log.warning(f"A sign-in was refused: {text}", function="inbox")
    answer = pages.sentence(text, "sign-in?again", "Sign in", 403)
    return Answer(
        answer.body,
        403,
        (*answer.headers, session.forgotten(place)),
        answer.content_type,
    )


def _back(place: Place) -> str:
    return f"{place.address}back"


def _to(address: str, *cookies: tuple[str, str]) -> Answer:
    return Answer(None, 302, (("Location", address), *pages.headers(), *cookies))
