"""Twilio over REST: the calls that the service makes, and the meaning of each answer."""

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
_MARGIN = 0.5  # seconds reserved for recording the outcome


class Outcome(enum.Enum):
    """The outcome of a call, named after what follows from it."""

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
    # Closed for good; the participant is no longer there.
    Outcome.GONE: (50377, 50402, 50430, 50432),
    Outcome.MISSING: (50350, 50300, 20404),  # closes nothing by itself: see is_gone
    # The conversation is full; group messages, their projected address, another group of the same people.
    Outcome.REFUSED: (50417, 50418, 50422, 50436, 50434, 50438, 50439, 50452),
    Outcome.MISCONFIGURED: (20003, 20005, 20006, 20008, 70051, 50109, 50303, 50304),
}
OUTCOMES = {code: outcome for outcome, codes in _CODES.items() for code in codes}
# About the account, its token, or the API key.
_LOGIN_CODES = (20003, 20005, 20006, 20008, 70051)
# For unknown codes. None of these is a success: only add_worker takes a 409 for "already a participant".
_BY_STATUS = {
    401: Outcome.MISCONFIGURED,
    403: Outcome.MISCONFIGURED,
    404: Outcome.MISSING,
}
_CONFLICT = 409
_BUSY_STATUSES = (408, 425, 429)
_MOST_ADDRESSES = 1000
_LARGEST_PAGE = 100


@dataclass(frozen=True)
class Result:
    """The outcome of a call, a sentence for the log, and Twilio's answer if it was done.

    `is_unsure`: Twilio may have acted nevertheless, because its answer was lost or reports an internal error.
    `is_unknown_conflict`: Twilio answered 409 with a code that is not in the table.
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
        """Return the reason for a worker's page, which hides details of the service's set-up."""
        if self.outcome is Outcome.MISCONFIGURED:
            return "Twilio refuses the service's account or settings; ask your administrator."
        return self.why


@dataclass(frozen=True)
class Participant:
    """A participant of a conversation: a worker or visitor with an identity, a customer with an address.

    https://www.twilio.com/docs/conversations/api/conversation-participant-resource
    """

    sid: str
    identity: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None

    @property
    def messaging_binding(self) -> dict[str, str]:
        """The three addresses under Twilio's names, without those that are not set."""
        names = ("address", "proxy_address", "projected_address")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(frozen=True)
class Participants(Result):
    """The result of listing a conversation's participants; no call that failed has any."""

    body: tuple[Participant, ...] = ()


class Somewhere(Protocol):
    """A conversation, or only its address: with a service SID it reaches any service, else the default one."""

    @property
    def service_sid(self) -> str | None: ...
    @property
    def sid(self) -> str: ...


class Place(NamedTuple):
    """The address of a conversation at Twilio."""

    service_sid: str | None
    sid: str


def client() -> Client:
    """Return the SDK's client for the account in the environment. Raises ConfigurationError."""
    return _client(configuration.twilio_login())


@cache
def _client(login: configuration.TwilioLogin) -> Client:
    """Make the client once for each login; it opens no connection before the first call."""
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
    """Add the worker to the conversation. DONE without a body for a worker who is in it already, as after a repeat.

    Without a body, the caller must check whether the worker is in it.
    """
    fields = {"identity": identity}
    if projected_address:
        fields["messaging_binding_projected_address"] = projected_address
    result = persistently(lambda: at(place).participants.create(**fields))
    if result.is_unknown_conflict:
        return replace(result, outcome=Outcome.DONE)
    return result


def set_attributes(
    place: Somewhere, participant_sid: str, attributes: Mapping[str, Any]
) -> Result:
    """Replace a participant's attributes (Twilio stores them as one string)."""
    text = json.dumps(attributes, ensure_ascii=False)
    return persistently(
        lambda: at(place).participants(participant_sid).update(attributes=text)
    )


