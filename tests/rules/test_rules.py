"""firestore.rules against the real emulator: a worker's own status, and nothing else, is open from outside."""

import re
from collections.abc import Callable

import pytest
from google.cloud import firestore

from local.emulator import RULES, Emulator
from tests.rules.visitor import Claims, Visitor, coverage

ALICE = "alice@example.com"
BEN = "ben@example.com"
OWN = f"workers/{ALICE}"
COLLECTIONS = [
    "workers",
    "settings",
    "customers",
    "pools",
    "pending_conversations",
    "conversations",
    "former_workers",
    "sweeps",
    "other",
]
STRANGERS: dict[str, Claims | None] = {
    "not signed in": None,
    "somebody else": {"sub": "b", "email": BEN, "email_verified": True},
    "not verified": {"sub": "a", "email": ALICE, "email_verified": False},
    "verified in words only": {"sub": "a", "email": ALICE, "email_verified": "true"},
    "verification not mentioned": {"sub": "a", "email": ALICE},
    "no e-mail": {"sub": ALICE, "email_verified": True},
    "letters that only look alike": {
        "sub": "a",
        "email": "\u0430lice@example.com",
        "email_verified": True,
    },
    "a sign that is a small k in small letters": {
        "sub": "a",
        "email": "\u212a@example.com",
        "email_verified": True,
    },
    "a blank more": {"sub": "a", "email": f"{ALICE} ", "email_verified": True},
    "a longer address": {
        "sub": "a",
        "email": f"{ALICE}.evil.example",
        "email_verified": True,
    },
    "a list": {"sub": "a", "email": [ALICE], "email_verified": True},
    "nobody": {"sub": "a", "email": "", "email_verified": True},
    "an administrator by their own word": {"sub": "a", "admin": True, "owner": True},
}
As = Callable[[Claims | None], Visitor]


@pytest.fixture
def visit(emulator: Emulator, project: str, db: firestore.Client) -> As:
    """A record in every collection, and anybody who wants to see them."""
    emulator.set_rules(project, RULES.read_text())
    record = {
        "status": "Unavailable",
        "pools": ["sales"],
        "active": 1,
        "display_name": "Alice",
    }
    for collection in COLLECTIONS:
        for name in (ALICE, BEN):
            db.document(f"{collection}/{name}").set(record)
    db.document(f"{OWN}/notes/1").set(record)
    return lambda claims: Visitor(emulator.host, project, claims)


@pytest.fixture
def alice(visit: As) -> Visitor:
    return visit({"sub": "a", "email": ALICE, "email_verified": True})


def update(
    visitor: Visitor, document: str, mask: list[str], **status: str
) -> dict[str, object]:
    values = {name: {"stringValue": value} for name, value in status.items()}
    return {
        "update": {"name": f"{visitor.root}/{document}", "fields": values},
        "updateMask": {"fieldPaths": mask},
    }


def test_workers_read_their_own_record(alice: Visitor) -> None:
    assert alice.get(OWN) == 200


@pytest.mark.parametrize("identity", [ALICE, "Bob@Example.com"])
def test_capitals_of_an_address_make_no_difference(
    visit: As, db: firestore.Client, identity: str
) -> None:
    db.document(f"workers/{identity}").set({"status": "Unavailable"})
    document = f"workers/{identity}"
    for email in {identity, identity.lower(), identity.upper()}:
        visitor = visit({"sub": "x", "email": email, "email_verified": True})
        assert (
            visitor.get(document)
            == visitor.change(document, ("status",), status="Available")
            == 200
        )


def test_a_letter_of_another_alphabet_is_another_letter(
    visit: As, db: firestore.Client
) -> None:
    db.document("workers/kim@example.com").set({"status": "Unavailable"})
    kelvin = visit(
        {"sub": "k", "email": "\u212aim@example.com", "email_verified": True}
    )
    assert kelvin.get("workers/kim@example.com") == 403


def test_workers_set_their_own_status_to_either_of_the_two(
    alice: Visitor, db: firestore.Client
) -> None:
    for status in ("Available", "Unavailable", "Unavailable"):
        assert alice.change(OWN, ("status",), status=status) == 200
        assert db.document(OWN).get().get("status") == status
    assert alice.commit(update(alice, OWN, ["status"], status="Available")) == 200


@pytest.mark.parametrize(
    "status", ["Busy", "available", "", "Available ", None, 1, True, ["Available"]]
)
def test_any_other_status_is_refused(alice: Visitor, status: object) -> None:
    assert alice.change(OWN, ("status",), status=status) == 403


def test_a_status_cannot_be_taken_away(alice: Visitor) -> None:
    assert alice.change(OWN, ("status",)) == 403


@pytest.mark.parametrize(
    "field",
    [
        "active",
        "full",
        "capacity",
        "pools",
        "display_name",
        "problem",
        "last_assigned_at",
    ],
)
def test_no_other_field_can_be_changed_added_or_removed(
    alice: Visitor, field: str
) -> None:
    assert alice.change(OWN, (field,), **{field: 0}) == 403
    assert alice.change(OWN, (field, "status"), status="Available", **{field: 0}) == 403
    assert alice.change(OWN, ("pools", "status"), status="Available") == 403


