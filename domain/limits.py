"""What Twilio takes: https://www.twilio.com/docs/conversations/conversations-limits"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CONVERSATION_ATTRIBUTES = 16 * 1024  # bytes
PARTICIPANT_ATTRIBUTES = 4 * 1024  # bytes
NAME = 256  # characters


def as_json(attributes: Mapping[str, Any]) -> str:
    """The attributes as the one string that Twilio keeps."""
    return json.dumps(attributes, ensure_ascii=False)


def fits(attributes: Mapping[str, Any], most: int) -> bool:
    return len(as_json(attributes).encode(errors="surrogatepass")) <= most


def with_room_for(
    there: Mapping[str, Any], more: Mapping[str, Any], most: int
) -> dict[str, Any]:
    """`more`, the most important first, as far as all stays below `most` bytes; what is there already wins."""
    found = dict(there)
    for name, value in more.items():
        wanted = {name: value} | found
        if value and fits(wanted, most):
            found = wanted
    return found
