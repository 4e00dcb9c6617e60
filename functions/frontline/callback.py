"""What Frontline's callbacks share: they say in `Location` what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.customer import Customer
from functions.door.answers import Answer, NotUnderstood
from functions.door.forms import Form, Location, parse

LARGEST_ANSWER = 60_000  # bytes; Twilio takes 64 KB, and the names around the values need room too


def by_location(handlers: Mapping[str, Callable[[Form], Answer]], form: Form) -> Answer:
    """Hands over to the one who knows this Location; raises NotUnderstood for any other."""
    handle = handlers.get(parse(Location, form).location)
    if handle is None:
        raise NotUnderstood(f"Location must be {' or '.join(handlers)}.")
    return handle(form)


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
