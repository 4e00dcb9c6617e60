"""Reads what people type into a record: a left-out value has a default, an invalid one counts as the safe value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

from domain import field_names, typed_numbers
from domain.addresses import visible

NO_LIMIT = math.inf
T = TypeVar("T")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_LONGEST_WEB_ADDRESS = 2000
_LARGEST = 2**53
_LONGEST_PROBLEM = 1500
# Characters: the longest e-mail address; Firestore's queries take 1,500 bytes.
LONGEST_ENTRY = 320
_MOST_ENTRIES = 500
_LONGEST_RECORD_NAME = 1500  # bytes
# Seconds: so that it can be subtracted from a time.
_LONGEST_PATIENCE = 10 * 365 * 24 * 3600
# Of a time that can be calculated with in every time zone.
FIRST_YEAR, LAST_YEAR = 1970, 2900
_RESERVED = re.compile(r"\.|\.\.|__|___|__.*__|.*/.*", re.DOTALL)


def is_record_name(text: str) -> bool:
    """Return whether Firestore takes the text as a document's name.

    https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
    """
    is_short = 0 < len(text.encode()) <= _LONGEST_RECORD_NAME
    return is_short and not _RESERVED.fullmatch(text)


def cut(text: str, longest: int = 60) -> str:
    """Return the text, or its beginning with an ellipsis: at most `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_duration(value: Any) -> bool:
    return _is_number(value) and 0 <= value < math.inf


def _is_whole(value: Any) -> bool:
    return _is_number(value) and abs(value) <= _LARGEST and value == int(value)


def _is_entry(value: Any) -> bool:
    """Return whether a list of texts may have this entry."""
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_ENTRY


def _is_list_of_maps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, Mapping) for v in value)


def _is_valid_time(value: Any) -> bool:
    return isinstance(value, datetime) and FIRST_YEAR <= value.year <= LAST_YEAR


class Fields:
    """The fields of one record. `problem` has a sentence for each field that is invalid.

    Each reader returns the default of a field that is left out, and a safe value for an
    invalid one. None of them raises an error, whatever the record holds.
    """

    def __init__(
        self, data: Mapping[str, Any] | None, typed_as: str | None = None
    ) -> None:
        """`typed_as`: the kind of a record that people type, such as field_names.POOLS.

        Its names and numbers are then read in other spellings, too. Without it names and
        values are read exactly as they are, because only the service writes them.
        """
        named = field_names.Named(data or {})
        if typed_as:
            named = field_names.read(data or {}, typed_as)
        self._data: Mapping[str, Any] = named.data
        self._is_typed = typed_as is not None
        self._problems: list[str] = list(named.problems)
        self.renamed = named.renamed
        self.invalid = set[str]()

    @property
    def all(self) -> Mapping[str, Any]:
        """Return all fields by their own names, with their values as stored."""
        return self._data

    def __contains__(self, name: str) -> bool:
        """Return whether the record has this field, in any spelling; null is a value."""
        return name in self._data

    @property
    def problem(self) -> str | None:
        return cut(" ".join(self._problems), _LONGEST_PROBLEM) or None

    def complain(self, sentence: str) -> None:
        """Add a sentence to the record's `problem`."""
        self._problems.append(sentence)

    def plain(self, name: str) -> Any:
        """Return the stored value, for a field that has a reader elsewhere."""
        return self._data.get(name)

    def text(self, name: str, longest: int = 256) -> str | None:
        """Return a string without blanks around it, cut to `longest` characters; None if
        it is left out or empty."""
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            return self._invalid(name, "a text", "ignored", None)
        text = value.strip()
        if len(text) > longest:
            self.complain(
                f"{name} is longer than {longest} characters. The rest is left out."
            )
        return text[:longest].strip() or None

    def web_address(self, name: str) -> str | None:
        """Return an address that begins with http:// or https://.

        Twilio takes at most 2,000 characters.
        """
        value = self._data.get(name)
        if value in (None, ""):
            return None
        is_short_text = isinstance(value, str) and len(value) <= _LONGEST_WEB_ADDRESS
        if is_short_text and _WEB_ADDRESS.fullmatch(value.strip()):
            return str(value.strip())
        example = "a web address such as https://example.com/ada.png"
        return self._invalid(name, example, "left out", None)

    def texts(self, name: str, blanks_matter: bool = True) -> tuple[str, ...]:
        """Return the texts of a list, without blanks around them; at most 500.

        In a record that people type, one text is a list of one. `blanks_matter`: a blank
        around a text is reported, because Firestore's queries do not ignore it.
        """
        value = self._data.get(name)
        if isinstance(value, str) and self._is_typed:
            value = list(filter(str.strip, [value]))
        if value is None:
            return ()
        if not isinstance(value, list):
            return self._invalid(name, "a list of texts", "ignored", ())
        texts: list[str] = list(filter(_is_entry, value))
        if blanks_matter:
            self._report_blanks(name, texts)
        if len(texts) < len(value):
            self.complain(
                f"{name} has an entry that is not a text, is empty or very long. That entry is ignored."
            )
        if len(texts) > _MOST_ENTRIES:
            self.complain(
                f"{name} has more than {_MOST_ENTRIES} entries. The rest is ignored."
            )
        return tuple(map(str.strip, texts[:_MOST_ENTRIES]))

    def _report_blanks(self, name: str, texts: list[str]) -> None:
        for text in texts:
            if text != text.strip():
                self.complain(
                    f"{name} has a blank before or after “{cut(text.strip())}”, so it may not be found."
                )

    def sid(self, name: str, prefix: str) -> str | None:
        """Return a Twilio SID with this prefix, such as CH: it becomes a part of a URL."""
        value = self.text(name)
        if value and not re.fullmatch(prefix + "[0-9a-fA-F]{32}", value):
            return self._invalid(
                name, f"a Twilio SID that begins with {prefix}", "ignored", None
            )
        return value

    def record_name(self, name: str) -> str | None:
        """Return the name of another record, without invisible characters."""
        value = visible(self.text(name, longest=1500) or "") or None
        if value and not is_record_name(value):
            self.complain(
                f"{name} must be a record's name, such as sales, without a slash. It is ignored."
            )
            return None
        return value

    def record_names(self, name: str) -> tuple[str, ...]:
        """Return the names of other records, without invisible characters."""
        texts = self.texts(name, blanks_matter=False)
        values = tuple(filter(None, map(visible, texts)))
        names = tuple(filter(is_record_name, values))
        if len(names) < len(values):
            self.complain(
                f"{name} has an entry that no record can have as its name. That entry is ignored."
            )
        return names

    def choice(
        self, name: str, choices: tuple[str, ...], default: str | None, safe: str | None
    ) -> str | None:
        """Return one of the choices; `safe` for an invalid value.

        Another case is accepted where all choices are in lower case.
        """
        value = self._data.get(name)
        if value is None:
            return default
        spellings = [value, value.strip().lower()] if isinstance(value, str) else []
        for spelling in spellings:
            if spelling in choices:
                return spelling
        done = f"treated as {safe or 'left out'}"
        return self._invalid(name, "exactly " + " or ".join(choices), done, safe)

    def flag(self, name: str, default: bool, safe: bool | None = None) -> bool:
        """Return true or false: `default` when left out, `safe` for an invalid value.

        Without `safe` an invalid value counts as the default.
        """
        value = self._data.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        safe = default if safe is None else safe
        done = f"treated as {str(safe).lower()}"
        return self._invalid(name, "true or false", done, safe)

    def whole(
        self,
        name: str,
        default: T,
        least: int | None = None,
        or_null: str = "",
        safe: str | None = None,
    ) -> int | T:
        """Return a whole number, from `least` if that is given.

        `or_null`: what an explicit null means, for a field that has one. `safe`: what an
        invalid value is treated as, in words. The console sometimes stores 5 as a double:
        a whole double is a whole number, up to where doubles are exact.
        """
        value = self._data.get(name)
        if value is None:
            return default
        number: Any = value
        if isinstance(value, str) and self._is_typed:
            number = typed_numbers.whole(value)
        if _is_whole(number) and (least is None or number >= least):
            return int(number)
        minimum = "" if least is None else f" from {least}"
        usual = "ignored" if default is None else f"treated as {default}"
        return self._invalid(
            name, f"a whole number{minimum}{or_null}", safe or usual, default
        )

    def seconds(self, name: str) -> float | None:
        """Return a number of seconds from 0, with or without decimals."""
        value = self._data.get(name)
        if value is None or _is_duration(value):
            return cast("float | None", value)
        return self._invalid(name, "a number of seconds", "ignored", None)

    def limit(self, name: str, default: float | None) -> float | None:
        """Return a whole number from 0, or NO_LIMIT for an explicit null; `default` when
        left out or invalid."""
        if self._means_never(name):
            return NO_LIMIT
        return self.whole(name, default, least=0, or_null=", or null for no limit")

    def delay(
        self,
        name: str,
        default: int | None = None,
        safe: int | None = None,
        least: int = 1,
    ) -> int | None:
        """Return the seconds after which something happens: a whole number from `least`,
        or a text such as "5 min".

        None is never, as is an explicit null; `default` when left out, `safe` for an
        invalid value. More than ten years count as ten years.
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
        """Return the number of times after which something happens, from 1.

        None is never, as is an explicit null.
        """
        return None if self._means_never(name) else self._times(name, None, None, 1, "")

    def _means_never(self, name: str) -> bool:
        """Return whether the value is null, or a typed word for it such as "never"."""
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
        """Return a timestamp from 1970 to 2900."""
        value = self._data.get(name)
        if value is None or _is_valid_time(value):
            return cast("datetime | None", value)
        return self._invalid(name, "a timestamp between 1970 and 2900", "ignored", None)

    def objects(self, name: str) -> tuple[Mapping[str, Any], ...]:
        """Return a list of maps, such as a customer's links."""
        value = self._data.get(name)
        if value is None:
            return ()
        if _is_list_of_maps(value):
            return tuple(value)
        return self._invalid(name, "a list of maps", "ignored", ())

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """Return a map, such as a customer's details."""
        value = self._data.get(name)
        if value is None or isinstance(value, Mapping):
            return value
        return self._invalid(name, "a map", "ignored", None)

    def _invalid(self, name: str, expected: str, done: str, value: T) -> T:
        """Report an invalid field, and return the value that it counts as."""
        self.complain(f"{name} must be {expected}. It is {done}.")
        self.invalid.add(name)
        return value
