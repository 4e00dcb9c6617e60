"""The workers that the doctor lists: unconfirmed ones, and customers' workers without a record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from domain.worker import former_name, is_identity, key_of
from tools.checkup import Finding, Place, documents

_SHOWN = 10
_MOST_NAMES = 300  # different names in customers' records


def upgraded(place: Place) -> Iterator[Finding]:
    """Without the mark the workers of an earlier version may be locked out."""
    record = documents(place).call("GET", f"{place.records}/service/upgrade")
    if "workers_done_at" not in (record or {}).get("fields", {}):
        yield Finding(
            False,
            f"the workers of an earlier version were not confirmed; run {place.again}",
        )


def unconfirmed(place: Place) -> Iterator[Finding]:
    query = _where("workers", "confirmed", "EQUAL", {"booleanValue": False}) | {
        "limit": _SHOWN + 1
    }
    names = [_name_of(record) for record in _found(place, query)]
    for name in names[:_SHOWN]:
        yield Finding(
            None,
            f"workers/{ascii(name)[1:-1]} waits for confirmation: set confirmed: true in it, or delete it",
        )
    if len(names) > _SHOWN:
        yield Finding(None, "and more workers wait for confirmation")


def without_record(place: Place) -> Iterator[Finding]:
    """Names in customers.worker that no worker has, former workers among them."""
    missing = 0
    for name in _workers_of_customers(place):
        if not is_identity(name) or _has_record(place, name):
            continue
        missing += 1
        if missing > _SHOWN:
            yield Finding(None, "and more customers name workers without a record")
            return
        former = documents(place).call(
            "GET", f"{place.records}/former_workers/{quote(former_name(name), safe='')}"
        )
        why = "whose record was deleted" if former else "who has no record yet"
        yield Finding(
            None,
            f"customers name the worker {ascii(name)[1:-1]}, {why}: name another one, or make the record",
        )


def _workers_of_customers(place: Place) -> Iterator[str]:
    """Each name once: one small query for each, however many customers there are."""
    last = ""
    for _ in range(_MOST_NAMES):
        query = _where("customers", "worker", "GREATER_THAN", {"stringValue": last}) | {
            "limit": 1
        }
        found = _found(place, query | {"orderBy": [{"field": {"fieldPath": "worker"}}]})
        if not found:
            return
        last = found[0]["fields"]["worker"]["stringValue"]
        yield last.strip()


def _has_record(place: Place, name: str) -> bool:
    if documents(place).call("GET", f"{place.records}/workers/{quote(name, safe='')}"):
        return True
    return bool(
        _found(
            place,
            _where("workers", "key", "EQUAL", {"stringValue": key_of(name)})
            | {"limit": 1},
        )
    )


def _where(
    collection: str, name: str, operator: str, value: dict[str, Any]
) -> dict[str, Any]:
    condition = {"field": {"fieldPath": name}, "op": operator, "value": value}
    return {"from": [{"collectionId": collection}], "where": {"fieldFilter": condition}}


def _found(place: Place, query: dict[str, Any]) -> list[Any]:
    rows = (
        documents(place).call(
            "POST", f"{place.records}:runQuery", {"structuredQuery": query}
        )
        or []
    )
    return [row["document"] for row in rows if "document" in row]


def _name_of(record: Any) -> str:
    return str(record["name"]).rpartition("/")[2]


def workers(place: Place) -> Iterator[Finding]:
    findings = [*upgraded(place), *unconfirmed(place), *without_record(place)]
    yield from findings or [
        Finding(
            True, "every worker is confirmed, and every customer's worker has a record"
        )
    ]
