"""The one table of the deployed functions: main.py, the start of an instance, the local gateway and the tests read it.

deploy.sh passes the same values to Google, and a test compares the two.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from functions.http.function import Function

_FIRESTORE = ("google.cloud.firestore",)
_EVENTS = ("google.events.cloud.firestore", *_FIRESTORE)
_SIGNED = ("twilio.request_validator", *_FIRESTORE)
_PARTICIPANTS = "twilio.rest.conversations.v1.service.conversation.participant"
_TWILIO = ("twilio.rest", _PARTICIPANTS, "providers.twilio_http")
_INBOX = ("twilio.rest.conversations.v1.service.conversation.message",)


def _function(
    name: str, caller: str, *more: Any, package: str = "functions", **others: Any
) -> Function:
    """Describe a function with its entry point and its module under the same name."""
    return Function(name, caller, f"{package}.{name}", *more, **others)


_frontlines = partial(_function, package="functions.frontline")

# Twilio waits 5 s for the pre-event (3 s are promised) and the post-event, 10 s for a route; Frontline's app 6 s.
PRE_EVENT = _function(
    "pre_event", "twilio", 2.5, 10, _SIGNED, answers_always=True, names_account=True
)
POST_EVENT = _function(
    "post_event", "twilio", 4.0, 30, _SIGNED + _TWILIO, names_account=True
)
ROUTING = _frontlines("routing", "twilio", 8.5, 30, _SIGNED + _TWILIO)
CRM = _frontlines("crm", "twilio", 5.0, 10, _SIGNED)
OUTGOING_CONVERSATION = _frontlines("outgoing_conversation", "twilio", 5.0, 10, _SIGNED)
TEMPLATES = _frontlines("templates", "twilio", 5.0, 10, _SIGNED)
WORKER_AVAILABLE = _function(
    "worker_available",
    "firestore",
    50.0,
    60,
    _EVENTS + _TWILIO,
    documents="workers/{identity}",
)
CUSTOMER_WRITTEN = _function(
    "customer_written",
    "firestore",
    50.0,
    60,
    _EVENTS,
    documents="customers/{customer_id}",
)
POOL_WRITTEN = _function(
    "pool_written",
    "firestore",
    50.0,
    60,
    _EVENTS + _TWILIO,
    documents="pools/{pool_id}",
)
CONVERSATION_WRITTEN = _function(
    "conversation_written",
    "firestore",
    50.0,
    60,
    _EVENTS + _TWILIO,
    documents="conversations/{sid}",
)
# The scheduler starts the next sweep after 60 s. A person waits for the wallboard, which shows parts early.
SWEEP = _function("sweep", "scheduler", 50.0, 60, _FIRESTORE + _TWILIO)
WALLBOARD = _function(
    "wallboard", "person", 25.0, 30, _FIRESTORE, methods=("GET", "HEAD", "POST")
)
INBOX = _function(
    "inbox",
    "worker",
    25.0,
    30,
    _FIRESTORE + _TWILIO + _INBOX,
    methods=("GET", "HEAD", "POST", "PUT", "DELETE"),
)
DESK = _function(
    "desk",
    "worker",
    25.0,
    60,
    _FIRESTORE + _TWILIO + _INBOX,
    methods=("GET", "HEAD", "POST"),
)

FUNCTIONS = tuple(
    value for value in list(globals().values()) if isinstance(value, Function)
)
