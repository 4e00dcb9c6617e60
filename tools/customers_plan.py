"""What an import will write, decided before anything is written: new, changed, unchanged, or a mistake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.cloud.firestore import DELETE_FIELD

from domain import addresses, customer_record, phone_numbers
from domain.customer import parse
from domain.fields import is_record_name
from tools.customers_csv import Mistake, Row

Records = Mapping[str, Mapping[str, Any]]


@dataclass
class Plan:
    """`changes` are the fields to write by customer id; empty when there is a mistake."""

    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    new: int = 0
    unchanged: int = 0
    mistakes: list[Mistake] = field(default_factory=list)


def plan(rows: Sequence[Row], existing: Records, key: bytes) -> Plan:
    """`existing` is every customer in the database by id, `key` what ids are made with. Any mistake means that nothing
    is to be written."""
    made = Plan()
    named = [_named(row, made, existing, key) for row in rows]
    wanted = {row.customer_id: row for row in _once(named, made)}
    after = {name: _merged(row, existing.get(name, {})) for name, row in wanted.items()}
    for name, row in wanted.items():
        made.mistakes += [
            Mistake(row.line, text)
            for text in _wrong(name, after[name], existing.get(name))
        ]
    made.mistakes += _shared(wanted, after, existing)
    if made.mistakes:
        return made
    for name, row in wanted.items():
        _add(made, name, row, after[name], existing.get(name))
    return made


def _named(row: Row, made: Plan, existing: Records, key: bytes) -> Row:
    """A row without an id gets the one that its first address always gives, unless another customer has it by now."""
    if row.customer_id and not is_record_name(row.customer_id):
        made.mistakes.append(
            Mistake(row.line, "customer_id: a record cannot be called that")
        )
    if row.customer_id:
        return row
    listed = customer_record.texts(row.fields.get("addresses"))
    if not listed:
        made.mistakes.append(
            Mistake(row.line, "there is neither a customer_id nor an address")
        )
        return row
    return replace(row, customer_id=_name_for(listed[0], existing, key))


def _name_for(address: str, existing: Records, key: bytes) -> str:
    """Return the first free name, or the one with the number: records keep their names, numbers pass on."""
    *names, former = addresses.record_names(address, key)
    same = addresses.key(address)
    theirs = [
        n for n in (former, *names) if same in customer_record.keys_of(existing.get(n))
    ]
    return next(iter(theirs + [n for n in names if n not in existing]), names[-1])


def _once(rows: Sequence[Row], made: Plan) -> list[Row]:
    """The rows by id; a second one with the same id is a mistake."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(row.customer_id, row)
        if known is not row and row.customer_id:
            made.mistakes.append(
                Mistake(row.line, f"the same customer as in line {known.line}")
            )
    return [row for row in first.values() if is_record_name(row.customer_id)]


def _merged(row: Row, before: Mapping[str, Any]) -> dict[str, Any]:
    """The record as it will be. A field without a column is left alone, and so is a part of `details`."""
    fields = dict(row.fields)
    given = fields.get("details")
    if isinstance(given, dict):
        old = before.get("details")
        joined = {**(old if isinstance(old, Mapping) else {}), **given}
        filled = {key: value for key, value in joined.items() if value is not None}
        fields["details"] = filled or (None if given else {})
    return {
        name: value for name, value in {**before, **fields}.items() if value is not None
    }


def _wrong(
    name: str, after: Mapping[str, Any], before: Mapping[str, Any] | None
) -> list[str]:
    """What is wrong in this row alone; what stands in the database like that already may stay."""
    known = set(customer_record.texts((before or {}).get("addresses")))
    listed = customer_record.texts(after.get("addresses"))
    unclear = [
        a for a in listed if phone_numbers.normalised(a) is None and a not in known
    ]
    wrong = [
        f"addresses: {addresses.shown(address)} is not an international number such as +15551234567 "
        "(or name the country of national numbers with --country)"
        for address in unclear
    ]
    if not listed and (before is None or known):
        wrong.append("addresses is empty")
    problem = parse(name, after).problem
    if problem and problem != parse(name, before).problem:
        wrong.append(problem)
    return wrong


def _shared(
    wanted: Mapping[str, Row], after: Records, existing: Records
) -> list[Mistake]:
    """Addresses that would belong to two customers and do not do so already."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name, data in {**existing, **after}.items():
        for same in customer_record.keys_of(data):
            owners[same].append(name)
    mistakes = []
    for same, names in owners.items():
        stood = all(
            same in customer_record.keys_of(existing.get(name)) for name in names
        )
        if len(names) == 1 or stood:
            continue
        for name in sorted(
            set(names) & set(wanted), key=lambda name: wanted[name].line
        )[-1:]:
            address = customer_record.keys_of(after[name])[same]
            other = next(n for n in names if n != name)
            place = (
                f"in line {wanted[other].line}"
                if other in wanted
                else f"of the customer {other} in the database"
            )
            mistakes.append(
                Mistake(wanted[name].line, f"{address} is also an address {place}")
            )
    return mistakes


def _add(
    made: Plan,
    name: str,
    row: Row,
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None,
) -> None:
    """The fields that change, with what the service keeps, so that its trigger finds nothing to do."""
    wanted = {**after, **customer_record.kept(name, after).fields}
    written = {*row.fields, "addresses", "search", "sort_name"}
    old = before or {}
    changes = {
        n: wanted.get(n, DELETE_FIELD)
        for n in sorted(written)
        if wanted.get(n) != old.get(n)
    }
    if before is None:
        made.new += 1
    if changes:
        made.changes[name] = changes
    else:
        made.unchanged += 1
