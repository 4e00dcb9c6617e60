"""WhatsApp's and Messenger's 24 hours at the inbox: what may be sent, and how a template goes out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests

from providers import clock
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

DAY = 24 * 3600
SID = "HX" + "a" * 32
WA, OUR_WA = f"whatsapp:{ANN}", f"whatsapp:{OURS}"
FREE = {"token": "token-of-a-text", "body": "Hello"}


def passes(service: Service, seconds: float) -> None:
    """Time, for Twilio and for the service."""
    service.standin.advance(seconds)
    service.settle()
    clock.shift(seconds)


def begun(
    service: Service, open_as: Open, channel: str = "whatsapp"
) -> tuple[Page, str]:
    page = open_as(ALICE, status="Available", display_name="Alice")
    service.settle()
    ours = f"{channel}:{OURS}"
    service.standin.set_autocreate(ours)
    sid = str(
        service.standin.inbound(f"{channel}:{ANN}", ours, "Hello").conversation_sid
    )
    service.settle()
    return page, sid


def template(
    service: Service, name: str = "good", content: str = "Hi {{1}}", **fields: Any
) -> str:
    """A record with an approved content template at Twilio; returns the content's SID."""
    variables = fields.pop("variables", {"1": "{{Name}}"})
    samples = dict.fromkeys(variables, "a sample")
    sid = service.standin.add_content(name, content, variables=samples)
    record = {"content": content, "content_sid": sid, "variables": variables, **fields}
    service.db.document(f"templates/{name}").set(record)
    return sid


def send(page: Page, sid: str, **message: Any) -> requests.Response:
    return page.post(
        f"conversations/{sid}/messages", {"token": "token-of-a-message"} | message
    )


def window(page: Page, sid: str) -> Any:
    return page.get(f"conversations/{sid}/messages").json()["window"]


def offered(page: Page, sid: str) -> dict[str, str]:
    listed = page.get(f"conversations/{sid}/templates").json()["categories"]
    return {
        one["id"]: one["content"]
        for category in listed
        for one in category["templates"]
    }


def last(service: Service, sid: str) -> dict[str, Any]:
    return service.standin.messages(sid)[-1]


def state_of(message: dict[str, Any]) -> str:
    return "failed" if message["delivery"]["failed"] != "none" else "delivered"


def posted(service: Service) -> dict[str, Any]:
    """The parameters of the newest message that was asked for at Twilio."""
    made = [one for one in service.standin.requests if one["method"] == "POST"]
    found: dict[str, Any] = [one for one in made if one["path"].endswith("/Messages")][
        -1
    ]["params"]
    return found


def customer(service: Service, **fields: Any) -> None:
    record = {"display_name": "Ann", "addresses": [WA], "worker": ALICE}
    service.db.document("customers/ann").set(record | fields)
    service.settle()


def test_outside_24_hours_a_template_goes_out_as_content_and_arrives(
    service: Service, open_as: Open
) -> None:
    customer(service)
    page, sid = begun(service, open_as)
    content_sid = template(service)
    passes(service, DAY + 5)
    assert send(page, sid, template="good").status_code == 201
    asked = posted(service)
    assert (asked["ContentSid"], json.loads(asked["ContentVariables"])) == (
        content_sid,
        {"1": "Ann"},
    )
    assert "Body" not in asked
    message = last(service, sid)
    assert (message["body"], message["content_sid"], state_of(message)) == (
        "Hi Ann",
        content_sid,
        "delivered",
    )


def test_outside_24_hours_only_content_templates_are_offered(
    service: Service, open_as: Open
) -> None:
    page, sid = begun(service, open_as)
    template(service)
    service.db.document("templates/text").set(
        {"content": "Hello there", "whatsapp_approved": True}
    )
    template(service, "refused", approval={"status": "rejected", "reason": "no"})
    template(service, "approved", approval={"status": "approved"})
    assert set(offered(page, sid)) == {"good", "text", "refused", "approved"}
    passes(service, DAY + 5)
    assert set(offered(page, sid)) == {"good", "approved"}
    for name in ("text", "refused"):
        answer = send(page, sid, template=name)
        assert (answer.status_code, "24 hours" in told(answer)) == (409, True)
    assert len(service.standin.messages(sid)) == 1


