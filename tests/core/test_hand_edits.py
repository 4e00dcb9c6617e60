"""A person edits a conversation's record in the console: another worker is a hand-over, another pool or priority holds
in the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import DELETE_FIELD, Client

from assignment import hand_over
from domain import edits
from domain.conversation import Conversation
from proof import seam
from providers import clock, conversations, workers
from tests.core import records
from tests.core.records import active, conversation, is_pending, workers_in
from tests.core.test_hand_over import breaches, story
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.reliability.network import at_step
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"


@pytest.fixture
def held(service: Service, db: Client) -> str:
    """One conversation, which Ann holds; Ben is full."""
    records.worker(db, ANN)
    records.worker(db, BEN, capacity=0)
    service.settle()
    sid = write(service)
    assert workers_in(service.standin, sid) == [ANN]
    return sid


def edit(service: Service, db: Client, sid: str, **fields: Any) -> None:
    db.document(f"conversations/{sid}").update(fields)
    service.settle()


def counts_are_true() -> bool:
    return all(
        workers.load(one).active == conversations.how_many_held(one)
        for one in (ANN, BEN)
    )


@pytest.mark.parametrize("typed", [BEN, " Ben@Example.com"])
@pytest.mark.parametrize("on_a_bad_day", [False, True])
def test_another_worker_is_handed_the_conversation(
    service: Service, db: Client, held: str, typed: str, on_a_bad_day: bool
) -> None:
    if on_a_bad_day:
        service.triggers.behave(service.project, twice=True, shuffle=4)
    edit(service, db, held, worker=typed)
    assert workers_in(service.standin, held) == [BEN]
    record = conversation(db, held)
    assert (record["state"], record["worker"], record["others"], record["leaving"]) == (
        "assigned",
        BEN,
        [],
        None,
    )
    assert (active(db, ANN), active(db, BEN)) == (0, 1)
    assert f"assigning: to {BEN}: written into the record by hand" in story(db, held)
    changes = [
        one["method"]
        for one in service.standin.requests
        if "Participants" in one["path"]
    ]
    assert changes[-2:] == ["POST", "DELETE"]
    assert not breaches(service, db)


def test_the_slot_that_comes_free_by_it_is_used(service: Service, db: Client) -> None:
    records.worker(db, ANN, capacity=1)
    records.worker(db, BEN, "Unavailable")
    service.settle()
    first, second = write(service, "+15550000001"), write(service, "+15550000002")
    edit(service, db, first, worker=BEN)
    assert workers_in(service.standin, second) == [ANN]
    assert counts_are_true()


@pytest.mark.parametrize("value", [None, DELETE_FIELD, ""])
def test_nobody_is_the_queue(
    service: Service, db: Client, held: str, value: object
) -> None:
    edit(service, db, held, worker=value)
    assert workers_in(service.standin, held) == []
    assert (conversation(db, held)["state"], is_pending(db, held)) == ("queued", True)
    assert f"queued: {ANN} was taken out of the record by hand" in story(db, held)
    assert active(db, ANN) == 0
    with later(timedelta(minutes=6)):
        sweep(service)
    assert workers_in(service.standin, held) == [ANN]


def test_somebody_whom_nobody_knows_changes_nothing_and_is_told(
    service: Service, db: Client, held: str
) -> None:
    edit(service, db, held, worker="nobody@example.com")
    assert (workers_in(service.standin, held), conversation(db, held)["worker"]) == (
        [ANN],
        ANN,
    )
    told = "not handed over: nobody@example.com is neither a worker here nor a user at Twilio: it stays with ann"
    assert told in story(db, held)
    assert (active(db, ANN), counts_are_true()) == (1, True)


@pytest.mark.parametrize("value", [5, "a/b", ["x"]])
def test_nonsense_takes_nobody_out(
    service: Service, db: Client, held: str, value: object
) -> None:
    edit(service, db, held, worker=value)
    sweep(service)
    assert (workers_in(service.standin, held), conversation(db, held)["worker"]) == (
        [ANN],
        ANN,
    )


def test_one_who_waits_is_given_to_whom_the_record_names(
    service: Service, db: Client
) -> None:
    records.worker(db, BEN, "Unavailable")
    service.settle()
    sid = write(service)
    assert is_pending(db, sid)
    edit(service, db, sid, worker=BEN)
    assert (workers_in(service.standin, sid), is_pending(db, sid)) == ([BEN], False)
    assert (conversation(db, sid)["state"], active(db, BEN)) == ("assigned", 1)


def test_one_asleep_goes_over_asleep(service: Service, db: Client, held: str) -> None:
    service.standin.set_state(held, "inactive")
    service.settle()
    edit(service, db, held, worker=BEN)
    assert (workers_in(service.standin, held), conversation(db, held)["state"]) == (
        [BEN],
        "inactive",
    )
    assert counts_are_true()


@pytest.mark.parametrize(
    ("value", "inside"), [(BEN, [BEN]), (None, []), ("nobody@example.com", [ANN])]
)
def test_what_no_event_told_the_sweep_follows(
    service: Service, db: Client, held: str, value: str | None, inside: list[str]
) -> None:
    service.triggers.detach(service.project)
    edit(service, db, held, worker=value)
    records.set_status(db, ANN, "Unavailable")
    sweep(service)
    sweep(service)
    assert workers_in(service.standin, held) == inside
    assert conversation(db, held)["state"] == ("assigned" if inside else "queued")
    assert counts_are_true()


def test_edited_while_its_worker_is_being_added_it_is_followed_all_the_same(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    records.worker(db, BEN, capacity=0)
    service.settle()

    def edited() -> None:
        (one,) = db.collection("conversations").stream()
        one.reference.update({"worker": BEN})

    with seam.interrupted_by(at_step(1, edited, seam.CALLED)):
        sid = write(service)
    with later(timedelta(minutes=1)):
        sweep(service)
        sweep(service)
    assert workers_in(service.standin, sid) == [BEN]
    assert counts_are_true()


@pytest.mark.parametrize("first", [None, "cat@example.com", "nobody@example.com"])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize(("second", "inside"), [(BEN, [BEN]), (ANN, [ANN]), (None, [])])
def test_edited_twice_before_anybody_followed_the_last_edit_holds(
    service: Service,
    db: Client,
    held: str,
    first: str | None,
    is_known: bool,
    second: str | None,
    inside: list[str],
) -> None:
    """Whoever the first edit named was never in it."""
    records.worker(db, "cat@example.com", "Unavailable")
    service.settle()
    stay = conversation(db, held)["participant_sid"] if is_known else None
    service.triggers.detach(service.project)
    records.set_status(db, ANN, "Unavailable")
    edit(service, db, held, worker=second, participant_sid=stay)
    hand_over.edited(held, stay, second, first)
    sweep(service)
    assert workers_in(service.standin, held) == inside
    assert conversation(db, held)["worker"] == (inside[0] if inside else None)
    assert counts_are_true()


@pytest.mark.parametrize("has_left", [False, True])
@pytest.mark.parametrize(
    "meanwhile", ["wakes", "is overdue", "is overdue, with another name"]
)
def test_what_happens_before_an_edit_is_followed_leaves_nobody_in_it_besides(
    service: Service, db: Client, held: str, meanwhile: str, has_left: bool
) -> None:
    """Whom the record names, if anybody, is not who is in it; and whoever takes it next is in it alone: whom a person
    has written into the record while the other one was in it, else who is free."""
    records.worker(db, "cat@example.com", capacity=0)
    next_one = "cat@example.com" if "name" in meanwhile and not has_left else BEN
    records.pool(db, "default", answer_within=60)
    service.settle()
    if meanwhile == "wakes":
        service.standin.set_state(held, "inactive")
        service.settle()
    service.triggers.detach(service.project)
    edit(service, db, held, worker="cat@example.com" if "name" in meanwhile else None)
    records.set_status(db, ANN, "Unavailable")
    if has_left:
        service.standin.worker_leave(held, ANN)
    if meanwhile == "wakes":
        service.standin.set_state(held, "active")
    service.settle()
    db.document(f"workers/{BEN}").update({"capacity": 5, "full": False})
    with later(timedelta(minutes=5)):
        for _ in range(4):
            sweep(service)
        assert workers_in(service.standin, held) == [next_one]
        assert (conversation(db, held)["state"], conversation(db, held)["worker"]) == (
            "assigned",
            next_one,
        )
        assert not breaches(service, db)


@pytest.mark.parametrize("twilio_is_away", [False, True])
def test_whose_name_was_taken_out_while_asleep_is_followed_when_it_wakes_up(
    service: Service, db: Client, held: str, twilio_is_away: bool
) -> None:
    """No event has told of the edit, and nobody waits for the turn of those asleep; while Twilio is away, the sweep."""
    service.standin.set_state(held, "inactive")
    service.settle()
    service.triggers.detach(service.project)
    edit(service, db, held, worker=None)
    db.document(f"workers/{BEN}").update({"capacity": 5, "full": False})
    if twilio_is_away:
        service.standin.fail(503, 20503, path="/Participants$", method="GET")
    service.standin.set_state(held, "active")
    service.settle()
    if twilio_is_away:
        assert conversation(db, held)["state"] == "inactive"
        service.standin.heal()
        sweep(service)
    assert (workers_in(service.standin, held), conversation(db, held)["worker"]) == (
        [BEN],
        BEN,
    )
    assert counts_are_true()


def test_of_an_edit_that_nobody_told_and_a_stay_that_nobody_knows_twilio_is_the_last_word(
    service: Service, db: Client, held: str
) -> None:
    """It cannot be told from somebody who left while another one came in: who is in it has it, and nobody comes too."""
    records.worker(db, "cat@example.com")
    service.settle()
    service.triggers.detach(service.project)
    edit(service, db, held, worker=BEN, participant_sid=None)
    sweep(service)
    sweep(service)
    assert (workers_in(service.standin, held), conversation(db, held)["worker"]) == (
        [ANN],
        ANN,
    )
    assert counts_are_true()


NAMES = [
    (None, BEN),
    (BEN, BEN),
    (" Ben@Example.com", BEN),
    ("nobody@example.com", ANN),
]


@pytest.mark.parametrize(("named", "inside"), NAMES)
@pytest.mark.parametrize("is_in_it", [True, False])
def test_a_name_written_while_its_worker_is_being_added_holds_and_nobody_stays_in_it_besides(
    service: Service, db: Client, is_in_it: bool, named: str | None, inside: str
) -> None:
    """Whether Twilio had added them or not; a name that nobody has leaves it with whom it was promised."""
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(
        None if is_in_it else 503,
        20503,
        drop_answer=is_in_it,
        path="/Participants$",
        method="POST",
    )
    sid = write(service)
    service.standin.heal()
    assert conversation(db, sid)["state"] == "assigning"
    records.set_status(db, ANN, "Unavailable")
    records.worker(db, BEN)
    service.settle()
    edit(service, db, sid, worker=named)
    with later(timedelta(minutes=1)):
        for _ in range(3):
            sweep(service)
        assert workers_in(service.standin, sid) == [inside]
        assert (conversation(db, sid)["state"], conversation(db, sid)["worker"]) == (
            "assigned",
            inside,
        )
        assert counts_are_true()
        assert not breaches(service, db)


def test_a_claim_says_whom_it_is_for_however_long_their_name_is(
    service: Service, db: Client
) -> None:
    """Who is not known again as the claimed one would be taken for an edit."""
    longest = f"{'a' * 244}@example.com"
    records.worker(db, longest)
    service.settle()
    service.standin.fail(503, 20503, path="/Participants$", method="POST")
    sid = write(service)
    service.standin.heal()
    found = conversations.load(sid)
    assert (found.state, found.claimed_for, found.is_claim_edited) == (
        "assigning",
        longest,
        False,
    )


@pytest.mark.parametrize("named", [None, "cat@example.com"])
def test_a_name_written_while_it_is_being_handed_over_takes_out_both_others(
    service: Service, db: Client, held: str, named: str | None
) -> None:
    """Ann hands it to Ben, whom Twilio adds, and its answer is lost; then somebody writes Cat, or nobody."""
    records.worker(db, "cat@example.com")
    records.worker(db, BEN, "Unavailable")
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    service.standin.fail(None, drop_answer=True, path="/Participants$", method="POST")
    with clock.within(2.0):
        hand_over.to_worker(held, ANN, BEN)
    service.standin.heal()
    assert sorted(workers_in(service.standin, held)) == [ANN, BEN]
    edit(service, db, held, worker=named)
    with later(timedelta(minutes=1)):
        for _ in range(3):
            sweep(service)
        assert workers_in(service.standin, held) == ["cat@example.com"]
        assert not breaches(service, db)


def test_counts_that_the_sweep_has_mended_meanwhile_stay_true(
    service: Service, db: Client, held: str
) -> None:
    """The sweep counts by the edited record before anybody follows the edit."""
    service.triggers.detach(service.project)
    edit(service, db, held, worker=BEN)
    db.document(f"workers/{ANN}").update({"active": 0})
    db.document(f"workers/{BEN}").update({"active": 1})
    sweep(service)
    assert workers_in(service.standin, held) == [BEN]
    assert (active(db, ANN), active(db, BEN)) == (0, 1)


def test_another_pool_moves_it_in_the_queue_and_another_priority_holds_there(
    service: Service, db: Client
) -> None:
    records.pool(db, "help", display_name="Support")
    records.worker(db, BEN, pools=["help"])
    service.settle()
    sid = write(service)
    edit(service, db, sid, priority=7)
    assert records.read(db, "pending_conversations", sid)["priority"] == 7
    edit(service, db, sid, pool="help")
    assert workers_in(service.standin, sid) == [BEN]
    assert "moved to Support by hand" in story(db, sid)


def test_an_edit_is_told_from_what_the_service_does() -> None:
    record = Conversation("CH1", "assigned", worker=ANN, participant_sid="MB1")
    by_hand = Conversation("CH1", "assigned", worker=BEN, participant_sid="MB1")
    assert edits.by_hand(record, by_hand) == {"worker"}
    assert not edits.by_hand(Conversation("CH1"), by_hand)
    assert not edits.by_hand(record, Conversation("CH1", "closed", worker=BEN))
    assert edits.of_its_worker(by_hand, {ANN: "MB1"})
    assert not edits.of_its_worker(record, {ANN: "MB1"})
    assert not edits.of_its_worker(by_hand, {ANN: "MB2"})
    assert not edits.of_its_worker(by_hand, {ANN: "MB1", BEN: "MB3"})
