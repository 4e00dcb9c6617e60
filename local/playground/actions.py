"""What a click does: the customer's phone, the console. Nothing here shortens the real way."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from domain.settings import OWN_WORKER
from local import raw_http, sample_data
from local.playground.trouble_menu import TroubleMenu

if TYPE_CHECKING:
    from local.stack import Stack
    from local.twilio import StandIn

Given = Mapping[str, Any]
Told = Mapping[str, Any]
_LONGEST = 1600  # characters of a message; https://www.twilio.com/docs/conversations/conversations-limits
_MODES = ("none", "custom", "pool")


class ImpossibleError(Exception):
    """It cannot be done as asked; the text says why."""


class Actions:
    """One method per action of the page."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.trouble = TroubleMenu(stack)
        self._known: dict[str, Callable[[Given], Told]] = {
            "write": self._write,
            "trouble": self._trouble,
            "sweep": self._sweep,
            "settings": self._settings,
            "pool": self._pool,
            "worker": self._worker,
        }

    def do(self, action: str, given: Given) -> Told:
        """Raises ImpossibleError with a sentence."""
        if action not in self._known:
            raise ImpossibleError(f"There is no action {action}.")
        return self._known[action](given)

    def _write(self, given: Given) -> Told:
        """A customer's message: Twilio makes the conversation and calls the webhooks."""
        sent = self._standin().inbound(
            from_=_text(given, "from"), to=_text(given, "to"), body=_text(given, "body", _LONGEST), wait=False
        )
        if sent.dropped:
            raise ImpossibleError(f"Twilio dropped the message: {sent.why}.")
        return {"sid": sent.conversation_sid}

    def _trouble(self, given: Given) -> Told:
        try:
            self.trouble.make(_text(given, "kind"), on=bool(given.get("on")))
        except KeyError as error:
            raise ImpossibleError(f"There is no trouble {error}.") from None
        return {}

    def _sweep(self, given: Given) -> Told:
        """What Cloud Scheduler does every minute."""
        try:
            answer = raw_http.send("POST", f"{self._stack.functions_url}/sweep")
        except (OSError, http.client.HTTPException) as error:
            raise ImpossibleError("The functions do not answer just now.") from error
        if answer.status_code >= 400:
            raise ImpossibleError(f"The sweep answered {answer.status_code}.")
        return {"found": answer.get_json(silent=True)}

    def _settings(self, given: Given) -> Told:
        """As one would in the Firestore console."""
        self._set(
            "settings/routing",
            {
                "mode": _choice(given, "mode", _MODES),
                "default_pool": _record_name(given, "default_pool"),
                "custom_fallback": _choice(given, "custom_fallback", ("pool", "none")),
                "own_worker": _choice(given, "own_worker", OWN_WORKER),
                "own_worker_wait": _number_or_none(given, "own_worker_wait"),
                "service_level_seconds": _number(given, "service_level_seconds", at_least=1),
                "time_zone": _text(given, "time_zone"),
            },
        )
        return {}

    def _pool(self, given: Given) -> Told:
        listed = given.get("addresses")
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise ImpossibleError("addresses must be a list of texts.")
        numbers = [one.strip() for one in listed if one.strip()]
        mode = given.get("mode") or None
        self._set(
            f"pools/{_record_name(given, 'id')}",
            {
                "display_name": _text(given, "display_name"),
                "addresses": numbers,
                "mode": _choice(given, "mode", _MODES) if mode else None,
                "strategy": _choice(given, "strategy", ("longest_idle", "least_busy")),
                "capacity": _number_or_none(given, "capacity"),
                "priority": _number(given, "priority", at_least=-1000) if given.get("priority") else 0,
                "overflow": _record_name(given, "overflow") if given.get("overflow") else None,
                "overflow_after": _number_or_none(given, "overflow_after"),
            },
        )
        for number in numbers if self._stack.standin else ():
            self._standin().set_autocreate(number, enabled=True)
        return {}

    def _worker(self, given: Given) -> Told:
        chosen = given.get("pools")
        if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
            raise ImpossibleError("pools must be a list of texts.")
        record: dict[str, Any] = {"pools": chosen}
        if given.get("new"):
            record |= {"display_name": _text(given, "display_name"), "status": "Unavailable"}
        self._set(f"workers/{_record_name(given, 'identity')}", record)
        return {}

    def _set(self, path: str, record: Mapping[str, Any]) -> None:
        database = sample_data.client(self._stack.emulator.host, self._stack.options.project)
        database.document(path).set(dict(record), merge=True)

    def _standin(self) -> StandIn:
        if self._stack.standin is None:
            raise ImpossibleError("This needs the stand-in; with a real account use a real phone.")
        return self._stack.standin


def _text(given: Given, name: str, longest: int = 256) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ImpossibleError(f"{name} is missing.")
    if len(value) > longest:
        raise ImpossibleError(f"{name} must not be longer than {longest} characters.")
    return value.strip()


def _record_name(given: Given, name: str) -> str:
    value = _text(given, name)
    if "/" in value or value in (".", "..") or value.startswith("__"):
        raise ImpossibleError(f"{name} cannot be the name of a record: {value}")
    return value


def _choice(given: Given, name: str, choices: tuple[str, ...]) -> str:
    value = _text(given, name)
    if value not in choices:
        raise ImpossibleError(f"{name} must be one of {', '.join(choices)}.")
    return value


def _number(given: Given, name: str, at_least: int = 0) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ImpossibleError(f"{name} must be a whole number from {at_least}.")
    return value


def _number_or_none(given: Given, name: str) -> int | None:
    return None if given.get(name) in (None, "") else _number(given, name)
