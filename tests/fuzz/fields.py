"""Every field of every record, what makes sense there, and the record of the small world that gets the odd value."""

from __future__ import annotations

import datetime
import math
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from domain import (
    conversation,
    customer,
    opt_out,
    pool,
    sent_texts,
    settings,
    template,
    text_limits,
    typed_numbers,
    worker,
)
from domain.addresses import visible
from domain.fields import LONGEST_ENTRY
from providers import sweeps

Sense = Callable[[Any], bool]


def _anything(value: Any) -> bool:
    return True


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    """One text is a list of one."""
    if isinstance(value, str):
        return len(value.strip()) <= LONGEST_ENTRY
    return isinstance(value, list) and all(
        isinstance(one, str) and one.strip() for one in value
    )


def _maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _map(value: Any) -> bool:
    return isinstance(value, dict)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _whole(value: Any) -> bool:
    """Beyond what doubles can count it is told as well, or it works: both are right."""
    return type(value) is int or (
        isinstance(value, float) and math.isfinite(value) and value == int(value)
    )


def _typed_whole(value: Any) -> bool:
    """A person may type a number as text."""
    return _whole(value) or (
        isinstance(value, str) and typed_numbers.whole(value) is not None
    )


def _patience(value: Any) -> bool:
    return typed_numbers.means_none(value) or (_typed_whole(value) and int(value) >= 1)


def _limit(value: Any) -> bool:
    return typed_numbers.means_none(value) or (_typed_whole(value) and int(value) >= 0)


def _name(value: Any) -> bool:
    """Of another record; blank is left out."""
    if not isinstance(value, str):
        return False
    name = value.strip()
    is_reserved = name in (".", "..") or (name.startswith("__") and name.endswith("__"))
    return name == "" or (
        "/" not in name and not is_reserved and len(name.encode()) <= 1500
    )


def _day(value: Any) -> bool:
    """A timestamp, or a text that begins with a date."""
    if isinstance(value, str):
        try:
            datetime.date.fromisoformat(value.strip())
        except ValueError:
            return False
        return True
    return isinstance(value, datetime.datetime) and 1970 <= value.year <= 2900


def _identity(value: Any) -> bool:
    return _name(value) and len(value.strip()) <= 256 and value.strip() != "system"


def _zone(value: Any) -> bool:
    return isinstance(value, str) and value.strip() in (
        "",
        *zoneinfo.available_timezones(),
    )


def _web_address(value: Any) -> bool:
    return isinstance(value, str) and (
        not value.strip() or value.strip().startswith("https://x")
    )


def _content(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.strip() != ""
        and ("{{" in value) == ("}}" in value)
    )


def _flag_without_content(value: Any) -> bool:
    """True without a content_sid is reported as well."""
    return value is False


