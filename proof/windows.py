"""Invariant 10, second half: no free text of the service outside WhatsApp's and Messenger's 24 hours.

Written from the contract alone: nothing of the service is imported. A window belongs to a pair of addresses: the
customer's and our number. Each message of the customer opens it for 24 hours, and Twilio's error 63016 closes it.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from proof.contract import Breach, Record

Pair = tuple[str, str]
LENGTH = timedelta(hours=24)
CLOSED = 63016
_CHANNELS = ("whatsapp:", "messenger:")
# Twilio's times have whole seconds, and the window may close between the service's look and Twilio's.
_MARGIN = timedelta(seconds=60)


class Windows:
    """When each customer wrote, and which messages existed when the service learned that a window is closed."""

    def __init__(self) -> None:
        self._wrote: defaultdict[Pair, list[datetime]] = defaultdict(list)
        self._before_closed: dict[Pair, frozenset[str]] = {}
        self._lock = threading.Lock()

    def customer_wrote(self, address: str, proxy_address: str, at: datetime) -> None:
        with self._lock:
            self._wrote[address, proxy_address].append(at)
            self._before_closed.pop((address, proxy_address), None)

    def closed(self, pair: Pair, failed: Record, messages: Iterable[Record]) -> None:
        """The service has accepted a 63016 about the message `failed` while these messages existed.

        A customer who has written since then has opened the window again.
        """
        sids = frozenset(message["sid"] for message in messages)
        with self._lock:
            if all(at <= sent_at(failed) for at in self._wrote[pair]):
                self._before_closed.setdefault(pair, sids)

    def forbids(self, pair: Pair, message: Record) -> str | None:
        """Why no free text was allowed, as the end of a sentence; None if it was."""
        at = sent_at(message)
        with self._lock:
            earlier = [one for one in self._wrote[pair] if one <= at + _MARGIN]
            allowed = self._before_closed.get(pair)
        if not earlier:
            return "although its customer had never written"
        if at - max(earlier) > LENGTH + _MARGIN:
            return f"{at - max(earlier)} after its customer's last message"
        if allowed is not None and message["sid"] not in allowed:
            return "after Twilio had reported that the window is closed"
        return None


def outside_window(
    twilio: Mapping[str, Record], windows: Windows | None
) -> Iterator[Breach]:
    """10: each free text of the service went to a customer whose window was open."""
    if windows is None:
        return
    for sid, at_twilio in twilio.items():
        pairs = list(_pairs(at_twilio))
        for message in filter(is_free_text, at_twilio.get("messages") or ()):
            for why in filter(None, (windows.forbids(p, message) for p in pairs)):
                yield Breach(10, "outside window", sid, f"was sent a free text {why}")


def is_free_text(message: Record) -> bool:
    """Whether it is one of the service's own texts, and not made from an approved template."""
    attributes = json.loads(message.get("attributes") or "{}")
    return "service_text" in attributes and not message.get("content_sid")


def sent_at(message: Record) -> datetime:
    return datetime.fromisoformat(message["date_created"]).astimezone(UTC)


def pair_of(at_twilio: Record) -> Pair | None:
    """The pair of addresses of a conversation on a channel with a window."""
    return next(_pairs(at_twilio), None)


def _pairs(at_twilio: Record) -> Iterator[Pair]:
    for participant in at_twilio["participants"]:
        binding = participant["messaging_binding"] or {}
        address, proxy_address = binding.get("address"), binding.get("proxy_address")
        if address and proxy_address and address.startswith(_CHANNELS):
            yield address, proxy_address
