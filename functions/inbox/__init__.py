"""The worker's own page: what each address does, and who may ask for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from functions.http.answers import Answer, NotFound, NotSignedIn, Refused, WrongMethod
from functions.http.webhook import Visit
from functions.inbox import (
    actions,
    asked,
    authority,
    customer,
    devices,
    listing,
    media,
    messages,
    outgoing,
    pages,
    place,
    sending,
    session,
    sign_in,
)
from functions.inbox.place import Place
from functions.inbox.session import Person


class Route(NamedTuple):
    """An address below the page's own. `handle(visit, person, *parts)`; the parts are what stands in brackets."""

    method: str
    pattern: re.Pattern[str]
    handle: Callable[..., Answer]


def _route(method: str, pattern: str, handle: Callable[..., Answer]) -> Route:
    return Route(
        method, re.compile(pattern.replace("SID", "conversations/([^/]+)")), handle
    )


_FILES = "files/"  # not static/: of that name the functions framework has a route of its own, which answers 404

# For who is signed in.
ROUTES = (
    _route("GET", "state", listing.state),
    _route("POST", "status", actions.status),
    _route("GET", "SID/messages", messages.listed),
    _route("POST", "SID/messages", sending.message),
    _route("POST", "SID/read", actions.read),
    _route("POST", "SID/hand-over", actions.hand_over),
    _route("POST", "SID/close", actions.close),
    _route("GET", "SID/customer", customer.card),
    _route("GET", "SID/templates", customer.templates),
    _route("GET", "SID/workers", customer.colleagues),
    _route("GET", "SID/media/([^/]+)", media.shown),
    _route(
        "POST", "customers", outgoing.found
    ),  # a search in an address would be in the request log
    _route("GET", "customers/([^/]+)/templates", outgoing.templates),
    _route("POST", "conversations", outgoing.begin),
    _route("PUT", "devices/([^/]+)", devices.keep),
    _route("DELETE", "devices/([^/]+)", devices.forget),
)


def handle(visit: Visit) -> Answer:
    here, path = place.of(visit.request), visit.request.path.lstrip("/")
    method = "GET" if visit.request.method == "HEAD" else visit.request.method
    if method == "GET" and (answer := _open_to_all(visit, here, path)) is not None:
        return answer
    if method != "GET":
        asked.refuse_others(visit, here)
    if (method, path) == ("POST", "sign-out"):
        return sign_in.out(visit, here)
    found = [
        (route, parts) for route in ROUTES if (parts := route.pattern.fullmatch(path))
    ]
    if not found:
        raise NotFound("There is no such address here.")
    for route, parts in found:
        if route.method == method:
            answer = route.handle(visit, session.of(visit.request), *parts.groups())
            return (
                answer
                if answer.headers
                else Answer(answer.body, answer.status, pages.headers())
            )
    raise WrongMethod(tuple(route.method for route, _ in found))


def _open_to_all(visit: Visit, here: Place, path: str) -> Answer | None:
    """What needs nobody signed in; the page itself says what to do where nobody is."""
    if path in ("sw.js", "manifest.webmanifest"):
        return pages.root(visit.request, path)
    if path.startswith(_FILES):
        return pages.static(visit.request, path.removeprefix(_FILES))
    if path == "sign-in":
        return sign_in.begin(visit, here)
    if path == "back":
        return sign_in.back(visit, here)
    return _page(visit, here) if path == "" else None


def _page(visit: Visit, here: Place) -> Answer:
    if not _is_with_slash(visit, here):
        return Answer(None, 308, (("Location", here.path), *pages.headers()))
    try:
        person: Person = session.of(visit.request)
        if person.session:
            authority.worker(person)
        else:
            sign_in.behind_proxy(person)
    except NotSignedIn:
        return sign_in.door()
    except Refused as error:
        return sign_in.another_account(str(error))
    return pages.page(visit.request)


def _is_with_slash(visit: Visit, here: Place) -> bool:
    """The page's addresses are relative to its own, which must end in a slash."""
    called = str(
        visit.request.environ.get("RAW_URI")
        or visit.request.environ.get("REQUEST_URI")
        or "/"
    )
    return called.partition("?")[0].endswith("/") or here.path == "/"
