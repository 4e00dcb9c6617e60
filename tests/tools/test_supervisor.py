"""The first supervisor, written to the real emulator."""

from google.cloud import firestore

from tools.supervisor import make_supervisor

MADE = {"role": "supervisor", "confirmed": True, "made_by": "person"}


def record(db: firestore.Client, name: str) -> dict[str, object] | None:
    found: dict[str, object] | None = db.document(f"workers/{name}").get().to_dict()
    return found


def test_a_supervisor_without_a_record_gets_one(db: firestore.Client) -> None:
    assert make_supervisor(db, "maria@example.com") == "workers/maria@example.com"
    assert record(db, "maria@example.com") == MADE


def test_a_record_keeps_its_other_fields(db: firestore.Client) -> None:
    old = {"status": "Available", "pools": ["sales"], "key": "maria@example.com"}
    unconfirmed = {"made_by": "service", "confirmed": False, "role": "worker"}
    db.document("workers/maria@example.com").set(old | unconfirmed)
    make_supervisor(db, "maria@example.com")
    assert record(db, "maria@example.com") == old | MADE


def test_a_name_that_differs_only_in_spelling_gets_no_second_record(
    db: firestore.Client,
) -> None:
    db.document("workers/Maria@Example.com").set({"key": "maria@example.com"})
    assert make_supervisor(db, "maria@example.com") == "workers/Maria@Example.com"
    assert record(db, "maria@example.com") is None


def test_a_second_run_writes_nothing(db: firestore.Client) -> None:
    make_supervisor(db, "maria@example.com")
    before = db.document("workers/maria@example.com").get().update_time
    assert make_supervisor(db, "maria@example.com") is None
    assert db.document("workers/maria@example.com").get().update_time == before


def test_a_dry_run_writes_nothing(db: firestore.Client) -> None:
    assert make_supervisor(db, "maria@example.com", dry_run=True)
    assert record(db, "maria@example.com") is None
