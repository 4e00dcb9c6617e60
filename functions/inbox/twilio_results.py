"""Turns a failed call to Twilio into an error with a sentence for the worker."""

from __future__ import annotations

from domain.conversation import Conversation
from functions.http.answers import Impossible, NotFound, Problem, TryAgain
from providers import messages as at_twilio
from providers.twilio import Outcome, Result

ENDED = (
    "This conversation has ended. The customer can start a new one by writing again."
)
NO_RESPONSE = "Twilio isn't responding. Try again in a moment."
UNKNOWN_TO_TWILIO = "Twilio no longer has this conversation."
_KINDS: dict[Outcome, tuple[type[Problem], str]] = {
    Outcome.RETRY: (TryAgain, NO_RESPONSE),
    Outcome.GONE: (Impossible, ENDED),
    Outcome.MISSING: (NotFound, UNKNOWN_TO_TWILIO),
}


def problem(result: Result, failure: str) -> Problem:
    """Return the error of a call that was not done. `failure`: the sentence in front of Twilio's reason."""
    reason = f"{failure} {result.why_for_worker}"
    kind, text = _KINDS.get(result.outcome, (Impossible, reason))
    return kind(text)


def service_of(conversation: Conversation) -> str:
    """Return the SID of the conversation's service. Raises TryAgain if Twilio has to be asked and doesn't respond."""
    service = at_twilio.service_of(conversation)
    if service is None:
        raise TryAgain(NO_RESPONSE)
    return service
