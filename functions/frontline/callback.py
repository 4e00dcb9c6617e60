"""Shared parts of Frontline's callbacks, which name their request in `Location`."""

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
# Bytes; Twilio takes 64 KB, and the names around the values need room, too.
LARGEST_ANSWER = 60_000
_LONGEST_AVATAR = 2048  # characters


def by_location(handlers: Mapping[str, Callable[[Form], Answer]], form: Form) -> Answer:
    """Call the handler of the form's Location; raises NotUnderstood for an unknown one."""
    handle = handlers.get(parse(Location, form).location)
    if handle is None:
        raise NotUnderstood(f"Location must be {' or '.join(handlers)}.")
    return handle(form)


def asked_about(wanted: OfCustomer, *others: DocumentReference) -> tuple[Snapshot, ...]:
    """Return the customer's record, and `others` in the same round trip.

    Raises NotFound without a record, and Refused if this worker may not see the customer.
    """
    if not is_record_name(wanted.customer_id):
        raise NotFound(NOBODY)
    requested, routing_record, *more = database.read(
        customers.reference(wanted.customer_id), settings.reference(), *others
    )
    record = customers.standing_for(requested)
    if record is None:
        raise NotFound(NOBODY)
    customer, routing = customers.of(record), settings.of(routing_record)
    if not customers.may_see(customer, wanted.worker, routing, wanted.customer_id):
        raise Refused(customers.ANOTHER_WORKERS)
    return record, *more


def cut(text: str, most_bytes: int) -> str:
    """Return the text, shortened to this size with an ellipsis if it is longer."""
    raw = text.encode()
    if len(raw) <= most_bytes:
        return text
    return raw[: most_bytes - 3].decode(errors="ignore") + "…"


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out empty values, because the app takes a null for a value."""
    return {
        name: value for name, value in values.items() if value not in (None, "", [], {})
    }


def shown(customer: Customer) -> dict[str, Any]:
    """Return the fields that the app shows of any customer."""
    avatar = customer.avatar
    if avatar is not None and len(avatar) > _LONGEST_AVATAR:
        avatar = None
    name = cut(customer.display_name, 256)
    return present(
        {"customer_id": customer.customer_id, "display_name": name, "avatar": avatar}
    )
