"""GET conversations/SID/media/ME: a file of a message, for the conversation's workers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from domain.conversation import Conversation
from functions.http import access, cache, page_kit
from functions.http.answers import Answer, NotFound, TryAgain
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox.page import PAGE
from functions.inbox.twilio_results import NO_RESPONSE, service_of
from providers import messages as at_twilio
from providers.twilio import Outcome

_SID = re.compile(r"ME[0-9a-fA-F]{32}")


def shown(visit: Visit, person: Person, sid: str, media_sid: str) -> Answer:
    """Redirect to Twilio's temporary address of the file. Raises NotFound for another conversation's file."""
    theirs = authority.readable(person, sid)
    conversation = theirs.conversation
    if not _SID.fullmatch(media_sid):
        raise NotFound("File not found.")
    if not _has_file(conversation, media_sid):
        raise NotFound("File not found in this conversation.")
    result = at_twilio.link(service_of(conversation), media_sid)
    if result.outcome is Outcome.RETRY:
        raise TryAgain(NO_RESPONSE)
    if result.outcome is not Outcome.DONE:
        raise NotFound("Twilio no longer has this file.")
    access.note(PAGE, "opened a file", theirs.worker, conversation=sid, file=media_sid)
    headers = page_kit.headers("private, max-age=60")
    return Answer(None, 302, (("Location", result.body), *headers))


def note_files(conversation: Conversation, messages: Iterable[Any]) -> None:
    """Remember the files of messages that were listed, so that they are not looked for when they are opened."""
    sids = {
        str(file.get("sid")) for message in messages for file in message.media or ()
    }
    if sids:
        key = ("files", conversation.sid)
        known: frozenset[str] = cache.peek(key) or frozenset()
        cache.put(key, known | sids)


def _has_file(conversation: Conversation, media_sid: str) -> bool:
    """Return whether a message of this conversation has the file; files are never removed from a message."""
    file_sids: frozenset[str] = cache.peek(("files", conversation.sid)) or frozenset()
    if media_sid not in file_sids:
        result = at_twilio.files(conversation, media_sid)
        if result.outcome is not Outcome.DONE:
            raise TryAgain(NO_RESPONSE)
        file_sids |= result.body
        cache.put(("files", conversation.sid), file_sids)
    return media_sid in file_sids