def test_the_record_cannot_be_replaced_by_a_status_alone(alice: Visitor) -> None:
    assert alice.change(OWN, None, status="Available") == 403


def test_a_count_cannot_be_raised_by_the_server_either(alice: Visitor) -> None:
    transform = {"fieldPath": "active", "increment": {"integerValue": "1"}}
    write = update(alice, OWN, ["status"], status="Available") | {
        "updateTransforms": [transform]
    }
    assert alice.commit(write) == 403
    time = {"fieldPath": "status", "setToServerValue": "REQUEST_TIME"}
    assert alice.commit(update(alice, OWN, []) | {"updateTransforms": [time]}) == 403


def test_one_forbidden_write_stops_the_others_of_its_commit(
    alice: Visitor, db: firestore.Client
) -> None:
    for forbidden in (
        update(alice, f"workers/{BEN}", ["status"], status="Available"),
        {"delete": f"{alice.root}/{OWN}"},
    ):
        assert (
            alice.commit(update(alice, OWN, ["status"], status="Available"), forbidden)
            == 403
        )
    assert db.document(OWN).get().get("status") == "Unavailable"


def test_workers_neither_create_nor_delete_a_record(
    alice: Visitor, db: firestore.Client
) -> None:
    assert alice.delete(OWN) == 403
    assert alice.create("workers", "carla@example.com", status="Available") == 403
    db.document(OWN).delete()
    assert alice.create("workers", ALICE, status="Available") == 403
    assert alice.change(OWN, ("status",), status="Available") == 403


def test_nobody_lists_counts_or_queries_workers(alice: Visitor) -> None:
    assert alice.list("workers") == 403
    everybody = {"structuredQuery": {"from": [{"collectionId": "workers"}]}}
    assert alice.call("POST", ":runQuery", everybody)[0] == 403
    counted = {
        "structuredAggregationQuery": everybody
        | {"aggregations": [{"alias": "n", "count": {}}]}
    }
    assert alice.call("POST", ":runAggregationQuery", counted)[0] == 403
    assert alice.call("POST", ":listCollectionIds", {})[0] == 403
    both = {"documents": [f"{alice.root}/{OWN}", f"{alice.root}/workers/{BEN}"]}
    assert alice.call("POST", ":batchGet", both)[0] == 403


@pytest.mark.parametrize(
    "document", [f"{name}/{ALICE}" for name in COLLECTIONS[1:]] + [f"{OWN}/notes/1"]
)
def test_every_other_collection_is_closed_to_workers_too(
    alice: Visitor, document: str
) -> None:
    collection, _, name = document.rpartition("/")
    assert alice.get(document) == 403
    assert alice.list(collection) == 403
    assert alice.change(document, ("status",), status="Available") == 403
    assert alice.create(collection, "new", status="Available") == 403
    assert alice.delete(document) == 403
    assert name in document


@pytest.mark.parametrize("who", STRANGERS)
def test_everybody_else_is_refused_everything(
    visit: As, db: firestore.Client, who: str
) -> None:
    stranger = visit(STRANGERS[who])
    for collection in COLLECTIONS:
        document = f"{collection}/{ALICE}"
        answers = {
            stranger.get(document),
            stranger.list(collection),
            stranger.change(document, ("status",), status="Available"),
            stranger.create(collection, "new", status="Available"),
            stranger.delete(document),
        }
        assert answers == {403}, collection
    assert db.document(OWN).get().get("status") == "Unavailable"


def test_every_condition_of_the_rules_was_seen_to_open_and_to_close(
    visit: As, alice: Visitor, emulator: Emulator, project: str
) -> None:
    """The emulator tells which values each expression had: a condition that only ever has one is not tested."""
    assert alice.get(OWN) == alice.change(OWN, ("status",), status="Available") == 200
    alice.change(OWN, ("status",), status="Busy")
    alice.change(OWN, ("active",), active=0)
    visit({"sub": "a", "email": ALICE.upper(), "email_verified": True}).get(OWN)
    alice.get("workers/\u212aim@example.com")
    for claims in STRANGERS.values():
        visit(claims).get(OWN)
        visit(claims).change(OWN, ("status",), status="Available")
    text, seen = coverage(emulator.host, project)
    assert text == RULES.read_text()
    decided = {
        place: values for place, values in seen.items() if values & {True, False}
    }
    assert {
        text[start:end]
        for (start, end), values in decided.items()
        if not {True, False} <= values
    } == set()
    both_ways = {start for start, _ in decided}
    wanted = [
        match.end()
        for match in re.finditer(r"(allow [a-z, ]+: if|return|&&|\|\|) +", text)
    ]
    assert len(wanted) > text.count("allow ") > 0
    assert [
        text[start:].partition("\n")[0] for start in wanted if start not in both_ways
    ] == []
