"""GET wallboard: the queue, the workers, the waiting times and the log. It changes nothing.

The log's search is a POST, so that no name, number or e-mail address is in an address: Cloud Run's request log keeps
those (https://cloud.google.com/run/docs/logging).

Cloud Run takes the function's name off the path, and people open it without a slash at the end, so links are
relative to the page itself: ?view=log. A path such as /log or /metrics will do as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from flask import request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from werkzeug.datastructures import MultiDict

from functions.http.answers import Answer, NotFound, WrongMethod
from functions.wallboard import log_pages, metrics, overview, rendering
from functions.wallboard.refresh import Board, board

Args: TypeAlias = MultiDict[str, str]


def handle(path: str, args: Args) -> Answer:
    """Answer a request for one view. Raises NotFound for an unknown one, and BadInput for invalid filters."""
    view, _, rest = path.strip("/").partition("/")
    if "view" in args:
        view, rest = args["view"], args.get("sid", "")
    if request.method == "POST" and view != "log":
        raise WrongMethod(("GET", "HEAD"))
    if answer := rendering.static(view):
        return answer
    if view in ("conversation", "conversations"):
        return log_pages.story(board(), rest)
    if view not in _VIEWS:
        raise NotFound("Page not found: the wallboard has log, metrics and data.")
    return _VIEWS[view](board(), args)


def _metrics(shown: Board, args: Args) -> Answer:
    """Answer with JSON, or with text if ?format=prometheus or the Accept header asks for it, as Prometheus' does."""
    accepted = {kind.partition(";")[0] for kind in request.accept_mimetypes.values()}
    wants_text = "text/plain" in accepted and "application/json" not in accepted
    if args.get("format", "prometheus" if wants_text else "json") == "prometheus":
        return Answer(
            metrics.as_text(shown),
            headers=rendering.HEADERS,
            content_type=CONTENT_TYPE_PLAIN_0_0_4,
        )
    return _data(shown, args)


def _data(shown: Board, args: Args) -> Answer:
    return Answer(metrics.as_json(shown), headers=rendering.HEADERS)


_VIEWS: dict[str, Callable[[Board, Args], Answer]] = {
    "": overview.page,
    "now": overview.now_panels,
    "today": overview.today_panels,
    "log": log_pages.log,
    "data": _data,
    "metrics": _metrics,
}
