"""Templates: ready-made messages that a worker can send, with placeholders for the customer and the worker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import languages
from domain.customer import Customer, has_name
from domain.fields import Fields, cut
from domain.worker import parse as parse_worker

_LONGEST = 4000  # characters; Twilio sends 1,600 at most
_MOST_NAMED = 3
_BRACES = re.compile(r"\{\{([^{}]*)\}\}")
_KNOWN = re.compile(r"\s*(Name|Author|(?:customer|worker)(?:\.[\w-]+)+)\s*")
# What was meant for one, as other programs write theirs: {Name}, [Name], %Name%, <Name>, ${Name}, {{name}}, {{{Name}}}.
_MEANT = re.compile(
    r"(?:\$?\{{1,3}|\[{1,2}|<{1,2}|%{1,2}|#)\s*"
    r"(?P<word>Name|Author|(?:customer|worker)(?:\.[\w-]+)+)"
    r"\s*(?:\}{1,3}|\]{1,2}|>{1,2}|%{1,2}|#)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Template:
    id: str
    content: str = ""
    category: str = "General"
    order: int = 0
    language: str | None = None
    whatsapp_approved: bool = False
    problem: str | None = None


def parse(template_id: str, data: Mapping[str, Any] | None, version: object = None) -> Template:
    fields = Fields(data)
    content = fields.text("content", _LONGEST)
    if fields.problem:
        content = None  # half a message is none
    elif content is None:
        fields.complain("content is missing; the template is not shown.")
    for wrong in unknown_placeholders(content or "")[:_MOST_NAMED]:
        fields.complain(f"content has {cut(wrong)}{_advice(wrong)} the template is not shown.")
    return Template(
        id=template_id,
        content=content or "",
        category=fields.text("category") or "General",
        order=fields.whole("order", default=0),
        language=fields.text("language"),
        whatsapp_approved=fields.flag("whatsapp_approved", default=False),
        problem=fields.problem,
    )


def unknown_placeholders(content: str) -> list[str]:
    """What was meant for a placeholder, what stands between braces and is none, and braces that are left over."""
    wrong = [found[0] for found in _MEANT.finditer(content) if not _is_right(found[0])]
    rest = _MEANT.sub(lambda found: found[0] if _is_right(found[0]) else "", content)
    wrong += [f"{{{{{inner}}}}}" for inner in _BRACES.findall(rest) if not _KNOWN.fullmatch(inner)]
    left = _BRACES.sub("", rest)
    return wrong + [braces for braces in ("{{", "}}") if braces in left]


def _is_right(placeholder: str) -> bool:
    braces = _BRACES.fullmatch(placeholder)
    return braces is not None and _KNOWN.fullmatch(braces[1]) is not None


def _advice(wrong: str) -> str:
    """What is to stand there instead."""
    found = _MEANT.fullmatch(wrong)
    if found is None:
        return ", which is none of {{Name}}, {{Author}}, {{customer.FIELD}} and {{worker.FIELD}};"
    record, dot, field = found["word"].partition(".")
    meant = f"{record.lower()}.{field}" if dot else record.capitalize()
    return f": did you mean {{{{{meant}}}}}? Until then"


def rendered(content: str, values: Mapping[str, Any]) -> str | None:
    """The content with every placeholder filled; None where one has no value.

    `values` are those of Name and Author, and the records customer and worker. What they hold is only ever
    put in as it is: braces inside a value mean nothing.
    """
    if unknown_placeholders(content):
        return None
    found = {inner: _value(inner.strip().split("."), values) for inner in _BRACES.findall(content)}
    if None in found.values():
        return None
    return _BRACES.sub(lambda braces: found[braces.group(1)] or "", content)


def _value(path: list[str], values: Mapping[str, Any]) -> str | None:
    """The text of a field, also one inside a map: customer.details.title."""
    value: Any = values
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the console stores 5 as a double at times
    return str(value).strip() or None


def values_for(
    customer: Customer, record: Mapping[str, Any], identity: str, worker: Mapping[str, Any]
) -> dict[str, Any]:
    """What placeholders can name. A customer who is only called by their address has no name to be greeted by."""
    return {
        "Name": customer.display_name if has_name(record) else None,
        "Author": parse_worker(identity, worker).name,
        "customer": {**record, "customer_id": customer.customer_id},
        "worker": {**worker, "identity": identity},
    }


def in_language(templates: list[Template], language: str | None) -> list[Template]:
    """In each category those in the customer's language, else those without a language, else all of it."""
    by_category: dict[str, list[Template]] = {}
    for template in sorted(templates, key=lambda t: (t.order, t.id)):
        by_category.setdefault(template.category, []).append(template)
    return [t for category in by_category.values() for t in _fitting(category, language)]


def _fitting(category: list[Template], language: str | None) -> list[Template]:
    for one in (*languages.fitting(language), None):
        fitting = [t for t in category if (t.language and languages.spelled(t.language)) == one]
        if fitting:
            return fitting
    return category
