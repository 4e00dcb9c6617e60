"""The switch in Frontline's own app: a change there counts, once the sweep has seen it, until something else is set."""

from __future__ import annotations

from google.cloud.firestore import Client

from functions.sweep import frontline_status
from functions.sweep.run import Run
from providers import twilio
from providers.sweeps import Progress
from providers.twilio import Outcome
from tests.core import records
from tests.core.records import conversation, read
from tests.core.test_routing import write
from tests.core.test_sweep import sweep
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"


def status(db: Client, identity: str = ANN) -> str:
    return str(read(db, "workers", identity)["status"])


def turned(service: Service, *, on: bool, identity: str = ANN) -> None:
    """In the app; then a sweep."""
    service.standin.switch_in_frontline(identity, on)
    sweep(service)


def test_a_change_in_the_app_pulls_like_any_other(service: Service, db: Client) -> None:
    records.routing(db, frontline_status=True)
    records.worker(db, ANN, "Unavailable")
    turned(service, on=False)
    sid = write(service)
    turned(service, on=True)
    assert status(db) == "Available"
    assert (conversation(db, sid)["state"], conversation(db, sid)["worker"]) == (
        "assigned",
        ANN,
    )
    turned(service, on=False)
    assert status(db) == "Unavailable"


def test_what_is_set_here_holds_until_the_apps_switch_is_turned_again(
    service: Service, db: Client
) -> None:
    records.routing(db, frontline_status=True)
    records.worker(db, ANN, "Available")
    turned(service, on=False)  # the first look: nobody has turned anything
    assert status(db) == "Available"
    turned(service, on=True)
    records.set_status(db, ANN, "Unavailable")
    sweep(service)
    assert status(db) == "Unavailable"
    turned(service, on=False)
    assert status(db) == "Unavailable"
    turned(service, on=True)
    assert status(db) == "Available"


def test_nobody_is_asked_for_unless_it_is_wanted_and_who_never_signed_in_is_left_alone(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Available")
    turned(service, on=False, identity=BEN)
    turned(service, on=True, identity=BEN)
    assert status(db, BEN) == "Unavailable"
    records.routing(db, frontline_status=True)
    sweep(service)
    assert "frontline_available" not in read(db, "workers", ANN)
    assert read(db, "workers", BEN)["frontline_available"] is True
    assert twilio.frontline_user(ANN).outcome is Outcome.MISSING


def test_in_turns_and_nobody_is_passed_over_while_frontline_is_down(
    service: Service, db: Client
) -> None:
    records.routing(db, frontline_status=True)
    names = [f"w{number}@example.com" for number in range(3)]
    for name in names:
        records.worker(db, name, "Unavailable")
        service.standin.switch_in_frontline(name, False)
    service.settle()
    first = frontline_status.follow(Progress(), Run(), 2)
    assert first.frontline_after == names[1]
    service.standin.fail(503, 20503, path="/v1/Users")
    assert frontline_status.follow(first, Run(), 2) == first
    service.standin.heal()
    assert frontline_status.follow(first, Run(), 2).frontline_after is None
    assert all(
        read(db, "workers", name)["frontline_available"] is False for name in names
    )
