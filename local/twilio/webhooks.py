"""Sends webhooks as Twilio does: signed, within a time limit, and with the consequences of each answer."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.request_validator import RequestValidator

from local.twilio.account import Account
from local.twilio.events import Event, Origin, Params
from local.twilio.records import WebhookConfig
from local.twilio.strands import Strands
from local.twilio.trouble import Trouble
from local.twilio.verdicts import Delivery, verdict

RETRIED = (429, 503, 504)


class Webhooks:
    """All deliveries of one account and the record of them."""

    def __init__(
        self, account: Account, trouble: Trouble, timeout: float, route_timeout: float, threads: int
    ) -> None:
        self.account = account
        self.trouble = trouble
        self.timeout = timeout
        self.route_timeout = route_timeout
        self.routing_url: str | None = None
        self.deliveries: list[Delivery] = []
        self.strands = Strands(threads)
        self._lock = threading.Lock()
        self._http = urllib3.PoolManager(num_pools=8, maxsize=threads)
        self._validator = RequestValidator(account.auth_token)

    def ask(self, event: Event, origin: Origin) -> dict[str, Any]:
        """The changes a pre-event wants; none when it is silent. RejectedError on 4xx, 5xx and nonsense."""
        for config in (self.account.services[event.service_sid].webhooks, self.account.webhooks):
            if config.pre_url and config.wants(event.name):
                return verdict(self._send_once(event, origin, config.pre_url, config.method, "pre"))
        return {}

    def publish(self, events: Iterable[Event], origin: Origin) -> "list[Future[None]]":
        """Sends post events to every target: in order per conversation, unless trouble says otherwise."""
        if not origin.fires:
            return []
        trouble = self.trouble.webhooks
        jobs = [(event, url, config) for event in events for url, config in self._targets(event)]
        if trouble.shuffle:
            trouble.rng.shuffle(jobs)
        sent: list[Future[None]] = []
        for event, url, config in jobs:
            sent += self._deliver(event, origin, url, config, "post")
        return sent

    def route(self, event: Event) -> "list[Future[None]]":
        """Frontline's routing callback, beside the post events."""
        if not self.routing_url:
            return []
        config = WebhookConfig(post_url=self.routing_url)
        return self._deliver(event, Origin(""), self.routing_url, config, "routing")

    def _targets(self, event: Event) -> list[tuple[str, WebhookConfig]]:
        return [
            (config.post_url, config)
            for config in (self.account.webhooks, self.account.services[event.service_sid].webhooks)
            if config.post_url and config.wants(event.name)
        ]

    def _deliver(
        self, event: Event, origin: Origin, url: str, config: WebhookConfig, kind: str
    ) -> "list[Future[None]]":
        trouble = self.trouble.webhooks
        touched = trouble.touches(event.name)
        if touched and trouble.rng.random() < trouble.lose:
            lost = self._record(event.name, url, self._params(event, origin, 0), kind, "")
            lost["error"] = "lost"
            return []
        in_order = kind == "post" and not (touched and (trouble.overlap or trouble.shuffle))
        strand = event.conversation.sid if in_order and event.conversation else None
        token = str(uuid.uuid4())
        late = trouble.delay if touched else 0.0
        if touched and trouble.shuffle:
            late += trouble.rng.random() * 0.03

        def job() -> None:
            time.sleep(late)
            self._send_with_retries(event, origin, url, config, kind, token)

        return [self.strands.submit(strand, job) for _ in range(trouble.repeat if touched else 1)]

    def _send_with_retries(
        self, event: Event, origin: Origin, url: str, config: WebhookConfig, kind: str, token: str
    ) -> None:
        for attempt in range(config.post_retry_count + 1):
            sent = self._send_once(event, origin, url, config.method, kind, attempt, token)
            if sent["status"] not in RETRIED and sent["error"] != 50076:
                return

    def _params(self, event: Event, origin: Origin, attempt: int) -> Params:
        common = {"AccountSid": self.account.sid, "EventType": event.name, "RetryCount": str(attempt)}
        if origin.source:
            common["Source"] = origin.source
        if origin.identity:
            common["ClientIdentity"] = origin.identity
        return {**common, **event.params}

    def _send_once(
        self,
        event: Event,
        origin: Origin,
        url: str,
        method: str,
        kind: str,
        attempt: int = 0,
        token: str = "",
    ) -> Delivery:
        """One signed request; its record says how it ended. A URL's fragment is never sent nor signed."""
        params = self._params(event, origin, attempt)
        token = token or str(uuid.uuid4())
        record = self._record(event.name, url, params, kind, token)
        record["attempt"] = attempt
        target, body = url.partition("#")[0], urlencode(params)
        signed = dict(params)
        if method.upper() == "GET":
            target, body, signed = f"{target}{'&' if '?' in target else '?'}{body}", "", {}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "Connection": "close",
            "I-Twilio-Idempotency-Token": token,
            "X-Twilio-Signature": self._validator.compute_signature(target, signed),
        }
        began = time.monotonic()
        record.update(self._outcome(method.upper(), target, body, headers, kind))
        record["seconds"] = round(time.monotonic() - began, 4)
        return record

    def _outcome(
        self, method: str, target: str, body: str, headers: Mapping[str, str], kind: str
    ) -> Delivery:
        """Sends it, and says how it ended in Twilio's words: its error code, or the answer that it took."""
        is_route = kind == "routing"
        try:
            answer = self._http.request(
                method,
                target,
                body=body.encode(),
                headers=headers,
                timeout=urllib3.Timeout(total=self.route_timeout if is_route else self.timeout),
                redirect=False,
                retries=False,
            )
        except urllib3.exceptions.NewConnectionError:
            return {"error": 50057}
        except urllib3.exceptions.TimeoutError:
            return {"error": 48010 if is_route else 50076}
        except urllib3.exceptions.HTTPError:
            return {"error": 50057}
        return {
            "status": answer.status,
            "answer": answer.data.decode("utf-8", "replace"),
            "content_type": answer.headers.get("Content-Type", ""),
            "error": None if 200 <= answer.status < 300 else 48010 if is_route else 50056,
        }

    def _record(self, name: str, url: str, params: Mapping[str, str], kind: str, token: str) -> Delivery:
        record: Delivery = {
            "event": name,
            "kind": kind,
            "url": url,
            "params": dict(params),
            "status": None,
            "seconds": None,
            "attempt": 0,
            "answer": "",
            "error": None,
            "token": token,
            "at": time.time(),
        }
        with self._lock:
            self.deliveries.append(record)
        return record

    def settle(self, timeout: float) -> bool:
        """Waits until nothing is on its way any more."""
        deadline = time.monotonic() + timeout
        while open_ones := self.strands.unfinished():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                open_ones[0].result(left)
        return True
