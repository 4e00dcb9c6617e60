"""The names of fields as people type them: other spellings are accepted, unknown names are reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from domain.addresses import visible

SETTINGS, POOLS, WORKERS, CUSTOMERS, TEMPLATES = (
    "settings/routing",
    "pools",
    "workers",
    "customers",
    "templates",
)
_SETTINGS = (
    "mode default_pool custom_fallback create_customers own_worker own_worker_wait frontline_status bots time_zone "
    "service_level_seconds crm_open history keep_days opt_out_words problem"
)
_POOLS = (
    "display_name addresses mode strategy capacity priority answer_within unavailable_after overflow overflow_after "
    "hours holidays texts problem"
)
_WORKERS = (
    "status role pools capacity display_name addresses away_until deputy active full last_assigned_at status_since "
    "missed missed_at unavailable_because frontline_available devices key made_by confirmed ended_sessions "
    "signed_out_before frontline_asked ask_frontline_at device_endpoints subject problem"
)
_CUSTOMERS = (
    "display_name priority addresses worker avatar links details language do_not_contact opted_out notes search "
    "sort_name problem"
)
_TEMPLATES = "category content language order content_sid variables whatsapp_approved approval problem"
FIELDS: Mapping[str, tuple[str, ...]] = {
    SETTINGS: tuple(_SETTINGS.split()),
    POOLS: tuple(_POOLS.split()),
    WORKERS: tuple(_WORKERS.split()),
    CUSTOMERS: tuple(_CUSTOMERS.split()),
    TEMPLATES: tuple(_TEMPLATES.split()),
}
# Custom fields are a feature of these records, so only a name close to a known one is reported.
_WITH_OWN_FIELDS = (WORKERS, CUSTOMERS)
_MOST_REPORTED = 5
_LONGEST_NAME = 60
_CLOSE = 0.8
_WITHOUT_SEPARATORS = str.maketrans("", "", " -_")


@dataclass(frozen=True)
class Named:
    """A record's fields by their proper names.

    `renamed`: the names in another spelling, with the proper ones.
    """

    data: Mapping[str, Any]
    renamed: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read(data: Mapping[str, Any], record: str) -> Named:
    """Return the fields of a record of this kind by their proper names.

    `record` is a key of FIELDS. Nothing is copied if all names are proper.
    """
    unknown = data.keys() - _known(record)
    if not unknown:
        return Named(data)
    named, renamed, problems = dict(data), {}, []
    for name in sorted(unknown):
        meant = _by_key(record).get(key_of(name))
        if meant is not None and meant not in named:
            named[meant] = named.pop(name)
            renamed[name] = meant
        elif (sentence := _unknown(name, meant, record)) is not None:
            problems.append(sentence)
    return Named(named, renamed, tuple(problems[:_MOST_REPORTED]))


@lru_cache(maxsize=1000)
def key_of(name: str) -> str:
    """Return the key that all spellings of a name share.

    "Time zone", "time-zone" and "timezone" have the same one.
    """
    return visible(name[:1500]).casefold().translate(_WITHOUT_SEPARATORS)


@lru_cache(maxsize=10)
def _known(record: str) -> frozenset[str]:
    return frozenset(FIELDS[record])


@lru_cache(maxsize=10)
def _by_key(record: str) -> Mapping[str, str]:
    return {key_of(name): name for name in FIELDS[record]}


def _unknown(name: str, meant: str | None, record: str) -> str | None:
    """Return the sentence about an unknown name; None for a custom field."""
    shown = visible(name)[:_LONGEST_NAME] or "(an empty name)"
    if meant is not None:
        return f"{shown} is the same field as {meant}. It is ignored."
    close = get_close_matches(
        key_of(name)[:_LONGEST_NAME], _by_key(record), n=1, cutoff=_CLOSE
    )
    if close:
        return f"{shown} is not a field; did you mean {_by_key(record)[close[0]]}?"
    if record in _WITH_OWN_FIELDS:
        return None
    other = _home_of(key_of(name))
    done = "It is ignored" if other is None else f"It belongs to {other}"
    return f"{shown} is not a field of this record. {done}."


def _home_of(key: str) -> str | None:
    """Return the kind of record that has a field with this key."""
    kinds = (SETTINGS, POOLS, WORKERS, CUSTOMERS)
    return next((kind for kind in kinds if key in _by_key(kind)), None)
