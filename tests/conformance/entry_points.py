"""The functions as main.py lists them, and for each signed one what a genuine request looks like."""

import pytest

from functions.table import FUNCTIONS
from local import functions

# Private by IAM: Google lets only the scheduler, or people with a role, reach them. Everything else that
# main.py serves over HTTP has to check Twilio's signature, so a new function is held to that from its first day.
PRIVATE = {
    one.name: one.methods for one in FUNCTIONS if one.caller in ("scheduler", "person")
}
# Open to all, for a worker signs in there: tests/inbox holds it to that.
SIGNED_IN = {one.name: one.methods for one in FUNCTIONS if one.caller == "worker"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

HTTP = [f.entry_point for f in functions.listed() if f.signature == "http"]
SIGNED = [name for name in HTTP if name not in PRIVATE and name not in SIGNED_IN]
TRIGGERS = [f.entry_point for f in functions.listed() if f.signature == "cloudevent"]

CONVERSATION = "CH" + "0123456789abcdefABCDEF0123456789"
SERVICE = "IS" + "0" * 32
PARTICIPANT = "MB" + "f" * 32
MESSAGE = "IM" + "4" * 32
WORKER = "alice@example.com"
CUSTOMER = "ann"
CUSTOMER_ADDRESS = "+447700900001"
OUR_NUMBER = "+12025550100"

Form = dict[str, str]

# A genuine request about something the function does not deal with, and its answer. It ends behind the door
# and before the database, so it tells "let in" from "refused" without either.
OF_NO_INTEREST: dict[str, tuple[Form, int]] = {
    "pre_event": ({"EventType": "onMessageAdd"}, 200),
    "post_event": ({"EventType": "onConversationUpdated"}, 200),
    "routing": ({"EventType": "onSomethingElse"}, 200),
    "crm": ({"Location": "GetSomethingElse"}, 422),
    "outgoing_conversation": ({"Location": "GetSomethingElse"}, 422),
    "templates": ({"Location": "GetSomethingElse"}, 422),
}

_ADDRESSES = {
    "MessagingBinding.Address": CUSTOMER_ADDRESS,
    "MessagingBinding.ProxyAddress": OUR_NUMBER,
}

# A genuine request that does something; `prepare` in conftest.py puts down the records it needs.
GENUINE: dict[str, Form] = {
    "pre_event": {
        "EventType": "onConversationAdd",
        "MessageBody": "Hello",
        **_ADDRESSES,
    },
    "post_event": {
        "EventType": "onConversationAdded",
        "ConversationSid": CONVERSATION,
        "ChatServiceSid": SERVICE,
        "Attributes": "{}",
        "State": "active",
        **_ADDRESSES,
    },
    "routing": {
        "EventType": "onConversationRoute",
        "ConversationSid": CONVERSATION,
        "ConversationServiceSid": SERVICE,
        "Attributes": "{}",
        "State": "active",
        **_ADDRESSES,
    },
    "crm": {
        "Location": "GetCustomerDetailsByCustomerId",
        "CustomerId": CUSTOMER,
        "Worker": WORKER,
    },
    "outgoing_conversation": {
        "Location": "GetProxyAddress",
        "CustomerId": CUSTOMER,
        "ChannelType": "sms",
        "ChannelValue": CUSTOMER_ADDRESS,
        "Worker": WORKER,
    },
    "templates": {
        "Location": "GetTemplatesByCustomerId",
        "CustomerId": CUSTOMER,
        "ConversationSid": CONVERSATION,
        "Worker": WORKER,
    },
}

# Which fields of which request have to be there: (function, the rest of the form, the field).
_EVENTS: dict[str, Form] = {
    "onConversationAdded": {"ConversationSid": CONVERSATION},
    "onConversationRemoved": {"ConversationSid": CONVERSATION},
    "onConversationStateUpdated": {
        "ConversationSid": CONVERSATION,
        "StateTo": "closed",
    },
    "onParticipantAdded": {
        "ConversationSid": CONVERSATION,
        "ParticipantSid": PARTICIPANT,
    },
    "onParticipantRemoved": {
        "ConversationSid": CONVERSATION,
        "ParticipantSid": PARTICIPANT,
    },
    "onUserAdded": {"Identity": WORKER},
    "onMessageAdded": {"ConversationSid": CONVERSATION, "Index": "7"},
    "onDeliveryUpdated": {"ConversationSid": CONVERSATION, "MessageSid": MESSAGE},
    "onMessageUpdated": {
        "ConversationSid": CONVERSATION,
        "MessageSid": MESSAGE,
        "Index": "7",
    },
    "onMessageRemoved": {
        "ConversationSid": CONVERSATION,
        "MessageSid": MESSAGE,
        "Index": "7",
    },
}
REQUIRED: list[tuple[str, Form, str]] = [
    ("post_event", {"EventType": event} | fields, field)
    for event, fields in _EVENTS.items()
    for field in fields
] + [
    ("routing", GENUINE["routing"], "ConversationSid"),
    ("crm", GENUINE["crm"], "CustomerId"),
    ("outgoing_conversation", GENUINE["outgoing_conversation"], "CustomerId"),
    ("templates", GENUINE["templates"], "CustomerId"),
]


def of_no_interest(name: str) -> tuple[Form, int]:
    """A request that is let in and changes nothing, and the status of its answer."""
    return OF_NO_INTEREST[_known(name)]


def genuine(name: str) -> Form:
    """A request that does something."""
    return dict(GENUINE[_known(name)])


def _known(name: str) -> str:
    if name not in OF_NO_INTEREST or name not in GENUINE:
        pytest.fail(
            f"main.py serves {name}: add a genuine request of it to {__file__}, or to PRIVATE there."
        )
    return name
