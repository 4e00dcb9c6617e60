"""The pages of the log: a search, and one page per conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from domain.conversation import STATES
from functions.http.answers import Answer, BadInput, NotFound
from functions.wallboard import conversation_search, rendering
from functions.wallboard.conversation_search import Wanted
from functions.wallboard.refresh import Board
from providers import conversations
from providers.log import info

_SID = re.compile(r"CH[0-9a-fA-F]{32}")
_FILTERS = ("state", "worker", "customer")
_LONGEST = 256  # characters of one filter


def log(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Show one page of conversations, newest first. Filters: ?state= &worker= &customer=; ?before= is the next page."""
    wanted = _filters(args)
    names = [name for name in _FILTERS if getattr(wanted, name)]
    info(f"the wallboard's log was read, searched by: {', '.join(names) or 'nothing'}")
    matches, more = conversation_search.search(shown.meter, wanted)
    return rendering.html(
        "log.html",
        found=matches,
        more=more.isoformat() if more else None,
        wanted=wanted,
        states=STATES,
        zone=shown.settings().time_zone,
        pool_names={pool.id: pool.display_name for pool in shown.pools()},
        people=shown.names(conversation.worker for conversation in matches),
    )


def story(shown: Board, sid: str) -> Answer:
    """Show one conversation's log and fields. Raises NotFound for an unknown SID."""
    shown.meter.note(1)
    conversation = conversations.load(sid) if _SID.fullmatch(sid) else None
    if conversation is None or not conversation.exists:
        raise NotFound("The log has no conversation with this SID.")
    info("the wallboard's log of a conversation was read", conversation=sid)
    return rendering.html(
        "story.html",
        one=conversation,
        zone=shown.settings().time_zone,
        pool_names={pool.id: pool.display_name for pool in shown.pools()},
        worker=_names(shown, [conversation.worker]),
        others=_names(shown, conversation.others),
    )


def _names(shown: Board, identities: Sequence[str | None]) -> str:
    """Return workers as "Ann (ann@example.com)", or as the identity alone if they have no name."""
    names = shown.names(identities)
    workers = []
    for identity in filter(None, identities):
        name = names[identity]
        workers.append(identity if name == identity else f"{name} ({identity})")
    return ", ".join(workers)


def _filters(args: MultiDict[str, str]) -> Wanted:
    """Read the filters of a search; empty ones are None. Raises BadInput."""
    filters = {name: args.get(name, "").strip() or None for name in _FILTERS}
    if filters["state"] not in (None, *STATES):
        raise BadInput(f"state must be one of {', '.join(STATES)}.")
    for name, value in filters.items():
        if len(value or "") > _LONGEST:
            raise BadInput(f"{name} must not be longer than {_LONGEST} characters.")
    return Wanted(**filters, before=_time(args.get("before")))


def _time(text: str | None) -> datetime | None:
    """Parse a time with an offset from UTC. Raises BadInput for any other text."""
    if not text:
        return None
    try:
        before = datetime.fromisoformat(text)
        if before.tzinfo:
            return before.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            "before must be a time as the link to the next page has it."
        ) from None
    raise BadInput("before must name its offset from UTC.")
