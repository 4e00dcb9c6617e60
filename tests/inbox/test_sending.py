"""Sent once: whatever is lost, tapped twice, done on two devices at once, or breaks in the middle."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from domain.channels import LARGEST_FILE
from functions.http.answers import TooMany
from functions.inbox import send_rate
from proof import seam
from providers import clock, database, outbox
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

TOKEN = "token-of-one-message"
HELLO = {"token": TOKEN, "body": "How can I help?"}
MESSAGES = r"/Conversations/CH\w+/Messages$"
POINTS = [
    seam.COMMITTING,
    seam.COMMITTED,
    seam.CALLING,
    seam.CALLED,
    seam.COMMITTING,
    seam.COMMITTED,
]


def sent(service: Service, sid: str) -> list[str]:
    """What Alice has written, as Twilio has it."""
    return [
        str(one["body"])
        for one in service.standin.messages(sid)
        if one["author"] == ALICE
    ]


def send(page: Page, sid: str, message: Any = None) -> requests.Response:
    return page.post(f"conversations/{sid}/messages", message or HELLO)


def until_answered(page: Page, sid: str, message: Any = None) -> requests.Response:
    """As the page does: the same again, a while later, until it is answered."""
    for _ in range(8):
        try:
            answer = send(page, sid, message)
            if answer.status_code < 429:
                return answer
        except requests.ConnectionError:
            pass  # it died
        clock.shift(15)
    raise AssertionError("never answered")


def test_a_message_is_hers_and_carries_its_token(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    first, again = send(page, sid), send(page, sid)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (
        first.json()
        == again.json()
        == {"index": 1, "sid": service.standin.messages(sid)[1]["sid"]}
    )
    assert sent(service, sid) == ["How can I help?"]
    (shown,) = page.get(f"conversations/{sid}/messages?after=0").json()["messages"]
    assert (shown["token"], shown["from"], shown["body"]) == (
        TOKEN,
        "worker",
        "How can I help?",
    )


def test_two_devices_at_once_send_it_once(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.fail(status=None, delay=0.3, path=MESSAGES, method="POST")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(page, sid), range(8)))
    assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
    assert {one.json()["index"] for one in answers} == {1}
    assert len(sent(service, sid)) == 1


def test_two_messages_with_the_same_text_are_two(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    for token in ("token-0001", "token-0002"):
        assert send(page, sid, {"token": token, "body": "OK"}).status_code == 201
    assert sent(service, sid) == ["OK", "OK"]


def test_an_answer_of_twilios_that_is_lost_is_looked_for(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.fail(drop_answer=True, times=1, path=MESSAGES, method="POST")
    answer = send(page, sid)
    assert (answer.status_code, answer.json()["index"]) == (201, 1)
    assert len(sent(service, sid)) == 1


def test_what_twilio_broke_over_is_sent_by_the_next_try(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    clock.shift(1)  # from here on nobody waits in earnest
    service.standin.fail(status=500, code=0, path=MESSAGES, method="POST")
    answer = send(page, sid)
    assert (answer.status_code, "not known yet" in told(answer)) == (503, True)
    service.standin.heal()
    assert (
        send(page, sid).status_code == 429
    )  # a call that is on its way still may arrive
    assert sent(service, sid) == []
    assert until_answered(page, sid).status_code == 201
    assert len(sent(service, sid)) == 1


def test_what_twilio_was_too_busy_for_may_be_tried_at_once(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.fail(status=429, code=20429, path=MESSAGES, method="POST", times=1)
    assert send(page, sid).status_code == 503
    assert send(page, sid).status_code == 201
    assert len(sent(service, sid)) == 1


Interrupt = Callable[[str], None]


def _die(where: str) -> None:
    raise seam.Crash(where)


def _lose(where: str) -> None:
    """The answer of a commit does not come; Twilio's answers are lost above."""
    if where == seam.COMMITTED:
        raise database.AlreadyThere("lost")


def alone(service: Service) -> None:
    """Nothing else of the service runs, and nobody waits in earnest."""
    service.standin.configure_webhooks(pre_url=None, post_url=None)
    service.settle()
    clock.shift(1)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)  # that is what dying is
