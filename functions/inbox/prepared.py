"""Prepared texts with the customer's and the worker's names filled in."""

from __future__ import annotations

from typing import Any

from domain.conversation import Conversation
from domain.customer import Customer
from domain.template import Template, in_language, rendered, values_for
from domain.worker import Worker
from functions.door.answers import Impossible
from functions.inbox import authority
from providers import customers, database, settings, templates, workers


def listed(worker: Worker, conversation: Conversation) -> list[dict[str, Any]]:
    """Categories in order, with the texts that can be filled in for this customer."""
    chosen, values = _chosen(worker, conversation)
    groups: dict[str, list[dict[str, Any]]] = {}
    for template in chosen:
        if (content := _filled(template, values)) is not None:
            one = {"id": template.id, "content": content, "approved": template.whatsapp_approved}
            groups.setdefault(template.category, []).append(one)
    return [{"name": name, "templates": found} for name, found in groups.items()]


def text(worker: Worker, conversation: Conversation, template_id: str, approved_only: bool) -> str:
    """One of them, as it is now. Raises Impossible."""
    chosen, values = _chosen(worker, conversation)
    wanted = next((one for one in chosen if one.id == template_id), None)
    content = _filled(wanted, values) if wanted else None
    if wanted is None or content is None:
        raise Impossible("This template is not there any more; choose another one.")
    if approved_only and not wanted.whatsapp_approved:
        raise Impossible(
            "More than 24 hours have passed since the customer last wrote: WhatsApp takes approved templates only."
        )
    return content


def _filled(template: Template, values: dict[str, Any]) -> str | None:
    return rendered(template.content, values) if template.content else None


def _chosen(worker: Worker, conversation: Conversation) -> tuple[list[Template], dict[str, Any]]:
    named = customers.reference(conversation.customer_id) if conversation.customer_id else None
    them = workers.reference(worker.identity)
    read, found = database.together(
        lambda: database.read(them, settings.reference(), *([named] if named else [])), templates.load
    )
    record = customers.standing_for(read[2]) if named else None
    if record is None:
        customer, data = _stranger(conversation), {}
    else:
        authority.refuse_hidden_customer(worker, conversation, record, read[1])
        customer, data = customers.of(record), record.to_dict() or {}
    values = values_for(customer, data, worker.identity, read[0].to_dict() or {})
    return in_language(found, customer.language), values


def _stranger(conversation: Conversation) -> Customer:
    address = conversation.address or ""
    return Customer(conversation.customer_id or "unknown", address, (address,), known=False)
