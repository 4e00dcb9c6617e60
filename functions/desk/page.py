"""The desk as a page."""

from __future__ import annotations

from pathlib import Path

from domain.worker import SUPERVISOR, Worker
from functions.http.page import Page


def _why_not(worker: Worker) -> str | None:
    if worker.role == SUPERVISOR:
        return None
    return (
        f"You are signed in as {worker.identity}, but only supervisors can open the desk. "
        "Ask a supervisor to change your role."
    )


PAGE = Page(
    "desk",
    title="Desk",
    lead="Your team, its customers and its settings.",
    static=Path(__file__).parent / "static",
    why_not=_why_not,
)
