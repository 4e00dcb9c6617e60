"""Loads what a deployed function needs while its instance starts, so that no customer waits for it.

main.py holds every function, and each needs other libraries; so only those of the one that this instance serves.
"""

from __future__ import annotations

import gc
import importlib

_FIRESTORE = ("google.cloud.firestore",)
_EVENTS = ("google.events.cloud.firestore",)
_SIGNATURE = ("twilio.request_validator",)
_TWILIO = (
    "twilio.rest",
    "twilio.rest.conversations.v1.service.conversation.participant",
    "providers.twilio_http",
)
_NEEDED = {
    "pre_event": _SIGNATURE + _FIRESTORE,
    "post_event": _SIGNATURE + _FIRESTORE + _TWILIO,
    "routing": _SIGNATURE + _FIRESTORE + _TWILIO,
    "crm": _SIGNATURE + _FIRESTORE,
    "outgoing_conversation": _SIGNATURE + _FIRESTORE,
    "templates": _SIGNATURE + _FIRESTORE,
    "sweep": _FIRESTORE + _TWILIO,
    "wallboard": _FIRESTORE,
    "worker_available": _EVENTS + _FIRESTORE + _TWILIO,
    "customer_written": _EVENTS + _FIRESTORE,
}


def load(target: str | None) -> None:
    """The handler of this entry point and its libraries; nothing for None.

    No connection is opened: the server forks afterwards, which gRPC does not survive. The garbage collector rests
    meanwhile, for there is nothing to collect; and what was loaded stays out of its rounds, which would touch, and
    so copy, the memory that the server and its child share.
    """
    if target not in _NEEDED:
        return
    gc.disable()
    try:
        for module in (f"functions.{target}", *_NEEDED[target]):
            importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
