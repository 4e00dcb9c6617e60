"""The simulation agrees with Erlang C where Erlang C applies, and knows what it does not."""

from __future__ import annotations

import pytest

from bench.simulate import Demand, Group, Simulation, erlang_c

THRESHOLD = 60.0


@pytest.mark.parametrize(
    ("per_hour", "minutes", "workers", "capacity"), [(60, 10, 12, 1), (60, 10, 3, 4), (600, 5, 12, 5)]
)
def test_waits_and_service_level_are_those_of_erlang_c(
    per_hour: float, minutes: float, workers: int, capacity: int
) -> None:
    demand = Demand("sales", per_hour, minutes)
    hours = 200_000 / per_hour
    simulated = Simulation([demand], [Group(workers, capacity, ("sales",))], seed=7)
    found = simulated.run(hours, warm_up=hours / 50, threshold=THRESHOLD)["sales"]
    formula = erlang_c(demand, workers * capacity, THRESHOLD)
    assert found.waited == pytest.approx(formula.waited, abs=0.03)
    assert found.within == pytest.approx(formula.within, abs=0.03)
    assert found.mean == pytest.approx(formula.mean, rel=0.15, abs=0.8)
    assert found.p95 == pytest.approx(formula.p95, rel=0.15, abs=3.0)


def test_erlang_c_of_a_textbook() -> None:
    """One slot is the M/M/1 queue: the share who wait is the load, the mean wait load / (rate of service - rate)."""
    found = erlang_c(Demand("sales", 30, 1), 1, THRESHOLD)
    assert found.waited == pytest.approx(0.5)
    assert found.mean == pytest.approx(60)


def test_more_work_than_slots_is_said() -> None:
    with pytest.raises(ValueError, match="grows for ever"):
        erlang_c(Demand("sales", 60, 10), 10, THRESHOLD)


def test_the_same_seed_gives_the_same_figures() -> None:
    demand, groups = Demand("sales", 60, 10), [Group(3, 4, ("sales",))]
    runs = [Simulation([demand], groups, seed).run(50, 1, THRESHOLD) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_workers_of_several_pools_serve_the_one_that_waits_longest() -> None:
    demands = [Demand(name, 60, 10) for name in ("a", "b")]
    apart = Simulation(demands, [Group(3, 4, ("a",)), Group(3, 4, ("b",))], 1).run(300, 5, THRESHOLD)
    shared = Simulation(demands, [Group(6, 4, ("a", "b"))], 1).run(300, 5, THRESHOLD)
    assert shared["a"].mean < apart["a"].mean
    assert shared["a"].mean == pytest.approx(shared["b"].mean, rel=0.2)
