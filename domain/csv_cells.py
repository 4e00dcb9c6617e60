"""Keeps a spreadsheet from taking a text in a CSV file for a formula."""

from __future__ import annotations

import re

# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"'*[=@+\-\t\r\n\uff1d\uff20\uff0b\uff0d]")
_SIGNED_NUMBER = re.compile(r"[+-]\d+([.,]\d+)*")


def harmless(text: str) -> str:
    """Return the text, with an apostrophe in front of one that begins as a formula does; signed numbers stay."""
    if _FORMULA.match(text) and not _SIGNED_NUMBER.fullmatch(text):
        return f"'{text}"
    return text
