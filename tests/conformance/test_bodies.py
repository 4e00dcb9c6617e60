"""What the door does with methods and bodies that Twilio would not send."""

import hashlib
import json
from urllib.parse import urlencode

import pytest

from functions.http.webhook import LARGEST_BODY
from tests.conformance.entry_points import METHODS, SIGNED, of_no_interest
from tests.conformance.sender import FORM, Sender

pytestmark = pytest.mark.parametrize("name", SIGNED)
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("method", [method for method in METHODS if method != "POST"])
def test_another_method_is_405_and_says_which_one_to_use(
    twilio: Sender, name: str, method: str
) -> None:
    form, _ = of_no_interest(name)
    for path, query in (("", ""), ("/further", "a=1")):
        answer = twilio.send(name, form, method=method, path=path, query=query)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    by_address_alone = twilio.signature(twilio.url(name, query="EventType=x"), ())
    answer = twilio.send(
        name, method=method, query="EventType=x", signature=by_address_alone
    )
    assert answer.status_code == 405


def test_a_body_up_to_the_limit_is_let_in_and_one_byte_more_is_413(
    twilio: Sender, name: str
) -> None:
    form, status = of_no_interest(name)
    both = {"EventType": "", "Location": "", "AccountSid": twilio.account_sid} | form
    room = LARGEST_BODY - len(urlencode(both | {"Body": ""}))
    assert twilio.send(name, both | {"Body": "x" * room}).status_code == status
    answer = twilio.send(name, both | {"Body": "x" * (room + 1)})
    assert (answer.status_code, str(LARGEST_BODY) in answer.get_data(as_text=True)) == (
        413,
        True,
    )
    assert (
        twilio.send(name, both | {"Body": "x" * (room + 1)}, signature="").status_code
        == 413
    )


def test_a_large_body_with_another_method_is_405(twilio: Sender, name: str) -> None:
    assert (
        twilio.send(name, method="PUT", body=b"x" * (LARGEST_BODY + 1)).status_code
        == 405
    )


def test_json_that_no_hash_in_the_address_covers_is_refused(
    twilio: Sender, name: str
) -> None:
    form, _ = of_no_interest(name)
    body = json.dumps(form).encode()
    assert twilio.send(name, headers=JSON, body=body).status_code == 403
    assert (
        twilio.send(name, headers=JSON, body=body, query="bodySHA256=").status_code
        == 403
    )


def test_json_whose_hash_is_in_the_signed_address_is_genuine_but_says_nothing_to_a_form_reader(
    twilio: Sender, name: str
) -> None:
    body = json.dumps({"EventType": "onConversationAdded"}).encode()
    right = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    wrong = f"bodySHA256={hashlib.sha256(b'another').hexdigest()}"
    assert twilio.send(name, headers=JSON, body=body, query=right).status_code in (
        200,
        400,
        422,
    )
    assert twilio.send(name, headers=JSON, body=body, query=wrong).status_code == 403
    assert (
        twilio.send(name, headers=JSON, body=body + b" ", query=right).status_code
        == 403
    )
    assert (
        twilio.send(
            name, headers=JSON, body=body, query=right, signature=""
        ).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"\xff\xfe\x00"),
        (FORM, b"&&&===%%%"),
        (FORM, b"%ZZ=%1&a"),
        (FORM, b"=" * 10_000),
        (f"{FORM}; charset=utf-16", b"a=1"),
        (f"{FORM}; charset=no-such", b"a=1"),
        ("multipart/form-data", b"--x"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
        ),
        ("multipart/form-data; boundary=\u00e9", b"--"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 5000),
        ("text/plain", b"EventType=onConversationAdd"),
        ("", b"EventType=onConversationAdd"),
        (";;;", b"x"),
    ],
)
def test_a_malformed_body_is_refused(
    twilio: Sender, name: str, kind: str, body: bytes
) -> None:
    forged = twilio.signature(
        twilio.url(name), {"EventType": "onConversationAdd"}, token="another-token"
    )
    for signature in ("", forged):
        answer = twilio.send(
            name, headers={"Content-Type": kind}, body=body, signature=signature
        )
        assert answer.status_code in (400, 403)


def test_blank_values_unknown_parameters_and_repeated_ones_are_let_in_as_twilio_signs_them(
    twilio: Sender, name: str
) -> None:
    form, status = of_no_interest(name)
    blank = form | {"FriendlyName": "", "UniqueName": ""}
    new = form | {
        "AddedByTwilioLastWeek": "1",
        "Überraschung €": "ja & nein + vielleicht = 100 %",
    }
    repeated = [
        ("Media", "b"),
        *form.items(),
        ("Media", "a"),
        ("Media", "b"),
        ("media", "c"),
        ("", "d"),
    ]
    for sent in (blank, new, repeated):
        assert twilio.send(name, sent).status_code == status
