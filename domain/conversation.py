"""A conversation's record and its queue entry: their values, and one reader and one writer for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from domain import opt_out
from domain.addresses import called
from domain.fields import Fields, cut
from domain.settings import MODES
from domain.worker import identity_in

T = TypeVar("T")
UNROUTED, QUEUED, ASSIGNING, ASSIGNED = "unrouted", "queued", "assigning", "assigned"
INACTIVE, CLOSED = "inactive", "closed"
STATES = (UNROUTED, QUEUED, ASSIGNING, ASSIGNED, INACTIVE, CLOSED)
HELD = (ASSIGNING, ASSIGNED)
CUSTOMER, WORKER, SERVICE = "customer", "worker", "service"
SENDERS = (CUSTOMER, WORKER, SERVICE)
LONGEST_LOG = 50
WORD = "word"  # the log's line for the sentence that a worker left at a hand-over
LONGEST_TEXT = 120  # characters of the last message
MOST_HEARD = 20
MOST_UNDELIVERED = 10
MOST_RETURNS = 5  # in one wait; then a person has to assign it
MOST_MISSED_BY = 20
_LONGEST_LINE = 1000  # characters


@dataclass(frozen=True)
class LastMessage:
    """The newest message: its sender and how its text begins. `sender`, stored as `from`: one of SENDERS."""

    at: datetime | None
    sender: str
    text: str
    index: int


@dataclass(frozen=True)
class Heard:
    """One message without its text, by which repeated and late deliveries are recognized.

    `word`: the meaning of a customer's message that is only one word of domain/opt_out.py. `sid`: of a worker's
    message; `is_lost`: it did not reach the customer.
    """

    index: int
    sender: str
    at: datetime
    word: str | None = None
    sid: str | None = None
    is_lost: bool = False

    @property
    def asks(self) -> bool:
        """Whether it is a customer's message that wants an answer: any but an opt-out word."""
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
    """One record of the log. `version` is None if there is no record yet.

    In the queue, `for_worker` is the one worker it is waiting for, and `open_to` are pools whose workers may also
    take it; one of the two changes at `due_at`. `claim` names the current attempt to add the worker, so that an attempt
    whose response was lost recognizes its own write. `others` are workers in the conversation in addition to the one
    that it counts for. `leaving` is its former worker while they are still a participant at
    Twilio, and `leaving_sid` their participant SID. `taken_from` is the last worker to miss the answer deadline, until
    the next worker is in it. `read_index` is the newest message that the worker has read. `customer_wrote_at` opens the
    window of 24 hours (domain/window.py); it is None after Twilio said that the window is closed. domain/messages.py
    says what messages change. `outside_hours`: its pool was closed when it arrived. `customer_missing_since`: when a
    sweep first found this queued conversation without its customer at Twilio. `opted_out_at`: a copy for lists of what
    opt_outs says about the address. `moved_at`: when the ledger last wrote the record, messages apart.
    `left_out`: unrouted because the customer has written nothing but opt-out words.
    `corrected_at`: when a message was last edited or removed at Twilio.
    `returns`: how often it came back to the queue in this wait because of a missed answer deadline, and `missed_by` the
    workers for whom that counted as a miss. `no_fallback`: unrouted because the customer's assigned worker could not
    take it and custom_fallback is none.
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
    moved_at: datetime | None = None
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
    corrected_at: datetime | None = None
    taken_from: str | None = None
    went_back: int = 0
    returns: int = 0
    missed_by: tuple[str, ...] = ()
    no_fallback: bool = False
    customer_missing_since: datetime | None = None
    log: tuple[Mapping[str, Any], ...] = ()
    problem: str | None = None
    version: object = field(default=None, compare=False)

    @property
    def exists(self) -> bool:
        return self.version is not None

    @property
    def holder(self) -> str | None:
        """The worker whose count includes the conversation now."""
        return self.worker if self.state in HELD else None

    @property
    def needs_person(self) -> bool:
        """Whether it came back so often in this wait that no worker is assigned until a person or the customer acts."""
        return self.state == QUEUED and self.returns >= MOST_RETURNS

    @property
    def undelivered_at(self) -> datetime | None:
        """When the newest reply of a worker was lost; None if a later reply arrived, or no answer is awaited."""
        replies = [message for message in self.heard if message.sender == WORKER]
        if self.awaiting_since is None or not replies or not replies[-1].is_lost:
            return None
        times = (report.at for report in self.undelivered)
        return max(filter(None, times), default=replies[-1].at)

    @property
    def claimed_for(self) -> str | None:
        """The worker that the claim is for, even if a person has edited the record's worker since."""
        return (self.claim or "").rpartition(" ")[0] or None

    @property
    def is_claim_edited(self) -> bool:
        """Whether a person has edited the worker while the claim was under way."""
        if self.state != ASSIGNING:
            return False
        return self.worker is None or self.claimed_for not in (None, self.worker)

    @property
    def is_handed_on(self) -> bool:
        """Whether it is being handed over: its former worker stays in it until the next worker is added."""
        return self.leaving is not None and self.leaving in self.others

    def noted(
        self, at: datetime, what: str, why: str, by: str | None = None
    ) -> Conversation:
        """Return it with one more line in its log, which keeps the newest LONGEST_LOG lines.

        `by`: the identity of the person that the line is about.
        """
        line = {"at": at, "what": what, "why": cut(why, _LONGEST_LINE)}
        if by is not None:
            line["by"] = by
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
_CHANGED_BY_MESSAGES = (
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
    "undelivered_at",
    "returns",
    "missed_by",
    "customer_missing_since",
    "opted_out_at",
    "corrected_at",
)
_SIDS = (("service_sid", "IS"), ("participant_sid", "MB"), ("leaving_sid", "MB"))
# Most entries lack these, and then cost no index entries for them:
_IN_ENTRY_IF_SET = ("for_worker", "open_to", "due_at", "needs_person")


