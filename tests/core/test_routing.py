"""Three ways to route, over the real emulator, the real SDK and the stand-in."""

from __future__ import annotations

import threading

import pytest
from google.cloud.firestore import Client

from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.service import Service

SALES, NEWS = "+15550008888", "+15550007777"


def write(service: Service, from_: str = "+15550000001", to: str = forms.PROXY) -> str:
    service.standin.set_autocreate(to)
    sid = service.standin.inbound(from_=from_, to=to, body="Hello").conversation_sid
    service.settle()
    assert sid is not None
    return sid


def test_an_available_worker_of_the_pool_is_added(service: Service, db: Client) -> None:
    records.worker(db, "ann@example.com")
    service.settle()
    sid = write(service)
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["mode"]) == (
        "assigned",
        "ann@example.com",
        "pool",
    )
    assert workers_in(service.standin, sid) == ["ann@example.com"]
    assert records.active(db, "ann@example.com") == 1
    assert record["service_sid"] == service.standin.default_service_sid
    assert record["address"] == "+15550000001"
    assert record["proxy_address"] == forms.PROXY
    assert record["waited"] >= 0


def test_a_call_that_is_refused_for_its_token_is_made_with_the_next_one(
    service: Service, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_SECONDARY", service.standin.auth_token)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "rotated out")
    records.worker(db, "ann@example.com")
    service.settle()
    assert workers_in(service.standin, write(service)) == ["ann@example.com"]


def test_with_nobody_available_it_queues_and_says_why(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", display_name="Sales", capacity=1)
    records.worker(db, "full@example.com")
    for n in range(3):
        records.worker(db, f"off{n}@example.com", "Unavailable")
    service.settle()
    write(service, "+15550000001")
    sid = write(service, "+15550000002")
    record = conversation(db, sid)
    assert record["state"] == "queued"
    assert (
        record["log"][-1]["why"]
        == "no one in Sales is Available; 3 Unavailable, 1 full"
    )
    entry = records.read(db, "pending_conversations", sid)
    assert entry["pool"] == "default"
    assert entry["priority"] == 0
    assert entry["address"] == "+15550000002"
    assert entry["proxy_address"] == forms.PROXY


def test_the_story_counts_all_who_are_full_however_many_there_are(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", display_name="Sales")
    for n in range(11):
        records.worker(db, f"full{n}@example.com", capacity=0)
    records.worker(db, "off@example.com", "Unavailable")
    service.settle()
    record = conversation(db, write(service, "+15550000001"))
    assert (
        record["log"][-1]["why"]
        == "no one in Sales is Available; 1 Unavailable, 11 full"
    )


def test_turning_available_pulls_the_oldest_until_full(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", capacity=2)
    records.worker(db, "ann@example.com", "Unavailable")
    service.settle()
    first, second, third = (write(service, f"+1555000000{n}") for n in range(3))
    records.set_status(db, "ann@example.com", "Available")
    service.settle()
    assert [conversation(db, s)["state"] for s in (first, second, third)] == [
        "assigned",
        "assigned",
        "queued",
    ]
    assert records.active(db, "ann@example.com") == 2
    assert records.read(db, "workers", "ann@example.com")["full"] is True
    assert [is_pending(db, s) for s in (first, second, third)] == [False, False, True]
    assert (
        "pulled by a worker who turned Available, after"
        in conversation(db, first)["log"][-2]["why"]
    )


def test_mode_none_adds_nobody_and_is_in_the_log(service: Service, db: Client) -> None:
    records.routing(db, mode="none")
    records.worker(db, "ann@example.com")
    sid = write(service)
    record = conversation(db, sid)
    assert (record["state"], record["mode"]) == ("unrouted", "none")
    assert workers_in(service.standin, sid) == []
    assert not is_pending(db, sid)


def test_custom_adds_the_customers_own_worker_whatever_their_status_and_load(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="custom")
    records.worker(db, "own@example.com", "Unavailable", capacity=0)
    records.customer(
        db,
        "ada",
        display_name="Ada",
        addresses=["+15550000001"],
        worker="own@example.com",
    )
    service.settle()
    sid = write(service)
    record = conversation(db, sid)
    assert (record["state"], record["mode"], record["worker"]) == (
        "assigned",
        "custom",
        "own@example.com",
    )
    assert record["customer_id"] == "ada"
    assert record["display_name"] == "Ada"
    assert records.active(db, "own@example.com") == 1


def test_custom_makes_a_record_for_a_worker_who_has_none(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="custom", default_pool="front")
    records.customer(db, "ada", addresses=["+15550000001"], worker="new@example.com")
    service.standin.webhook_trouble(lose=1.0)  # a user from before this service
    service.standin.create_user("new@example.com")
    service.standin.heal()
    sid = write(service)
    assert conversation(db, sid)["worker"] == "new@example.com"
    made = records.read(db, "workers", "new@example.com")
    assert (made["status"], made["pools"], made["active"]) == (
        "Unavailable",
        ["front"],
        1,
    )


@pytest.mark.parametrize(
    ("fallback", "state"), [("pool", "queued"), ("none", "unrouted"), (None, "queued")]
)
def test_custom_without_an_own_worker_falls_back(
    service: Service, db: Client, fallback: str | None, state: str
) -> None:
    records.routing(
        db, mode="custom", **({"custom_fallback": fallback} if fallback else {})
    )
    assert conversation(db, write(service))["state"] == state


def test_the_pool_that_names_the_number_takes_it_and_may_have_its_own_mode(
    service: Service, db: Client
) -> None:
    records.pool(db, "sales", addresses=[SALES])
    records.pool(db, "news", addresses=[NEWS], mode="none")
    records.worker(db, "sal@example.com", pools=["sales"])
    records.worker(db, "ann@example.com")
    service.settle()
    sales, news, other = (
        write(service, to=SALES),
        write(service, to=NEWS),
        write(service),
    )
    assert conversation(db, sales)["worker"] == "sal@example.com"
    assert conversation(db, sales)["pool"] == "sales"
    assert conversation(db, news)["state"] == "unrouted"
    assert conversation(db, other)["worker"] == "ann@example.com"


def test_a_pool_named_by_the_bare_number_also_has_its_whatsapp(
    service: Service, db: Client
) -> None:
    records.pool(db, "sales", addresses=[SALES])
    records.worker(db, "sal@example.com", pools=["sales"])
    service.settle()
    sid = write(service, "whatsapp:+15550000001", f"whatsapp:{SALES}")
    assert conversation(db, sid)["worker"] == "sal@example.com"


def test_the_longest_idle_is_taken_first_and_one_who_never_had_any_before_all(
    service: Service, db: Client
) -> None:
    for name in ("b", "a"):
        records.worker(db, f"{name}@example.com")
    service.settle()
    order = [
        conversation(db, write(service, f"+1555000000{n}"))["worker"][0]
        for n in range(4)
    ]
    assert order == ["a", "b", "a", "b"]


def test_least_busy_takes_who_holds_the_fewest(service: Service, db: Client) -> None:
    records.pool(db, "default", strategy="least_busy", capacity=None)
    records.worker(db, "a@example.com")
    records.worker(
        db,
        "b@example.com",
        active=2,
        full=False,
        last_assigned_at=None,
        status_since=None,
    )
    service.settle()
    order = [
        conversation(db, write(service, f"+1555000000{n}"))["worker"][0]
        for n in range(2)
    ]
    assert order == ["a", "a"]


def test_both_webhooks_and_their_repeats_route_once(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    service.settle()
    sid = write(service)
    again = [forms.routed(sid), forms.conversation_added(sid)] * 4
    threads = [
        threading.Thread(
            target=service.post,
            args=("routing" if "ConversationServiceSid" in f else "post_event", f),
        )
        for f in again
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    service.settle()
    assert records.active(db, "ann@example.com") == 1
    assert workers_in(service.standin, sid) == ["ann@example.com"]


def test_what_a_worker_or_a_program_began_is_left_alone(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    sid = forms.sid()
    assert (
        service.post(
            "post_event", forms.conversation_added(sid, None, Source="API")
        ).status_code
        == 200
    )
    assert conversation(db, sid) == {}


def test_a_conversation_with_a_worker_in_it_already_is_left_with_them(
    service: Service, db: Client
) -> None:
    records.worker(db, "ann@example.com")
    records.worker(db, "bob@example.com", "Unavailable")
    sid = forms.sid()
    service.post(
        "post_event", forms.participant("onParticipantAdded", sid, "bob@example.com")
    )
    service.post("post_event", forms.conversation_added(sid))
    record = conversation(db, sid)
    assert (record["state"], record["worker"]) == ("assigned", "bob@example.com")
    assert record["address"] == "+15550000001"
    assert records.active(db, "bob@example.com") == 1
    assert records.active(db, "ann@example.com") == 0


def test_who_waits_already_goes_first(service: Service, db: Client) -> None:
    """A free worker whose wake-up is still on its way must not be taken by a newcomer."""
    older = write(service, "+15550000001")
    service.triggers.behave(service.project, drop=True)
    records.worker(
        db,
        "ann@example.com",
        active=0,
        full=False,
        last_assigned_at=None,
        status_since=None,
        capacity=1,
    )
    service.settle()
    newer = write(service, "+15550000002")
    assert conversation(db, older)["state"] == "assigned"
    assert conversation(db, newer)["state"] == "queued"


def test_a_record_that_the_trigger_has_not_completed_is_mended_on_the_way(
    service: Service, db: Client
) -> None:
    service.triggers.behave(service.project, drop=True)
    records.worker(db, "ann@example.com")
    sid = write(service)
    assert conversation(db, sid)["worker"] == "ann@example.com"


def test_a_capacity_lowered_since_is_respected(service: Service, db: Client) -> None:
    service.triggers.behave(service.project, drop=True)
    records.worker(
        db,
        "ann@example.com",
        active=3,
        full=False,
        last_assigned_at=None,
        status_since=None,
        capacity=2,
    )
    sid = write(service)
    assert conversation(db, sid)["state"] == "queued"
    assert records.read(db, "workers", "ann@example.com")["full"] is True


def test_a_group_message_waits_until_it_is_active_and_needs_the_projected_address(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", addresses=[forms.PROXY])
    records.worker(db, "ann@example.com")
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    sid = service.standin.inbound_group(
        author="+15550000001", to=[forms.PROXY, "+15550000002"], body="Hi all"
    ).conversation_sid
    service.settle()
    assert sid is not None
    record = conversation(db, sid)
    assert record["state"] == "assigned"
    assert record["projected_address"] == forms.PROXY
    assert workers_in(service.standin, sid) == ["ann@example.com"]


def test_nonsense_in_the_settings_is_reported_there_and_goes_away(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="pools", create_customers="yes")
    write(service, "+15550000001")
    problem = records.read(db, "settings", "routing")["problem"]
    assert "mode must be exactly none or custom or pool" in problem
    assert "create_customers must be true or false" in problem
    db.document("settings/routing").update({"mode": "pool", "create_customers": True})
    write(service, "+15550000002")
    assert "problem" not in records.read(db, "settings", "routing")
