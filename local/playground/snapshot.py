"""Everything that the page shows, read from Firestore and from the stand-in, as one JSON object."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.customer import parse as parse_customer
from domain.fields import NO_LIMIT
from domain.pool import parse as parse_pool
from domain.rules import capacity_of
from domain.settings import parse as parse_settings
from domain.worker import parse as parse_worker
from local import sample_data
from local.sample_data import NUMBERS

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from local.stack import Stack

Json = dict[str, Any]
_KEPT = 0.3  # seconds: several open pages read once
_MOST = 60  # conversations shown, the newest


class Snapshots:
    """The current state, made anew at most a few times a second."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self._made = 0.0
        self._last: Json = {}
        self._client: Client | None = None

    def current(self) -> Json:
        with self._lock:
            if time.monotonic() - self._made > _KEPT:
                self._last, self._made = self._read(), time.monotonic()
            return self._last

    def _db(self) -> Client:
        if self._client is None:
            self._client = sample_data.client(
                self._stack.emulator.host, self._stack.options.project
            )
        return self._client

    def _read(self) -> Json:
        db = self._db()
        newest = (
            db.collection("conversations")
            .order_by("created_at", direction="DESCENDING")
            .limit(_MOST)
        )
        records = {one.id: one.to_dict() or {} for one in newest.stream()}
        pool_records = {
            one.id: one.to_dict() or {} for one in db.collection("pools").stream()
        }
        conversations, chats = self._conversations(records), self._chats()
        routing = db.document("settings/routing").get().to_dict() or {}
        zone = parse_settings("routing", routing).zone
        now = datetime.now(UTC) + timedelta(seconds=self._stack.ahead)
        return {
            "now": now.timestamp(),
            "clock": f"{now.astimezone(zone):%a %H:%M} {zone.key}",
            "ahead": self._stack.ahead,
            "project": self._stack.options.project,
            "standin": self._stack.standin is not None,
            "places": self._places(),
            "functions": self._stack.functions.alive,
            "sweep_every": self._stack.options.sweep_every,
            "numbers": _numbers(pool_records, routing),
            "settings": _settings(routing),
            "pools": [_pool(name, data) for name, data in sorted(pool_records.items())],
            "workers": self._workers(pool_records),
            "customers": self._customers(),
            "queue": self._queue(),
            "conversations": conversations,
            "chats": chats,
        }

    def _places(self) -> list[Json]:
        """Where the parts of the local run answer, for those who want to look behind the page."""
        standin = self._stack.standin
        found = [("Firestore emulator", self._stack.emulator.host)]
        found += [("Twilio stand-in", standin.url)] if standin else []
        found += [
            (
                "Functions",
                f"{self._stack.url}/NAME: {' '.join(f.name for f in self._stack.functions_list)}",
            )
        ]
        return [{"name": name, "at": at} for name, at in found]

    def _workers(self, pool_records: Mapping[str, Json]) -> list[Json]:
        parsed = {name: parse_pool(name, data) for name, data in pool_records.items()}
        found = [
            parse_worker(one.id, one.to_dict())
            for one in self._db().collection("workers").stream()
        ]
        switches = self._stack.standin.frontline_switches if self._stack.standin else {}
        return [
            {
                "identity": worker.identity,
                "name": worker.name,
                "available": worker.available,
                "pools": list(worker.pools or ()),
                "active": worker.active or 0,
                "capacity": _limit(capacity_of(worker, parsed)),
                "problem": worker.problem,
                "frontline": switches.get(worker.identity, False),
            }
            for worker in sorted(found, key=lambda worker: worker.name.casefold())
        ]

    def _customers(self) -> list[Json]:
        """Those who can be picked as the owner of a new phone."""
        found = (
            self._db()
            .collection("customers")
            .order_by("__name__")
            .limit(_MOST)
            .stream()
        )
        return [
            {
                "id": one.customer_id,
                "name": one.display_name,
                "addresses": list(one.addresses),
                "worker": one.worker,
                "priority": one.priority,
                "language": one.language,
                "problem": one.problem,
            }
            for one in (parse_customer(record.id, record.to_dict()) for record in found)
        ]

    def _queue(self) -> list[Json]:
        entries = [
            (one.id, one.to_dict() or {})
            for one in self._db().collection("pending_conversations").stream()
        ]
        entries.sort(
            key=lambda entry: (
                -entry[1].get("priority", 0),
                _seconds(entry[1].get("queued_at")) or 0,
            )
        )
        return [
            {
                "sid": sid,
                "pool": data.get("pool"),
                "for_worker": data.get("for_worker"),
                "since": _seconds(data.get("queued_at")),
            }
            for sid, data in entries
        ]

    def _conversations(self, records: Mapping[str, Json]) -> list[Json]:
        names = (
            "state",
            "mode",
            "pool",
            "worker",
            "others",
            "display_name",
            "address",
            "proxy_address",
            "waited",
            "outside_hours",
        )
        return [
            {
                "sid": sid,
                **{name: data.get(name) for name in names},
                "at": _seconds(data.get("created_at")),
                "log": [
                    {**line, "at": _seconds(line.get("at"))}
                    for line in data.get("log") or ()
                ],
            }
            for sid, data in records.items()
        ]

    def _chats(self) -> list[Json]:
        """What the phones show: conversations as Twilio has them."""
        standin = self._stack.standin
        if standin is None:
            return []
        found = []
        for one in reversed(standin.conversations()):
            bindings = [
                person["messaging_binding"] or {}
                for person in standin.participants(one["sid"])
            ]
            customer = next(
                (binding for binding in bindings if binding.get("address")), None
            )
            if customer is None:
                continue
            found.append(
                {
                    "sid": one["sid"],
                    "state": one["state"],
                    "from": customer["address"],
                    "to": customer.get("proxy_address"),
                    "messages": [
                        {
                            "author": message["author"],
                            "body": message["body"],
                            "at": message["date_created"],
                        }
                        for message in standin.messages(one["sid"])
                    ],
                }
            )
        return found[:_MOST]


