"""The records that the service starts from, written to the real emulator."""

from google.cloud import firestore

from providers import customers
from tools.seed import default_records, write_missing


def test_every_record_is_written_into_an_empty_database(db: firestore.Client) -> None:
    assert write_missing(db) == list(default_records())
    assert customers.key_of(db.document(customers.THE_KEY).get().to_dict())
    for path, fields in default_records().items():
        assert path == customers.THE_KEY or db.document(path).get().to_dict() == fields


def test_a_record_that_exists_is_never_touched(db: firestore.Client) -> None:
    db.document("settings/routing").set({"mode": "custom"})
    assert "settings/routing" not in write_missing(db)
    assert db.document("settings/routing").get().to_dict() == {"mode": "custom"}
    assert write_missing(db) == []


def test_a_dry_run_names_the_records_and_writes_none(db: firestore.Client) -> None:
    assert write_missing(db, dry_run=True) == list(default_records())
    assert not db.document("settings/routing").get().exists
