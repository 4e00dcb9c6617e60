"""Sentences that several answers of the inbox share."""

ENDED = (
    "This conversation has ended. The customer can start a new one by writing again."
)
NO_RESPONSE = "Twilio isn't responding. Try again in a moment."
UNKNOWN_TO_TWILIO = "Twilio no longer has this conversation."
