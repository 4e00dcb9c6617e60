"""JSON that another system or a browser has written: bounded before it is parsed.

A text of a few megabytes such as [{},{},...] becomes hundreds of megabytes of objects, so the number of its values is
counted first, without building any.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_VALUES = 1000  # of what a page sends; its largest form has a few dozen
MOST_ATTRIBUTES = 20_000  # values of Twilio's attributes, which are 16 KB at most
# A whole string, even one without an end, or a sign that begins another value. Possessive, so that no text is slow.
_SIGN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{,]', re.DOTALL)


class TooManyValues(ValueError):
    """The text has more values than its reader needs."""


def parsed(text: str, most: int = MOST_VALUES) -> Any:
    """Return the value of a JSON text.

    Raises ValueError if it is invalid or cannot be stored, TooManyValues if it has more
    than `most` values.
    """
    _refuse_more_than(most, text)
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _refuse_what_cannot_be_stored(value)
    return value


def _refuse_more_than(most: int, text: str) -> None:
    count = 0
    for sign in _SIGN.finditer(text):
        count += text[sign.start()] != '"'
        if count > most:
            raise TooManyValues(f"more than {most} values")


def _refuse_what_cannot_be_stored(value: Any) -> None:
    """Raise ValueError for half of a surrogate pair, and for an infinite number."""
    pending = [value]
    while pending:
        match pending.pop():
            case str() as text:
                text.encode()
            case float() as number if not math.isfinite(number):
                raise ValueError("a number that is not finite")
            case dict() as mapping:
                pending.extend((*mapping.keys(), *mapping.values()))
            case list() as values:
                pending.extend(values)
