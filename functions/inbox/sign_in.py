"""Signing in and out: to the issuer and back, by redirects alone."""

from __future__ import annotations

import hmac

from domain.worker import is_identity
from functions.door.answers import Answer
from functions.door.webhook import Visit
from functions.inbox import pages, session
from functions.inbox.place import Place
from providers import configuration, log, openid

_NOT_SET_UP = (
    "The inbox is not set up yet: whoever runs this service has to name who signs workers in (OIDC_CLIENT_ID, "
    "docs/inbox.md)."
)
_NO_PROXY = "You have not come here through Google's sign-in, or it has ended: open the inbox at its own address again."
_NOT_REACHED = "Who signs you in does not answer just now: try again in a moment."


def door() -> Answer:
    """What somebody sees who is not signed in."""
    if configuration.iap() is not None:
        return pages.sentence(_NO_PROXY, "", "Try again", 403)
    if configuration.issuer() is None:
        return pages.sentence(_NOT_SET_UP, "", "Try again")
    return pages.sentence("Sign in to see your conversations.")


def begin(visit: Visit, place: Place) -> Answer:
    """GET sign-in: to the issuer. `?again`: another account than the last one."""
    issuer = configuration.issuer()
    if configuration.iap() is not None:
        return _to(place.path)  # whoever comes here is signed in, or has not come by the proxy
    if issuer is None:
        return pages.sentence(_NOT_SET_UP, place.path, "Try again", 503)
    try:
        begun = openid.begin(issuer, _back(place), "again" in visit.request.args)
    except openid.Unreachable:
        log.error("The issuer that signs workers in cannot be reached.", function="inbox")
        return pages.sentence(_NOT_REACHED, status=503)
    return _to(begun.address, session.remembered(place, begun))


def back(visit: Visit, place: Place) -> Answer:
    """GET back: from the issuer, with a code that is good once."""
    issuer, begun, args = configuration.issuer(), session.begun(visit.request), visit.request.args
    if issuer is None:
        return pages.sentence(_NOT_SET_UP, place.path, "Try again", 503)
    if begun is None or not hmac.compare_digest(begun.state.encode(), args.get("state", "").encode()):
        return _refused(place, "This sign-in was begun elsewhere, or too long ago: begin again.")
    if "error" in args or not args.get("code"):
        return _refused(place, "The sign-in was not finished: begin again.")
    try:
        email = openid.email(issuer, _back(place), args["code"], begun.nonce, begun.verifier)
    except openid.Untrue as error:
        return _refused(place, str(error))
    except openid.Unreachable:
        log.error("The issuer that signs workers in cannot be reached.", function="inbox")
        return pages.sentence(_NOT_REACHED, status=503)
    if not is_identity(email):
        return _refused(place, "Your e-mail address cannot be the name of a worker's record.")
    return _to(place.path, session.opened(place, email), session.forgotten(place))


def out(place: Place) -> Answer:
    """POST sign-out: this browser is nobody's any more."""
    return Answer({}, headers=(*pages.headers(), session.closed(place)))


def _refused(place: Place, text: str) -> Answer:
    log.warning(f"A sign-in was refused: {text}", function="inbox")
    answer = pages.sentence(text, "sign-in?again", "Sign in", 403)
    return Answer(answer.body, 403, (*answer.headers, session.forgotten(place)), answer.content_type)


def _back(place: Place) -> str:
    return f"{place.address}back"


def _to(address: str, *cookies: tuple[str, str]) -> Answer:
    return Answer(None, 302, (("Location", address), *pages.headers(), *cookies))
