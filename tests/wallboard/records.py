"""A day of conversations as the service writes them, and its figures worked out from the documents alone."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import firestore

from assignment import ledger
from domain.conversation import Conversation

NAMES = ("Ada Byron", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov")


def sid(number: int) -> str:
    return f"CH{number:032x}"


def a_day(count: int, seed: int = 1) -> list[Conversation]:
    """Conversations of today and of the two days before, in every state, of all three ways to route."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    passed = (
        now - now.replace(hour=0, minute=0, second=0, microsecond=0)
    ).total_seconds()
    found = []
    for number in range(count):
        age = chance.uniform(0, 86_400 * 2) if number % 2 else chance.uniform(0, passed)
        found.append(_one(number, now - timedelta(seconds=age), chance))
    return found


def _one(number: int, at: datetime, chance: random.Random) -> Conversation:
    mode = chance.choice(["pool", "pool", "custom", "none"])
    answered = mode != "none" and chance.random() < 0.85
    state = chance.choice(
        ["assigned", "closed", "inactive"] if answered else ["queued", "closed"]
    )
    if mode == "none":
        state = chance.choice(["unrouted", "closed"])
    return Conversation(
        sid(number),
        state=state,
        mode=mode,
        pool=chance.choice(["default", "sales"]),
        worker=chance.choice(["alice@example.com", "bob@example.com"])
        if answered
        else None,
        customer_id=f"c-{chance.randrange(9)}",
        display_name=chance.choice(NAMES),
        address=f"+4477009{chance.randrange(10**5):05d}",
        created_at=at,
        queued_at=at,
        waited=round(chance.expovariate(1 / 50), 3) if answered else None,
        outside_hours=number % 3 == 0,
        log=(
            {
                "at": at,
                "what": "queued",
                "why": "no one in Sales is Available; 3 Unavailable",
            },
        ),
    )


def load(db: firestore.Client, records: Sequence[Conversation]) -> None:
    """Writes them with the service's own writer."""
    db.document(
        "warm/up"
    ).get()  # an emulator that has just started takes longer than the service waits
    for one in records:
        ledger.move(Conversation(one.sid), one)


def since_midnight(db: firestore.Client) -> list[dict[str, Any]]:
    """Today's documents of conversations that were routed, read whole."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    documents = [one.to_dict() or {} for one in db.collection("conversations").stream()]
    return [
        d
        for d in documents
        if d["created_at"] >= midnight and d["mode"] in ("pool", "custom")
    ]
