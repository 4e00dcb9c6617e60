"""A genuine request with a field that makes no sense is answered with the field's name, and changes nothing."""

from collections.abc import Callable

import pytest

from tests.conformance.entry_points import (
    CONVERSATION,
    OUR_NUMBER,
    PARTICIPANT,
    REQUIRED,
    SERVICE,
    SIGNED,
    WORKER,
    Form,
    genuine,
)
from tests.conformance.sender import Sender
from tests.service import Service

Stored = Callable[[], dict[str, object]]
DIGITS = "0123456789abcdef0123456789abcdef"
# One must never reach the path of a REST call.
NO_SIDS = [
    "",
    "CH",
    "CH/../../..",
    "CH" + "../" * 10 + "ab",
    "CH" + "..%2F" * 6 + "ab",
    f"CH{DIGITS[:-1]}",
    f"CH{DIGITS}0",
    f"CH{DIGITS}\n",
    f"\nCH{DIGITS}",
    f"CH{DIGITS} ",
    f"CH{DIGITS}/Participants",
    f"CH{DIGITS}?a=1",
    f"CH{DIGITS[:-1]}g",
    f"CH{DIGITS[:-1]}\u0663",
    f"CH{DIGITS[:-1]}\uff11",
    f"\uff23H{DIGITS}",
    f"ch{DIGITS}",
    f"IS{DIGITS}",
    f"CH{DIGITS[:-1]}\x00",
    DIGITS,
    "null",
]
NO_OBJECTS = ["[]", '"{}"', "null", "1", "1.5e3", "true", '[{"a": 1}]']
NO_JSON = [
    "{",
    "{'a': 1}",
    '{"a": 1e999}',
    '{"a": Infinity}',
    '{"a": NaN}',
    '{"a": -Infinity}',
    "{}{}",
    "[" * 8000,
]
NO_JSON += ['{"a": 1' + "0" * 5000 + "}", "\x00", "{} x"]
DEEP = (
    '{"a":' * 3000 + "1" + "}" * 3000
)  # JSON, which Python 3.11 gives up on and 3.13 reads
WITH_SIDS: list[tuple[str, Form, str]] = [
    (name, form | {"StateTo": "closed"}, field)
    for name, form, field in REQUIRED
    if field.endswith("Sid") and name in ("post_event", "routing")
]
WITH_ATTRIBUTES: list[tuple[str, Form]] = [
    ("post_event", genuine("post_event")),
    ("routing", genuine("routing")),
    (
        "post_event",
        {
            "EventType": "onParticipantAdded",
            "ConversationSid": CONVERSATION,
            "ParticipantSid": PARTICIPANT,
            "ChatServiceSid": SERVICE,
            "MessagingBinding.Address": "+447700900002",
            "MessagingBinding.ProxyAddress": OUR_NUMBER,
        },
    ),
]

NONSENSE: list[tuple[str, Form, str]] = [
    (
        "post_event",
        genuine("post_event") | {"MessagingBinding.Address": "x" * 2001},
        "Address",
    ),
    *[
        ("post_event", {"EventType": "onUserAdded", "Identity": identity}, "Identity")
        for identity in (
            "a/b",
            ".",
            "..",
            "__a__",
            "x" * 257,
            "system",
            "US" + "0" * 32,
        )
    ],
    *[
        (
            "post_event",
            {
                "EventType": event,
                "ConversationSid": CONVERSATION,
                "ParticipantSid": PARTICIPANT,
                "Identity": identity,
            },
            "Identity",
        )
        for event in ("onParticipantAdded", "onParticipantRemoved")
        for identity in ("a/b", ".", "..", "__a__", "x" * 257)
    ],
]


class Untouched:
    """Sends what must not do anything, and checks that neither Twilio nor Firestore heard of it."""

    def __init__(self, service: Service, sender: Sender, stored: Stored) -> None:
        self._service = service
        self._sender = sender
        self._stored = stored
        self._before = stored()

    def refuses(
        self, name: str, form: Form | list[tuple[str, str]], field: str
    ) -> None:
        answer = self._sender.send(name, form)
        text = answer.get_data(as_text=True)
        assert (answer.status_code, field in text) == (400, True), (
            f"{form}: {answer.status_code} {text}"
        )

    def check(self) -> None:
        assert self._stored() == self._before
        assert self._service.standin.requests == []