def remove_participant(place: Somewhere, participant_sid: str) -> Result:
    """Remove this participant; GONE for one that is no longer in the conversation."""
    return persistently(lambda: at(place).participants(participant_sid).delete())


def is_out(place: Somewhere, participant_sid: str, result: Result) -> bool:
    """Return whether the participant has left the conversation, after this answer to their removal.

    If the answer does not settle it (such as a 404, which may come from a gateway), ask for the participants.
    """
    if result.outcome in (Outcome.DONE, Outcome.GONE):
        return True
    if result.outcome in (Outcome.RETRY, Outcome.MISCONFIGURED):
        return False
    listed = participants(place)
    if listed.outcome is Outcome.DONE:
        return all(person.sid != participant_sid for person in listed.body)
    return listed.outcome is Outcome.MISSING and is_gone(place)


def close(place: Somewhere) -> Result:
    """Close the conversation for good; GONE if it is closed already."""
    return persistently(lambda: at(place).update(state="closed"))


def participants(place: Somewhere) -> Participants:
    """Return all participants of the conversation."""
    result = persistently(lambda: at(place).participants.list())
    fields = vars(result) | {"body": tuple(map(_participant, result.body or ()))}
    return Participants(**fields)


def _participant(resource: Any) -> Participant:
    """Convert a participant of the SDK; one without an address has no binding."""
    binding = resource.messaging_binding or {}
    return Participant(
        resource.sid,
        resource.identity,
        address=binding.get("address"),
        proxy_address=binding.get("proxy_address"),
        projected_address=binding.get("projected_address"),
    )


def messages(place: Somewhere, limit: int) -> Result:
    """Return the newest messages, the newest first; the body is a list."""
    return persistently(lambda: at(place).messages.list(order="desc", limit=limit))


def receipts(place: Somewhere, message_sid: str) -> Result:
    """Return the delivery receipts of one message, one for each participant; the body is a list."""
    return persistently(
        lambda: at(place).messages(message_sid).delivery_receipts.list()
    )


def state(place: Somewhere) -> Result:
    """Return the conversation as Twilio has it now."""
    return persistently(lambda: at(place).fetch())


def is_gone(place: Somewhere) -> bool:
    """Return whether the conversation was removed for good: unknown, while its service answers."""
    if state(place).outcome is not Outcome.MISSING:
        return False
    if place.service_sid:
        return service(place.service_sid).outcome is Outcome.DONE
    conversations: Any = root(None).conversations
    probe = persistently(lambda: conversations.list(limit=1))
    return probe.outcome is Outcome.DONE


def user(identity: str, service_sid: str | None) -> Result:
    """Fetch the Conversations user of this identity; MISSING where there is none."""
    return _fetch_user(root(service_sid).users, identity)


def frontline_user(identity: str) -> Result:
    """Fetch Frontline's user of this identity, with the app's switch `is_available`; MISSING before the first sign-in
    there. https://www.twilio.com/docs/frontline/frontline-users-api"""
    return _fetch_user(client().frontline_api.v1.users, identity)


def _fetch_user(users: Any, identity: str) -> Result:
    """Fetch a user; MISSING if Twilio answers with a user of another identity."""
    result = persistently(users(quote(identity, safe="@")).fetch)
    if result.outcome is Outcome.DONE and result.body.identity != identity:
        return Result(Outcome.MISSING, f"Twilio has no user called {identity}.")
    return result


class Page(NamedTuple):
    """One page of a list, and the token of the next one; None: it is the last page."""

    conversations: list[Any]
    next_token: str | None


def created_on(
    service_sid: str | None, first: date, last: date, token: str | None
) -> Result:
    """Return one page of the conversations created on these days (UTC), in any state; the body is a Page.

    Twilio filters by whole days and sorts by creation, the newest first, with 100 on a page at most:
    https://www.twilio.com/docs/conversations/api/conversation-resource
    """
    conversations: Any = root(service_sid).conversations
    days = {"start_date": f"{first}T00:00:00Z", "end_date": f"{last}T23:59:59Z"}
    place = {"page_token": token} if token else {}

    def fetch() -> Page:
        page = conversations.page(page_size=_LARGEST_PAGE, **days, **place)
        query = parse_qs(urlsplit(page.next_page_url or "").query)
        return Page(list(page), next(iter(query.get("PageToken", ())), None))

    return persistently(fetch)


