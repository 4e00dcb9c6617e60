"""Twilio over REST: the calls that the service makes, and what each answer means."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs, quote, urlsplit

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
    Outcome.GONE: (
        50377,
        50402,
        50430,
        50432,
    ),  # closed for good; the participant is no longer there
    Outcome.MISSING: (50350, 50300, 20404),  # ends nothing by itself: see is_gone
    # The conversation is full; group messages, their projected address, another group of the same people.
    Outcome.REFUSED: (50417, 50418, 50422, 50436, 50434, 50438, 50439, 50452),
    Outcome.MISCONFIGURED: (20003, 20005, 20006, 20008, 70051, 50109, 50303, 50304),
}
OUTCOMES = {code: outcome for outcome, codes in _CODES.items() for code in codes}
_LOGIN_CODES = (
    20003,
    20005,
    20006,
    20008,
    70051,
)  # about the account, its token, or the API key
# Without a known code. None of these is a success: only add_worker takes a 409 for "already a participant".
_BY_STATUS = {
    401: Outcome.MISCONFIGURED,
    403: Outcome.MISCONFIGURED,
    404: Outcome.MISSING,
}
_CONFLICT = 409
_MOST_ADDRESSES = 1000
_LARGEST_PAGE = 100


@dataclass(frozen=True)
class Result:
    """The outcome of a call, a sentence for the log, and what Twilio sent back if it was done.

    `is_unsure`: Twilio may have acted all the same, for its answer was lost, or says that something broke inside.
    `is_unknown_conflict`: Twilio answered 409 with a code that the table does not have.
    `code`: Twilio's error code, or 0.
    """

    outcome: Outcome
    why: str = ""
    body: Any = None
    is_unsure: bool = False
    is_unknown_conflict: bool = False
    code: int = 0

    @property
    def why_for_worker(self) -> str:
        """The reason in words for a worker's page: the service's own set-up is its administrator's business."""
        if self.outcome is Outcome.MISCONFIGURED:
            return "Twilio refuses the service's account or settings; ask your administrator."
        return self.why


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
    return _client(configuration.twilio_login())


@cache
def _client(login: configuration.TwilioLogin) -> Client:
    from twilio.rest import Client

    from providers.twilio_http import TimedHttpClient

    return Client(
        login.user,
        login.passwords[0],
        login.account_sid,
        http_client=TimedHttpClient(login.api_base_url, login.passwords[1:], _PATIENCE),
    )


def add_worker(
    place: Somewhere, identity: str, projected_address: str | None
) -> Result:
    """Puts the worker into the conversation; one who is in it already is DONE without a body, as is a repeated call.

    Where the body is missing, the caller must look whether the worker is in it.
    """
    fields = (
        {"messaging_binding_projected_address": projected_address}
        if projected_address
        else {}
    )
    result = persistently(
        lambda: at(place).participants.create(identity=identity, **fields)
    )
    return (
        replace(result, outcome=Outcome.DONE) if result.is_unknown_conflict else result
    )


def set_attributes(
    place: Somewhere, participant_sid: str, attributes: Mapping[str, Any]
) -> Result:
    """Replaces a participant's attributes (Twilio keeps them as one string)."""
    text = json.dumps(attributes, ensure_ascii=False)
    return persistently(
        lambda: at(place).participants(participant_sid).update(attributes=text)
    )


def remove_participant(place: Somewhere, participant_sid: str) -> Result:
    """Removes this participant; one that is no longer there is GONE."""
    return persistently(lambda: at(place).participants(participant_sid).delete())


def is_out(place: Somewhere, participant_sid: str, result: Result) -> bool:
    """Whether the participant is no longer in the conversation, after this answer to their removal.

    An answer that does not say so (such as a 404, which may come from a gateway) is checked against the participants.
    """
    if result.outcome in (Outcome.DONE, Outcome.GONE):
        return True
    if result.outcome in (Outcome.RETRY, Outcome.MISCONFIGURED):
        return False
    people = participants(place)
    if people.outcome is Outcome.DONE:
        return participant_sid not in {person.sid for person in people.body}
    return people.outcome is Outcome.MISSING and is_gone(place)


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
    return persistently(
        lambda: at(place).messages(message_sid).delivery_receipts.list()
    )


def state(place: Somewhere) -> Result:
    """The conversation as Twilio has it now."""
    return persistently(lambda: at(place).fetch())


def is_gone(place: Somewhere) -> bool:
    """Whether the conversation was removed for good: unknown, while the service that it was in answers."""
    if state(place).outcome is not Outcome.MISSING:
        return False
    root: Any = client().conversations.v1
    if place.service_sid:
        return (
            persistently(root.services(place.service_sid).fetch).outcome is Outcome.DONE
        )
    return (
        persistently(lambda: root.conversations.list(limit=1)).outcome is Outcome.DONE
    )


def user(identity: str, service_sid: str | None) -> Result:
    """Fetch the Conversations user of this identity; MISSING where there is none."""
    root: Any = client().conversations.v1
    users = root.services(service_sid).users if service_sid else root.users
    return _of_identity(
        identity, persistently(lambda: users(quote(identity, safe="@")).fetch())
    )


