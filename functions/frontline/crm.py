"""Frontline's CRM callback: a worker's customers, and the details of one.

https://www.twilio.com/docs/frontline/my-customers
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
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
_LONGEST_NAME = 1500  # bytes, in a token; our names are much shorter


def handle(form: Form) -> Answer:
    """Answer a request for the list of customers, or for the details of one."""
    handlers = {"GetCustomersList": _list, "GetCustomerDetailsByCustomerId": _details}
    return callback.by_location(handlers, form)


def _list(form: Form) -> Answer:
    """Return one page. Reads PageSize + 1 records, one more for `Anchor`, or up to 300 for several words."""
    wanted = parse(CustomersList, form)
    size = min(wanted.page_size, LARGEST_PAGE)
    words = customer_lists.words_of(wanted.query)
    limit = LOOKED_THROUGH if len(words) > 1 else size + 1
    records = customer_lists.found(wanted.worker, words, _cursor(wanted), limit)
    entries, last = page(records, words, size)
    objects: dict[str, Any] = {"customers": entries, "searchable": True}
    if last is not None:
        is_last_page = len(records) < limit and last == _cursor_of(records[-1])
        if not is_last_page:
            objects["next_page_token"] = token_of(last)
    return Answer({"objects": objects})


def page(
    found: list[Snapshot], words: list[str], size: int
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """Return the customers to show, and the cursor of the last record that this page covers."""
    entries: list[dict[str, Any]] = []
    last, room = None, callback.LARGEST_ANSWER
    for record in found:
        if customer_lists.has_all(record, words):
            entry = callback.shown(customers.of(record))
            room -= len(json.dumps(entry, ensure_ascii=False).encode()) + 2
            if len(entries) == size or room < 0:
                break
            entries.append(entry)
        last = _cursor_of(record)
    return entries, last


def _cursor_of(record: Snapshot) -> Cursor:
    """Return the position of a record in the list."""
    return str(record.get("sort_name")), record.id


def token_of(cursor: Cursor) -> str:
    """Encode a cursor for `next_page_token`."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def _cursor(wanted: CustomersList) -> Cursor | None:
    """Return the end of the previous page; None for the first page. The token goes before `Anchor`."""
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
    """Decode the token. Raises BadInput for an invented one, which may hold anything, even half characters."""
    try:
        text = base64.urlsafe_b64decode(token).decode()
        name, customer_id = _two_texts(json_text.parsed(text))
        is_ours = len(name.encode()) <= _LONGEST_NAME and is_record_name(customer_id)
    except (ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise BadInput("NextPageToken is not one that this service gave out.")
    return name, customer_id


def _two_texts(value: object) -> Cursor:
    """Return the two texts of a JSON list. Raises TypeError for any other value."""
    match value:
        case [str(name), str(customer_id)]:
            return name, customer_id
    raise TypeError


def _details(form: Form) -> Answer:
    """Answer with the details of one customer. Raises NotFound and Refused."""
    (record,) = callback.asked_about(parse(OfCustomer, form))
    return Answer({"objects": {"customer": details(customers.of(record))}})


def details(customer: Customer) -> dict[str, Any]:
    """Return all that the app shows, shortened to fit into an answer."""
    links = [_texts(link, ("type", "value", "display_name")) for link in customer.links]
    details = _texts(customer.details or {}, ("title", "content"))
    for name, text in details.items():
        details[name] = callback.cut(text, 10_000)
    return callback.shown(customer) | callback.present(
        {
            "channels": _fitting(map(_channel, customer.addresses), 10_000),
            "links": _fitting((link for link in links if "value" in link), 20_000),
            "details": details,
        }
    )


def _channel(address: str) -> dict[str, str]:
    """Return a channel as Frontline wants it: WhatsApp numbers with their prefix, chat users without."""
    channel = addresses.channel(address)
    value = addresses.bare(address) if channel == "chat" else address
    return {"type": channel, "value": value}


def _texts(value: Any, names: tuple[str, ...]) -> dict[str, str]:
    """Return the entries of these names that are texts and not empty."""
    entries = {name: value.get(name) for name in names}
    return {name: text for name, text in entries.items() if text and type(text) is str}


def _fitting(items: Iterable[dict[str, str]], most_bytes: int) -> list[dict[str, str]]:
    """Return the first items that together fit into this size."""
    fitting = []
    for item in items:
        most_bytes -= len(json.dumps(item, ensure_ascii=False).encode()) + 2
        if most_bytes < 0:
            break
        fitting.append(item)
    return fitting
