"""A customer is erased: nothing that is stored names the person any more, and the figures stay."""

import json
from typing import Any

import pytest
from google.cloud.firestore import Client

from providers import customers as store
from providers import opt_outs
from tests.core import records
from tests.service import Service
from tools import customers

NUMBER, WHATSAPP, OURS, ANN = (
    "+447700900123",
    "whatsapp:+447700900123",
    "+12025550100",
    "ann@example.com",
)


def everything(db: Client) -> str:
    found = {
        one.reference.path: one.to_dict()
        for c in db.collections()
        for one in c.stream()
    }
    return json.dumps(found, default=str, ensure_ascii=False).lower()


def run(service: Service, customer_id: str, *options: str) -> int:
    return customers.main(
        ["erase", customer_id, "--project", service.project, *options]
    )


@pytest.fixture
def talk(service: Service, db: Client) -> Service:
    """Ada has written, Ann has answered, and it is over; so it is with somebody else."""
    records.pool(db, "default", texts={"assigned": "Hello {{Name}}"})
    for ours in (OURS, f"whatsapp:{OURS}"):
        service.standin.set_autocreate(ours)
    records.worker(db, ANN)
    records.customer(db, "ada", display_name="Ada Byron", addresses=[NUMBER])
    records.customer(db, "bob", display_name="Bob Baker", addresses=["+447700900999"])
    service.settle()
    for them, ours in (
        (NUMBER, OURS),
        (WHATSAPP, f"whatsapp:{OURS}"),
        ("+447700900999", OURS),
    ):
        service.standin.inbound(from_=them, to=ours, body="My card ends in four-two")
        service.settle()
    return service


def close_all(service: Service, db: Client) -> None:
    for one in db.collection("conversations").stream():
        service.standin.set_state(one.id, "closed")
    service.settle()


def test_an_opt_out_outlives_the_record(talk: Service, db: Client) -> None:
    talk.standin.inbound(NUMBER, OURS, "STOP")
    talk.settle()
    close_all(talk, db)
    assert NUMBER in records.read(db, "customers", "ada")["opted_out"]
    assert run(talk, "ada") == 0
    assert opt_outs.load(NUMBER).since is not None
    assert NUMBER.lower() not in json.dumps(
        [one.to_dict() for one in db.collection("opt_outs").stream()], default=str
    )
    talk.standin.inbound(NUMBER, OURS, "Hello")
    talk.settle()
    (again,) = [
        one
        for one in db.collection("customers").stream()
        if NUMBER in one.get("addresses")
    ]
    assert again.get("opted_out")[NUMBER] == opt_outs.load(NUMBER).since


def test_an_open_conversation_is_named_and_nothing_is_erased(
    talk: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(db)
    sids = [
        one.id
        for one in db.collection("conversations").stream()
        if one.get("customer_id") == "ada"
    ]
    assert len(sids) == 2
    assert run(talk, "ada") == 1
    said = capsys.readouterr().err
    assert all(sid in said for sid in sids) and "Nothing was erased" in said
    assert everything(db) == before


def test_nothing_that_is_stored_names_them_any_more_and_the_figures_stay(
    talk: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    close_all(talk, db)
    hers = [
        one
        for one in db.collection("conversations").stream()
        if one.get("customer_id") == "ada"
    ]
    for one in hers:
        story: list[Any] = [
            *one.get("log"),
            {"what": "queued", "why": f"Ada Byron ({NUMBER}) of Ada's waits"},
        ]
        one.reference.update(
            {
                "log": story,
                "last_message": {
                    "text": "Her own card",
                    "from": "customer",
                    "index": 3,
                },
            }
        )
        db.document(f"pending_conversations/{one.id}").set(
            {"address": NUMBER, "pool": "gone"}
        )
    assert len(list(db.collection("sent_texts").stream())) == 3
    before = everything(db)
    assert run(talk, "ada", "--dry-run") == 0
    assert everything(db) == before
    assert run(talk, "ada") == 0
    talk.settle()
    kept = everything(db)
    for word in (
        "ada byron",
        NUMBER,
        NUMBER[1:],
        "her own card",
        '"ada"',
        "customers/ada",
    ):
        assert word not in kept, word
    assert "bob baker" in kept and "+447700900999" in kept
    said = capsys.readouterr().out
    for one in hers:
        after = records.conversation(db, one.id)
        assert (after["state"], after["worker"], after["waited"]) == (
            "closed",
            ANN,
            one.get("waited"),
        )
        assert [line["what"] for line in after["log"]][:-1] == [
            line["what"] for line in one.get("log")
        ]
        assert after["last_message"] == {"from": "customer", "index": 3}
        assert not records.is_pending(db, one.id)
        assert "-X DELETE" in said and one.id in said
    assert (
        " -u " not in said and "| curl -K - -X DELETE" in said
    )  # the token is on no command line
    assert len(list(db.collection("sent_texts").stream())) == 1  # Bob's


def test_a_second_run_and_an_unknown_customer_find_nothing_to_do(
    talk: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    close_all(talk, db)
    assert run(talk, "ada") == 0
    before = everything(db)
    capsys.readouterr()
    assert run(talk, "ada") == 0
    assert run(talk, "nobody") == 0
    assert "Nothing is kept here of nobody" in capsys.readouterr().err
    assert everything(db) == before


def test_a_record_that_was_deleted_by_hand_or_made_by_the_service_is_erased_as_well(
    talk: Service, db: Client
) -> None:
    talk.standin.inbound(from_="+447700900777", to=OURS, body="Hello")
    talk.settle()
    close_all(talk, db)
    db.document("customers/ada").delete()
    stranger = store.find("+447700900777").customer_id
    assert db.document(f"customers/{stranger}").get().exists
    for customer_id in ("ada", stranger):
        assert run(talk, customer_id) == 0
        assert f'"{customer_id}"' not in everything(
            db
        )  # as a word: claims are random letters and digits
    assert "447700900123" not in everything(db) and "447700900777" not in everything(db)


def test_a_conversation_of_another_customer_with_the_same_number_is_told_and_left_alone(
    talk: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    close_all(talk, db)
    records.customer(db, "twin", display_name="A. Byron", addresses=[NUMBER])
    assert run(talk, "twin") == 0
    assert "is the customer ada's" in capsys.readouterr().err
    assert "ada byron" in everything(db)


@pytest.mark.parametrize("name", ["a/b", "..", "__x__"])
def test_a_name_that_no_record_has_is_refused(talk: Service, name: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(talk, name)
