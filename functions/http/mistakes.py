"""What is wrong with a request's body, in sentences for a worker; pydantic's own words are for programmers.

https://docs.pydantic.dev/latest/errors/validation_errors/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

# By field and kind of error, where the general sentence would not help.
_OF_FIELDS = {
    ("channel", "literal_error"): (
        "channel must be sms or whatsapp: a worker can write first by SMS or WhatsApp only, and on any other channel "
        "the customer has to write first."
    ),
    (
        "token",
        "string_pattern_mismatch",
    ): "token must have 8 to 64 letters, digits, hyphens or underscores.",
}
# By kind of error; what stands in brackets is the field, and what pydantic says of the limit.
_OF_KINDS = {
    "missing": "{name} is missing.",
    "string_type": "{name} must be a text.",
    "string_too_short": "{name} is empty or too short.",
    "string_too_long": "{name} is longer than {max_length} characters.",
    "string_pattern_mismatch": "{name} has characters that it cannot have.",
    "literal_error": "{name} must be {expected}.",
    "int_type": "{name} must be a whole number.",
    "int_parsing": "{name} must be a whole number.",
    "int_from_float": "{name} must be a whole number.",
    "greater_than_equal": "{name} must not be less than {ge}.",
    "less_than_equal": "{name} must not be more than {le}.",
    "bool_type": "{name} must be true or false.",
    "bool_parsing": "{name} must be true or false.",
    "model_type": "{name} must be an object.",
    "model_attributes_type": "{name} must be an object.",
    "dict_type": "{name} must be an object.",
}
_OTHERWISE = "{name} is not valid."


def sentence(error: ValidationError) -> str:
    """The first mistake, with the name of its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    name, kind = ".".join(map(str, first["loc"])), first["type"]
    known = _OF_FIELDS.get((name, kind)) or _OF_KINDS.get(kind, _OTHERWISE)
    context: Mapping[str, Any] = first.get("ctx") or {}
    limits = {
        limit: context.get(limit, "")
        for limit in ("max_length", "expected", "ge", "le")
    }
    return known.format(name=name or "The body", **limits)
