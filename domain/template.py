"""Templates: ready-made messages that a worker can send, with placeholders for the customer and the worker.

One with a `content_sid` is a WhatsApp template as well, which reaches customers who have not written for 24 hours.
Twilio takes such a template by its SID only: its text as the body of a message has failed since 2025-04-01
(https://www.twilio.com/docs/api/errors/63016).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import languages, template_variables, window
from domain.customer import Customer, has_name
from domain.fields import Fields, cut
from domain.template_variables import Variables
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


APPROVED = "approved"


@dataclass(frozen=True)
class Approval:
    """What WhatsApp says of a template, as it was last read; `status` is None until then.

    Twilio's words are unsubmitted, received, pending, approved, rejected, paused and disabled. Ours are `unsupported`,
    for a type that Conversations cannot send, and `missing`, for a SID that Twilio does not know.
    """

    status: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Template:
    id: str
    content: str = ""
    category: str = "General"
    order: int = 0
    language: str | None = None
    whatsapp_approved: bool = False
    content_sid: str | None = None
    variables: Variables = field(default_factory=dict)
    approval: Approval = Approval()
    problem: str | None = None

    @property
    def opens_conversations(self) -> bool:
        """Whether it can be sent to a customer who has not written for 24 hours. A template whose approval is not known
        yet is tried, because a refusal is looked up at once."""
        return bool(self.content and self.content_sid) and self.approval.status in (
            None,
            APPROVED,
        )


def parse(
    template_id: str, data: Mapping[str, Any] | None, version: object = None
) -> Template:
    fields = Fields(data)
    content = fields.text("content", _LONGEST)
    if fields.problem:
        content = None  # half a message is none
    elif content is None:
        fields.complain("content is missing; the template is not shown.")
    variables = template_variables.read(fields)
    if variables is None:
        content = None
    for wrong in unknown_placeholders(content or "", variables or ())[:_MOST_NAMED]:
        fields.complain(
            f"content has {cut(wrong)}{_advice(wrong)} the template is not shown."
        )
    for text in (variables or {}).values():
        for wrong in unknown_placeholders(text)[:1]:
            fields.complain(
                f"variables has {cut(wrong)}{_advice(wrong)} the template is not shown."
            )
    content_sid, is_approved = (
        fields.sid("content_sid", "HX"),
        fields.flag("whatsapp_approved", default=False),
    )
    if is_approved and content_sid is None:
        fields.complain(
            "whatsapp_approved needs a content_sid (HX...), because WhatsApp takes templates by it only; without one "
            "the template is sent as a text, within 24 hours of the customer's last message."
        )
    return Template(
        id=template_id,
        content=content or "",
        category=fields.text("category") or "General",
        order=fields.whole("order", default=0),
        language=fields.text("language"),
        whatsapp_approved=is_approved,
        content_sid=content_sid,
        variables=variables or {},
        approval=_approval(data),
        problem=fields.problem,
    )


def _approval(data: Mapping[str, Any] | None) -> Approval:
    """What the service keeps; a value of another type counts as not known."""
    kept = (data or {}).get("approval")
    read = Fields(kept if isinstance(kept, Mapping) else None)
    status = read.text("status")
    return Approval(status.lower() if status else None, read.text("reason"))


def unknown_placeholders(content: str, variables: Collection[str] = ()) -> list[str]:
    """What was meant for a placeholder, what stands between braces and is none, and braces that are left over."""
    content = _BRACES.sub(
        lambda found: "" if found[1].strip() in variables else found[0], content
    )
    wrong = [found[0] for found in _MEANT.finditer(content) if not _is_right(found[0])]
    rest = _MEANT.sub(lambda found: found[0] if _is_right(found[0]) else "", content)
    wrong += [
        f"{{{{{inner}}}}}"
        for inner in _BRACES.findall(rest)
        if not _KNOWN.fullmatch(inner)
    ]
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


def text_of(
    template: Template, values: Mapping[str, Any], spoken: str | None = None
) -> str | None:
    """The template as the customer reads it; None where something in it has no value.

    `spoken`: the customer's language.
    """
    if not template.content:
        return None
    if template.content_sid is None:
        return rendered(template.content, values)
    filled = variables_of(template, values, spoken)
    named = template_variables.with_name(values, template.language, spoken)
    return None if filled is None else rendered(template.content, named, filled)


def variables_of(
    template: Template, values: Mapping[str, Any], spoken: str | None = None
) -> dict[str, str] | None:
    """The values of its variables, none of them empty; None where one has no value."""
    named = template_variables.with_name(values, template.language, spoken)
    filled = {
        name: template_variables.in_one_line(rendered(text, named))
        for name, text in template.variables.items()
    }
    found = {name: value for name, value in filled.items() if value is not None}
    return found if len(found) == len(filled) else None


def as_sent(
    template: Template,
    values: Mapping[str, Any],
    channel: str,
    spoken: str | None = None,
) -> dict[str, str] | None:
    """What Twilio is sent: a content template on WhatsApp, a text elsewhere; None where something has no value."""
    text = text_of(template, values, spoken)
    if text is None:
        return None
    if channel != window.WHATSAPP or not template.opens_conversations:
        return {"body": text}
    variables = variables_of(template, values, spoken)
    content = {"content_sid": template.content_sid or ""}
    return content | ({"content_variables": json.dumps(variables)} if variables else {})


def rendered(
    content: str, values: Mapping[str, Any], variables: Variables | None = None
) -> str | None:
    """The content with every placeholder filled; None where one has no value.

    `values` are those of Name and Author, and the records customer and worker; a name in `variables` comes first. What
    they hold is only ever put in as it is: braces inside a value mean nothing.
    """
    known = variables or {}
    if unknown_placeholders(content, known):
        return None
    found = {
        inner: known.get(inner.strip()) or _value(inner.strip().split("."), values)
        for inner in _BRACES.findall(content)
    }
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
    customer: Customer,
    record: Mapping[str, Any],
    identity: str,
    worker: Mapping[str, Any],
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
    return [
        t for category in by_category.values() for t in _fitting(category, language)
    ]


def _fitting(category: list[Template], language: str | None) -> list[Template]:
    for one in (*languages.fitting(language), None):
        fitting = [
            t for t in category if (t.language and languages.spelled(t.language)) == one
        ]
        if fitting:
            return fitting
    return category
