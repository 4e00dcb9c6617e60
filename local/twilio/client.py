"""Steers a stand-in in another process over HTTP, with the same method names as StandIn."""

from collections.abc import Sequence
from typing import Any

import urllib3

from local.twilio.autocreate import Inbound
from local.twilio.errors import ApiError

Json = dict[str, Any]


class StandInClient:
    """Every method takes the arguments of StandIn's method of that name."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = urllib3.PoolManager(maxsize=32)

    def _post(self, verb: str, **arguments: Any) -> Any:
        answer = self._http.request(
            "POST", f"{self.url}/_standin/{verb}", json=arguments, retries=False, timeout=120
        )
        return self._result(answer)

    def _get(self, view: str, **query: str) -> Any:
        address = f"{self.url}/_standin/{view}"
        return self._result(self._http.request("GET", address, fields=query, retries=False, timeout=120))

    def _result(self, answer: urllib3.BaseHTTPResponse) -> Any:
        content = answer.json()
        if answer.status != 200:
            raise ApiError(content["code"], content["message"], answer.status)
        return content["result"]

    def inbound(
        self,
        from_: str,
        to: str,
        body: str | None,
        wait: bool = True,
        media: Sequence[Json] | None = None,
    ) -> Inbound:
        return Inbound(**self._post("inbound", from_=from_, to=to, body=body, wait=wait, media=media))

    def inbound_group(self, author: str, to: Sequence[str], body: str, wait: bool = True) -> Inbound:
        return Inbound(**self._post("inbound_group", author=author, to=list(to), body=body, wait=wait))

    def configure_webhooks(self, service_sid: str | None = None, **wanted: Any) -> None:
        self._post("webhooks", service_sid=service_sid, **wanted)

    def configure_frontline(self, **urls: str | None) -> None:
        self._post("frontline", **urls)

    def set_autocreate(self, address: str, enabled: bool = True, service_sid: str | None = None) -> None:
        self._post("autocreate", address=address, enabled=enabled, service_sid=service_sid)

    def limit_worker(self, identity: str, conversations: int) -> None:
        self._post("limit_worker", identity=identity, conversations=conversations)

    def fail(self, **how: Any) -> None:
        self._post("fail", **how)

    def webhook_trouble(self, **how: Any) -> None:
        self._post("webhook_trouble", **how)

    def heal(self) -> None:
        self._post("heal")

    def worker_message(self, conversation_sid: str, identity: str, body: str, wait: bool = True) -> Json:
        sent: Json = self._post(
            "message", conversation_sid=conversation_sid, identity=identity, body=body, wait=wait
        )
        return sent

    def worker_join(self, conversation_sid: str, identity: str, **how: Any) -> Json:
        joined: Json = self._post("join", conversation_sid=conversation_sid, identity=identity, **how)
        return joined

    def worker_leave(self, conversation_sid: str, identity: str, wait: bool = True) -> None:
        self._post("leave", conversation_sid=conversation_sid, identity=identity, wait=wait)

    def set_state(self, conversation_sid: str, state: str, reason: str = "API", wait: bool = True) -> None:
        self._post("state", conversation_sid=conversation_sid, state=state, reason=reason, wait=wait)

    def remove_conversation(self, conversation_sid: str, wait: bool = True) -> None:
        self._post("remove", conversation_sid=conversation_sid, wait=wait)

    def create_user(self, identity: str, wait: bool = True) -> Json:
        made: Json = self._post("user", identity=identity, wait=wait)
        return made

    def advance(self, seconds: float, wait: bool = True) -> None:
        self._post("advance", seconds=seconds, wait=wait)

    def settle(self, timeout: float = 30.0) -> bool:
        return bool(self._post("settle", timeout=timeout))

    def forget_traffic(self) -> None:
        self._post("forget_traffic")

    def conversations(self) -> list[Json]:
        found: list[Json] = self._get("conversations")
        return found

    def conversation(self, sid: str) -> Json | None:
        found: Json | None = self._get("conversation", conversation_sid=sid)
        return found

    def participants(self, conversation_sid: str) -> list[Json]:
        found: list[Json] = self._get("participants", conversation_sid=conversation_sid)
        return found

    def messages(self, conversation_sid: str) -> list[Json]:
        found: list[Json] = self._get("messages", conversation_sid=conversation_sid)
        return found

    def state(self) -> Json:
        found: Json = self._get("state")
        return found

    @property
    def deliveries(self) -> list[Json]:
        found: list[Json] = self._get("deliveries")
        return found

    @property
    def requests(self) -> list[Json]:
        found: list[Json] = self._get("requests")
        return found

    @property
    def account_sid(self) -> str:
        return str(self.state()["account_sid"])

    @property
    def default_service_sid(self) -> str:
        return str(self.state()["default_service_sid"])
