"""Frontline's templates callback: ready-made messages for this customer, with all placeholders filled.

https://www.twilio.com/docs/frontline/templated-messages
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from domain.template import Template, in_language, text_of, values_for
from functions.frontline import callback
from functions.frontline.forms import OfCustomer
from functions.http.answers import Answer
from functions.http.forms import Form, parse
from providers import customers, database, log, workers
from providers import templates as records


def handle(form: Form) -> Answer:
    """Answer a request for the templates of a customer."""
    return callback.by_location({"GetTemplatesByCustomerId": _of_customer}, form)


def _of_customer(form: Form) -> Answer:
    """Answer with the templates in the customer's language. Raises NotFound and Refused."""
    wanted = parse(OfCustomer, form)
    (record, worker), all_templates = database.together(
        lambda: callback.asked_about(wanted, workers.reference(wanted.worker)),
        records.load,
    )
    customer = customers.of(record)
    values = values_for(
        customer, record.to_dict() or {}, wanted.worker, worker.to_dict() or {}
    )
    chosen = in_language(all_templates, customer.language)
    return Answer(grouped(chosen, values, customer.language))


def grouped(
    templates: list[Template], values: Mapping[str, Any], language: str | None = None
) -> list[dict[str, Any]]:
    """Return Frontline's shape: the categories in order, each with its templates in order; no empty one."""
    groups: dict[str, list[dict[str, Any]]] = {}
    room = callback.LARGEST_ANSWER
    for template in templates:
        content = text_of(template, values, language)
        if content is None:
            continue
        entry = callback.present(
            {"content": content, "whatsAppApproved": template.whatsapp_approved or None}
        )
        text = json.dumps([template.category, entry], ensure_ascii=False)
        room -= len(text.encode()) + 50
        if room < 0:
            log.warning(
                "There are more templates than fit into an answer; the last ones are left out."
            )
            break
        groups.setdefault(template.category, []).append(entry)
    return [
        {"display_name": name, "templates": group} for name, group in groups.items()
    ]
