"""The content of a text: everything that is read for it, and its placeholders filled with current values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from domain import addresses, hours, pool_texts, template, text_limits, waiting_words
from domain import sent_texts as rules
from domain.conversation import ASSIGNED, QUEUED, Conversation, Pending
from domain.customer import NOBODY, Customer, has_name
from domain.opt_out import OptOut
from domain.pool import Pool
from domain.pool_texts import QUEUED_TEXT
from domain.sent_texts import SentTexts
from domain.text_limits import HourCount
from domain.worker import Worker
from providers import (
    clock,
    conversations,
    customers,
    database,
    opt_outs,
    pending,
    pools,
    public_holidays,
    sent_texts,
    settings,
    templates,
    text_counts,
    workers,
)

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot


@dataclass(frozen=True)
class Seen:
    """The current records. `opens`: when the pool opens next, None if that is unknown."""

    conversation: Conversation
    pool: Pool
    sent: SentTexts
    count: HourCount
    entry: Pending | None
    customer: Customer | None
    customer_name: str | None
    customer_record: Mapping[str, Any]
    worker: Worker | None
    worker_record: Mapping[str, Any]
    zone: ZoneInfo
    now: datetime
    is_open: bool
    opens: datetime | None
    opt_out_words: tuple[str, ...] = ()
    opt_out: OptOut = field(default_factory=lambda: OptOut(""))


def look(conversation: Conversation, pool: Pool) -> Seen:
    """Read the records: one batched read, and a second one if the conversation is in another pool by now."""
    sent_name = rules.record_name(conversation, customers.key())
    references = _references(conversation, pool, sent_name)
    read = zip(references, database.read(*references.values()), strict=True)
    records = dict(read)
    current = conversations.of(records["conversation"])
    if current.pool and current.pool != pool.id:
        pool = pools.load(current.pool)
    routing = settings.of(records["settings"])
    now, opt_out = clock.now(), records.get("opt_out")
    opens = _opens(pool, now, routing.zone)
    customer = _existing(records.get("customer"))
    entry = _existing(records.get("entry"))
    worker = records.get("worker")
    if worker is not None and worker.id != current.worker:
        worker = None
    return Seen(
        conversation=current,
        pool=pool,
        sent=sent_texts.of(records["sent"]),
        count=text_counts.of(records["count"]),
        entry=pending.of(entry) if entry else None,
        customer=customers.of(customer) if customer else None,
        customer_name=_name(customer),
        customer_record=_data(customer),
        worker=workers.of(worker) if worker else None,
        worker_record=_data(worker),
        zone=routing.zone,
        now=now,
        is_open=opens is not None and opens <= now,
        opens=opens,
        opt_out_words=routing.opt_out_words,
        opt_out=opt_outs.of(opt_out) if opt_out else OptOut(""),
    )


def _references(
    conversation: Conversation, pool: Pool, sent_name: str
) -> dict[str, DocumentReference]:
    """Return the records to read, by what they are."""
    references = {
        "conversation": conversations.reference(conversation.sid),
        "settings": settings.reference(),
        "sent": sent_texts.reference(sent_name),
        "count": text_counts.reference(text_limits.record_name(pool.id, sent_name)),
    }
    if conversation.address:
        references["opt_out"] = opt_outs.reference(conversation.address)
    if conversation.customer_id:
        references["customer"] = customers.reference(conversation.customer_id)
    if conversation.state == QUEUED:
        references["entry"] = pending.reference(conversation.sid)
    if conversation.state == ASSIGNED and conversation.worker:
        references["worker"] = workers.reference(conversation.worker)
    return references


def _existing(record: Snapshot | None) -> Snapshot | None:
    return record if record is not None and record.exists else None


def _data(record: Snapshot | None) -> Mapping[str, Any]:
    return (record.to_dict() or {}) if record else {}


def _name(customer: Snapshot | None) -> str | None:
    """Return the customer's name, None if the record's display name is only the address."""
    data = _data(customer)
    if customer is None or not data or not has_name(data):
        return None
    return customers.of(customer).display_name


def _opens(pool: Pool, now: datetime, zone: ZoneInfo) -> datetime | None:
    if pool.hours is None:
        return now
    return hours.opens_next(
        pool.hours, now, zone, public_holidays.of(pool.hours.countries)
    )


def content(kind: str, seen: Seen, window_closed: bool) -> dict[str, str] | None:
    """Return what Twilio is sent: the text in the customer's language, placeholders filled; None if nothing is left.

    While the window is closed only a template that WhatsApp has approved is sent.
    """
    texts = seen.pool.texts.get(kind, ())
    if window_closed:
        texts = pool_texts.templates_only(texts)
    text = pool_texts.chosen(texts, seen.customer.language if seen.customer else None)
    if text is None:
        return None
    if text.template:
        return _template(text, seen, window_closed)
    body = _body(kind, seen, text)
    return {"body": body} if body else None


def _template(
    text: pool_texts.Text, seen: Seen, window_closed: bool
) -> dict[str, str] | None:
    record = templates.load_one(text.template or "")
    customer = seen.customer or NOBODY
    identity = seen.worker.identity if seen.worker else ""
    values = template.values_for(
        customer, seen.customer_record, identity, seen.worker_record
    )
    values["Author"] = seen.worker.name if seen.worker else None
    channel = addresses.channel(seen.conversation.address or "")
    language = text.language or customer.language
    sent = template.as_sent(record, values, channel, language)
    if sent is None or (window_closed and "content_sid" not in sent):
        return None
    return sent


def _body(kind: str, seen: Seen, text: pool_texts.Text) -> str:
    names = pool_texts.names_in(text.content)
    values: dict[str, str | None] = {
        "Name": seen.customer_name,
        "Author": seen.worker.name if seen.worker else None,
    }
    if seen.opens is not None and not seen.is_open:
        values["Opens"] = waiting_words.opens(
            seen.opens, seen.now, seen.zone, text.language
        )
    if seen.entry is not None and names & {"Position", "Wait"}:
        values |= _queue(kind, seen, seen.entry, names)
    return pool_texts.filled(text.content, values)


def _queue(
    kind: str, seen: Seen, entry: Pending, names: Collection[str]
) -> dict[str, str | None]:
    """Return the place in the pool's queue, and the expected wait by the pace of the last half hour.

    The wait is left out while the pool is closed, or no worker of it is Available.
    """
    before = pending.how_many_before(entry)
    if before is None:
        return {}
    position = before + 1
    values: dict[str, str | None] = {"Position": str(position)}
    is_wait_shown = "Wait" in names and kind == QUEUED_TEXT and seen.is_open
    if is_wait_shown and workers.how_many_available(seen.pool.id):
        since = seen.now - waiting_words.RECENT
        assigned = conversations.how_many_assigned(seen.pool.id, since)
        values["Wait"] = waiting_words.expected_wait(position, assigned)
    return values
