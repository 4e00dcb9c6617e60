"""PUT and DELETE devices/ID: where a worker wants to be notified."""

from __future__ import annotations

from assignment import ledger
from domain import device
from domain.device import Device
from functions.door.answers import Answer, BadInput, NotFound
from functions.door.webhook import Visit
from functions.inbox import asked, authority
from functions.inbox.session import Person
from providers import clock, configuration


def keep(visit: Visit, person: Person, name: str) -> Answer:
    """The browser tells it at each start: subscriptions end without a word."""
    worker = authority.worker(person)
    _refuse_odd(name)
    wanted = asked.read(visit, asked.Device)
    subscription = wanted.subscription
    if not (device.is_push_service(subscription.endpoint) or _is_local(subscription.endpoint)):
        raise BadInput("subscription.endpoint is not the address of a push service.")
    kept = Device(
        subscription.endpoint, subscription.keys.p256dh, subscription.keys.auth, wanted.text, clock.now()
    )
    there = device.parse(worker.devices)
    same = {other for other, one in there.items() if one.endpoint == kept.endpoint and other != name}
    there = {other: one for other, one in there.items() if other not in same}
    gone = {*device.too_many(there, name), *same}
    ledger.keep_devices(worker.identity, {name: kept, **dict.fromkeys(gone)})
    return Answer({})


def forget(visit: Visit, person: Person, name: str) -> Answer:
    worker = authority.worker(person)
    _refuse_odd(name)
    asked.read(visit, asked.Asked)
    if name in device.parse(worker.devices):
        ledger.keep_devices(worker.identity, {name: None})
    return Answer({})


def _refuse_odd(name: str) -> None:
    if not device.is_name(name):
        raise NotFound("There is no such device.")


def _is_local(endpoint: str) -> bool:
    """In a local run the push service is on this machine, too."""
    return configuration.firestore().emulator is not None and endpoint.startswith("http://127.0.0.1:")
