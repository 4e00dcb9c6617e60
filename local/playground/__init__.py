"""The page at / of the local run: customers' phones, the queue, each worker's inbox; every change is the real one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, jsonify, request, send_file
from werkzeug.exceptions import HTTPException

from local import callers
from local.playground.actions import Actions
from local.playground.given import ImpossibleError
from local.playground.snapshot import Snapshots
from local.twilio.errors import ApiError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from local.stack import Stack

_STATIC = Path(__file__).parent / "static"
_FUNCTIONS = Path(__file__).parents[2] / "functions"
_SHARED = {
    "theme.css": _FUNCTIONS / "static",
    "preact.js": _FUNCTIONS / "static",
    "panels.css": _FUNCTIONS / "wallboard" / "static",
    "icon.svg": _FUNCTIONS / "wallboard" / "static",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def pages(stack: Stack) -> Blueprint:
    """The page and what it asks for, as a blueprint for the gateway."""
    blueprint = Blueprint("playground", __name__)
    snapshots, actions = Snapshots(stack), Actions(stack)
    blueprint.before_request(_refuse_strangers)
    blueprint.after_request(_with_headers)

    @blueprint.get("/")
    def page() -> Response:
        return send_file(_STATIC / "index.html")

    @blueprint.get("/playground/static/<name>")
    def static(name: str) -> Response:
        folder = _SHARED.get(name, _STATIC)
        if name not in [path.name for path in folder.iterdir()]:
            abort(404)
        return send_file(folder / name, max_age=0)

    @blueprint.get("/playground/state")
    def state() -> Response:
        return jsonify({**snapshots.current(), "trouble": actions.trouble.active()})

    @blueprint.post("/playground/<action>")
    def act(action: str) -> ResponseReturnValue:
        return _answer(actions, action)

    return blueprint


def _answer(actions: Actions, action: str) -> ResponseReturnValue:
    """What came of one click; an error is a sentence for the person who clicked."""
    try:
        given = request.get_json()
        if not isinstance(given, Mapping):
            raise ImpossibleError("Send a JSON object.")
        told: Mapping[str, Any] = actions.do(action, given)
        return jsonify(told)
    except ImpossibleError as error:
        return jsonify(error=str(error)), 400
    except ApiError as error:
        return jsonify(error=f"Twilio answers {error.status}: {error.message}"), 400
    except HTTPException as error:
        return jsonify(error=str(error.description)), error.code or 500


def _refuse_strangers() -> None:
    """Another site that is open in the same browser must not steer this one, nor read it."""
    if callers.refusal(request.method, request.headers.get) is not None:
        abort(403)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in (
        "same-origin",
        "none",
    ):
        abort(403)


def _with_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
