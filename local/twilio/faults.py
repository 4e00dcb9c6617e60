"""Faults on demand: REST calls that fail, webhooks that come twice, late, in another order or not at all."""

import random
import re
import threading
from dataclasses import dataclass, field


@dataclass
class RestFault:
    """How the matching REST calls go wrong. With `status` None they are only slow, or lose their answer."""

    status: int | None = 503
    code: int = 20503
    delay: float = 0.0
    drop_answer: bool = False
    share: float = 1.0
    times: int | None = None
    method: str | None = None
    path: str | None = None
    rfc9457: bool = False

    def matches(self, method: str, path: str) -> bool:
        right_method = self.method is None or self.method.upper() == method
        return right_method and (
            self.path is None or re.search(self.path, path) is not None
        )


@dataclass
class WebhookFaults:
    """What happens to post events and the routing callback on their way; `events` None means all of them."""

    repeat: int = 1
    lose: float = 0.0
    shuffle: bool = False
    delay: float = 0.0
    overlap: bool = False
    events: list[str] | None = None
    rng: random.Random = field(default_factory=random.Random)

    def touches(self, event: str) -> bool:
        return self.events is None or event in self.events


class Faults:
    """The faults asked for, and whose turn it is."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._rng = random.Random(seed)
        self._rest_faults: list[RestFault] = []
        self.webhooks = WebhookFaults()

    def add(self, fault: RestFault) -> None:
        with self._lock:
            self._rest_faults.append(fault)

    def heal(self) -> None:
        with self._lock:
            self._rest_faults.clear()
            self.webhooks = WebhookFaults()

    def next_rest_fault(self, method: str, path: str) -> RestFault | None:
        """The fault that this call meets, if any; a fault of so many `times` is used up by it."""
        if not self._rest_faults:
            return None
        with self._lock:
            for fault in self._rest_faults:
                if not fault.matches(method, path) or self._rng.random() >= fault.share:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._rest_faults.remove(fault)
                return fault
        return None
