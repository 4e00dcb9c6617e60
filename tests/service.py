"""The whole service for a test: every function on a real port, the emulator's events, the stand-in."""

import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from google.cloud import firestore
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from local import functions, raw_http
from local.functions import Dispatcher
from local.servers import LocalServer
from local.triggers import Triggers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Flask

    from local.twilio import StandIn

Form = Mapping[str, str] | Iterable[tuple[str, str]]


class Apps:
    """Every function of main.py through the real loader, once per test process, on one port."""

    def __init__(self) -> None:
        self.by_name: dict[str, Flask] = {
            f.name: functions.load(f) for f in functions.listed()
        }
        functions.import_sdks()
        self.running = 0
        self._changed = threading.Condition()
        self._dispatcher = Dispatcher(dict(self.by_name))
        self.server = LocalServer(self._counted).start()

    def _counted(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Any:
        with self._changed:
            self.running += 1
        try:
            return self._dispatcher(environ, start_response)
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def wait_idle(self, timeout: float) -> None:
        """Wait until no function runs; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.running == 0, timeout):
                raise TimeoutError(
                    f"{self.running} requests are still being worked on."
                )

    def client(self, name: str) -> FlaskClient:
        """Flask's test client of one function; both spellings of its name will do."""
        return self.by_name[name.replace("_", "-")].test_client()


class Service:
    """One test's view of it: its own project, its own stand-in."""

    def __init__(
        self,
        apps: Apps,
        triggers: Triggers,
        project: str,
        db: firestore.Client,
        standin: "StandIn",
    ) -> None:
        self.apps = apps
        self.triggers = triggers
        self.project = project
        self.db = db
        self.standin = standin
        self.base_url = apps.server.url

    def __enter__(self) -> "Service":
        for function in functions.listed():
            if function.signature == "cloudevent":
                pattern, url = functions.pattern_of(function), self.url(function.name)
                self.triggers.attach(self.project, function.entry_point, pattern, url)
        self.standin.configure_webhooks(
            pre_url=self.url("pre_event"), post_url=self.url("post_event")
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing of this test may still run when the next one has set its own environment."""
        self.triggers.detach(self.project)
        self.standin.stop()
        self.apps.wait_idle(timeout=20)

    def url(self, name: str) -> str:
        """The public address of a function; both spellings of its name will do."""
        return f"{self.base_url}/{name.replace('_', '-')}"

    def client_for(self, name: str) -> FlaskClient:
        """Flask's test client of one function."""
        return self.apps.client(name)

    def post(
        self,
        name: str,
        form: Form = (),
        *,
        signed: bool = True,
        path: str = "",
        query: str = "",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> raw_http.HttpAnswer:
        """Send a webhook as Twilio does, over a real connection; `path` and `query` go out as given."""
        url = self.url(name) + path + (f"?{query}" if query else "")
        pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
        names = {field for field, _ in pairs}
        if (
            "EventType" in names and "AccountSid" not in names
        ):  # Conversations names it with every event
            pairs.append(("AccountSid", self.standin.account_sid))
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        if signed:
            sent.setdefault(
                "X-Twilio-Signature",
                signature(url, pairs, token or self.standin.auth_token),
            )
        return raw_http.send(
            method, url, list(sent.items()), urlencode(pairs).encode(), timeout=20
        )

    def settle(self, timeout: float = 15) -> None:
        """Wait until no webhook, no event and no function is under way; raises TimeoutError."""
        end = time.monotonic() + timeout
        self.triggers.drain(self.project, timeout)
        while True:
            events = self.triggers.count(self.project)
            if not self.standin.settle(max(0, end - time.monotonic())):
                raise TimeoutError("Twilio's webhooks are still on their way.")
            self.apps.wait_idle(max(0, end - time.monotonic()))
            self.triggers.drain(self.project, max(0, end - time.monotonic()))
            if self.triggers.count(self.project) == events:
                return


def signature(url: str, form: Form, token: str) -> str:
    """X-Twilio-Signature of a form sent to `url`, worked out by Twilio's own SDK."""
    params = MultiDict(form.items() if isinstance(form, Mapping) else form)
    return str(RequestValidator(token).compute_signature(url, params))
