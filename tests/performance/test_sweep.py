"""What one sweep costs when there is nothing to mend, and that it is bounded however much there is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proof.meter import Counts
from proof.operations import Operations
from proof.population import Size
from tools import cost

WORKERS = 10
# 100 workers with their counts, 100 queue entries with their conversations, 20 conversations compared with
# Twilio (all of which Twilio does not know here, so that they are closed), and what each part asks for first.
BOUND = 800


def _swept(operations: Callable[[Size], Operations], size: Size) -> Counts:
    return operations(size).all["sweep, nothing to do"]()


def test_with_ten_workers_it_costs_what_the_cost_table_says(
    operations: Callable[[Size], Operations],
) -> None:
    swept = _swept(operations, Size(workers=WORKERS))
    assert (swept.billed, swept.writes) == (cost.others().sweep_reads, 1)


def test_a_hundred_workers_without_a_conversation_cost_little_more(
    operations: Callable[[Size], Operations],
) -> None:
    swept = _swept(operations, Size(workers=100))
    assert (swept.billed, swept.writes) == (cost.others().sweep_reads_of_many, 1)


@pytest.mark.parametrize(
    "size", [Size(300, 300, 300), Size(900, 900, 900)], ids=["much", "more"]
)
def test_one_run_is_bounded_however_much_there_is(
    operations: Callable[[Size], Operations], size: Size
) -> None:
    assert _swept(operations, size).billed <= BOUND
