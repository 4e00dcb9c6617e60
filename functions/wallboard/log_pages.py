"""The conversation log: a search, and the story of each conversation."""

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
_LONGEST = 256  # characters of one search field


def log(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Newest first; ?state= &worker= &customer= narrow it, ?before= is the next page."""
    wanted = _wanted(args)
    narrowed = [
        name for name in ("state", "worker", "customer") if getattr(wanted, name)
    ]
    info(
        f"the wallboard's log was read, searched by: {', '.join(narrowed) or 'nothing'}"
    )
    found, more = conversation_search.search(shown.meter, wanted)
    return rendering.html(
        "log.html",
        found=found,
        more=more.isoformat() if more else None,
        wanted=wanted,
        states=STATES,
        zone=shown.settings().time_zone,
        pool_names={pool.id: pool.display_name for pool in shown.pools()},
        people=shown.names(one.worker for one in found),
    )


def story(shown: Board, sid: str) -> Answer:
    """Everything that happened to one conversation, and why."""
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
        worker=", ".join(_called(shown, [conversation.worker])),
        others=", ".join(_called(shown, conversation.others)),
    )


def _called(shown: Board, identities: Sequence[str | None]) -> list[str]:
    """Ann (ann@example.com); the identity alone where nobody gave a name."""
    names = shown.names(identities)
    known = [one for one in identities if one]
    return [one if names[one] == one else f"{names[one]} ({one})" for one in known]


def _wanted(args: MultiDict[str, str]) -> Wanted:
    state, worker, customer = (
        args.get(name, "").strip() or None for name in ("state", "worker", "customer")
    )
    if state and state not in STATES:
        raise BadInput(f"state must be one of {', '.join(STATES)}.")
    for name, value in (("worker", worker), ("customer", customer)):
        if value and len(value) > _LONGEST:
            raise BadInput(f"{name} must not be longer than {_LONGEST} characters.")
    return Wanted(state, worker, customer, _time(args.get("before")))


def _time(text: str | None) -> datetime | None:
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
