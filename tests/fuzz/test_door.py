"""Whatever is sent to a function, genuine or not: no input is answered with 500."""

import itertools
import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.entry_points import (
    METHODS,
    REQUIRED,
    SIGNED,
    genuine,
    of_no_interest,
)
from tests.conformance.sender import FORM, Sender
from tests.fuzz.strategies import AWKWARD, any_text, json_texts, sids

# The fixtures are one service for all examples on purpose; a busy machine is no failure.
on_one_service = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
REFUSALS = {
    400,
    403,
    404,
    405,
    413,
}  # 404: the framework itself, for a path with a line break
ANSWERS = {
    200,
    400,
    403,
    404,
    422,
    503,
}  # 503: the emulator had too little of a busy machine

NAMES = [
    "EventType",
    "Location",
    "Attributes",
    "ConversationSid",
    "MessageSid",
    "Index",
    "Author",
    "Body",
    "Media",
    "Source",
    "Status",
    "ErrorCode",
    "DateUpdated",
    "ParticipantSid",
    "ChatServiceSid",
    "ConversationServiceSid",
    "Identity",
    "State",
    "StateTo",
    "StateFrom",
    "StateUpdated",
    "DateCreated",
    "Reason",
    "FriendlyName",
    "Worker",
    "CustomerId",
    "ChannelType",
    "ChannelValue",
    "PageSize",
    "NextPageToken",
    "Anchor",
    "Query",
    "MessagingBinding.Address",
    "MessagingBinding.AuthorAddress",
    "MessagingBinding.ProxyAddress",
    "MessagingBinding.ProjectedAddress",
]
values = (
    any_text
    | sids("CH")
    | sids("MB")
    | json_texts.map(json.dumps)
    | st.sampled_from(["initializing", "closed"])
)
# Surrogates cannot be sent: a form is UTF-8.
sendable = values.map(lambda text: text.encode(errors="replace").decode())
changes = st.dictionaries(st.sampled_from(NAMES), sendable, max_size=3)
headers = st.dictionaries(
    st.sampled_from(
        [
            "Content-Type",
            "X-Twilio-Signature",
            "X-Twilio-Webhooks-Signature-Settings",
            "X-Cloud-Trace-Context",
            "X-Forwarded-Host",
            "Cookie",
            "Accept",
        ]
    ),
    st.sampled_from(
        [
            FORM,
            "application/json",
            "multipart/form-data; boundary=x",
            "=,=;",
            "algorithm=HMAC_SHA256",
        ]
    )
    | st.text(
        st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"),
        max_size=40,
    ),
    max_size=4,
)


def forms_of(name: str) -> list[dict[str, str]]:
    """Every kind of request that this function knows, and one that it does not."""
    return [
        genuine(name),
        of_no_interest(name)[0],
        {},
        *(form for other, form, _ in REQUIRED if other == name),
    ]


@pytest.mark.parametrize("name", SIGNED)
def test_no_genuine_request_is_answered_with_500(whole: Sender, name: str) -> None:
    @settings(on_one_service, max_examples=30)
    @given(
        form=st.sampled_from(forms_of(name)),
        changed=changes,
        dropped=st.sets(st.sampled_from(NAMES), max_size=1),
        query=st.text(max_size=20),
    )
    def send(
        form: dict[str, str], changed: dict[str, str], dropped: set[str], query: str
    ) -> None:
        sent = {
            field: value
            for field, value in (form | changed).items()
            if field not in dropped
        }
        answer = whole.send(name, sent, query=quote(query, errors="replace"))
        # Twilio always names its account: a request that does not is not genuine.
        expected = {200} if name == "pre_event" and "AccountSid" in sent else ANSWERS
        assert answer.status_code in expected, answer.get_data(as_text=True)
        assert answer.get_data() == b"" or answer.is_json

    send()


@pytest.mark.parametrize("name", SIGNED)
def test_no_awkward_value_in_any_field_is_answered_with_500(
    whole: Sender, name: str
) -> None:
    for field, value in itertools.product(genuine(name), AWKWARD):
        answer = whole.send(name, genuine(name) | {field: value})
        assert answer.status_code in ANSWERS, (field, answer.get_data(as_text=True))


@pytest.mark.parametrize("name", SIGNED)
def test_nothing_that_is_not_genuine_gets_past_the_door(
    twilio: Sender, name: str
) -> None:
    @settings(on_one_service, max_examples=30)
    @given(
        method=st.sampled_from(METHODS),
        path=st.text(max_size=10).map(lambda text: "/" + quote(text, errors="replace")),
        query=st.text(max_size=10),
        given_headers=headers,
        body=st.binary(max_size=300)
        | any_text.map(lambda text: text.encode(errors="replace")),
    )
    def send(
        method: str, path: str, query: str, given_headers: dict[str, str], body: bytes
    ) -> None:
        forged = given_headers.pop("X-Twilio-Signature", "")
        answer = twilio.send(
            name,
            method=method,
            path=path,
            query=quote(query, errors="replace"),
            headers=given_headers,
            body=body,
            signature=forged.strip(),
        )
        assert answer.status_code in REFUSALS

    send()
