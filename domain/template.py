"""Templates: ready-made messages that a worker can send, with placeholders for the customer and the worker.

One with a `content_sid` is a WhatsApp template as well, which reaches customers while their window is closed.
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
# Misspelled placeholders, as in other programs: {Name}, [Name], %Name%, <Name>, ${Name}, {{name}}, {{{Name}}}.
_MISSPELLED = re.compile(
    r"(?:\$?\{{1,3}|\[{1,2}|<{1,2}|%{1,2}|#)\s*"
    r"(?P<word>Name|Author|(?:customer|worker)(?:\.[\w-]+)+)"
    r"\s*(?:\}{1,3}|\]{1,2}|>{1,2}|%{1,2}|#)",
    re.IGNORECASE,
)


APPROVED = "approved"


@dataclass(frozen=True)
class Approval:
    """WhatsApp's verdict on a template at the last look; `status` is None until then.

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
        """Whether it can be sent while the window is closed. A template without a known approval is tried, because a
        refusal is looked up at once."""
        if not self.content or not self.content_sid:
            return False
        return self.approval.status in (None, APPROVED)


def parse(
    template_id: str, data: Mapping[str, Any] | None, version: object = None
) -> Template:
    """Read a template's record. One that cannot be shown has no content; `problem` says why."""
    fields = Fields(data)
    content = _content(fields)
    variables = template_variables.read(fields)
    if variables is None:
        content, variables = "", {}
    _complain_of_placeholders(fields, content, variables)
    content_sid = fields.sid("content_sid", "HX")
    is_approved = fields.flag("whatsapp_approved", default=False)
    if is_approved and content_sid is None:
        fields.complain(
            "whatsapp_approved needs a content_sid (HX...), because WhatsApp takes templates by it only. Without one "
            "the template is sent as a text, within 24 hours of the customer's last message."
        )
    return Template(
        id=template_id,
        content=content,
        category=fields.text("category") or "General",
        order=fields.whole("order", default=0),
        language=fields.text("language"),
        whatsapp_approved=is_approved,
        content_sid=content_sid,
        variables=variables,
        approval=_approval(data),
        problem=fields.problem,
    )


def _content(fields: Fields) -> str:
    """Read the text; "" if it is missing or invalid. A text that is too long is not shown in part."""
    content = fields.text("content", _LONGEST)
    if fields.problem:
        return ""
    if content is None:
        fields.complain("content is missing. The template is not shown.")
    return content or ""


def _complain_of_placeholders(
    fields: Fields, content: str, variables: Variables
) -> None:
    wrong = unknown_placeholders(content, variables)[:_MOST_NAMED]
    places = [("content", placeholder) for placeholder in wrong]
    for text in variables.values():
        first = unknown_placeholders(text)[:1]
        places += [("variables", placeholder) for placeholder in first]
    for name, placeholder in places:
        advice = _advice(placeholder)
        fields.complain(
            f"{name} has {cut(placeholder)}{advice} Until then the template is not shown."
        )


def _approval(data: Mapping[str, Any] | None) -> Approval:
    """Read the approval that the service keeps; values of other types count as unknown."""
    approval = (data or {}).get("approval")
    if not isinstance(approval, Mapping):
        return Approval()
    read = Fields(approval)
    status = (read.text("status") or "").lower()
    return Approval(status or None, read.text("reason"))


def unknown_placeholders(content: str, variables: Collection[str] = ()) -> list[str]:
    """Return misspelled placeholders, unknown ones between braces, and braces without a counterpart."""
    wrong: list[str] = []

    def without_variable(match: re.Match[str]) -> str:
        return "" if match[1].strip() in variables else match[0]

    def without_misspelling(match: re.Match[str]) -> str:
        if _is_right(match[0]):
            return match[0]
        wrong.append(match[0])
        return ""

    rest = _MISSPELLED.sub(without_misspelling, _BRACES.sub(without_variable, content))
    wrong += [
        f"{{{{{name}}}}}"
        for name in _BRACES.findall(rest)
        if not _KNOWN.fullmatch(name)
    ]
    left_over = _BRACES.sub("", rest)
    return wrong + [braces for braces in ("{{", "}}") if braces in left_over]


