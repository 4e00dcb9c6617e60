"""The one table of the deployed functions: main.py, the start of an instance, the local gateway and the tests read it
from here; deploy.sh says the same to Google, and a test compares the two."""

from __future__ import annotations

from functions.door.function import Function

_FIRESTORE = ("google.cloud.firestore",)
_EVENTS = ("google.events.cloud.firestore", *_FIRESTORE)
_SIGNED = ("twilio.request_validator", *_FIRESTORE)
_PARTICIPANTS = "twilio.rest.conversations.v1.service.conversation.participant"
_TWILIO = ("twilio.rest", _PARTICIPANTS, "providers.twilio_http")
_OURS = "functions."
_FRONTLINES = "functions.frontline."

# Twilio waits 5 s for the pre-event (3 s are promised) and the post-event, 10 s for a route; Frontline's app 6 s.
PRE_EVENT = Function("pre_event", "twilio", _OURS, 2.5, 10, _SIGNED, answers_always=True)
POST_EVENT = Function("post_event", "twilio", _OURS, 4.0, 30, _SIGNED + _TWILIO)
ROUTING = Function("routing", "twilio", _FRONTLINES, 8.5, 30, _SIGNED + _TWILIO)
CRM = Function("crm", "twilio", _FRONTLINES, 5.0, 10, _SIGNED)
OUTGOING_CONVERSATION = Function("outgoing_conversation", "twilio", _FRONTLINES, 5.0, 10, _SIGNED)
TEMPLATES = Function("templates", "twilio", _FRONTLINES, 5.0, 10, _SIGNED)
WORKER_AVAILABLE = Function(
    "worker_available", "firestore", _OURS, 50.0, 60, _EVENTS + _TWILIO, documents="workers/{identity}"
)
CUSTOMER_WRITTEN = Function(
    "customer_written", "firestore", _OURS, 50.0, 60, _EVENTS, documents="customers/{customer_id}"
)
# The scheduler starts the next sweep after 60 s; a person waits for the wallboard, and sees parts of it meanwhile.
SWEEP = Function("sweep", "scheduler", _OURS, 50.0, 60, _FIRESTORE + _TWILIO)
WALLBOARD = Function("wallboard", "person", _OURS, 25.0, 30, _FIRESTORE, methods=("GET", "HEAD"))

FUNCTIONS = tuple(one for one in list(globals().values()) if isinstance(one, Function))
