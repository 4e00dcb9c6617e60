"""The stand-in as tests and the local runner hold it: everything a person or a phone can do, in one object."""

import base64
import random
import threading
from collections.abc import Sequence
from secrets import token_urlsafe
from typing import Any, Self

from local.twilio.account import Account
from local.twilio.app_and_console import AppAndConsole
from local.twilio.autocreate import Autocreation, Inbound, Letter
from local.twilio.carriers import Carriers
from local.twilio.deliveries import Deliveries
from local.twilio.faults import Faults, RestFault, WebhookFaults
from local.twilio.records import (
    AddressConfig,
    Content,
    WebhookConfig,
    address_type,
    new_sid,
)
from local.twilio.remote_control import RemoteControl
from local.twilio.rest import media as media_files
from local.twilio.rest.router import Router
from local.twilio.server import Server
from local.twilio.views import Views
from local.twilio.webhooks import Webhooks


class StandIn(AppAndConsole, Views):
    """An HTTP server that behaves as Twilio Conversations is documented to."""

    def __init__(
        self,
        account_sid: str | None = None,
        auth_token: str = "stand-in-auth-token",
        port: int = 0,
        *,
        webhook_timeout: float = 5.0,
        route_timeout: float = 10.0,
        group_delay: float = 0.7,
        own_numbers: Sequence[str] | None = None,
        threads: int = 64,
        seed: int = 0,
    ) -> None:
        account = Account(account_sid or new_sid("AC"), auth_token)
        account.own_numbers = None if own_numbers is None else set(own_numbers)
        self._seed = seed
        self._faults = Faults(seed)
        deliveries = Deliveries(auth_token, webhook_timeout, route_timeout, threads)
        webhooks = Webhooks(account, self._faults, deliveries, threads)
        self._autocreation = Autocreation(account, webhooks, group_delay)
        self._carriers = Carriers(account, webhooks)
        server = Server(
            port,
            Router(account, webhooks, self._carriers),
            self._faults,
            RemoteControl(self),
        )
        self._account, self._webhooks, self._server = account, webhooks, server
        account.address = server.url
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="twilio",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends at once; open connections are cut and deliveries on their way are given up."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        self._server.cut()
        self._webhooks.jobs.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What a customer's phone does

    def inbound(
        self,
        from_: str,
        to: str,
        body: str | None,
        wait: bool = True,
        media: Sequence[dict[str, Any]] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Inbound:
        """One message. Waits for every webhook it caused; with `wait` off only for the pre-event.

        `metadata`: what the message's ChannelMetadata holds, such as the place of a location.
        """
        return self._autocreation.receive(
            Letter(from_, (to,), body, media, metadata), wait
        )

    def customers_file(
        self, name: str, content_type: str, content: str
    ) -> dict[str, Any]:
        """A file to send with `inbound(media=[...])`; `content` in base64."""
        with self._account.lock:
            service = self._account.default_service_sid
            file = media_files.add(
                self._account, service, name, content_type, base64.b64decode(content)
            )
            return media_files.in_message(file)

    def inbound_group(
        self, author: str, to: Sequence[str], body: str, wait: bool = True
    ) -> Inbound:
        """A group MMS to several numbers, ours among them: initializing, then active."""
        return self._autocreation.receive(Letter(author, tuple(to), body, None), wait)

    # What is configured in the console

    def configure_webhooks(
        self,
        service_sid: str | None = None,
        pre_url: str | None = None,
        post_url: str | None = None,
        filters: Sequence[str] | None = None,
        method: str = "POST",
        target: str = "webhook",
    ) -> None:
        """Sets the global targets, or a service's. No `filters` means every event; target flex: Flex gets them."""
        only = list(filters) if filters is not None else None
        wanted = WebhookConfig(pre_url, post_url, only, method, target)
        with self._account.lock:
            if service_sid:
                self._account.service(service_sid).webhooks = wanted
            else:
                self._account.webhooks = wanted

    def make_api_key(self) -> dict[str, str]:
        """A new API key for REST calls: its SID and its secret."""
        key = {"sid": new_sid("SK"), "secret": token_urlsafe(24)}
        self._account.api_keys[key["sid"]] = key["secret"]
        return key

    def revoke_api_key(self, sid: str) -> None:
        """Calls with this key are refused from now on."""
        self._account.api_keys.pop(sid, None)

    def add_service(self, name: str) -> str:
        """One more Conversations service; its SID."""
        with self._account.lock:
            return self._account.add_service(name).sid

    def configure_frontline(self, routing_url: str | None = None) -> None:
        self._webhooks.routing_url = routing_url

    def set_autocreate(
        self, address: str, enabled: bool = True, service_sid: str | None = None
    ) -> None:
        """Whether messages to one of our addresses make conversations."""
        with self._account.lock:
            record = self._account.address_config(address)
            if record is None:
                record = self._account.make(
                    AddressConfig, type=address_type(address), address=address
                )
                self._account.addresses[record.sid] = record
            record.enabled = enabled
            record.service_sid = service_sid or record.service_sid

    def add_content(
        self,
        friendly_name: str,
        body: str | None = None,
        types: dict[str, dict[str, Any]] | None = None,
        variables: dict[str, str] | None = None,
        language: str = "en",
        status: str = "approved",
    ) -> str:
        """A content template, by its text or by all its `types`; returns its SID."""
        shown = types or {"twilio/text": {"body": body or ""}}
        with self._account.lock:
            content = self._account.make(
                Content,
                friendly_name=friendly_name,
                language=language,
                variables=variables or {},
                types=shown,
                approval={
                    "name": friendly_name,
                    "category": "UTILITY",
                    "content_type": next(iter(shown)),
                    "status": status,
                    "rejection_reason": "",
                    "allow_category_change": True,
                },
            )
            self._account.contents[content.sid] = content
            return content.sid

    def approve_content(
        self, sid: str, status: str = "approved", reason: str = ""
    ) -> None:
        """What WhatsApp says of it from now on: approved, rejected, paused, disabled, pending, unsubmitted."""
        with self._account.lock:
            self._account.contents[sid].approval |= {
                "status": status,
                "rejection_reason": reason,
            }

    def remove_content(self, sid: str) -> None:
        with self._account.lock:
            del self._account.contents[sid]

    def limit_worker(self, identity: str, conversations: int) -> None:
        """Beyond so many open conversations Twilio refuses that identity with 50214."""
        self._account.user_limits[identity] = conversations

    # What goes wrong

    def refuse_delivery(
        self, address: str, code: int = 30003, status: str = "undelivered"
    ) -> None:
        """From now on no message reaches this address; a status of delivered takes that back."""
        self._account.undeliverable[address] = (status, code)

    def fail(
        self,
        status: int | None = 503,
        code: int = 20503,
        delay: float = 0.0,
        drop_answer: bool = False,
        share: float = 1.0,
        times: int | None = None,
        method: str | None = None,
        path: str | None = None,
        rfc9457: bool = False,
    ) -> None:
        """REST calls that fail; `path` is a regular expression. Status None: only slow."""
        self._faults.add(
            RestFault(
                status, code, delay, drop_answer, share, times, method, path, rfc9457
            )
        )

    def webhook_trouble(
        self,
        repeat: int = 1,
        lose: float = 0.0,
        shuffle: bool = False,
        delay: float = 0.0,
        seed: int | None = None,
        overlap: bool = False,
        events: Sequence[str] | None = None,
    ) -> None:
        """Post events and the routing callback come `repeat` times, lost, shuffled, late or side by side."""
        rng = random.Random(self._seed if seed is None else seed)
        only = list(events) if events is not None else None
        self._faults.webhooks = WebhookFaults(
            repeat, lose, shuffle, delay, overlap, only, rng
        )

    def limit_calls_at_once(self, number: int | None) -> None:
        """Answer 429 to the REST calls that come while so many are under way; None lifts the limit."""
        self._server.at_once.limit = number

    def heal(self) -> None:
        self._faults.heal()
