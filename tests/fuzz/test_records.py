"""No value of any type in any field of any record makes a function fail, stops the sweep, or holds up anybody but the
record's own customer; and what makes no sense in a record that people edit is told there.

FUZZ_EXAMPLES=500 pytest tests/fuzz/test_records.py looks longer; each example is a world with a few odd values.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain import opt_out, text_limits
from domain.sent_texts import record_name
from local.triggers import Triggers
from providers import clock, conversations, customers
from tests.fuzz.fields import EDITED, KEPT, read_by_the_service
from tests.fuzz.odd_values import BRIM, MISSING, Odd, anything, likely
from tests.fuzz.world import (
    ADA,
    ADAS_ADDRESS,
    ANN,
    BEA,
    CALM,
    DEFAULT,
    ODD,
    ZOE,
    World,
    awful,
    world,
)
from tests.service import Apps

_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
_MOST_AT_ONCE = 12
_LONGEST_FAILURE = 6_000  # characters
# Failures that are known and not mended yet: (collection, field, the value's name); None is any.
KNOWN: list[tuple[str, str | None, str | None]] = []

START = datetime(2026, 11, 23, tzinfo=UTC)
_RECORDS = {
    "settings": ("settings/routing",),
    "customers": (f"customers/{ADA}",),
    "pools": (f"pools/{ODD}", f"pools/{DEFAULT}"),
    "workers": (f"workers/{ANN}",),
    "templates": ("templates/hello", "templates/rest"),
    "pending_conversations": ("pending_conversations/queued",),
    "conversations": tuple(
        f"conversations/{name}" for name in ("assigned", "queued", "inactive", "closed")
    ),
    "sent_texts": ("sent_texts/queued",),
    "opt_outs": ("opt_outs/ada",),
    "text_counts": ("text_counts/queued",),
    "service": ("service/sweep",),
}
_LIKELY: dict[str, st.SearchStrategy[Odd]] = {
    "state": likely(
        "unrouted", "queued", "assigning", "assigned", "inactive", "closed"
    ),
    "answer_within": likely(1, 30, 10**15),
    "unavailable_after": likely(1),
    "heard": likely(
        [{"index": 0, "from": "customer", "at": START}],
        [{"index": 41, "from": "worker", "at": START}],
    ),
    "last_message": likely(
        {"index": 2**60, "from": "worker", "at": START, "text": "x"}
    ),
    "awaiting_since": likely(START),
    "opted_out_at": likely(START),
    "opted_out": likely({ADAS_ADDRESS: START}, {ADAS_ADDRESS: "x"}),
    "left_out": likely(True),
    "taken_from": likely(ANN, "nobody@example.com"),
    "read_index": likely(2**53),
    "missed": likely(1, 2**53),
    "missed_at": likely(START),
    "unavailable_because": likely("x"),
    "mode": likely("none", "custom", "pool"),
    "worker": likely(ANN, "nobody@example.com", "a/b"),
    "others": likely([ANN], ["nobody@example.com"], ["a/b"], [".."], ["system"]),
    "excluded_workers": likely([ANN], [ANN, BEA, ZOE]),
    "pool": likely(ODD, "nowhere", ".."),
    "own_worker": likely("wait", "available"),
    "overflow": likely(CALM, "nowhere", ODD),
    "for_worker": likely(ANN, ZOE, "nobody@example.com"),
    "open_to": likely([CALM], ["nowhere"], [ODD, "a/b"]),
    "leaving": likely(ANN, "nobody@example.com"),
    "leaving_sid": likely("MB" + "0" * 32),
    "pools": likely([ODD], ["nowhere"], [ODD, "a/b"], [f"pool{n}" for n in range(40)]),
    "status": likely("Available", "Unavailable", "available"),
    "strategy": likely("least_busy"),
    "starting": likely(True),
    "service_sid": likely("IS" + "0" * 32),
    "participant_sid": likely("MB" + "0" * 32),
    "content": likely(
        "{{customer.a}}", "{{worker.pools}}", "{{customer.problem}}", "{{ Name }}"
    ),
    "time_zone": likely("Pacific/Kiritimati", "Etc/GMT+12", "Europe"),
    "default_pool": likely(ODD, "nowhere"),
}


class Change(NamedTuple):
    path: str
    name: str
    odd: Odd

    @property
    def collection(self) -> str:
        return self.path.partition("/")[0]

    @property
    def is_known(self) -> bool:
        return any(
            self.collection == collection
            and name in (None, self.name)
            and value in (None, self.odd.name)
            for collection, name, value in KNOWN
        )


_FIELDS = [
    (path, name)
    for collection, paths in _RECORDS.items()
    for path in paths
    for name in (*EDITED.get(collection, ()), *KEPT.get(collection, ()))
]


def _change(where: tuple[str, str]) -> st.SearchStrategy[Change]:
    path, name = where
    values = _LIKELY[name] | anything if name in _LIKELY else anything
    return st.builds(Change, st.just(path), st.just(name), values)


here_and_there = st.lists(
    st.sampled_from(_FIELDS)
    .flatmap(_change)
    .filter(lambda change: not change.is_known),
    min_size=_MOST_AT_ONCE // 2,
    max_size=_MOST_AT_ONCE,
    unique_by=lambda change: (change.path, change.name.partition(".")[0]),
)


@st.composite
def one_record_all_of_it(draw: st.DrawFn) -> list[Change]:
    wanted = draw(
        st.sampled_from([path for paths in _RECORDS.values() for path in paths])
    )
    odd = draw(anything.filter(lambda odd: odd is not BRIM))
    everywhere = [Change(path, name, odd) for path, name in _FIELDS if path == wanted]
    return [change for change in everywhere if not change.is_known]


@pytest.mark.parametrize("collection", _RECORDS)
def test_every_field_that_is_read_gets_its_odd_values(collection: str) -> None:
    given_values = {name for path, name in _FIELDS if path.startswith(f"{collection}/")}
    assert read_by_the_service(collection) <= given_values


@pytest.mark.timeout(120 + 20 * _EXAMPLES)
@settings(
    max_examples=_EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(
        Phase.explicit,
        Phase.generate,
    ),  # each try takes seconds: `culprits` is faster than shrinking
    suppress_health_check=list(HealthCheck),
)
@given(
    wanted=here_and_there | here_and_there | one_record_all_of_it(),
    before_any_sweep=st.booleans(),
)
def test_no_value_in_any_field_makes_a_function_fail_or_holds_up_anybody_else(
    apps: Apps,
    triggers: Triggers,
    capsys: pytest.CaptureFixture[str],
    wanted: list[Change],
    before_any_sweep: bool,
) -> None:
    def failures(tried: list[Change]) -> list[str]:
        return found_in_a_world(apps, triggers, capsys, tried, before_any_sweep)

    if failed := failures(wanted):
        alone = {change: failures([change]) for change in wanted if wanted[1:]}
        culprits = {change: found for change, found in alone.items() if found}
        told = f"{failed}\nalone: {culprits}\nof: {wanted}\nbefore any sweep: {before_any_sweep}"
        pytest.fail(told[:_LONGEST_FAILURE], pytrace=False)


def found_in_a_world(
    apps: Apps,
    triggers: Triggers,
    capsys: pytest.CaptureFixture[str],
    wanted: list[Change],
    before_any_sweep: bool,
) -> list[str]:
    """What went wrong in a world with these values."""
    found = []
    with world(apps, triggers) as small:
        capsys.readouterr()
        try:
            live(small, wanted, before_any_sweep)
        except (AssertionError, TimeoutError) as failed:
            found.append(str(failed))
        written = capsys.readouterr()
        found += awful(written.out + written.err)
        found += small.failed_deliveries()
    return found


def live(small: World, wanted: list[Change], before_any_sweep: bool) -> None:
    """What a day brings after somebody has put these values there; whoever is not concerned gets a worker at once."""
    wanted = [
        change
        for change in wanted
        if small.put(_real(small, change.path), change.name, change.odd)
    ]
    small.service.settle()
    small.look()
    small.turns_available(ZOE)
    assert small.state("calm") == "assigned", "who waited in the other pool still waits"
    assert small.state(small.writes(CALM)) == "assigned", (
        "who writes to the other pool has to wait"
    )
    if before_any_sweep:
        small.starts_work(BEA)
    small.sweep()
    clock.shift(60)
    small.sweep()
    if not before_any_sweep:
        small.starts_work(BEA)
    assert small.had_a_worker("waiting"), (
        "who waited behind the odd conversation still waits"
    )
    small.writes(DEFAULT, ADAS_ADDRESS)
    for pool in (ODD, DEFAULT):
        new = small.state(small.writes(pool))
        assert new in ("assigned", "queued", "unrouted"), (
            f"who writes to the pool {pool} is {new}"
        )
    told(small, wanted)
    small.tell_again()
    small.sweep()
    small.look()
    small.end()
    clock.shift(600)
    small.sweep()
    assert small.state(small.writes(CALM)) == "assigned", (
        "who writes to the other pool later has to wait"
    )


def told(small: World, wanted: list[Change]) -> None:
    """Each value that makes no sense in a record that people edit is named in its `problem`, where there is room."""
    full = {change.path for change in wanted if change.odd is BRIM}
    for change in wanted:
        sense = EDITED.get(change.collection, {}).get(change.name)
        if (
            sense is None
            or change.path in full
            or change.name not in read_by_the_service(change.collection)
        ):
            continue
        value = change.odd.make(small.db)
        if change.odd is MISSING or value is None or sense(value):
            continue
        problem: Any = (small.db.document(change.path).get().to_dict() or {}).get(
            "problem"
        )
        assert isinstance(problem, str) and change.name in problem, (
            f"{change} is not told: {problem!r:.200}"
        )


def _real(small: World, path: str) -> str:
    collection, _, name = path.partition("/")
    if collection == "opt_outs":
        return f"{collection}/{opt_out.record_name(ADAS_ADDRESS, customers.key())}"
    if collection in ("sent_texts", "text_counts"):
        conversation = conversations.load(small.sids[name])
        name = record_name(conversation, customers.key())
        if collection == "text_counts":
            name = text_limits.record_name(conversation.pool or "", name)
        return f"{collection}/{name}"
    return f"{collection}/{small.sids.get(name, name)}"
