"""Twilio's content templates as their API describes them, and what a record in `templates` takes over from them.

https://www.twilio.com/docs/content/content-api-resources
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# https://www.twilio.com/docs/api/errors/50542
IN_CONVERSATIONS = frozenset(
    f"twilio/{name}"
    for name in (
        "text",
        "media",
        "location",
        "quick-reply",
        "call-to-action",
        "list-picker",
        "card",
    )
)
UNSUBMITTED, UNSUPPORTED, MISSING = "unsubmitted", "unsupported", "missing"
CATEGORY = "WhatsApp templates"
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_SHOWN = ("body", "title", "label")
_DEEPEST = 8  # levels of a content's description


@dataclass(frozen=True)
class Content:
    """One content template. `status` and `reason`: what WhatsApp says of it, or why it cannot be sent."""

    sid: str
    name: str
    language: str | None = None
    text: str = ""
    variables: tuple[str, ...] = ()
    status: str | None = None
    reason: str | None = None

    @property
    def is_sendable(self) -> bool:
        return self.status != UNSUPPORTED


def parse(data: Mapping[str, Any]) -> Content:
    """A content as Twilio lists it: `sid`, `friendly_name`, `language`, `types`, `variables`, `approval_requests`."""
    types = data.get("types")
    types = types if isinstance(types, Mapping) else {}
    kinds = [types[name] for name in sorted(IN_CONVERSATIONS.intersection(types))]
    status, reason = approval_of(data.get("approval_requests"))
    if types and not kinds:
        status, reason = (
            UNSUPPORTED,
            f"Conversations cannot send the type {', '.join(sorted(types))}.",
        )
    defaults = data.get("variables")
    named = [
        *(defaults if isinstance(defaults, Mapping) else ()),
        *_placeholders(kinds),
    ]
    return Content(
        sid=str(data.get("sid") or ""),
        name=str(data.get("friendly_name") or ""),
        language=str(data.get("language") or "") or None,
        text=_text(kinds),
        variables=tuple(dict.fromkeys(map(str, named))),
        status=status,
        reason=reason,
    )


def approval_of(data: Any) -> tuple[str, str | None]:
    """Status and reason. For one content the API puts them below `whatsapp`, in its list it does not."""
    found = data if isinstance(data, Mapping) else {}
    below = found.get("whatsapp")
    found = below if isinstance(below, Mapping) else found
    status, reason = found.get("status"), found.get("rejection_reason")
    return str(status).lower() if status else UNSUBMITTED, str(
        reason
    ) if reason else None


def changes(
    record: Mapping[str, Any], content: Content, now: datetime
) -> dict[str, Any]:
    """The fields of a template's record that differ: the approval, and fields that are still missing.

    A variable without a text gets an empty one, which keeps the template from being sent with Twilio's sample value.
    """
    found: dict[str, Any] = {}
    for name, value in (("content", content.text), ("language", content.language)):
        if value and record.get(name) in (None, ""):
            found[name] = value
    known = record.get("variables")
    known = known if isinstance(known, Mapping) else {}
    without = [name for name in content.variables if name not in map(str.strip, known)]
    if without:
        found["variables"] = {**known, **dict.fromkeys(without, "")}
    return found | approval_changes(record, content.status, content.reason, now)


def approval_changes(
    record: Mapping[str, Any], status: str | None, reason: str | None, now: datetime
) -> dict[str, Any]:
    """`approval`, where it differs; `at` is when that was seen."""
    kept = record.get("approval")
    kept = kept if isinstance(kept, Mapping) else {}
    if status is None or (kept.get("status"), kept.get("reason")) == (status, reason):
        return {}
    return {"approval": {"status": status, "reason": reason, "at": now}}


def new_record(content: Content, now: datetime) -> dict[str, Any]:
    """The record for a content that no template names yet."""
    made = {"content_sid": content.sid, "category": CATEGORY}
    return made | changes(made, content, now)


def _text(kinds: list[Any]) -> str:
    """What a worker sees of it before it is sent."""
    words = (
        kind.get(name) for kind in kinds if isinstance(kind, Mapping) for name in _SHOWN
    )
    return next((word for word in words if isinstance(word, str) and word.strip()), "")


def _placeholders(value: Any, depth: int = 0) -> Iterator[str]:
    """The variables that stand in any of its texts, those of buttons and links included."""
    if isinstance(value, str):
        yield from (name for name in _PLACEHOLDER.findall(value) if name)
    elif depth < _DEEPEST:
        parts = (
            value.values()
            if isinstance(value, Mapping)
            else value
            if isinstance(value, list)
            else ()
        )
        for part in parts:
            yield from _placeholders(part, depth + 1)
