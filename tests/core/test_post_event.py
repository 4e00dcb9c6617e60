"""The events after the fact: who the customer is, and what becomes of the slot."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from google.cloud.firestore import Client

from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.core.test_routing import write
from tests.service import Service


def customer_in(service: Service, sid: str) -> dict[str, str]:
    found = [
        p
        for p in service.standin.participants(sid)
        if (p["messaging_binding"] or {}).get("address")
    ]
    content: dict[str, str] = json.loads(found[0]["attributes"])
    return content


def test_a_known_customer_is_introduced(service: Service, db: Client) -> None:
    records.customer(
        db,
        "ada",
        display_name="Ada",
        addresses=["+15550000001"],
        avatar="https://example.com/a.png",
    )
    assert customer_in(service, write(service)) == {
        "customer_id": "ada",
        "display_name": "Ada",
        "avatar": "https://example.com/a.png",
    }


def test_an_unknown_sender_gets_one_record_however_often_and_parallel(
    service: Service, db: Client
) -> None:
    sid = write(service)
    participant = service.standin.participants(sid)[0]["sid"]
    home = service.standin.default_service_sid
    sms = forms.participant(
        "onParticipantAdded", sid, ParticipantSid=participant, ChatServiceSid=home
    )
    whatsapp = sms | {"MessagingBinding.Address": "whatsapp:+15550000001"}
    with ThreadPoolExecutor(8) as crowd:
        answers = list(
            crowd.map(
                lambda form: service.post("post_event", form).status_code,
                [sms, whatsapp] * 8,
            )
        )
    assert set(answers) == {200}
    service.settle()
    found = list(db.collection("customers").stream())
    assert len(found) == 1
    assert "+15550000001" in found[0].get("addresses")
    assert customer_in(service, sid)["customer_id"] == found[0].id


def test_without_create_customers_there_is_an_id_but_no_record(
    service: Service, db: Client
) -> None:
    records.routing(db, create_customers=False)
    introduced = customer_in(service, write(service))
    assert introduced["display_name"] == "+15550000001"
    assert introduced["customer_id"].startswith("c-")
    assert list(db.collection("customers").stream()) == []


def test_attributes_that_are_there_stay_and_nothing_is_written_twice(
    service: Service, db: Client
) -> None:
    records.customer(db, "ada", display_name="Ada", addresses=["+15550000001"])
    sid = write(service)
    participant = service.standin.participants(sid)[0]["sid"]
    before = len(service.standin.requests)
    there = forms.participant(
        "onParticipantAdded",
        sid,
        ParticipantSid=participant,
        ChatServiceSid=service.standin.default_service_sid,
        Attributes='{"customer_id": "ada", "display_name": "Ada"}',
    )
    assert service.post("post_event", there).status_code == 200
    assert len(service.standin.requests) == before
    mine = there | {"Attributes": '{"display_name": "The Countess", "x": 1}'}
    service.post("post_event", mine)
    assert len(service.standin.requests) == before + 1
    assert customer_in(service, sid) == {
        "customer_id": "ada",
        "display_name": "The Countess",
        "x": 1,
    }


def test_attributes_that_are_no_json_are_refused(service: Service) -> None:
    form = forms.participant("onParticipantAdded", forms.sid(), Attributes="no json")
    response = service.post("post_event", form)
    assert response.status_code == 400
    assert "Attributes" in json.loads(response.data)["error"]


def test_closing_gives_the_slot_back_and_the_next_one_is_pulled(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com", capacity=1)
    service.settle()
    first, second = write(service, "+15550000001"), write(service, "+15550000002")
    service.triggers.behave(service.project, drop=True)
    service.standin.set_state(first, "closed")
    service.settle()
    assert conversation(db, first)["state"] == "closed"
    assert conversation(db, first)["closed_at"] is not None
    assert conversation(db, second)["state"] == "assigned"
    assert records.active(db, "ann@example.com") == 1


def test_deleting_a_conversation_ends_it_and_a_queued_one_leaves_the_queue(
    service: Service, db: Client
) -> None:
    sid = write(service)
    assert is_pending(db, sid)
    service.standin.remove_conversation(sid)
    service.settle()
    assert conversation(db, sid)["state"] == "closed"
    assert not is_pending(db, sid)


def test_inactive_gives_the_slot_back_and_active_again_returns_to_the_same_worker(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com", capacity=1)
    service.settle()
    first = write(service, "+15550000001")
    service.standin.set_state(first, "inactive", reason="TIMER")
    service.settle()
    asleep = conversation(db, first)
    assert (asleep["state"], asleep["worker"]) == ("inactive", "ann@example.com")
    assert records.active(db, "ann@example.com") == 0
    second = write(service, "+15550000002")
    assert conversation(db, second)["state"] == "assigned"
    assert write(service, "+15550000001") == first
    awake = conversation(db, first)
    assert (awake["state"], awake["worker"]) == ("assigned", "ann@example.com")
    assert records.active(db, "ann@example.com") == 2
    assert workers_in(service.standin, first) == ["ann@example.com"]


def test_a_queued_conversation_stays_queued_while_inactive(
    service: Service, db: Client
) -> None:
    sid = write(service)
    service.standin.set_state(sid, "inactive")
    service.settle()
    assert conversation(db, sid)["state"] == "queued"
    assert is_pending(db, sid)
    service.standin.set_state(sid, "closed")
    service.settle()
    assert conversation(db, sid)["state"] == "closed"
    assert not is_pending(db, sid)


def test_an_inactive_that_comes_late_does_not_take_the_slot(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    service.settle()
    sid = write(service)
    service.post(
        "post_event",
        forms.state(sid, "inactive", "active", at="2026-11-23T12:00:02.000Z"),
    )
    service.post(
        "post_event",
        forms.state(sid, "active", "inactive", at="2026-11-23T12:00:01.000Z"),
    )
    assert conversation(db, sid)["state"] == "assigned"
    assert records.active(db, "ann@example.com") == 1


def test_a_worker_who_leaves_goes_last_and_a_conversation_that_nobody_answered_keeps_its_age(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    service.settle()
    sid = write(service)
    service.standin.worker_leave(sid, "ann@example.com")
    service.settle()
    back = conversation(db, sid)
    assert back["state"] == "queued"
    assert back["queued_at"] == back["created_at"]
    assert records.read(db, "pending_conversations", sid)["excluded_workers"] == [
        "ann@example.com"
    ]
    assert records.active(db, "ann@example.com") == 0
    records.worker(db, "bob@example.com")
    service.settle()
    assert conversation(db, sid)["worker"] == "bob@example.com"


def test_a_worker_added_by_hand_takes_it_out_of_the_queue(
    service: Service, db: Client
) -> None:
    records.worker(db, "bob@example.com", "Unavailable")
    sid = write(service)
    service.standin.worker_join(sid, "bob@example.com")
    service.settle()
    record = conversation(db, sid)
    assert (record["state"], record["worker"]) == ("assigned", "bob@example.com")
    assert not is_pending(db, sid)
    assert records.active(db, "bob@example.com") == 1
    service.standin.set_state(sid, "closed")
    service.settle()
    assert records.active(db, "bob@example.com") == 0


def test_handing_over_by_adding_and_leaving_moves_the_count(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    records.worker(db, "bob@example.com", "Unavailable")
    service.settle()
    sid = write(service)
    service.standin.worker_join(sid, "bob@example.com")
    service.standin.worker_leave(sid, "ann@example.com")
    service.settle()
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["others"]) == (
        "assigned",
        "bob@example.com",
        [],
    )
    assert records.active(db, "ann@example.com") == 0
    assert records.active(db, "bob@example.com") == 1


def test_a_customer_is_not_forgotten_when_one_added_before_the_arrival_leaves(
    service: Service, db: Client
) -> None:
    records.pool(db, "sales", addresses=[forms.PROXY])
    records.worker(db, "bob@example.com", "Unavailable")
    sid, participant = forms.sid(), forms.sid("MB")
    stay = forms.participant(
        "onParticipantAdded", sid, "bob@example.com", ParticipantSid=participant
    )
    service.post("post_event", stay)
    service.post("post_event", forms.conversation_added(sid))
    service.post("post_event", stay | {"EventType": "onParticipantRemoved"})
    assert (conversation(db, sid)["state"], conversation(db, sid)["pool"]) == (
        "queued",
        "sales",
    )


def test_an_old_leave_that_comes_late_changes_nothing(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    service.settle()
    sid = write(service)
    service.post(
        "post_event", forms.participant("onParticipantRemoved", sid, "ann@example.com")
    )
    assert conversation(db, sid)["state"] == "assigned"


def test_a_new_user_becomes_a_worker(service: Service, db: Client) -> None:
    records.routing(db, default_pool="front")
    form = {
        "EventType": "onUserAdded",
        "Identity": "new@example.com",
        "UserSid": forms.sid("US"),
        "FriendlyName": "New",
    }
    for _ in range(2):
        assert service.post("post_event", form).status_code == 200
    service.settle()
    made = records.read(db, "workers", "new@example.com")
    assert (made["status"], made["pools"], made["display_name"]) == (
        "Unavailable",
        ["front"],
        "New",
    )


def test_a_closed_that_overtakes_the_arrival_is_the_last_word(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    sid = forms.sid()
    service.post("post_event", forms.state(sid, "active", "closed"))
    service.post("post_event", forms.conversation_added(sid))
    assert conversation(db, sid)["state"] == "closed"
    assert records.active(db, "ann@example.com") == 0


def test_twice_delivered_acts_once(service: Service, db: Client) -> None:
    records.worker(db, "ann@example.com")
    service.settle()
    service.standin.webhook_trouble(repeat=2)
    sid = write(service)
    service.standin.set_state(sid, "closed")
    service.settle()
    assert conversation(db, sid)["state"] == "closed"
    assert records.active(db, "ann@example.com") == 0


def test_an_event_of_no_interest_gets_200_and_changes_nothing(
    service: Service, db: Client
) -> None:
    assert (
        service.post(
            "post_event", {"EventType": "onConversationUpdated", "Body": "x"}
        ).status_code
        == 200
    )
    assert list(db.collection("conversations").stream()) == []
