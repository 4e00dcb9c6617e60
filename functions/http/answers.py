"""The answers of a webhook, and the errors: each has the status that says if the sender is at fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; no body is an empty answer, and another type's body is a text or bytes."""

    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


NOTHING_TO_DO = Answer()


class Problem(Exception):
    """Base of the errors that become an answer; the text is one sentence for the sender of the request."""

    status = 500
    # Further fields of the JSON object with the sentence.
    more: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, text: str = "", *, logged: str | None = None) -> None:
        """`logged`: the sentence for the log, if `text` holds a customer's name, which the log never does."""
        super().__init__(text)
        self.logged = text if logged is None else logged


class BadInput(Problem):
    """The request is invalid, and another try does not help; the sentence names the field.

    `field`: its name, for a form that shows the sentence beside it.
    """

    status = 400

    def __init__(
        self, text: str = "", *, logged: str | None = None, field: str = ""
    ) -> None:
        super().__init__(text, logged=logged)
        if field:
            self.more = {"field": field}


class NotSignedIn(Problem):
    """No worker is signed in, or the session has ended; the answer has the address to sign in."""

    status = 401
    more = MappingProxyType({"sign_in": "sign-in"})


class Refused(Problem):
    """Not allowed: a wrong signature, another account, or a rule of the service's administrator."""

    status = 403


class NotFound(Problem):
    status = 404


class WrongMethod(Problem):
    status = 405

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Use {' or '.join(allowed)}.")
        self.allowed = allowed


class Impossible(Problem):
    """Valid, but not possible in the current state."""

    status = 409


class Conflict(Problem):
    """Another person changed the record since it was read; the answer holds the record as it is now."""

    status = 409

    def __init__(self, text: str, present: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.more = dict(present or {})


class TooLarge(Problem):
    status = 413


class NotUnderstood(Problem):
    """Well formed, but a request for something that does not exist here."""

    status = 422


class UnderWay(Problem):
    """The same request is still in progress: another try returns its outcome."""

    status = 429


class TooMany(Problem):
    """The sender is too fast; the same request succeeds later."""

    status = 429


class TryAgain(Problem):
    """Firestore or Twilio is slow or down for the moment, and another try may succeed."""

    status = 503


class Again(TryAgain):
    """It could not be done now and is worth another try: Google delivers the event again, after 10 s and more."""
