"""What a door has to know of the function behind it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Function:
    """One deployed function.

    `name`: its entry point in main.py. `caller`: who may call it: twilio (signed), firestore, scheduler, person (IAM).
    `module`: where its `handle` is. `seconds` it gives itself; `limit`: seconds that Google gives it.
    `libraries`: what an instance loads at its start. `collection`: whose documents wake it.
    """

    name: str
    caller: str
    module: str
    seconds: float
    limit: int
    libraries: tuple[str, ...]
    collection: str | None = None
    methods: tuple[str, ...] = ("POST",)
    answers_always: bool = False

    @property
    def deployed_name(self) -> str:
        """Without a prefix."""
        return self.name.replace("_", "-")

    @property
    def documents(self) -> str | None:
        """The pattern of the documents that wake it."""
        return f"{self.collection}/{{name}}" if self.collection else None

    def load(self) -> Callable[..., Any]:
        """Its handler, imported on first use: every deployed function imports all of main.py."""
        handle: Callable[..., Any] = importlib.import_module(self.module).handle
        return handle
