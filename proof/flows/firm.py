"""A small firm for the flows: the emulator, the stand-in, and every function through the real loader.

Nothing but the `local` package of the checkout that is looked at is used, so that older ones can be played, too.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from flask import Flask
from flask.testing import FlaskClient
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from werkzeug.wrappers import Request, Response

from local import functions
from local.emulator import Emulator
from local.servers import LocalServer
from local.triggers import Event, Triggers
from local.twilio import StandIn

_PATIENCE = 30.0  # seconds
SALES, SUPPORT, SERVICE, QUIET = (
    f"+1555000700{n}" for n in range(4)
)  # Twilio numbers, a pool each
PLAYED = ("post_event", "worker_available", "sweep")
ADDED, LEFT, STATE = (
    "onConversationAdded",
    "onParticipantRemoved",
    "onConversationStateUpdated",
)

RECORDS: dict[str, dict[str, Any]] = {
    "settings/routing": {"mode": "pool"},
    "pools/default": {},
    "pools/sales": {"addresses": [SALES]},
    "pools/support": {"addresses": [SUPPORT]},
    "pools/service": {"addresses": [SERVICE]},
    "pools/quiet": {"addresses": [QUIET]},
    "customers/ada": {"display_name": "Ada Byron", "addresses": ["+15550000001"]},
    "workers/sales@example.com": {"status": "Available", "pools": ["sales"]},
    "workers/support@example.com": {"status": "Unavailable", "pools": ["support"]},
    "workers/service@example.com": {"status": "Available", "pools": ["service"]},
    "workers/relief@example.com": {"status": "Available", "pools": ["service"]},
    "workers/quiet@example.com": {"status": "Unavailable", "pools": ["quiet"]},
}


class Firm:
    """The emulator, the stand-in and the functions; what these send is kept until a flow delivers it."""

    def __init__(self) -> None:
        self.events: queue.Queue[Event] = queue.Queue()
        self.webhooks: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.triggers = Triggers()
        receiver = Flask("triggers")
        receiver.register_blueprint(self.triggers.blueprint())
        self._receiver, self._mailbox = LocalServer(receiver), LocalServer(self._kept)
        self.emulator = Emulator(functions_port=self._receiver.port, own=True)
        self.twilio = StandIn(
            account_sid=f"AC{secrets.token_hex(16)}", auth_token=secrets.token_hex(16)
        )
        self.project = f"demo-flows-{secrets.token_hex(4)}"
        self._writers = 0

    @contextlib.contextmanager
    def open(self) -> Iterator[Firm]:
        """All of it started, and ended in the end."""
        self._receiver.start()
        self._mailbox.start()
        self.twilio.start()
        try:
            self.triggers.connect(self.emulator.start())
            self._prepare()
            yield self
        finally:
            self.triggers.close()
            self.twilio.stop()
            self.emulator.stop()
            self._mailbox.stop()
            self._receiver.stop()

    def _prepare(self) -> None:
        os.environ |= {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "FIRESTORE_EMULATOR_HOST": self.emulator.host,
            "WEBHOOK_BASE_URL": self._mailbox.url,
            "TWILIO_ACCOUNT_SID": self.twilio.account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio.auth_token,
            "TWILIO_API_BASE_URL": self.twilio.url,
        }
        self.twilio.configure_webhooks(
            post_url=f"{self._mailbox.url}/post-event", filters=[ADDED, LEFT, STATE]
        )
        for number in (SALES, SUPPORT, SERVICE, QUIET):
            self.twilio.set_autocreate(number)
        wanted = [one for one in functions.listed() if one.entry_point in PLAYED]
        self.functions = {one.entry_point: functions.load(one) for one in wanted}
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call] # untyped
        self.db = firestore.Client(project=self.project, credentials=credentials)
        self.triggers.attach(
            self.project, "worker_available", "workers/{identity}", self._happened
        )
        for path, record in RECORDS.items():
            self.db.document(path).set(record)
        self.deliver_events()  # each worker's record is completed, as at any first write

    def _happened(self, event: Event) -> int:
        self.events.put(event)
        return 200

    def _kept(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.webhooks.put(
            (dict(request.headers), request.get_data(parse_form_data=False))
        )
        return Response(status=200)(environ, start_response)

    def deliver_events(self) -> None:
        """Until no event follows from another one."""
        self.triggers.drain(self.project, _PATIENCE)
        while not self.events.empty():
            self.post("worker_available", self.events.get())
            self.triggers.drain(self.project, _PATIENCE)

    def event(self) -> Event:
        """The next event of a worker's record."""
        return self.events.get(timeout=_PATIENCE)

    def write(self, number: str) -> str:
        """A customer who has never written before writes; returns the conversation's sid."""
        self._writers += 1
        written = self.twilio.inbound(
            from_=f"+1555777{self._writers:04}", to=number, body="Hello"
        )
        return str(written.conversation_sid)

    def webhook(self, kind: str, **having: str) -> Callable[[], None]:
        """The latest webhook of this kind that Twilio has sent, to be delivered; all earlier ones are forgotten."""
        if not self.twilio.settle(_PATIENCE):
            raise RuntimeError("Twilio's webhooks are still on their way.")
        found = None
        while not self.webhooks.empty():
            headers, body = self.webhooks.get()
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if having.items() | {("EventType", kind)} <= form.items():
                found = headers, body
        if found is None:
            raise RuntimeError(f"Twilio sent no {kind} with {having}.")
        headers, body = found
        wanted = {
            name: headers[name] for name in ("Content-Type", "X-Twilio-Signature")
        }
        return lambda: self._answered("post_event", headers=wanted, data=body)

    def post(self, function: str, event: Event) -> None:
        self._answered(function, headers=event.headers, data=event.body)

    def sweep(self) -> None:
        self._answered("sweep")

    def _answered(self, function: str, **request: Any) -> None:
        client: FlaskClient = self.functions[function].test_client()
        answer = client.post("/", **request)
        if answer.status_code not in (200, 204):
            raise RuntimeError(
                f"{function} answered {answer.status_code}: {answer.text}"
            )

    def holder(self, conversation: str) -> str:
        record = self.db.document(f"conversations/{conversation}").get().to_dict() or {}
        return (
            str(record.get("worker"))
            if record.get("state") == "assigned"
            else str(record.get("state"))
        )

    def check(self, conversation: str, holder: str) -> None:
        """Raises RuntimeError unless the flow had this outcome, for then something else was recorded."""
        if (found := self.holder(conversation)) != holder:
            raise RuntimeError(f"The conversation is {found}'s instead of {holder}'s.")
