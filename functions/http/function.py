"""The description of a deployed function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """One deployed function.

    `name`: the entry point in main.py.
    `caller`: the only allowed one: twilio (signed), firestore, scheduler, person (IAM), worker (signs in there).
    `module`: has the function `handle`. It is imported on first use, because every instance imports main.py.
    `seconds`: the function's own deadline; `limit`: Google's timeout in seconds.
    `libraries`: the modules that an instance loads at its start.
    `documents`: the pattern of the documents that trigger it.
    `names_account`: every request names its account, as Twilio Conversations' do and Frontline's do not.
    `answers_always`: the status is always 200, because on any other Twilio drops the customer's message.
    """

    name: str
    caller: str
    module: str
    seconds: float
    limit: int
    libraries: tuple[str, ...]
    documents: str = ""
    methods: tuple[str, ...] = ("POST",)
    answers_always: bool = False
    names_account: bool = False

    @property
    def collection(self) -> str:
        """The collection of the documents that trigger it."""
        return self.documents.partition("/")[0]
