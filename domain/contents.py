"""Twilio's content templates as their API describes them, and the fields that a record in `templates` takes from them.

https://www.twilio.com/docs/content/content-api-resources
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
    """One content template.

    `status` and `reason`: WhatsApp's answer to the request for approval, or why it cannot be sent.
    """

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
    """Return a content that Twilio lists: `sid`, `friendly_name`, `language`, `types`,
    `variables`, `approval_requests`. Values of another type count as left out."""
    types = _mapping(data.get("types"))
    kinds = [types[name] for name in sorted(IN_CONVERSATIONS.intersection(types))]
    status, reason = approval_of(data.get("approval_requests"))
    if types and not kinds:
        names = ", ".join(sorted(types))
        status, reason = UNSUPPORTED, f"Conversations cannot send the type {names}."
    variables = [*_mapping(data.get("variables")), *_placeholders(kinds)]
    return Content(
        sid=_text_of(data, "sid"),
        name=_text_of(data, "friendly_name"),
        language=_text_of(data, "language") or None,
        text=_text(kinds),
        variables=tuple(dict.fromkeys(map(str, variables))),
        status=status,
        reason=reason,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text_of(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name) or "")


def approval_of(data: Any) -> tuple[str, str | None]:
    """Return status and reason of a request for approval.

    For one content, Twilio's API puts both below `whatsapp`; in its list, it does not.
    """
    approval = _mapping(data)
    if isinstance(approval.get("whatsapp"), Mapping):
        approval = approval["whatsapp"]
    status = _text_of(approval, "status").lower() or UNSUBMITTED
    return status, _text_of(approval, "rejection_reason") or None


def changes(
    record: Mapping[str, Any], content: Content, now: datetime
) -> dict[str, Any]:
    """Return the fields of a template's record that differ: the approval, and fields
    that are missing.

    A variable without a text gets an empty one, which keeps the template from being sent
    with Twilio's sample value.
    """
    fields: dict[str, Any] = {
        name: value
        for name, value in (("content", content.text), ("language", content.language))
        if value and record.get(name) in (None, "")
    }
    variables = _mapping(record.get("variables"))
    names = set(map(str.strip, variables))
    missing = [name for name in content.variables if name not in names]
    if missing:
        fields["variables"] = {**variables, **dict.fromkeys(missing, "")}
    return fields | approval_changes(record, content.status, content.reason, now)


def approval_changes(
    record: Mapping[str, Any], status: str | None, reason: str | None, now: datetime
) -> dict[str, Any]:
    """Return `approval` if it differs from the record's; `at` is when this was noticed."""
    approval = _mapping(record.get("approval"))
    pair = approval.get("status"), approval.get("reason")
    if status is None or pair == (status, reason):
        return {}
    return {"approval": {"status": status, "reason": reason, "at": now}}


def new_record(content: Content, now: datetime) -> dict[str, Any]:
    """Return the record for a content that no template has yet."""
    record = {"content_sid": content.sid, "category": CATEGORY}
    return record | changes(record, content, now)


def _text(kinds: list[Any]) -> str:
    """Return the text that a worker sees before the template is sent."""
    words = (kind.get(name) for kind in map(_mapping, kinds) for name in _SHOWN)
    return next((word for word in words if isinstance(word, str) and word.strip()), "")


def _placeholders(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the variables in all texts of a content, also in its buttons and links."""
    if isinstance(value, str):
        yield from filter(None, _PLACEHOLDER.findall(value))
    elif depth < _DEEPEST:
        for part in _parts(value):
            yield from _placeholders(part, depth + 1)


def _parts(value: Any) -> Iterable[Any]:
    match value:
        case Mapping():
            return value.values()
        case list():
            return value
    return ()