def _is_right(placeholder: str) -> bool:
    braces = _BRACES.fullmatch(placeholder)
    return braces is not None and _KNOWN.fullmatch(braces[1]) is not None


def _advice(wrong: str) -> str:
    """Return what to write instead."""
    match = _MISSPELLED.fullmatch(wrong)
    if match is None:
        return ", which is none of {{Name}}, {{Author}}, {{customer.FIELD}} and {{worker.FIELD}}."
    record, dot, field = match["word"].partition(".")
    meant = f"{record.lower()}.{field}" if dot else record.capitalize()
    return f": did you mean {{{{{meant}}}}}?"


def text_of(
    template: Template, values: Mapping[str, Any], spoken: str | None = None
) -> str | None:
    """Return the template as the customer reads it; None if a placeholder has no value.

    `values`: those of `values_for`. `spoken`: the customer's language.
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
    """Return the values of its variables, none of them empty; None if one has no value."""
    named = template_variables.with_name(values, template.language, spoken)
    filled = {
        name: template_variables.in_one_line(rendered(text, named))
        for name, text in template.variables.items()
    }
    complete = {name: value for name, value in filled.items() if value is not None}
    return complete if len(complete) == len(filled) else None


def as_sent(
    template: Template,
    values: Mapping[str, Any],
    channel: str,
    spoken: str | None = None,
) -> dict[str, str] | None:
    """Return the fields of the message for Twilio: a content template on WhatsApp, a text elsewhere.

    None if a placeholder has no value.
    """
    text = text_of(template, values, spoken)
    if text is None:
        return None
    if channel != window.WHATSAPP or not template.opens_conversations:
        return {"body": text}
    message = {"content_sid": template.content_sid or ""}
    variables = variables_of(template, values, spoken)
    if variables:
        message["content_variables"] = json.dumps(variables)
    return message


def rendered(
    content: str, values: Mapping[str, Any], variables: Variables | None = None
) -> str | None:
    """Return the content with every placeholder filled; None if one has no value.

    `values` are those of Name and Author, and the records customer and worker; a name in `variables` comes first.
    Values are inserted unchanged: braces in them are no placeholders.
    """
    by_name = variables or {}
    if unknown_placeholders(content, by_name):
        return None
    texts: dict[str, str] = {}
    for inner in _BRACES.findall(content):
        name = inner.strip()
        text = by_name.get(name) or _value(name.split("."), values)
        if text is None:
            return None
        texts[inner] = text
    return _BRACES.sub(lambda braces: texts[braces[1]], content)


def _value(path: list[str], values: Mapping[str, Any]) -> str | None:
    """Return the text of a field, which can be inside a map: customer.details.title. None if it has none."""
    value: Any = values
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    match value:
        case datetime():
            return value.date().isoformat()
        case float() if value.is_integer():
            return str(int(value))  # the console sometimes stores 5 as a double
        case bool():
            return None
        case str() | int() | float():
            return str(value).strip() or None
    return None


def values_for(
    customer: Customer,
    record: Mapping[str, Any],
    identity: str,
    worker: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the values of the placeholders. A customer whose only name is their address has no Name.

    Notes on a customer are no values, because they are never sent.
    """
    public = {name: value for name, value in record.items() if name != "notes"}
    return {
        "Name": customer.display_name if has_name(record) else None,
        "Author": parse_worker(identity, worker).name,
        "customer": {**public, "customer_id": customer.customer_id},
        "worker": {**worker, "identity": identity},
    }


def in_language(templates: list[Template], language: str | None) -> list[Template]:
    """Return for each category the templates in the customer's language, else those without one, else all."""
    by_category: dict[str, list[Template]] = {}
    for template in sorted(templates, key=lambda t: (t.order, t.id)):
        by_category.setdefault(template.category, []).append(template)
    return [
        t for category in by_category.values() for t in _fitting(category, language)
    ]


def _fitting(category: list[Template], language: str | None) -> list[Template]:
    by_language: dict[str | None, list[Template]] = {}
    for template in category:
        spelled = languages.spelled(template.language) if template.language else None
        by_language.setdefault(spelled, []).append(template)
    for preferred in (*languages.fitting(language), None):
        if preferred in by_language:
            return by_language[preferred]
    return category
