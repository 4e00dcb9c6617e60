"""One conversation at the desk: its record and log, its messages from Twilio, its files, a transcript.

Reading it changes nothing at Twilio, and each reading is in the audit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain import addresses, delivery, messages, wordless
from domain.conversation import CUSTOMER, SERVICE, Conversation, Undelivered
from domain.delivery import Failure
from domain.messages import Message
from functions.desk import acts, authority, team
from functions.desk.authority import Supervisor
from functions.desk.formats import iso, log_of, name_of
from functions.desk.page import PAGE
from functions.desk.team import Team
from functions.http import base_url, cache, page_kit
from functions.http.answers import Answer, BadInput, NotFound, TryAgain
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import audit
from providers import messages as at_twilio
from providers.audit import Entry
from providers.twilio import Outcome, Result

_PAGE = 50
_MOST_IN_TRANSCRIPT = 1000
_LONGEST_INDEX = 15  # digits
_MEDIA_SID = re.compile(r"ME[0-9a-fA-F]{32}")
_NO_RESPONSE = "Twilio isn't responding. Try again in a moment."
_GONE = "Twilio no longer has this conversation."
_NO_FILE = "File not found in this conversation."
_TEXT = "text/plain; charset=utf-8"


def opened(visit: Visit, person: Person, sid: str) -> Answer:
    """GET conversations/SID: who has it, where it waits, and its log."""
    authority.supervisor(person)
    conversation, shown = acts.conversation(sid), team.look()
    return Answer(
        {
            "sid": sid,
            "name": name_of(conversation),
            "address": conversation.address,
            "state": conversation.state,
            "pool": shown.pool_name(conversation.pool or ""),
            "worker": conversation.worker,
            "worker_name": shown.name(conversation.worker) or None,
            "customer": conversation.customer_id,
            "priority": conversation.priority,
            "arrived": iso(conversation.created_at),
            "waits_since": iso(conversation.awaiting_since),
            "log": log_of(conversation),
        }
    )


def listed(visit: Visit, person: Person, sid: str) -> Answer:
    """GET conversations/SID/messages: the newest; `before=N`: the ones before message N; the oldest first."""
    supervisor = authority.supervisor(person)
    conversation = acts.conversation(sid)
    before = _index(visit)
    if before is None:
        note_reading(supervisor, sid)
        newest_first = _body(at_twilio.after(conversation, -1, _PAGE + 1))
        is_more = len(newest_first) > _PAGE
    else:
        result = at_twilio.earlier(conversation, before, _PAGE, None)
        newest_first, is_more = _older(result)
    shown = _shown(conversation, newest_first[:_PAGE])
    return Answer({"messages": shown, "more": is_more})


def media(visit: Visit, person: Person, sid: str, media_sid: str) -> Answer:
    """GET conversations/SID/media/ME: a redirect to Twilio's temporary address of the file."""
    supervisor = authority.supervisor(person)
    conversation = acts.conversation(sid)
    if not _MEDIA_SID.fullmatch(media_sid):
        raise NotFound(_NO_FILE)
    if not _has_file(conversation, media_sid):
        raise NotFound(_NO_FILE)
    service = at_twilio.service_of(conversation)
    if service is None:
        raise TryAgain(_NO_RESPONSE)
    note_reading(supervisor, sid, "media")
    result = at_twilio.link(service, media_sid)
    if result.outcome is Outcome.RETRY:
        raise TryAgain(_NO_RESPONSE)
    if result.outcome is not Outcome.DONE:
        raise NotFound("Twilio no longer has this file.")
    headers = page_kit.headers("private, max-age=60")
    return Answer(None, 302, (("Location", result.body), *headers))


def transcript(visit: Visit, person: Person, sid: str) -> Answer:
    """GET conversations/SID/transcript: the messages as a text, with links to the files."""
    supervisor = authority.supervisor(person)
    conversation, shown = acts.conversation(sid), team.look()
    note_reading(supervisor, sid, "transcript")
    found = _body(at_twilio.after(conversation, -1, _MOST_IN_TRANSCRIPT))
    place = f"{base_url.of(PAGE, visit.request).address}conversations/{sid}/media/"
    lines = [f"Conversation with {name_of(conversation)}", sid, ""]
    if len(found) == _MOST_IN_TRANSCRIPT:
        lines += [f"Only the newest {_MOST_IN_TRANSCRIPT} messages are here.", ""]
    for message in _shown(conversation, found):
        lines += _as_text(message, shown, place)
    name = ("Content-Disposition", f'attachment; filename="{sid}.txt"')
    return Answer(
        "\n".join(lines), headers=(*page_kit.headers(), name), content_type=_TEXT
    )


