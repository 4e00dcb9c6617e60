"""A CSV file's cells and a customer's record: each can be made from the other without losing anything."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TextIO

from domain import opt_out, phone_numbers, typed_numbers
from domain.customer_record import KEPT
from domain.fields import Fields, cut
from tools import customers_columns
from tools.customers_columns import COLUMNS, ID

_DETAILS = {"details_title": "title", "details_content": "content"}
_BETWEEN_ADDRESSES = re.compile(r"[;|\n]")
_FORMULA = re.compile(
    r"'*[=@+\-\t\r\n\uff1d\uff20\uff0b\uff0d]"
)  # what spreadsheets take a text with such a beginning for
_SIGNED_NUMBER = re.compile(r"[+-]\d+([.,]\d+)*")
_LARGEST_CELL = 2**21  # characters, more than a record holds
_FIRST_TOO_LARGE = 10**15  # larger numbers are exported as JSON
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Mistake:
    line: int
    text: str


@dataclass(frozen=True)
class Row:
    """One customer; a field that is None is to be empty, one that is not there is left alone."""

    line: int
    customer_id: str
    fields: Mapping[str, Any]


@dataclass
class Sheet:
    """What was read, and what could not be."""

    rows: list[Row] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    own_columns: list[str] = field(default_factory=list)


def read(file: TextIO, country: str | None = None) -> Sheet:
    """All rows; `country` is where numbers without a plus belong. Commas or, as in many Excels, semicolons."""
    sheet = Sheet()
    line = 1
    csv.field_size_limit(_LARGEST_CELL)
    try:
        first = file.readline()
        file.seek(0)
        lines = csv.reader(
            file,
            delimiter=";" if ";" in first and "," not in first else ",",
            strict=True,
        )
        header = customers_columns.understood(next(lines, []))
        sheet.mistakes += [
            Mistake(1, text) for text in customers_columns.wrong_in(header)
        ]
        sheet.own_columns = customers_columns.own(header)
        line = lines.line_num + 1
        for cells in [] if sheet.mistakes else lines:
            if any(cell.strip() for cell in cells):
                _take(sheet, line, header, cells, country)
            line = lines.line_num + 1
    except csv.Error as error:
        sheet.mistakes.append(Mistake(line, f"this is no CSV ({error})"))
    except UnicodeDecodeError:
        sheet.mistakes.append(
            Mistake(line, "this is not UTF-8: in Excel save the file as “CSV UTF-8”")
        )
    return sheet


def _take(
    sheet: Sheet,
    line: int,
    header: Sequence[str],
    cells: Sequence[str],
    country: str | None,
) -> None:
    if len(cells) != len(header):
        sheet.mistakes.append(
            Mistake(line, f"{len(cells)} cells, but {len(header)} columns")
        )
        return
    fields: dict[str, Any] = {}
    customer_id = ""
    for column, cell in zip(header, cells, strict=True):
        name, kind = customers_columns.parts(column)
        if name == customers_columns.EXPORTED_ONLY:
            continue
        if not column:
            if cell.strip():
                sheet.mistakes.append(Mistake(line, "a cell stands under no column"))
            continue
        try:
            value = _value(name, kind, cell.strip(), country)
        except ValueError as error:
            sheet.mistakes.append(Mistake(line, f"{column}: {error}"))
            continue
        if column == ID:
            customer_id = value or ""
        elif column in _DETAILS:
            _add_detail(fields, _DETAILS[column], value)
        elif value is not None or fields.get(name) is None:
            fields[name] = value
    sheet.rows.append(Row(line, customer_id, fields))


def _add_detail(fields: dict[str, Any], key: str, value: Any) -> None:
    """Into the map `details`; where a column `details (json)` has given it already, only what is not empty."""
    details = fields.setdefault("details", {})
    if isinstance(details, dict) and (value is not None or key not in details):
        fields["details"] = {**details, key: value}


def _value(name: str, kind: str | None, cell: str, country: str | None) -> Any:
    """The cell's value, None for an empty one; raises ValueError with a sentence."""
    if not cell:
        return None
    if kind == "time":
        return datetime.fromisoformat(cell)
    if kind == "json" or name == "links":
        try:
            return json.loads(cell)
        except ValueError:
            raise ValueError("this is not JSON") from None
    if name == "addresses":
        typed = [
            address.strip()
            for address in _BETWEEN_ADDRESSES.split(cell)
            if address.strip()
        ]
        typed = list(map(_as_it_was, typed))
        return list(
            dict.fromkeys(phone_numbers.normalised(a, country) or a for a in typed)
        )
    if name == "do_not_contact":
        if cell.lower() not in _FLAGS:
            raise ValueError("true or false is wanted")
        return _FLAGS[cell.lower()]
    if name == "priority":
        return _priority(cell)
    return _as_it_was(cell)


