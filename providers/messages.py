"""Messages of a conversation at Twilio, and the files in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from domain import json_text, messages, wordless
from domain.messages import Message
from providers import clock, twilio
from providers.twilio import Outcome, Result, Somewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "inbox_token"  # noqa: S105 - the name of an attribute: what a worker's page calls the message
SERVICE_TEXT = (
    "service_text"  # the attribute that holds the token of a text of the service's own
)
_CONVERSATIONS = "https://conversations.twilio.com/v1"
_TO_SAY_WHAT_IT_IS = 1.5  # seconds: the message itself is noted in any case
_MEDIA = "https://mcs.us1.twilio.com/v1/Services"
_PAGE = 50
_MOST_LOOKED_THROUGH = 1000
_TO_UPLOAD = 15.0


def after(place: Somewhere, index: int, limit: int) -> Result:
    """The newest messages, as far back as this index and at most so many; the body is a list, the newest first."""

    def listed() -> list[Any]:
        found = []
        for message in _newest_first(place, limit):
            if message.index <= index:
                break
            found.append(message)
        return found

    return twilio.persistently(listed)


def before(place: Somewhere, index: int, limit: int) -> Result:
    """Messages before this index, the newest of them first; Twilio pages from the end, so this reads all after it."""

    def listed() -> list[Any]:
        older = (
            one
            for one in _newest_first(place, _MOST_LOOKED_THROUGH)
            if one.index < index
        )
        return list(islice(older, limit))

    return twilio.persistently(listed)


def with_token(
    place: Somewhere, token: str, limit: int = 2 * _PAGE, attribute: str = TOKEN
) -> Result:
    """The message that carries this token among the newest; the body is None where there is none."""

    def found() -> Any:
        return next(
            (
                one
                for one in _newest_first(place, limit)
                if token_of(one, attribute) == token
            ),
            None,
        )

    return twilio.persistently(found)


def files(place: Somewhere, until: str) -> Result:
    """The SIDs of the files in the newest messages, as far back as this one; the body is a set."""

    def found() -> frozenset[str]:
        sids: set[str] = set()
        for message in _newest_first(place, _MOST_LOOKED_THROUGH):
            sids |= {str(file.get("sid")) for file in message.media or ()}
            if until in sids:
                break
        return frozenset(sids)

    return twilio.persistently(found)


def of_twilio(one: Any) -> Message:
    """Return a message that Twilio's API lists as we know one."""
    text = messages.text_of(one.body, bool(one.media))
    at = min(one.date_created or clock.now(), clock.now())
    attributes = messages.attributes(one.attributes)
    return Message(one.index, at, one.author or "system", text, attributes, sid=one.sid)


def token_of(message: Any, attribute: str = TOKEN) -> str | None:
    """What who sent it called it."""
    try:
        attributes = json_text.parsed(
            message.attributes or "{}", json_text.MOST_ATTRIBUTES
        )
    except (TypeError, ValueError):
        return None
    value = attributes.get(attribute) if isinstance(attributes, dict) else None
    return value if isinstance(value, str) else None


def send(
    place: Somewhere, author: str, token: str, content: Mapping[str, str]
) -> Result:
    """Sends one message, in one try; the result's body is that message.

    `content`: {"body": ...}, {"media_sid": ...}, or {"content_sid": ..., "content_variables": JSON}.

    Webhooks are asked for: the log follows what a worker writes, too.
    """
    attributes = json.dumps({TOKEN: token})
    return twilio.once(
        lambda: twilio.at(place).messages.create(
            author=author,
            attributes=attributes,
            x_twilio_webhook_enabled="true",
            **content,
        )
    )


def say(place: Somewhere, token: str, content: Mapping[str, str]) -> Result:
    """Sends a text of the service's own, in one try: Twilio names `system` as its author, and fires no webhook."""
    attributes = json.dumps({SERVICE_TEXT: token})
    return twilio.once(
        lambda: twilio.at(place).messages.create(attributes=attributes, **content)
    )


def what_it_is(place: Somewhere, message_sid: str | None) -> str | None:
    """Words for a customer's message that has neither a text nor a file, by one call; None where Twilio doesn't answer.

    https://www.twilio.com/docs/api/errors/50530 comes for a message of which the channel says nothing.
    """
    if message_sid is None or clock.is_time_over():
        return None
    with clock.within(_TO_SAY_WHAT_IT_IS):
        result = twilio.once(lambda: _channel_metadata(place, message_sid))
    if result.outcome is Outcome.RETRY:
        return None
    return wordless.of_customer(result.body)


def _channel_metadata(place: Somewhere, message_sid: str) -> Any:
    from twilio.base.version import Version

    service = f"/Services/{place.service_sid}" if place.service_sid else ""
    path = f"/Conversations/{place.sid}/Messages/{message_sid}/ChannelMetadata"
    url = f"{_CONVERSATIONS}{service}{path}"
    response = twilio.client().request("GET", url)
    if not 200 <= response.status_code < 300:
        raise Version.exception(
            "GET", url, response, "Unable to fetch the channel metadata"
        )
    return json.loads(response.text)


def looked(place: Somewhere, participant_sid: str, index: int) -> Result:
    """Tells Twilio's other tools how far this participant has read."""
    people: Any = twilio.at(place).participants
    return twilio.once(
        lambda: people(participant_sid).update(last_read_message_index=index)
    )


def upload(service_sid: str, name: str, kind: str, content: bytes) -> Result:
    """Puts a file where messages can show it; the body is its SID.

    https://www.twilio.com/docs/conversations/api/media-resource, which the helper library does not know.
    """

    def sent() -> str:
        answer = _media(
            "POST", service_sid, params={"Filename": name}, data=content, kind=kind
        )
        return str(answer["sid"])

    return twilio.persistently(sent)


def link(service_sid: str, media_sid: str) -> Result:
    """Where the file can be fetched for some minutes by whoever has the address; the body is that address."""

    def fetched() -> str:
        links = _media("GET", service_sid, f"/{media_sid}")["links"]
        return str(links["content_direct_temporary"])

    return twilio.persistently(fetched)


def service_of(place: Somewhere) -> str | None:
    """The Conversations service that a conversation is in; None where Twilio does not tell."""
    if place.service_sid:
        return place.service_sid
    result = twilio.state(place)
    found = getattr(result.body, "chat_service_sid", None)
    return found if result.outcome is Outcome.DONE and isinstance(found, str) else None


def _newest_first(place: Somewhere, limit: int) -> Iterator[Any]:
    found: Iterator[Any] = twilio.at(place).messages.stream(
        order="desc", limit=limit, page_size=min(limit, _PAGE)
    )
    return found


def _media(
    method: str,
    service_sid: str,
    path: str = "",
    params: Mapping[str, str] | None = None,
    data: bytes | None = None,
    kind: str | None = None,
) -> Any:
    from twilio.base.version import Version

    client = twilio.client()
    url = client.get_hostname(f"{_MEDIA}/{service_sid}/Media{quote(path)}")
    response = client.http_client.request(
        method,
        url,
        params=params,
        data=data,
        headers={"Content-Type": kind} if kind else {},
        auth=client.auth,
        timeout=_TO_UPLOAD if data is not None else None,
    )
    if not 200 <= response.status_code < 300:
        raise Version.exception(method, url, response, "Unable to reach the file")
    return json.loads(response.text)
