"""What each operation costs, in calls and documents: the guard against getting slower that needs no clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proof.meter import Counts
from proof.operations import Operations
from proof.population import Size
from tools import cost

READ, QUERY, COUNT, COMMIT = (
    "BatchGetDocuments",
    "RunQuery",
    "RunAggregationQuery",
    "Commit",
)
SMALL, LARGER = Size(workers=10), Size(workers=300, queued=300, log=300)

# Documents read (looked up by name or found), billed, written, deleted; and the calls.
# The pools' workers of this population are in two pools each, so one query asks whether somebody waits in the other.
EXPECTED = {
    "routed, pool by number": Counts(5, 8, 3, 0, {READ: 1, QUERY: 5, COMMIT: 2}),
    "routed, default pool": Counts(4, 8, 3, 0, {READ: 1, QUERY: 5, COMMIT: 2}),
    "routed, custom": Counts(6, 6, 3, 0, {READ: 2, QUERY: 2, COMMIT: 2}),
    "not routed": Counts(4, 5, 1, 0, {READ: 1, QUERY: 2, COMMIT: 1}),
    "queued": Counts(5, 10, 2, 0, {READ: 1, QUERY: 6, COUNT: 1, COMMIT: 1}),
    "pulled": Counts(5, 5, 5, 1, {READ: 2, QUERY: 1, COMMIT: 4}),
    "closed": Counts(3, 3, 2, 0, {READ: 3, COMMIT: 1}),
    "delivered again": Counts(4, 5, 0, 0, {READ: 1, QUERY: 2}),
    "event of our own write": Counts(0, 0, 0, 0, {}),
    "pre-event": Counts(1, 1, 0, 0, {QUERY: 1}),
    "customer introduced": Counts(1, 1, 0, 0, {QUERY: 1}),
    "worker's own arrival": Counts(1, 1, 0, 0, {READ: 1}),
    "customer's message": Counts(1, 1, 1, 0, {READ: 1, COMMIT: 1}),
    "worker's answer": Counts(1, 1, 1, 0, {READ: 1, COMMIT: 1}),
    "message told again": Counts(1, 1, 0, 0, {READ: 1}),
    "event of a claim": Counts(0, 0, 0, 0, {}),
    "event of an assignment, no texts": Counts(1, 1, 0, 0, {READ: 1}),
    "event of a message in hand": Counts(0, 0, 0, 0, {}),
    "event of one who waits, no texts": Counts(1, 1, 0, 0, {READ: 1}),
    # The pool; six records at once, then one once more. Counts: two for the place, who works, how many were assigned.
    "event of one who waits, with a text": Counts(
        9, 13, 3, 0, {READ: 3, COUNT: 4, COMMIT: 2}
    ),
}


@pytest.mark.parametrize("size", [SMALL, LARGER], ids=["few", "many"])
def test_each_operation_costs_exactly_this_however_much_there_is(
    operations: Callable[[Size], Operations], size: Size
) -> None:
    can_be_done = operations(size).all
    for name, expected in EXPECTED.items():
        assert (name, can_be_done[name]()) == (name, expected)
    assert set(can_be_done) - set(EXPECTED) == {
        "sweep, nothing to do"
    }  # tests/performance/test_sweep.py


def test_the_cost_table_is_worked_out_from_these_counts() -> None:
    for name, counted in cost.operations().items():
        expected = EXPECTED[name]
        assert (name, counted) == (
            name,
            {
                "reads": expected.billed,
                "writes": expected.writes,
                "deletes": expected.deletes,
            },
        )
    steps = {step for steps in (*cost.LIVES.values(), cost.MESSAGES) for step in steps}
    assert steps == set(cost.operations())


def test_a_routed_conversation_reads_at_most_six_documents_and_writes_at_most_five() -> (
    None
):
    routing = {
        name: counts
        for name, counts in EXPECTED.items()
        if not name.startswith("event of one who")
    }
    for name, counts in routing.items():
        assert counts.reads <= 6, name
        assert counts.writes <= 5, name