@pytest.fixture
def untouched(service: Service, whole: Sender, stored: Stored) -> Untouched:
    return Untouched(service, whole, stored)


@pytest.mark.parametrize("name", SIGNED)
def test_a_genuine_request_does_what_it_asks(whole: Sender, name: str) -> None:
    answer = whole.send(name, genuine(name) | {"AccountSid": whole.account_sid})
    assert answer.status_code == 200, answer.get_data(as_text=True)


def test_a_missing_field_is_named(untouched: Untouched) -> None:
    for name, form, field in REQUIRED:
        rest = {known: value for known, value in form.items() if known != field}
        untouched.refuses(name, rest, field)
        untouched.refuses(name, rest | {field: ""}, field)
    untouched.check()


def test_a_field_that_is_read_must_not_come_twice(untouched: Untouched) -> None:
    for name, form, field in REQUIRED:
        untouched.refuses(name, [*form.items(), (field, form[field])], field)
        untouched.refuses(name, [*form.items(), (field, "another")], field)
    untouched.check()


@pytest.mark.parametrize("border", [1, 2, 3])
def test_a_field_whose_name_was_cut_is_refused(
    untouched: Untouched, border: int
) -> None:
    """A signature covers names and values without borders between them: Bod and yHello fit that of Body and Hello."""
    sent = "BodyHello"
    form = {"EventType": "onMessageAdded", "Index": "7", "Author": "+447700900001"}
    form |= {"ConversationSid": CONVERSATION, sent[:border]: sent[border:]}
    untouched.refuses("post_event", form, "Body")
    untouched.check()


def test_what_is_no_sid_reaches_neither_twilio_nor_firestore(
    untouched: Untouched,
) -> None:
    for name, form, field in WITH_SIDS:
        for nonsense in NO_SIDS:
            value = (
                nonsense if field == "ConversationSid" else nonsense.replace("CH", "MB")
            )
            untouched.refuses(name, form | {field: value}, field)
    untouched.check()


def test_a_service_that_is_no_sid_is_refused_too(untouched: Untouched) -> None:
    no_services = [
        nonsense.replace("CH", "IS")
        for nonsense in NO_SIDS
        if nonsense[:2] not in ("", "IS")
    ]
    for name, field in (
        ("routing", "ConversationServiceSid"),
        ("post_event", "ChatServiceSid"),
    ):
        for nonsense in no_services:
            untouched.refuses(name, genuine(name) | {field: nonsense}, "ServiceSid")
    untouched.check()


def test_attributes_have_to_be_json_where_they_are_needed(untouched: Untouched) -> None:
    name, introduced = WITH_ATTRIBUTES[2]
    for nonsense in NO_JSON:
        untouched.refuses(name, introduced | {"Attributes": nonsense}, "Attributes")


def test_attributes_nested_without_end_are_read_or_refused(whole: Sender) -> None:
    name, introduced = WITH_ATTRIBUTES[2]
    assert whole.send(name, introduced | {"Attributes": DEEP}).status_code in (200, 400)


@pytest.mark.parametrize(("name", "form"), WITH_ATTRIBUTES)
def test_attributes_that_are_no_object_count_as_nothing(
    whole: Sender, name: str, form: Form
) -> None:
    for odd in NO_OBJECTS:
        assert whole.send(name, form | {"Attributes": odd}).status_code == 200, odd


@pytest.mark.parametrize(
    "odd",
    [
        {"Attributes": "{"},
        {"Attributes": '{"a": NaN}'},
        {"DateCreated": "yesterday"},
        {"DateCreated": "0001-01-01T00:00:00+14:00"},
        {"State": "asleep"},
        {"State": "asleep", "DateCreated": "7", "Attributes": "x"},
    ],
)
def test_a_conversation_is_routed_whatever_stands_in_what_nobody_needs(
    whole: Sender, service: Service, odd: Form
) -> None:
    for name in ("post_event", "routing"):
        sid = f"CH{DIGITS[:-1]}{len(name) % 10}"
        assert (
            whole.send(name, genuine(name) | odd | {"ConversationSid": sid}).status_code
            == 200
        )
        assert service.db.document(f"conversations/{sid}").get().exists


