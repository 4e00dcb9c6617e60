"""What Frontline's callbacks share: they say in `Location` what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from domain.customer import Customer
from domain.fields import is_record_name
from functions.frontline.forms import Location, OfCustomer
from functions.http.answers import Answer, NotFound, NotUnderstood, Refused
from functions.http.forms import Form, parse
from providers import customers, database, settings

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot

NOBODY = "There is no customer with this CustomerId."
LARGEST_ANSWER = (
    60_000  # bytes; Twilio takes 64 KB, and the names around the values need room too
)


def by_location(handlers: Mapping[str, Callable[[Form], Answer]], form: Form) -> Answer:
    """Hands over to the one who knows this Location; raises NotUnderstood for any other."""
    handle = handlers.get(parse(Location, form).location)
    if handle is None:
        raise NotUnderstood(f"Location must be {' or '.join(handlers)}.")
    return handle(form)


def asked_about(wanted: OfCustomer, *others: DocumentReference) -> tuple[Snapshot, ...]:
    """The record of the customer, and `others` in the same round trip. Raises NotFound where there is none.

    Of a customer whom this worker may not see nothing is told, be it details or messages: raises Refused.
    """
    if not is_record_name(wanted.customer_id):
        raise NotFound(NOBODY)
    named, rules, *more = database.read(
        customers.reference(wanted.customer_id), settings.reference(), *others
    )
    if (record := customers.standing_for(named)) is None:
        raise NotFound(NOBODY)
    if not customers.may_see(
        customers.of(record), wanted.worker, settings.of(rules), wanted.customer_id
    ):
        raise Refused(customers.ANOTHER_WORKERS)
    return record, *more


def cut(text: str, most_bytes: int) -> str:
    """The text itself or, with a sign that something is missing, as much of its beginning as fits."""
    raw = text.encode()
    return (
        text
        if len(raw) <= most_bytes
        else raw[: most_bytes - 3].decode(errors="ignore") + "…"
    )


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not there: the app takes a null for a value."""
    return {
        name: value for name, value in values.items() if value not in (None, "", [], {})
    }


def shown(customer: Customer) -> dict[str, Any]:
    """What the app shows of any customer."""
    avatar = (
        customer.avatar if customer.avatar and len(customer.avatar) <= 2048 else None
    )
    name = cut(customer.display_name, 256)
    return present(
        {"customer_id": customer.customer_id, "display_name": name, "avatar": avatar}
    )
