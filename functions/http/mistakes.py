"""Says what is wrong with a request in a sentence for a worker; pydantic's own messages are for programmers.

https://docs.pydantic.dev/latest/errors/validation_errors/
"""

from __future__ import annotations

from pydantic import ValidationError

# By field and kind of error, where the general sentence does not help.
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
# By kind of error, with placeholders for the field and pydantic's limits.
_OF_KINDS = {
    "missing": "{name} is missing.",
    "string_type": "{name} must be text.",
    "string_too_short": "{name} is empty or too short.",
    "string_too_long": "{name} is longer than {max_length} characters.",
    "string_pattern_mismatch": "{name} contains invalid characters.",
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
    """Return a sentence about the first mistake, with the name of its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    name, kind = ".".join(map(str, first["loc"])), first["type"]
    template = _OF_FIELDS.get((name, kind), _OF_KINDS.get(kind, _OTHERWISE))
    limits = first.get("ctx", {})
    return template.format(**{**limits, "name": name or "The body"})
