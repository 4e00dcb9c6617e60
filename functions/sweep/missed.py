"""Conversations that Twilio has and the log does not: a webhook that never came, which Twilio does not repeat.

https://www.twilio.com/docs/conversations/conversations-webhooks: post-event webhooks are not retried by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from assignment import arrival
from domain import rules
from domain.arrival import Arrival
from functions.sweep.run import Run
from providers import clock, configuration, conversations, log, settings, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome, Place

IN_FLIGHT = timedelta(seconds=20)  # a conversation this young is left to its webhooks
_OVERLAP = timedelta(minutes=2)  # looked at again: the clocks, and lists that lag behind
_FIRST_LOOK = timedelta(hours=1)  # how far back the very first run looks
_MOST_LISTED = 1000
_MOST_ASKED = 50  # conversations whose participants are fetched in one run
_MARGIN = 8.0


def find(progress: Progress, run: Run) -> Progress:
    now = clock.now()
    since = progress.listed_since or now - _FIRST_LOOK
    listed: list[Any] = []
    for state in ("active", "inactive"):
        service_sid = configuration.service_in_use(None)
        result = twilio.created_since(state, service_sid, since - _OVERLAP, _MOST_LISTED)
        if result.outcome is not Outcome.DONE:
            log.error(f"Twilio's conversations could not be listed: {result.why}")
            return progress
        listed += result.body
    progress = replace(progress, listed_since=since, asked=_still(progress.asked, listed))
    unknown = [
        c for c in _unknown(listed) if now - _created(c, now) > IN_FLIGHT and c.sid not in progress.asked
    ]
    for number, conversation in enumerate(unknown):
        if number == _MOST_ASKED or clock.is_time_over(_MARGIN):
            log.warning(f"{len(unknown) - number} conversations are left for the next sweep.")
            return progress
        is_mended = run.shielded("conversation", conversation.sid, partial(route, conversation), False)
        if is_mended is None:
            return progress
        run.note("conversations whose webhook never came", is_mended)
        progress = replace(progress, asked=(*progress.asked, conversation.sid))
    if len(listed) >= _MOST_LISTED:
        log.warning(
            f"More than {_MOST_LISTED} conversations since the last sweep; only these were looked at."
        )
    return replace(progress, listed_since=now - IN_FLIGHT)


def _still(asked: Iterable[str], listed: Iterable[Any]) -> tuple[str, ...]:
    """Those of them that Twilio lists still; the others need not be remembered."""
    sids = {conversation.sid for conversation in listed}
    return tuple(sid for sid in asked if sid in sids)


def _unknown(listed: Iterable[Any]) -> list[Any]:
    by_sid = {conversation.sid: conversation for conversation in listed}
    known = {c.sid for c in conversations.load_all(list(by_sid)) if rules.is_routed(c) or c.starting}
    return [conversation for sid, conversation in by_sid.items() if sid not in known]


def route(conversation: Any) -> bool | None:
    """Routes it if a customer is in it and no worker; None: Twilio does not tell who is in it just now."""
    place = Place(conversation.chat_service_sid, conversation.sid)
    result = twilio.participants(place)
    if result.outcome is not Outcome.DONE:
        return False if result.outcome in (Outcome.GONE, Outcome.MISSING) else None
    bound = [p.messaging_binding for p in result.body if (p.messaging_binding or {}).get("address")]
    if not bound or _is_served(result.body):
        return False
    arrival.route(arrived(conversation, bound[0]))
    log.warning(
        "The webhook for this conversation never came; it is routed now.", conversation=conversation.sid
    )
    return True


def _is_served(people: Iterable[Any]) -> bool:
    """Whether a confirmed worker is in it already."""
    identities = {one.identity for one in people if one.identity}
    return bool(workers.confirmed(identities - set(settings.load().bots))) if identities else False


def arrived(conversation: Any, binding: dict[str, Any]) -> Arrival:
    """What the webhook would have said."""
    proxy, projected = binding.get("proxy_address"), binding.get("projected_address")
    return Arrival(
        conversation.sid,
        binding["address"],
        proxy_address=proxy,
        projected_address=projected,
        our_addresses=tuple(filter(None, (proxy, projected))),
        is_starting=conversation.state == "initializing",
        service_sid=conversation.chat_service_sid,
        created_at=conversation.date_created,
    )


def _created(conversation: Any, now: datetime) -> datetime:
    created: datetime = conversation.date_created or now
    return created
