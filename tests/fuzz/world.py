"""A small ordinary world: two pools, their workers, customers in every state; and all that can be asked of it."""

from __future__ import annotations

import bisect
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client

from functions.http import session
from functions.inbox.page import PAGE
from local.raw_http import HttpAnswer
from local.triggers import Triggers
from local.twilio import StandIn
from providers import clock
from tests.core import forms, records
from tests.fuzz.odd_values import BRIM, MISSING, Odd
from tests.service import Apps, Service

# The odd pool and the default one are those whose records get odd values; the calm one is somebody else's.
ODD, CALM, DEFAULT = "odd", "calm", "default"
NUMBERS = {ODD: "+15550008888", CALM: "+15550007777", DEFAULT: "+15550009999"}
ANN, BEA, CAL, ZOE = (f"{name}@example.com" for name in ("ann", "bea", "cal", "zoe"))
ADA = "ada"
ADAS_ADDRESS = "+15550000001"
_ORDINARY: dict[str, dict[str, Any]] = {
    "settings/routing": {
        "mode": "pool",
        "default_pool": DEFAULT,
        "time_zone": "Europe/Berlin",
    },
    f"pools/{ODD}": {
        "display_name": "Sales",
        "addresses": [NUMBERS[ODD]],
        "capacity": 1,
        "hours": {"mon-fri": "00:00-24:00", "sat": "22:00-02:00"},
        "holidays": ["DE-BY"],
        "texts": {
            "queued": "{{Name}}: {{Position}}, {{Wait}}",
            "away": "{{Opens}}",
            "assigned": "{{Author}}",
        },
    },
    f"pools/{CALM}": {
        "display_name": "Support",
        "addresses": [NUMBERS[CALM]],
        "mode": "pool",
    },
    f"pools/{DEFAULT}": {"display_name": "Everybody", "mode": "custom"},
    f"workers/{ANN}": {"status": "Available", "pools": [ODD], "display_name": "Ann"},
    f"workers/{CAL}": {
        "status": "Unavailable",
        "pools": [ODD],
    },  # whose capacity only the pool says: so it is read
    f"workers/{ZOE}": {"status": "Unavailable", "pools": [CALM], "display_name": "Zoe"},
    f"customers/{ADA}": {
        "display_name": "Ada",
        "addresses": [ADAS_ADDRESS],
        "worker": ANN,
    },
    "customers/bob": {
        "display_name": "Bob",
        "addresses": ["+15550000002"],
        "worker": ANN,
    },
    "templates/hello": {
        "category": "Hello",
        "content": "Hello {{Name}}, {{Author}} here",
    },
    "templates/rest": {
        "content": "See {{customer.details.title}} at {{worker.display_name}}'s"
    },
}
_LARGEST = 50_000  # bytes that a record may have room for besides a million
_TOO_LARGE = re.compile(r"maximum entity size|is longer than 1048487 bytes")
_AWFUL = re.compile(
    r"failed unexpectedly|could not see to|stack_trace|left the conversation as it is"
    r"|repeated write conflicts|an event that cannot be read|an event about another|could not reach Firestore|Traceback"
)
_SLOW = re.compile(
    r"could not reach Firestore: (DeadlineExceeded|ServiceUnavailable|RetryError)"
)
SECRET = "3" * 32  # signs the inbox's cookies
_SHOWN = ("messages", "customer", "templates", "workers")
_PAGES = (
    *(
        "",
        "view=now",
        "view=today",
        "full=1",
        "view=data",
        "view=metrics",
        "view=metrics&format=prometheus",
    ),
    *(
        "view=log",
        "view=log&state=queued",
        f"view=log&worker={ANN}",
        "view=log&customer=Ada",
    ),
)


