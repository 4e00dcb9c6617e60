"""Web Push to a worker's devices: a conversation is theirs now, or its customer wrote.

The record is read again first, because events come late and more than once. A lost push does no harm, because the page
polls by itself; so a failure here asks for no second delivery.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from cachetools import TTLCache

from assignment import ledger
from domain import device
from domain.conversation import ASSIGNED, CUSTOMER, WORD, Conversation
from domain.device import Device
from domain.worker import Worker
from functions.conversation_written.receiver import Written
from providers import clock, configuration, conversations, database, log, workers

_IN_ALL = 8.0  # seconds for all devices of a worker
_YOURS, _WROTE = "yours", "wrote"
# What this instance has sent, so that an event that comes again a moment later sends no second notification.
_told: TTLCache[tuple[object, ...], bool] = TTLCache(maxsize=5000, ttl=600)
_lock = threading.Lock()


def tell(written: Written) -> None:
    """Notify the worker. Reads nothing if this write is no news, or if notifications are not set up."""
    vapid, worker = configuration.vapid(), written.after.worker
    what = news(written)
    if vapid is None or worker is None or what is None:
        return
    if _is_told(written, what):
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
    """Return the devices on which the worker is still signed in: a notification must not outlive the session."""
    now = clock.now()
    devices = device.parse(worker.devices)
    return {name: target for name, target in devices.items() if target.is_live(now)}


def news(written: Written) -> str | None:
    """Return the news for the conversation's worker in this write, None if there is none."""
    before, after = written.before, written.after
    if after.state != ASSIGNED:
        return None
    if before.state != ASSIGNED or before.worker != after.worker:
        return _YOURS
    return _WROTE if written.has_customers_message else None


def is_true_still(told: Conversation, current: Conversation, what: str) -> bool:
    """Return whether it is still the same worker's, and the customer's message is still unread."""
    if current.worker != told.worker or current.state != ASSIGNED:
        return False
    return what == _YOURS or current.unread > 0


def content(
    conversation: Conversation, what: str, with_text: bool
) -> Mapping[str, Any]:
    """Return what the browser shows.

    `with_text`: False for a device that shows no text: then the push service gets nothing of the customer's, not even
    encrypted.
    """
    if not with_text:
        title = "A new conversation is yours" if what == _YOURS else "New message"
        return {"title": title, "sid": conversation.sid}
    last, name = conversation.last_message, conversation.display_name or "A customer"
    text = last.text if last and last.sender == CUSTOMER else ""
    if what == _YOURS:
        text = _word(conversation) or text
    return {
        "title": f"New: {name}" if what == _YOURS else name,
        "body": text or "Open the conversation to read it.",
        "sid": conversation.sid,
    }


def _word(conversation: Conversation) -> str:
    """Return what the worker before wrote at the hand-over that made the conversation this worker's, if anything."""
    lines = [line for line in conversation.log if line["what"] in (WORD, ASSIGNED)]
    words = [line["why"] for line in lines[-2:] if line["what"] == WORD]
    return str(words[-1]) if words else ""


def _send(
    vapid: configuration.Vapid,
    identity: str,
    devices: Mapping[str, Device],
    conversation: Conversation,
    what: str,
) -> None:
    """Send to each device, as far as the time allows; remove those that the push service no longer knows."""
    from providers import web_push

    gone: dict[str, Device] = {}
    with clock.within(_IN_ALL):
        for name, target in devices.items():
            if clock.is_time_over():
                log.warning("Not every device was notified in time.", worker=identity)
                break
            shown = content(conversation, what, target.with_text)
            outcome = web_push.send(vapid, target, shown, conversation.sid[2:])
            if outcome is web_push.Told.GONE:
                gone[name] = target
    if gone:
        database.until_it_holds(partial(_forget, identity, gone))


def _forget(identity: str, gone: Mapping[str, Device]) -> None:
    """Remove these devices, unless the browser has subscribed again meanwhile."""
    worker = workers.load(identity)
    endpoints = {
        name: target.endpoint for name, target in device.parse(worker.devices).items()
    }
    names = [name for name, old in gone.items() if endpoints.get(name) == old.endpoint]
    if worker.version is not None and names:
        ledger.keep_devices(worker, dict.fromkeys(names))


def _is_told(written: Written, what: str) -> bool:
    """Return whether this instance has sent this news before; from now on it has."""
    last = written.after.last_message
    occasion = last.index if last and what == _WROTE else written.after.assigned_at
    key = (
        configuration.firestore(),
        written.sid,
        written.after.worker,
        what,
        occasion,
    )
    with _lock:
        is_told = key in _told
        _told[key] = True
    return is_told
