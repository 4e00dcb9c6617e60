"""What is on its way to the service, in the test's hand: it arrives when the test says so, again, or never."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask.testing import FlaskClient
from werkzeug.wrappers import Request, Response

from local.servers import LocalServer
from local.triggers import Behaviour, Event, Triggers
from proof import seam
from providers import clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


_ORDER = ("post-event", "routing", "worker-available", "conversation-written")


@dataclass(frozen=True)
class Parcel:
    """One webhook as Twilio signed it, or one event as Firestore sent it."""

    function: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    about: str

    @property
    def is_event(self) -> bool:
        return self.function not in ("post-event", "routing", "sweep")


SWEEP = Parcel("sweep", (), b"", "sweep")


class Network:
    """Takes what Twilio and Firestore send to one project, and keeps it until the test delivers it."""

    def __init__(self, client_for: Callable[[str], FlaskClient]) -> None:
        self.outstanding: list[Parcel] = []
        self.arrived: list[Parcel] = []
        self.failed: list[Parcel] = []
        self.is_down = False  # while it is, every webhook is lost
        self.patience = 30.0  # seconds that the caller waits; the functions' own limits are mostly shorter
        self._sorted = 0
        self._client_for = client_for
        self._server = LocalServer(self._receive)

    def start(self, triggers: Triggers, project: str) -> "Network":
        self._server.start()
        in_order = Behaviour(serial=True)
        triggers.attach(
            project, "worker_available", "workers/{identity}", self._keep, in_order
        )
        triggers.attach(
            project, "conversation_written", "conversations/{sid}", self._keep, in_order
        )
        return self

    def stop(self) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url

    def lose_webhooks(self) -> None:
        """Those on their way never arrive; Firestore's events do."""
        self.outstanding = [parcel for parcel in self.outstanding if parcel.is_event]
        self._sorted = len(self.outstanding)

    def take(self, number: int) -> Parcel | None:
        """One of those on their way, if any is."""
        if not self.outstanding:
            return None
        parcel = self.outstanding.pop(number % len(self.outstanding))
        self._sorted = min(self._sorted, len(self.outstanding))
        return parcel

    def deliver(self, parcel: Parcel) -> int:
        """Hands it to its function through the real loader; returns the status.

        An event that failed will come again, as Firestore does it; a webhook is gone, as with Twilio.
        """
        with clock.within(30.0 if parcel is SWEEP else self.patience):
            response = self._client_for(parcel.function).post(
                "/", data=parcel.body, headers=parcel.headers
            )
        if parcel.is_event and response.status_code >= 300:
            self.outstanding.append(parcel)
            self.failed.append(parcel)
        elif parcel is not SWEEP:
            self.arrived.append(parcel)
        return response.status_code

    def deliver_interrupted(
        self, parcel: Parcel, interruption: Callable[[str], None]
    ) -> bool:
        """The same, with `interruption` called before and after each step; returns whether it survived."""
        try:
            with seam.interrupted_by(interruption):
                self.deliver(parcel)
        except seam.Crash:
            if parcel.is_event:
                self.outstanding.append(parcel)
            elif parcel is not SWEEP:
                self.arrived.append(parcel)
            return False
        return True

    def sweep(self) -> dict[str, int]:
        """One run of the sweep; returns what it mended, per kind."""
        response = self._client_for("sweep").post("/")
        assert response.status_code == 200, response.get_data(as_text=True)
        mended: dict[str, int] = response.get_json()["mended"]
        return mended

    def put_in_order(self) -> None:
        """Which of two side by side came in first is chance: per step, webhooks before the routing callback."""
        new = self.outstanding[self._sorted :]
        self.outstanding[self._sorted :] = sorted(
            new, key=lambda p: _ORDER.index(p.function)
        )
        self._sorted = len(self.outstanding)

    def _keep(self, event: Event) -> int:
        headers = tuple(event.headers.items())
        self.outstanding.append(
            Parcel(event.trigger.replace("_", "-"), headers, event.body, event.document)
        )
        return 200

    def _receive(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterator[bytes]:
        request = Request(environ)
        body = request.get_data(parse_form_data=False)
        wanted = ("content-type", "x-twilio-signature")
        headers = tuple(
            (name, value) for name, value in request.headers if name.lower() in wanted
        )
        name = request.path.removeprefix("/")
        if self.is_down:
            yield from Response(status=503)(environ, start_response)
            return
        self.outstanding.append(Parcel(name, headers, body, _event_type(body)))
        yield from Response(status=200)(environ, start_response)


def at_step(
    number: int, act: Callable[[], None], where: str | None = None
) -> Callable[[str], None]:
    """An interruption that acts once: at the n-th point of all, or of those called `where`."""
    passed = 0

    def interruption(point: str) -> None:
        nonlocal passed
        passed += where in (None, point)
        if passed == number and where in (None, point):
            act()

    return interruption


def _event_type(body: bytes) -> str:
    pairs = dict(part.partition("=")[::2] for part in body.decode().split("&"))
    return pairs.get("EventType", "")
