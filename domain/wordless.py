"""Words for a message that has none: a location, a template, or something that only the customer's app can show.

Twilio says nothing of such a message but that it exists; what the channel knows is in its ChannelMetadata resource.
The form of that is the channel's own, so a location is recognised by its coordinates, wherever they stand in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

ATTACHMENT = "(attachment)"
LOCATION = "(location)"
TEMPLATE = "(template)"
UNKNOWN = "(a message that cannot be shown here)"
_COORDINATES = {"latitude", "longitude"}
_KINDS = {"type", "messagetype", "message_type"}
_MOST_LOOKED_AT = 500  # values; a location has a handful


def has_media(media: str | None) -> bool:
    """Whether the webhook's parameter Media, a JSON array in one string, names a file; other text counts as one."""
    text = (media or "").strip()
    try:
        return bool(json.loads(text or "[]"))
    except (ValueError, RecursionError):
        return True


def of_customer(metadata: object) -> str:
    """What a customer's message is, by its ChannelMetadata; None: it has none."""
    return LOCATION if any(_is_place(one) for one in _mappings(metadata)) else UNKNOWN


def _is_place(mapping: Mapping[str, object]) -> bool:
    values = {str(name).lower(): value for name, value in mapping.items()}
    has_coordinates = all(values.get(name) not in (None, "") for name in _COORDINATES)
    return has_coordinates or any(
        str(values.get(name)).lower() == "location" for name in _KINDS
    )


def _mappings(found: object) -> Iterator[Mapping[str, object]]:
    """Every mapping in it, those in strings of JSON, too."""
    waiting, looked_at = [found], 0
    while waiting and looked_at < _MOST_LOOKED_AT:
        value = waiting.pop()
        looked_at += 1
        if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            value = _parsed(value)
        if isinstance(value, Mapping):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
