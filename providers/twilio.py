"""Twilio over REST: the calls that the service makes, and what each answer means."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

from providers import clock, configuration

if TYPE_CHECKING:
    from twilio.rest import Client
    from twilio.rest.conversations.v1.service.conversation import ConversationContext

_PATIENCE = 3.0  # seconds for one call; Twilio usually answers in 0.1 to 0.3
_MARGIN = 0.5  # seconds kept back for writing down what came of it


class Outcome(enum.Enum):
    """What a call came to, in the words of what happens next."""

    DONE = "done"
    RETRY = "Twilio is busy or out of reach"
    NEXT_WORKER = "this worker cannot be added"
    GONE = "the conversation is closed for good"
    MISSING = "Twilio does not know it: the conversation, its service, or our account"
    REFUSED = "Twilio refuses this in this conversation"
    MISCONFIGURED = "Twilio refuses our account or our request"


# What Twilio's error codes lead to (https://www.twilio.com/docs/api/errors/<code>).
_CODES: dict[Outcome, tuple[int, ...]] = {
    Outcome.DONE: (50433, 50437, 50404),  # already in the conversation
    # Rate limits; never processed; another change at the same moment; a group that is still initializing.
    Outcome.RETRY: (20429, 50063, 50074, 50419, 50213, 50391, 50449, 50349, 50386),
    # The worker's limit of conversations; an identity that Twilio does not take.
    Outcome.NEXT_WORKER: (50208, 50214, 50203, 50206, 50207, 50211),
    Outcome.GONE: (50377, 50402, 50430, 50432),  # closed for good; the participant is no longer there
    Outcome.MISSING: (50350, 50300, 20404),  # ends nothing by itself: see is_gone
    # The conversation is full; group messages, their projected address, another group of the same people.
    Outcome.REFUSED: (50417, 50418, 50422, 50436, 50434, 50438, 50439, 50452),
    Outcome.MISCONFIGURED: (20003, 20005, 20006, 50109, 50303, 50304),
}
OUTCOMES = {code: outcome for outcome, codes in _CODES.items() for code in codes}
# Without a known code. 409 comes for a participant who is there already; a clash worth a retry has its own code.
_BY_STATUS = {401: Outcome.MISCONFIGURED, 403: Outcome.MISCONFIGURED, 404: Outcome.MISSING, 409: Outcome.DONE}


@dataclass(frozen=True)
class Result:
    """The outcome of a call, a sentence for the log, and what Twilio sent back if it was done.

    `is_unsure`: Twilio may have acted all the same, for its answer was lost, or says that something broke inside.
    `code`: Twilio's error code, 0 if there is none.
    """

    outcome: Outcome
    why: str = ""
    body: Any = None
    is_unsure: bool = False
    code: int = 0


class Somewhere(Protocol):
    """A conversation, or just its address: the service form of it reaches every service, the short form one."""

    @property
    def service_sid(self) -> str | None: ...
    @property
    def sid(self) -> str: ...


class Place(NamedTuple):
    """Where a conversation lives."""

    service_sid: str | None
    sid: str


def client() -> Client:
    return _client(configuration.twilio())


@cache
def _client(account: configuration.Twilio) -> Client:
    from twilio.rest import Client

    from providers.twilio_http import TimedHttpClient

    return Client(
        account.account_sid,
        account.tokens[0],
        http_client=TimedHttpClient(account.api_base_url, account.tokens[1:], _PATIENCE),
    )


def add_worker(place: Somewhere, identity: str, projected_address: str | None) -> Result:
    """Puts the worker into the conversation; one who is in it already is DONE, as is a repeated call."""
    fields = {"messaging_binding_projected_address": projected_address} if projected_address else {}
    return persistently(lambda: at(place).participants.create(identity=identity, **fields))


def set_attributes(place: Somewhere, participant_sid: str, attributes: Mapping[str, Any]) -> Result:
    """Replaces a participant's attributes (Twilio keeps them as one string)."""
    text = json.dumps(attributes, ensure_ascii=False)
    return persistently(lambda: at(place).participants(participant_sid).update(attributes=text))


def remove_participant(place: Somewhere, participant_sid: str) -> Result:
    """Takes this one stay of somebody back; one that is over already is GONE."""
    return persistently(lambda: at(place).participants(participant_sid).delete())


def close(place: Somewhere) -> Result:
    """Ends it for good; one that is closed already is GONE."""
    return persistently(lambda: at(place).update(state="closed"))


def participants(place: Somewhere) -> Result:
    """Everybody in the conversation; the body is the list of participants."""
    return persistently(lambda: at(place).participants.list())


def messages(place: Somewhere, limit: int) -> Result:
    """The newest messages, the newest first; the body is a list."""
    return persistently(lambda: at(place).messages.list(order="desc", limit=limit))


