"""Every answer has the fields and forms of Twilio's own description of its API."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import urllib3

from local.twilio import StandIn
from tests.standin.conftest import ANN, OURS
from tests.standin.schemas import check, check_answer

Json = dict[str, Any]
KIM = "kim@example.com"


class Rest:
    """Plain REST calls, so that the whole answer can be looked at."""

    def __init__(self, twilio: StandIn) -> None:
        self.url = twilio.url
        login = f"{twilio.account_sid}:{twilio.auth_token}"
        self.headers = urllib3.make_headers(basic_auth=login)
        self.http = urllib3.PoolManager()

    def call(self, method: str, path: str, **form: str) -> tuple[int, Json]:
        fields = {name.replace("__", "."): value for name, value in form.items()}
        answer = self.http.request_encode_body(
            method,
            self.url + path,
            fields=fields,
            headers=self.headers,
            encode_multipart=False,
        )
        return answer.status, answer.json() if answer.data else {}

    def get(self, path: str) -> Json:
        answer = self.http.request("GET", self.url + path, headers=self.headers)
        assert answer.status == 200, answer.data
        content: Json = answer.json()
        return content

    def post(self, path: str, **form: str) -> Json:
        status, content = self.call("POST", path, **form)
        assert status in (200, 201), content
        return content


@pytest.fixture
def rest(twilio: StandIn) -> Iterator[Rest]:
    made = Rest(twilio)
    yield made
    made.http.clear()


@pytest.fixture
def conversation(twilio: StandIn) -> str:
    """One with a customer, a message and a worker."""
    sid = twilio.inbound(ANN, OURS, "Hello").conversation_sid or ""
    twilio.worker_join(sid, KIM)
    return sid


CONVERSATION = "/Conversations/{ConversationSid}"
FORMS = [
    ("", "conversations.v1."),
    ("/Services/{ChatServiceSid}", "conversations.v1.service.service_"),
]


@pytest.mark.parametrize(("form", "schema"), FORMS, ids=["short", "service"])
def test_conversations_and_what_is_in_them_fit_the_description(
    rest: Rest, twilio: StandIn, conversation: str, form: str, schema: str
) -> None:
    base = "/v1" + form.replace("{ChatServiceSid}", twilio.default_service_sid)
    here = f"{base}/Conversations/{conversation}"
    inner = f"{schema}conversation.{'service_' if form else ''}conversation"
    check(rest.get(here), f"{schema}conversation")
    check(
        rest.post(f"{base}/Conversations", FriendlyName="A", Timers__Closed="PT1H"),
        f"{schema}conversation",
    )
    for name, key, suffix in (
        ("Participants", "participants", "participant"),
        ("Messages", "messages", "message"),
    ):
        listed = rest.get(f"{here}/{name}")
        check_answer(listed, "get", f"/v1{form}{CONVERSATION}/{name}", 200)
        for one in listed[key]:
            check(one, f"{inner}_{suffix}")
            assert rest.get(f"{here}/{name}/{one['sid']}") == one
            assert (
                one["url"]
                == f"https://conversations.twilio.com{here}/{name}/{one['sid']}"
            )
    sent = rest.post(f"{here}/Messages", Body="Hi", Author=KIM)
    check(sent, f"{inner}_message")
    assert sent["delivery"] is None and twilio.settle()
    receipts = rest.get(f"{here}/Messages/{sent['sid']}/Receipts")
    check_answer(
        receipts,
        "get",
        f"/v1{form}{CONVERSATION}/Messages/{{MessageSid}}/Receipts",
        200,
    )
    (receipt,) = receipts["delivery_receipts"]
    check(
        receipt,
        f"{inner}_message.{'service_' if form else ''}conversation_message_receipt",
    )
    check(rest.post(f"{here}/Participants", Identity="lee"), f"{inner}_participant")
    check_answer(
        rest.get(f"{base}/Conversations"), "get", f"/v1{form}/Conversations", 200
    )


@pytest.mark.parametrize(("form", "schema"), FORMS, ids=["short", "service"])
def test_users_fit_the_description(
    rest: Rest, twilio: StandIn, conversation: str, form: str, schema: str
) -> None:
    base = "/v1" + form.replace("{ChatServiceSid}", twilio.default_service_sid)
    check(rest.get(f"{base}/Users/{KIM}"), f"{schema}user")
    check(
        rest.post(f"{base}/Users", Identity="lee", FriendlyName="Lee"), f"{schema}user"
    )
    check_answer(rest.get(f"{base}/Users"), "get", f"/v1{form}/Users", 200)


def test_configurations_fit_the_description(rest: Rest, twilio: StandIn) -> None:
    service = f"/v1/Services/{twilio.default_service_sid}"
    v1 = "conversations.v1"
    check(rest.get("/v1/Configuration"), f"{v1}.configuration")
    timed = rest.post(
        "/v1/Configuration", DefaultInactiveTimer="PT90S", DefaultClosedTimer="PT1H"
    )
    assert (timed["default_inactive_timer"], timed["default_closed_timer"]) == (
        "PT90S",
        "PT60M",
    )
    check(
        rest.get("/v1/Configuration/Webhooks"),
        f"{v1}.configuration.configuration_webhook",
    )
    hooks = f"{v1}.service.service_configuration.service_webhook_configuration"
    check(rest.get(f"{service}/Configuration/Webhooks"), hooks)
    check(rest.get(service), f"{v1}.service")
    check(rest.post("/v1/Services", FriendlyName="Second"), f"{v1}.service")
    check_answer(rest.get("/v1/Services"), "get", "/v1/Services", 200)


def test_address_configurations_fit_the_description(rest: Rest) -> None:
    made = rest.post(
        "/v1/Configuration/Addresses",
        Type="sms",
        Address=ANN,
        AutoCreation__Enabled="true",
    )
    check(made, "conversations.v1.configuration_address")
    listed = rest.get("/v1/Configuration/Addresses?Type=sms")
    check_answer(listed, "get", "/v1/Configuration/Addresses", 200)
    assert rest.get("/v1/Configuration/Addresses/%2B15550000001") == made
    assert rest.get(f"/v1/Configuration/Addresses/{made['sid']}") == made


def test_an_answer_that_does_not_fit_is_noticed(rest: Rest, conversation: str) -> None:
    whole = rest.get(f"/v1/Conversations/{conversation}")
    wrongs: list[Json] = [
        {"sid": "CH1"},
        {"state": "open"},
        {"date_created": "yesterday"},
        {"attributes": {}},
    ]
    for wrong in wrongs:
        with pytest.raises((jsonschema.ValidationError, AssertionError)):
            check({**whole, **wrong}, "conversations.v1.conversation")
    with pytest.raises(AssertionError, match="lacks"):
        check({"sid": conversation}, "conversations.v1.conversation")
