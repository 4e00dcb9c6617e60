"""Two deliveries at once, in every interleaving: one begins and ends between any two steps of the other.

Nothing fails here, so that all must be right without any sweep: above all no wake-up is lost.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.reliability.cases import MOST_POINTS, calm, fresh, pick, pick_two, written
from tests.reliability.model import Model
from tests.reliability.network import Parcel, at_step
from tests.reliability.run import parts
from tests.reliability.world import ANN, BEN, CAT

Prepare = Callable[[Model], tuple[Parcel, Parcel]]


def _arrival_and_available(model: Model) -> tuple[Parcel, Parcel]:
    calm(model).set_status(workers=[ANN], status="Unavailable")
    written(calm(model)).set_status(workers=[BEN], status="Available")
    return pick(model, "onConversationAdded"), pick(model, f"workers/{BEN}")


def _two_arrivals(model: Model) -> tuple[Parcel, Parcel]:
    return pick_two(written(calm(model), letters=2), "onConversationAdded")


def _both_webhooks(model: Model) -> tuple[Parcel, Parcel]:
    written(calm(model))
    return pick(model, "onConversationAdded"), pick(model, "onConversationRoute")


def _arrival_and_closing(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model))).set_state(number=0, state="closed")
    written(model, start=1)
    return pick(model, "onConversationAdded"), pick(model, "onConversationStateUpdated")


def _two_available(model: Model) -> tuple[Parcel, Parcel]:
    calm(model).set_status(workers=[ANN], status="Unavailable")
    calm(written(calm(model))).set_status(workers=[ANN, BEN], status="Available")
    return pick(model, f"workers/{ANN}"), pick(model, f"workers/{BEN}")


def _available_and_closing(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model), letters=2)).set_status(workers=[BEN], status="Available")
    model.set_state(number=1, state="closed")
    return pick(model, f"workers/{BEN}"), pick(model, "onConversationStateUpdated")


def _available_and_unavailable(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model), letters=2)).set_status(workers=[BEN], status="Available")
    model.set_status(workers=[BEN], status="Unavailable")
    return pick_two(model, f"workers/{BEN}")


def _inactive_and_active(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model), letters=2)).set_state(number=0, state="inactive")
    model.pass_time(1)
    model.set_state(number=0, state="active")
    return pick_two(model, "onConversationStateUpdated")


def _inactive_and_arrival(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model))).set_state(number=0, state="inactive")
    written(model, start=1)
    return pick(model, "onConversationStateUpdated"), pick(model, "onConversationAdded")


def _leaving_and_available(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model))).leave(number=0)
    model.set_status(workers=[BEN], status="Available")
    return pick(model, "onParticipantRemoved"), pick(model, f"workers/{BEN}")


def _joining_and_available(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model), letters=2)).join(number=1, worker=CAT)
    model.set_status(workers=[BEN], status="Available")
    return pick(model, "onParticipantAdded"), pick(model, f"workers/{BEN}")


def _raised_capacity_and_arrival(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model))).set_capacity(worker=ANN, capacity=3)
    written(model, start=1)
    return pick(model, f"workers/{ANN}"), pick(model, "onConversationAdded")


def _closing_and_removing(model: Model) -> tuple[Parcel, Parcel]:
    calm(written(calm(model), letters=2)).set_state(number=0, state="closed")
    model.twilio.remove_conversation(model.sids()[0])
    model.gather()
    return pick(model, "onConversationStateUpdated"), pick(
        model, "onConversationRemoved"
    )


PAIRS: dict[str, Prepare] = {
    "a conversation arrives, a worker turns Available": _arrival_and_available,
    "two conversations arrive, one slot is free": _two_arrivals,
    "both webhooks of one conversation": _both_webhooks,
    "a conversation arrives, another one is closed": _arrival_and_closing,
    "two workers turn Available, one conversation waits": _two_available,
    "a worker turns Available, what waits is closed": _available_and_closing,
    "a worker turns Available and Unavailable": _available_and_unavailable,
    "inactive and active again": _inactive_and_active,
    "one falls asleep, another one arrives": _inactive_and_arrival,
    "a worker leaves, another one turns Available": _leaving_and_available,
    "one joins by hand, another one turns Available": _joining_and_available,
    "a capacity is raised, a conversation arrives": _raised_capacity_and_arrival,
    "closed and removed": _closing_and_removing,
}


@dataclass(frozen=True)
class Race:
    prepare: Prepare
    other_way_round: bool


RACES = {
    f"{name}, {way}": Race(prepare, way == "overtaken")
    for name, prepare in PAIRS.items()
    for way in ("overtaking", "overtaken")
}


@pytest.fixture(scope="module", autouse=True)
def _running() -> Iterator[None]:
    with parts() as Model.parts:
        yield


def _passes_by(race: Race, at: int) -> bool:
    """One run, the second delivery coming at this point of the first; whether the first had ended before."""
    met = False

    with fresh() as model:
        first, second = race.prepare(model)
        if race.other_way_round:
            first, second = second, first

        def overtake() -> None:
            nonlocal met
            met = True
            model.network.deliver(second)

        model.in_turn = False
        model.network.deliver_interrupted(first, at_step(at, overtake))
        if not met:
            model.network.deliver(second)
        model.check_without_sweep()
    return not met


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", RACES)
def test_overtaken_between_any_two_steps_all_is_right_without_a_sweep(
    name: str,
) -> None:
    next(at for at in range(1, MOST_POINTS) if _passes_by(RACES[name], at))
