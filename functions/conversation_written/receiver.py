"""What each receiver of a conversation's changes gets, and how it asks to be called again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.conversation import CUSTOMER, Conversation


@dataclass(frozen=True)
class Written:
    """One write of a conversation's record: as it was and as it became. Without a record, it has no state.

    Events come at least once and in any order, so a receiver that acts reads the record again, and keeps a mark of
    its own by which it does nothing twice. `at`: the time of the write, which is its version.
    """

    before: Conversation
    after: Conversation
    at: datetime | None = None

    @property
    def sid(self) -> str:
        return self.after.sid

    @property
    def turned(self) -> bool:
        """Whether the state has changed."""
        return self.before.state != self.after.state

    @property
    def has_customers_message(self) -> bool:
        """Whether the last message is the customer's, and newer than before."""
        last, earlier = self.after.last_message, self.before.last_message
        if last is None or last.sender != CUSTOMER:
            return False
        return earlier is None or last.index > earlier.index


Receiver: TypeAlias = Callable[[Written], None]
"""What each receiver of a conversation's changes gets, and how it asks to be called again."""
