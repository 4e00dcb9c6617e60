"""PUT and DELETE devices/ID: where a worker wants to be notified.

A browser has one subscription, whoever signs in there, and its endpoint belongs to the worker who told it last. Each
worker's record is written first, and then the others that hold the endpoint are looked at; so of two who tell it at
once at least one sees both records, and the later one keeps it.
"""

from __future__ import annotations

from functools import partial

from assignment import ledger
from domain import device
from domain.device import Device
from domain.worker import Worker
from functions.http import requests, session
from functions.http.answers import Answer, BadInput, NotFound
from functions.http.requests import RequestModel
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox.page import PAGE
from functions.inbox.requests import Device as DeviceRequest
from providers import clock, database, web_push, workers

_MOST_OWNERS = (
    20  # records that hold one endpoint; more than one is what a race or a crash leaves
)


def keep(visit: Visit, person: Person, name: str) -> Answer:
    """The browser tells it at each start: subscriptions end without a word."""
    authority.worker(person)
    _refuse_odd(name)
    wanted = requests.read(visit, DeviceRequest)
    subscription = wanted.subscription
    if not web_push.takes(subscription.endpoint):
        raise BadInput(
            "subscription.endpoint is not the address of a known push service."
        )
    kept = Device(
        subscription.endpoint,
        subscription.keys.p256dh,
        subscription.keys.auth,
        wanted.text,
        at=clock.now(),
        until=session.ends_at(PAGE, visit.request),
    )
    owner = database.until_it_holds(partial(_stored, person, name, kept))
    _take_from_others(owner, kept)
    return Answer({})


def forget(visit: Visit, person: Person, name: str) -> Answer:
    authority.worker(person)
    _refuse_odd(name)
    requests.read(visit, RequestModel)
    database.until_it_holds(partial(_removed, person, name))
    return Answer({})


def _stored(person: Person, name: str, kept: Device) -> Worker:
    """Write it into the worker's record, in place of its former names and of those whose session has ended."""
    worker = authority.worker(person)
    there = device.parse(worker.devices)
    is_over = {
        other
        for other, one in there.items()
        if other != name
        and (one.endpoint == kept.endpoint or not one.is_live(clock.now()))
    }
    there = {other: one for other, one in there.items() if other not in is_over}
    gone = {*device.too_many(there, name), *is_over}
    ledger.keep_devices(worker, {name: kept, **dict.fromkeys(gone)})
    return worker


def _removed(person: Person, name: str) -> None:
    worker = authority.worker(person)
    if name in device.parse(worker.devices):
        ledger.keep_devices(worker, {name: None})


def _take_from_others(owner: Worker, kept: Device) -> None:
    holders = workers.with_device(device.fingerprint(kept.endpoint), _MOST_OWNERS)
    others = [one for one in holders if one.identity != owner.identity]
    for other in others:
        loser = owner if _is_after(other, owner, kept) else other
        database.until_it_holds(partial(_without_endpoint, loser.identity, kept))


def _is_after(other: Worker, owner: Worker, kept: Device) -> bool:
    """Whether `other` told the endpoint later than `owner`; both sides decide alike, also at the same moment."""
    theirs = [
        one
        for one in device.parse(other.devices).values()
        if one.endpoint == kept.endpoint
    ]
    if any(kept.is_older_than(one) for one in theirs):
        return True
    return any(one.at == kept.at for one in theirs) and other.identity > owner.identity


def _without_endpoint(identity: str, kept: Device) -> None:
    """Remove it from a record, unless the same worker has told it again meanwhile."""
    worker = workers.load(identity)
    names = [
        name
        for name, one in device.parse(worker.devices).items()
        if one.endpoint == kept.endpoint and not kept.is_older_than(one)
    ]
    if worker.version is not None and names:
        ledger.keep_devices(worker, dict.fromkeys(names))


def _refuse_odd(name: str) -> None:
    if not device.is_name(name):
        raise NotFound("There is no such device.")
