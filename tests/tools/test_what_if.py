"""What would have been: the replay obeys the product's rules, agrees with queueing theory, and with what really was."""

import math
import random
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.firestore import Client

from domain import transitions
from domain.conversation import Conversation
from domain.pool import Pool
from domain.status_change import StatusChange
from domain.worker import Worker
from providers import clock
from tests.core import records
from tests.core.test_routing import write
from tests.service import Service
from tools import what_if
from tools import what_if_replay as replay
from tools.what_if_log import History, Statuses, history
from tools.what_if_replay import Visit

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
POOL = Pool("sales", "Sales", capacity=1)
POOLS = {"sales": POOL}
ALWAYS = [(0.0, math.inf)]


def worker(name: str, *pools: str) -> Worker:
    return Worker(name, pools=pools or ("sales",), is_complete=True)


def poisson(number: int, rate: float, service: float, seed: int) -> list[Visit]:
    chance, at, visits = random.Random(seed), 0.0, []
    for n in range(number):
        at += chance.expovariate(rate)
        visits.append(Visit(f"CH{n}", 0, "sales", at, chance.expovariate(1 / service)))
    return visits


def erlang_c(servers: int, rate: float, service: float) -> float:
    """The average wait of all, in seconds: https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_C_formula"""
    load = rate * service
    busy = load**servers / math.factorial(servers) * servers / (servers - load)
    waits = busy / (sum(load**k / math.factorial(k) for k in range(servers)) + busy)
    return waits * service / (servers - load)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.1), (5, 3.5)])
def test_waits_are_those_of_queueing_theory_where_it_applies(
    servers: int, load: float
) -> None:
    visits = poisson(40_000, rate=load / 300, service=300, seed=servers)
    workers = [worker(f"w{n}") for n in range(servers)]
    outcomes = replay.run(
        visits, {one.identity: ALWAYS for one in workers}, workers, POOLS
    )
    rate, service = (
        len(visits) / visits[-1].arrived,
        sum(visit.hold for visit in visits) / len(visits),
    )
    expected = erlang_c(servers, rate, service)
    assert replay.figures(outcomes.values(), 60).average == pytest.approx(
        expected, rel=0.1
    )


def test_capacity_strategy_priority_and_overflow_are_the_products_own_rules() -> None:
    def who(
        pool: Pool, visits: list[Visit], *, shifts: replay.Shifts | None = None
    ) -> list[str | None]:
        workers = [worker("ann"), worker("ben"), worker("zoe", "more")]
        pools = {"sales": pool, "more": Pool("more", "More")}
        told = shifts or {"ann": ALWAYS, "ben": ALWAYS}
        return [one.worker for one in replay.run(visits, told, workers, pools).values()]

    def at(*moments: float, hold: float = 100.0) -> list[Visit]:
        return [
            Visit(f"CH{n}", 0, "sales", moment, hold)
            for n, moment in enumerate(moments)
        ]

    assert who(Pool("sales", "Sales", capacity=2), at(1, 2, 3, 4, 5)) == [
        "ann",
        "ben",
        "ann",
        "ben",
        "ann",
    ]
    assert who(Pool("sales", "Sales", capacity=1), at(1, 2, 3, hold=1000)) == [
        "ann",
        "ben",
        "ann",
    ]
    busy = [Visit("CH0", 0, "sales", 1, 500), *at(2, 3, 4, hold=1)[1:]]
    assert who(Pool("sales", "Sales", capacity=2, strategy="least_busy"), busy)[1:] == [
        "ben",
        "ben",
    ]
    first, second = (
        Visit("CH1", 0, "sales", 2, 9),
        Visit("CH2", 0, "sales", 3, 9, priority=5),
    )
    only_ann = {"ann": [(10.0, math.inf)]}
    outcomes = replay.run([first, second], only_ann, [worker("ann")], POOLS)
    assert (outcomes["CH2/0"].waited, outcomes["CH1/0"].waited) == (7, 8 + 9)
    overflowing = Pool("sales", "Sales", overflow="more", overflow_after=60)
    assert who(overflowing, at(1), shifts={"zoe": ALWAYS}) == ["zoe"]
    assert replay.run(
        at(1),
        {"zoe": ALWAYS},
        [worker("zoe", "more")],
        {**POOLS, "more": Pool("more", "M")},
    ) == {"CH0/0": replay.Outcome()}


def told(
    visits: Iterable[Visit], outcomes: dict[str, replay.Outcome]
) -> list[Conversation]:
    """The log that the service would have kept of these."""
    found = []
    for visit in visits:
        outcome, arrived = outcomes[visit.key], START + timedelta(seconds=visit.arrived)
        one = Conversation(visit.sid, mode="pool", pool="sales", created_at=arrived)
        if outcome.waited is None or outcome.worker is None:
            found.append(transitions.queued(one, POOL, arrived, "nobody"))
            continue
        given = arrived + timedelta(seconds=outcome.waited)
        if outcome.waited:
            one = transitions.queued(
                one, POOL, arrived, "no one in Sales is Available; 1 full"
            )
        one = transitions.claimed(
            one, Worker(outcome.worker), "x", given, "is Available"
        )
        one = transitions.confirmed(one, None, given)
        half = timedelta(seconds=visit.hold / 2)  # asleep for an hour in between
        one = transitions.inactive(one, given + half)
        found.append(transitions.closed(one, given + half, "over"))
    return found


