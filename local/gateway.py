"""The one port in front: functions under their deployed names, the emulator's events, pages for people.

A tunnel may lead the internet to this port, and a page of another site may post to it. So only the functions that check
a signature answer everybody; everything else answers this machine alone.
"""

import http.client
import json
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Flask
from werkzeug.datastructures import EnvironHeaders
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from local import callers, raw_http
from local.servers import LocalServer
from local.triggers import Triggers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_FRAME = re.compile(r"(?P<prefix>/as/[^/?]+)/(?P<page>inbox|desk)(?=[/?]|$)")


class Gateway:
    """/NAME... goes to the functions process as it came, all else to `app`, where pages are mounted.

    /as/IDENTITY/inbox/... is the inbox, and /as/IDENTITY/desk/... the desk: the playground shows them for several
    people at once, and their cookies' paths keep them apart. What stands before it is taken off and handed on, as
    proxies do. `signed`: the functions that check a signature, and answer whatever the request's Host is.
    """

    def __init__(
        self,
        names: Iterable[str],
        functions_url: str,
        triggers: Triggers,
        signed: Iterable[str] = (),
    ) -> None:
        self.names = frozenset(names)
        self.signed = frozenset(signed)
        self.functions_url = functions_url
        self.app = Flask("gateway", static_folder=None)
        self.app.register_blueprint(triggers.blueprint())
        self.server: LocalServer | None = None
        self.ahead = 0.0  # seconds by which the functions' clock is
        self._pages: WSGIApplication = self.app.wsgi_app

    def mount(self, pages: Blueprint) -> None:
        """Serve these pages too; before `start`."""
        self.app.register_blueprint(pages)

    def start(self, port: int) -> "Gateway":
        """Answer on this port from now on."""
        self.server = LocalServer(self, port).start()
        return self

    def stop(self) -> None:
        """Stop answering."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """WSGI, not Flask routes: those would redirect /crm//x, and Twilio follows no redirect of a POST."""
        name = environ.get("PATH_INFO", "").removeprefix("/").partition("/")[0]
        if name not in self.signed and (why := _refusal(environ)) is not None:
            return Response(
                json.dumps({"error": why}), 403, content_type="application/json"
            )(environ, start_response)
        frame = _FRAME.match(environ["RAW_URI"]) if name == "as" else None
        if name in self.names or (frame and frame["page"] in self.names):
            prefix = frame["prefix"] if frame else ""
            return self._forward(Request(environ), prefix)(environ, start_response)
        return self._pages(environ, start_response)

    def _forward(self, request: Request, prefix: str) -> Response:
        url = self.functions_url + request.environ["RAW_URI"].removeprefix(prefix)
        headers = [
            one
            for one in request.headers.items()
            if one[0].lower() != "x-forwarded-prefix"
        ]
        headers += [("X-Forwarded-Prefix", prefix)] if prefix else []
        try:
            answer = raw_http.send(request.method, url, headers, request.get_data())
            answer.headers.pop("Server", None)  # this server adds its own
            answer.headers["Date"] = http_date(time.time() + self.ahead)
            return answer
        except (OSError, http.client.HTTPException) as error:
            return Response(
                f"The functions do not answer: {error}\n",
                503,
                content_type="text/plain",
            )


def _refusal(environ: "WSGIEnvironment") -> str | None:
    return callers.refusal(environ["REQUEST_METHOD"], EnvironHeaders(environ).get)
