"""A customer opts out: the conversation needs no worker, nothing is sent, and a later message is routed again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.cloud.firestore import Client

from assignment import answers
from providers import conversations, opt_outs, twilio
from providers import messages as at_twilio
from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.core.test_mended import untold
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
ADA, OURS = "+15550000001", forms.PROXY
TEXTS = {"queued": "Please hold.", "assigned": "{{Author}} is here."}


def write(service: Service, body: str, address: str = ADA, ours: str = OURS) -> str:
    service.standin.set_autocreate(ours)
    sid = service.standin.inbound(address, ours, body).conversation_sid
    service.settle()
    assert sid is not None
    return sid


def said(service: Service, sid: str) -> list[str]:
    return [m["body"] for m in service.standin.messages(sid) if m["author"] == "system"]


def texts(db: Client) -> None:
    records.pool(db, "default", display_name="Sales", texts=TEXTS)


def is_opted_out(db: Client, address: str = ADA) -> bool:
    """By the one record that outlives everything; the customers' copies say the same."""
    known = opt_outs.load(address).since
    listed = [one.to_dict() or {} for one in db.collection("customers").stream()]
    copies = {
        address in (one.get("opted_out") or {})
        for one in listed
        if address in one["addresses"]
    }
    assert copies <= {known is not None}, (known, listed)
    return known is not None


def left_out(service: Service, db: Client, sid: str) -> None:
    record = conversation(db, sid)
    assert (
        record["state"],
        record["worker"],
        record["awaiting_since"],
        record["unread"],
    ) == (
        "unrouted",
        None,
        None,
        0,
    )
    assert not is_pending(db, sid)
    assert workers_in(service.standin, sid) == []
    whys = [line["why"] for line in record["log"] if line["what"] == "unrouted"]
    assert whys[-1] == "the customer has written nothing but an opt-out word"
    assert (record["arrived_at"], record["leaving"]) == (None, None)


@pytest.mark.parametrize("word", ["STOP", "Unsubscribe", " cancel. "])
@pytest.mark.parametrize("channel", ["", "whatsapp:"])
@pytest.mark.parametrize("status", ["Available", "Unavailable"])
def test_an_opt_out_as_the_first_message_needs_no_worker_and_gets_no_text(
    service: Service, db: Client, word: str, channel: str, status: str
) -> None:
    texts(db)
    records.worker(db, ANN, status)
    service.settle()
    sid = write(service, word, channel + ADA, channel + OURS)
    with later(timedelta(seconds=40)):
        sweep(service)
    left_out(service, db, sid)
    assert records.active(db, ANN) == 0
    assert said(service, sid) == []
    assert is_opted_out(db, channel + ADA)


@pytest.mark.parametrize(
    "text", ["Please stop by", "STOP 12345", "CANCEL my order", "yes", "HELP"]
)
def test_an_ordinary_message_with_such_a_word_is_routed(
    service: Service, db: Client, text: str
) -> None:
    sid = write(service, text)
    assert conversation(db, sid)["state"] == "queued"
    assert conversation(db, sid)["awaiting_since"] is not None
    assert not is_opted_out(db)
    assert not list(db.collection("opt_outs").stream())


def test_help_is_routed_without_a_text(service: Service, db: Client) -> None:
    texts(db)
    sid = write(service, "Help")
    assert (conversation(db, sid)["state"], said(service, sid)) == ("queued", [])
    other = write(service, "Help me", "+15550000002")
    assert said(service, other) == ["Please hold."]


@pytest.mark.parametrize("address", ["PAYPAL", "68849"])
def test_senders_that_read_nothing_get_no_text(
    service: Service, db: Client, address: str
) -> None:
    texts(db)
    sid = write(service, "Your code is 123456", address)
    assert (conversation(db, sid)["state"], said(service, sid)) == ("queued", [])


def test_an_opt_out_while_queued_stops_the_texts_and_keeps_the_place(
    service: Service, db: Client
) -> None:
    texts(db)
    records.worker(db, ANN, "Unavailable", display_name="Ann")
    service.settle()
    sid = write(service, "Hello")
    assert said(service, sid) == ["Please hold."]
    write(service, "STOP")
    record = conversation(db, sid)
    assert (record["state"], record["unread"]) == ("queued", 1)
    assert record["opted_out_at"] == opt_outs.load(ADA).since
    records.set_status(db, ANN, "Available")
    service.settle()
    assert conversation(db, sid)["state"] == "assigned"
    assert said(service, sid) == ["Please hold."]


