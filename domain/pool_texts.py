"""A pool's own texts to the customer: which one, in which language, and what is left out of it when it is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import channels, languages
from domain.fields import Fields, cut, is_record_name

QUEUED_TEXT, AWAY_TEXT, ASSIGNED_TEXT = KINDS = ("queued", "away", "assigned")
PLACEHOLDERS = ("Name", "Author", "Position", "Wait", "Opens")
_ANY_LANGUAGE = ("", "default", "*")
_FALLBACK = "en"
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*|" + "|".join(map(re.escape, _ANY_LANGUAGE))
)
_MOST_LANGUAGES = 100
_MOST_TOLD = 3
_BRACES = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
# What was meant for a placeholder, as other programs write theirs: {Name}, [Name], %Name%, <Name>.
_NAMES = "|".join(PLACEHOLDERS)
_MEANT = re.compile(
    rf"(?<!\{{)\{{\s*(?:{_NAMES})\s*\}}(?!\}})|[\[<%]\s*(?:{_NAMES})\s*[\]>%]",
    re.IGNORECASE,
)
_LEFT_OVER = re.compile(r"\{\{|\}\}")
_KNOWN = {name.lower(): name for name in PLACEHOLDERS}
# A sentence ends before a blank, unless the next word goes on in lower case or the last one is an abbreviation.
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’»)]*\s+|(?<=[。！？])|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:approx|ca|circa|c|no|nr|mr|mrs|ms|dr|hr|fr|prof|st|bzw|min|max|std|env|aprox|tel|vs|z\.\s?b|d\.\s?h|e\.g|i\.e)\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Text:
    """`language`: as it stands in the record; None for one that is for everybody. `template`: the id of the template
    that is sent instead of a content of its own."""

    content: str
    language: str | None = None
    template: str | None = None


Texts = Mapping[str, tuple[Text, ...]]
"""By kind; a kind that is not there is not sent."""


def read(fields: Fields) -> Texts:
    """`texts` of a pool's record. What makes no sense is not sent, and told."""
    found: dict[str, tuple[Text, ...]] = {}
    for name, value in (fields.mapping("texts") or {}).items():
        kind = str(name).strip().lower()
        if kind not in KINDS:
            fields.complain(
                f"texts: {cut(str(name))} is none of {', '.join(KINDS)}; it is ignored."
            )
        elif value is not None and (texts := _read_kind(fields, kind, value)):
            found[kind] = texts
    return found


def _read_kind(fields: Fields, kind: str, value: Any) -> tuple[Text, ...]:
    if not isinstance(value, str | Mapping):
        fields.complain(
            f"texts.{kind} must be a text, a map from language to text, or {{template: id}}; it is not sent."
        )
        return ()
    by_language = (
        {"": value} if isinstance(value, str) or _names_template(value) else value
    )
    found = []
    for typed, content in list(by_language.items())[:_MOST_LANGUAGES]:
        language = languages.spelled(str(typed))
        where = f"texts.{kind}" + (
            f".{cut(str(typed))}" if isinstance(value, Mapping) else ""
        )
        if _names_template(content):
            found += _read_template(fields, where, language, content)
        elif not _LANGUAGE.fullmatch(language):
            fields.complain(
                f"{where}: that is no language such as en or de-at; it is not sent."
            )
        elif (wrong := _what_is_wrong(content)) is not None:
            fields.complain(f"{where} {wrong} it is not sent.")
        elif isinstance(content, str) and content.strip():
            found.append(
                Text(content.strip(), None if language in _ANY_LANGUAGE else language)
            )
    return tuple(found)


def _names_template(value: Any) -> bool:
    """Whether it is {template: id}."""
    return isinstance(value, Mapping) and [
        str(name).strip().lower() for name in value
    ] == ["template"]


def _read_template(
    fields: Fields, where: str, language: str, value: Mapping[str, Any]
) -> list[Text]:
    (template,) = value.values()
    name = template.strip() if isinstance(template, str) else ""
    if not is_record_name(name):
        fields.complain(
            f"{where}: template must be the id of a record in templates; it is not sent."
        )
        return []
    if not _LANGUAGE.fullmatch(language):
        fields.complain(
            f"{where}: that is no language such as en or de-at; it is not sent."
        )
        return []
    return [Text("", None if language in _ANY_LANGUAGE else language, name)]


def _what_is_wrong(content: Any) -> str | None:
    """None for a text, and for one that is left empty."""
    if content is None:
        return None
    if not isinstance(content, str):
        return "must be a text;"
    if channels.length_of(content) > channels.SHORTEST_TEXT:
        return f"is longer than {channels.SHORTEST_TEXT:,} characters;"
    braces = _BRACES.sub(
        lambda found: "" if found[1].lower() in _KNOWN else found[0], content
    )
    left = [
        found[0]
        for form in (_BRACES, _MEANT, _LEFT_OVER)
        for found in form.finditer(braces)
    ]
    if left:
        return f"has {cut(left[0])}, which is none of {', '.join('{{' + name + '}}' for name in PLACEHOLDERS)};"
    return None


def templates_in(texts: Texts) -> tuple[str, ...]:
    """The ids of the templates that they name."""
    names = (
        text.template for of_kind in texts.values() for text in of_kind if text.template
    )
    return tuple(dict.fromkeys(names))


def templates_only(texts: Iterable[Text]) -> tuple[Text, ...]:
    """Those that name a template."""
    return tuple(text for text in texts if text.template)


def chosen(texts: tuple[Text, ...], language: str | None) -> Text | None:
    """In the customer's language, else one for everybody, else the English one, else the first by language."""
    by_language = {text.language: text for text in reversed(texts)}
    for wanted in (*languages.fitting(language), None, _FALLBACK):
        if wanted in by_language:
            return by_language[wanted]
    return min(texts, key=lambda text: text.language or "", default=None)


def names_in(content: str) -> frozenset[str]:
    """The placeholders that stand in it."""
    return frozenset(
        _KNOWN[name.lower()]
        for name in _BRACES.findall(content)
        if name.lower() in _KNOWN
    )


def filled(content: str, values: Mapping[str, str | None]) -> str:
    """The text with its placeholders filled. A sentence with one that has no value is left out; "" if nothing is left.

    What a value holds is only ever put in as it is. The end of what is longer than Twilio takes is cut.
    """
    kept = [
        part
        for part in sentences(content)
        if all(values.get(name) for name in names_in(part))
    ]
    text = _BRACES.sub(
        lambda found: values[_KNOWN[found[1].lower()]] or "", "".join(kept)
    ).strip()
    return channels.cut_to(text, channels.SHORTEST_TEXT)


def sentences(content: str) -> list[str]:
    """The text in sentences, each with the blanks behind it."""
    found, begins = [], 0
    for end in _SENTENCE_END.finditer(content):
        before, after = content[begins : end.start()], content[end.end() :]
        goes_on = "\n" not in end[0] and (
            after[:1].islower() or _ABBREVIATION.search(before)
        )
        if not goes_on:
            found.append(content[begins : end.end()])
            begins = end.end()
    return [*found, content[begins:]]