def receipts(place: Somewhere, message_sid: str) -> Result:
    """What became of one message on its way to each participant; the body is a list."""
    return persistently(lambda: at(place).messages(message_sid).delivery_receipts.list())


def state(place: Somewhere) -> Result:
    """The conversation as Twilio has it now."""
    return persistently(lambda: at(place).fetch())


def is_gone(place: Somewhere) -> bool:
    """Whether the conversation was removed for good: unknown, while the service that it was in answers."""
    if state(place).outcome is not Outcome.MISSING:
        return False
    root: Any = client().conversations.v1
    if place.service_sid:
        return persistently(root.services(place.service_sid).fetch).outcome is Outcome.DONE
    return persistently(lambda: root.conversations.list(limit=1)).outcome is Outcome.DONE


def user(identity: str, service_sid: str | None) -> Result:
    """The Conversations user of this identity; MISSING where nobody is called so."""
    root: Any = client().conversations.v1
    users = root.services(service_sid).users if service_sid else root.users
    return persistently(lambda: users(identity).fetch())


def frontline_user(identity: str) -> Result:
    """Frontline's user of this identity, with the switch of the app, `is_available`; MISSING for one who has never
    signed in there. https://www.twilio.com/docs/frontline/frontline-users-api"""
    return persistently(lambda: client().frontline_api.v1.users(quote(identity, safe="@")).fetch())


def created_since(state: str, service_sid: str | None, since: datetime, limit: int) -> Result:
    """Conversations in this state that were created since then, the newest `limit` of them; the body is a list.

    Twilio filters by whole days and sorts by creation, the newest first, so the list is read until `since`.
    """
    root = client().conversations.v1
    conversations: Any = root.services(service_sid).conversations if service_sid else root.conversations
    day = since.date().isoformat()

    def listed() -> list[Any]:
        newest_first = conversations.stream(start_date=day, state=state, limit=limit, page_size=100)
        return list(takewhile(lambda c: c.date_created is None or c.date_created >= since, newest_first))

    return persistently(listed)


def persistently(call: Callable[[], object]) -> Result:
    """Makes a call, again with backoff and jitter while trying helps and the caller still waits."""
    from google.api_core.retry import exponential_sleep_generator

    ends = time.monotonic() + clock.remaining(at_most=8.0) - _MARGIN
    pauses: Iterator[float] = exponential_sleep_generator(initial=0.1, maximum=1.5, multiplier=2.0)
    while True:
        if (result := once(call)).outcome is not Outcome.RETRY:
            return result
        pause = next(pauses)
        if clock.is_time_over(_MARGIN) or time.monotonic() + pause > ends:
            return result
        time.sleep(pause)


def once(call: Callable[[], object]) -> Result:
    """Makes a call that must not be made twice, whatever comes of it."""
    from twilio.base.exceptions import TwilioException
    from urllib3.exceptions import HTTPError

    try:
        return Result(Outcome.DONE, body=call())
    except HTTPError as error:
        why = f"Twilio could not be reached ({type(error).__name__})."
        return Result(Outcome.RETRY, why, is_unsure=True)
    except ValueError:
        return Result(Outcome.RETRY, "Twilio's answer was not JSON.", is_unsure=True)
    except TwilioException as error:
        return classify(error)


def classify(error: Exception) -> Result:
    """What an error of the SDK means; both its families carry a status, and mostly a code."""
    error = _with_code(error)
    status, code = int(getattr(error, "status", 0) or 0), int(getattr(error, "code", 0) or 0)
    outcome = OUTCOMES.get(code) or _BY_STATUS.get(status)
    if outcome is None:
        outcome = Outcome.REFUSED if 400 <= status < 500 and status not in (408, 425, 429) else Outcome.RETRY
    text = getattr(error, "msg", None) or getattr(error, "detail", None) or getattr(error, "title", None)
    why = f"Twilio answered {status}, error {code}: {text or 'no text'}"
    return Result(outcome, why, is_unsure=status >= 500 and code not in OUTCOMES, code=code)


def at(place: Somewhere) -> ConversationContext:
    """The conversation, for calls about what is in it."""
    root = client().conversations.v1
    if place.service_sid:
        return root.services(place.service_sid).conversations(place.sid)
    return root.conversations(place.sid)


def _with_code(error: Exception) -> Exception:
    """The SDK raises a bare exception when a page of a list fails; the answer, with its code, is its argument."""
    from twilio.base.version import Version

    response = error.args[1] if len(error.args) > 1 else None
    if getattr(response, "status_code", None) is None:
        return error
    coded: Exception = Version.exception("GET", "", response, "Unable to fetch page")
    return coded