def known(
    visits: list[Visit], outcomes: dict[str, replay.Outcome], workers: list[Worker]
) -> History:
    return history(told(visits, outcomes), workers, POOLS, START + timedelta(days=9))


def test_what_is_worked_out_from_the_log_replays_to_what_was() -> None:
    visits = poisson(2_000, rate=1 / 60, service=150, seed=7)
    workers = [worker(name) for name in ("ann", "ben", "cal")]
    days = [(day * 30_000.0 + 500, day * 30_000.0 + 20_000) for day in range(5)]
    shifts = {"ann": ALWAYS, "ben": days, "cal": [(a + 4_000, b) for a, b in days]}
    halved = [
        replace(visit, hold=visit.hold / 2) for visit in visits
    ]  # as long as `told` lets each of them last
    was = replay.run(halved, shifts, workers, POOLS)
    read = known(visits, was, workers)
    again = replay.run(read.visits, read.shifts, read.workers, POOLS)
    waits = [
        (visit.waited, again[visit.key].waited)
        for visit in read.visits
        if visit.waited is not None
    ]
    assert len(waits) == sum(one.waited is not None for one in was.values()) > 1_900
    apart = [abs(a - (b if b is not None else math.inf)) for a, b in waits]
    assert sum(apart) / len(apart) < 2.0
    assert sum(
        visit.worker == again[visit.key].worker for visit in read.visits
    ) > 0.8 * len(visits)


def test_the_command_agrees_with_the_service_and_says_what_a_change_would_do(
    service: Service, db: Client, project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    records.pool(db, "default", capacity=1)
    records.worker(db, "ann@example.com")
    service.settle()
    sids = [write(service, f"+1555000010{n}") for n in range(3)]
    for seconds, sid in enumerate(sids, 1):
        clock.shift(seconds * 60)
        service.standin.set_state(sid, "closed")
        service.settle()
    capsys.readouterr()
    ask = ["--project", project, "--pool", "default", "--set"]
    assert what_if.main([*ask, "capacity=3"]) == 0
    out = capsys.readouterr().out
    assert "3 waits of 3 conversations" in out
    assert "100% go to the same worker" in out
    (average,) = [line for line in out.splitlines() if "average wait" in line]
    was, same, changed = [cell.strip() for cell in average.split("│")[2:5]]
    assert re.search(r"waits are [0-3] s from the real", out), out
    assert was[:5] == same[:5] == "1 min"
    assert changed == "0 s"
    for change, complaint in (
        ("capacity=-1", "capacity"),
        ("strategy=magic", "strategy"),
        ("overflow=x", "no such"),
    ):
        assert what_if.main([*ask, change]) == 2
        assert complaint in capsys.readouterr().err
    with pytest.raises(SystemExit):
        what_if.main([*ask, "colour=red"])
    with pytest.raises(SystemExit):
        what_if.main(["--project", project, "--set", "capacity=3"])


def test_an_empty_log_is_said(
    db: Client, project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert what_if.main(["--project", project]) == 1
    assert "nothing to replay" in capsys.readouterr().err


def changes_of(shifts: dict[str, list[tuple[float, float]]]) -> list[StatusChange]:
    """Return the changes of status that these shifts consist of, oldest first."""
    found = [
        StatusChange(
            name, *sides, datetime.fromtimestamp(moment + START.timestamp(), UTC), name
        )
        for name, spans in shifts.items()
        for span in spans
        for moment, sides in zip(
            span,
            (("Unavailable", "Available"), ("Available", "Unavailable")),
            strict=True,
        )
        if math.isfinite(moment)
    ]
    return sorted(found, key=lambda change: change.at)


def test_stored_changes_of_status_come_closer_than_the_estimate() -> None:
    visits = poisson(600, rate=1 / 400, service=150, seed=3)  # most find a free worker
    workers = [worker(name) for name in ("ann", "ben", "cal")]
    hours = [(hour * 3_600.0, hour * 3_600.0 + 1_500.0) for hour in range(70)]
    shifts = {
        "ann": hours,
        "ben": [(a + 900, b + 900) for a, b in hours],
        "cal": [(a + 2_000, b + 1_800) for a, b in hours],
    }
    halved = [replace(visit, hold=visit.hold / 2) for visit in visits]
    was = replay.run(halved, shifts, workers, POOLS)
    now = START + timedelta(days=9)
    statuses = Statuses(tuple(changes_of(shifts)), START)
    log = list(told(visits, was))

    def alike(read: History) -> float:
        again = replay.run(read.visits, read.shifts, read.workers, POOLS)
        same = sum(one.worker == again[one.key].worker for one in read.visits)
        return same / len(read.visits)

    estimated = alike(history(log, workers, POOLS, now))
    stored = alike(history(log, workers, POOLS, now, statuses))
    assert stored > 0.95
    assert stored > estimated


def test_the_estimate_holds_before_the_oldest_stored_change() -> None:
    visits = poisson(20, rate=1 / 60, service=100, seed=1)
    workers = [worker("ann")]
    was = replay.run(visits, {"ann": ALWAYS}, workers, POOLS)
    log, now = list(told(visits, was)), START + timedelta(days=9)
    middle = START + timedelta(seconds=600)
    change = StatusChange("ann", "Available", "Unavailable", middle, "ann")
    estimated = history(log, workers, POOLS, now).shifts["ann"]
    shifts = history(log, workers, POOLS, now, Statuses((change,), middle)).shifts[
        "ann"
    ]
    assert shifts[0][0] == estimated[0][0] < middle.timestamp()
    assert shifts[-1][1] == middle.timestamp()
