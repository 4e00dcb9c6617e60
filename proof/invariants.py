"""The invariants of the contract that a final state can show, checked from outside: Firestore against Twilio.

Written from the contract alone: nothing of the service is imported. proof/replay.py checks those that only
the history shows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from google.cloud import firestore

from proof.contract import (
    HELD,
    Breach,
    Record,
    capacity,
    held_by,
    is_confirmed,
    is_for,
    is_free,
)
from proof.windows import Windows, outside_window, sent_at

_CHANNELS = ("+", "whatsapp:")
STOPS = frozenset(
    ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT")
)
LIFTS = frozenset(("START", "YES", "UNSTOP"))
RETURNS = 5  # in one wait; then a person has to assign it
JUST_NOW = timedelta(seconds=5)  # since the sweep before the check


@dataclass(frozen=True)
class World:
    """Everything that can be seen from outside once all is quiet. `twilio`: conversations with participants.

    `given`: per conversation the workers whom the service has put into it; `now`: the time as the service has it.
    `dismissed`: workers whose record was deleted at some time; their messages may have been heard before or after that.
    `windows`: when customers wrote; None: the 24 hours are not checked. `under_way`: how long a text may already have
    been on its way when the customer's opt-out word arrived.
    """

    conversations: Mapping[str, Record]
    pending: Mapping[str, Record]
    workers: Mapping[str, Record]
    pools: Mapping[str, Record]
    twilio: Mapping[str, Record]
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    dismissed: frozenset[str] = frozenset()
    windows: Windows | None = None
    under_way: timedelta = timedelta(0)


def observe(
    db: firestore.Client,
    twilio: Iterable[Record],
    requests: Iterable[Record],
    by_hand: Iterable[tuple[str, str]] = (),
    now: datetime | None = None,
    dismissed: Iterable[str] = (),
    windows: Windows | None = None,
    under_way: timedelta = timedelta(0),
) -> World:
    """`requests`: every REST call with its status (None: acted, answer lost); `by_hand`: who joined otherwise."""
    given: dict[str, set[str]] = {}
    for one in requests:
        sid, identity = added(one)
        if identity and (sid, identity) not in set(by_hand):
            given.setdefault(sid, set()).add(identity)
    return World(
        conversations=_collection(db, "conversations"),
        pending=_collection(db, "pending_conversations"),
        workers=_collection(db, "workers"),
        pools=_collection(db, "pools"),
        twilio={one["sid"]: one for one in twilio},
        given={sid: frozenset(workers) for sid, workers in given.items()},
        now=now or datetime.now(UTC),
        dismissed=frozenset(dismissed),
        windows=windows,
        under_way=under_way,
    )


def broken(world: World) -> list[Breach]:
    """Every breach of invariants 1, 2, 3, 4, 6, 9, 10 and 12."""
    checks = (
        *(
            lost,
            doubled,
            torn,
            miscounted,
            stuck,
            overdue,
            misheard,
            forgotten,
            repeated,
        ),
        *(unwanted, unconfirmed, uninvited),
    )
    return [breach for check in checks for breach in check(world)]


def uninvited(world: World) -> Iterator[Breach]:
    """10: no free text outside WhatsApp's and Messenger's 24 hours."""
    return outside_window(world.twilio, world.windows)


def lost(world: World) -> Iterator[Breach]:
    """1: each conversation that a customer began is queued, or with its worker, or closed, or not to be routed."""
    for sid, at_twilio in world.twilio.items():
        if not any(_address(one) for one in at_twilio["participants"]):
            continue
        record = world.conversations.get(sid)
        if why := _astray(at_twilio, record):
            yield Breach(1, "lost", sid, why)
    for sid, record in world.conversations.items():
        if sid not in world.twilio and record["state"] in ("queued", *HELD):
            yield Breach(
                1, "lost", sid, f"is {record['state']}, but Twilio has deleted it"
            )


def _astray(at_twilio: Record, record: Record | None) -> str | None:
    """What is wrong with the record of a conversation that Twilio has."""
    state = at_twilio["state"]
    if state == "closed":
        over = record is None or record["state"] in ("closed", "inactive", "unrouted")
        return None if over else f"is {(record or {})['state']}, but closed at Twilio"
    if record is None:
        return f"is {state} at Twilio and has no record"
    now = record["state"]
    if now == "assigned":
        if state == "inactive":
            return "is assigned, but inactive at Twilio"
        inside = {one["identity"] for one in at_twilio["participants"]}
        return (
            None
            if record["worker"] in inside
            else f"is {record['worker']}'s, who is not in it"
        )
    messages = at_twilio.get("messages") or []
    if now == "unrouted":
        if record.get("left_out"):
            return (
                None
                if is_only_an_opt_out(messages)
                else "has more than opt-out words, and was not routed"
            )
        meant = record.get("mode") == "none" or (
            record.get("starting") and state == "initializing"
        )
        return None if meant else "was not routed"
    if (
        now == "queued"
        and record.get("mode") == "pool"
        and is_only_an_opt_out(messages)
    ):
        return "has only opt-out words, and waits in the queue"
    right = now == "queued" or (now == "inactive" and state == "inactive")
    return None if right else f"is {now}, but {state} at Twilio"


def doubled(world: World) -> Iterator[Breach]:
    """2: of the workers whom the service gave it to, at most one is in it."""
    for sid, at_twilio in world.twilio.items():
        inside = {one["identity"] for one in at_twilio["participants"]}
        both = inside & world.given.get(sid, frozenset())
        if len(both) > 1:
            yield Breach(2, "doubled", sid, f"was given to {', '.join(sorted(both))}")


def torn(world: World) -> Iterator[Breach]:
    """3: an entry in the queue exactly for what is queued, and for the same pool."""
    queued = {
        sid
        for sid, record in world.conversations.items()
        if record["state"] == "queued"
    }
    for sid in queued - set(world.pending):
        yield Breach(3, "torn", sid, "is queued, but not in the queue")
    for sid in set(world.pending) - queued:
        state = world.conversations.get(sid, {}).get("state", "unknown")
        yield Breach(3, "torn", sid, f"is in the queue, but {state}")
    for sid in queued & set(world.pending):
        record, entry = world.conversations[sid], world.pending[sid]
        if entry.get("for_worker") != record.get("for_worker"):
            yield Breach(
                3, "torn", sid, "waits for another worker in the queue than in the log"
            )
        elif bool(entry.get("needs_person")) != (record.get("returns", 0) >= RETURNS):
            yield Breach(3, "torn", sid, "needs a person in the queue or the log only")
        elif _has_pool(entry) and record["pool"] != entry["pool"]:
            yield Breach(3, "torn", sid, "waits in the queue of another pool")


def _has_pool(entry: Record) -> bool:
    """One for a single worker has no pool, nor has one that needs a person: no worker finds it by a pool."""
    return not (entry.get("for_worker") or entry.get("needs_person"))


def miscounted(world: World) -> Iterator[Breach]:
    """4: a worker's count is the number of conversations that are theirs, and `full` says if that is all."""
    for identity, held in held_by(world.conversations.values()).items():
        if identity not in world.workers:
            yield Breach(
                4, "miscounted", identity, f"holds {len(held)}, but has no record"
            )
    counts = held_by(world.conversations.values())
    for identity, worker in world.workers.items():
        held = counts.get(identity, [])
        if worker.get("active") != len(held):
            sentence = f"holds {len(held)}, but active is {worker.get('active')}"
            yield Breach(4, "miscounted", identity, sentence)
        elif is_confirmed(worker) and worker.get("full") != (
            len(held) >= capacity(worker, world.pools)
        ):
            yield Breach(
                4,
                "miscounted",
                identity,
                f"holds {len(held)}, but full is {worker.get('full')}",
            )


