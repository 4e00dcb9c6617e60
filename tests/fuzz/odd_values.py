"""Whatever Firestore holds in a field: one value of each kind with its edges, named so that a failure can be read."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.cloud.firestore import DELETE_FIELD, Client, GeoPoint
from google.cloud.firestore_v1.vector import Vector
from hypothesis import strategies as st

from tests.fuzz.strategies import stored


@dataclass(frozen=True)
class Odd:
    """A value by its name; `make` is handed the database, for references are to a record of it."""

    name: str
    make: Callable[[Client], Any]

    def __repr__(self) -> str:
        return self.name


def _plain(value: Any, name: str = "") -> Odd:
    return Odd(name or repr(value), lambda _: value)


def _time(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)  # type: ignore[arg-type, misc] # year, month, ...


MISSING = _plain(DELETE_FIELD, "missing")
BRIM = _plain(
    "x" * 1_000_000, "to the brim"
)  # a text that fills the record up to Firestore's limit
NOTHING = [MISSING, _plain(None)]
FLAGS = [_plain(True), _plain(False)]
NUMBERS = [
    *map(_plain, (0, -1, 1, 7, 2.5, -0.0, 3.0, 1e300, -1e300)),
    _plain(2**63 - 1, "2**63 - 1"),
    _plain(-(2**63), "-2**63"),
    _plain(2**53 + 1, "2**53 + 1"),
    _plain(float("nan"), "nan"),
    _plain(float("inf"), "inf"),
    _plain(float("-inf"), "-inf"),
]
TEXTS = [
    *map(
        _plain,
        (
            "",
            " ",
            "\t\n",
            "a/b",
            "/",
            ".",
            "..",
            "__x__",
            "__",
            "null",
            "5",
            "Available ",
            "{{",
        ),
    ),
    *map(
        _plain,
        (
            "{{Name}}",
            "system",
            "whatsapp:",
            "+",
            ":",
            "https://",
            "javascript:alert(1)",
            "<b>",
        ),
    ),
    *map(
        _plain,
        (
            "\x00",
            "\u200b",
            "\u202e\ufeff\U0001f600",
            " sales",
            "sales\u00a0",
            "A\u0301" * 20,
        ),
    ),
    _plain("x" * 2_000, "2,000 x"),
    _plain("é" * 2_000, "2,000 é"),
    _plain("x" * 100_000, "100,000 x"),
    _plain("é " * 50_000, "50,000 é and blanks"),
    _plain("x" * 700_000, "700,000 x"),
    _plain(" ." * 300_000, "300,000 dots"),
    _plain("{{" * 20_000, "20,000 braces"),
    _plain("{{a}}" * 100_000, "100,000 placeholders"),
    _plain("1(" * 50_000, "50,000 digits"),
]
TIMES = [
    _plain(_time(1, 1, 1), "year 1"),
    _plain(_time(9999, 12, 31, 23, 59, 59, 999999), "year 9999"),
    _plain(_time(1970, 1, 1), "1970"),
    _plain(_time(2500, 1, 1), "2500"),
]
OTHERS = [
    _plain(b"", "no bytes"),
    _plain(b"\xff\x00", "bytes"),
    _plain(b"x" * 2_000, "2,000 bytes"),
    Odd("a GeoPoint", lambda _: GeoPoint(90.0, -180.0)),
    Odd("a reference", lambda db: db.document("workers/zoe@example.com")),
    Odd("a deep reference", lambda db: db.document("a/b/c/d")),
    Odd("a vector", lambda _: Vector([1.0, -0.0])),
]
LISTS = [
    _plain([]),
    _plain([None]),
    _plain([5, True]),
    _plain([""]),
    _plain(["a/b", "..", "__x__", "\x00"]),
    _plain([" sales", "x"]),
    _plain([{}]),
    _plain([{"at": None, "what": 5, "why": []}]),
    _plain([{"a": [{"b": [1, {"c": b"x"}]}]}], "lists in maps in lists"),
    _plain([float("nan"), float("nan")], "[nan, nan]"),
    _plain(["x" * 100_000] * 3, "3 times 100,000 x"),
    _plain([" " + "x " * 300_000], "a blank and 300,000 x"),
    _plain([f"entry {n}" for n in range(3_000)], "3,000 texts"),
    _plain(["a/b"] * 3_000, "3,000 times a/b"),
    Odd(
        "a list of a reference",
        lambda db: [db.document("workers/zoe@example.com"), _time(1, 1, 1)],
    ),
]
MAPS = [
    _plain({}),
    _plain({"a": 1}),
    _plain({"title": 5, "content": ["x"]}),
    _plain({"a.b": {"`": None}, "0": float("nan")}, "a map with odd names"),
    _plain({f"k{n}": n for n in range(2_000)}, "a map of 2,000"),
    Odd("a map of a vector", lambda db: {"v": Vector([0.5]), "r": db.document("a/b")}),
]
ALL = [BRIM, *NOTHING, *FLAGS, *NUMBERS, *TEXTS, *TIMES, *OTHERS, *LISTS, *MAPS]


def _storable(value: object) -> bool:
    """Whether Firestore takes it: it has no maps with nameless fields, and no list directly in a list."""
    if isinstance(value, dict):
        return all(
            name.strip("_") and _storable(inner) for name, inner in value.items()
        )
    if isinstance(value, list):
        return all(_storable(inner) and not isinstance(inner, list) for inner in value)
    return True


def likely(*values: Any) -> st.SearchStrategy[Odd]:
    """What somebody may well type into this field, which another part of the record need not agree with."""
    return st.sampled_from([_plain(value) for value in values])


anything = st.sampled_from(ALL) | stored.filter(_storable).map(_plain)
