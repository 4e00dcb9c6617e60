"""The upgrade: workers of an earlier version stay workers, once; nobody who comes later is confirmed by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from google.cloud.firestore import Client

from tests.core import records
from tests.core.records import read
from tools import upgrade

ROOT = Path(__file__).parent.parent.parent
ANN, BEN, OLD = "ann@example.com", "ben@example.com", "old@example.com"


def earlier(db: Client, identity: str, **fields: Any) -> None:
    """A record as an earlier version has completed it."""
    kept: dict[str, Any] = {
        "active": 0,
        "full": False,
        "last_assigned_at": None,
        "status_since": None,
    }
    records.worker(db, identity, key=identity, **kept, **fields)


def test_workers_of_before_are_confirmed_and_no_later_ones(db: Client) -> None:
    earlier(db, ANN)
    records.worker(db, BEN)
    assert upgrade.upgrade(db).confirmed == [f"workers/{ANN}", f"workers/{BEN}"]
    for identity in (ANN, BEN):
        record = read(db, "workers", identity)
        assert (record["made_by"], record["confirmed"]) == ("person", True)
    earlier(db, "stranger@example.com")
    assert upgrade.upgrade(db).was_done
    assert "confirmed" not in read(db, "workers", "stranger@example.com")


def test_an_interrupted_run_goes_on_and_confirms_none_who_came_meanwhile(
    db: Client,
) -> None:
    earlier(db, ANN)
    upgrade._began(db)  # and died
    earlier(db, "stranger@example.com")
    assert upgrade.upgrade(db).confirmed == [f"workers/{ANN}"]


def test_names_without_a_record_in_conversations_that_are_not_over_are_former_workers(
    db: Client,
) -> None:
    earlier(db, ANN)
    states = {"CH1": "assigned", "CH2": "inactive", "CH3": "closed", "CH4": "queued"}
    for sid, state in states.items():
        fields = {
            "state": state,
            "worker": f"gone-{state}@example.com",
            "others": ["Ann@example.com", 7, OLD],
        }
        db.document(f"conversations/{sid}").set(fields)
    upgrade.upgrade(db)
    assert {one.id for one in db.collection("former_workers").stream()} == {
        "gone-assigned@example.com",
        "gone-inactive@example.com",
        "gone-queued@example.com",
        OLD,
    }


def test_a_fresh_installation_is_marked_as_done(db: Client) -> None:
    assert not upgrade.upgrade(db).confirmed
    earlier(db, ANN)
    assert upgrade.upgrade(db).was_done


def test_what_a_person_has_said_already_stays(db: Client) -> None:
    earlier(db, ANN, confirmed=False)
    earlier(db, BEN, made_by="service", confirmed=False)
    upgrade.upgrade(db)
    assert [read(db, "workers", one)["confirmed"] for one in (ANN, BEN)] == [
        False,
        False,
    ]


def test_more_than_one_page_of_records(db: Client) -> None:
    batch = db.batch()
    for number in range(320):
        batch.set(
            db.document(f"workers/w{number:03}"), {"key": f"w{number:03}", "pools": []}
        )
    batch.commit()
    assert len(upgrade.upgrade(db).confirmed) == 320


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    db: Client, project: str, tmp_path: Path
) -> None:
    earlier(db, ANN)
    words = [sys.executable, "-m", "tools.upgrade", "--project", project]
    told = subprocess.run(
        [*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "would confirm 1 workers' records" in told
    assert "confirmed" not in read(db, "workers", ANN)
    changes = tmp_path / "changes"
    subprocess.run([*words, "--changes", str(changes)], cwd=ROOT, check=True)
    assert read(db, "workers", ANN)["confirmed"] is True
    assert "confirm 1 workers' records of the earlier version" in changes.read_text()