def note_reading(supervisor: Supervisor, sid: str, *what: str) -> None:
    """Write the reading to the audit before anything is shown."""
    audit.note(Entry(supervisor.identity, "read", f"conversations/{sid}", what))


def _as_text(message: Mapping[str, Any], shown: Team, place: str) -> list[str]:
    zone = ZoneInfo(shown.settings.time_zone)
    at = (
        datetime.fromisoformat(message["at"]).astimezone(zone)
        if message["at"]
        else None
    )
    when = f"{at:%Y-%m-%d %H:%M}" if at else "unknown time"
    author = message["name"] or message["author"] or message["from"]
    files = [
        f"[{file['name'] or 'File'}: {place}{file['sid']}]" for file in message["media"]
    ]
    return [f"{when}  {author}:", *filter(None, [message["body"], *files]), ""]


def _has_file(conversation: Conversation, media_sid: str) -> bool:
    """Return whether a message of this conversation has the file."""
    key = ("files", conversation.sid)
    known: frozenset[str] = cache.peek(key) or frozenset()
    if media_sid in known:
        return True
    result = at_twilio.files(conversation, media_sid)
    if result.outcome is not Outcome.DONE:
        raise TryAgain(_NO_RESPONSE)
    cache.put(key, known | result.body)
    return media_sid in result.body


def _shown(conversation: Conversation, newest_first: list[Any]) -> list[dict[str, Any]]:
    team_now = team.look()
    lost = {entry.message_sid: entry for entry in conversation.undelivered}
    return [
        _message(one, conversation, team_now, lost) for one in reversed(newest_first)
    ]


def _message(
    message: Any,
    conversation: Conversation,
    shown: Team,
    lost: Mapping[str, Undelivered],
) -> dict[str, Any]:
    sender = _sender(message, conversation, shown)
    is_customer = sender == CUSTOMER
    wordless_text = wordless.UNKNOWN if is_customer else wordless.TEMPLATE
    body = message.body or (None if message.media else wordless_text)
    return {
        "index": message.index,
        "at": iso(_utc(message.date_created)),
        "from": sender,
        "author": message.author,
        "name": _name(message, conversation, shown, sender),
        "body": body,
        "media": [
            {
                "sid": file.get("sid"),
                "type": file.get("content_type"),
                "name": file.get("filename"),
            }
            for file in message.media or ()
        ],
        "lost": None if is_customer else _why_lost(message, lost),
    }


def _sender(message: Any, conversation: Conversation, shown: Team) -> str:
    attributes = messages.attributes(message.attributes)
    written = Message(
        message.index, message.date_created, message.author or "", attributes=attributes
    )
    known = messages.sender_of(written, conversation)
    return known or messages.stranger(written.author, shown.settings.bots)


def _name(
    message: Any, conversation: Conversation, shown: Team, sender: str
) -> str | None:
    if sender == CUSTOMER:
        return name_of(conversation)
    if sender == SERVICE:
        return "Automatic message"
    return shown.name(message.author) or addresses.bare(message.author or "")


def _why_lost(message: Any, lost: Mapping[str, Undelivered]) -> str | None:
    """Return why a message did not reach the customer; None if it did, or no report says so."""
    report = lost.get(message.sid)
    if report is not None:
        failure = Failure(report.code, report.failed, report.recipients)
        return delivery.reason(failure)
    if delivery.state_of(message.delivery) in delivery.LOST:
        return delivery.reason(delivery.failure_in(message.delivery))
    return None


def _utc(moment: datetime | None) -> datetime | None:
    """Return a time of Twilio's, which is UTC even if it doesn't say so."""
    if moment is None or moment.tzinfo:
        return moment
    return moment.replace(tzinfo=UTC)


def _body(result: Result) -> list[Any]:
    """Return the messages that Twilio has listed. Raises NotFound and TryAgain."""
    if result.outcome is Outcome.DONE:
        return list(result.body)
    if result.outcome in (Outcome.MISSING, Outcome.GONE):
        raise NotFound(_GONE)
    raise TryAgain(_NO_RESPONSE)


def _older(result: Result) -> tuple[list[Any], bool]:
    """Return a page of earlier messages, the newest first, and whether there are more."""
    if result.outcome is not Outcome.DONE:
        return _body(result), False
    return list(result.body.messages), bool(result.body.is_more)


def _index(visit: Visit) -> int | None:
    """Return the parameter `before`. Raises BadInput."""
    value = visit.request.args.get("before")
    if value is None:
        return None
    if not value.isdecimal() or len(value) > _LONGEST_INDEX:
        raise BadInput("before must be the index of a message.")
    return int(value)