@dataclass(frozen=True)
class Pending:
    """One queue entry. Queries do not find one that is not `is_complete`, or find it in the wrong place.

    An entry `for_worker` has no pool (`pool` is empty) until `due_at`. One that `needs_person` has none either, so that
    no worker finds it.
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
    needs_person: bool = False
    is_complete: bool = True
    problem: str | None = None

    def is_for(self, identity: str, now: datetime) -> bool:
        """Return whether this worker may take it: not if they left it a short time ago."""
        if identity not in self.excluded_workers:
            return True
        return self.excluded_until is not None and self.excluded_until <= now


def parse(
    sid: str, data: Mapping[str, Any] | None, version: object = None
) -> Conversation:
    """Read a conversation's record; `problem` reports invalid values, which count as left out."""
    if data is None:
        return Conversation(sid)
    read = Fields(data)
    values: dict[str, Any] = {name: read.time(name) for name in _TIMES}
    values |= {name: read.text(name) for name in _TEXTS}
    values["display_name"] = called(values["display_name"] or "") or None
    values["claim"] = read.text("claim", _LONGEST_CLAIM)
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
        returns=max(0, read.whole("returns", default=0)),
        missed_by=read.texts("missed_by")[-MOST_MISSED_BY:],
        no_fallback=read.flag("no_fallback", default=False),
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
        heard=_parsed(read, "heard", _heard)[-MOST_HEARD:],
        undelivered=_parsed(read, "undelivered", _undelivered)[-MOST_UNDELIVERED:],
        taken_from=identity_in(read, "taken_from"),
        log=_parsed(read, "log", _line)[-LONGEST_LOG:],
        version=version,
        **values,
    )
    return _completed(conversation, read)


def _completed(conversation: Conversation, read: Fields) -> Conversation:
    """Fill in what depends on the rest of the record."""
    if "customer_wrote_at" not in read:  # a record of an earlier version
        conversation = replace(conversation, customer_wrote_at=_wrote_at(conversation))
    state = read.choice("state", STATES, default="", safe=_likely_state(conversation))
    return replace(conversation, state=state or "", problem=read.problem)


def _parsed(
    record: Fields, name: str, parse_item: Callable[[Mapping[str, Any]], T | None]
) -> tuple[T, ...]:
    """Read a list of maps without its invalid items."""
    return tuple(filter(None, map(parse_item, record.objects(name))))


def _likely_state(conversation: Conversation) -> str:
    """Return the state that the rest of the record suggests, for a record whose state is invalid."""
    if conversation.closed_at:
        return CLOSED
    if conversation.worker:
        return ASSIGNED
    return QUEUED if conversation.pool and conversation.queued_at else UNROUTED


def _wrote_at(conversation: Conversation) -> datetime | None:
    """Return when the customer last wrote, as far as the rest of the record says."""
    messages = (*conversation.heard, conversation.last_message)
    times = [
        message.at for message in messages if message and message.sender == CUSTOMER
    ]
    return max(filter(None, times), default=conversation.awaiting_since)


