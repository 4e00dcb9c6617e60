"""Firestore is away: every caller is told so in time, and nothing is taken for an unexpected error."""

import time
from collections.abc import Callable

import pytest
from google.api_core.exceptions import (
    DeadlineExceeded,
    FailedPrecondition,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
)
from google.cloud.firestore import Client

from local.ports import free_port
from providers import clock, database, workers
from tests.core import forms, records
from tests.reliability.network import Network
from tests.service import Service


@pytest.fixture
def _away(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the database should be; another project, so that no open connection is used."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", f"{service.project}-away")


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize("name", ["routing", "post_event"])
def test_a_webhook_without_a_database_is_answered_503(
    service: Service, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    form = (
        forms.routed(forms.sid())
        if name == "routing"
        else forms.conversation_added(forms.sid())
    )
    with clock.within(2):
        answer = service.post(name, form)
    assert answer.status_code == 503
    lines = capfd.readouterr().out
    assert f"{name} could not reach Firestore" in lines
    assert "unexpected" not in lines


@pytest.mark.usefixtures("_away")
def test_a_commit_ends_with_its_deadline() -> None:
    batch = database.client().batch()
    batch.set(workers.reference("ann@example.com"), {"status": "Available"})
    begun = time.monotonic()
    with (
        clock.within(1.5),
        pytest.raises((ServiceUnavailable, RetryError, DeadlineExceeded)),
    ):
        database.commit(batch)
    assert time.monotonic() - begun < 4


def test_an_event_without_a_database_fails_so_that_it_comes_again(
    service: Service, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(service.apps.client)
    service.triggers.detach(service.project)
    network.start(service.triggers, service.project)
    records.worker(db, "ann@example.com")
    service.triggers.drain(service.project)
    parcel = network.take(0)
    assert parcel is not None
    network.patience = 2
    with monkeypatch.context() as away:
        away.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
        away.setenv("GOOGLE_CLOUD_PROJECT", f"{service.project}-away")
        assert network.deliver(parcel) == 500
    assert network.outstanding == [parcel]
    assert network.deliver(parcel) in (200, 204)
    assert records.read(db, "workers", "ann@example.com")["full"] is False
    network.stop()


_NO_INDEX = (
    "The query requires an index. You can create it here: https://x/indexes?create=1"
)


@pytest.mark.parametrize(
    ("kind", "words", "says"),
    [
        (
            FailedPrecondition,
            f"{_NO_INDEX}\nmore",
            f"was refused by Firestore: {_NO_INDEX}",
        ),
        (
            PermissionDenied,
            "Missing or insufficient permissions.",
            "may not use the database (default): its",
        ),
        (ServiceUnavailable, "away", "could not reach Firestore: ServiceUnavailable."),
    ],
)
def test_what_firestore_refuses_is_told_in_words_that_help(
    kind: Callable[[str], Exception], words: str, says: str
) -> None:
    assert (database.trouble(kind(words)) or "").startswith(says)
    assert database.trouble(ValueError("ours")) is None