def stuck(world: World) -> Iterator[Breach]:
    """6: nothing waits while a worker of its pool, not excluded from it, is Available with a free slot."""
    for sid, entry in world.pending.items():
        for identity, worker in world.workers.items():
            if is_free(worker, world.pools) and is_for(
                entry, identity, worker, world.now
            ):
                yield Breach(
                    6,
                    "stuck",
                    sid,
                    f"waits in {entry['pool']} beside {identity}, who is free",
                )


def misheard(world: World) -> Iterator[Breach]:
    """9: of what waits or is in hand the record says whether an answer is awaited, as the messages at Twilio do."""
    for sid, record in world.conversations.items():
        messages = world.twilio.get(sid, {}).get("messages") or []
        if record["state"] not in ("queued", "assigned") or not messages:
            continue
        if world.dismissed.intersection(one["author"] for one in messages):
            continue
        awaited, noted = (
            _is_awaited(messages, world.workers),
            record.get("awaiting_since") is not None,
        )
        if awaited != noted:
            said = "waits for an answer" if awaited else "was answered"
            yield Breach(
                9, "misheard", sid, f"{said}, and its record says the opposite"
            )


def forgotten(world: World) -> Iterator[Breach]:
    """9: nobody stays with a worker who has let them wait longer than the pool allows. What is over at Twilio waits for
    nobody: that the log says otherwise is another breach (1)."""
    for sid, record in world.conversations.items():
        if world.twilio.get(sid, {}).get("state", "closed") == "closed":
            continue
        pool = world.pools.get(record.get("pool") or "", {})
        # Deadlines count while a pool is open; which of its hours are over is not computed here.
        within = None if pool.get("hours") else pool.get("answer_within")
        asked, given = record.get("awaiting_since"), record.get("assigned_at")
        is_routed = (
            record.get("mode") in ("pool", "custom")
            and record.get("address") is not None
        )
        is_with_worker = (
            record["state"] in ("assigned", "inactive") and record["worker"]
        )
        if not is_with_worker or not within or not asked or not is_routed:
            continue
        late = world.now - max(asked, given or asked) - timedelta(seconds=within)
        if late > JUST_NOW:
            yield Breach(
                9,
                "forgotten",
                sid,
                f"waits for {record['worker']} for {late} longer than it should",
            )