def _line(data: Mapping[str, Any]) -> dict[str, Any]:
    read = Fields(data)
    what, why = read.text("what"), read.text("why", _LONGEST_LINE)
    line = {"at": read.time("at"), "what": what or "", "why": why or ""}
    by = read.text("by")
    return line if by is None else {**line, "by": by}


def _last_message(record: Fields) -> LastMessage | None:
    data = record.mapping("last_message")
    if data is None:
        return None
    read = Fields(data)
    sender = read.choice("from", SENDERS, None, None)
    index = read.whole("index", default=-1)
    if sender is None or index < 0:
        record.complain(
            "last_message needs a valid sender (from) and index. It is ignored."
        )
        return None
    text = read.text("text", LONGEST_TEXT) or ""
    return LastMessage(read.time("at"), sender, text, index)


def _heard(data: Mapping[str, Any]) -> Heard | None:
    read = Fields(data)
    sender, at = read.choice("from", SENDERS, None, None), read.time("at")
    index = read.whole("index", default=-1)
    if sender is None or at is None or index < 0:
        return None
    word = read.choice("word", opt_out.KINDS, None, None)
    is_lost = read.flag("lost", default=False)
    return Heard(index, sender, at, word, read.sid("sid", "IM"), is_lost)


def _undelivered(data: Mapping[str, Any]) -> Undelivered | None:
    read = Fields(data)
    sid = read.sid("message_sid", "IM")
    if sid is None:
        return None
    code = max(0, read.whole("code", default=0))
    recipients = max(1, read.whole("recipients", default=1))
    failed = min(max(1, read.whole("failed", default=1)), recipients)
    return Undelivered(sid, code, read.time("at"), failed, recipients)


def stored(conversation: Conversation) -> dict[str, Any]:
    """Return the fields of the conversation's record."""
    data = {name: _storable(getattr(conversation, name)) for name in _STORED}
    data["last_message"] = _stored_last(conversation.last_message)
    data["heard"] = list(map(_stored_heard, conversation.heard))
    data["undelivered"] = list(map(_stored_undelivered, conversation.undelivered))
    # For the wallboard, which counts routed conversations by one range of arrival times:
    is_routed = conversation.mode in ("custom", "pool")
    data["arrived_at"] = conversation.created_at if is_routed else None
    data["needs_person"] = conversation.needs_person
    if conversation.undelivered:  # otherwise it is missing and costs no index entry
        data["undelivered_at"] = conversation.undelivered_at
    if conversation.outside_hours:  # otherwise it is missing and costs no index entry
        data["arrived_outside_at"] = data["arrived_at"]
    return data


def _storable(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _stored_last(message: LastMessage | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {
        "at": message.at,
        "from": message.sender,
        "text": message.text,
        "index": message.index,
    }


def _stored_heard(message: Heard) -> dict[str, Any]:
    data = {"index": message.index, "from": message.sender, "at": message.at}
    further = {"word": message.word, "sid": message.sid, "lost": message.is_lost}
    return data | {name: value for name, value in further.items() if value}


def _stored_undelivered(message: Undelivered) -> dict[str, Any]:
    """Leave out the counts of a message with one recipient, as most have."""
    data = asdict(message)
    if message.recipients == 1:
        del data["failed"], data["recipients"]
    return data


def told(conversation: Conversation) -> dict[str, Any]:
    """Return those fields of the record that messages and receipts change."""
    record = stored(conversation)
    return {name: record.get(name) for name in _CHANGED_BY_MESSAGES}


def entry(conversation: Conversation) -> dict[str, Any]:
    """Return the fields of its queue entry. One for a single worker has no pool, nor has one that needs a person."""
    record = stored(conversation)
    data = {name: record[name] for name in _IN_ENTRY}
    if conversation.for_worker or conversation.needs_person:
        data["pool"] = None
    return data | {name: record[name] for name in _IN_ENTRY_IF_SET if record[name]}


def parse_entry(
    sid: str, data: Mapping[str, Any] | None, version: object = None
) -> Pending:
    """Read a queue entry; `problem` reports invalid values, which count as left out."""
    read = Fields(data)
    pool, queued_at = read.record_name("pool"), read.time("queued_at")
    priority = read.whole("priority", default=0)
    for_worker = identity_in(read, "for_worker")
    needs_person = read.flag("needs_person", default=False) is True
    needed = (
        pool or for_worker or needs_person or None,
        queued_at,
        read.all.get("priority"),
    )
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
        needs_person=needs_person,
        is_complete=None not in needed and read.problem is None,
        problem=read.problem,
    )
