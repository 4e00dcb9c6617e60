"""Every function of main.py in one process on one port, loaded by the real functions-framework."""

import ast
import http.client
import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import functions_framework
from flask import Flask
from functions_framework._http import create_server
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from functions.table import FUNCTIONS
from local import callers, raw_http
from local.ports import HOST, claim_port
from local.processes import Child
from providers import clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAIN = Path(__file__).parent.parent / "main.py"
CLOCK = "_clock"  # beside the functions, and not behind the gateway: POST a number of seconds that pass at once
AHEAD = "LOCAL_CLOCK_AHEAD"  # seconds that have passed so before this process began
_DOCUMENTS = {one.name: one.documents for one in FUNCTIONS if one.documents}
_KINDS = {"http": "http", "cloud_event": "cloudevent"}


@dataclass(frozen=True)
class Function:
    """One deployed function."""

    entry_point: str
    signature: str  # http or cloudevent

    @property
    def name(self) -> str:
        """Its deployed name, without a prefix."""
        return self.entry_point.replace("_", "-")


def listed(source: Path = MAIN) -> list[Function]:
    """The functions that main.py defines, in its order: those that functions-framework's decorators mark."""
    functions = []
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            kinds = [
                _KINDS[name]
                for name in map(_decorator, node.decorator_list)
                if name in _KINDS
            ]
            functions += [Function(node.name, kind) for kind in kinds]
    return functions


def signed() -> list[str]:
    """Return the deployed names of the functions that Twilio calls, which check its signature."""
    return [one.name.replace("_", "-") for one in FUNCTIONS if one.caller == "twilio"]


def pattern_of(function: Function) -> str:
    """Which documents wake this function; raises KeyError for one that is in no table."""
    return _DOCUMENTS[function.entry_point]


def _decorator(node: ast.expr) -> str:
    """`http` for @functions_framework.http."""
    return node.attr if isinstance(node, ast.Attribute) else ""


def load(function: Function, source: Path = MAIN) -> Flask:
    """One function's application, from the loader that also runs when deployed."""
    app: Flask = functions_framework.create_app(  # type: ignore[no-untyped-call] # no signature of its own
        function.entry_point, str(source), function.signature
    )
    for leaked in ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"):
        os.environ.pop(leaked, None)  # set by the loader, and taken for the next one's
    return app


class Dispatcher:
    """/NAME/rest to the application NAME, which sees /rest, as behind Google's front end."""

    def __init__(self, apps: "dict[str, WSGIApplication]") -> None:
        self.apps = apps

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Any:
        name, _, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        app = self.apps.get(name)
        if app is None:
            return NotFound(f"There is no function {name!r}.")(environ, start_response)
        environ = {
            **environ,
            "PATH_INFO": f"/{rest}",
            "SCRIPT_NAME": f"{environ.get('SCRIPT_NAME', '')}/{name}",
        }
        return app(environ, start_response)


def all_in_one(source: Path = MAIN) -> Flask:
    """A Flask application (create_server tells by the type which server to use) with every function in it."""
    root = Flask("functions")
    apps = {function.name: load(function, source) for function in listed(source)}
    root.wsgi_app = Dispatcher({**apps, CLOCK: _let_pass})  # type: ignore[method-assign] # the way Flask documents
    return root


@Request.application
def _let_pass(request: Request) -> Response:
    if (why := callers.refusal(request.method, request.headers.get)) is not None:
        return Response(why, 403, content_type="text/plain")
    clock.shift(float(request.get_data()), sleeps=True)
    return Response(status=204)


def child(
    entry_point: str,
    port: int,
    env: Mapping[str, str] | None = None,
    source: Path = MAIN,
    log: Path | None = None,
) -> Child:
    """One function alone, by the command that also runs it when deployed; not started yet."""
    cli = Path(sys.executable).parent / "functions-framework"
    where: list[str | Path] = [
        "--source",
        source,
        "--target",
        entry_point,
        "--host",
        HOST,
        "--port",
        str(port),
    ]
    url = f"http://{HOST}:{port}/robots.txt"  # which the framework answers without calling the function
    return Child(
        [cli, *where],
        name=entry_point,
        env=env,
        cwd=source.parent,
        log=log,
        ready=lambda: answers(url),
    )


def answers(url: str) -> bool:
    """Whether anybody answers there, whatever the answer."""
    try:
        return raw_http.send("GET", url, timeout=0.5).status_code > 0
    except (OSError, http.client.HTTPException):
        return False


def import_sdks() -> None:
    """The SDKs, which the functions load on first use: here the first customer need not wait for them."""
    for module in (
        "google.cloud.firestore",
        "google.events.cloud.firestore",
        "twilio.rest",
    ):
        importlib.import_module(module)


def serve(port: int, source: Path = MAIN) -> None:
    """Serve all of them until a signal ends the process."""
    port = claim_port(port, "the functions")
    app = all_in_one(source)
    import_sdks()
    clock.shift(float(os.environ.get(AHEAD, 0)), sleeps=True)
    print(f"{len(listed(source))} functions at http://{HOST}:{port}/NAME", flush=True)
    server = create_server(app, debug=False, keepalive=75)  # type: ignore[no-untyped-call] # has no types
    server.run(HOST, port)