class World:
    """One project with a stand-in of its own, in which a morning has passed."""

    def __init__(self, service: Service, db: Client) -> None:
        self.service, self.db = service, db
        self.sids: dict[str, str] = {}
        self._people = 0

    def open(self) -> None:
        """Conversations in every state: `waiting` and `calm` are ordinary customers, the others get odd values."""
        for number in NUMBERS.values():
            self.service.standin.set_autocreate(number)
        batch = self.db.batch()
        for path, record in _ORDINARY.items():
            batch.set(self.db.document(path), record)
        batch.commit()
        self.service.settle()
        for state in ("closed", "inactive"):
            self.sids[state] = self.writes(ODD)
            self.service.standin.set_state(self.sids[state], state)
            self.service.settle()
        self.sids["assigned"] = self.writes(ODD, ADAS_ADDRESS)
        for name in ("queued", "waiting"):
            self.sids[name] = self.writes(ODD)
        self.sids["calm"] = self.writes(CALM)
        self.sweep()

    def writes(self, pool: str, address: str | None = None) -> str:
        """A customer, a new one unless the address says who, writes to this pool's number."""
        self._people += 1
        address = address or f"+1555001{self._people:04}"
        sid = self.service.standin.inbound(
            address, NUMBERS[pool], "Hello"
        ).conversation_sid
        assert sid is not None
        self.service.settle()
        return sid

    def put(self, path: str, name: str, odd: Odd) -> bool:
        """The odd value, into this field; `log.why` is that of a line of the log. False: there is no room for it."""
        name, _, key = name.partition(".")
        value = odd.make(self.db)
        if key:
            line = {"at": clock.now(), "what": "queued", "why": "x", key: value}
            value = [{k: v for k, v in line.items() if odd is not MISSING or k != key}]
        elif odd is BRIM:
            fits = bisect.bisect(
                range(_LARGEST),
                0,
                key=lambda more: not self._takes(path, name, value + "x" * more),
            )
            value += "x" * (fits - 1)
        return self._takes(path, name, value)

    def _takes(self, path: str, name: str, value: Any) -> bool:
        """Whether Firestore does: large values may be too large together, then there is no such record."""
        try:
            self.db.document(path).set({name: value}, merge=[name])  # type: ignore[arg-type] # too narrow a type
        except InvalidArgument as refused:
            if not _TOO_LARGE.search(str(refused)):
                raise
            return False
        return True

    def turns_available(self, identity: str) -> None:
        records.set_status(self.db, identity, "Available")
        self.service.settle()

    def starts_work(self, identity: str) -> None:
        """Somebody new with room for all who wait in the odd pool."""
        records.worker(self.db, identity, pools=[ODD], capacity=9)
        self.service.settle()

    def state(self, name: str) -> Any:
        return records.conversation(self.db, self.sids.get(name, name)).get("state")

    def had_a_worker(self, name: str) -> bool:
        """Whether a worker has it, or has let its customer wait for longer than an odd pool allows."""
        log = records.conversation(self.db, self.sids[name]).get("log") or ()
        return any(line["what"] == "assigned" for line in log)

    def sweep(self) -> dict[str, Any]:
        answer = self.post("sweep", signed=False)
        swept: dict[str, Any] = json.loads(answer.data)
        assert "failed" not in swept, f"the sweep says that it failed: {swept}"
        self.service.settle()
        return swept

    def post(
        self, function: str, form: Mapping[str, str] = {}, **how: Any
    ) -> HttpAnswer:
        answer = self.service.post(function, dict(form), **how)
        assert answer.status_code < 500, (
            f"{function} answered {answer.status_code} to {dict(form)} {how}"
        )
        return answer

    def look(self) -> None:
        """Every page, and every list that a worker's app asks for; they change nothing."""
        for query in (
            *_PAGES,
            *(f"view=conversation&sid={sid}" for sid in self.sids.values()),
        ):
            self.post("wallboard", signed=False, method="GET", query=query)
        search = {"customer": "Ada", "worker": ANN}
        self.post("wallboard", search, signed=False, query="view=log")
        ours = {"Worker": ANN, "CustomerId": ADA}
        proxy = {
            "Location": "GetProxyAddress",
            "ChannelType": "sms",
            "ChannelValue": ADAS_ADDRESS,
        }
        listed = {"Location": "GetCustomersList", "PageSize": "10"}
        signed_in = {"Cookie": f"inbox={session.sealed(PAGE, SECRET, ANN, ANN)}"}
        mine = (
            f"conversations/{self.sids[name]}/{what}"
            for name in ("assigned", "closed")
            for what in _SHOWN
        )
        from_the_page = signed_in | {"X-Inbox": "1", "Origin": self.service.base_url}
        self.post("inbox", signed=False, path="/customers", headers=from_the_page)
        for path in ("/", "/state", *(f"/{one}" for one in mine)):
            self.post("inbox", signed=False, method="GET", path=path, headers=signed_in)
        self.post("crm", ours | listed)
        self.post("crm", ours | listed | {"Query": "Ad"})
        self.post("crm", ours | listed | {"Query": "Ad 555"})
        self.post("crm", ours | listed | {"Anchor": ADA})
        self.post("crm", ours | {"Location": "GetCustomerDetailsByCustomerId"})
        self.post("templates", ours | {"Location": "GetTemplatesByCustomerId"})
        self.post("outgoing_conversation", ours | proxy)
        self.post("pre_event", forms.conversation_add(ADAS_ADDRESS))

    def tell_again(self) -> None:
        """What Twilio told before, and what happens next, of each conversation that may be odd."""
        for name in ("assigned", "queued", "inactive", "closed"):
            sid = self.sids[name]
            binding = {"MessagingBinding.ProxyAddress": NUMBERS[ODD]}
            self.post("routing", forms.routed(sid, ADAS_ADDRESS, **binding))
            for form in (
                forms.conversation_added(sid, ADAS_ADDRESS, **binding),
                forms.participant("onParticipantAdded", sid),
                forms.participant("onParticipantAdded", sid, ANN),
                forms.state(sid, "inactive", "active", clock.now().isoformat()),
                forms.state(sid, "active", "inactive", clock.now().isoformat()),
                forms.message(
                    sid, 40, ADAS_ADDRESS, DateCreated=clock.now().isoformat()
                ),
                forms.message(sid, 41, ANN, DateCreated=clock.now().isoformat()),
                forms.message(sid, 42, ADAS_ADDRESS),
                forms.delivery(sid, forms.sid("IM"), "failed", "63016"),
            ):
                self.post("post_event", form)
        self.post(
            "post_event",
            {"EventType": "onUserAdded", "Identity": ANN, "FriendlyName": "Ann"},
        )
        self.service.settle()

    def end(self) -> None:
        """The workers leave, and each of them ends."""
        for name in ("assigned", "queued", "inactive"):
            sid = self.sids[name]
            for form in (
                forms.participant("onParticipantRemoved", sid, ANN),
                forms.state(sid, "inactive", "active", clock.now().isoformat()),
                forms.state(sid, "active", "closed", clock.now().isoformat()),
                {"EventType": "onConversationRemoved", "ConversationSid": sid},
            ):
                self.post("post_event", form)
        self.service.settle()

    def failed_deliveries(self) -> list[str]:
        found = [
            d
            for d in self.service.triggers.deliveries
            if d.event.project == self.service.project
        ]
        return [
            f"{d.event.trigger} on {d.event.document}: {d.status}"
            for d in found
            if d.status >= 300
        ]


