"""Each handler that acts: interrupted at every point, delivered twice, delivered when all is done.

A point lies before and after each commit and each call to Twilio (proof/seam.py), so that dying at every
one of them in turn is dying everywhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from proof import seam
from tests.reliability.cases import MOST_POINTS, alone, calm, fresh, written
from tests.reliability.model import Model, die, lose_answer
from tests.reliability.network import SWEEP, Parcel, at_step
from tests.reliability.run import parts
from tests.reliability.world import ANN, BEN, CAT, KEY


@dataclass(frozen=True)
class Case:
    """`prepare` brings the model to where this very parcel is on its way; then what becomes of each conversation."""

    name: str
    prepare: Callable[[Model], Parcel]
    becomes: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def _added(model: Model) -> Parcel:
    return alone(written(calm(model)), "onConversationAdded")


def _routing(model: Model) -> Parcel:
    return alone(written(calm(model)), "onConversationRoute")


def _custom(model: Model) -> Parcel:
    return alone(written(calm(model), number=KEY), "onConversationAdded")


def _nobody_free(model: Model) -> Parcel:
    calm(model).set_status(workers=[ANN], status="Unavailable")
    return alone(written(calm(model)), "onConversationAdded")


def _turned_available(model: Model) -> Parcel:
    calm(written(calm(model), letters=2)).set_status(workers=[BEN], status="Available")
    return alone(model, f"workers/{BEN}")


def _state(state: str, *before: str) -> Callable[[Model], Parcel]:
    def prepare(model: Model) -> Parcel:
        calm(written(calm(model), letters=2))
        for one in (*before, state):
            calm(model).twilio.set_state(model.sids()[0], one)
            model.gather()
        return alone(model, "onConversationStateUpdated")

    return prepare


def _removed(model: Model) -> Parcel:
    calm(written(calm(model), letters=2)).remove(number=0)
    return alone(model, "onConversationRemoved")


def _left(model: Model) -> Parcel:
    calm(model).set_status(workers=[BEN], status="Available")
    calm(written(calm(model))).leave(number=0)
    return alone(model, "onParticipantRemoved")


def _joined(model: Model) -> Parcel:
    calm(written(calm(model), letters=2)).join(number=1, worker=CAT)
    return alone(model, "onParticipantAdded")


def _answered(model: Model) -> Parcel:
    calm(written(calm(model))).answer(number=0)
    return alone(model, "onMessageAdded")


def _half_done(model: Model) -> Parcel:
    """A claim that nobody finishes, and its lease is over."""
    parcel = _added(model)
    model.network.deliver_interrupted(parcel, at_step(1, die, seam.CALLING))
    model.pass_time(60)
    calm(model)
    return SWEEP


CASES = [
    Case("onConversationAdded with a worker free", _added, ("assigned",)),
    Case("the routing callback with a worker free", _routing, ("assigned",)),
    Case(
        "onConversationAdded of a customer with an own worker", _custom, ("assigned",)
    ),
    Case("onConversationAdded with nobody free", _nobody_free, ("queued",)),
    Case("a worker turns Available", _turned_available, ("assigned", "assigned")),
    Case("closed", _state("closed"), ("closed", "assigned")),
    Case("inactive", _state("inactive"), ("inactive", "assigned")),
    Case("active again", _state("active", "inactive"), ("assigned", "assigned")),
    Case("removed", _removed, ("closed", "assigned")),
    Case("the worker leaves", _left, ("assigned",)),
    Case("a worker joins by hand", _joined, ("assigned", "assigned")),
    Case("a worker's answer", _answered, ("assigned",)),
    Case("the sweep", _half_done, ("assigned",)),
]


@pytest.fixture(scope="module", autouse=True)
def _running() -> Iterator[None]:
    with parts() as Model.parts:
        yield


def _states(model: Model) -> tuple[str, ...]:
    """Of the conversations in the order in which they began."""
    found = [
        snapshot.to_dict() or {}
        for snapshot in model.db.collection("conversations").stream()
    ]
    return tuple(
        one["state"] for one in sorted(found, key=lambda one: one["created_at"])
    )


def _everything(model: Model) -> dict[str, Any]:
    """Every record of which anybody could see a change, with its version."""
    names = ("conversations", "pending_conversations", "workers", "customers")
    found = {
        one.reference.path: one.update_time
        for name in names
        for one in model.db.collection(name).stream()
    }
    return found | {
        one["sid"]: sorted(p["sid"] for p in one["participants"])
        for one in _twilio(model)
    }


def _twilio(model: Model) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = model.twilio.state()["conversations"]
    return found


def _posts(model: Model) -> int:
    return sum(one["method"] == "POST" for one in model.twilio.requests)


def _lives(
    case: Case, at: int, interrupted: Callable[[], None], where: str | None = None
) -> bool:
    """One run with one interruption, finished by the next delivery and the sweeps; whether the point was never met."""
    met = []

    def act() -> None:
        met.append(at)
        interrupted()

    with fresh() as model:
        parcel = case.prepare(model)
        model.clean = False
        model.network.deliver_interrupted(parcel, at_step(at, act, where))
        model.network.deliver(parcel)
        model.check()
        assert _states(model) == case.becomes, (
            f"interrupted at point {at}: {_states(model)}"
        )
    return not met


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whoever_dies_at_any_point_the_next_delivery_or_the_sweep_finishes_it(
    case: Case,
) -> None:
    points = next(at for at in range(1, MOST_POINTS) if _lives(case, at, die))
    assert points > 2, "it did not act at all"


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name != "the sweep"], ids=str
)
def test_a_commit_whose_answer_is_lost_is_known_as_ones_own(case: Case) -> None:

    next(
        at
        for at in range(1, MOST_POINTS)
        if _lives(case, at, lose_answer, seam.COMMITTED)
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_delivered_again_when_all_is_done_it_changes_nothing(case: Case) -> None:
    with fresh() as model:
        parcel = case.prepare(model)
        model.network.deliver(parcel)
        calm(model)
        assert _states(model) == case.becomes, "once was not enough"
        if (
            parcel is SWEEP
        ):  # one that notes the texts which the pool has sent meanwhile
            model.network.deliver(parcel)
            calm(model)
        before, posts = _everything(model), _posts(model)
        for _ in range(2):
            model.network.deliver(parcel)
            calm(model)
        assert _everything(model) == before
        assert _posts(model) == posts
