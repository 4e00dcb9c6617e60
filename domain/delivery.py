"""What became of a message on its way to the customer, in words.

https://www.twilio.com/docs/api/errors/<code>
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SENT, DELIVERED, READ, FAILED, UNDELIVERED = "sent", "delivered", "read", "failed", "undelivered"
_WORST_FIRST = (FAILED, UNDELIVERED, READ, DELIVERED, SENT)
_SENTENCES = {
    21211: "The number is not one that exists.",
    21408: "Messages to this country are not switched on in the Twilio account.",
    21610: "The customer has unsubscribed by writing STOP; only they can undo that, by writing START.",
    21612: "This number cannot be reached from ours.",
    21614: "The number is not a mobile number.",
    30001: "Too much was being sent at once.",
    30002: "The Twilio account is suspended.",
    30003: "The phone is switched off or out of reach.",
    30004: "The customer does not accept messages from us.",
    30005: "The number does not exist any more.",
    30006: "The number is a landline, or its network takes no messages from us.",
    30007: "The network took the message for spam.",
    30008: "The network did not say why.",
    30032: "Our toll-free number is not verified, so networks refuse it.",
    30034: "Our number is not registered for business messages (A2P 10DLC), so networks refuse it.",
    63003: "The customer could not be found on this channel.",
    63005: "The channel did not take the content of this message.",
    63007: "Our number is not set up for this channel.",
    63012: "The channel had a fault of its own.",
    63013: "The channel's rules forbid this message.",
    63016: "More than 24 hours have passed since the customer last wrote, or the template is not approved.",
    63018: "Too much was being sent at once.",
    63019: "The file could not be fetched.",
    63021: "The channel did not take the content of this message.",
    63024: "The customer's number is not on WhatsApp.",
    63028: "The template's variables are not those that WhatsApp approved.",
    63032: "WhatsApp does not let this customer be written to now.",
    63049: "WhatsApp chose not to deliver this message, to spare the customer too many.",
}
_UNKNOWN = "The customer's network did not say why."


def reason(code: int) -> str:
    """One sentence for a worker; the code stands there for whoever looks further."""
    if code == 0:
        return _UNKNOWN
    return _SENTENCES.get(code) or f"Twilio reports error {code}."


def state_of(summary: Mapping[str, Any] | None) -> str | None:
    """What Twilio's summary of receipts comes to: `{"sent": "all", "failed": "none", ...}`; None: nothing is known."""
    counted = summary if isinstance(summary, Mapping) else {}
    return next((state for state in _WORST_FIRST if counted.get(state) not in (None, "none")), None)
