"""Words for a message that has none: a location, a template, or something that only the customer's app can show.

Twilio reports only that such a message exists. The channel's data are in the ChannelMetadata resource, in a form that
differs by channel, so a location is recognised by its coordinates, wherever they are.
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
    """Return whether the webhook's parameter Media names a file.

    It is a JSON array in one string; a text that is not JSON counts as a file.
    """
    text = (media or "").strip()
    try:
        return bool(json.loads(text or "[]"))
    except (ValueError, RecursionError):
        return True


def of_customer(metadata: object) -> str:
    """Return the words for a customer's message, by its ChannelMetadata (None: it has
    none)."""
    return LOCATION if any(map(_is_place, _mappings(metadata))) else UNKNOWN


def _is_place(mapping: Mapping[str, object]) -> bool:
    values = {str(name).lower(): value for name, value in mapping.items()}
    has_coordinates = all(values.get(name) not in (None, "") for name in _COORDINATES)
    return has_coordinates or any(
        str(values.get(name)).lower() == "location" for name in _KINDS
    )


def _mappings(metadata: object) -> Iterator[Mapping[str, object]]:
    """Yield every mapping in it, including those in strings of JSON; looks at 500
    values at most."""
    pending, looked_at = [metadata], 0
    while pending and looked_at < _MOST_LOOKED_AT:
        value = _parsed(pending.pop())
        looked_at += 1
        match value:
            case Mapping():
                yield value
                pending.extend(value.values())
            case list():
                pending.extend(value)


def _parsed(value: object) -> object:
    """Return the value of a string of JSON, None for invalid JSON; another value as it
    is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