def _content_sid(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _variables(value: Any) -> bool:
    """What one of them says is reported by its own rule."""
    return isinstance(value, dict)


def _hours(value: Any) -> bool:
    """What is empty is left out; what one of the days says is told by its own rule."""
    if isinstance(value, list):
        return all(isinstance(one, str) and not one.strip() for one in value)
    return isinstance(value, dict) or (isinstance(value, str) and not visible(value))


def _holidays(value: Any) -> bool:
    """Each entry is judged by its own rule."""
    entries = value if isinstance(value, list) else [value]
    return all(isinstance(one, str | dict | datetime.datetime) for one in entries)


def _one_of(*choices: str) -> Sense:
    return lambda value: (
        isinstance(value, str)
        and (value in choices or value.strip().lower() in choices)
    )


_MODE = _one_of("none", "custom", "pool")
# What people edit. Null and a field that is missing always make sense; so does whatever its kind allows.
EDITED: Mapping[str, Mapping[str, Sense]] = {
    "settings": {
        "mode": _MODE,
        "default_pool": _name,
        "custom_fallback": _one_of("pool", "none"),
        "create_customers": _flag,
        "crm_open": _flag,
        "keep_days": _typed_whole,
        "service_level_seconds": _typed_whole,
        "time_zone": _zone,
        "history": _one_of("own", "all"),
        "own_worker": _one_of("always", "available", "wait"),
        "own_worker_wait": _limit,
        "frontline_status": _flag,
        "bots": _texts,
        "opt_out_words": _texts,
    },
    "customers": {
        "display_name": _text,
        "priority": _typed_whole,
        "addresses": _texts,
        "worker": _identity,
        "avatar": _web_address,
        "links": _maps,
        "details": _map,
        "do_not_contact": _flag,
        "language": _text,
    },
    "pools": {
        "display_name": _text,
        "addresses": _texts,
        "mode": _MODE,
        "strategy": _one_of("longest_idle", "least_busy"),
        "capacity": _limit,
        "priority": _typed_whole,
        "answer_within": _patience,
        "unavailable_after": _patience,
        "overflow": _text,
        "overflow_after": _limit,
        "hours": _hours,
        "holidays": _holidays,
        "texts": _map,
    },
    "workers": {
        "status": _one_of("Available", "Unavailable"),
        "pools": _texts,
        "capacity": _limit,
        "display_name": _text,
        "addresses": _texts,
        "confirmed": _flag,
        "role": _one_of("worker", "supervisor"),
        "deputy": _identity,
        "away_until": _day,
    },
    "templates": {
        "category": _text,
        "content": _content,
        "order": _whole,
        "whatsapp_approved": _flag_without_content,
        "language": _text,
        "content_sid": _content_sid,
        "variables": _variables,
    },
}
# What the service keeps: put right or let be, never told.
KEPT: Mapping[str, tuple[str, ...]] = {
    "settings": ("problem",),
    "customers": (
        "search",
        "sort_name",
        "problem",
        "created_at",
        "opted_out",
        "notes",
    ),
    "pools": ("problem",),
    "workers": (
        "active",
        "full",
        "last_assigned_at",
        "status_since",
        "key",
        "missed",
        "missed_at",
        "unavailable_because",
        "frontline_available",
        "made_by",
        "frontline_asked",
        "ask_frontline_at",
        "devices",
        "ended_sessions",
        "signed_out_before",
        "subject",
        "device_endpoints",
        "problem",
    ),
    "templates": ("problem", "approval"),
    "pending_conversations": (
        "pool",
        "priority",
        "queued_at",
        "address",
        "proxy_address",
        "excluded_workers",
        "excluded_until",
        "for_worker",
        "open_to",
        "due_at",
        "needs_person",
    ),
    "conversations": (
        "state",
        "mode",
        "pool",
        "worker",
        "customer_id",
        "display_name",
        "address",
        "proxy_address",
        "projected_address",
        "service_sid",
        "created_at",
        "arrived_at",
        "arrived_outside_at",
        "outside_hours",
        "queued_at",
        "assigned_at",
        "closed_at",
        "lease_until",
        "expires_at",
        "state_changed_at",
        "moved_at",
        "waited",
        "attempts",
        "priority",
        "claim",
        "participant_sid",
        "leaving",
        "leaving_sid",
        "for_worker",
        "open_to",
        "due_at",
        "others",
        "excluded_workers",
        "excluded_until",
        "starting",
        "log",
        "log.at",
        "log.what",
        "log.why",
        "log.by",
        "last_message",
        "unread",
        "awaiting_since",
        "customer_wrote_at",
        "first_answer_at",
        "answered_at",
        "answered_by",
        "read_index",
        "heard",
        "undelivered",
        "taken_from",
        "went_back",
        "returns",
        "missed_by",
        "no_fallback",
        "needs_person",
        "undelivered_at",
        "answered_in",
        "customer_missing_since",
        "left_out",
        "opted_out_at",
        "corrected_at",
    ),
    "opt_outs": ("opted_out_at", "changed_at", "conversation", "index", "by"),
    "sent_texts": ("queued", "away", "assigned", "day", "day_texts"),
    "text_counts": ("hour", "texts"),
    "service": (
        "problem",
        "queue_after",
        "log_after",
        "worker_after",
        "truth_after",
        "asleep_after",
        "frontline_after",
        "asked",
        "services",
        "listed_services",
        "services_at",
        "listed_since",
        "templates_checked_at",
        "last_run_at",
        "last_mended",
    ),
}


class _Read(Mapping[str, Any]):
    """An empty record that remembers which of its fields somebody asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1  # so that nobody takes it for a record that is not there


_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "settings": partial(settings.parse, "x"),
    "customers": partial(customer.parse, "x"),
    "pools": partial(pool.parse, "x"),
    "workers": partial(worker.parse, "x"),
    "templates": partial(template.parse, "x"),
    "pending_conversations": partial(conversation.parse_entry, "x"),
    "conversations": partial(conversation.parse, "x"),
    "sent_texts": partial(sent_texts.parse, "x"),
    "opt_outs": partial(opt_out.parse, "x"),
    "text_counts": partial(text_limits.parse, "x"),
}


def read_by_the_service(collection: str) -> set[str]:
    """The fields of such a record that the code asks for today."""
    if collection == "service":
        return set(vars(sweeps.Progress()))
    record = _Read()
    _PARSERS[collection](record)
    return record.names
