"""The one table of the deployed functions: main.py, the start of an instance, the local gateway and the tests read it
from here; deploy.sh says the same to Google, and a test compares the two."""

from __future__ import annotations

from functions.door.function import Function

_FIRESTORE = ("google.cloud.firestore",)
_EVENTS = ("google.events.cloud.firestore", *_FIRESTORE)
_SIGNED = ("twilio.request_validator", *_FIRESTORE)
_TWILIO = (
    "twilio.rest",
    "twilio.rest.conversations.v1.service.conversation.participant",
    "providers.twilio_http",
)
_FRONTLINE = "functions.frontline."

PRE_EVENT = Function(
    "pre_event",
    "twilio",
    "functions.pre_event",
    seconds=2.5,  # Twilio waits 5 s; the contract promises 3 s
    limit=10,
    libraries=_SIGNED,
    answers_always=True,  # Twilio drops the customer's message on any other answer than 200
)
POST_EVENT = Function(
    "post_event",
    "twilio",
    "functions.post_event",
    seconds=4.0,  # Twilio waits 5 s
    limit=30,
    libraries=_SIGNED + _TWILIO,
)
ROUTING = Function(
    "routing",
    "twilio",
    _FRONTLINE + "routing",
    seconds=8.5,  # Twilio waits 10 s
    limit=30,
    libraries=_SIGNED + _TWILIO,
)
CRM = Function("crm", "twilio", _FRONTLINE + "crm", seconds=5.0, limit=10, libraries=_SIGNED)  # it waits 6 s
OUTGOING_CONVERSATION = Function(
    "outgoing_conversation",
    "twilio",
    _FRONTLINE + "outgoing_conversation",
    seconds=5.0,
    limit=10,
    libraries=_SIGNED,
)
TEMPLATES = Function(
    "templates", "twilio", _FRONTLINE + "templates", seconds=5.0, limit=10, libraries=_SIGNED
)
WORKER_AVAILABLE = Function(
    "worker_available",
    "firestore",
    "functions.worker_available",
    seconds=50.0,
    limit=60,
    libraries=_EVENTS + _TWILIO,
    collection="workers",
)
CUSTOMER_WRITTEN = Function(
    "customer_written",
    "firestore",
    "functions.customer_written",
    seconds=50.0,
    limit=60,
    libraries=_EVENTS,
    collection="customers",
)
SWEEP = Function(
    "sweep",
    "scheduler",
    "functions.sweep",
    seconds=50.0,  # the scheduler starts the next one after 60 s
    limit=60,
    libraries=_FIRESTORE + _TWILIO,
)
WALLBOARD = Function(
    "wallboard",
    "person",
    "functions.wallboard",
    seconds=25.0,  # a person waits, and sees the rest of the page meanwhile
    limit=30,
    libraries=_FIRESTORE,
    methods=("GET", "HEAD"),
)

FUNCTIONS = (
    PRE_EVENT,
    POST_EVENT,
    ROUTING,
    CRM,
    OUTGOING_CONVERSATION,
    TEMPLATES,
    WORKER_AVAILABLE,
    CUSTOMER_WRITTEN,
    SWEEP,
    WALLBOARD,
)
