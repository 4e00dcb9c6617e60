"""Trouble on demand: REST calls that fail, webhooks that come twice, late, in another order or not at all."""

import random
import re
import threading
from dataclasses import dataclass, field


@dataclass
class Failure:
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
        return right_method and (self.path is None or re.search(self.path, path) is not None)


@dataclass
class WebhookTrouble:
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


class Trouble:
    """The failures asked for, and whose turn it is."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._rng = random.Random(seed)
        self._failures: list[Failure] = []
        self.webhooks = WebhookTrouble()

    def add(self, failure: Failure) -> None:
        with self._lock:
            self._failures.append(failure)

    def heal(self) -> None:
        with self._lock:
            self._failures.clear()
            self.webhooks = WebhookTrouble()

    def next_failure(self, method: str, path: str) -> Failure | None:
        """The failure that this call meets, if any; a failure of so many `times` is used up by it."""
        if not self._failures:
            return None
        with self._lock:
            for failure in self._failures:
                if not failure.matches(method, path) or self._rng.random() >= failure.share:
                    continue
                if failure.times is not None:
                    failure.times -= 1
                    if failure.times <= 0:
                        self._failures.remove(failure)
                return failure
        return None