@pytest.mark.parametrize(
    ("variables", "record", "wanted"),
    [
        ({"1": "{{Name}}"}, {"display_name": ANN}, {"1": "customer"}),
        (
            {"1": "{{Name}}"},
            {"display_name": ANN, "language": "de-AT"},
            {"1": "Kundin oder Kunde"},
        ),
        (
            {"first name": "{{Name}} "},
            {"display_name": "Miles O'Brien"},
            {"first name": "Miles O'Brien"},
        ),
        (
            {"1": "a\n{{Name}}\t     b"},
            {"display_name": "Ann\u2028Lee"},
            {"1": "a Ann Lee b"},
        ),
        (
            {"1": "{{Author}}: {{customer.city}}"},
            {"city": "Linz"},
            {"1": "Alice: Linz"},
        ),
    ],
)
def test_a_variable_is_never_empty_and_stands_in_one_line(
    service: Service,
    open_as: Open,
    variables: dict[str, str],
    record: dict[str, str],
    wanted: dict[str, str],
) -> None:
    customer(service, **record)
    page, sid = begun(service, open_as)
    template(
        service,
        content="Hi " + ", ".join(f"{{{{{name}}}}}" for name in variables),
        variables=variables,
    )
    passes(service, DAY + 5)
    assert send(page, sid, template="good").status_code == 201
    assert json.loads(posted(service)["ContentVariables"]) == wanted


def test_a_variable_without_a_value_is_not_offered(
    service: Service, open_as: Open
) -> None:
    page, sid = begun(service, open_as)
    template(service, variables={"1": "{{customer.order}}"})
    passes(service, DAY + 5)
    assert offered(page, sid) == {}
    assert send(page, sid, template="good").status_code == 409


@pytest.mark.parametrize("channel", ["whatsapp", "messenger"])
def test_a_free_text_is_refused_after_24_hours(
    service: Service, open_as: Open, channel: str
) -> None:
    page, sid = begun(service, open_as, channel)
    assert window(page, sid)["open"] is True
    passes(service, DAY + 5)
    assert window(page, sid)["open"] is False
    answer = send(page, sid, body="Hello")
    assert (answer.status_code, "24 hours" in told(answer)) == (409, True)
    service.standin.inbound(f"{channel}:{ANN}", f"{channel}:{OURS}", "I am back")
    service.settle()
    assert send(page, sid, body="Hello").status_code == 201


def test_63016_closes_the_window_until_the_customer_writes(
    service: Service, open_as: Open
) -> None:
    page, sid = begun(service, open_as)
    service.standin.refuse_delivery(WA, 63016, "failed")
    assert send(page, sid, body="Hello").status_code == 201
    service.settle()
    assert window(page, sid)["open"] is False
    answer = send(page, sid, token="another-token", body="Hello?")
    assert (answer.status_code, "24 hours" in told(answer)) == (409, True)
    service.standin.refuse_delivery(WA, 0, "delivered")
    clock.shift(1)
    service.standin.advance(1)
    service.standin.inbound(WA, OUR_WA, "I am back")
    service.settle()
    assert window(page, sid)["open"] is True


def first(page: Page, **fields: Any) -> requests.Response:
    wanted = {
        "customer": "ann",
        "channel": "whatsapp",
        "address": ANN,
        "token": "token-of-the-first",
    }
    return page.post("conversations", wanted | fields)


def with_number(service: Service, open_as: Open) -> Page:
    customer(service)
    page = open_as(ALICE, display_name="Alice", addresses=[OUR_WA])
    service.settle()
    return page


def test_writing_first_on_whatsapp_takes_a_template(
    service: Service, open_as: Open
) -> None:
    page = with_number(service, open_as)
    content_sid = template(service)
    answer = first(page, body="Hello")
    assert (answer.status_code, "24 hours" in told(answer)) == (409, True)
    assert service.standin.conversations() == []
    assert first(page, template="missing").status_code == 409
    assert service.standin.conversations() == []
    answer = first(page, template="good")
    assert answer.status_code == 201, answer.text
    message = last(service, answer.json()["sid"])
    assert (message["content_sid"], message["body"], state_of(message)) == (
        content_sid,
        "Hi Ann",
        "delivered",
    )
    assert window(page, answer.json()["sid"])["open"] is False
    assert first(page, template="good").status_code == 200
    assert len(service.standin.messages(answer.json()["sid"])) == 1


