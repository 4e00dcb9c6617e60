"""A conversation as the log knows it, and its entry in the queue: one typed reader for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from domain import opt_out
from domain.addresses import called
from domain.fields import Fields, cut
from domain.settings import MODES
from domain.worker import identity_in

UNROUTED, QUEUED, ASSIGNING, ASSIGNED = "unrouted", "queued", "assigning", "assigned"
INACTIVE, CLOSED = "inactive", "closed"
STATES = (UNROUTED, QUEUED, ASSIGNING, ASSIGNED, INACTIVE, CLOSED)
HELD = (ASSIGNING, ASSIGNED)
CUSTOMER, WORKER, SERVICE = "customer", "worker", "service"
SENDERS = (CUSTOMER, WORKER, SERVICE)
LONGEST_LOG = 50
LONGEST_TEXT = 120  # characters of the last message
MOST_HEARD = 20
MOST_UNDELIVERED = 10
_LONGEST_LINE = 1000  # characters


@dataclass(frozen=True)
class LastMessage:
    """Who wrote last and how it begins. `sender`, stored as `from`: CUSTOMER, WORKER or SERVICE."""

    at: datetime | None
    sender: str
    text: str
    index: int


@dataclass(frozen=True)
class Heard:
    """One message without its text: what a repeat, or one that was overtaken, is told from. `word`: what a customer's
    message that is only one word of domain/opt_out.py means."""

    index: int
    sender: str
    at: datetime
    word: str | None = None

    @property
    def asks(self) -> bool:
        """Whether it is a customer's message that wants an answer."""
        return self.sender == CUSTOMER and self.word != opt_out.STOP


@dataclass(frozen=True)
class Undelivered:
    """A message that did not reach the customer, with Twilio's error code (0: none was reported). Of a group message:
    how many of its recipients did not get it."""

    message_sid: str
    code: int
    at: datetime | None
    failed: int = 1
    recipients: int = 1


