"""What a webhook may answer, and the errors that say whose fault it is and whether another try helps."""

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
    """Base of the errors that become an answer; the text is one sentence for whoever sent the request."""

    status = 500
    more: Mapping[str, Any] = MappingProxyType(
        {}
    )  # beside the sentence, in the same JSON object

    def __init__(self, text: str = "", *, logged: str | None = None) -> None:
        """`logged`: the sentence for the log, if `text` holds a customer's name, which the log never does."""
        super().__init__(text)
        self.logged = text if logged is None else logged


class BadInput(Problem):
    """The sender's fault, and sending it again does not help; the sentence names the field.

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
    """Nobody is signed in, or not any more; the answer says where to."""

    status = 401
    more = MappingProxyType({"sign_in": "sign-in"})


class Refused(Problem):
    """Not allowed: a wrong signature, another account, or a rule of the person who runs the service."""

    status = 403


class NotFound(Problem):
    status = 404


class WrongMethod(Problem):
    status = 405

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Use {' or '.join(allowed)}.")
        self.allowed = allowed


class Impossible(Problem):
    """Right in itself, but not in the state that things are in now."""

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
    """Well formed, but it asks for something that does not exist here."""

    status = 422


class UnderWay(Problem):
    """The same was asked for a moment ago and is not done yet: another try says what came of it."""

    status = 429


class TooMany(Problem):
    """The sender is too fast; the same is taken again after a while."""

    status = 429


class TryAgain(Problem):
    """Nobody's fault for long: Firestore or Twilio is slow or down, and another try may work."""

    status = 503