def test_an_opt_out_that_no_webhook_told_stops_the_text(
    service: Service, db: Client
) -> None:
    texts(db)
    records.worker(db, ANN, "Unavailable", display_name="Ann")
    service.settle()
    sid = write(service, "Hello")
    untold(service)
    write(service, "STOP")
    records.set_status(db, ANN, "Available")
    service.settle()
    assert conversation(db, sid)["state"] == "assigned"
    assert said(service, sid) == ["Please hold."]


@pytest.mark.parametrize(
    ("lost", "sent"),
    [
        (("STOP", "Hello?"), False),
        (("STOP", "Hello?", "START"), True),
        (("START", "STOP", "Hello?", "Hello?"), False),
    ],
)
def test_a_lost_opt_out_stops_the_text_whatever_follows_it(
    service: Service, db: Client, lost: tuple[str, ...], sent: bool
) -> None:
    texts(db)
    records.worker(db, ANN, "Unavailable", display_name="Ann")
    service.settle()
    sid = write(service, "Hello")
    untold(service)
    for body in lost:
        write(service, body)
    records.set_status(db, ANN, "Available")
    service.settle()
    assert conversation(db, sid)["state"] == "assigned"
    assert said(service, sid) == ["Please hold.", *(["Ann is here."] if sent else [])]


def test_a_later_start_elsewhere_outweighs_an_opt_out_here(
    service: Service, db: Client
) -> None:
    texts(db)
    records.worker(db, ANN, "Unavailable", display_name="Ann")
    service.settle()
    sid = write(service, "Hello")
    write(service, "STOP")
    service.standin.advance(2)
    with later(timedelta(seconds=2)):
        write(service, "START", ours="+15550008888")
        records.set_status(db, ANN, "Available")
        service.settle()
    assert "Ann is here." in said(service, sid)


def test_a_later_message_routes_it_with_the_age_of_that_message(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "STOP")
    left_out(service, db, sid)
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    write(service, "Where is my order?")
    record, entry = (
        conversation(db, sid),
        records.read(db, "pending_conversations", sid),
    )
    asked = record["last_message"]["at"]
    assert (record["state"], record["mode"], record["unread"]) == ("queued", "pool", 1)
    assert (
        record["awaiting_since"]
        == record["queued_at"]
        == record["created_at"]
        == entry["queued_at"]
        == asked
    )
    records.set_status(db, ANN, "Available")
    service.settle()
    assert workers_in(service.standin, sid) == [ANN]
    assert conversation(db, sid)["waited"] < 30


def test_start_lifts_it_in_both_places_and_is_routed(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "STOP")
    write(service, "Start")
    assert not is_opted_out(db)
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["opted_out_at"]) == (
        "assigned",
        ANN,
        None,
    )


def test_start_to_another_number_of_ours_lifts_it_everywhere(
    service: Service, db: Client
) -> None:
    sid = write(service, "Hello")
    write(service, "STOP")
    other = write(service, "Hello", ours="+15550008888")
    assert (
        conversation(db, other)["opted_out_at"] == conversation(db, sid)["opted_out_at"]
    )
    write(service, "UNSTOP", ours="+15550008888")
    assert not is_opted_out(db)
    assert [conversation(db, one)["opted_out_at"] for one in (sid, other)] == [
        None,
        None,
    ]


def test_sms_and_whatsapp_are_different_addresses(service: Service, db: Client) -> None:
    write(service, "STOP", f"whatsapp:{ADA}", f"whatsapp:{OURS}")
    assert is_opted_out(db, f"whatsapp:{ADA}")
    assert opt_outs.load(ADA).since is None
    sid = write(service, "Hello")
    assert (conversation(db, sid)["state"], conversation(db, sid)["opted_out_at"]) == (
        "queued",
        None,
    )


def test_the_settings_add_words(service: Service, db: Client) -> None:
    records.routing(db, opt_out_words=["ARRÊT"])
    left_out(service, db, write(service, "arrêt"))
    assert is_opted_out(db)


def test_mode_none_stays_as_it_is(service: Service, db: Client) -> None:
    records.pool(db, "news", addresses=[OURS], mode="none")
    sid = write(service, "STOP")
    assert is_opted_out(db)
    write(service, "Hello")
    record = conversation(db, sid)
    assert (record["state"], record["mode"], record["left_out"]) == (
        "unrouted",
        "none",
        False,
    )


def test_a_customer_without_a_record_is_remembered(
    service: Service, db: Client
) -> None:
    texts(db)
    records.routing(db, create_customers=False)
    sid = write(service, "STOP")
    service.standin.set_state(sid, "closed")
    service.settle()
    after = write(service, "Hello again")
    assert not list(db.collection("customers").stream())
    assert (
        conversation(db, after)["opted_out_at"] == opt_outs.load(ADA).since is not None
    )
    assert (conversation(db, after)["state"], said(service, after)) == ("queued", [])
    assert all(
        ADA not in str(one.to_dict()) + one.id
        for one in db.collection("opt_outs").stream()
    )


