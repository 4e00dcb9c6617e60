"""GET conversations/SID/media/ME: a file of a message, for whoever the conversation belongs to."""

from __future__ import annotations

import re

from domain.conversation import Conversation
from functions.http import access, cache, page_kit
from functions.http.answers import Answer, NotFound, TryAgain
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox.page import PAGE
from providers import messages as at_twilio
from providers.twilio import Outcome

_SID = re.compile(r"ME[0-9a-fA-F]{32}")


def shown(visit: Visit, person: Person, sid: str, media_sid: str) -> Answer:
    """To the address where Twilio gives it out for some minutes. A file of another conversation is none of this one."""
    theirs = authority.theirs(person, sid)
    conversation = theirs.conversation
    if not _SID.fullmatch(media_sid):
        raise NotFound("There is no such file.")
    if not _is_in_it(conversation, media_sid):
        raise NotFound("There is no such file in this conversation.")
    service = at_twilio.service_of(conversation)
    result = at_twilio.link(service, media_sid) if service else None
    if result is None or result.outcome is Outcome.RETRY:
        raise TryAgain("Twilio does not answer just now; try again in a moment.")
    if result.outcome is not Outcome.DONE:
        raise NotFound("Twilio does not have this file any more.")
    access.note(PAGE, "opened a file", theirs.worker, conversation=sid, file=media_sid)
    return Answer(
        None, 302, (("Location", result.body), *page_kit.headers("private, max-age=60"))
    )


def _is_in_it(conversation: Conversation, media_sid: str) -> bool:
    """Whether a message of this conversation has the file; what is in a message once stays in it."""
    known: frozenset[str] = cache.peek(("files", conversation.sid)) or frozenset()
    if media_sid not in known:
        result = at_twilio.files(conversation, media_sid)
        if result.outcome is not Outcome.DONE:
            raise TryAgain("Twilio does not answer just now; try again in a moment.")
        known |= result.body
        cache.put(("files", conversation.sid), known)
    return media_sid in known