@dataclass(frozen=True)
class Conversation:
    """One record of the log. `version` is None where there is no record yet.

    Where it is queued: `for_worker` is the one worker for whom it waits, `open_to` are pools whose workers may take it
    besides its own, and at `due_at` one of the two changes.
    `claim` names the attempt that is under way, so that one whose answer was lost knows its own work again.
    `others` are workers in the conversation besides the one it counts for. `leaving`: a worker from whom it was taken
    back, or who has handed it on, and whom Twilio still has in it; `leaving_sid`: that stay of theirs. `taken_from`:
    the worker who let it wait too long, until another one is in it. `read_index`: up to which message the worker has
    looked. `customer_wrote_at` opens the window of 24 hours (domain/window.py); None also after Twilio said that it is
    closed. What messages change is said in domain/messages.py. `outside_hours`: its pool was closed when it arrived.
    `customer_missing_since`: when a sweep first saw this queued conversation without its customer at Twilio.
    `opted_out_at`: a copy of what opt_outs says about the address, for lists. `left_out`: unrouted because the customer
    has written nothing but opt-out words.
    """

    sid: str
    state: str = ""
    mode: str | None = None
    pool: str | None = None
    worker: str | None = None
    customer_id: str | None = None
    display_name: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None
    service_sid: str | None = None
    created_at: datetime | None = None
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    closed_at: datetime | None = None
    lease_until: datetime | None = None
    expires_at: datetime | None = None
    state_changed_at: datetime | None = None
    waited: float | None = None
    attempts: int = 0
    priority: int = 0
    for_worker: str | None = None
    open_to: tuple[str, ...] = ()
    due_at: datetime | None = None
    claim: str | None = None
    participant_sid: str | None = None
    leaving: str | None = None
    leaving_sid: str | None = None
    others: tuple[str, ...] = ()
    excluded_workers: tuple[str, ...] = ()
    excluded_until: datetime | None = None
    starting: bool = False
    outside_hours: bool = False
    left_out: bool = False
    opted_out_at: datetime | None = None
    last_message: LastMessage | None = None
    unread: int = 0
    awaiting_since: datetime | None = None
    customer_wrote_at: datetime | None = None
    first_answer_at: datetime | None = None
    answered_in: float | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    read_index: int = -1
    heard: tuple[Heard, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    taken_from: str | None = None
    went_back: int = 0
    customer_missing_since: datetime | None = None
    log: tuple[Mapping[str, Any], ...] = ()
    problem: str | None = None
    version: object = field(default=None, compare=False)

    @property
    def exists(self) -> bool:
        return self.version is not None

    @property
    def holder(self) -> str | None:
        """The worker for whom the conversation counts just now."""
        return self.worker if self.state in HELD else None

    @property
    def claimed_for(self) -> str | None:
        """Whom the claim is for: its token says so, whatever a person has written into the record since."""
        return (self.claim or "").rpartition(" ")[0] or None

    @property
    def is_claim_edited(self) -> bool:
        """Whether it is being assigned, and the record names nobody or somebody else than the claim is for."""
        return self.state == ASSIGNING and self.worker != (
            self.claimed_for or self.worker or ""
        )

    @property
    def is_handed_on(self) -> bool:
        """Whether it is on its way from one worker, who is in it until then, to another one."""
        return self.leaving is not None and self.leaving in self.others

    def noted(self, at: datetime, what: str, why: str) -> Conversation:
        """With one more line in its story; the oldest lines make room."""
        line = {"at": at, "what": what, "why": cut(why, _LONGEST_LINE)}
        return replace(self, log=(*self.log, line)[-LONGEST_LOG:])


_STORED = tuple(
    f.name for f in fields(Conversation) if f.name not in ("sid", "version")
)
_IN_ENTRY = (
    "pool",
    "priority",
    "queued_at",
    "address",
    "proxy_address",
    "excluded_workers",
    "excluded_until",
)
_TIMES = tuple(name for name in _STORED if name.endswith(("_at", "_until", "_since")))
_TEXTS = ("display_name", "address", "proxy_address", "projected_address")
_LONGEST_CLAIM = 300  # characters: the longest identity, and a token
_TOLD = (
    "unread",
    "awaiting_since",
    "customer_wrote_at",
    "first_answer_at",
    "answered_in",
    "answered_at",
    "answered_by",
    "read_index",
    "last_message",
    "heard",
    "undelivered",
    "customer_missing_since",
    "opted_out_at",
)
_SIDS = (("service_sid", "IS"), ("participant_sid", "MB"), ("leaving_sid", "MB"))


_WHERE_SET = (
    "for_worker",
    "open_to",
    "due_at",
)  # left out of most entries, which are in no index for them then


@dataclass(frozen=True)
class Pending:
    """One entry of the queue. Where it is not `is_complete`, Firestore's queries miss it, or see it elsewhere.

    One that waits `for_worker` waits in no pool (`pool` is empty) until `due_at`.
    """

    sid: str
    pool: str
    excluded_workers: tuple[str, ...]
    excluded_until: datetime | None
    queued_at: datetime | None
    priority: int
    for_worker: str | None = None
    open_to: tuple[str, ...] = ()
    due_at: datetime | None = None
    is_complete: bool = True
    problem: str | None = None

    def is_for(self, identity: str, now: datetime) -> bool:
        """Whether this worker may take it: one who just left it is not asked again for a while."""
        lapsed = self.excluded_until is not None and self.excluded_until <= now
        return lapsed or identity not in self.excluded_workers


def parse(
    sid: str, data: Mapping[str, Any] | None, version: object = None
) -> Conversation:
    """The record; `problem` says which values made no sense and count as left out."""
    if data is None:
        return Conversation(sid)
    read = Fields(data)
    values: dict[str, Any] = {name: read.time(name) for name in _TIMES}
    values |= {name: read.text(name) for name in _TEXTS}
    values |= {"display_name": called(values["display_name"] or "") or None} | {
        "claim": read.text("claim", _LONGEST_CLAIM)
    }
    values |= {name: read.sid(name, prefix) for name, prefix in _SIDS}
    conversation = Conversation(
        sid,
        mode=read.choice("mode", MODES, default=None, safe=None),
        pool=read.record_name("pool"),
        customer_id=read.record_name("customer_id"),
        worker=identity_in(read, "worker"),
        leaving=identity_in(read, "leaving"),
        waited=read.seconds("waited"),
        answered_in=read.seconds("answered_in"),
        went_back=max(0, read.whole("went_back", default=0)),
        attempts=max(0, read.whole("attempts", default=0)),
        priority=read.whole("priority", default=0),
        for_worker=identity_in(read, "for_worker"),
        open_to=read.record_names("open_to"),
        others=read.texts("others"),
        excluded_workers=read.texts("excluded_workers"),
        starting=read.flag("starting", default=False),
        outside_hours=read.flag("outside_hours", default=False),
        left_out=read.flag("left_out", default=False),
        last_message=_last_message(read),
        unread=max(0, read.whole("unread", default=0)),
        answered_by=identity_in(read, "answered_by"),
        read_index=max(-1, read.whole("read_index", default=-1)),
        heard=tuple(filter(None, map(_heard, read.objects("heard"))))[-MOST_HEARD:],
        undelivered=tuple(filter(None, map(_undelivered, read.objects("undelivered"))))[
            -MOST_UNDELIVERED:
        ],
        taken_from=identity_in(read, "taken_from"),
        log=tuple(map(_line, read.objects("log")))[-LONGEST_LOG:],
        version=version,
        **values,
    )
    if "customer_wrote_at" not in data:  # a record of an earlier version
        conversation = replace(conversation, customer_wrote_at=_wrote_at(conversation))
    state = (
        read.choice("state", STATES, default="", safe=_likely_state(conversation)) or ""
    )
    return replace(conversation, state=state, problem=read.problem)


def _likely_state(conversation: Conversation) -> str:
    """Where the state itself makes no sense: what the rest of the record is like."""
    if conversation.closed_at:
        return CLOSED
    if conversation.worker:
        return ASSIGNED
    return QUEUED if conversation.pool and conversation.queued_at else UNROUTED


def _wrote_at(conversation: Conversation) -> datetime | None:
    """When the customer wrote last, as far as the rest of the record says."""
    times = [one.at for one in conversation.heard if one.sender == CUSTOMER]
    last = conversation.last_message
    if last is not None and last.sender == CUSTOMER and last.at is not None:
        times.append(last.at)
    return max(times, default=conversation.awaiting_since)


def _line(data: Mapping[str, Any]) -> dict[str, Any]:
    read = Fields(data)
    what, why = read.text("what"), read.text("why", _LONGEST_LINE)
    return {"at": read.time("at"), "what": what or "", "why": why or ""}


def _last_message(record: Fields) -> LastMessage | None:
    data = record.mapping("last_message")
    if data is None:
        return None
    read = Fields(data)
    sender, index = (
        read.choice("from", SENDERS, None, None),
        read.whole("index", default=-1),
    )
    text = read.text("text", LONGEST_TEXT) or ""
    if sender is None or index < 0:
        record.complain(
            "last_message must say from whom it is and its index; it is ignored."
        )
        return None
    return LastMessage(read.time("at"), sender, text, index)


def _heard(data: Mapping[str, Any]) -> Heard | None:
    read = Fields(data)
    sender, at = read.choice("from", SENDERS, None, None), read.time("at")
    index, word = (
        read.whole("index", default=-1),
        read.choice("word", opt_out.KINDS, None, None),
    )
    return (
        None
        if sender is None or at is None or index < 0
        else Heard(index, sender, at, word)
    )


def _undelivered(data: Mapping[str, Any]) -> Undelivered | None:
    read = Fields(data)
    sid = read.sid("message_sid", "IM")
    if sid is None:
        return None
    recipients = max(1, read.whole("recipients", default=1))
    failed = min(max(1, read.whole("failed", default=1)), recipients)
    return Undelivered(
        sid, max(0, read.whole("code", default=0)), read.time("at"), failed, recipients
    )


def stored(conversation: Conversation) -> dict[str, Any]:
    """The fields of the record."""
    data = {name: getattr(conversation, name) for name in _STORED}
    if last := conversation.last_message:
        data["last_message"] = {
            "at": last.at,
            "from": last.sender,
            "text": last.text,
            "index": last.index,
        }
    data["heard"] = list(map(_stored_heard, conversation.heard))
    data["undelivered"] = list(map(_stored_undelivered, conversation.undelivered))
    # For the wallboard's counts: only what a worker was looked for, so that one range says "arrived today".
    data["arrived_at"] = (
        conversation.created_at if conversation.mode in ("custom", "pool") else None
    )
    if (
        conversation.outside_hours
    ):  # else not there at all, so that pools without hours pay for no index
        data["arrived_outside_at"] = data["arrived_at"]
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in data.items()
    }