def frontline_user(identity: str) -> Result:
    """Frontline's user of this identity, with the switch of the app, `is_available`; MISSING for one who has never
    signed in there. https://www.twilio.com/docs/frontline/frontline-users-api"""
    users: Any = client().frontline_api.v1.users
    return _of_identity(
        identity, persistently(lambda: users(quote(identity, safe="@")).fetch())
    )


def _of_identity(identity: str, result: Result) -> Result:
    """A user of another identity is an answer to another question."""
    is_asked_for = (
        result.outcome is not Outcome.DONE or result.body.identity == identity
    )
    return (
        result
        if is_asked_for
        else Result(Outcome.MISSING, f"Twilio has no user called {identity}.")
    )


class Page(NamedTuple):
    """One page of a list, and the token of the next one; None: it is the last page."""

    conversations: list[Any]
    next_token: str | None


def created_on(
    service_sid: str | None, first: date, last: date, token: str | None
) -> Result:
    """One page of the conversations created on these days (UTC), in any state; the body is a Page.

    Twilio filters by whole days and sorts by creation, the newest first, with 100 on a page at most:
    https://www.twilio.com/docs/conversations/api/conversation-resource
    """
    root = client().conversations.v1
    conversations: Any = (
        root.services(service_sid).conversations if service_sid else root.conversations
    )
    days = {"start_date": f"{first}T00:00:00Z", "end_date": f"{last}T23:59:59Z"}
    place = {"page_token": token} if token else {}

    def listed() -> Page:
        page = conversations.page(page_size=_LARGEST_PAGE, **days, **place)
        query = parse_qs(urlsplit(page.next_page_url or "").query)
        return Page(list(page), next(iter(query.get("PageToken", ())), None))

    return persistently(listed)


def services_in_use() -> Result:
    """The Conversations services in which this account's addresses begin conversations; the body is a list of SIDs,
    the account's default service first."""

    def named() -> list[str]:
        root: Any = client().conversations.v1
        default = root.configuration().fetch().default_chat_service_sid
        addresses = root.address_configurations.list(
            limit=_MOST_ADDRESSES, page_size=50
        )
        chosen = [
            (one.auto_creation or {}).get("conversation_service_sid")
            for one in addresses
        ]
        return list(dict.fromkeys(sid for sid in (default, *chosen) if sid))

    return persistently(named)


def service(service_sid: str) -> Result:
    """One Conversations service."""
    return persistently(client().conversations.v1.services(service_sid).fetch)


def persistently(call: Callable[[], object]) -> Result:
    """Makes a call, again with backoff and jitter while trying helps and the caller still waits."""
    from google.api_core.retry import exponential_sleep_generator

    ends = time.monotonic() + clock.remaining(at_most=8.0) - _MARGIN
    pauses: Iterator[float] = exponential_sleep_generator(
        initial=0.1, maximum=1.5, multiplier=2.0
    )
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
    except configuration.ConfigurationError as error:
        return Result(Outcome.MISCONFIGURED, str(error))
    except TwilioException as error:
        return classify(error)


def classify(error: Exception) -> Result:
    """What an error of the SDK means; both its families carry a status, and mostly a code."""
    error = with_code(error)
    status, code = (
        int(getattr(error, "status", 0) or 0),
        int(getattr(error, "code", 0) or 0),
    )
    outcome = OUTCOMES.get(code) or _BY_STATUS.get(status)
    if outcome is None:
        outcome = (
            Outcome.REFUSED
            if 400 <= status < 500 and status not in (408, 425, 429)
            else Outcome.RETRY
        )
    text = (
        getattr(error, "msg", None)
        or getattr(error, "detail", None)
        or getattr(error, "title", None)
    )
    why = f"Twilio answered {status}, error {code}: {text or 'no text'}"
    if is_about_login(status, code):
        why += f"; {login_advice()}"
    is_unknown = code not in OUTCOMES
    is_conflict = status == _CONFLICT and is_unknown
    return Result(outcome, why, None, status >= 500 and is_unknown, is_conflict, code)


def is_about_login(status: int, code: int) -> bool:
    """Whether Twilio refuses the credentials, or does not let them do this."""
    return status in (401, 403) or code in _LOGIN_CODES


def login_advice() -> str:
    """Name the credentials that Twilio refuses, and say what to do."""
    login = configuration.twilio_login()
    if login.is_api_key:
        return (
            f"the API key {login.user} (TWILIO_API_KEY_SID) was deleted, has another secret, is of another account or "
            "lacks a permission: make a new one in the Twilio Console, then run ./deploy.sh --twilio-api-key with it"
        )
    return (
        f"TWILIO_AUTH_TOKEN is not the auth token of the account {login.account_sid}, or the account is suspended: "
        "look in the Twilio Console, then run ./deploy.sh with the present token"
    )


def at(place: Somewhere) -> ConversationContext:
    """The conversation, for calls about what is in it."""
    root = client().conversations.v1
    if place.service_sid:
        return root.services(place.service_sid).conversations(place.sid)
    return root.conversations(place.sid)


def with_code(error: Exception) -> Exception:
    """The SDK raises a bare exception when a page of a list fails; the answer, with its code, is its argument."""
    from twilio.base.version import Version

    response = error.args[1] if len(error.args) > 1 else None
    if getattr(response, "status_code", None) is None:
        return error
    coded: Exception = Version.exception("GET", "", response, "Unable to fetch page")
    return coded