def test_a_record_that_is_made_again_is_opted_out_at_once(
    service: Service, db: Client
) -> None:
    records.customer(db, "ada", addresses=[ADA])
    write(service, "STOP")
    db.document("customers/ada").delete()
    service.settle()
    records.customer(db, "ada2", addresses=["+1 555 000 0001"])
    service.settle()
    assert records.read(db, "customers", "ada2")["opted_out"] == {
        ADA: opt_outs.load(ADA).since
    }


def test_an_entry_that_only_the_record_has_counts_everywhere(
    service: Service, db: Client
) -> None:
    at = conversations.BEFORE_ALL.replace(year=2026)
    records.customer(db, "ada", addresses=[ADA], opted_out={ADA: at})
    service.settle()
    assert opt_outs.load(ADA).since == at
    sid = write(service, "Hello")
    assert conversation(db, sid)["opted_out_at"] == at


# Repeats, reordering, losses and crashes


def message(
    service: Service, sid: str, index: int, body: str, author: str = ADA, at: str = ""
) -> None:
    form = forms.message(
        sid,
        index,
        author,
        Body=body,
        DateCreated=at or f"2026-11-23T10:00:0{index}.000Z",
    )
    assert service.post("post_event", form).status == "200 OK"
    service.settle()


def test_twice_is_once(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.webhook_trouble(repeat=3)
    sid = write(service, "STOP")
    with later(timedelta(seconds=40)):
        sweep(service)
    left_out(service, db, sid)
    assert records.active(db, ANN) == 0
    stored = records.read(db, "conversations", sid)
    assert [line["what"] for line in stored["log"]].count("opted out") == 1


def test_stop_told_after_start_is_the_older_one(service: Service, db: Client) -> None:
    sid = write(service, "Hello")
    message(service, sid, 2, "START")
    message(service, sid, 1, "STOP")
    assert not is_opted_out(db)
    assert conversation(db, sid)["opted_out_at"] is None
    message(service, sid, 4, "START")
    message(service, sid, 3, "STOP")
    message(service, sid, 3, "STOP")
    assert not is_opted_out(db)
    message(service, sid, 5, "STOP")
    message(service, sid, 4, "START")
    assert is_opted_out(db)


def test_a_message_before_the_record_is_seen_by_the_arrival(
    service: Service, db: Client
) -> None:
    texts(db)
    records.worker(db, ANN)
    service.settle()
    untold(service)
    sid = write(service, "STOP")
    message(service, sid, 0, "STOP")
    assert conversation(db, sid)["state"] == "unrouted"
    assert (
        service.post("post_event", forms.conversation_added(sid, ADA)).status
        == "200 OK"
    )
    assert service.post("routing", forms.routed(sid, ADA)).status == "200 OK"
    service.settle()
    left_out(service, db, sid)
    assert said(service, sid) == []


def test_one_that_no_webhook_told_is_left_out_by_the_sweep(
    service: Service, db: Client
) -> None:
    texts(db)
    records.worker(db, ANN)
    service.settle()
    untold(service)
    sid = write(service, "STOP")
    with later(timedelta(minutes=1)):
        sweep(service)
        sweep(service)
        left_out(service, db, sid)
        assert said(service, sid) == []
        assert "conversations whose webhook never came" not in sweep(service)
        write(service, "Hello")
        sweep(service)
        assert conversation(db, sid)["state"] == "assigned"


def test_a_left_out_one_that_was_closed_unheard_ends(
    service: Service, db: Client
) -> None:
    sid = write(service, "STOP")
    untold(service)
    service.standin.set_state(sid, "closed")
    sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["arrived_at"]) == ("closed", None)


@pytest.mark.parametrize("state", ["queued", "assigned", "inactive"])
def test_whatever_became_of_it_before_the_word_was_heard(
    service: Service, db: Client, state: str
) -> None:
    records.worker(db, ANN, "Unavailable" if state == "queued" else "Available")
    service.settle()
    service.standin.webhook_trouble(lose=1.0, events=["onMessageAdded"])
    sid = write(service, "STOP")
    service.standin.heal()
    if state == "inactive":
        service.standin.set_state(sid, "inactive")
        service.settle()
    assert conversation(db, sid)["state"] == state
    message(service, sid, 0, "STOP")
    left_out(service, db, sid)
    assert records.active(db, ANN) == 0
    service.standin.heal()
    sweep(service)
    left_out(service, db, sid)