def repeated(world: World) -> Iterator[Breach]:
    """10: no text of the service's own twice in one wait; `away` not twice in one closing time, whatever conversations
    a customer begins in it. A text carries which it is, of which wait, and a token."""
    seen: set[tuple[str, str, str]] = set()
    for sid, at_twilio in world.twilio.items():
        customer = " ".join(filter(None, map(_address, at_twilio["participants"])))
        for message in at_twilio.get("messages") or ():
            token = json.loads(message.get("attributes") or "{}").get("service_text")
            if not isinstance(token, str):
                continue
            kind, wait, _ = token.split(" ")
            text = (customer if kind == "away" else sid, kind, wait)
            if text in seen:
                yield Breach(
                    10, "repeated", sid, f"was sent the text {kind} twice in one wait"
                )
            seen.add(text)


def unconfirmed(world: World) -> Iterator[Breach]:
    """12: whoever has a conversation that is not over, or is in it besides, is a confirmed worker. A slot that is held
    without a record is `miscounted`."""
    for sid, record in world.conversations.items():
        if record["state"] == "closed":
            continue
        for identity in filter(
            None, (record.get("worker"), *(record.get("others") or ()))
        ):
            is_counted = record["state"] in HELD and identity not in world.workers
            if not is_counted and not is_confirmed(world.workers.get(identity)):
                yield Breach(
                    12,
                    "unconfirmed",
                    sid,
                    f"is {identity}'s, who is no confirmed worker",
                )


def unwanted(world: World) -> Iterator[Breach]:
    """10: none of the service's own texts follows an opt-out word of its conversation's customer, unless START does."""
    for sid, at_twilio in world.twilio.items():
        word: Record | None = None
        for message in at_twilio.get("messages") or ():
            if _is_customers(message):
                word = _opt_out_in_force(message, word)
            elif word and _is_unwanted(message, word, world.under_way):
                sentence = "was sent a text after its customer had opted out"
                yield Breach(10, "unwanted", sid, sentence)


def _opt_out_in_force(message: Record, before: Record | None) -> Record | None:
    """Return the message that opts the customer out, once they have also written this one."""
    text = (message.get("body") or "").strip().upper()
    if text in STOPS:
        return before or message
    return None if text in LIFTS else before


def _is_unwanted(message: Record, word: Record, under_way: timedelta) -> bool:
    if "service_text" not in json.loads(message.get("attributes") or "{}"):
        return False
    return not under_way or sent_at(message) - sent_at(word) > under_way


def is_only_an_opt_out(messages: Iterable[Record]) -> bool:
    """Whether people have written nothing there but opt-out words."""
    people = [one for one in messages if one["author"] != "system"]
    words = [(one.get("body") or "").strip().upper() for one in people]
    return bool(people) and all(map(_is_customers, people)) and set(words) <= STOPS


def _is_customers(message: Record) -> bool:
    author: str = message["author"]
    return author.startswith(_CHANNELS)


def _is_awaited(messages: list[Record], workers: Mapping[str, Record]) -> bool:
    """Whether a customer's message comes after the last one of a confirmed worker. An opt-out word wants no answer."""
    people = [
        one
        for one in messages
        if _is_of(one["author"], workers) and not _is_stop(one) and not _is_lost(one)
    ]
    return bool(people) and _is_customers(people[-1])


def _is_lost(message: Record) -> bool:
    """Whether a worker's message has reached no recipient."""
    delivery = message.get("delivery") or {}
    return "all" in (delivery.get("failed"), delivery.get("undelivered"))


def _is_stop(message: Record) -> bool:
    return (
        _is_customers(message) and (message.get("body") or "").strip().upper() in STOPS
    )


def _is_of(author: str, workers: Mapping[str, Record]) -> bool:
    """Whether a customer or a worker wrote; a visitor or a bot answers no customer."""
    return author.startswith(_CHANNELS) or is_confirmed(workers.get(author))


def overdue(world: World) -> Iterator[Breach]:
    """6, after the next sweep: nobody waits on in one pool alone, or for one worker, whose time for that is over."""
    for sid, entry in world.pending.items():
        due = entry.get("due_at")
        if due is not None and due <= world.now - timedelta(minutes=1):
            yield Breach(
                6,
                "overdue",
                sid,
                f"was to be open to others at {due:%H:%M:%S}, and is not",
            )


def added(request: Record) -> tuple[str, str | None]:
    """The conversation and the worker of a call that put a worker into a conversation."""
    if request["method"] != "POST" or not request["path"].endswith("/Participants"):
        return "", None
    if request["status"] not in (201, None) or request.get("code"):
        return "", None
    return request["path"].split("/")[-2], request["params"].get("Identity")


def _address(participant: Record) -> str | None:
    address: str | None = (participant["messaging_binding"] or {}).get("address")
    return address


def _collection(db: firestore.Client, name: str) -> dict[str, Record]:
    return {found.id: found.to_dict() or {} for found in db.collection(name).stream()}
