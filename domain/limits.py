"""Twilio's limits: https://www.twilio.com/docs/conversations/conversations-limits"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CONVERSATION_ATTRIBUTES = 16 * 1024  # bytes
PARTICIPANT_ATTRIBUTES = 4 * 1024  # bytes
NAME = 256  # characters


def as_json(attributes: Mapping[str, Any]) -> str:
    """Return the attributes as one string, as Twilio keeps them."""
    return json.dumps(attributes, ensure_ascii=False)


def fits(attributes: Mapping[str, Any], most: int) -> bool:
    """Return whether the attributes have at most `most` bytes as JSON in UTF-8."""
    return len(as_json(attributes).encode(errors="surrogatepass")) <= most


def with_room_for(
    there: Mapping[str, Any], more: Mapping[str, Any], most: int
) -> dict[str, Any]:
    """Return `there` with as many attributes of `more` as fit into `most` bytes.

    The first of `more` are the most important ones. Values of `there` do not change.
    """
    attributes = dict(there)
    for name, value in more.items():
        larger = {name: value} | attributes
        if value and fits(larger, most):
            attributes = larger
    return attributes
