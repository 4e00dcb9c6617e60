"""Conversations that Twilio has and the log does not: list them, however many, and route them, the oldest first.

Twilio does not repeat a webhook that never came: https://www.twilio.com/docs/conversations/conversations-webhooks.
What is listed goes into the backlog, and from there into the queue once everything older is listed, too, so a run that
ends in the middle loses nothing (docs/decisions/0014-outages.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from assignment import found
from assignment.found import OPEN, Found
from domain import rules
from domain.conversation import CLOSED
from functions.sweep.run import Run
from providers import (
    backlog,
    clock,
    configuration,
    conversations,
    database,
    log,
    sweeps,
    twilio,
)
from providers.backlog import Entry
from providers.sweeps import Listing, Progress, Stretch
from providers.twilio import Outcome, Result

IN_FLIGHT = timedelta(seconds=20)  # a conversation this young is left to its webhooks
_OVERLAP = timedelta(
    minutes=2
)  # looked at again: the clocks, and lists that lag behind
_FIRST_LOOK = timedelta(hours=1)  # how far back the very first look at a service goes
_SERVICES_KEPT = timedelta(
    minutes=10
)  # until Twilio is asked again which services are in use
_MOST_ASKED = 5000
_AT_ONCE = 100
_OFTEN = 3  # failures
_PAGES_BETWEEN_NOTES = 10  # after so many the place in the list is written down


class _Refused(Exception):
    """Twilio did not give out a page of its list."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.why)
        self.result = result


@dataclass
class _Look:
    """One look at Twilio's lists.

    `listed`: the SIDs seen; `fresh`: the conversations that the log does not know; `behind`: what is still to be
    listed, by service.
    """

    run: Run
    until: datetime
    asked: Collection[str]
    listing: Listing
    listed: set[str] = field(default_factory=set)
    fresh: dict[str, Any] = field(default_factory=dict)
    behind: dict[str | None, Stretch] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def settled_until(self) -> datetime:
        """Everything that began before this is listed, but for services whose lists Twilio refuses."""
        under_way = (
            stretch.since for stretch in self.behind.values() if not stretch.is_refused
        )
        return min(under_way, default=self.until)


def find(progress: Progress, run: Run) -> Progress:
    now = clock.now()
    progress = _with_services(progress, run, now)
    look = _Look(run, now - IN_FLIGHT, progress.asked, sweeps.load_listing())
    stretches = _stretches(progress, look.listing, now)
    if look.listing.behind:
        _route(look, min(stretch.since for stretch in stretches))
    _list_all(stretches, look)
    idle = _route(look, look.settled_until)
    news = tuple(
        sid for sid in idle if sid in look.listed and sid not in progress.asked
    )
    progress = replace(
        progress, asked=(*_still_asked(progress.asked, look), *news)[-_MOST_ASKED:]
    )
    if not look.is_whole:
        return progress
    return replace(progress, listed_since=look.until, listed_services=progress.services)


def _list_all(stretches: list[Stretch], look: _Look) -> None:
    """List every service; one that is not finished is written down as behind."""
    look.behind = {stretch.service_sid: stretch for stretch in stretches}
    try:
        for stretch in look.run.in_time(stretches):
            try:
                _list(stretch, look)
            except _Refused as refusal:
                _put_off(stretch.service_sid, refusal.result, look)
        sweeps.save_listing(look.listing, look.behind.values())
    except (
        database.LostRace
    ):  # another run lists the same; what this one has found is in the backlog
        look.is_whole = False


def _put_off(service_sid: str | None, result: Result, look: _Look) -> None:
    """The next run goes on from the same page; from the day's first one where Twilio does not take the token."""
    log.error(f"Twilio's conversations could not be listed: {result.why}")
    place = look.behind[service_sid]
    is_token_refused = place.token is not None and result.outcome in (
        Outcome.REFUSED,
        Outcome.MISSING,
    )
    kept = replace(place, until=None, token=None) if is_token_refused else place
    look.behind[service_sid] = replace(kept, is_refused=True)


def _with_services(progress: Progress, run: Run, now: datetime) -> Progress:
    """With the services in use: those that Twilio names, the configured one, and those of known conversations."""
    if (
        progress.services_at is not None
        and abs(now - progress.services_at) < _SERVICES_KEPT
    ):
        return progress
    result = twilio.services_in_use()
    if result.outcome is not Outcome.DONE:
        log.warning(f"Twilio does not say which services are in use: {result.why}")
        is_worth_another_try = result.outcome is Outcome.RETRY
        return progress if is_worth_another_try else replace(progress, services_at=now)
    configured = configuration.service_in_use(None)
    named = {*result.body, *([configured] if configured else [])}
    others = {
        sid
        for sid in set(progress.services) - named
        if twilio.service(sid).outcome is not Outcome.MISSING
    }
    return replace(progress, services=tuple(sorted(named | others)), services_at=now)


