"""What a click does: the customer's phone, the console. Nothing here shortens the real way."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local import raw_http
from local.playground.given import (
    Given,
    ImpossibleError,
    number,
    record_name,
    text,
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
        }

    def do(self, action: str, given: Given) -> Told:
        """Raises ImpossibleError with a sentence."""
        if action not in self._known:
            raise ImpossibleError(f"There is no action {action}.")
        return self._known[action](given)

    def _write(self, given: Given) -> Told:
        """A customer's message: Twilio makes the conversation and calls the webhooks."""
        standin, number = self._standin(), text(given, "to")
        standin.set_autocreate(number, enabled=True)  # also one typed at the desk
        sent = standin.inbound(
            from_=text(given, "from"),
            to=number,
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
