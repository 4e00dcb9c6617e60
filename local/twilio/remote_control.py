"""The stand-in's own HTTP controls, POST /_standin/NAME, and the client that steers it from another process."""

import dataclasses
import json
from typing import Any

import urllib3

from local.twilio.autocreate import Inbound
from local.twilio.errors import ApiError, classic_body
from local.twilio.rest.calls import RestAnswer

PREFIX = "/_standin/"
OWN_PROCESS = frozenset({"start", "stop"})


class RemoteControl:
    """Every public method and property of the stand-in, under its own name; the answer is {"result": ...}."""

    def __init__(self, standin: object) -> None:
        self._standin = standin

    def answer(self, name: str, body: bytes) -> RestAnswer:
        """The arguments come as a JSON object, by name; none at all is the same as {}."""
        if (
            name.startswith("_")
            or name in OWN_PROCESS
            or not hasattr(self._standin, name)
        ):
            return 404, classic_body(ApiError(20404, f"no control {name}"))
        try:
            found = getattr(self._standin, name)
            result = found(**json.loads(body or b"{}")) if callable(found) else found
        except ApiError as error:
            return error.status, classic_body(error)
        except (TypeError, ValueError) as error:
            return 400, classic_body(ApiError(20001, str(error)))
        return 200, {
            "result": dataclasses.asdict(result)
            if isinstance(result, Inbound)
            else result
        }


class StandInClient:
    """`call("inbound", from_=..., to=..., body=...)` is StandIn.inbound(...) in another process."""

    def __init__(self, url: str) -> None:
        self._start = url.rstrip("/") + PREFIX
        self._http = urllib3.PoolManager(maxsize=32, retries=False, timeout=120)

    def call(self, name: str, **arguments: Any) -> Any:
        """What the method gives, or the property is, as JSON carries it. Raises ApiError as the method does."""
        answer = self._http.request("POST", self._start + name, json=arguments)
        content = answer.json()
        if answer.status != 200:
            raise ApiError(content["code"], content["message"], answer.status)
        return content["result"]