def _stretches(progress: Progress, listing: Listing, now: datetime) -> list[Stretch]:
    """What is to be listed of each service: from where an earlier run stopped, else since the last whole look.

    A new service begins where the look is left of one that is no longer named so: it may be the same, by its SID.
    """
    behind = {stretch.service_sid: stretch for stretch in listing.behind}
    since = progress.listed_since or now - _FIRST_LOOK
    services = progress.services or (configuration.service_in_use(None),)
    new = {
        service
        for service in services
        if service and service not in progress.listed_services
    }
    left = (
        stretch.since
        for stretch in listing.behind
        if stretch.service_sid not in services
    )
    first = min(since, now - _FIRST_LOOK, *left)
    stretches = [
        behind.get(one, Stretch(one, first if one in new else since))
        for one in services
    ]
    return sorted(stretches, key=lambda stretch: stretch.token is not None)


def _list(stretch: Stretch, look: _Look) -> None:
    """List one service day by day, the oldest day first, until now or until the part's time is over."""
    pages = 0
    place: Stretch | None = stretch
    while place:
        look.behind[stretch.service_sid] = place
        if pages and look.run.is_time_over():
            return
        pages += 1
        if pages % _PAGES_BETWEEN_NOTES == 0:
            look.listing = sweeps.save_listing(look.listing, look.behind.values())
        place = _after_one_page(place, look)
    look.behind.pop(stretch.service_sid, None)


def _after_one_page(stretch: Stretch, look: _Look) -> Stretch | None:
    """List one page and put into the backlog what the log does not know; return what is left, None: nothing.

    Raises _Refused if Twilio does not give the page out.
    """
    first = stretch.since - _OVERLAP
    until = max(
        stretch.since, stretch.until or min(look.until, _end_of_day(stretch.since))
    )
    last_day = (until - timedelta(microseconds=1)).date()
    result = twilio.created_on(
        stretch.service_sid, first.date(), last_day, stretch.token
    )
    if result.outcome is not Outcome.DONE:
        raise _Refused(result)
    listed, token = result.body
    backlog.add(
        _unknown(
            [one for one in listed if first <= _created(one, until) <= until], look
        )
    )
    is_day_over = token is None or any(_created(one, until) < first for one in listed)
    if not is_day_over:
        return replace(stretch, until=until, token=token)
    return Stretch(stretch.service_sid, until) if until < look.until else None


def _unknown(listed: list[Any], look: _Look) -> list[Entry]:
    """Those that the log does not have in hand, with the age that Twilio knows."""
    look.listed |= {one.sid for one in listed}
    by_sid = {
        one.sid: one
        for one in listed
        if one.state in OPEN and one.sid not in look.asked
    }
    records = conversations.load_all(list(by_sid))
    known = {
        record.sid
        for record in records
        if record.state == CLOSED or rules.is_in_hand(record)
    }
    unknown = {sid: one for sid, one in by_sid.items() if sid not in known}
    look.fresh |= unknown
    return [
        Entry(sid, one.chat_service_sid, _created(one, look.until))
        for sid, one in unknown.items()
    ]


def _route(look: _Look, until: datetime) -> list[str]:
    """Queue what the backlog holds from before `until`, the oldest first; return those that need nobody."""
    run, seen, idle = look.run, set[str](), list[str]()
    for entries in _in_order(until, seen, run):
        looked_at = run.each(
            entries,
            "conversation",
            lambda entry: entry.sid,
            lambda entry: found.look(
                entry, seen=look.fresh.get(entry.sid), queue_first=True
            ),
            Found.LATER,
        )
        of = {
            kind: [entry for entry, came_of_it in looked_at if came_of_it is kind]
            for kind in Found
        }
        idle += [entry.sid for entry in of[Found.NOTHING]]
        _note_routed(of[Found.ROUTED], run)
        backlog.remove([entry.sid for entry in (*of[Found.ROUTED], *of[Found.NOTHING])])
        if of[Found.LATER] and len(of[Found.LATER]) < len(looked_at):
            backlog.add(
                [
                    replace(entry, failures=entry.failures + 1)
                    for entry in of[Found.LATER]
                ]
            )
    return idle


def _note_routed(routed: list[Entry], run: Run) -> None:
    """Count them, and have workers looked for."""
    run.note("conversations whose webhook never came", len(routed))
    for conversation in conversations.load_all([entry.sid for entry in routed]):
        run.look_for_workers(conversation)


def _in_order(until: datetime, seen: set[str], run: Run) -> Iterator[list[Entry]]:
    """The backlog, the oldest first, some at a time; those about which Twilio often failed come last of these."""
    since: datetime | None = None
    while not run.is_time_over():
        entries = backlog.oldest(_AT_ONCE, since)
        new = [
            entry
            for entry in entries
            if entry.sid not in seen and entry.created_at < until
        ]
        if not new:
            return
        seen |= {entry.sid for entry in new}
        since = new[-1].created_at
        yield sorted(
            new, key=lambda entry: (entry.failures >= _OFTEN, entry.created_at)
        )


def _still_asked(asked: Collection[str], look: _Look) -> tuple[str, ...]:
    """Those that Twilio lists still; the others need not be remembered."""
    is_sure = look.is_whole and not look.behind
    return tuple(sid for sid in asked if sid in look.listed or not is_sure)


def _end_of_day(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def _created(conversation: Any, otherwise: datetime) -> datetime:
    created: datetime = conversation.date_created or otherwise
    return created