@pytest.mark.parametrize("what", [_die, _lose], ids=["dies", "loses the answer"])
def test_interrupted_at_any_point_it_is_sent_once(
    service: Service, with_ann: tuple[Page, str], what: Interrupt
) -> None:
    """A point lies before and after each commit and each call to Twilio; the page asks until it is answered."""
    page, sid = with_ann
    alone(service)
    reached = []
    for n in range(len(POINTS) + 1):
        token, seen = f"token-{n:04}", 0

        def interrupt(where: str, n: int = n) -> None:
            nonlocal seen
            seen += 1
            if seen == n + 1:
                reached.append(where)
                what(where)

        body = {"token": token, "body": f"Message {n}"}
        with seam.interrupted_by(interrupt):
            try:
                first = send(page, sid, body)
            except requests.ConnectionError:
                first = None
        answer = (
            first
            if first is not None and first.status_code < 429
            else until_answered(page, sid, body)
        )
        assert answer.status_code in (200, 201), answer.text
        assert sent(service, sid).count(f"Message {n}") == 1, n
    assert reached == POINTS


def test_overtaken_by_itself_at_any_point_it_is_sent_once(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    """The same tap a second time, wholly carried out between any two steps of the first."""
    page, sid = with_ann
    alone(service)
    for n in range(len(POINTS) + 1):
        token, seen = f"token-{n:04}", 0
        inside: list[requests.Response] = []
        body = {"token": token, "body": f"Message {n}"}

        def interrupt(
            where: str,
            n: int = n,
            body: Any = body,
            inside: list[requests.Response] = inside,
        ) -> None:
            nonlocal seen
            seen += 1
            if seen == n + 1:
                inside.append(send(page, sid, body))

        with seam.interrupted_by(interrupt):
            outer = send(page, sid, body)
        answers = [outer, *inside]
        assert any(one.status_code in (200, 201) for one in answers), [
            one.text for one in answers
        ]
        assert until_answered(page, sid, body).status_code == 200
        assert sent(service, sid).count(f"Message {n}") == 1, n


def test_a_lease_outlives_every_request() -> None:
    from functions.table import INBOX

    assert outbox.LEASE.total_seconds() > INBOX.limit


@pytest.mark.parametrize(
    ("message", "status", "sentence"),
    [
        ({"token": TOKEN}, 400, "one of body, template and media"),
        ({"token": TOKEN, "body": "x", "template": "y"}, 400, "one of"),
        ({"token": "short", "body": "x"}, 400, "token"),
        ({"token": "with/a/slash-in-it", "body": "x"}, 400, "token"),
        ({"body": "x"}, 400, "token"),
        ({"token": TOKEN, "body": ""}, 400, "body"),
        ({"token": TOKEN, "body": " \n "}, 400, "empty"),
        ({"token": TOKEN, "body": "x" * 1601}, 413, "1600"),
        ({"token": TOKEN, "body": "😀" * 801}, 413, "1600"),
        ({"token": TOKEN, "template": "nothing"}, 409, "no longer exists"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_a_sentence_and_may_be_mended(
    service: Service,
    with_ann: tuple[Page, str],
    message: Any,
    status: int,
    sentence: str,
) -> None:
    page, sid = with_ann
    answer = send(page, sid, message)
    assert (answer.status_code, sentence in told(answer)) == (status, True), answer.text
    assert sent(service, sid) == []
    assert send(page, sid).status_code == 201  # under the same token


def test_the_longest_text_is_sent(service: Service, with_ann: tuple[Page, str]) -> None:
    page, sid = with_ann
    assert send(page, sid, {"token": TOKEN, "body": "😀" * 800}).status_code == 201


def test_a_conversation_that_ended_meanwhile_takes_nothing_and_says_so(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.set_state(sid, "closed", wait=False)  # Twilio knows, we do not yet
    answer = send(page, sid)
    assert (answer.status_code, "has ended" in told(answer)) == (409, True)
    service.settle()
    answer = send(page, sid)
    assert (answer.status_code, "has ended" in told(answer)) == (409, True)
    listed = page.get(f"conversations/{sid}/messages").json()
    assert "has ended" in listed["write"] and len(listed["messages"]) == 1


def test_a_template_is_filled_in_here(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.db.document("templates/hi").set(
        {"content": "Hello, this is {{Author}}.", "category": "Greetings"}
    )
    (category,) = page.get(f"conversations/{sid}/templates").json()["categories"]
    assert category == {
        "name": "Greetings",
        "templates": [
            {"id": "hi", "content": "Hello, this is Alice.", "approved": False}
        ],
    }
    assert send(page, sid, {"token": TOKEN, "template": "hi"}).status_code == 201
    assert sent(service, sid) == ["Hello, this is Alice."]


def test_after_24_hours_whatsapp_takes_approved_templates_only(
    service: Service, open_as: Open
) -> None:
    page = open_as(ALICE, status="Available", display_name="Alice")
    service.settle()
    ours = f"whatsapp:{OURS}"
    service.standin.set_autocreate(ours)
    sid = str(
        service.standin.inbound(f"whatsapp:{ANN}", ours, "Hello").conversation_sid
    )
    service.settle()
    window = page.get(f"conversations/{sid}/messages").json()["window"]
    assert (window["open"], window["until"] is not None) == (True, True)
    clock.shift(24 * 3600 + 5)
    service.db.document("templates/any").set({"content": "Still there?"})
    service.db.document("templates/text").set(
        {"content": "Still there?", "whatsapp_approved": True}
    )
    content_sid = service.standin.add_content("good", "Still there?")
    service.db.document("templates/good").set(
        {"content": "Still there?", "content_sid": content_sid}
    )
    assert page.get(f"conversations/{sid}/messages").json()["window"]["open"] is False
    for body in (
        HELLO,
        {"token": TOKEN, "template": "any"},
        {"token": TOKEN, "template": "text"},
    ):
        answer = send(page, sid, body)
        assert (answer.status_code, "24 hours" in told(answer)) == (409, True)
    assert send(page, sid, {"token": TOKEN, "template": "good"}).status_code == 201


def picture(
    content: bytes = b"a picture",
    kind: str = "image/png",
    name: str = "a picture é.png",
) -> Any:
    data = base64.b64encode(content).decode()
    return {"token": TOKEN, "media": {"type": kind, "name": name, "data": data}}


def test_a_picture_is_uploaded_sent_and_shown_to_who_has_the_conversation(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    assert send(page, sid, picture()).status_code == 201
    assert send(page, sid, picture()).status_code == 200
    (shown,) = page.get(f"conversations/{sid}/messages?after=0").json()["messages"]
    (file,) = shown["media"]
    assert (file["type"], file["size"], file["name"]) == (
        "image/png",
        9,
        "a picture é.png",
    )
    answer = page.get(f"conversations/{sid}/media/{file['sid']}")
    assert answer.status_code == 302
    assert requests.get(answer.headers["Location"], timeout=10).content == b"a picture"
    assert answer.headers["Location"].startswith(service.standin.url)
    policy = page.get("").headers["Content-Security-Policy"]
    assert service.standin.url in policy.partition("img-src")[2].partition(";")[0]


def test_a_file_is_not_sent_by_a_worker_who_handed_over_while_it_went_up(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.fail(status=None, delay=2.0, path="Media", method="POST")
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(send, page, sid, picture())
        time.sleep(0.7)
        assert (
            page.post(f"conversations/{sid}/hand-over", {"to": "queue"}).status_code
            == 200
        )
        answer = going.result()
    assert (answer.status_code, "not sent" in told(answer)) == (404, True)
    assert len(service.standin.messages(sid)) == 1


@pytest.mark.parametrize(
    ("media", "status", "sentence"),
    [
        (picture(kind="application/x-msdownload"), 409, "cannot be sent"),
        (picture(kind="text/html"), 409, "cannot be sent"),
        (picture(b"x" * (LARGEST_FILE + 1)), 413, "5 MB"),
        (
            {"token": TOKEN, "media": {"type": "image/png", "name": "x", "data": "*"}},
            400,
            "incomplete",
        ),
        (
            {"token": TOKEN, "media": {"type": "image/png", "name": "", "data": ""}},
            400,
            "media.name",
        ),
        (
            {"token": TOKEN, "media": {"type": "image/png", "name": "x", "data": ""}},
            400,
            "empty",
        ),
    ],
)
def test_a_file_of_a_wrong_kind_or_too_large_is_refused(
    service: Service, with_ann: tuple[Page, str], media: Any, status: int, sentence: str
) -> None:
    page, sid = with_ann
    answer = send(page, sid, media)
    assert (answer.status_code, sentence in told(answer)) == (status, True), answer.text
    assert sent(service, sid) == []


def test_a_customers_picture_is_shown_and_a_file_of_elsewhere_is_not(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    one = service.standin.customers_file(
        "cat.jpg", "image/jpeg", base64.b64encode(b"cat").decode()
    )
    other = service.standin.customers_file(
        "dog.jpg", "image/jpeg", base64.b64encode(b"dog").decode()
    )
    service.standin.inbound(ANN, OURS, None, media=[one])
    (shown,) = page.get(f"conversations/{sid}/messages?after=0").json()["messages"]
    assert (shown["body"], shown["from"], shown["media"][0]["sid"]) == (
        None,
        "customer",
        one["sid"],
    )
    assert page.get(f"conversations/{sid}/media/{one['sid']}").status_code == 302
    for wrong in (other["sid"], "ME" + "0" * 32, "ME1", "..", "x"):
        assert page.get(f"conversations/{sid}/media/{wrong}").status_code == 404


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (30003, "out of reach"),
        (30006, "landline"),
        (63016, "24 hours"),
        (12345, "12345"),
    ],
)
def test_what_could_not_be_delivered_says_why_and_can_be_sent_again(
    service: Service, with_ann: tuple[Page, str], code: int, words: str
) -> None:
    page, sid = with_ann
    service.standin.refuse_delivery(ANN, code)
    send(page, sid)
    service.settle()
    listed = page.get(f"conversations/{sid}/messages").json()
    told_of = listed["messages"][-1]["delivery"]
    assert (told_of["state"], words in told_of["reason"]) == ("undelivered", True), (
        told_of
    )
    assert listed["deliveries"] == [{"index": 1, "delivery": told_of}]
    service.standin.refuse_delivery(ANN, status="delivered")
    assert (
        send(page, sid, {"token": "another-token", "body": HELLO["body"]}).status_code
        == 201
    )
    service.settle()
    again = page.get(f"conversations/{sid}/messages?after=1").json()["messages"][0][
        "delivery"
    ]
    assert (again["state"], again["reason"]) in (("delivered", None), ("sent", None))


def test_older_messages_come_page_by_page_and_in_order(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    for number in range(1, 60):
        service.standin.inbound(ANN, OURS, f"Message {number}", wait=False)
    service.settle(timeout=60)
    newest = page.get(f"conversations/{sid}/messages").json()
    assert [one["index"] for one in newest["messages"]] == list(
        range(10, 60)
    ) and newest["more"]
    older = page.get(f"conversations/{sid}/messages?before=10").json()
    assert [one["index"] for one in older["messages"]] == list(range(10)) and not older[
        "more"
    ]
    assert page.get(f"conversations/{sid}/messages?after=59").json()["messages"] == []
    since = page.get(f"conversations/{sid}/messages?after=3").json()["messages"]
    assert [one["index"] for one in since] == list(range(4, 60))
    for wrong in ("after=x", "before=-1", "after=", "before=1e3"):
        assert page.get(f"conversations/{sid}/messages?{wrong}").status_code == 400


def test_no_text_of_anybody_is_in_the_log(
    service: Service, with_ann: tuple[Page, str], capsys: pytest.CaptureFixture[str]
) -> None:
    page, sid = with_ann
    service.standin.fail(status=400, code=50503, path=MESSAGES, method="POST")
    secret = "the password is swordfish"
    assert send(page, sid, {"token": TOKEN, "body": secret}).status_code == 409
    service.standin.heal()
    send(page, sid, {"token": TOKEN, "body": secret})
    page.get(f"conversations/{sid}/messages")
    output = capsys.readouterr().out
    assert "swordfish" not in output and "Hello" not in output
    assert all(json.loads(line)["severity"] for line in output.splitlines())


def test_a_program_that_sends_as_a_worker_is_slowed_down(
    with_ann: tuple[Page, str],
) -> None:
    page, sid = with_ann
    answers = [
        page.post(
            f"conversations/{sid}/messages",
            {"token": f"token-{number:04}", "body": "x"},
        )
        for number in range(send_rate.BURST + 1)
    ]
    assert [one.status_code for one in answers] == [201] * send_rate.BURST + [429]
    assert "wait a moment" in told(answers[-1])
    again = page.post(
        f"conversations/{sid}/messages", {"token": "token-0000", "body": "x"}
    )
    assert again.status_code == 200  # one that was sent already costs nothing
    clock.shift(send_rate.BURST_SECONDS + 1)
    later = page.post(
        f"conversations/{sid}/messages", {"token": "token-late", "body": "x"}
    )
    assert later.status_code == 201


def test_a_worker_who_never_pauses_is_stopped_in_the_long_run(project: str) -> None:
    for _ in range(send_rate.MOST):
        send_rate.count_one("alice@example.com")
        clock.shift(1)
    with pytest.raises(TooMany, match="10 minutes"):
        send_rate.count_one("alice@example.com")
    send_rate.count_one("bob@example.com")
    clock.shift(send_rate.MOST_SECONDS - send_rate.MOST + 1)
    send_rate.count_one("alice@example.com")
