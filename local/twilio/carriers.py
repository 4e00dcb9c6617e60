"""Carriers: they take a message after its sender has been answered, and report what becomes of it, step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress

from local.twilio import events, receipts
from local.twilio.account import Account
from local.twilio.receipts import Step
from local.twilio.records import Conversation, Message
from local.twilio.webhooks import Webhooks


class Carriers:
    """`delay`: seconds before each report. `out_of_order`: the latest report of a message arrives first."""

    def __init__(self, account: Account, webhooks: Webhooks) -> None:
        self.account = account
        self.webhooks = webhooks
        self.delay = 0.0
        self.out_of_order = False

    def take(self, conversation: Conversation, message: Message) -> Future[None]:
        """Plans all reports now, by what holds now, and makes them aside."""
        with self.account.lock:
            steps = receipts.steps(self.account, conversation, message)
        return self.report(conversation, message, steps)

    def report(
        self, conversation: Conversation, message: Message, steps: Sequence[Step]
    ) -> Future[None]:
        return self.webhooks.jobs.later(
            0, lambda: self._report(conversation, message, steps)
        )

    def _report(
        self, conversation: Conversation, message: Message, steps: Sequence[Step]
    ) -> None:
        happened = []
        for step in steps:
            time.sleep(self.delay)
            with self.account.lock:
                event = receipts.advance(self.account, conversation, message, step)
            happened.append((event, events.by_channel(step.address)))
            if not self.out_of_order:
                self._publish([happened.pop()])
        self._publish(happened[::-1])

    def _publish(self, happened: Sequence[tuple[events.Event, events.Origin]]) -> None:
        sent = [
            one
            for event, origin in happened
            for one in self.webhooks.publish([event], origin)
        ]
        with suppress(CancelledError):  # the stand-in was stopped
            for delivery in sent:
                delivery.result()