def test_a_change_of_state_counts_whenever_it_is_said_to_have_been(
    whole: Sender, service: Service
) -> None:
    event = {
        "EventType": "onConversationStateUpdated",
        "ConversationSid": CONVERSATION,
        "StateTo": "closed",
    }
    odd = {"StateUpdated": "9999-12-31T23:59:59-14:00", "StateFrom": "asleep"}
    assert whole.send("post_event", event | odd).status_code == 200
    record = service.db.document(f"conversations/{CONVERSATION}").get().to_dict() or {}
    assert record["state"] == "closed"


def test_a_value_that_makes_no_sense_is_refused(untouched: Untouched) -> None:
    for name, form, field in NONSENSE:
        untouched.refuses(name, form, field)
    untouched.check()


@pytest.mark.parametrize(
    "date",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.123Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00+02:00",
    ],
)
def test_a_date_is_read_with_and_without_a_time_zone(whole: Sender, date: str) -> None:
    assert (
        whole.send(
            "post_event", genuine("post_event") | {"DateCreated": date}
        ).status_code
        == 200
    )
    for state in ("inactive", "active"):
        event = {
            "EventType": "onConversationStateUpdated",
            "ConversationSid": CONVERSATION,
        }
        event |= {"StateFrom": "active", "StateTo": state, "StateUpdated": date}
        assert whole.send("post_event", event).status_code == 200
    other = event | {"StateTo": "inactive", "StateUpdated": "2026-01-01T00:00:01Z"}
    assert whole.send("post_event", other).status_code == 200


@pytest.mark.parametrize(
    "nonsense",
    [
        {"Attributes": "{"},
        {"Attributes": "[" * 8000},
        {"Attributes": '{"a": "\\ud800"}'},
        {"Attributes": '{"\\udfff": 1}'},
        {"MessagingBinding.Address": "x" * 2001},
        {"MessagingBinding.Address": ", , ,"},
        {"MessagingBinding.Address": "\x00"},
        {"MessagingBinding.AuthorAddress": "whatsapp:"},
        {"EventType": "x" * 1000},
    ],
)
def test_the_pre_event_answers_every_genuine_request_with_200(
    whole: Sender, service: Service, nonsense: Form
) -> None:
    answer = whole.send("pre_event", genuine("pre_event") | nonsense)
    assert (answer.status_code, type(answer.get_json())) == (200, dict)
    twice = [*genuine("pre_event").items(), *genuine("pre_event").items()]
    assert whole.send("pre_event", twice).get_json() == {}
    assert whole.send("pre_event").get_json() == {}
    assert service.standin.requests == []


def test_attributes_that_no_encoding_can_write_do_not_lose_the_message(
    whole: Sender, service: Service
) -> None:
    service.db.document("customers/ann").update({"avatar": "https://example.com/a.png"})
    for text in ('{"a": "\\ud800"}', '{"\\udfff": 1}'):
        answer = whole.send("pre_event", genuine("pre_event") | {"Attributes": text})
        assert (answer.status_code, type(answer.get_json())) == (200, dict)
    introduced = WITH_ATTRIBUTES[2][1] | {"Attributes": '{"a": "\\ud800"}'}
    assert whole.send("post_event", introduced).status_code < 500


def test_a_worker_may_have_any_identity_that_twilio_and_firestore_take(
    whole: Sender, service: Service
) -> None:
    for identity in (
        WORKER,
        "Zoë",
        "a b+c@example.com",
        "%2e%2e",
        "x" * 256,
        "'",
        "\U0001f600",
    ):
        form = {"EventType": "onUserAdded", "Identity": identity}
        assert whole.send("post_event", form).status_code == 200
        assert service.db.collection("workers").document(identity).get().exists
