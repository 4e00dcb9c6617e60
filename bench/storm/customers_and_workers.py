"""Who takes part: customers who write, workers who come and go, conversations that fall asleep or are closed."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from bench.rows import inbox
from local import raw_http
from local.twilio import StandIn
from local.twilio.errors import ApiError
from proof.windows import Windows

RECEPTION, SALES, KEY, NEWS = (f"+1202555010{n}" for n in range(4))
WHATSAPP = f"whatsapp:{RECEPTION}"
NUMBERS = [RECEPTION, SALES, KEY, NEWS, WHATSAPP]
GREETING = "greeting"  # a template that WhatsApp has approved
_SHARES = [45, 25, 10, 3, 17]  # of a hundred conversations
_WORDS = ["STOP", "stop", "START", "HELP"]
_FIRST_WORDS = 0.03  # of the conversations begin with one of these
_LATER_WORDS = 0.2  # of the further messages are one of these
_LATE = 20  # customers on WhatsApp whose messages come after their window has closed
_LATE_BY = 25 * 3600.0  # seconds
_LATE_SINCE = timedelta(hours=26)
_FLIPS = 12.0  # changes of status per second
_ANSWERS = 12.0  # messages of workers per second
_WRITES = 4.0  # further messages of customers per second
_HAND_OVERS = 3.0  # in a worker's inbox, per second
_EDITS = 2.0  # of the queue's entries and of conversations' records, in the console, per second
_ENDINGS = (
    7.0  # conversations per second that are closed, fall asleep, wake up or are left
)


def worker(number: int) -> str:
    return f"worker{number:03}@example.com"


def customer(number: int) -> str:
    return f"+4477{number:08}"


def records(
    workers: int, conversations: int, rng: random.Random, greeting_sid: str
) -> dict[str, dict[str, Any]]:
    """What the database holds before the first customer writes."""
    made: dict[str, dict[str, Any]] = {
        "settings/routing": {
            "mode": "pool",
            "own_worker": "wait",
            "own_worker_wait": 8,
        },
        "pools/default": {"capacity": 3, "answer_within": 6, "unavailable_after": 3}
        | {
            "texts": {
                "queued": "Number {{Position}}, {{Wait}}.",
                "assigned": {"template": GREETING},
            }
        },
        "pools/sales": {"addresses": [SALES], "strategy": "least_busy", "capacity": 2}
        | {
            "answer_within": 9,
            "overflow": "default",
            "overflow_after": 5,
            "priority": 1,
        }
        | {
            "hours": {"daily": "closed"},
            "texts": {"away": "Closed.", "queued": "One moment."},
        },
        "pools/key": {"addresses": [KEY], "mode": "custom"},
        "pools/news": {"addresses": [NEWS], "mode": "none"},
        # The service has been running since before the messages of yesterday: its first sweep looks back an hour only.
        "service/sweep": {"listed_since": datetime.now(UTC) - _LATE_SINCE},
        f"templates/{GREETING}": {
            "content": "{{Author}} is here.",
            "content_sid": greeting_sid,
            "variables": {"1": "{{Author}}"},
        },
    }
    for number in range(workers):
        pools = rng.choice(
            [
                ["default"],
                ["default"],
                ["sales"],
                ["default", "sales"],
                ["sales", "key"],
            ]
        )
        made[f"workers/{worker(number)}"] = {"status": "Unavailable", "pools": pools}
        if number % 7 == 0:
            made[f"workers/{worker(number)}"]["capacity"] = rng.choice([1, 4])
    for number in range(0, conversations, 2):
        own = {"worker": worker(rng.randrange(workers))} if number % 4 == 0 else {}
        address = customer(number)
        made[f"customers/c{number}"] = {
            "display_name": f"Customer {number}",
            "addresses": [address],
            **own,
        }
    return made


class CustomersAndWorkers:
    """Seven threads: arrivals, more messages of customers, answers, status changes, hand-overs, edits, endings."""

    def __init__(
        self,
        twilio: StandIn,
        db: firestore.Client,
        inbox: str,
        workers: int,
        rng: random.Random,
    ) -> None:
        """`inbox`: its address, without a slash at its end."""
        self.twilio = twilio
        self.db = db
        self.inbox = inbox
        self.workers = workers
        self.began: dict[str, float] = {}  # when each conversation began, by its SID
        self.windows = Windows()
        self.handed_over = 0
        self.edited: set[str] = (
            set()
        )  # conversations in whose records somebody has written another worker
        self._rngs = [random.Random(rng.random()) for _ in range(7)]
        self._over = threading.Event()

    def begin(self, conversations: int, seconds: float) -> list[threading.Thread]:
        """All conversations arrive within so many seconds."""
        arrivals, flips, endings, answers, writes, edits, hand_overs = self._rngs
        threads = [
            threading.Thread(
                target=self._arrive,
                args=(conversations, seconds, arrivals),
                daemon=True,
            ),
            threading.Thread(
                target=self._often, args=(_FLIPS, self._flip, flips), daemon=True
            ),
            threading.Thread(
                target=self._often, args=(_ENDINGS, self._end, endings), daemon=True
            ),
            threading.Thread(
                target=self._often, args=(_ANSWERS, self._answer, answers), daemon=True
            ),
            threading.Thread(
                target=self._often, args=(_WRITES, self._write, writes), daemon=True
            ),
            threading.Thread(
                target=self._often,
                args=(_HAND_OVERS, self._hand_over, hand_overs),
                daemon=True,
            ),
            threading.Thread(
                target=self._often, args=(_EDITS, self._edit, edits), daemon=True
            ),
        ]
        for thread in threads:
            thread.start()
        return threads

    def stop(self) -> None:
        self._over.set()

    def _arrive(self, conversations: int, seconds: float, rng: random.Random) -> None:
        began = time.monotonic()
        for number in range(conversations):
            due = began + seconds * number / conversations
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            to = rng.choices(NUMBERS, _SHARES)[0]
            prefix = "whatsapp:" if to == WHATSAPP else ""
            text = rng.choice(_WORDS) if rng.random() < _FIRST_WORDS else "Hello"
            at = time.time()
            sid = self._customer_writes(prefix + customer(number), to, text)
            self.began[sid or ""] = at

    def write_a_day_ago(self) -> None:
        """Messages of yesterday whose webhooks come only now: these customers' windows are closed."""
        self.twilio.advance(-_LATE_BY)
        for number in range(_LATE):
            address = f"whatsapp:{customer(90_000_000 + number)}"
            self._customer_writes(address, WHATSAPP, "Hello", ago=_LATE_BY)
        self.twilio.advance(_LATE_BY)

    def _customer_writes(
        self, address: str, to: str, text: str, ago: float = 0.0
    ) -> str | None:
        at = datetime.now(UTC) - timedelta(seconds=ago)
        self.windows.customer_wrote(address, to, at)
        return self.twilio.inbound(address, to, text, wait=False).conversation_sid

    def _often(
        self,
        per_second: float,
        act: Callable[[random.Random], None],
        rng: random.Random,
    ) -> None:
        while not self._over.wait(rng.expovariate(per_second)):
            try:
                act(rng)
            except (ApiError, GoogleAPIError, OSError, http.client.HTTPException):
                continue  # refused: closed already, nobody there, no such entry any more; or killed over it

    def _flip(self, rng: random.Random) -> None:
        status = rng.choice(["Available", "Available", "Unavailable"])
        self.db.document(f"workers/{worker(rng.randrange(self.workers))}").update(
            {"status": status}
        )

    def _answer(self, rng: random.Random) -> None:
        if sid := self._alive(rng):
            inside = [
                one["identity"]
                for one in self.twilio.participants(sid)
                if one["identity"]
            ]
            if inside:
                self.twilio.worker_message(
                    sid, rng.choice(inside), "How can I help?", wait=False
                )

    def _write(self, rng: random.Random) -> None:
        """One more message, in a conversation that is there already."""
        if sid := self._alive(rng):
            bindings = [
                one["messaging_binding"] or {} for one in self.twilio.participants(sid)
            ]
            ends = [
                (one["address"], one["proxy_address"])
                for one in bindings
                if one.get("proxy_address")
            ]
            if ends:
                is_word = rng.random() < _LATER_WORDS
                text = rng.choice(_WORDS) if is_word else "Is anyone there?"
                self._customer_writes(*ends[0], text)

    def _hand_over(self, rng: random.Random) -> None:
        """To the queue, to a pool or to another worker, as the inbox's page asks for it."""
        if sid := self._alive(rng):
            inside = [
                one["identity"]
                for one in self.twilio.participants(sid)
                if one["identity"]
            ]
            pool, other = (
                rng.choice(["default", "sales"]),
                worker(rng.randrange(self.workers)),
            )
            asked = [
                {"to": "queue"},
                {"to": "pool", "pool": pool},
                {"to": "worker", "worker": other},
            ]
            if inside:
                cookie = inbox.cookie(rng.choice(inside))
                headers = [
                    ("Cookie", cookie),
                    ("X-Inbox", "1"),
                    ("Origin", self.inbox.rpartition("/")[0]),
                ]
                body = json.dumps(rng.choice(asked)).encode()
                answer = raw_http.send(
                    "POST", f"{self.inbox}/conversations/{sid}/hand-over", headers, body
                )
                self.handed_over += answer.status_code == 200

    def _edit(self, rng: random.Random) -> None:
        """In the console: another worker or nobody for a conversation, another pool or priority for who waits."""
        if rng.random() < 0.5:
            query = self.db.collection("conversations").where(
                filter=FieldFilter("state", "==", "assigned")
            )
            sids = sorted(one.id for one in query.select([]).stream())
            edit: dict[str, Any] = {
                "worker": rng.choice([None, worker(rng.randrange(self.workers))])
            }
            collection = "conversations"
        else:
            sids = sorted(
                one.id
                for one in self.db.collection("pending_conversations")
                .select([])
                .stream()
            )
            edit = rng.choice(
                [
                    {"priority": 1},
                    {"priority": 0},
                    {"pool": "default"},
                    {"pool": "sales"},
                ]
            )
            collection = "pending_conversations"
        if sids:
            sid = rng.choice(sids)
            self.edited |= {sid} if "worker" in edit else set()
            self.db.document(f"{collection}/{sid}").update(edit)

    def _alive(self, rng: random.Random) -> str | None:
        alive = [
            str(one["sid"])
            for one in self.twilio.conversations()
            if one["state"] != "closed"
        ]
        return rng.choice(alive) if alive else None

    def _end(self, rng: random.Random) -> None:
        """Whatever happens to a conversation: mostly one that a worker is in."""
        alive = [one for one in self.twilio.conversations() if one["state"] != "closed"]
        if not alive:
            return
        sid = rng.choice(alive)["sid"]
        inside = [
            one["identity"] for one in self.twilio.participants(sid) if one["identity"]
        ]
        dice = rng.random()
        if inside and dice < 0.10:
            self.twilio.worker_leave(sid, rng.choice(inside), wait=False)
        elif dice < 0.25:
            self.twilio.set_state(sid, rng.choice(["inactive", "active"]), wait=False)
        elif dice < 0.27:
            self.twilio.remove_conversation(sid, wait=False)
        elif inside or dice < 0.32:
            self.twilio.set_state(sid, "closed", wait=False)