def _priority(cell: str) -> int:
    """Return the number in the cell; raises ValueError with a sentence."""
    number = typed_numbers.whole(cell)
    if number is None:
        raise ValueError(f"“{cut(cell)}” is not a whole number, such as 10")
    return number


def _harmless(text: str) -> str:
    """The text as a spreadsheet shows it without working it out; `_as_it_was` takes the sign off again."""
    is_plain = (
        _FORMULA.match(text) is None or _SIGNED_NUMBER.fullmatch(text) is not None
    )
    return text if is_plain else f"'{text}"


def _as_it_was(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write(file: TextIO, records: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
    """Every record as a row; returns how many."""
    rows = [cells_of(customer_id, data) for customer_id, data in records]
    more = sorted({column for row in rows for column in row} - set(COLUMNS))
    writer = csv.DictWriter(file, [*COLUMNS, *more], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return len(rows)


def cells_of(customer_id: str, data: Mapping[str, Any]) -> dict[str, str]:
    """One row. What is no text goes into a column of its own that says so: `age (json)`, `since (time)`.

    Places, references and bytes, and fields with a name that no column can have, are left out.
    """
    row = {ID: _harmless(customer_id)}
    for name, value in data.items():
        if name not in KEPT and customers_columns.can_be(name) and value is not None:
            row |= _cells(name, value)
    return row


def _cells(name: str, value: Any) -> dict[str, str]:
    special = {
        "addresses": _is_plain_list,
        "do_not_contact": _is_flag,
        "priority": _is_whole,
        "links": _is_json,
        "details": _is_card,
    }
    if name in special and special[name](value):
        if name == "details":
            return {
                column: _harmless(value[key])
                for column, key in _DETAILS.items()
                if key in value
            }
        if name == "addresses":
            listed = "; ".join(map(_harmless, value))
            return {name: listed if listed.startswith("'") else _harmless(listed)}
        return {name: json.dumps(value, ensure_ascii=False)}
    if name == customers_columns.EXPORTED_ONLY:
        times = opt_out.times_in(Fields({name: value}), name)
        listed = "; ".join(
            f"{address} {at.isoformat()}" for address, at in sorted(times.items())
        )
        return {name: _harmless(listed)} if listed else {}
    if isinstance(value, datetime):
        return {f"{name} (time)": value.isoformat()}
    is_own = name in (*special, ID, *_DETAILS) or customers_columns.is_like_another(
        name
    )
    if not is_own and _is_plain(value):
        return {name: _harmless(value)}
    return (
        {f"{name} (json)": json.dumps(value, ensure_ascii=False)}
        if _is_json(value)
        else {}
    )


def _is_plain(value: Any) -> bool:
    """Whether it comes back as it was: a cell's blanks at its ends are cut off, and line ends are made one kind."""
    return isinstance(value, str) and value == value.strip() != "" and "\r" not in value


def _is_plain_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(_is_plain(v) and not _BETWEEN_ADDRESSES.search(v) for v in value)
    )


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and abs(value) < _FIRST_TOO_LARGE


def _is_card(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and set(value) <= set(_DETAILS.values())
        and all(map(_is_plain, value.values()))
    )


def _is_json(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError):
        return False
