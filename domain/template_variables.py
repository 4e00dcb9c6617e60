"""The variables of an approved WhatsApp template, and their values for one message.

Twilio refuses an empty value, and Meta one with a line break, a tab or a run of blanks:
https://www.twilio.com/docs/api/errors/21656
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import addresses, channels, languages
from domain.fields import Fields, cut

_LONGEST = 1600  # characters of one value: https://www.twilio.com/docs/api/errors/21658
_MOST = 100  # https://www.twilio.com/docs/content/send-templates-created-with-the-content-template-builder
# Words for a customer without a name, by language:
_NAMELESS = {
    "en": "customer",
    "de": "Kundin oder Kunde",
    "fr": "cher client, chère cliente",
    "es": "cliente",
    "it": "cliente",
    "pt": "cliente",
    "nl": "klant",
    "pl": "klient",
}

Variables = Mapping[str, str]
"""Texts with placeholders by the variable's name, which may be any text."""


def read(fields: Fields) -> Variables | None:
    """Read `variables` of a template's record; None if they are invalid, which is reported."""
    value = fields.plain("variables")
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        fields.complain(
            "variables must be a map from names to texts. The template is not shown."
        )
        return None
    if len(value) > _MOST:
        fields.complain(
            f"variables has more than {_MOST} entries. The template is not shown."
        )
        return None
    for name, text in value.items():
        if not isinstance(text, str) or not addresses.visible(text):
            fields.complain(
                f"variables has no text for {cut(str(name))}: write what stands there, such as {{{{Name}}}}. "
                "Until then the template is not shown."
            )
            return None
    return {str(name).strip(): text for name, text in value.items()}


def name_or_word(name: str | None, language: str | None) -> str:
    """Return the customer's name, or the word for a customer without one in this language, else in English."""
    if name:
        return name
    words = map(_NAMELESS.get, languages.fitting(language))
    return next(filter(None, words), _NAMELESS["en"])


def in_one_line(value: str | None) -> str | None:
    """Return a value as WhatsApp takes it; None for one without a visible character."""
    if value is None or not addresses.visible(value):
        return None
    return channels.cut_to(" ".join(value.split()), _LONGEST)


def with_name(values: Mapping[str, Any], *spoken: str | None) -> dict[str, Any]:
    """Return the placeholders' values; a customer without a name gets a word in the first of the languages."""
    language = next(filter(None, spoken), None)
    return {**values, "Name": name_or_word(values.get("Name"), language)}