def test_a_slot_that_comes_free_by_it_is_used(service: Service, db: Client) -> None:
    records.worker(db, ANN, capacity=1)
    service.settle()
    service.standin.webhook_trouble(lose=1.0, events=["onMessageAdded"])
    sid = write(service, "STOP")
    waiting = write(service, "Hello", "+15550000002")
    assert conversation(db, waiting)["state"] == "queued"
    message(service, sid, 0, "STOP")
    assert workers_in(service.standin, waiting) == [ANN]


def test_a_crash_before_twilio_is_told_is_finished_by_the_sweep(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.webhook_trouble(lose=1.0, events=["onMessageAdded"])
    sid = write(service, "STOP")
    service.standin.fail(path="Participants", method="DELETE")
    service.post("post_event", forms.message(sid, 0, ADA, Body="STOP"))
    service.settle()
    record = conversation(db, sid)
    assert (record["state"], record["leaving"], records.active(db, ANN)) == (
        "unrouted",
        ANN,
        0,
    )
    assert workers_in(service.standin, sid) == [ANN]
    service.standin.heal()
    with later(timedelta(minutes=1)):
        sweep(service)
    left_out(service, db, sid)


@pytest.mark.parametrize("has_added", [True, False])
def test_while_a_worker_is_being_added_they_are_taken_out_again(
    service: Service, db: Client, has_added: bool
) -> None:
    """The one who adds them has crashed, before Twilio was told or after."""
    records.worker(db, ANN)
    service.settle()
    service.standin.webhook_trouble(lose=1.0, events=["onMessageAdded"])
    service.standin.fail(path="Participants", method="POST", drop_answer=has_added)
    sid = write(service, "STOP")
    service.standin.heal()
    assert conversation(db, sid)["state"] == "assigning"
    assert workers_in(service.standin, sid) == ([ANN] if has_added else [])
    message(service, sid, 0, "STOP")
    assert conversation(db, sid)["state"] == "unrouted"
    with later(timedelta(minutes=1)):
        sweep(service)
    left_out(service, db, sid)
    assert records.active(db, ANN) == 0


def test_a_worker_who_has_written_keeps_it(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.webhook_trouble(lose=1.0, events=["onMessageAdded"])
    sid = write(service, "STOP")
    service.standin.heal()
    message(service, sid, 1, "How can I help?", ANN)
    message(service, sid, 0, "STOP")
    assert conversation(db, sid)["state"] == "assigned"


def test_one_whose_worker_wrote_first_keeps_its_worker(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "Hello")
    service.standin.worker_message(sid, ANN, "Hi")
    write(service, "STOP")
    assert (conversation(db, sid)["state"], workers_in(service.standin, sid)) == (
        "assigned",
        [ANN],
    )
    assert is_opted_out(db)


# Twilio's own refusal


@pytest.mark.parametrize("is_lost", [False, True])
def test_twilios_error_opts_out(service: Service, db: Client, is_lost: bool) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "Hello")
    service.standin.refuse_delivery(ADA, 21610, "failed")
    if is_lost:
        untold(service)
    service.standin.worker_message(sid, ANN, "Hi")
    service.settle()
    if is_lost:
        sweep(service)
    assert is_opted_out(db)
    assert conversation(db, sid)["opted_out_at"] == opt_outs.load(ADA).since
    assert conversation(db, sid)["log"][-1]["what"] == "opted out"
    service.standin.refuse_delivery(ADA, 0, "delivered")
    write(service, "START")
    if is_lost:
        sweep(service)
    assert not is_opted_out(db)


def test_another_error_opts_nobody_out(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "Hello")
    service.standin.refuse_delivery(ADA, 30003)
    service.standin.worker_message(sid, ANN, "Hi")
    service.settle()
    assert not is_opted_out(db)


def test_a_text_that_twilio_refuses_at_once_opts_out(
    service: Service, db: Client
) -> None:
    texts(db)
    service.standin.fail(status=400, code=21610, path="Messages", method="POST")
    sid = write(service, "Hello")
    assert said(service, sid) == []
    assert is_opted_out(db)


def test_an_opt_out_between_two_looks_of_the_sweep_is_not_taken_back(
    service: Service, db: Client
) -> None:
    """The sweep hears it while it decides whether the worker was too slow."""
    records.pool(db, "default", answer_within=30)
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "Hello")
    untold(service)
    write(service, "STOP")
    told = [
        at_twilio.of_twilio(one)
        for one in twilio.messages(conversations.load(sid), 20).body
    ]
    with later(timedelta(minutes=2)):
        sweep(service)
    assert is_opted_out(db)
    assert not answers.hear(conversations.load(sid), told)
