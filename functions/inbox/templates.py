"""Templates with the customer's and the worker's names filled in: which are offered, and how one is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain import addresses, template, window
from domain.conversation import Conversation
from domain.customer import Customer
from domain.template import Template
from domain.window import Window
from domain.worker import Worker
from functions.http.answers import Impossible
from functions.inbox import authority
from providers import clock, customers, database, settings, templates, workers


@dataclass(frozen=True)
class _Choice:
    """The templates in the customer's language, and what their placeholders stand for."""

    templates: list[Template]
    values: Mapping[str, Any]
    language: str | None

    def text(self, one: Template) -> str | None:
        return template.text_of(one, self.values, self.language)


def listed(
    worker: Worker, conversation: Conversation, open_until: Window | None
) -> list[dict[str, Any]]:
    """Categories in order, with the texts that can be filled in for this customer and sent now."""
    chosen, groups = _chosen(worker, conversation), dict[str, list[dict[str, Any]]]()
    for one in chosen.templates:
        content = chosen.text(one)
        if content is None or not _can_be_sent(one, open_until):
            continue
        shown = {"id": one.id, "content": content, "approved": one.opens_conversations}
        groups.setdefault(one.category, []).append(shown)
    return [{"name": name, "templates": found} for name, found in groups.items()]


def content(
    worker: Worker,
    conversation: Conversation,
    template_id: str,
    open_until: Window | None,
) -> dict[str, str]:
    """What Twilio is sent for one of them, as it is now. Raises Impossible."""
    chosen = _chosen(worker, conversation)
    wanted = next((one for one in chosen.templates if one.id == template_id), None)
    if wanted is None:
        raise Impossible("This template is not there any more; choose another one.")
    channel = addresses.channel(conversation.address or "")
    found = template.as_sent(wanted, chosen.values, channel, chosen.language)
    if open_until is not None and not _can_be_sent(wanted, open_until):
        raise Impossible(open_until.why_closed)
    if found is None:
        raise Impossible(
            "This template cannot be filled in for this customer; choose another one."
        )
    return found


def _can_be_sent(one: Template, open_until: Window | None) -> bool:
    """While the window is closed only a template reaches the customer, and only where the channel has templates."""
    if open_until is None or not window.is_closed(open_until, clock.now()):
        return True
    return open_until.takes_templates and one.opens_conversations


def _chosen(worker: Worker, conversation: Conversation) -> _Choice:
    named = (
        customers.reference(conversation.customer_id)
        if conversation.customer_id
        else None
    )
    them = workers.reference(worker.identity)
    read, found = database.together(
        lambda: database.read(them, settings.reference(), *([named] if named else [])),
        templates.load,
    )
    record = customers.standing_for(read[2]) if named else None
    if record is None:
        customer, data = _stranger(conversation), {}
    else:
        authority.refuse_hidden_customer(worker, conversation, record, read[1])
        customer, data = customers.of(record), record.to_dict() or {}
    values = template.values_for(
        customer, data, worker.identity, read[0].to_dict() or {}
    )
    return _Choice(
        template.in_language(found, customer.language), values, customer.language
    )


def _stranger(conversation: Conversation) -> Customer:
    address = conversation.address or ""
    return Customer(
        conversation.customer_id or "unknown", address, (address,), known=False
    )
