"""The stand-in's own HTTP controls under /_standin/, for processes that cannot call it in Python."""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from local.twilio.autocreate import Inbound
from local.twilio.errors import ApiError, classic_body
from local.twilio.rest.calls import Answer, Form

if TYPE_CHECKING:
    from local.twilio.standin import StandIn

# POST /_standin/<verb> with the method's arguments as a JSON object; the answer is {"result": ...}.
VERBS = {
    "inbound": "inbound",
    "inbound_group": "inbound_group",
    "webhooks": "configure_webhooks",
    "frontline": "configure_frontline",
    "autocreate": "set_autocreate",
    "limit_worker": "limit_worker",
    "fail": "fail",
    "webhook_trouble": "webhook_trouble",
    "heal": "heal",
    "join": "worker_join",
    "leave": "worker_leave",
    "message": "worker_message",
    "state": "set_state",
    "remove": "remove_conversation",
    "user": "create_user",
    "advance": "advance",
    "settle": "settle",
    "forget_traffic": "forget_traffic",
}
# GET /_standin/<view>
VIEWS = ("state", "deliveries", "requests", "conversations")
VIEWS_OF_ONE = ("conversation", "participants", "messages")


class Controls:
    """Turns one control request into one method call on the stand-in."""

    def __init__(self, standin: "StandIn") -> None:
        self._standin = standin

    def answer(self, method: str, name: str, query: Form, body: bytes) -> Answer:
        try:
            if method == "POST" and name in VERBS:
                return 200, {"result": self._act(name, body)}
            if method == "GET" and name in VIEWS:
                found = getattr(self._standin, name)
                return 200, {"result": found() if callable(found) else found}
            if method == "GET" and name in VIEWS_OF_ONE:
                return 200, {"result": getattr(self._standin, name)(query.get("conversation_sid") or "")}
        except ApiError as error:
            return error.status, classic_body(error)
        except (TypeError, ValueError) as error:
            return 400, {"message": str(error), "code": 20001, "status": 400}
        return 404, {"message": f"no control {method} {name}", "code": 20404, "status": 404}

    def _act(self, name: str, body: bytes) -> Any:
        given = json.loads(body or b"{}")
        if "from" in given:
            given["from_"] = given.pop("from")
        result = getattr(self._standin, VERBS[name])(**given)
        return dataclasses.asdict(result) if isinstance(result, Inbound) else result
