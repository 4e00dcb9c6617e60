"""What a pre-event's answer leads to: changes, nothing, or the end of what was asked for."""

import json
from collections.abc import Mapping
from typing import Any

from local.twilio import checks
from local.twilio.deliveries import Delivery
from local.twilio.errors import ApiError
from local.twilio.records import Message


class RejectedError(Exception):
    """A pre-event's answer stopped the command; `str()` says why."""


def changes_wanted(delivery: Delivery) -> dict[str, Any]:
    """The changes that an answered, or unanswered, pre-event asks for."""
    if delivery["error"] == 50076:
        return {}
    status, answer = delivery["status"], delivery["answer"]
    if status is None:
        raise RejectedError(
            f"{delivery['event']}: {delivery['url']} could not be reached"
        )
    if not 200 <= status < 300:
        raise RejectedError(f"{delivery['event']}: the pre-event answered {status}")
    try:
        changes = json.loads(answer) if answer.strip() else {}
    except ValueError:
        raise RejectedError(
            f"{delivery['event']}: the pre-event's answer is not JSON"
        ) from None
    if not isinstance(changes, dict):
        raise RejectedError(
            f"{delivery['event']}: the pre-event's answer is not a JSON object"
        )
    return changes


def name_and_attributes(changes: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What a pre-event may change of a conversation; a value of the wrong form rejects it."""
    name, attributes = changes.get("friendly_name"), changes.get("attributes")
    if not isinstance(name, str | None) or not isinstance(attributes, str | None):
        raise RejectedError(
            "the pre-event's friendly_name and attributes must be strings"
        )
    try:
        checks.friendly_name(name)
        return name, attributes and checks.attributes(
            attributes, checks.CONVERSATION_ATTRIBUTES
        )
    except ApiError as error:
        raise RejectedError(
            f"the pre-event's answer is not valid: {error.message}"
        ) from None


def apply_to_message(message: Message, changes: Mapping[str, Any]) -> None:
    """What a pre-event may change of a message: body, author and attributes."""
    for name in ("body", "author", "attributes"):
        value = changes.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise RejectedError(f"the pre-event's {name} must be a string")
        if name == "attributes":
            try:
                checks.attributes(value, checks.OTHER_ATTRIBUTES)
            except ApiError as error:
                raise RejectedError(
                    f"the pre-event's answer is not valid: {error.message}"
                ) from None
        setattr(message, name, value)
