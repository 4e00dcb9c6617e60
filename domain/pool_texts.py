"""A pool's texts to the customer: which one is sent, in which language, and without which sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import channels, languages
from domain.fields import Fields, cut, is_record_name

QUEUED_TEXT, AWAY_TEXT, ASSIGNED_TEXT = KINDS = ("queued", "away", "assigned")
PLACEHOLDERS = ("Name", "Author", "Position", "Wait", "Opens")
# Placeholders that have no value in a text of this kind, whatever the customer:
_WITHOUT_VALUE = {
    QUEUED_TEXT: frozenset({"Author"}),
    AWAY_TEXT: frozenset({"Author"}),
    ASSIGNED_TEXT: frozenset({"Position", "Wait"}),
}
_ANY_LANGUAGE = ("", "default", "*")
_FALLBACK = "en"
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*|" + "|".join(map(re.escape, _ANY_LANGUAGE))
)
_MOST_LANGUAGES = 100
_BRACES = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
# Misspelled placeholders, in the style of other programs: {Name}, [Name], %Name%, <Name>.
_NAMES = "|".join(PLACEHOLDERS)
_MISSPELLED = re.compile(
    rf"(?<!\{{)\{{\s*(?:{_NAMES})\s*\}}(?!\}})|[\[<%]\s*(?:{_NAMES})\s*[\]>%]",
    re.IGNORECASE,
)
_LEFT_OVER = re.compile(r"\{\{|\}\}")
_BY_LOWER_CASE = {name.lower(): name for name in PLACEHOLDERS}
# A sentence ends before a blank, unless the next word goes on in lower case or the last one is an abbreviation.
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’»)]*\s+|(?<=[。！？])|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:approx|ca|circa|c|no|nr|mr|mrs|ms|dr|hr|fr|prof|st|bzw|min|max|std|env|aprox|tel|vs|z\.\s?b|d\.\s?h|e\.g|i\.e)\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Text:
    """One text. `language`: as in the record; None for all languages. `template`: the id of a template that is sent
    instead of `content`."""

    content: str
    language: str | None = None
    template: str | None = None


Texts = Mapping[str, tuple[Text, ...]]
"""Texts by kind; a missing kind is not sent."""


def read(fields: Fields) -> Texts:
    """Read `texts` of a pool's record. Invalid texts are not sent, and are reported."""
    texts_by_kind: dict[str, tuple[Text, ...]] = {}
    for name, value in (fields.mapping("texts") or {}).items():
        kind = str(name).strip().lower()
        texts = _read_kind(fields, str(name), value)
        if texts:
            texts_by_kind[kind] = texts
    return texts_by_kind


def _read_kind(fields: Fields, name: str, value: Any) -> tuple[Text, ...]:
    kind = name.strip().lower()
    if kind not in KINDS:
        fields.complain(
            f"texts: {cut(name)} is none of {', '.join(KINDS)}. It is ignored."
        )
        return ()
    if value is None:
        return ()
    if isinstance(value, str):
        return _read_text(fields, f"texts.{kind}", "", value)
    if not isinstance(value, Mapping):
        fields.complain(
            f"texts.{kind} must be a text, a map from language to text, or {{template: id}}. It is not sent."
        )
        return ()
    by_language = {"": value} if _names_template(value) else value
    texts: list[Text] = []
    for typed, content in list(by_language.items())[:_MOST_LANGUAGES]:
        where = f"texts.{kind}.{cut(str(typed))}"
        texts += _read_text(fields, where, languages.spelled(str(typed)), content)
    return tuple(texts)


def _read_text(
    fields: Fields, where: str, language: str, content: Any
) -> tuple[Text, ...]:
    """Read one text; empty if it is left empty, or invalid, which is reported."""
    is_template = _names_template(content)
    wrong = _wrong_template(content) if is_template else None
    if wrong is None and not _LANGUAGE.fullmatch(language):
        wrong = ": that is no language such as en or de-at."
    if wrong is None and not is_template:
        wrong = _wrong_content(content)
    if wrong is not None:
        fields.complain(f"{where}{wrong} It is not sent.")
        return ()
    spoken = None if language in _ANY_LANGUAGE else language
    if is_template:
        return (Text("", spoken, _template_name(content)),)
    text = (content or "").strip()
    if not text:
        return ()
    _report_gaps(fields, where, text)
    return (Text(text, spoken),)


