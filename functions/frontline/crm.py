"""Frontline's CRM callback: a worker's own customers, and what is known of one.

https://www.twilio.com/docs/frontline/my-customers
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from domain import addresses, customer_search, json_text
from domain.customer import Customer
from domain.fields import is_record_name
from functions.frontline import callback
from functions.frontline.forms import CustomersList, OfCustomer
from functions.http.answers import Answer, BadInput
from functions.http.forms import Form, parse
from providers import customer_lists, customers, database
from providers.customer_lists import LOOKED_THROUGH
from providers.customers import Cursor

if TYPE_CHECKING:
    from providers.database import Snapshot

LARGEST_PAGE = 100
_LONGEST_NAME = 1500  # bytes of a token's; ours are cut long before


def handle(form: Form) -> Answer:
    handlers = {"GetCustomersList": _list, "GetCustomerDetailsByCustomerId": _details}
    return callback.by_location(handlers, form)


def _list(form: Form) -> Answer:
    """One page. Reads PageSize + 1 records, one more for `Anchor`, or up to 300 for several words."""
    wanted = parse(CustomersList, form)
    size = min(wanted.page_size, LARGEST_PAGE)
    words = customer_lists.words_of(wanted.query)
    limit = LOOKED_THROUGH if len(words) > 1 else size + 1
    found = customer_lists.found(wanted.worker, words, _cursor(wanted), limit)
    shown, last = page(found, words, size)
    is_all = len(found) < limit and (not found or last == _cursor_of(found[-1]))
    token = None if is_all or last is None else token_of(last)
    listed = {"customers": shown, "searchable": True}
    return Answer({"objects": listed | ({"next_page_token": token} if token else {})})


def page(
    found: list[Snapshot], words: list[str], size: int
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """The customers to show, and the last record that this page is done with."""
    shown: list[dict[str, Any]] = []
    last, room = None, callback.LARGEST_ANSWER
    for record in found:
        if customer_lists.has_all(record, words):
            entry = callback.shown(customers.of(record))
            room -= len(json.dumps(entry, ensure_ascii=False).encode()) + 2
            if len(shown) == size or room < 0:
                break
            shown.append(entry)
        last = _cursor_of(record)
    return shown, last


def _cursor_of(record: Snapshot) -> Cursor:
    return str(record.get("sort_name")), record.id


def token_of(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def _cursor(wanted: CustomersList) -> Cursor | None:
    """Where the page before ended; None for the first page. Where both are sent, the token holds."""
    if wanted.next_page_token:
        return _from_token(wanted.next_page_token)
    if not wanted.anchor:
        return None
    if not is_record_name(wanted.anchor):
        raise BadInput("Anchor is not the id of a customer.")
    record = database.read(customers.reference(wanted.anchor))[0]
    if not record.exists:
        raise BadInput(
            "Anchor is not the id of a customer any more; begin again without it."
        )
    name = customers.of(record).display_name
    return customer_search.sort_name(name), record.id


def _from_token(token: str) -> Cursor:
    """Raises BadInput for one that somebody made up: anything may be in it, and Firestore takes no half characters."""
    try:
        name, customer_id = _two_texts(
            json_text.parsed(base64.urlsafe_b64decode(token).decode())
        )
        is_ours = len(name.encode()) <= _LONGEST_NAME and is_record_name(customer_id)
    except (ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise BadInput("NextPageToken is not one that this service gave out.")
    return name, customer_id


def _two_texts(value: object) -> Cursor:
    if not isinstance(value, list) or [type(item) for item in value] != [str, str]:
        raise TypeError
    return value[0], value[1]


def _details(form: Form) -> Answer:
    (record,) = callback.asked_about(parse(OfCustomer, form))
    return Answer({"objects": {"customer": details(customers.of(record))}})


def details(customer: Customer) -> dict[str, Any]:
    """All that the app shows; cut where it would not fit into an answer."""
    channels = [
        {"type": addresses.channel(a), "value": _value(a)} for a in customer.addresses
    ]
    links = [_texts(link, ("type", "value", "display_name")) for link in customer.links]
    text = _texts(customer.details or {}, ("title", "content"))
    return callback.shown(customer) | callback.present(
        {
            "channels": _fitting(channels, 10_000),
            "links": _fitting([link for link in links if "value" in link], 20_000),
            "details": {
                name: callback.cut(value, 10_000) for name, value in text.items()
            },
        }
    )


def _value(address: str) -> str:
    """Frontline wants WhatsApp numbers with their prefix; other channels without."""
    return addresses.bare(address) if addresses.channel(address) == "chat" else address


def _texts(value: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value[name]
        for name in names
        if isinstance(value.get(name), str) and value[name]
    }


def _fitting(items: list[dict[str, str]], most_bytes: int) -> list[dict[str, str]]:
    """The items from the first on that fit together."""
    fitting = []
    for item in items:
        most_bytes -= len(json.dumps(item, ensure_ascii=False).encode()) + 2
        if most_bytes < 0:
            break
        fitting.append(item)
    return fitting