def _stored_heard(one: Heard) -> dict[str, Any]:
    data = {"index": one.index, "from": one.sender, "at": one.at}
    return data | ({"word": one.word} if one.word else {})


def _stored_undelivered(one: Undelivered) -> dict[str, Any]:
    """Most messages have one recipient, and then their number is not stored."""
    fields = asdict(one)
    if one.recipients == 1:
        del fields["failed"], fields["recipients"]
    return fields


def told(conversation: Conversation) -> dict[str, Any]:
    """Of these, what messages and receipts change."""
    record = stored(conversation)
    return {name: record[name] for name in _TOLD}


def entry(conversation: Conversation) -> dict[str, Any]:
    """The fields of its entry in the queue."""
    record = stored(conversation)
    fields = {name: record[name] for name in _IN_ENTRY}
    if conversation.for_worker:
        fields["pool"] = None
    return fields | {name: record[name] for name in _WHERE_SET if record[name]}


def parse_entry(
    sid: str, data: Mapping[str, Any] | None, version: object = None
) -> Pending:
    read = Fields(data)
    pool, queued_at = read.record_name("pool"), read.time("queued_at")
    priority = read.whole("priority", default=0)
    for_worker = identity_in(read, "for_worker")
    known = (pool or for_worker, queued_at, (data or {}).get("priority"))
    return Pending(
        sid=sid,
        pool=pool or "",
        excluded_workers=read.texts("excluded_workers"),
        excluded_until=read.time("excluded_until"),
        queued_at=queued_at,
        priority=priority,
        for_worker=for_worker,
        open_to=read.record_names("open_to"),
        due_at=read.time("due_at"),
        is_complete=None not in known and read.problem is None,
        problem=read.problem,
    )
