"""What a door has to know of the function behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """One deployed function.

    `name`: its entry point in main.py. `caller`: who may call it: twilio (signed), firestore, scheduler, person (IAM),
    worker (signs in there). `module`: whose `handle` it is, imported on first use: every instance imports main.py, and
    would import all of them.
    `seconds` it gives itself; `limit`: seconds that Google gives it. `libraries`: what an
    instance loads at its start. `documents` wake it. `names_account`: its caller
    says in every request for which account it calls, as Twilio Conversations does and Frontline's app does not.
    `answers_always`: nothing but 200 will do, for on any other answer
    Twilio drops the customer's message.
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
        """Whose documents wake it."""
        return self.documents.partition("/")[0]
