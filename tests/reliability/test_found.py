"""What the model, the races and the storm have found, each as the shortest script that shows it."""

import time
from collections.abc import Iterator

import pytest

from proof import seam
from tests.reliability.cases import alone, calm, fresh, pick, written
from tests.reliability.model import Model, die
from tests.reliability.network import SWEEP, at_step
from tests.reliability.run import parts
from tests.reliability.world import ANN, BEN, SALES


@pytest.fixture(scope="module", autouse=True)
def _running() -> Iterator[None]:
    with parts() as Model.parts:
        yield


def test_room_that_nobody_told_of_goes_to_who_waits_and_not_to_who_comes() -> None:
    """A raised capacity of a pool is no event; the next arrival finds the room, and must queue behind the others."""
    with fresh() as model:
        calm(written(calm(model), letters=2)).set_pool_capacity(
            pool="default", capacity=2
        )
        calm(written(model, start=2))
        model.check()


def test_one_that_fell_asleep_before_anybody_heard_of_it_is_found() -> None:
    with fresh() as model:
        written(calm(model)).set_state(number=0, state="inactive")
        while model.network.outstanding:
            model.lose(number=0)
        model.check()


@pytest.mark.parametrize(
    "told", [["inactive"], ["inactive", "active"], ["inactive", "closed"]]
)
def test_a_change_of_state_that_was_never_told_is_noticed(told: list[str]) -> None:
    """The last one's events are lost, the earlier ones' arrive."""
    with fresh() as model:
        written(calm(model))
        for state in told:
            calm(model).set_state(number=0, state=state)
        assert model.network.outstanding
        while model.network.outstanding:
            model.lose(number=0)
        model.check()


def test_while_twilio_does_not_tell_who_is_in_it_the_search_does_not_go_on() -> None:
    """Else a conversation whose webhook was lost is out of sight after the overlap of two searches."""
    with fresh() as model:
        written(calm(model))
        while model.network.outstanding:
            model.lose(number=0)
        model.twilio.fail(400, 20001, path="/Participants$")
        for _ in range(4):
            model.pass_time(120)
            model.sweep()
        model.check()


def test_a_repeated_event_does_not_date_the_status_anew() -> None:
    with fresh() as model:
        calm(model).set_status(workers=[ANN], status="Unavailable")
        calm(model)
        before = model.db.document(f"workers/{ANN}").get().to_dict()
        for number in range(len(model.network.arrived)):
            model.deliver_again(number=number)
        assert calm(model).db.document(f"workers/{ANN}").get().to_dict() == before


def test_one_that_wakes_up_while_only_who_was_left_out_is_free_is_queued() -> None:
    """Its claim was never confirmed, so that the first worker, whom Twilio refused, is still left out."""
    with fresh() as model:
        calm(model).set_status(workers=[BEN], status="Available")
        parcel = alone(written(calm(model)), "onConversationAdded")
        model.clean = False
        model.twilio.fail(400, 50214, times=1, path="/Participants$")
        model.network.deliver_interrupted(parcel, at_step(3, die, seam.CALLED))
        (second,) = model.inside(model.sids()[0])
        model.set_state(number=0, state="inactive")
        calm(model).leave(number=0)
        calm(model).set_status(workers=[second], status="Unavailable")
        calm(model).set_state(number=0, state="active")
        began = time.monotonic()
        calm(model)
        assert time.monotonic() - began < 3
        (record,) = (
            one.to_dict() or {} for one in model.db.collection("conversations").stream()
        )
        assert record["state"] == "queued"
        model.check()


def test_a_refusal_after_a_lost_answer_is_not_believed_before_looking() -> None:
    """Twilio has added the worker, the answer is lost, and the second try meets the worker's limit of conversations."""
    with fresh() as model:
        calm(model).set_status(workers=[BEN], status="Available")
        parcel = alone(written(calm(model)), "onConversationAdded")
        model.twilio.fail(
            None, drop_answer=True, times=1, method="POST", path="/Participants$"
        )
        model.twilio.fail(400, 50214, times=1, method="POST", path="/Participants$")
        model.network.deliver(parcel)
        assert len(model.inside(model.sids()[0])) == 1
        model.clean = False
        model.check()


def test_one_who_left_while_being_added_again_is_taken_out_again() -> None:
    """The sweep adds the worker of a claim that was never confirmed, and meanwhile that worker leaves."""
    with fresh() as model:
        calm(model).set_status(workers=[BEN], status="Available")
        parcel = alone(written(calm(model)), "onConversationAdded")
        model.network.deliver_interrupted(parcel, at_step(1, die, seam.CALLED))
        model.clean = model.in_turn = False
        calm(model).pass_time(60)

        def leave() -> None:
            model.leave(number=0)
            calm(model)

        model.network.deliver_interrupted(SWEEP, at_step(1, leave, seam.CALLING))
        assert len(model.inside(model.sids()[0])) == 1
        model.check()


def test_one_who_serves_two_pools_takes_the_oldest_of_both() -> None:
    """Ben's own event is late, and a conversation of one pool arrives while an older one waits in the other."""
    with fresh() as model:
        calm(model).set_status(workers=[ANN], status="Unavailable")
        calm(written(calm(model))).set_status(workers=[BEN], status="Available")
        arrival = pick(written(model, number=SALES, start=1), "onConversationAdded")
        model.network.deliver(arrival)
        model.check()
