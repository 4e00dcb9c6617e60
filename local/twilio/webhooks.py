"""Which event goes where, in which order, and what comes between: faults on demand."""

import contextlib
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from local.twilio import events
from local.twilio.account import Account
from local.twilio.deliveries import Deliveries, Webhook
from local.twilio.events import Event, Origin
from local.twilio.faults import Faults
from local.twilio.ordered_jobs import OrderedJobs
from local.twilio.pre_event_answers import apply_to_message, changes_wanted
from local.twilio.records import Conversation, Message, WebhookConfig


class Webhooks:
    """The webhooks of one account."""

    def __init__(
        self, account: Account, faults: Faults, deliveries: Deliveries, threads: int
    ) -> None:
        self.account = account
        self.faults = faults
        self.deliveries = deliveries
        self.jobs = OrderedJobs(threads)
        self.routing_url: str | None = None

    def ask(self, event: Event, origin: Origin) -> dict[str, Any]:
        """The changes a pre-event wants; none when it is silent. RejectedError on 4xx, 5xx and nonsense."""
        for config in (
            self.account.services[event.service_sid].webhooks,
            self.account.webhooks,
        ):
            if config.pre_url and config.wants(event.name):
                asked = self._webhook(
                    event, origin, config.pre_url, config.method, "pre"
                )
                return changes_wanted(self.deliveries.send(asked))
        return {}

    def ask_about(
        self, message: Message, conversation: Conversation, origin: Origin
    ) -> None:
        """Lets the pre-event change a message that is about to be sent. RejectedError as in `ask`."""
        question = events.message("onMessageAdd", message, conversation)
        apply_to_message(message, self.ask(question, origin))

    def publish(self, made: Iterable[Event], origin: Origin) -> "list[Future[None]]":
        """Sends post events to every target: in order per conversation, unless a fault says otherwise."""
        if not origin.fires:
            return []
        posts = [
            (
                event,
                self._webhook(
                    event, origin, config.post_url or "", config.method, "post"
                ),
            )
            for event in made
            for config in self._targets(event)
        ]
        if self.faults.webhooks.shuffle:
            self.faults.webhooks.rng.shuffle(posts)
        return [sent for event, post in posts for sent in self._deliver(event, post)]

    def route(self, event: Event) -> "list[Future[None]]":
        """Frontline's routing callback, beside the post events."""
        if not self.routing_url:
            return []
        return self._deliver(
            event, self._webhook(event, Origin(""), self.routing_url, "POST", "routing")
        )

    def _webhook(
        self, event: Event, origin: Origin, url: str, method: str, kind: str
    ) -> Webhook:
        params = {
            "AccountSid": self.account.sid,
            "EventType": event.name,
            "RetryCount": "0",
        }
        if origin.source:
            params["Source"] = origin.source
        if origin.identity:
            params["ClientIdentity"] = origin.identity
        return Webhook(
            event.name, {**params, **event.params}, url, method.upper(), kind
        )

    def _targets(self, event: Event) -> list[WebhookConfig]:
        both = (
            self.account.webhooks,
            self.account.services[event.service_sid].webhooks,
        )
        return [
            config for config in both if config.post_url and config.wants(event.name)
        ]

    def _deliver(self, event: Event, webhook: Webhook) -> "list[Future[None]]":
        """As often, as late and as orderly as the faults of the moment let it; none when it is lost."""
        faults = self.faults.webhooks
        touched = faults.touches(event.name)
        if touched and faults.rng.random() < faults.lose:
            self.deliveries.lose(webhook)
            return []
        in_order = webhook.kind == "post" and not (
            touched and (faults.overlap or faults.shuffle)
        )
        line = event.conversation.sid if in_order and event.conversation else None
        late = faults.delay if touched else 0.0
        if touched and faults.shuffle:
            late += faults.rng.random() * 0.03

        def job() -> None:
            time.sleep(late)
            self.deliveries.send(webhook)

        return [
            self.jobs.submit(line, job) for _ in range(faults.repeat if touched else 1)
        ]

    def settle(self, timeout: float) -> bool:
        """Waits until nothing is on its way any more, at most so many seconds; whether it came to that."""
        deadline = time.monotonic() + timeout
        while open_ones := self.jobs.unfinished():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                open_ones[0].result(left)
        return True
