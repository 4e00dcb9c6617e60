"""A worker's devices are told that a conversation is theirs now, or that the customer wrote (Web Push).

What is told is looked at again first, for events come late and more than once. Nothing is promised: a push that is
lost is made up for by the page, which looks by itself; so a failure here asks for no second delivery.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from cachetools import TTLCache

from assignment import ledger
from domain import device
from domain.conversation import ASSIGNED, CUSTOMER, Conversation
from domain.device import Device
from domain.worker import Worker
from functions.conversation_written.receiver import Written
from providers import clock, configuration, conversations, database, log, workers

_IN_ALL = 8.0  # seconds for all devices of a worker
_YOURS, _WROTE = "yours", "wrote"
# What this instance has told: an event that comes again a moment later rings nobody a second time.
_told: TTLCache[tuple[object, ...], bool] = TTLCache(maxsize=5000, ttl=600)
_lock = threading.Lock()


def tell(written: Written) -> None:
    """Does nothing, and reads nothing, where neither has happened, and where notifications are not set up."""
    vapid, worker = configuration.vapid(), written.after.worker
    what = news(written)
    if vapid is None or worker is None or what is None or _is_told(written, what):
        return
    record, now = database.read(
        workers.reference(worker), conversations.reference(written.sid)
    )
    current = conversations.of(now)
    if not is_true_still(written.after, current, what):
        return
    devices = _live_devices(workers.of(record))
    if devices:
        _send(vapid, worker, devices, current, what)


def _live_devices(worker: Worker) -> dict[str, Device]:
    """Those on which the worker is still signed in: a notification must not outlive the session."""
    now = clock.now()
    return {
        name: one
        for name, one in device.parse(worker.devices).items()
        if one.is_live(now)
    }


def news(written: Written) -> str | None:
    """What its worker is to be told of this write."""
    before, after = written.before, written.after
    if after.state != ASSIGNED:
        return None
    if before.state != ASSIGNED or before.worker != after.worker:
        return _YOURS
    last = after.last_message
    if last is None or last.sender != CUSTOMER:
        return None
    is_new = before.last_message is None or before.last_message.index < last.index
    return _WROTE if is_new else None


def is_true_still(told: Conversation, current: Conversation, what: str) -> bool:
    """Whether it is still theirs, and what the customer wrote has not been looked at meanwhile."""
    if current.worker != told.worker or current.state != ASSIGNED:
        return False
    return what == _YOURS or current.unread > 0


def content(
    conversation: Conversation, what: str, with_text: bool
) -> Mapping[str, Any]:
    """What the browser shows; without a text nothing of the customer leaves for the push service, not even sealed."""
    if not with_text:
        title = "A new conversation is yours" if what == _YOURS else "New message"
        return {"title": title, "sid": conversation.sid}
    last, name = conversation.last_message, conversation.display_name or "A customer"
    text = last.text if last and last.sender == CUSTOMER else ""
    title = f"New: {name}" if what == _YOURS else name
    return {
        "title": title,
        "body": text or "Open the conversation to read it.",
        "sid": conversation.sid,
    }


def _send(
    vapid: configuration.Vapid,
    identity: str,
    devices: Mapping[str, Device],
    conversation: Conversation,
    what: str,
) -> None:
    from providers import web_push

    gone: dict[str, Device] = {}
    with clock.within(_IN_ALL):
        for name, one in devices.items():
            if clock.is_time_over():
                log.warning("Not every device could be told in time.", worker=identity)
                break
            shown = content(conversation, what, one.with_text)
            if (
                web_push.send(vapid, one, shown, conversation.sid[2:])
                is web_push.Told.GONE
            ):
                gone[name] = one
    if gone:
        database.until_it_holds(partial(_forget, identity, gone))


def _forget(identity: str, gone: Mapping[str, Device]) -> None:
    """Remove them, unless the browser has subscribed again meanwhile."""
    worker = workers.load(identity)
    there = device.parse(worker.devices)
    names = [
        name
        for name, one in gone.items()
        if name in there and there[name].endpoint == one.endpoint
    ]
    if worker.version is not None and names:
        ledger.keep_devices(worker, dict.fromkeys(names))


def _is_told(written: Written, what: str) -> bool:
    last = written.after.last_message
    key = (
        configuration.firestore(),
        written.sid,
        written.after.worker,
        what,
        last.index if last and what == _WROTE else written.after.assigned_at,
    )
    with _lock:
        known = key in _told
        _told[key] = True
    return known