def test_an_earlier_conversation_opens_the_window_until_its_24_hours_are_over(
    service: Service, open_as: Open
) -> None:
    page = with_number(service, open_as)
    service.standin.set_autocreate(OUR_WA)
    earlier = str(service.standin.inbound(WA, OUR_WA, "Hello").conversation_sid)
    service.settle()
    service.standin.set_state(earlier, "closed")
    service.settle()
    passes(service, 3600)
    begun_first = first(page, body="Hello again")
    assert begun_first.status_code == 201, begun_first.text
    sid = begun_first.json()["sid"]
    until = window(page, sid)["until"]
    left = timedelta(hours=23)
    assert abs((clock.now() + left).timestamp() - _moment(until)) < 60
    assert state_of(last(service, sid)) == "delivered"
    passes(service, 23 * 3600 + 5)
    assert window(page, sid)["open"] is False


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_another_number_of_ours_has_a_window_of_its_own(
    service: Service, open_as: Open
) -> None:
    page = with_number(service, open_as)
    other = "whatsapp:+15550008888"
    service.standin.set_autocreate(other)
    service.standin.inbound(WA, other, "Hello")
    service.settle()
    assert first(page, body="Hello").status_code == 409


def test_what_can_be_written_first_is_listed_with_the_window(
    service: Service, open_as: Open
) -> None:
    page = with_number(service, open_as)
    template(service)
    service.db.document("templates/text").set({"content": "Hello there"})
    answer = page.get(
        f"customers/ann/templates?channel=whatsapp&address={ANN.replace('+', '%2B')}"
    )
    assert answer.status_code == 200, answer.text
    (category,) = answer.json()["categories"]
    assert [one["id"] for one in category["templates"]] == ["good"]
    assert answer.json()["window"]["open"] is False
    assert (
        page.get(
            "customers/nobody/templates?channel=whatsapp&address=%2B15550001111"
        ).status_code
        == 404
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"channel": "rcs", "body": "Hi"}, "SMS or WhatsApp"),
        ({"channel": "messenger", "body": "Hi"}, "SMS or WhatsApp"),
        ({"channel": 7, "body": "Hi"}, "channel"),
        ({}, "body"),
        ({"body": "Hi", "template": "good"}, "body"),
        ({"body": ["Hi"]}, "body must be text"),
        ({"body": "Hi", "token": "x"}, "token"),
        ({"body": "Hi", "customer": None}, "customer"),
        ({"body": ""}, "body is empty"),
    ],
)
def test_what_is_wrong_with_a_first_message_is_said_in_our_words(
    service: Service, open_as: Open, fields: dict[str, Any], words: str
) -> None:
    answer = first(with_number(service, open_as), **fields)
    assert (answer.status_code, words in told(answer)) == (400, True), answer.text
    for foreign in ("Input", "should", "pydantic", "pattern", "Field required"):
        assert foreign not in told(answer)


def test_sms_has_no_window(service: Service, with_ann: tuple[Page, str]) -> None:
    page, sid = with_ann
    passes(service, 2 * DAY)
    assert window(page, sid) is None
    template(service, content="Hi {{1}}")
    assert send(page, sid, template="good").status_code == 201
    assert (last(service, sid)["body"], last(service, sid)["content_sid"]) == (
        "Hi customer",
        None,
    )


def test_a_template_that_twilio_refuses_is_looked_up_and_no_longer_offered(
    service: Service, open_as: Open
) -> None:
    page, sid = begun(service, open_as)
    content_sid = template(service)
    passes(service, DAY + 5)
    service.standin.approve_content(content_sid, "paused", "low quality")
    assert send(page, sid, template="good").status_code == 201
    service.settle()
    record = service.db.document("templates/good").get().to_dict() or {}
    assert (record["approval"]["status"], record["approval"]["reason"]) == (
        "paused",
        "low quality",
    )
    assert offered(page, sid) == {}


def test_a_template_that_is_gone_at_twilio_is_said_so(
    service: Service, open_as: Open
) -> None:
    page, sid = begun(service, open_as)
    service.standin.remove_content(template(service))
    passes(service, DAY + 5)
    answer = send(page, sid, template="good")
    assert answer.status_code == 409, answer.text
    record = service.db.document("templates/good").get().to_dict() or {}
    assert record["approval"]["status"] == "missing"
    assert offered(page, sid) == {}
