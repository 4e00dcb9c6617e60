"""What Frontline's callbacks share: they say in `Location` what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.customer import Customer
from domain.settings import Settings
from functions.door.answers import Answer, NotUnderstood, Refused
from functions.door.forms import Form, Location, parse
from providers import customers

LARGEST_ANSWER = 60_000  # bytes; Twilio takes 64 KB, and the names around the values need room too


def by_location(handlers: Mapping[str, Callable[[Form], Answer]], form: Form) -> Answer:
    """Hands over to the one who knows this Location; raises NotUnderstood for any other."""
    handle = handlers.get(parse(Location, form).location)
    if handle is None:
        raise NotUnderstood(f"Location must be {' or '.join(handlers)}.")
    return handle(form)


def refuse_another_workers(customer: Customer, worker: str, settings: Settings, asked_as: str) -> None:
    """Of a customer whom this worker may not see nothing is told, be it details, messages or a number.

    `asked_as`: the id that was asked for, under which the conversation was begun; the record may have another now.
    """
    if not customers.may_see(customer, worker, settings, asked_as):
        raise Refused(customers.ANOTHER_WORKERS)


def cut(text: str, most_bytes: int) -> str:
    """The text itself or, with a sign that something is missing, as much of its beginning as fits."""
    raw = text.encode()
    return text if len(raw) <= most_bytes else raw[: most_bytes - 3].decode(errors="ignore") + "…"


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not there: the app takes a null for a value."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def shown(customer: Customer) -> dict[str, Any]:
    """What the app shows of any customer."""
    avatar = customer.avatar if customer.avatar and len(customer.avatar) <= 2048 else None
    name = cut(customer.display_name, 256)
    return present({"customer_id": customer.customer_id, "display_name": name, "avatar": avatar})
