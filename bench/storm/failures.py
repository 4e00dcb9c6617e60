"""What goes wrong, and when: webhooks, Twilio's answers, processes. Changes every other second."""

import itertools
import random
import threading
from typing import Any

from bench.storm.fleet import Fleet
from bench.storm.sweeps import Sweeps
from local.triggers import Triggers
from local.twilio import StandIn

_CHANGES_AFTER = 2.0  # seconds
_OUTAGE = 8.0  # seconds
_KILLS = 1.5  # tries per second; only what is at work is killed
_FAIR: dict[str, Any] = {}
_ROUGH = {"twice": True, "shuffle": 4, "drop": 0.05}
_LATE = {"shuffle": 3, "delay": 0.2}
# A text that a killed process was sending is looked for once its lease of 30 s is over, so its event must come then.
TRIGGERS: dict[str, dict[str, Any]] = {
    "worker_available": {},
    "conversation_written": {"retry_after": (0.2, 1, 5, 10, 20)},
}


class Failures:
    """Everything that goes wrong by chance, from one seed."""

    def __init__(
        self,
        fleet: Fleet,
        twilio: StandIn,
        triggers: Triggers,
        project: str,
        rng: random.Random,
        sweeps: Sweeps,
    ) -> None:
        self.sweeps = sweeps
        self.fleet, self.twilio, self.triggers, self.project = (
            fleet,
            twilio,
            triggers,
            project,
        )
        self._rngs = [random.Random(rng.random()) for _ in range(2)]
        self._no_more_kills = threading.Event()
        self._over = threading.Event()

    def begin(self) -> None:
        for target, rng in zip((self._change, self._kill), self._rngs, strict=True):
            threading.Thread(target=target, args=(rng,), daemon=True).start()

    def spare_processes(self) -> None:
        """No more kills: what is killed last leaves a lease that must run out."""
        self._no_more_kills.set()

    def clear(self) -> None:
        """The storm is over."""
        self._no_more_kills.set()
        self._over.set()
        self.twilio.heal()
        for trigger, always in TRIGGERS.items():
            self.triggers.behave(self.project, trigger, **always)

    def _kill(self, rng: random.Random) -> None:
        while not self._no_more_kills.wait(rng.expovariate(_KILLS)):
            self.fleet.kill_a_busy_one(rng)

    def _change(self, rng: random.Random) -> None:
        outage = rng.randrange(
            1, 5
        )  # which of the first changes is followed by a stretch without any webhook
        for number in itertools.count():
            if self._over.is_set():
                return
            self.twilio.heal()
            if number == outage:
                self._outage()
            self._trouble_answers(rng)
            self.twilio.webhook_trouble(
                repeat=rng.choice([1, 1, 2, 3]),
                lose=rng.choice([0.0, 0.1]),
                shuffle=rng.random() < 0.5,
                overlap=rng.random() < 0.3,
                seed=rng.randrange(2**32),
            )
            for trigger, always in TRIGGERS.items():
                self.triggers.behave(
                    self.project,
                    trigger,
                    **always,
                    **rng.choice([_FAIR, _ROUGH, _LATE]),
                )
            self._over.wait(_CHANGES_AFTER)

    def _outage(self) -> None:
        """For a while every webhook is lost, and no sweep runs."""
        self.sweeps.is_down = True
        self.twilio.webhook_trouble(lose=1.0)
        self._over.wait(_OUTAGE)
        self.sweeps.is_down = False

    def _trouble_answers(self, rng: random.Random) -> None:
        """Most changes leave Twilio slow, so that a kill finds work in flight."""
        self.twilio.fail(503, 20503, share=0.06)
        self.twilio.fail(429, 20429, share=0.05, rfc9457=True)
        self.twilio.fail(409, 50419, share=0.02)
        self.twilio.fail(400, 50214, share=0.02, method="POST", path="/Participants$")
        self.twilio.fail(None, drop_answer=True, share=0.06)
        self.twilio.fail(None, delay=rng.choice([0.05, 0.4]), share=0.3)
        if rng.random() < 0.08:
            self.twilio.fail(503, 20503)  # all of Twilio is down for this while
