"""Finds the handler of an address of a page where workers sign in, and answers what all such pages have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from flask import Request
from werkzeug import exceptions
from werkzeug.routing import Map, Rule

from functions.http import base_url, page_kit, requests, session, sign_in
from functions.http.answers import Answer, NotFound, NotSignedIn, Refused, WrongMethod
from functions.http.page import Page
from functions.http.webhook import Visit

# Not static/: the functions framework has a route of that name, which answers 404.
_FILES = "files/<path:name>"


class Route(NamedTuple):
    """An address below the page's own, as a rule of werkzeug.routing.

    A route for a signed-in worker calls `handle(visit, person, **parts)`, an open one `handle(visit, **parts)`.
    """

    method: str
    path: str
    handle: Callable[..., Answer]
    is_open: bool = False


class Router:
    """The addresses of one page: `routes`, its files, its sign-in and the page itself."""

    def __init__(self, page: Page, routes: Iterable[Route]) -> None:
        self._page = page
        rules = [
            Rule(f"/{route.path}", methods=[route.method], endpoint=route)
            for route in (*routes, *self._common())
        ]
        self._map = Map(rules, merge_slashes=False).bind("")

    def answer(self, visit: Visit) -> Answer:
        """Raise NotFound or WrongMethod for an address without a handler, Refused for a change of another site."""
        request = visit.request
        if request.method not in ("GET", "HEAD"):
            requests.refuse_others(self._page, visit)
        route, parts = self._match(request)
        if route.is_open:
            return route.handle(visit, **parts)
        person = session.of(self._page, request)
        answer = route.handle(visit, person, **parts)
        if answer.headers:
            return answer
        return Answer(answer.body, answer.status, page_kit.headers())

    def _match(self, request: Request) -> tuple[Route, dict[str, Any]]:
        """Return the route and the values of its placeholders. Raises NotFound and WrongMethod."""
        try:
            route, parts = self._map.match(request.path, request.method)
        except exceptions.NotFound:
            raise NotFound("There is no such address here.") from None
        except exceptions.MethodNotAllowed as error:
            methods = set(error.valid_methods or ()) - {"HEAD"}
            raise WrongMethod(tuple(sorted(methods))) from None
        return route, dict(parts)

    def _common(self) -> tuple[Route, ...]:
        """Return the addresses that every page with a sign-in has; all are open to visitors."""
        page = self._page

        def root_file(visit: Visit) -> Answer:
            return page_kit.root(page, visit.request, visit.request.path.strip("/"))

        return (
            Route("GET", "", self._whole_page, is_open=True),
            Route("GET", "sw.js", root_file, is_open=True),
            Route("GET", "manifest.webmanifest", root_file, is_open=True),
            Route(
                "GET",
                _FILES,
                lambda visit, name: page_kit.static(page, visit.request, name),
                is_open=True,
            ),
            Route(
                "GET", "sign-in", lambda visit: sign_in.begin(page, visit), is_open=True
            ),
            Route("GET", "back", lambda visit: sign_in.back(page, visit), is_open=True),
            Route(
                "POST", "sign-out", lambda visit: sign_in.out(page, visit), is_open=True
            ),
        )

    def _whole_page(self, visit: Visit) -> Answer:
        """The page itself; without a session it says how to sign in."""
        page, request = self._page, visit.request
        path = base_url.of(page, request).path
        if not _ends_in_slash(request) and path != "/":
            return Answer(None, 308, (("Location", path), *page_kit.headers()))
        try:
            person = session.of(page, request)
            if person.session:
                session.worker(page, person)
            else:
                sign_in.behind_proxy(page, person)
        except NotSignedIn:
            return sign_in.door(page)
        except Refused as error:
            return sign_in.another_account(page, str(error))
        return page_kit.rendered(page, "page.html")


def _ends_in_slash(request: Request) -> bool:
    """The page's links are relative to its own address, which must end in a slash."""
    environ = request.environ
    called = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
    return str(called).partition("?")[0].endswith("/")