def awful(lines: str) -> list[str]:
    """Log lines that say that something of ours failed."""
    return [
        line
        for line in lines.splitlines()
        if _AWFUL.search(line) and not _SLOW.search(line)
    ]


@contextmanager
def world(apps: Apps, triggers: Triggers) -> Iterator[World]:
    """A fresh one, which the environment names; for a test of many, since fixtures are made once."""
    project = f"demo-{secrets.token_hex(6)}"
    host = triggers.emulator.host
    with pytest.MonkeyPatch.context() as patch:
        twilio = StandIn(
            account_sid=f"AC{secrets.token_hex(16)}",
            auth_token=secrets.token_hex(16),
            port=0,
        )
        for name, value in {
            "GOOGLE_CLOUD_PROJECT": project,
            "FIRESTORE_EMULATOR_HOST": host,
            "TWILIO_ACCOUNT_SID": twilio.account_sid,
            "TWILIO_AUTH_TOKEN": twilio.auth_token,
            "TWILIO_API_BASE_URL": twilio.url,
            "WEBHOOK_BASE_URL": apps.server.url,
            "INBOX_SECRET": SECRET,
        }.items():
            patch.setitem(os.environ, name, value)
        db = Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # untyped
        with twilio, Service(apps, triggers, project, db, twilio) as service:
            try:
                small = World(service, db)
                small.open()
                yield small
            finally:
                clock.shift(0)
                with suppress(
                    TimeoutError
                ):  # what is under way after a failure must not reach the next one
                    service.settle()
        triggers.emulator.clear(project)
        db.close()  # type: ignore[no-untyped-call] # untyped
