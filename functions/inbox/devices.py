"""PUT and DELETE devices/ID: where a worker is notified.

A browser has one subscription, regardless of the worker signed in there, and its endpoint belongs to the worker that
registered it last. Each worker's record is written first, then the other records with the endpoint are read. So if two
register it at once, at least one of them sees both records, and the later one keeps it.
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

_MOST_OWNERS = 20  # records with one endpoint; more than one is left by a race or crash


def keep(visit: Visit, person: Person, name: str) -> Answer:
    """PUT: register this browser. The page does so at each start, because subscriptions end without notice."""
    authority.worker(person)
    _refuse_invalid(name)
    body = requests.read(visit, DeviceRequest)
    subscription = body.subscription
    if not web_push.takes(subscription.endpoint):
        raise BadInput(
            "subscription.endpoint is not the address of a known push service."
        )
    registered = Device(
        subscription.endpoint,
        subscription.keys.p256dh,
        subscription.keys.auth,
        body.text,
        at=clock.now(),
        until=session.ends_at(PAGE, visit.request),
    )
    owner = database.until_it_holds(partial(_stored, person, name, registered))
    _take_from_others(owner, registered)
    return Answer({})


def forget(visit: Visit, person: Person, name: str) -> Answer:
    """DELETE: send no more notifications to this browser."""
    authority.worker(person)
    _refuse_invalid(name)
    requests.read(visit, RequestModel)
    database.until_it_holds(partial(_removed, person, name))
    return Answer({})


def _stored(person: Person, name: str, registered: Device) -> Worker:
    """Write the device in place of its former names and of devices with an ended session."""
    worker = authority.worker(person)
    devices = device.parse(worker.devices)
    devices.pop(name, None)
    outdated = [
        other
        for other, stored in devices.items()
        if _is_outdated(stored, registered.endpoint)
    ]
    for other in outdated:
        del devices[other]
    removed = [*device.too_many(devices, name), *outdated]
    ledger.keep_devices(worker, {name: registered, **dict.fromkeys(removed)})
    return worker


def _is_outdated(stored: Device, endpoint: str) -> bool:
    """Return whether the new endpoint replaces the stored device, or its session has ended."""
    return stored.endpoint == endpoint or not stored.is_live(clock.now())


def _removed(person: Person, name: str) -> None:
    """Remove a device from the record. Raises LostRace if the record has changed."""
    worker = authority.worker(person)
    if name in device.parse(worker.devices):
        ledger.keep_devices(worker, {name: None})


def _take_from_others(owner: Worker, registered: Device) -> None:
    """Let one worker keep the endpoint.

    If two workers register it at once, the one that registered it later keeps it.
    """
    fingerprint = device.fingerprint(registered.endpoint)
    for other in workers.with_device(fingerprint, _MOST_OWNERS):
        if other.identity == owner.identity:
            continue
        loser = owner if _is_later(other, owner, registered) else other
        database.until_it_holds(partial(_without_endpoint, loser.identity, registered))


def _is_later(other: Worker, owner: Worker, registered: Device) -> bool:
    """Return whether `other` registered the endpoint later than `owner`; both sides decide alike, even in a tie."""
    devices = _with_endpoint(other, registered).values()
    if any(registered.is_older_than(stored) for stored in devices):
        return True
    is_tie = any(stored.at == registered.at for stored in devices)
    return is_tie and other.identity > owner.identity


def _without_endpoint(identity: str, registered: Device) -> None:
    """Remove the endpoint from a record, unless the same worker has registered it again meanwhile."""
    worker = workers.load(identity)
    names = [
        name
        for name, stored in _with_endpoint(worker, registered).items()
        if not registered.is_older_than(stored)
    ]
    if worker.version is not None and names:
        ledger.keep_devices(worker, dict.fromkeys(names))


def _with_endpoint(worker: Worker, registered: Device) -> dict[str, Device]:
    """Return the worker's devices with the registered endpoint, by name."""
    devices = device.parse(worker.devices).items()
    return {
        name: stored
        for name, stored in devices
        if stored.endpoint == registered.endpoint
    }


def _refuse_invalid(name: str) -> None:
    """Raise NotFound for a name that no device can have."""
    if not device.is_name(name):
        raise NotFound("Device not found.")