def _numbers(pool_records: Mapping[str, Json], routing: Json) -> list[Json]:
    """The Twilio numbers that a phone may write to, each called after its pool."""
    default = parse_settings("routing", routing).default_pool
    owners = {
        address: name
        for name, data in pool_records.items()
        for address in data.get("addresses") or ()
    }
    found = []
    for number in dict.fromkeys((*NUMBERS, *owners)):
        pool_id = owners.get(number) or owners.get(number.rpartition(":")[2]) or default
        name = parse_pool(pool_id, pool_records.get(pool_id)).display_name
        found.append(
            {
                "address": number,
                "name": name,
                "channel": "whatsapp" if ":" in number else "sms",
            }
        )
    return found


def _settings(routing: Json) -> Json:
    parsed = parse_settings("routing", routing)
    return {
        "mode": parsed.mode,
        "default_pool": parsed.default_pool,
        "custom_fallback": parsed.custom_fallback,
        "own_worker": parsed.own_worker,
        "own_worker_wait": parsed.own_worker_wait,
        "create_customers": parsed.create_customers,
        "service_level_seconds": parsed.service_level_seconds,
        "time_zone": parsed.time_zone,
        "frontline_status": parsed.frontline_status,
        "problem": parsed.problem,
    }


def _pool(name: str, data: Json) -> Json:
    pool = parse_pool(name, data)
    return {
        "id": name,
        "display_name": pool.display_name,
        "addresses": list(pool.addresses),
        "capacity": _limit(pool.capacity),
    }


def _limit(capacity: float) -> int | None:
    return None if capacity == NO_LIMIT else int(capacity)


def _seconds(at: object) -> float | None:
    return at.timestamp() if isinstance(at, datetime) else None
