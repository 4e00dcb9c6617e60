"""The worker's own page: its addresses and their handlers."""

from __future__ import annotations

from functions.http.answers import Answer
from functions.http.router import Route, Router
from functions.http.webhook import Visit
from functions.inbox import (
    actions,
    customer,
    devices,
    earlier,
    find,
    listing,
    media,
    new_conversation,
    notes,
    sending,
    thread,
)
from functions.inbox.page import PAGE

_CONVERSATION = "conversations/<sid>"

# All of them are for signed-in workers only. A search is a POST, so that its words are in no request log.
ROUTES = (
    Route("GET", "state", listing.state),
    Route("POST", "status", actions.status),
    Route("GET", f"{_CONVERSATION}/messages", thread.listed),
    Route("POST", f"{_CONVERSATION}/messages", sending.message),
    Route("POST", f"{_CONVERSATION}/read", actions.read),
    Route("POST", f"{_CONVERSATION}/unread", actions.unread),
    Route("POST", f"{_CONVERSATION}/hand-over", actions.hand_over),
    Route("POST", f"{_CONVERSATION}/close", actions.close),
    Route("GET", f"{_CONVERSATION}/earlier", earlier.listed),
    Route("GET", f"{_CONVERSATION}/customer", customer.card),
    Route("POST", f"{_CONVERSATION}/notes", notes.add),
    Route("GET", f"{_CONVERSATION}/templates", customer.templates),
    Route("GET", f"{_CONVERSATION}/workers", customer.colleagues),
    Route("GET", f"{_CONVERSATION}/media/<media_sid>", media.shown),
    Route("POST", "search", find.found),
    Route("POST", "customers", new_conversation.found),
    Route("GET", "customers/<customer_id>/templates", new_conversation.templates),
    Route("POST", "conversations", new_conversation.begin),
    Route("PUT", "devices/<name>", devices.keep),
    Route("DELETE", "devices/<name>", devices.forget),
)
_ROUTER = Router(PAGE, ROUTES)


def handle(visit: Visit) -> Answer:
    return _ROUTER.answer(visit)
