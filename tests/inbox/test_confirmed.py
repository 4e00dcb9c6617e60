"""Only a confirmed worker signs in, and one whose record was deleted stays out."""

from __future__ import annotations

from tests.core import forms
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, BOB, Page, told
from tests.service import Service


def user_added(service: Service, identity: str) -> None:
    form = {
        "EventType": "onUserAdded",
        "Identity": identity,
        "UserSid": forms.sid("US"),
    }
    assert service.post("post_event", form).status_code == 200
    service.settle()


def test_an_unconfirmed_worker_is_told_that_the_record_waits(
    service: Service, browser: Page
) -> None:
    user_added(service, ALICE)
    browser.sign_in(ALICE)
    answer = browser.get("state")
    assert answer.status_code == 403
    assert "waits for confirmation" in told(answer)
    assert f"set confirmed: true in workers/{ALICE}" in told(answer)
    assert browser.post("status", {"status": "Available"}).status_code == 403
    service.db.document(f"workers/{ALICE}").update({"confirmed": True})
    assert browser.get("state").status_code == 200


def test_a_deleted_worker_does_not_come_back_when_a_customer_writes(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.set_state(sid, "inactive")
    service.settle()
    service.db.document(f"workers/{ALICE}").delete()
    service.settle()
    service.standin.inbound(ANN, OURS, "My card number is 4111")
    service.settle()
    assert page.get("state").status_code == 403
    assert page.get(f"conversations/{sid}/messages").status_code == 403
    assert service.db.document(f"conversations/{sid}").get().get("state") == "queued"


def test_a_user_of_nearly_the_same_name_locks_nobody_out(
    service: Service, with_ann: tuple[Page, str], browser: Page
) -> None:
    for identity in (" alice@example.com", "ALICE@example.com", "Alice@Example.com"):
        user_added(service, identity)
    browser.sign_in("Alice@Example.com")
    (shown,) = browser.state()["conversations"]
    assert shown["sid"] == with_ann[1]


def test_junk_names_get_one_sentence_and_no_record(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    for name in (
        "?",
        "#",
        "?PageSize=1",
        "%62ob%40example.com",
        "a/b",
        "..",
        "system",
        "\u202e",
        "x" * 300,
    ):
        answer = page.post(
            f"conversations/{sid}/hand-over", {"to": "worker", "worker": name}
        )
        assert answer.status_code in (400, 409), (name, answer.text)
        assert told(answer)
    assert {one.id for one in service.db.collection("workers").stream()} == {ALICE}


def test_an_unconfirmed_worker_is_no_colleague(
    service: Service, with_ann: tuple[Page, str], open_as: Open
) -> None:
    page, sid = with_ann
    open_as(BOB)
    user_added(service, "visitor@example.net")
    listed = page.get(f"conversations/{sid}/workers").json()["workers"]
    assert [one["identity"] for one in listed] == [BOB]


def test_who_was_taken_out_untold_sees_it_no_more_after_the_sweep(
    service: Service, with_ann: tuple[Page, str], open_as: Open
) -> None:
    _, sid = with_ann
    bob = open_as(BOB)
    service.standin.worker_join(sid, BOB)
    service.settle()
    assert bob.get(f"conversations/{sid}/messages").status_code == 200
    service.standin.webhook_trouble(lose=1.0)
    service.standin.worker_leave(sid, BOB)
    service.standin.heal()
    assert service.post("sweep", signed=False).status_code == 200
    assert bob.get(f"conversations/{sid}/messages").status_code == 404