def _report_gaps(fields: Fields, where: str, text: str) -> None:
    """Report a text of which nothing is left for a customer without a name, or for any customer."""
    kind = where.split(".")[1]
    needed = [names_in(sentence) for sentence in sentences(text)]
    never = _WITHOUT_VALUE[kind]
    if all(names & never for names in needed):
        fields.complain(
            f"{where}: {_shown(never & names_in(text))} has no value in the text {kind}, and each sentence needs it, "
            "so nothing is sent. Write a sentence without it."
        )
    elif all(names & (never | {"Name"}) for names in needed):
        count = "its only sentence needs" if len(needed) == 1 else "each sentence needs"
        fields.complain(
            f"{where}: {count} a name, so a customer whose name is not known gets nothing. "
            "Write a sentence without {{Name}}, too."
        )


def _shown(names: Iterable[str]) -> str:
    return ", ".join("{{" + name + "}}" for name in sorted(names))


def _names_template(value: Any) -> bool:
    """Return whether it is {template: id}."""
    if not isinstance(value, Mapping):
        return False
    return [str(name).strip().lower() for name in value] == ["template"]


def _template_name(value: Mapping[str, Any]) -> str:
    (template,) = value.values()
    return template.strip() if isinstance(template, str) else ""


def _wrong_template(value: Mapping[str, Any]) -> str | None:
    if is_record_name(_template_name(value)):
        return None
    return ": template must be the id of a record in templates."


def _wrong_content(content: Any) -> str | None:
    """Return what is wrong with a text; None for a valid or empty one."""
    if content is None:
        return None
    if not isinstance(content, str):
        return " must be a text."
    if channels.length_of(content) > channels.SHORTEST_TEXT:
        return f" is longer than {channels.SHORTEST_TEXT:,} characters."
    rest = _BRACES.sub(_without_placeholder, content)
    for form in (_BRACES, _MISSPELLED, _LEFT_OVER):
        match = form.search(rest)
        if match:
            names = ", ".join("{{" + name + "}}" for name in PLACEHOLDERS)
            return f" has {cut(match[0])}, which is none of {names}."
    return None


def _without_placeholder(braces: re.Match[str]) -> str:
    return "" if braces[1].lower() in _BY_LOWER_CASE else braces[0]


def templates_in(texts: Texts) -> tuple[str, ...]:
    """Return the ids of the templates that the texts name."""
    names: dict[str, None] = {}
    for texts_of_kind in texts.values():
        names |= dict.fromkeys(text.template for text in texts_of_kind if text.template)
    return tuple(names)


def templates_only(texts: Iterable[Text]) -> tuple[Text, ...]:
    """Return the texts that name a template."""
    return tuple(text for text in texts if text.template)


def chosen(texts: tuple[Text, ...], language: str | None) -> Text | None:
    """Return the text in the customer's language, else the one for all, the English one, or the first by language."""
    by_language = {text.language: text for text in reversed(texts)}
    for preferred in (*languages.fitting(language), None, _FALLBACK):
        if preferred in by_language:
            return by_language[preferred]
    return min(texts, key=lambda text: text.language or "", default=None)


def names_in(content: str) -> frozenset[str]:
    """Return the placeholders in a text, spelled as in PLACEHOLDERS."""
    names = {name.lower() for name in _BRACES.findall(content)}
    return frozenset(_BY_LOWER_CASE[name] for name in names & _BY_LOWER_CASE.keys())


def filled(content: str, values: Mapping[str, str | None]) -> str:
    """Return the text with its placeholders filled, without sentences that lack a value; "" if none is left.

    Values are inserted unchanged: braces in them are no placeholders. The text is cut to Twilio's limit.
    """
    complete = "".join(
        sentence
        for sentence in sentences(content)
        if all(values.get(name) for name in names_in(sentence))
    )
    text = _BRACES.sub(
        lambda braces: values[_BY_LOWER_CASE[braces[1].lower()]] or "", complete
    )
    return channels.cut_to(text.strip(), channels.SHORTEST_TEXT)


def sentences(content: str) -> list[str]:
    """Split a text into sentences, each with the blanks that follow it."""
    parts, start = [], 0
    for end in _SENTENCE_END.finditer(content):
        if not _goes_on(content[start : end.start()], end[0], content[end.end() :]):
            parts.append(content[start : end.end()])
            start = end.end()
    return [*parts, content[start:]]


def _goes_on(before: str, end: str, after: str) -> bool:
    """Return whether a sentence goes on after a full stop: before lower case, or after an abbreviation."""
    if "\n" in end:
        return False
    return after[:1].islower() or _ABBREVIATION.search(before) is not None
