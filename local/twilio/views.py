"""What there is to see of a stand-in: its conversations, the webhooks it sent and the requests it took."""

from typing import Any

from local.twilio import shapes
from local.twilio.account import Account
from local.twilio.deliveries import Delivery
from local.twilio.server import Server
from local.twilio.shapes import Shape
from local.twilio.webhooks import Webhooks


class Views:
    """The reading part of StandIn."""

    _account: Account
    _webhooks: Webhooks
    _server: Server

    @property
    def account_sid(self) -> str:
        return self._account.sid

    @property
    def auth_token(self) -> str:
        return self._account.auth_token

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def default_service_sid(self) -> str:
        return self._account.default_service_sid

    def conversations(self) -> list[Shape]:
        with self._account.lock:
            return [
                shapes.conversation(self._account, one)
                for one in self._account.conversations.values()
            ]

    def conversation(self, sid: str) -> Shape | None:
        with self._account.lock:
            found = self._account.conversations.get(sid)
            return shapes.conversation(self._account, found) if found else None

    def participants(self, conversation_sid: str) -> list[Shape]:
        with self._account.lock:
            found = self._account.conversations.get(conversation_sid)
            people = found.participants.values() if found else ()
            return [shapes.participant(self._account, one) for one in people]

    def messages(self, conversation_sid: str) -> list[Shape]:
        with self._account.lock:
            found = self._account.conversations.get(conversation_sid)
            return [
                shapes.message(self._account, one)
                for one in (found.messages if found else ())
            ]

    @property
    def frontline_switches(self) -> dict[str, bool]:
        """Who has signed in to Frontline's app, and how their switch stands there."""
        with self._account.lock:
            return {
                user.identity: user.is_available
                for user in self._account.frontline.values()
            }

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook sent so far; one that got no answer has status None and says why in `error`."""
        return list(self._webhooks.deliveries.record)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every REST request so far; one whose answer was dropped has status None."""
        return list(self._server.requests)

    @property
    def most_calls_at_once(self) -> int:
        """The largest number of REST calls under way at one moment since `forget_traffic`."""
        return self._server.at_once.most

    def settle(self, timeout: float = 30.0) -> bool:
        """Waits until no webhook is on its way; False when that takes longer."""
        return self._webhooks.settle(timeout)

    def forget_traffic(self) -> None:
        """Empties `deliveries` and `requests`."""
        self._webhooks.deliveries.record.clear()
        self._server.requests.clear()
        self._server.at_once.most = 0

    def state(self) -> dict[str, Any]:
        """The account in one JSON object."""
        return {
            "account_sid": self.account_sid,
            "default_service_sid": self.default_service_sid,
            "url": self.url,
            "conversations": [
                {
                    **one,
                    "participants": self.participants(one["sid"]),
                    "messages": self.messages(one["sid"]),
                }
                for one in self.conversations()
            ],
        }
