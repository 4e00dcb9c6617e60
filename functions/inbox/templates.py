"""Fills in templates with the customer's and the worker's names: which ones are offered, and how one is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain import template
from domain.conversation import Conversation
from domain.customer import Customer
from domain.template import Template
from domain.window import Window
from domain.worker import Worker
from functions.http.answers import Impossible
from functions.inbox import authority
from functions.inbox.formats import channel_of, closed
from providers import customers, database, settings, templates, workers


@dataclass(frozen=True)
class _Choice:
    """The templates in the customer's language, and the values of their placeholders."""

    templates: list[Template]
    values: Mapping[str, Any]
    language: str | None

    def text(self, choice: Template) -> str | None:
        """Return the filled-in text; None if a value is missing."""
        return template.text_of(choice, self.values, self.language)


def listed(
    worker: Worker, conversation: Conversation, open_until: Window | None
) -> list[dict[str, Any]]:
    """Return the templates by category, each filled in: those that can be sent to this customer now.

    Each category is {name, templates}, each template {id, content, approved}.
    """
    choice = _choice(worker, conversation)
    categories: dict[str, list[dict[str, Any]]] = {}
    for entry in choice.templates:
        text = choice.text(entry)
        if text is None or _why_not(entry, open_until) is not None:
            continue
        categories.setdefault(entry.category, []).append(
            {"id": entry.id, "content": text, "approved": entry.opens_conversations}
        )
    return [
        {"name": name, "templates": entries} for name, entries in categories.items()
    ]


def content(
    worker: Worker,
    conversation: Conversation,
    template_id: str,
    open_until: Window | None,
) -> dict[str, str]:
    """Return what Twilio is sent for a template. Raises Impossible if it cannot be sent now."""
    choice = _choice(worker, conversation)
    templates_by_id = {entry.id: entry for entry in choice.templates}
    chosen = templates_by_id.get(template_id)
    if chosen is None:
        raise Impossible("This template no longer exists. Choose another one.")
    if (why := _why_not(chosen, open_until)) is not None:
        raise Impossible(why)
    channel = channel_of(conversation)
    fields = template.as_sent(chosen, choice.values, channel, choice.language)
    if fields is None:
        raise Impossible(
            "This template can't be filled in for this customer. Choose another one."
        )
    return fields


def _why_not(entry: Template, open_until: Window | None) -> str | None:
    """Return the sentence why the template does not reach the customer now; None if it does."""
    shut = closed(open_until)
    if shut is None or (shut.takes_templates and entry.opens_conversations):
        return None
    return shut.why_closed


def _choice(worker: Worker, conversation: Conversation) -> _Choice:
    """Read the templates and all values for their placeholders, in one round trip.

    Raises Refused if the customer is hidden from the worker.
    """
    references = [workers.reference(worker.identity), settings.reference()]
    if conversation.customer_id:
        references.append(customers.reference(conversation.customer_id))
    (own_record, rules, *records), all_templates = database.together(
        lambda: database.read(*references), templates.load
    )
    record = customers.standing_for(records[0]) if records else None
    if record is None:
        customer, data = _unknown_customer(conversation), {}
    else:
        authority.refuse_hidden_customer(worker, conversation, record, rules)
        customer, data = customers.of(record), record.to_dict() or {}
    values = template.values_for(
        customer, data, worker.identity, own_record.to_dict() or {}
    )
    in_language = template.in_language(all_templates, customer.language)
    return _Choice(in_language, values, customer.language)


def _unknown_customer(conversation: Conversation) -> Customer:
    address = conversation.address or ""
    name = conversation.customer_id or "unknown"
    return Customer(name, address, (address,), known=False)
