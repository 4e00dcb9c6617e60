"""Erases a customer: the record, and what conversations and the queue say of the person; the figures stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.cloud.firestore import Client, FieldFilter

from domain import addresses as spelling
from domain import customer_record, sent_texts
from domain.conversation import CLOSED, UNROUTED, parse
from tools import customers_store

_PERSONAL = (
    "customer_id",
    "display_name",
    "address",
    "proxy_address",
    "projected_address",
)
_MOST_ALTERNATIVES = 30  # Firestore's limit for `in`
_PATIENCE = 30.0  # seconds for one call
_API = "https://conversations.twilio.com/v1"


@dataclass
class Found:
    """What there is of one customer. `others`: conversations from the same addresses that are another customer's."""

    customer_id: str
    record: Any = None
    conversations: list[Any] = field(default_factory=list)
    others: list[Any] = field(default_factory=list)

    @property
    def open(self) -> list[Any]:
        """Return those with a waiting customer or an answering worker. One that was never routed has neither."""
        return [
            one for one in self.conversations if _state(one) not in (CLOSED, UNROUTED)
        ]

    @property
    def is_nothing(self) -> bool:
        return not self.record.exists and not self.conversations


def find(db: Client, customer_id: str) -> Found:
    """By the id and by the record's addresses: a conversation may be older than the record."""
    record = db.collection("customers").document(customer_id).get(timeout=_PATIENCE)
    found = Found(customer_id, record)
    by_sid = {one.id: one for one in _where(db, "customer_id", [customer_id])}
    listed = customer_record.addresses_of(record.to_dict())
    wanted = sorted({spelled for address in listed for spelled in _spellings(address)})
    by_sid |= {one.id: one for one in _where(db, "address", wanted)}
    for one in by_sid.values():
        is_theirs = (one.to_dict() or {}).get("customer_id") in (customer_id, None)
        (found.conversations if is_theirs else found.others).append(one)
    return found


def erase(db: Client, found: Found) -> None:
    """Each conversation with its queue entry in one commit, the record at last, so that a second run finds the rest.

    Raises FailedPrecondition if a conversation was changed meanwhile; what was erased before stays so.
    """
    names = list(_names(found))
    secret = customers_store.key(db) if found.conversations else b""
    for one in found.conversations:
        texts = sent_texts.record_name(parse(one.id, one.to_dict()), secret)
        batch = db.batch()
        unchanged = db.write_option(last_update_time=one.update_time)
        batch.update(
            one.reference, _without(one.to_dict() or {}, names), option=unchanged
        )
        batch.delete(db.collection("pending_conversations").document(one.id))
        batch.delete(db.collection("sent_texts").document(texts))
        batch.commit(timeout=_PATIENCE)
    found.record.reference.delete(timeout=_PATIENCE)


def at_twilio(found: Found) -> list[str]:
    """The addresses of the conversations at Twilio: deleting one there removes its messages and participants."""
    paths = []
    for one in found.conversations:
        service = (one.to_dict() or {}).get("service_sid")
        paths.append(
            f"{_API}/Services/{service}/Conversations/{one.id}"
            if service
            else f"{_API}/Conversations/{one.id}"
        )
    return sorted(paths)


def _spellings(address: str) -> set[str]:
    bare = spelling.bare(address)
    return {*spelling.spellings(address), f"whatsapp:{bare}"}


def _where(db: Client, name: str, values: list[str]) -> Iterator[Any]:
    for start in range(0, len(values), _MOST_ALTERNATIVES):
        few = values[start : start + _MOST_ALTERNATIVES]
        query: Any = db.collection("conversations")
        yield from query.where(filter=FieldFilter(name, "in", few)).stream(
            timeout=_PATIENCE
        )


def _state(conversation: Any) -> object:
    return (conversation.to_dict() or {}).get("state")


def _names(found: Found) -> Iterator[str]:
    """All that a line may call the person."""
    data = found.record.to_dict() or {}
    yield from (found.customer_id, *customer_record.texts([data.get("display_name")]))
    yield from (
        bare
        for address in customer_record.texts(data.get("addresses"))
        for bare in _spellings(address)
    )


def _without(data: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The fields to write. What a supervisor needs for figures stays: state, pool, worker, times, the story's steps."""
    called = {
        *names,
        *(data[name] for name in _PERSONAL if isinstance(data.get(name), str)),
    }
    called |= {spelling.bare(name) for name in called}
    words = "|".join(
        re.escape(name)
        for name in sorted(called, key=len, reverse=True)
        if name.strip()
    )
    pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
    written: dict[str, Any] = {
        name: None for name in _PERSONAL if data.get(name) is not None
    }
    if isinstance(data.get("log"), list):
        written["log"] = [_line_without(line, pattern) for line in data["log"]]
    if isinstance(data.get("last_message"), Mapping):
        written["last_message"] = {
            n: value for n, value in data["last_message"].items() if n != "text"
        }
    if data.get("problem") is not None:
        written["problem"] = None  # it may quote what was typed
    return written


def _line_without(line: Any, pattern: re.Pattern[str]) -> Any:
    if not isinstance(line, Mapping):
        return None
    return {
        name: pattern.sub("…", value) if isinstance(value, str) else value
        for name, value in line.items()
    }
