"""Reads what a person typed into a record: a left-out value has a default, nonsense the safe one and a problem."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from domain import field_names, typed_numbers
from domain.addresses import visible

NO_LIMIT = math.inf
T = TypeVar("T")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_LONGEST_WEB_ADDRESS = 2000
_LARGEST = 2**53
_LONGEST_PROBLEM = 1500
LONGEST_ENTRY = (
    320  # characters: the longest e-mail address; Firestore's queries take 1,500 bytes
)
_MOST_ENTRIES = 500
_LONGEST_PATIENCE = (
    10 * 365 * 24 * 3600
)  # seconds: so that it can be subtracted from a time
FIRST_YEAR, LAST_YEAR = (
    1970,
    2900,
)  # of a time that can be calculated with in every time zone


def is_record_name(text: str) -> bool:
    """Whether Firestore takes it: https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields"""
    odd = (
        "/" in text
        or text in (".", "..")
        or (text.startswith("__") and text.endswith("__"))
    )
    return bool(text) and len(text.encode()) <= 1500 and not odd


def cut(text: str, longest: int = 60) -> str:
    """The text, or its beginning: what is typed without end must not come back without end."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= _LARGEST and value == int(value)


class Fields:
    """The fields of one record; `problem` says in a sentence per field what could not be understood."""

    def __init__(
        self, data: Mapping[str, Any] | None, typed_as: str | None = None
    ) -> None:
        """`typed_as`: the kind of a record that people type, such as field_names.POOLS. Its names and numbers are then
        read in other spellings, too; what only the service writes is read to the letter."""
        named = (
            field_names.read(data or {}, typed_as)
            if typed_as
            else field_names.Named(data or {})
        )
        self._data: Mapping[str, Any] = named.data
        self._is_typed = typed_as is not None
        self._problems: list[str] = list(named.problems)
        self.renamed = named.renamed
        self.invalid = set[str]()

    @property
    def all(self) -> Mapping[str, Any]:
        """All fields by their own names, as they stand there."""
        return self._data

    def __contains__(self, name: str) -> bool:
        """Whether the record has this field, in any spelling; null is a value."""
        return name in self._data

    @property
    def problem(self) -> str | None:
        return cut(" ".join(self._problems), _LONGEST_PROBLEM) or None

    def complain(self, sentence: str) -> None:
        self._problems.append(sentence)

    def plain(self, name: str) -> Any:
        """As it stands there, for what has a reader of its own."""
        return self._data.get(name)

    def text(self, name: str, longest: int = 256) -> str | None:
        """A string without blanks around it, cut to so many characters; an empty one counts as left out."""
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            return self._nonsense(name, "a text", "ignored", None)
        text = value.strip()
        if len(text) > longest:
            self.complain(
                f"{name} is longer than {longest} characters; the rest is left out."
            )
        return text[:longest].strip() or None

    def web_address(self, name: str) -> str | None:
        """An address of the web; data: and javascript: are none, and Twilio takes no long ones."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        value = (
            value.strip()
            if isinstance(value, str) and len(value) <= _LONGEST_WEB_ADDRESS
            else ""
        )
        if not _WEB_ADDRESS.fullmatch(value):
            return self._nonsense(
                name,
                "a web address such as https://example.com/ada.png",
                "left out",
                None,
            )
        return value

    def texts(self, name: str, blanks_matter: bool = True) -> tuple[str, ...]:
        """The texts of a list. `blanks_matter`: a blank around one keeps it from being found, and is reported."""
        value = self._data.get(name)
        if value is None:
            return ()
        if isinstance(value, str) and self._is_typed:
            value = [value] if value.strip() else []
        if not isinstance(value, list):
            return self._nonsense(name, "a list of texts", "ignored", ())
        texts = [
            one
            for one in value
            if isinstance(one, str) and 0 < len(one.strip()) <= LONGEST_ENTRY
        ]
        for typed in texts:
            if (
                blanks_matter and typed != typed.strip()
            ):  # Firestore's queries compare to the letter
                self.complain(
                    f"{name} has a blank before or after “{cut(typed.strip())}”, so it may not be found."
                )
        if len(texts) < len(value):
            self.complain(
                f"{name} has an entry that is not a text, is empty or very long; that entry is ignored."
            )
        if len(texts) > _MOST_ENTRIES:
            self.complain(
                f"{name} has more than {_MOST_ENTRIES} entries; the rest is ignored."
            )
        return tuple(one.strip() for one in texts[:_MOST_ENTRIES])

    def sid(self, name: str, prefix: str) -> str | None:
        """A Twilio SID: it becomes a part of an address, so nothing else may stand there."""
        value = self.text(name)
        if value and not re.fullmatch(prefix + "[0-9a-fA-F]{32}", value):
            return self._nonsense(
                name, f"a Twilio SID that begins with {prefix}", "ignored", None
            )
        return value

    def record_name(self, name: str) -> str | None:
        """The name of another record, without what nobody sees."""
        value = visible(self.text(name, longest=1500) or "") or None
        if value and not is_record_name(value):
            self.complain(
                f"{name} must be a record's name, such as sales, without a slash; it is ignored."
            )
            return None
        return value

    def record_names(self, name: str) -> tuple[str, ...]:
        """The names of other records, without what nobody sees."""
        values = tuple(
            filter(None, map(visible, self.texts(name, blanks_matter=False)))
        )
        good = tuple(value for value in values if is_record_name(value))
        if len(good) < len(values):
            self.complain(
                f"{name} has an entry that no record can have as its name; that entry is ignored."
            )
        return good

    def choice(
        self, name: str, choices: tuple[str, ...], default: str | None, safe: str | None
    ) -> str | None:
        value = self._data.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value in choices:
            return value
        if isinstance(value, str) and (meant := value.strip().lower()) in choices:
            return meant  # in another case; where the choices have capitals, they are meant to the letter
        return self._nonsense(
            name,
            "exactly " + " or ".join(choices),
            f"treated as {safe or 'left out'}",
            safe,
        )

    def flag(self, name: str, default: bool, safe: bool | None = None) -> bool:
        """`default` when left out; `safe`, which is `default` where none is given, for any other value."""
        value = self._data.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        safe = default if safe is None else safe
        return self._nonsense(
            name, "true or false", f"treated as {str(safe).lower()}", safe
        )

    def whole(
        self,
        name: str,
        default: T,
        least: int | None = None,
        or_null: str = "",
        safe: str | None = None,
    ) -> int | T:
        """A whole number, from `least` if that is given; `or_null`: what an explicit null means, for a field that has
        one; `safe`: what an invalid value is treated as, in words.

        The console stores 5 as a double at times: a whole double is a whole number, up to where doubles count.
        """
        value = self._data.get(name)
        if value is None:
            return default
        number: Any = (
            typed_numbers.whole(value)
            if self._is_typed and isinstance(value, str)
            else value
        )
        if _is_whole(number) and (least is None or number >= least):
            return int(number)
        wanted = (
            "a whole number" + ("" if least is None else f" from {least}") + or_null
        )
        done = safe or ("ignored" if default is None else f"treated as {default}")
        return self._nonsense(name, wanted, done, default)

    def seconds(self, name: str) -> float | None:
        value = self._data.get(name)
        is_number = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
        )
        if value is None or (is_number and value >= 0):
            return value
        return self._nonsense(name, "a number of seconds", "ignored", None)

    def limit(self, name: str, default: float | None) -> float | None:
        """A whole number from 0, or NO_LIMIT for an explicit null; `default` when left out or nonsense."""
        value = self._data.get(name, 0)
        if value is None or (
            isinstance(value, str)
            and self._is_typed
            and typed_numbers.means_none(value)
        ):
            return NO_LIMIT
        return self.whole(name, default, least=0, or_null=", or null for no limit")

    def delay(
        self,
        name: str,
        default: int | None = None,
        safe: int | None = None,
        least: int = 1,
    ) -> int | None:
        """Seconds after which something happens: a whole number from `least`, or a text such as "5 min".

        None is never, as is an explicit null; `default` when left out, `safe` for an invalid value.
        """
        value = self._data.get(name)
        if self._means_never(name):
            return None
        if self._is_typed and isinstance(value, str):
            seconds = typed_numbers.seconds(value)
            if seconds is not None and seconds >= least:
                return min(seconds, _LONGEST_PATIENCE)
        return self._times(
            name, default, safe, least, " of seconds, or a text such as “5 min”"
        )

    def times(self, name: str) -> int | None:
        """A number of times after which something happens, from 1. None is never, as is an explicit null."""
        return None if self._means_never(name) else self._times(name, None, None, 1, "")

    def _means_never(self, name: str) -> bool:
        if name not in self._data:
            return False
        value = self._data[name]
        if isinstance(value, str):
            return self._is_typed and typed_numbers.means_none(value)
        return value is None

    def _times(
        self, name: str, default: int | None, safe: int | None, least: int, unit: str
    ) -> int | None:
        if name not in self._data:
            return default
        done = f"treated as {'null: never' if safe is None else safe}"
        value = self.whole(
            name, safe, least, or_null=f"{unit}, or null for never", safe=done
        )
        return None if value is None else min(value, _LONGEST_PATIENCE)

    def time(self, name: str) -> datetime | None:
        value = self._data.get(name)
        if value is None or (
            isinstance(value, datetime) and FIRST_YEAR <= value.year <= LAST_YEAR
        ):
            return value
        return self._nonsense(name, "a timestamp of this time", "ignored", None)

    def objects(self, name: str) -> tuple[Mapping[str, Any], ...]:
        """A list of maps, such as a customer's links."""
        value = self._data.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(
            isinstance(item, Mapping) for item in value
        ):
            return self._nonsense(name, "a list of maps", "ignored", ())
        return tuple(value)

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        value = self._data.get(name)
        if value is None or isinstance(value, Mapping):
            return value
        return self._nonsense(name, "a map", "ignored", None)

    def _nonsense(self, name: str, wanted: str, done: str, value: T) -> T:
        self.complain(f"{name} must be {wanted}; it is {done}.")
        self.invalid.add(name)
        return value
