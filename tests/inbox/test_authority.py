"""Whose is what: nobody sees or touches another's conversation, and every change comes from the page itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from functions.inbox import ROUTES
from tests.core.forms import sid
from tests.inbox.conftest import Open
from tests.inbox.page import ALICE, BOB, Page, told
from tests.service import Service

ELSEWHERE = "https://elsewhere.example.com"
BODIES: dict[str, Any] = {
    "status": {"status": "Available"},
    "messages": {"token": "token-0001", "body": "Hello"},
    "read": {"index": 0},
    "hand-over": {"to": "queue"},
    "close": {},
}


def _addresses(conversation: str) -> list[tuple[str, str]]:
    """Every address of the table that is about one conversation, or about nothing in particular."""
    return [(route.method, _filled(route.path, conversation)) for route in ROUTES]


def _filled(path: str, conversation: str) -> str:
    parts = {"sid": conversation, "media_sid": "ME" + "0" * 32}
    return re.sub(r"<(\w+)>", lambda part: parts.get(part[1], "device-01"), path)


def _ask(page: Page, method: str, path: str, **headers: Any) -> Any:
    if method == "GET":
        return page.get(path)
    return page.post(
        path, BODIES.get(path.rpartition("/")[2], {}), method=method, **headers
    )


def test_nobody_who_is_not_signed_in_gets_anything(browser: Page) -> None:
    for method, path in _addresses(sid()):
        answer = _ask(browser, method, path)
        assert (answer.status_code, answer.json()["sign_in"]) == (401, "sign-in"), (
            method,
            path,
        )


def test_anothers_conversation_is_none(
    service: Service, with_ann: tuple[Page, str], open_as: Open
) -> None:
    _, conversation = with_ann
    bob = open_as(BOB)
    before = service.db.document(f"conversations/{conversation}").get().to_dict()
    said: dict[str, set[str]] = {}
    for where in (conversation, sid(), "CH1", "..", "x" * 300):
        for method, path in _addresses(where):
            if not path.startswith("conversations/"):
                continue
            answer = _ask(bob, method, path)
            assert answer.status_code == 404, (method, path, answer.text)
            said[where] = said.get(where, set()) | {told(answer)}
    assert (
        said[conversation] == said[sid_of(said)]
    )  # the same sentence as for one that does not exist
    assert (
        service.db.document(f"conversations/{conversation}").get().to_dict() == before
    )
    assert len(service.standin.messages(conversation)) == 1
    assert service.standin.conversation(conversation)["state"] == "active"  # type: ignore[index] # it is there


def sid_of(said: dict[str, set[str]]) -> str:
    """The second conversation that was asked for: well formed, and nobody's."""
    return list(said)[1]


def test_who_is_in_it_besides_another_sees_it_and_may_write(
    service: Service, with_ann: tuple[Page, str], open_as: Open
) -> None:
    _, conversation = with_ann
    bob = open_as(BOB)
    service.standin.worker_join(conversation, BOB)
    service.settle()
    (shown,) = bob.state()["conversations"]
    assert (shown["sid"], shown["mine"]) == (conversation, False)
    assert (
        bob.post(
            f"conversations/{conversation}/messages", BODIES["messages"]
        ).status_code
        == 201
    )


