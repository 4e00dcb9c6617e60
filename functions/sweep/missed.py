"""Conversations that Twilio has and the log does not: list them, however many, and route them, the oldest first.

Twilio does not repeat a lost webhook: https://www.twilio.com/docs/conversations/conversations-webhooks.
What is listed goes into the backlog, and from there into the queue once everything older is listed, too, so a run that
ends in the middle loses nothing (docs/decisions/0014-outages.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
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

    `asked`: SIDs that an earlier run has found to need no worker. `listed`: the SIDs listed by this one. `fresh`: the
    unknown conversations among these. `behind`: what is still to be listed, by service. `is_whole`: False if another
    run lists at the same time.
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
        """Everything that began before this is listed, except in services whose lists Twilio refuses."""
        under_way = (
            stretch.since for stretch in self.behind.values() if not stretch.is_refused
        )
        return min(under_way, default=self.until)


def find(progress: Progress, run: Run) -> Progress:
    """List what Twilio has since the last run, and route what the log lacks."""
    now = clock.now()
    progress = _with_services(progress, run, now)
    look = _Look(run, now - IN_FLIGHT, progress.asked, sweeps.load_listing())
    stretches = _stretches(progress, look.listing, now)
    if look.listing.behind:
        _route(look, min(stretch.since for stretch in stretches))
    _list_all(stretches, look)
    idle = _route(look, look.settled_until)
    new = look.listed - {*progress.asked}
    asked = *_still_asked(progress.asked, look), *(sid for sid in idle if sid in new)
    progress = replace(progress, asked=asked[-_MOST_ASKED:])
    if not look.is_whole:
        return progress
    return replace(progress, listed_since=look.until, listed_services=progress.services)


def _list_all(stretches: list[Stretch], look: _Look) -> None:
    """List every service; write down as behind those that could not be finished."""
    look.behind = {stretch.service_sid: stretch for stretch in stretches}
    try:
        for stretch in look.run.in_time(stretches):
            try:
                _list(stretch, look)
            except _Refused as refusal:
                _put_off(stretch.service_sid, refusal.result, look)
        sweeps.save_listing(look.listing, look.behind.values())
    except database.LostRace:
        # Another run lists the same; what this one has listed is in the backlog.
        look.is_whole = False


def _put_off(service_sid: str | None, result: Result, look: _Look) -> None:
    """Let the next run go on from the same page, or from the day's first page if Twilio refuses the page's token."""
    log.error(f"Twilio's conversations could not be listed: {result.why}")
    place = look.behind[service_sid]
    is_refused = result.outcome in (Outcome.REFUSED, Outcome.MISSING)
    if is_refused and place.token is not None:
        place = replace(place, until=None, token=None)
    look.behind[service_sid] = replace(place, is_refused=True)


def _with_services(progress: Progress, run: Run, now: datetime) -> Progress:
    """Add the services in use: those that Twilio names, the configured one, and those of known conversations."""
    looked_at = progress.services_at
    if looked_at is not None and abs(now - looked_at) < _SERVICES_KEPT:
        return progress
    result = twilio.services_in_use()
    if result.outcome is not Outcome.DONE:
        log.warning(f"Twilio does not say which services are in use: {result.why}")
        is_worth_another_try = result.outcome is Outcome.RETRY
        return progress if is_worth_another_try else replace(progress, services_at=now)
    configured = configuration.service_in_use(None)
    named = {*result.body, *filter(None, [configured])}
    others = {
        sid
        for sid in set(progress.services) - named
        if twilio.service(sid).outcome is not Outcome.MISSING
    }
    return replace(progress, services=tuple(sorted(named | others)), services_at=now)


def _stretches(progress: Progress, listing: Listing, now: datetime) -> list[Stretch]:
    """Return the stretch of time to list in each service: from where an earlier run stopped, else since the last run.

    A new service begins at the earliest stretch of a service that is no longer named: both may be the same, by SID.
    """
    behind = {stretch.service_sid: stretch for stretch in listing.behind}
    first_look = now - _FIRST_LOOK
    since = progress.listed_since or first_look
    services = progress.services or (configuration.service_in_use(None),)
    left = (behind[service].since for service in behind.keys() - set(services))
    first = min(since, first_look, *left)
    stretches = []
    for service in services:
        is_new = service and service not in progress.listed_services
        new_stretch = Stretch(service, first if is_new else since)
        stretches.append(behind.get(service, new_stretch))
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
    """List one page and add to the backlog what the log doesn't have; return what is left to list, None if nothing is.

    Raises _Refused if Twilio refuses the page.
    """
    first = stretch.since - _OVERLAP
    end = stretch.until or min(look.until, _end_of_day(stretch.since))
    until = max(stretch.since, end)
    last_day = (until - timedelta(microseconds=1)).date()
    result = twilio.created_on(
        stretch.service_sid, first.date(), last_day, stretch.token
    )
    if result.outcome is not Outcome.DONE:
        raise _Refused(result)
    listed, token = result.body
    in_stretch = [one for one in listed if first <= _created(one, until) <= until]
    backlog.add(_unknown(in_stretch, look))
    oldest = min((_created(one, until) for one in listed), default=until)
    if token is not None and oldest >= first:
        return replace(stretch, until=until, token=token)
    return Stretch(stretch.service_sid, until) if until < look.until else None


def _unknown(listed: list[Any], look: _Look) -> list[Entry]:
    """Return the open ones that the log doesn't have in hand, with their age at Twilio."""
    look.listed |= {conversation.sid for conversation in listed}
    unknown = {
        conversation.sid: conversation
        for conversation in listed
        if conversation.state in OPEN and conversation.sid not in look.asked
    }
    for record in conversations.load_all(list(unknown)):
        if record.state == CLOSED or rules.is_in_hand(record):
            del unknown[record.sid]
    look.fresh |= unknown
    return [
        Entry(sid, one.chat_service_sid, _created(one, look.until))
        for sid, one in unknown.items()
    ]


