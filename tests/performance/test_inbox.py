"""What a worker's open page costs: it looks every few seconds, so each read counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import firestore

from functions.http import cache
from local.oidc import Issuer
from proof.meter import Counts, Meter
from providers import clock
from tests.inbox.conftest import issuer, issuer_server  # noqa: F401 - fixtures
from tests.inbox.page import ALICE, Page
from tests.service import Service

READ, QUERY, COUNT, COMMIT = (
    "BatchGetDocuments",
    "RunQuery",
    "RunAggregationQuery",
    "Commit",
)
SID = "CH" + "0" * 31


@pytest.fixture
def page(service: Service, db: firestore.Client, issuer: Issuer) -> Iterator[Page]:  # noqa: F811 - the fixture
    """Alice's, with three conversations that are on and twenty that are asleep."""
    db.document(f"workers/{ALICE}").set(
        {"status": "Available", "pools": ["default"], "capacity": 1}
    )
    service.settle()
    for number in range(23):
        state = "assigned" if number < 3 else "inactive"
        record = {
            "worker": ALICE,
            "state": state,
            "state_changed_at": clock.now(),
            "address": "+15550000001",
        }
        db.document(
            f"conversations/{SID}{number:x}"
            if number < 16
            else f"conversations/{SID[:-1]}1{number - 16}"
        ).set(record)
    opened = Page(service.url("inbox"), issuer)
    opened.sign_in(ALICE)
    service.settle()
    yield opened


def test_a_look_is_one_query_and_one_get_and_nothing_for_what_is_asleep(
    page: Page, meter: Meter
) -> None:
    first = page.state()
    assert len(first["conversations"]) == 23
    meter.reset()
    for _ in range(3):
        assert len(page.state()["conversations"]) == 23
    counted = meter.counts()
    calls = {name: number for name, number in counted.calls.items() if name != COUNT}
    assert (calls, counted.reads) == ({READ: 3, QUERY: 3}, 3 * (1 + 3))
    cache.drop(("waiting", ("default",)))
    meter.reset()
    page.state()
    assert (
        meter.counts().calls[COUNT] == 1
    )  # how many wait: once in a few seconds, whoever looks


def test_a_message_costs_one_read_and_two_commits(
    service: Service, page: Page, meter: Meter
) -> None:
    service.standin.set_autocreate("+15550009999")
    sid = service.standin.inbound(
        "+15550000007", "+15550009999", "Hello"
    ).conversation_sid
    service.settle()
    service.db.document(f"conversations/{sid}").update(
        {"worker": ALICE, "state": "assigned"}
    )
    service.settle()
    service.standin.configure_webhooks(pre_url=None, post_url=None)
    meter.reset()
    body = {"token": "token-0001", "body": "Hi"}
    assert page.post(f"conversations/{sid}/messages", body).status_code == 201
    service.settle()
    assert meter.counts() == Counts(3, 3, 2, 0, {READ: 1, COMMIT: 2})
    meter.reset()
    assert page.post(f"conversations/{sid}/messages", body).status_code == 200
    assert meter.counts() == Counts(3, 3, 0, 0, {READ: 1})