def services_in_use() -> Result:
    """Return the Conversations services in which this account's addresses begin conversations.

    The body is a list of SIDs, the account's default service first.
    """

    def fetch() -> list[str]:
        api: Any = client().conversations.v1
        sids = [api.configuration().fetch().default_chat_service_sid]
        for address in api.address_configurations.list(
            limit=_MOST_ADDRESSES, page_size=50
        ):
            sids.append((address.auto_creation or {}).get("conversation_service_sid"))
        return list(dict.fromkeys(filter(None, sids)))

    return persistently(fetch)


def service(service_sid: str) -> Result:
    """Return one Conversations service."""
    return persistently(client().conversations.v1.services(service_sid).fetch)


def persistently(call: Callable[[], object]) -> Result:
    """Make a call; repeat it with backoff and jitter while that may help and the caller still waits."""
    from google.api_core.retry import exponential_sleep_generator

    ends = time.monotonic() + clock.remaining(at_most=8.0) - _MARGIN
    pauses: Iterator[float] = exponential_sleep_generator(
        initial=0.1, maximum=1.5, multiplier=2.0
    )
    result = once(call)
    while result.outcome is Outcome.RETRY:
        pause = next(pauses)
        if clock.is_time_over(_MARGIN) or time.monotonic() + pause > ends:
            break
        time.sleep(pause)
        result = once(call)
    return result


def once(call: Callable[[], object]) -> Result:
    """Make a call a single time, whatever the outcome, because a repetition would act twice."""
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
    """Return the meaning of an error of the SDK; both its families carry a status, and usually a code."""
    error = with_code(error)
    status, code = _number(error, "status"), _number(error, "code")
    outcome = OUTCOMES.get(code) or _outcome_of_status(status)
    texts = (getattr(error, name, None) for name in ("msg", "detail", "title"))
    text = next(filter(None, texts), "no text")
    why = f"Twilio answered {status}, error {code}: {text}"
    if is_about_login(status, code):
        why += f"; {login_advice()}"
    is_unknown = code not in OUTCOMES
    is_conflict = status == _CONFLICT and is_unknown
    return Result(outcome, why, None, status >= 500 and is_unknown, is_conflict, code)


def _number(error: Exception, name: str) -> int:
    """Return this attribute of the error, 0 without one."""
    return int(getattr(error, name, None) or 0)


def _outcome_of_status(status: int) -> Outcome:
    """Return the meaning of an HTTP status; a status of the server, or of a rate limit, is worth another try."""
    if status not in range(400, 500) or status in _BUSY_STATUSES:
        return Outcome.RETRY
    return _BY_STATUS.get(status, Outcome.REFUSED)


def is_about_login(status: int, code: int) -> bool:
    """Return whether Twilio refuses the credentials, or does not let them do this."""
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
    """Return the SDK's resource of the conversation, for calls about its contents."""
    resource: ConversationContext = root(place.service_sid).conversations(place.sid)
    return resource


def root(service_sid: str | None) -> Any:
    """Return the SDK's resource of a Conversations service; None: the account's default service."""
    default = client().conversations.v1
    return default.services(service_sid) if service_sid else default


def with_code(error: Exception) -> Exception:
    """Add status and code to the bare exception that the SDK raises when a page of a list fails.

    Twilio's answer is the exception's second argument.
    """
    from twilio.base.version import Version

    response = error.args[1] if len(error.args) > 1 else None
    if getattr(response, "status_code", None) is None:
        return error
    coded: Exception = Version.exception("GET", "", response, "Unable to fetch page")
    return coded
