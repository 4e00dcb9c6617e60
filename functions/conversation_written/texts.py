"""The customer is told that they wait, that nobody is there just now, and who has come: a pool's own texts."""

from __future__ import annotations

from functions.conversation_written.receiver import Written


def tell(written: Written) -> None:
    """Off as long as the pool has no texts."""
