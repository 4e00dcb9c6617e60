"""Text of others on its way to a terminal, which must not obey what stands in a record or a file."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return the text with every control character spelled out, such as \\x1b."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
