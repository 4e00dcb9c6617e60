"""The kinds of records that have a form at the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from domain import customer, field_names, settings, template, worker
from functions.desk import supervisors
from functions.http.answers import NotFound
from providers import pool_corrections

if TYPE_CHECKING:
    from providers.database import Snapshot


def _on_nothing(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Snapshot | None:
    return None


def _as_typed(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Kind:
    """A kind of record: its collection; the fields that a form may write; the reader that reports invalid values; the
    names of fields by which other spellings are understood. `nulls`: the fields in which null is a value of its own,
    so that it does not remove the field: a capacity of null is no limit. `normalized` returns the values to store in
    another spelling than the typed one. `depends_on` returns a further record that must not change before a change of
    this one is written, or raises BadInput."""

    collection: str
    fields: frozenset[str]
    parse: Callable[[str, Mapping[str, Any] | None], Any]
    names: str
    nulls: frozenset[str] = frozenset()
    normalized: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = _as_typed
    depends_on: Callable[
        [str, Mapping[str, Any], Mapping[str, Any]], Snapshot | None
    ] = _on_nothing


def _kind(
    collection: str,
    fields: str,
    parse: Callable[[str, Mapping[str, Any] | None], Any],
    names: str,
    nulls: str = "",
    normalized: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = _as_typed,
) -> Kind:
    return Kind(
        collection,
        frozenset(fields.split()),
        parse,
        names,
        frozenset(nulls.split()),
        normalized,
    )


KINDS: Mapping[str, Kind] = {
    "settings": _kind(
        "settings",
        "mode default_pool custom_fallback create_customers own_worker own_worker_wait frontline_status bots time_zone "
        "service_level_seconds crm_open history keep_days opt_out_words",
        settings.parse,
        field_names.SETTINGS,
        nulls="own_worker_wait",
    ),
    "pools": _kind(
        "pools",
        "display_name addresses mode strategy capacity priority answer_within unavailable_after overflow "
        "overflow_after hours holidays texts",
        pool_corrections.checked,
        field_names.POOLS,
        nulls="capacity overflow_after",
        normalized=pool_corrections.normalized,
    ),
    "workers": replace(
        _kind(
            "workers",
            "status role pools capacity display_name addresses away_until deputy confirmed",
            worker.parse,
            field_names.WORKERS,
        ),
        depends_on=supervisors.other_than,
    ),
    "customers": _kind(
        "customers",
        "display_name priority addresses worker avatar links details language do_not_contact opted_out",
        customer.parse,
        field_names.CUSTOMERS,
    ),
    "templates": _kind(
        "templates",
        "category content language order content_sid variables whatsapp_approved",
        template.parse,
        field_names.TEMPLATES,
    ),
}


def kind_of(name: str) -> Kind:
    """Raise NotFound for a collection that has no form."""
    if name not in KINDS:
        raise NotFound("This kind of record has no form.")
    return KINDS[name]
