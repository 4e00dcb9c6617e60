"""What each receiver of a conversation's changes gets, and how it asks to be called again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from domain.conversation import Conversation
from functions.http.answers import TryAgain


class Again(TryAgain):
    """It could not be done now and is worth another try: Google delivers the event again, after 10 s and more."""


@dataclass(frozen=True)
class Written:
    """One write of a conversation's record: as it was and as it became, a Conversation without a state where there
    was or is no record.

    Events come at least once and in any order, so a receiver that acts reads the record again, and keeps a mark of
    its own by which it does nothing twice.
    """

    before: Conversation
    after: Conversation

    @property
    def sid(self) -> str:
        return self.after.sid

    @property
    def turned(self) -> bool:
        """Whether the state is another one than before."""
        return self.before.state != self.after.state


Receiver: TypeAlias = Callable[[Written], None]
"""Does its part of one write. Raises Again, or anything else that went wrong, to be called again."""
