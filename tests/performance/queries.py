"""Which composite index a query needs, by Firestore's rules, and whether the index file has it.

https://firebase.google.com/docs/firestore/query-data/index-overview: equalities alone are served by merging
single-field indexes; an array membership beside another field, a range or an order on another field are not.
Where one index would do after merging two, this asks for one: stricter than Firestore, and never slower.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from google.cloud.firestore_v1.types import StructuredQuery

FILE = Path(__file__).parent.parent.parent / "firestore.indexes.json"
_OPERATOR = StructuredQuery.FieldFilter.Operator
_EQUAL = {_OPERATOR.EQUAL, _OPERATOR.IN}
_ARRAY = {_OPERATOR.ARRAY_CONTAINS, _OPERATOR.ARRAY_CONTAINS_ANY}
_NAME = "__name__"

Ordered = tuple[str, str]  # field, ASCENDING | DESCENDING


@dataclass(frozen=True)
class Shape:
    """What of a query decides about its index."""

    collection: str
    equal: frozenset[str]
    array: frozenset[str]
    ordered: tuple[Ordered, ...]

    @property
    def fields(self) -> frozenset[str]:
        return self.equal | self.array | {name for name, _ in self.ordered}

    @property
    def needs_composite(self) -> bool:
        if len(self.fields) < 2:
            return False
        return bool(self.array or self.ordered)


def shapes(query: Any) -> set[Shape]:
    """The shapes of a structured query: one for each of its alternatives, which Firestore looks up one by one."""
    return {_shape(query, filters) for filters in _alternatives(query.where)}


def shape(query: Any) -> Shape:
    """The shape of a structured query without alternatives."""
    (one,) = shapes(query)
    return one


def _shape(query: Any, filters: Iterable[Any]) -> Shape:
    """A range without an order is ordered by its field."""
    equal, array, ranged = set(), set(), []
    for one in filters:
        name = one.field.field_path
        operator = getattr(one, "op", None)
        if isinstance(one, StructuredQuery.UnaryFilter) or operator in _EQUAL:
            equal.add(name)
        elif operator in _ARRAY:
            array.add(name)
        else:
            ranged.append(name)
    ordered = [
        (o.field.field_path, StructuredQuery.Direction(o.direction).name)
        for o in query.order_by
    ]
    named = {name for name, _ in ordered}
    missing = [
        (name, "ASCENDING") for name in dict.fromkeys(ranged) if name not in named
    ]
    kept = tuple(
        pair for pair in [*ordered, *missing] if pair[0] not in equal | {_NAME}
    )
    return Shape(
        query.from_[0].collection_id, frozenset(equal - {_NAME}), frozenset(array), kept
    )


def _alternatives(where: Any) -> list[list[Any]]:
    """The filters that hold together, for each of the alternatives."""
    if "composite_filter" not in where:
        return [
            [where.field_filter if "field_filter" in where else where.unary_filter]
            if where
            else []
        ]
    parts = [_alternatives(part) for part in where.composite_filter.filters]
    if where.composite_filter.op == StructuredQuery.CompositeFilter.Operator.OR:
        return [one for part in parts for one in part]
    return [[leaf for one in chosen for leaf in one] for chosen in product(*parts)]


def indexes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text())["indexes"]
    return found


def exempted() -> set[tuple[str, str]]:
    """(collection, field) without single-field indexes."""
    overrides = json.loads(FILE.read_text())["fieldOverrides"]
    return {
        (one["collectionGroup"], one["fieldPath"])
        for one in overrides
        if one.get("indexes") == []
    }


def serves(index: dict[str, Any], wanted: Shape) -> bool:
    """Whether this index alone serves it: the equalities in any order, then the order as asked, or reversed."""
    if index["collectionGroup"] != wanted.collection:
        return False
    first, rest = _split(index, len(wanted.equal) + len(wanted.array))
    exact = {name for name, kind in first if kind != "CONTAINS"}
    contained = {name for name, kind in first if kind == "CONTAINS"}
    turned = tuple((name, _opposite(direction)) for name, direction in wanted.ordered)
    return (
        exact == wanted.equal
        and contained == wanted.array
        and rest in (wanted.ordered, turned)
    )


def _split(
    index: dict[str, Any], at: int
) -> tuple[tuple[Ordered, ...], tuple[Ordered, ...]]:
    fields = tuple(
        (f["fieldPath"], f.get("arrayConfig") or f["order"]) for f in index["fields"]
    )
    return fields[:at], fields[at:]


def _opposite(direction: str) -> str:
    return "DESCENDING" if direction == "ASCENDING" else "ASCENDING"
