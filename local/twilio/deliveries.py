"""Sends single webhooks as Twilio does, signed and within a time limit, and keeps a record of each."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.request_validator import RequestValidator

from local.twilio.events import Params

Delivery = dict[str, Any]


@dataclass(frozen=True)
class Webhook:
    """One webhook on its way to `url`; `kind` is pre, post or routing."""

    name: str
    params: Params
    url: str
    method: str
    kind: str
    token: str = field(default_factory=lambda: str(uuid.uuid4()))


class Deliveries:
    """The record of every webhook so far: `error` is Twilio's code, or says that it was lost on purpose."""

    def __init__(
        self, auth_token: str, timeout: float, route_timeout: float, connections: int
    ) -> None:
        """The timeouts are in seconds, the second one for the routing callback."""
        self.record: list[Delivery] = []
        self._limits = {"routing": route_timeout, "pre": timeout, "post": timeout}
        self._lock = threading.Lock()
        self._http = urllib3.PoolManager(
            num_pools=8, maxsize=connections, retries=False
        )
        self._validator = RequestValidator(auth_token)

    def send(self, webhook: Webhook) -> Delivery:
        """One signed request, and how it ended."""
        entry, began = self._enter(webhook), time.monotonic()
        entry.update(self._outcome(webhook))
        entry["seconds"] = round(time.monotonic() - began, 4)
        return entry

    def lose(self, webhook: Webhook) -> None:
        """It is in the record, but goes nowhere."""
        self._enter(webhook)["error"] = "lost"

    def _enter(self, webhook: Webhook) -> Delivery:
        entry: Delivery = {
            "event": webhook.name,
            "kind": webhook.kind,
            "url": webhook.url,
            "params": webhook.params,
            "status": None,
            "seconds": None,
            "answer": "",
            "error": None,
            "token": webhook.token,
            "at": time.time(),
        }
        with self._lock:
            self.record.append(entry)
        return entry

    def _outcome(self, webhook: Webhook) -> Delivery:
        """In Twilio's words: its error code, or the answer that it took."""
        is_route = webhook.kind == "routing"
        try:
            answer = self._request(webhook)
        except urllib3.exceptions.NewConnectionError:
            return {"error": 50057}
        except urllib3.exceptions.TimeoutError:
            return {"error": 48010 if is_route else 50076}
        except urllib3.exceptions.HTTPError:
            return {"error": 50057}
        refused = not 200 <= answer.status < 300
        return {
            "status": answer.status,
            "answer": answer.data.decode("utf-8", "replace"),
            "error": (48010 if is_route else 50056) if refused else None,
        }

    def _request(self, webhook: Webhook) -> urllib3.BaseHTTPResponse:
        """A URL's fragment is neither sent nor signed; a GET is signed by its address alone."""
        target, body, signed = (
            webhook.url.partition("#")[0],
            urlencode(webhook.params),
            webhook.params,
        )
        if webhook.method == "GET":
            target, body, signed = (
                f"{target}{'&' if '?' in target else '?'}{body}",
                "",
                {},
            )
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "Connection": "close",
            "I-Twilio-Idempotency-Token": webhook.token,
            "X-Twilio-Signature": self._validator.compute_signature(target, signed),
        }
        limit = urllib3.Timeout(total=self._limits[webhook.kind])
        return self._http.request(
            webhook.method,
            target,
            body=body.encode(),
            headers=headers,
            timeout=limit,
            redirect=False,
        )
