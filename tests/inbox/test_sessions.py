"""A session ends on the server, and an account that is not the first one's does not get in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from itsdangerous import URLSafeTimedSerializer

from functions.http import session
from functions.inbox.page import PAGE
from local.oidc import Issuer
from providers import configuration
from tests.inbox.conftest import Open
from tests.inbox.page import ALICE, BOB, Page, told
from tests.service import Service


def record(service: Service, identity: str = ALICE) -> dict[str, Any]:
    return service.db.document(f"workers/{identity}").get().to_dict() or {}


def cookie(page: Page) -> str:
    return str(page.browser.cookies["inbox"])


def look(page: Page, *cookies: str) -> requests.Response:
    """GET state with just these cookies, as from another browser."""
    sent = "; ".join(f"inbox={one}" for one in cookies)
    return requests.get(f"{page.url}state", headers={"Cookie": sent}, timeout=20)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(
    service: Service, open_as: Open
) -> None:
    alice, second = open_as(ALICE), open_as(ALICE)
    copied = cookie(alice)
    assert look(alice, copied).status_code == 200
    assert alice.post("sign-out").status_code == 200
    ended = look(alice, copied)
    assert (ended.status_code, ended.json()["sign_in"]) == (401, "sign-in")
    assert second.get("state").status_code == 200  # the other browser stays
    assert open_as(ALICE).get("state").status_code == 200


def test_signing_out_twice_or_after_the_session_ended_is_no_error(
    service: Service, open_as: Open
) -> None:
    alice = open_as(ALICE)
    copied = cookie(alice)
    for _ in range(3):
        alice.browser.cookies.set("inbox", copied, path="/inbox/")
        assert alice.post("sign-out").status_code == 200
    assert len(record(service)["ended_sessions"]) == 1


def test_signing_out_everywhere_ends_every_session_before_it(
    service: Service, open_as: Open
) -> None:
    pages = [open_as(ALICE) for _ in range(3)]
    bob = open_as(BOB)
    service.db.document(f"workers/{ALICE}").update(
        {"devices": {"device-01": {"endpoint": "https://x.y/z"}}}
    )
    assert pages[0].post("sign-out", {"everywhere": True}).status_code == 200
    assert [page.get("state").status_code for page in pages] == [401, 401, 401]
    assert "devices" not in record(service)
    assert open_as(ALICE).get("state").status_code == 200
    assert bob.get("state").status_code == 200


def test_an_ended_session_cannot_sign_the_worker_out_everywhere(
    service: Service, open_as: Open
) -> None:
    alice, second = open_as(ALICE), open_as(ALICE)
    copied = cookie(alice)
    alice.post("sign-out")
    alice.browser.cookies.set("inbox", copied, path="/inbox/")
    assert alice.post("sign-out", {"everywhere": True}).status_code == 401
    assert second.get("state").status_code == 200


def test_a_supervisor_ends_the_sessions_in_the_record(
    service: Service, open_as: Open
) -> None:
    alice = open_as(ALICE)
    service.db.document(f"workers/{ALICE}").update(
        {"signed_out_before": datetime.now(UTC)}
    )
    assert alice.get("state").status_code == 401
    assert told(alice.get("")) == "Sign in to see your conversations."
    assert open_as(ALICE).get("state").status_code == 200


def test_a_time_that_is_still_to_come_is_said_at_the_sign_in(
    service: Service, open_as: Open
) -> None:
    alice = open_as(ALICE)
    later = datetime.now(UTC) + timedelta(days=2)
    service.db.document(f"workers/{ALICE}").update({"signed_out_before": later})
    assert alice.get("state").status_code == 401
    answer = alice.sign_in(ALICE)
    assert (answer.status_code, "signed_out_before" in told(answer)) == (403, True)


@pytest.mark.parametrize(
    "wrong", ["yesterday", 5, {"a": 1}, [datetime(2999, 1, 1, tzinfo=UTC)], True]
)
def test_what_is_no_time_ends_nothing_and_is_reported(
    service: Service, open_as: Open, wrong: Any
) -> None:
    alice = open_as(ALICE)
    service.db.document(f"workers/{ALICE}").update(
        {"signed_out_before": wrong, "ended_sessions": wrong}
    )
    assert "signed_out_before" in alice.state()["me"]["note"]
    assert alice.post("sign-out").status_code == 200
    assert alice.get("state").status_code == 401


def test_more_sessions_than_the_record_names_stay_ended(
    service: Service, open_as: Open
) -> None:
    """The record names the newest 20; what makes room is not usable again."""
    pages = [open_as(ALICE)]
    pages += [Page(pages[0].url, pages[0].issuer) for _ in range(23)]
    for page in pages[1:]:
        assert page.sign_in(ALICE).status_code == 200
    copied = [cookie(page) for page in pages]
    for page in pages:
        assert page.post("sign-out").status_code == 200
    assert len(record(service)["ended_sessions"]) == 20
    assert {look(pages[0], one).status_code for one in copied} == {401}


def test_sign_outs_at_once_lose_none_of_each_other(
    service: Service, open_as: Open
) -> None:
    pages = [open_as(ALICE) for _ in range(6)]
    copied = [cookie(page) for page in pages]
    with ThreadPoolExecutor(6) as pool:
        assert {
            answer.status_code
            for answer in pool.map(lambda page: page.post("sign-out"), pages)
        } == {200}
    assert {look(pages[0], one).status_code for one in copied} == {401}
    assert len(record(service)["ended_sessions"]) == 6


def test_a_session_from_before_there_were_ids_ends_once(
    service: Service, open_as: Open
) -> None:
    alice = open_as(ALICE)
    made = URLSafeTimedSerializer(configuration.inbox_secret(), salt="inbox-1")
    assert (
        look(alice, str(made.dumps({"email": ALICE, "worker": ALICE}))).status_code
        == 401
    )
    assert (
        look(
            alice, session.sealed(PAGE, configuration.inbox_secret(), ALICE, ALICE)
        ).status_code
        == 200
    )


def test_of_two_sessions_in_one_request_no_strangers_counts(
    service: Service, open_as: Open
) -> None:
    """A neighbouring host can plant a cookie of the same name, and a browser does not say which is which."""
    alice, mallory = cookie(open_as(ALICE)), cookie(page := open_as(BOB))
    for order in ((mallory, alice), (alice, mallory)):
        assert look(page, *order).status_code == 401
    assert look(page, "forged", alice, "forged").json()["me"]["identity"] == ALICE
    assert look(page, alice, alice).json()["me"]["identity"] == ALICE


def test_over_https_only_the_cookie_of_this_very_host_counts(
    service: Service, open_as: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, mallory = cookie(open_as(ALICE)), cookie(page := open_as(BOB))
    monkeypatch.setenv("INBOX_URL", "https://inbox.example.com")
    planted = page.get(
        "state", Cookie=f"inbox={mallory}; __Host-inbox={alice}; inbox={mallory}"
    )
    assert planted.json()["me"]["identity"] == ALICE
    assert page.get("state", Cookie=f"inbox={mallory}").status_code == 401


def test_another_account_with_the_same_address_is_refused(
    service: Service, open_as: Open, issuer: Issuer
) -> None:
    alice = open_as(ALICE)
    first = record(service)["subject"]
    assert first["issuer"] == issuer.address and first["subject"]
    issuer.claims = {"sub": "another-account"}
    answer = alice.sign_in(ALICE)
    assert (
        answer.status_code,
        f"field subject of the record workers/{ALICE}" in told(answer),
    ) == (403, True)
    assert record(service)["subject"] == first
    assert (
        alice.get("state").status_code == 200
    )  # the first account's session is still its own


@pytest.mark.parametrize("cleared", [None, "", {}, "delete"])
def test_once_a_person_cleared_it_the_next_account_is_remembered(
    service: Service, open_as: Open, issuer: Issuer, cleared: Any
) -> None:
    from google.cloud.firestore import DELETE_FIELD

    old = open_as(ALICE)
    value = DELETE_FIELD if cleared == "delete" else cleared
    service.db.document(f"workers/{ALICE}").update({"subject": value})
    assert (
        old.get("").status_code == 200
    )  # a page that is open does not bring the old account back
    issuer.claims = {"sub": "another-account"}
    new = open_as(ALICE)
    assert record(service)["subject"]["subject"] == "another-account"
    assert new.get("state").status_code == 200
    assert old.get("state").status_code == 401
    issuer.claims = {}
    assert old.sign_in(ALICE).status_code == 403


def test_another_issuer_replaces_the_account(
    service: Service, open_as: Open, issuer: Issuer
) -> None:
    open_as(ALICE, subject={"issuer": "https://before.example.com", "subject": "1"})
    assert record(service)["subject"]["issuer"] == issuer.address


def test_first_sign_ins_at_once_are_one_account(
    service: Service, open_as: Open, issuer: Issuer
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Unavailable"})
    pages = [Page(service.url("inbox"), issuer) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = [
            answer.status_code
            for answer in pool.map(lambda page: page.sign_in(ALICE), pages)
        ]
    assert statuses == [200] * 6
    assert record(service)["subject"]["issuer"] == issuer.address


def test_of_two_accounts_at_once_one_wins_and_stays(
    service: Service, browser: Page, issuer: Issuer
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Unavailable"})
    pages = [Page(browser.url, issuer) for _ in range(4)]
    backs = [page.back_from(ALICE) for page in pages]
    names = iter(["one", "two", "one", "two"])
    issuer.sign = lambda found: issuer.signed(found | {"sub": next(names)})

    def come_back(page: Page, address: str) -> requests.Response:
        return page.browser.get(address, timeout=20)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(come_back, pages, backs))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 403, 403]
    winner = record(service)["subject"]["subject"]
    issuer.as_usual()
    issuer.claims = {"sub": winner}
    assert browser.sign_in(ALICE).status_code == 200
