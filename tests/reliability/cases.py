"""Small situations for the tests of interruptions: who has written, who is there, what is on its way."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.reliability.model import Model
from tests.reliability.network import Parcel
from tests.reliability.world import CUSTOMERS, RECEPTION

MOST_POINTS = 60  # far more than any handler has


@contextmanager
def fresh() -> Iterator[Model]:
    """A model that is put away in the end, whatever happens."""
    model = Model()
    try:
        yield model
    finally:
        model.dispose()


def calm(model: Model) -> Model:
    """Everything on its way has arrived."""
    model.deliver_the_rest()
    return model


def written(
    model: Model, letters: int = 1, number: str = RECEPTION, start: int = 0
) -> Model:
    """So many customers, from the n-th on, have written."""
    model.write(letters=[(CUSTOMERS[start + n], number) for n in range(letters)])
    return model


def pick(model: Model, about: str) -> Parcel:
    """The latest of this kind on its way; the rest will arrive later."""
    parcel = [p for p in model.network.outstanding if about == p.about][-1]
    model.network.outstanding.remove(parcel)
    return parcel


def pick_two(model: Model, about: str) -> tuple[Parcel, Parcel]:
    """The latest two of this kind, the older one first."""
    second = pick(model, about)
    return pick(model, about), second


def alone(model: Model, about: str) -> Parcel:
    """The latest of this kind; whatever else is on its way is lost."""
    parcel = pick(model, about)
    model.network.outstanding.clear()
    return parcel
