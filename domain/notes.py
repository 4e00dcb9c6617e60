"""Workers' notes on a customer: the newest 50, never sent to the customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.fields import Fields

MOST_NOTES = 50
LONGEST_NOTE = 2000  # characters
_SAME_NOTE = timedelta(minutes=2)  # within which a repeated request adds no second note


@dataclass(frozen=True)
class Note:
    """`by`: the identity of the worker who wrote it."""

    at: datetime
    by: str
    text: str


def parse(fields: Fields) -> tuple[Note, ...]:
    """Return the notes of a customer's record, oldest first; invalid entries are left out and reported."""
    entries = fields.objects("notes")
    notes = [note for entry in entries if (note := _note(entry)) is not None]
    if len(notes) < len(entries):
        fields.complain(
            "notes has an entry without a valid at, by and text; that entry is left out."
        )
    # Two records that were merged have each its own order.
    return tuple(sorted(notes, key=lambda note: note.at)[-MOST_NOTES:])


def _note(data: Mapping[str, Any]) -> Note | None:
    entry = Fields(data)
    at, by = entry.time("at"), entry.text("by")
    text = entry.text("text", LONGEST_NOTE)
    if at is None or not by or not text:
        return None
    return Note(at, by, text)


def added(notes: Sequence[Note], note: Note) -> tuple[Note, ...]:
    """Return the notes with one more, the newest MOST_NOTES; a repeated request changes nothing."""
    if any(_is_repeated(other, note) for other in notes):
        return tuple(notes)
    return (*notes, note)[-MOST_NOTES:]


def _is_repeated(other: Note, note: Note) -> bool:
    is_same = (other.by, other.text) == (note.by, note.text)
    return is_same and note.at - other.at < _SAME_NOTE


def stored(notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Return the value of the field."""
    return [asdict(note) for note in notes]
