"""Logs one fact about each conversation that closes, for reports outside this service (docs/facts.md)."""

from __future__ import annotations

from domain import facts
from domain.conversation import CLOSED
from functions.conversation_written.receiver import Written
from providers import customers, log


def log_fact(written: Written) -> None:
    """Log the fact. A repeated event logs it again, with the same sid and version."""
    if written.turned and written.after.state == CLOSED:
        log.fact(facts.of_closed(written.after, written.at, customers.key()))
