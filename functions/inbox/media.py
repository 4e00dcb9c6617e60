"""GET conversations/SID/media/ME: a file of a message, for whoever the conversation belongs to."""

from __future__ import annotations

import re

from functions.door.answers import Answer, NotFound, TryAgain
from functions.door.webhook import Visit
from functions.inbox import authority, kept, pages
from functions.inbox.session import Person
from providers import messages as at_twilio
from providers.twilio import Outcome, Somewhere

_SID = re.compile(r"ME[0-9a-fA-F]{32}")
_MOST_LOOKED_THROUGH = 1000
_KNOWN_FOR = 3600.0  # seconds: what is in a message once stays in it


def shown(visit: Visit, person: Person, sid: str, media_sid: str) -> Answer:
    """To the address where Twilio gives it out for some minutes. A file of another conversation is none of this one."""
    conversation = authority.desk(person, sid).conversation
    if not _SID.fullmatch(media_sid):
        raise NotFound("There is no such file.")
    if media_sid not in kept.get(("files", sid, media_sid), _KNOWN_FOR, lambda: _in_it(conversation)):
        kept.drop(("files", sid, media_sid))
        raise NotFound("There is no such file in this conversation.")
    service = at_twilio.service_of(conversation)
    result = at_twilio.link(service, media_sid) if service else None
    if result is None or result.outcome is Outcome.RETRY:
        raise TryAgain("Twilio does not answer just now; try again in a moment.")
    if result.outcome is not Outcome.DONE:
        raise NotFound("Twilio does not have this file any more.")
    return Answer(None, 302, (("Location", result.body), *pages.headers("private, max-age=60")))


def _in_it(conversation: Somewhere) -> frozenset[str]:
    """The files of the conversation's messages."""
    result = at_twilio.after(conversation, -1, _MOST_LOOKED_THROUGH)
    if result.outcome is not Outcome.DONE:
        raise TryAgain("Twilio does not answer just now; try again in a moment.")
    return frozenset(str(file.get("sid")) for one in result.body for file in one.media or ())
