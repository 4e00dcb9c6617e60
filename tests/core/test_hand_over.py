"""A conversation is handed on: to the queue, to another pool, to a named worker; and closed by its worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from google.cloud.firestore import Client

from assignment import hand_over
from assignment.hand_over import Refused
from proof import invariants, seam
from providers import clock
from tests.core import records
from tests.core.records import active, conversation, is_pending, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.reliability.model import lose_answer
from tests.reliability.network import at_step
from tests.service import Service

ANN, BEN, CAT = (f"{name}@example.com" for name in ("ann", "ben", "cat"))
Act = Callable[[str], None]
HAND_OVERS: dict[str, Act] = {
    "the queue": lambda sid: hand_over.to_queue(sid, ANN),
    "another pool": lambda sid: hand_over.to_pool(sid, ANN, "sales"),
    "a worker": lambda sid: hand_over.to_worker(sid, ANN, BEN),
}


@pytest.fixture
def held(service: Service, db: Client) -> str:
    """One conversation, which Ann holds."""
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    assert workers_in(service.standin, sid) == [ANN]
    return sid


def story(db: Client, sid: str) -> str:
    return " | ".join(
        f"{line['what']}: {line['why']}" for line in conversation(db, sid)["log"]
    )


def breaches(service: Service, db: Client) -> list[object]:
    seen = service.standin.state()["conversations"]
    world = invariants.observe(db, seen, service.standin.requests, now=clock.now())
    return list(invariants.broken(world))


def test_to_the_queue_it_goes_to_the_next_and_not_to_the_same(
    service: Service, db: Client, held: str
) -> None:
    records.worker(db, BEN)
    service.settle()
    hand_over.to_queue(held, ANN)
    service.settle()
    assert workers_in(service.standin, held) == [BEN]
    assert (active(db, ANN), active(db, BEN)) == (0, 1)
    assert f"queued: {ANN} handed it over to default" in story(db, held)


def test_where_nobody_else_is_free_it_waits_without_the_one_who_gave_it_away(
    service: Service, db: Client, held: str
) -> None:
    hand_over.to_queue(held, ANN)
    service.settle()
    assert workers_in(service.standin, held) == []
    assert is_pending(db, held)
    assert (conversation(db, held)["state"], active(db, ANN)) == ("queued", 0)
    sweep(service)
    assert workers_in(service.standin, held) == []
    with later(timedelta(minutes=5)):
        sweep(service)
    assert workers_in(service.standin, held) == [ANN]


def test_to_another_pool(service: Service, db: Client, held: str) -> None:
    records.pool(db, "sales", display_name="Sales")
    records.worker(db, BEN)
    records.worker(db, CAT, pools=["sales"])
    service.settle()
    hand_over.to_pool(held, ANN, "sales")
    service.settle()
    assert workers_in(service.standin, held) == [CAT]
    assert conversation(db, held)["pool"] == "sales"
    assert f"{ANN} handed it over to Sales" in story(db, held)


def test_to_a_named_worker_whatever_their_status_and_the_old_one_leaves_last(
    service: Service, db: Client, held: str
) -> None:
    records.worker(db, BEN, "Unavailable", capacity=0)
    service.settle()
    hand_over.to_worker(held, ANN, "Ben@Example.com ")
    service.settle()
    assert workers_in(service.standin, held) == [BEN]
    assert (active(db, ANN), active(db, BEN)) == (0, 1)
    record = conversation(db, held)
    assert (record["state"], record["worker"], record["others"], record["leaving"]) == (
        "assigned",
        BEN,
        [],
        None,
    )
    changes = [
        one["method"]
        for one in service.standin.requests
        if "Participants" in one["path"]
    ]
    assert changes[-2:] == ["POST", "DELETE"]


def test_the_slot_that_comes_free_by_it_is_used(service: Service, db: Client) -> None:
    records.worker(db, ANN, capacity=1)
    records.worker(db, BEN, "Unavailable")
    service.settle()
    first, second = write(service, "+15550000001"), write(service, "+15550000002")
    hand_over.to_worker(first, ANN, BEN)
    service.settle()
    assert workers_in(service.standin, second) == [ANN]


def test_one_whom_twilio_does_not_add_leaves_it_with_whom_it_was(
    service: Service, db: Client, held: str
) -> None:
    records.worker(db, BEN)
    service.settle()
    for status, code in ((400, 50214), (400, 50417)):
        service.standin.fail(
            status=status, code=code, path="Participants", method="POST", times=1
        )
        with pytest.raises(Refused, match="it stays with you"):
            hand_over.to_worker(held, ANN, BEN)
    service.settle()
    assert workers_in(service.standin, held) == [ANN]
    assert (active(db, ANN), active(db, BEN)) == (1, 0)
    assert "not handed over" in story(db, held)
    service.standin.worker_leave(held, ANN)
    service.settle()
    assert workers_in(service.standin, held) == [BEN]


def test_a_worker_nobody_knows_and_one_who_has_no_say(
    service: Service, db: Client, held: str
) -> None:
    with pytest.raises(Refused, match="No worker is called"):
        hand_over.to_worker(held, ANN, "nobody@example.com")
    for act in (hand_over.to_queue, hand_over.close):
        with pytest.raises(Refused, match="not yours"):
            act(held, BEN)
    assert workers_in(service.standin, held) == [ANN]


def test_one_asleep_is_handed_on_and_stays_asleep(
    service: Service, db: Client, held: str
) -> None:
    records.worker(db, BEN)
    service.standin.set_state(held, "inactive")
    service.settle()
    hand_over.to_worker(held, ANN, BEN)
    assert (conversation(db, held)["state"], conversation(db, held)["worker"]) == (
        "inactive",
        BEN,
    )
    assert workers_in(service.standin, held) == [BEN]
    service.standin.set_state(held, "active")
    service.settle()
    assert (active(db, ANN), active(db, BEN)) == (0, 1)


def test_closed_by_its_worker_it_is_over_at_twilio_and_here(
    service: Service, db: Client, held: str
) -> None:
    hand_over.close(held, ANN)
    hand_over.close(held, ANN)  # tapped twice
    service.settle()
    assert conversation(db, held)["state"] == "closed"
    assert (service.standin.conversation(held) or {})["state"] == "closed"
    assert (active(db, ANN), story(db, held).count("closed:")) == (0, 1)


def test_while_twilio_is_away_nothing_is_closed(
    service: Service, db: Client, held: str
) -> None:
    service.standin.fail(status=503, code=20503, path=held, method="POST")
    with pytest.raises(Refused, match="try again"):
        hand_over.close(held, ANN)
    assert conversation(db, held)["state"] == "assigned"


@pytest.mark.parametrize("to", HAND_OVERS)
def test_handed_over_twice_it_happens_once(
    service: Service, db: Client, held: str, to: str
) -> None:
    records.worker(db, BEN, pools=["sales"])
    service.settle()
    HAND_OVERS[to](held)
    service.settle()
    before = conversation(db, held)
    try:
        HAND_OVERS[to](held)
    except Refused as refused:
        assert str(refused) == "It is not yours any more."
    assert conversation(db, held) == before


@pytest.mark.parametrize(
    ("to", "asleep"), [*((to, False) for to in HAND_OVERS), ("a worker", True)]
)
def test_whoever_dies_on_the_way_the_sweep_finishes_it(
    service: Service, db: Client, to: str, asleep: bool
) -> None:
    """At each point in turn, before and after every commit and every call: one conversation each."""
    records.worker(db, ANN, capacity=None)
    records.worker(db, BEN, pools=["sales"], capacity=None)
    service.settle()
    sids: list[str] = []
    while not sids or _dies(len(sids), lambda: HAND_OVERS[to](sids[-1])):
        sids.append(write(service, f"+1555000000{len(sids):02}"))
        if asleep:
            service.standin.set_state(sids[-1], "inactive")
    assert 6 < len(sids) < 30
    service.settle()
    with later(timedelta(seconds=40)):
        sweep(service)
        sweep(service)
        assert not breaches(service, db)
    for sid in sids:
        inside, record = workers_in(service.standin, sid), conversation(db, sid)
        assert inside in ([ANN], [BEN], []), story(db, sid)
        assert (inside == []) == (record["state"] == "queued"), story(db, sid)
        assert record["leaving"] is None


def _dies(point: int, act: Callable[[], None]) -> bool:
    """Whether the act gets as far as to this point, where the process is gone."""
    try:
        with seam.interrupted_by(at_step(point, _die)):
            act()
    except seam.Crash:
        return True
    return False


@pytest.mark.parametrize("to", HAND_OVERS)
def test_a_commit_whose_answer_is_lost_is_known_as_ones_own(
    service: Service, db: Client, held: str, to: str
) -> None:
    records.worker(db, BEN, pools=["default", "sales"])
    service.settle()
    with seam.interrupted_by(at_step(1, lose_answer, seam.COMMITTED)):
        HAND_OVERS[to](held)
    sweep(service)
    assert workers_in(service.standin, held) == [BEN]
    assert not breaches(service, db)


def _die() -> None:
    raise seam.Crash