def _route(look: _Look, until: datetime) -> list[str]:
    """Queue what the backlog holds from before `until`, the oldest first; return those without anything to route."""
    run, idle = look.run, list[str]()

    def act(entry: Entry) -> Found:
        return found.look(entry, seen=look.fresh.get(entry.sid), queue_first=True)

    for entries in _in_order(until, run):
        outcomes = run.each(entries, "conversation", _sid, act, Found.LATER)
        by_outcome: dict[Found, list[Entry]] = {outcome: [] for outcome in Found}
        for entry, outcome in outcomes:
            by_outcome[outcome].append(entry)
        routed, nothing, later = (
            by_outcome[outcome]
            for outcome in (Found.ROUTED, Found.NOTHING, Found.LATER)
        )
        idle += map(_sid, nothing)
        _note_routed(routed, run)
        backlog.remove(list(map(_sid, routed + nothing)))
        if len(later) < len(outcomes):  # else Twilio fails for all
            backlog.add(list(map(_failed_again, later)))
    return idle


def _sid(entry: Entry) -> str:
    return entry.sid


def _failed_again(entry: Entry) -> Entry:
    return replace(entry, failures=entry.failures + 1)


def _note_routed(routed: list[Entry], run: Run) -> None:
    """Count them, and have the queue's part look for workers."""
    run.note("conversations whose webhook never came", len(routed))
    for conversation in conversations.load_all(list(map(_sid, routed))):
        run.look_for_workers(conversation)


def _in_order(until: datetime, run: Run) -> Iterator[list[Entry]]:
    """Yield the backlog from before `until`, the oldest first, some at a time.

    Entries for which Twilio has failed often come last among these.
    """
    yielded = set[str]()
    since: datetime | None = None
    while not run.is_time_over():
        new = [
            entry
            for entry in backlog.oldest(_AT_ONCE, since)
            if entry.sid not in yielded and entry.created_at < until
        ]
        if not new:
            return
        yielded.update(map(_sid, new))
        since = new[-1].created_at
        yield sorted(new, key=lambda e: (e.failures >= _OFTEN, e.created_at))


def _still_asked(asked: Collection[str], look: _Look) -> Iterable[str]:
    """Return those that Twilio still lists; the others need not be remembered."""
    if not look.is_whole or look.behind:
        return asked
    return filter(look.listed.__contains__, asked)


def _end_of_day(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def _created(conversation: Any, otherwise: datetime) -> datetime:
    created: datetime = conversation.date_created or otherwise
    return created
