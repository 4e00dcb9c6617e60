"""The service with a meter between it and Firestore."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from google.cloud import firestore

from local.emulator import Emulator
from local.triggers import Triggers
from local.twilio import StandIn
from proof import population
from proof.meter import Meter
from proof.operations import Operations
from proof.population import Size
from tests.service import Apps


@pytest.fixture
def meter(
    emulator: Emulator, project: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Meter]:
    with Meter(emulator.host) as counting:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", counting.host)
        yield counting


@pytest.fixture
def operations(
    apps: Apps,
    triggers: Triggers,
    db: firestore.Client,
    standin: StandIn,
    meter: Meter,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Size], Operations]:
    """Fills the project and hands over what can be done in it."""
    monkeypatch.setenv("WEBHOOK_BASE_URL", "http://functions.test")

    def filled(size: Size) -> Operations:
        population.fill(db, size)
        return Operations(apps.client, triggers, db, standin, meter)

    return filled