def test_a_change_comes_from_the_page_itself(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    alice, conversation = with_ann
    changes = [one for one in _addresses(conversation) if one[0] != "GET"] + [
        ("POST", "sign-out")
    ]
    for method, path in changes:
        for headers in (
            {"X_Inbox": None},
            {"X_Inbox": "0"},
            {"Origin": None},
            {"Origin": "null"},
            {"Origin": ELSEWHERE},
            {"Origin": f"{alice.origin}.example.com"},
        ):
            answer = _ask(alice, method, path, **headers)
            assert (answer.status_code, "inbox itself" in told(answer)) == (
                403,
                True,
            ), (method, path)
    assert len(service.standin.messages(conversation)) == 1
    assert alice.state()["me"]["status"] == "Available"


def test_behind_its_public_address_that_one_is_its_own(
    service: Service, with_ann: tuple[Page, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = with_ann
    kept = (
        f"__Host-inbox={alice.browser.cookies['inbox']}"  # as a browser keeps it there
    )
    monkeypatch.setenv("INBOX_URL", "https://inbox.example.com/")
    assert (
        alice.post("status", {"status": "Unavailable"}, Cookie=kept).status_code == 403
    )
    own = {"Origin": "https://inbox.example.com", "Cookie": kept}
    assert alice.post("status", {"status": "Unavailable"}, **own).status_code == 200


def test_other_methods_and_other_addresses_say_so(with_ann: tuple[Page, str]) -> None:
    alice, conversation = with_ann
    wrong = alice.post("state")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")
    assert (
        alice.post(f"conversations/{conversation}/read", method="PATCH").status_code
        == 405
    )
    for path in (
        "nowhere",
        "conversations",
        "devices",
        "files/nothing.js",
        "files/page.html",
        "files/../table.py",
    ):
        assert alice.get(path).status_code in (404, 405), path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"x",
        b'"text"',
        b"[" * 50_000,
        b'{"token": "\\ud800", "body": "x"}',
        b"\xff",
        b'{"token": 1}',
    ],
)
def test_a_body_that_makes_no_sense_is_400_with_a_sentence(
    with_ann: tuple[Page, str], body: bytes
) -> None:
    alice, conversation = with_ann
    headers = {"X-Inbox": "1", "Origin": alice.origin}
    for path in (
        "status",
        f"conversations/{conversation}/messages",
        "devices/device-01",
        "conversations",
    ):
        method = "PUT" if path.startswith("devices") else "POST"
        answer = alice.browser.request(
            method, alice.url + path, data=body, headers=headers, timeout=20
        )
        assert (answer.status_code, told(answer) != "") == (400, True), (
            path,
            answer.text,
        )


@pytest.mark.parametrize("part", ["{}", "[]", "1", '"a1"', "[[[[]]]]", "1.5"])
def test_a_small_body_of_very_many_values_is_refused_before_it_is_parsed(
    with_ann: tuple[Page, str], part: str
) -> None:
    alice, conversation = with_ann
    headers = {"X-Inbox": "1", "Origin": alice.origin}
    parts = ",".join([part] * (6_000_000 // (len(part) + 1)))
    body = '{"token": "token-0001", "body": "Hello", "x": [' + parts + "]}"
    address = f"{alice.url}conversations/{conversation}/messages"
    answer = alice.browser.post(
        address, data=body.encode(), headers=headers, timeout=20
    )
    assert (answer.status_code, "more than 1000 values" in told(answer)) == (400, True)


def test_a_message_of_nothing_but_brackets_is_a_message(
    with_ann: tuple[Page, str],
) -> None:
    alice, conversation = with_ann
    text = '[{,"\\' * 250
    answer = alice.post(
        f"conversations/{conversation}/messages", {"token": "token-0001", "body": text}
    )
    assert answer.status_code == 201


def test_a_message_that_cannot_be_written_down_is_refused(
    with_ann: tuple[Page, str],
) -> None:
    alice, conversation = with_ann
    headers = {"X-Inbox": "1", "Origin": alice.origin}
    address = f"{alice.url}conversations/{conversation}/messages"
    for body in (
        '{"token": "token-0001", "body": "\\ud800"}',
        '{"token": "token-0001", "body": "x", "y": 1e999}',
    ):
        assert (
            alice.browser.post(
                address, data=body, headers=headers, timeout=20
            ).status_code
            == 400
        )


def test_a_body_past_its_limit_is_413(with_ann: tuple[Page, str]) -> None:
    alice, conversation = with_ann
    assert (
        alice.post("status", {"status": "Available", "more": "x" * 65_536}).status_code
        == 413
    )
    large = {"token": "token-0001", "body": "x", "more": "x" * 7_000_000}
    assert (
        alice.post(f"conversations/{conversation}/messages", large).status_code == 413
    )


def test_what_is_answered_is_for_this_worker_and_this_moment(
    with_ann: tuple[Page, str],
) -> None:
    alice, conversation = with_ann
    for path in ("", "state", f"conversations/{conversation}/messages", "nowhere"):
        answer = alice.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';") and "unsafe" not in policy
        assert ("script-src 'self';" in policy) == (answer.status_code == 200)


def test_every_refusal_has_the_headers_of_a_page(
    service: Service, browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = {
        401: browser.get("state"),
        403: browser.post("status", Origin=ELSEWHERE),
        404: browser.get("nowhere"),
        405: browser.post("state"),
        413: browser.browser.get(f"{browser.url}state", data=b"x", timeout=20),
    }
    monkeypatch.setenv("INBOX_SECRET", "short")
    browser.browser.cookies.set("inbox", "x", path="/")
    refusals[500] = browser.get("state")
    for status, answer in refusals.items():
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store", status
        assert answer.headers["X-Content-Type-Options"] == "nosniff", status
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, (
            status
        )
        assert "Strict-Transport-Security" not in answer.headers, status


def test_over_https_a_browser_never_goes_back_to_http(
    browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INBOX_URL", "https://inbox.example.com")
    for path in ("", "state", "nowhere", "sw.js", "sign-in"):
        assert (
            browser.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"
        ), path


def test_a_name_that_is_script_is_a_name(service: Service, open_as: Open) -> None:
    name = "<script>alert(1)</script>"
    page = open_as(ALICE, display_name=name)
    assert page.state()["me"]["name"] == name
    assert page.get("state").headers["Content-Type"] == "application/json"
    stranger = Page(page.url, page.issuer).sign_in("x<b>y</b>@example.com")
    assert (stranger.status_code, "<b>" in stranger.text) == (403, False)


def test_a_closed_conversation_opens_the_customer_of_today_only_to_their_worker(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    alice, conversation = with_ann
    customer = (
        service.db.document(f"conversations/{conversation}").get().get("customer_id")
    )
    service.db.document(f"customers/{customer}").update(
        {
            "worker": BOB,
            "iban": "DE02 1203",
            "details": {"title": "IBAN", "content": "DE02 1203"},
        }
    )
    service.db.document("templates/iban").set({"content": "Yours: {{customer.iban}}"})
    hidden = [
        f"conversations/{conversation}/{what}" for what in ("customer", "templates")
    ]
    assert [alice.get(path).status_code for path in hidden] == [
        200,
        200,
    ]  # she still talks to Ann
    service.standin.set_state(conversation, "closed")
    service.settle()
    for path in hidden:
        answer = alice.get(path)
        assert (
            answer.status_code,
            "1203" in answer.text,
            "another worker" in told(answer),
        ) == (
            403,
            False,
            True,
        )
    assert (
        alice.get(f"conversations/{conversation}/messages").json()["messages"][0][
            "body"
        ]
        == "Hello"
    )
    service.db.document("settings/routing").set({"crm_open": True})
    assert [alice.get(path).status_code for path in hidden] == [200, 200]
    service.db.document("settings/routing").delete()
    service.db.document(f"customers/{customer}").update({"worker": ALICE})
    assert [alice.get(path).status_code for path in hidden] == [200, 200]
