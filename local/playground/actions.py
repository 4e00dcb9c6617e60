"""What a click does: the customer's phone, the console. Nothing here shortens the real way."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from domain.pool_texts import KINDS
from domain.settings import MODES, OWN_WORKER
from local import raw_http, sample_data
from local.playground import typed
from local.playground.given import (
    Given,
    ImpossibleError,
    choice,
    number,
    number_or_none,
    record_name,
    text,
    texts,
)
from local.playground.trouble_menu import TroubleMenu

if TYPE_CHECKING:
    from local.stack import Stack
    from local.twilio import StandIn

Told = Mapping[str, Any]
_LONGEST = 1600  # characters of a message; https://www.twilio.com/docs/conversations/conversations-limits
_A_WEEK = 7 * 24 * 3600  # seconds that may pass at a click


class Actions:
    """One method per action of the page."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.trouble = TroubleMenu(stack)
        self._known: dict[str, Callable[[Given], Told]] = {
            "write": self._write,
            "trouble": self._trouble,
            "sweep": self._sweep,
            "pass": self._pass,
            "frontline": self._frontline,
            "settings": self._settings,
            "pool": self._pool,
            "worker": self._worker,
            "customer": self._customer,
        }

    def do(self, action: str, given: Given) -> Told:
        """Raises ImpossibleError with a sentence."""
        if action not in self._known:
            raise ImpossibleError(f"There is no action {action}.")
        return self._known[action](given)

    def _write(self, given: Given) -> Told:
        """A customer's message: Twilio makes the conversation and calls the webhooks."""
        sent = self._standin().inbound(
            from_=text(given, "from"),
            to=text(given, "to"),
            body=text(given, "body", _LONGEST),
            wait=False,
        )
        if sent.dropped:
            raise ImpossibleError(f"Twilio dropped the message: {sent.why}.")
        return {"sid": sent.conversation_sid}

    def _trouble(self, given: Given) -> Told:
        try:
            self.trouble.make(text(given, "kind"), on=bool(given.get("on")))
        except KeyError as error:
            raise ImpossibleError(f"There is no trouble {error}.") from None
        return {}

    def _sweep(self, given: Given) -> Told:
        """What Cloud Scheduler does every minute."""
        with _while_they_answer():
            answer = raw_http.send("POST", f"{self._stack.functions_url}/sweep")
        if answer.status_code >= 400:
            raise ImpossibleError(f"The sweep answered {answer.status_code}.")
        return {"found": answer.get_json(silent=True)}

    def _pass(self, given: Given) -> Told:
        """So much time passes at once, and then comes the sweep of that minute."""
        seconds = number(given, "seconds", at_least=1)
        if seconds > _A_WEEK:
            raise ImpossibleError("No more than a week can pass at once.")
        self._standin()  # Twilio's own clock goes on as it does
        with _while_they_answer():
            self._stack.let_pass(seconds)
        return self._sweep(given)

    def _frontline(self, given: Given) -> Told:
        """The switch in Frontline's app. Who signs in to it for the first time is off, and seen so by the sweep."""
        identity, twilio = record_name(given, "identity"), self._standin()
        if identity not in twilio.frontline_switches:
            twilio.switch_in_frontline(identity, False)
            self._sweep(given)
        twilio.switch_in_frontline(identity, bool(given.get("on")))
        return {}

    def _settings(self, given: Given) -> Told:
        """As one would in the Firestore console."""
        self._set(
            "settings/routing",
            {
                "mode": choice(given, "mode", MODES),
                "default_pool": record_name(given, "default_pool"),
                "custom_fallback": choice(given, "custom_fallback", ("pool", "none")),
                "own_worker": choice(given, "own_worker", OWN_WORKER),
                "own_worker_wait": number_or_none(given, "own_worker_wait"),
                "service_level_seconds": number(
                    given, "service_level_seconds", at_least=1
                ),
                "time_zone": text(given, "time_zone"),
                "frontline_status": bool(given.get("frontline_status")),
            },
        )
        return {}

    def _pool(self, given: Given) -> Told:
        numbers = [one.strip() for one in texts(given, "addresses") if one.strip()]
        mode = given.get("mode") or None
        self._set(
            f"pools/{record_name(given, 'id')}",
            {
                "display_name": text(given, "display_name"),
                "addresses": numbers,
                "mode": choice(given, "mode", MODES) if mode else None,
                "strategy": choice(given, "strategy", ("longest_idle", "least_busy")),
                "capacity": number_or_none(given, "capacity"),
                "priority": number_or_none(given, "priority", at_least=-1000) or 0,
                "overflow": record_name(given, "overflow")
                if given.get("overflow")
                else None,
                "overflow_after": number_or_none(given, "overflow_after"),
                "answer_within": number_or_none(given, "answer_within"),
                "unavailable_after": number_or_none(given, "unavailable_after"),
                "hours": typed.hours(given.get("hours")),
                "holidays": texts(given, "holidays"),
                "texts": {
                    kind: typed.in_languages(given[kind])
                    for kind in KINDS
                    if given.get(kind)
                },
            },
        )
        for one in numbers if self._stack.standin else ():
            self._standin().set_autocreate(one, enabled=True)
        return {}

    def _worker(self, given: Given) -> Told:
        record: dict[str, Any] = {"pools": texts(given, "pools")}
        if given.get("new"):
            record |= {
                "display_name": text(given, "display_name"),
                "status": "Unavailable",
            }
        self._set(f"workers/{record_name(given, 'identity')}", record)
        return {}

    def _customer(self, given: Given) -> Told:
        record = {name: given.get(name) or None for name in ("worker", "language")}
        priority = number_or_none(given, "priority", at_least=-1000)
        self._set(
            f"customers/{record_name(given, 'id')}", record | {"priority": priority}
        )
        return {}

    def _set(self, path: str, record: Mapping[str, Any]) -> None:
        database = sample_data.client(
            self._stack.emulator.host, self._stack.options.project
        )
        whole = list(
            record
        )  # each of these fields: a map is not merged with the one that is there
        database.document(path).set(dict(record), merge=whole)  # type: ignore[arg-type] # takes names, too

    def _standin(self) -> StandIn:
        if self._stack.standin is None:
            raise ImpossibleError(
                "This needs the stand-in; with a real account use a real phone."
            )
        return self._stack.standin


@contextmanager
def _while_they_answer() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise ImpossibleError("The functions do not answer just now.") from error
