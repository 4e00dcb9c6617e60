"""Messages of a conversation at Twilio, and the files in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from domain import json_text, messages, wordless
from domain.messages import Message
from providers import clock, twilio
from providers.twilio import Outcome, Result, Somewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "inbox_token"  # noqa: S105 - the name of an attribute: the id that a worker's page gives to the message
SERVICE_TEXT = "service_text"  # the attribute with the token of an automatic text
_CONVERSATIONS = "https://conversations.twilio.com/v1"
_TO_DESCRIBE = 1.5  # seconds; the message itself is recorded in any case
_MEDIA = "https://mcs.us1.twilio.com/v1/Services"
_PAGE = 50
_MOST_LOOKED_THROUGH = 10_000
_TO_UPLOAD = 15.0


def after(place: Somewhere, index: int, limit: int) -> Result:
    """Return the messages after this index, at most `limit`; the body is a list, the newest first."""

    def fetch() -> list[Any]:
        newest = _newest_first(place, limit)
        return list(takewhile(lambda message: message.index > index, newest))

    return twilio.persistently(fetch)


class Page(NamedTuple):
    """Messages, the newest first. `token`: Twilio's name of the page after them, if one begins right there."""

    messages: list[Any]
    is_more: bool
    token: str | None


def earlier(place: Somewhere, index: int, size: int, token: str | None) -> Result:
    """Return one Page with `size` messages before this index.

    Twilio pages from the newest message on. `token` says where the older ones begin; without it, this reads all
    later messages, too.
    """

    def fetch() -> Page:
        listed = twilio.at(place).messages
        page = listed.page(
            order="desc", page_size=size, page_token=token or values.unset
        )
        older = _older(page, index)
        while len(older) < size and page.next_page_url and not clock.is_time_over(1.0):
            page = page.next_page()
            older += _older(page, index)
        next_token = _token_in(page.next_page_url)
        if len(older) > size:
            return Page(older[:size], is_more=True, token=None)
        return Page(older, next_token is not None, next_token)

    from twilio.base import values

    return twilio.persistently(fetch)


def _older(page: Any, index: int) -> list[Any]:
    return [message for message in page if message.index < index]


def _token_in(next_page_url: str | None) -> str | None:
    """Return the token in the address of Twilio's next page."""
    query = parse_qs(urlsplit(next_page_url or "").query)
    return next(iter(query.get("PageToken", [])), None)


def one(place: Somewhere, message_sid: str) -> Result:
    """Return one message; the body is Twilio's."""
    messages: Any = twilio.at(place).messages
    return twilio.persistently(lambda: messages(message_sid).fetch())


def with_token(
    place: Somewhere, token: str, limit: int = 2 * _PAGE, attribute: str = TOKEN
) -> Result:
    """Return the message with this token among the newest; the body is None if there is none."""

    def fetch() -> Any:
        newest = _newest_first(place, limit)
        matches = filter(lambda message: token_of(message, attribute) == token, newest)
        return next(matches, None)

    return twilio.persistently(fetch)


def files(place: Somewhere, until: str) -> Result:
    """Return the SIDs of the files in the newest messages, back to this file; the body is a set."""

    def fetch() -> frozenset[str]:
        sids: set[str] = set()
        for message in _newest_first(place, _MOST_LOOKED_THROUGH):
            sids |= {str(file.get("sid")) for file in message.media or ()}
            if until in sids:
                break
        return frozenset(sids)

    return twilio.persistently(fetch)


def of_twilio(one: Any) -> Message:
    """Convert a message of Twilio's API; a missing time, or one in the future, is replaced by the current one."""
    text = messages.text_of(one.body, bool(one.media))
    at = min(one.date_created or clock.now(), clock.now())
    attributes = messages.attributes(one.attributes)
    return Message(one.index, at, one.author or "system", text, attributes, sid=one.sid)


def token_of(message: Any, attribute: str = TOKEN) -> str | None:
    """Return the sender's token for this message, None without a valid one."""
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
    """Send one message, in one try; the result's body is that message.

    `content`: {"body": ...}, {"media_sid": ...}, or {"content_sid": ..., "content_variables": JSON}.

    The call asks Twilio for webhooks, because the conversation's record follows workers' messages, too.
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
    """Send an automatic text, in one try: Twilio names `system` as its author, and fires no webhook."""
    attributes = json.dumps({SERVICE_TEXT: token})
    return twilio.once(
        lambda: twilio.at(place).messages.create(attributes=attributes, **content)
    )


def what_it_is(place: Somewhere, message_sid: str | None) -> str | None:
    """Describe a customer's message without text and files, by one call; None if Twilio doesn't respond.

    Twilio answers https://www.twilio.com/docs/api/errors/50530 if the channel says nothing about the message.
    """
    if message_sid is None or clock.is_time_over():
        return None
    with clock.within(_TO_DESCRIBE):
        result = twilio.once(lambda: _channel_metadata(place, message_sid))
    if result.outcome is Outcome.RETRY:
        return None
    return wordless.of_customer(result.body)


def _channel_metadata(place: Somewhere, message_sid: str) -> Any:
    """Return the channel's own description of a message; the helper library lacks this call."""
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
    """Report to Twilio's other tools how far this participant has read."""
    participants: Any = twilio.at(place).participants
    return twilio.once(
        lambda: participants(participant_sid).update(last_read_message_index=index)
    )


def upload(service_sid: str, name: str, kind: str, content: bytes) -> Result:
    """Upload a file for messages; the body is its SID.

    https://www.twilio.com/docs/conversations/api/media-resource, which the helper library lacks.
    """

    def post() -> str:
        answer = _media(
            "POST", service_sid, params={"Filename": name}, data=content, kind=kind
        )
        return str(answer["sid"])

    return twilio.persistently(post)


def link(service_sid: str, media_sid: str) -> Result:
    """Return an address from which anyone can fetch the file for some minutes; the body is that address."""

    def fetch() -> str:
        links = _media("GET", service_sid, f"/{media_sid}")["links"]
        return str(links["content_direct_temporary"])

    return twilio.persistently(fetch)


def service_of(place: Somewhere) -> str | None:
    """Return the SID of a conversation's service; None if Twilio doesn't respond."""
    if place.service_sid:
        return place.service_sid
    result = twilio.state(place)
    service_sid = getattr(result.body, "chat_service_sid", None)
    return service_sid if isinstance(service_sid, str) else None


def _newest_first(place: Somewhere, limit: int) -> Iterator[Any]:
    """List messages from the newest on; Twilio sends 50 on a page."""
    stream: Iterator[Any] = twilio.at(place).messages.stream(
        order="desc", limit=limit, page_size=min(limit, _PAGE)
    )
    return stream


def _media(
    method: str,
    service_sid: str,
    path: str = "",
    params: Mapping[str, str] | None = None,
    data: bytes | None = None,
    kind: str | None = None,
) -> Any:
    """Call the Media API, which the helper library lacks. Returns the answer's JSON; raises TwilioRestException."""
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
