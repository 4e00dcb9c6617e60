"""What stands in a text: everything that is read for it, and its placeholders filled with what is true now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    from providers.database import Snapshot


@dataclass(frozen=True)
class Seen:
    """What was read, all as it is now. `opens`: when the pool opens next, None where nobody knows."""

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
    """One batched read, and a second one where the conversation is another pool's by now."""
    sent_name = rules.record_name(conversation, customers.key())
    named = {
        "conversation": conversations.reference(conversation.sid),
        "settings": settings.reference(),
        "sent": sent_texts.reference(sent_name),
        "count": text_counts.reference(text_limits.record_name(pool.id, sent_name)),
    }
    if conversation.address:
        named["opt_out"] = opt_outs.reference(conversation.address)
    if conversation.customer_id:
        named["customer"] = customers.reference(conversation.customer_id)
    if conversation.state == QUEUED:
        named["entry"] = pending.reference(conversation.sid)
    if conversation.state == ASSIGNED and conversation.worker:
        named["worker"] = workers.reference(conversation.worker)
    records = dict(zip(named, database.read(*named.values()), strict=True))
    current = conversations.of(records["conversation"])
    if current.pool and current.pool != pool.id:
        pool = pools.load(current.pool)
    customer, entry, worker = (
        records.get(name) for name in ("customer", "entry", "worker")
    )
    routing = settings.of(records["settings"])
    now, zone = clock.now(), routing.zone
    opens = _opens(pool, now, zone)
    return Seen(
        conversation=current,
        pool=pool,
        sent=sent_texts.of(records["sent"]),
        count=text_counts.of(records["count"]),
        entry=pending.of(entry) if entry is not None and entry.exists else None,
        customer=customers.of(customer)
        if customer is not None and customer.exists
        else None,
        customer_name=_name(customer),
        customer_record=_data(customer),
        worker=workers.of(worker)
        if worker is not None and worker.id == current.worker
        else None,
        worker_record=_data(worker)
        if worker is not None and worker.id == current.worker
        else {},
        zone=zone,
        now=now,
        is_open=opens is not None and opens <= now,
        opens=opens,
        opt_out_words=routing.opt_out_words,
        opt_out=opt_outs.of(records["opt_out"]) if "opt_out" in records else OptOut(""),
    )


def _data(record: Snapshot | None) -> Mapping[str, Any]:
    return (record.to_dict() or {}) if record is not None else {}


def _name(customer: Snapshot | None) -> str | None:
    """What to greet them by; who is only called by their address has no name."""
    data = customer.to_dict() if customer is not None else None
    return (
        customers.of(customer).display_name
        if customer is not None and data and has_name(data)
        else None
    )


def _opens(pool: Pool, now: datetime, zone: ZoneInfo) -> datetime | None:
    if pool.hours is None:
        return now
    return hours.opens_next(
        pool.hours, now, zone, public_holidays.of(pool.hours.countries)
    )


def content(kind: str, seen: Seen, window_closed: bool) -> dict[str, str] | None:
    """What Twilio is sent: the text in the customer's language, its placeholders filled; None if nothing is left of it.

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
    found = templates.load_one(text.template or "")
    customer = seen.customer or NOBODY
    identity = seen.worker.identity if seen.worker else ""
    values = template.values_for(
        customer, seen.customer_record, identity, seen.worker_record
    )
    values["Author"] = seen.worker.name if seen.worker else None
    channel = addresses.channel(seen.conversation.address or "")
    sent = template.as_sent(found, values, channel, text.language or customer.language)
    return (
        None if sent is None or (window_closed and "content_sid" not in sent) else sent
    )


def _body(kind: str, seen: Seen, text: pool_texts.Text) -> str:
    wanted = pool_texts.names_in(text.content)
    values: dict[str, str | None] = {
        "Name": seen.customer_name,
        "Author": seen.worker.name if seen.worker else None,
    }
    if seen.opens is not None and not seen.is_open:
        values["Opens"] = waiting_words.opens(
            seen.opens, seen.now, seen.zone, text.language
        )
    if seen.entry is not None and wanted & {"Position", "Wait"}:
        values |= _queue(kind, seen, seen.entry, wanted)
    return pool_texts.filled(text.content, values)


def _queue(
    kind: str, seen: Seen, entry: Pending, wanted: Iterable[str]
) -> dict[str, str | None]:
    """The place in the pool's queue, and the wait there by the pace of the last half hour, while somebody works."""
    before = pending.how_many_before(entry)
    if before is None:
        return {}
    position = before + 1
    found: dict[str, str | None] = {"Position": str(position)}
    if (
        "Wait" in wanted
        and kind == QUEUED_TEXT
        and seen.is_open
        and workers.how_many_available(seen.pool.id)
    ):
        since = seen.now - waiting_words.RECENT
        assigned = conversations.how_many_assigned(seen.pool.id, since)
        found["Wait"] = waiting_words.expected_wait(position, assigned)
    return found
