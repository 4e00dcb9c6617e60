"""A pool's own texts outside WhatsApp's and Messenger's 24 hours: nothing, or a template that the pool names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import pool_texts
from domain.fields import Fields
from providers import clock
from tests.core import forms, records
from tests.patience.test_texts import ANN, pool, said
from tests.service import Service

DAY = 24 * 3600
CUSTOMER = "+447700900001"


def waits(
    service: Service, db: Client, channel: str = "whatsapp", **fields: Any
) -> str:
    """A customer who wrote on this channel more than 24 hours ago and still waits."""
    ours = f"{channel}:{forms.PROXY}"
    records.worker(db, ANN, "Unavailable", display_name="Ann")
    service.settle()
    service.standin.set_autocreate(ours)
    sid = str(
        service.standin.inbound(f"{channel}:{CUSTOMER}", ours, "Hello").conversation_sid
    )
    service.settle()
    assert records.conversation(db, sid)["state"] == "queued"
    service.standin.advance(DAY + 5)
    clock.shift(DAY + 5)
    return sid


def assigned(service: Service, db: Client, sid: str) -> list[dict[str, Any]]:
    """What the service has sent once a worker has it."""
    records.set_status(db, ANN, "Available")
    service.settle()
    assert records.conversation(db, sid)["state"] == "assigned"
    return [one for one in service.standin.messages(sid) if one["author"] == "system"]


@pytest.mark.parametrize("channel", ["whatsapp", "messenger"])
def test_no_text_is_sent_outside_the_window(
    service: Service, db: Client, channel: str
) -> None:
    pool(db, texts={"queued": "Please hold.", "assigned": "{{Author}} is here."})
    sid = waits(service, db, channel)
    assert said(service, sid) == ["Please hold."]  # the customer has just written
    assert [one["body"] for one in assigned(service, db, sid)] == ["Please hold."]


def test_a_template_that_the_pool_names_is_sent_as_content(
    service: Service, db: Client
) -> None:
    content_sid = service.standin.add_content(
        "ready", "{{1}} is here", variables={"1": "x"}
    )
    record = {
        "content": "{{1}} is here",
        "content_sid": content_sid,
        "variables": {"1": "{{Author}}"},
    }
    db.document("templates/ready").set(record)
    pool(db, texts={"assigned": {"template": "ready"}})
    sid = waits(service, db)
    (sent,) = assigned(service, db, sid)
    assert (sent["body"], sent["content_sid"], sent["delivery"]["failed"]) == (
        "Ann is here",
        content_sid,
        "none",
    )


def test_within_the_window_a_named_template_is_sent_too(
    service: Service, db: Client
) -> None:
    db.document("templates/ready").set({"content": "{{Author}} is here"})
    pool(db, texts={"assigned": {"template": "ready"}})
    records.worker(db, ANN, display_name="Ann")
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    sid = str(service.standin.inbound(CUSTOMER, forms.PROXY, "Hello").conversation_sid)
    service.settle()
    assert said(service, sid) == ["Ann is here"]


@pytest.mark.parametrize("approval", [{"status": "paused"}, {"status": "rejected"}])
def test_a_template_that_is_not_approved_is_not_sent_outside_the_window(
    service: Service, db: Client, approval: dict[str, str]
) -> None:
    content_sid = service.standin.add_content("ready", "Ready")
    db.document("templates/ready").set(
        {"content": "Ready", "content_sid": content_sid, "approval": approval}
    )
    pool(db, texts={"assigned": {"template": "ready"}})
    assert assigned(service, db, waits(service, db)) == []


def test_a_customer_who_wrote_elsewhere_may_be_written_to(
    service: Service, db: Client
) -> None:
    pool(db, texts={"assigned": "{{Author}} is here."})
    sid = waits(service, db)
    address = f"whatsapp:{CUSTOMER}"
    recently = {
        "address": address,
        "customer_wrote_at": clock.now() - timedelta(hours=1),
        "state": "closed",
    }
    db.document(f"conversations/{forms.sid()}").set(recently)
    assert [one["body"] for one in assigned(service, db, sid)] == ["Ann is here."]


def test_an_unknown_template_is_reported_in_the_pool(
    service: Service, db: Client
) -> None:
    pool(db, texts={"assigned": {"template": "ready"}})
    service.settle()
    assert "no template called ready" in records.read(db, "pools", "default")["problem"]
    db.document("templates/ready").set({"content": "Ready"})
    pool(db, texts={"assigned": {"template": "ready"}, "queued": "Please hold."})
    service.settle()
    assert "problem" not in records.read(db, "pools", "default")


@pytest.mark.parametrize(
    ("typed", "wanted", "problem"),
    [
        ({"template": " ready "}, [(None, "ready")], None),
        ({"Template": "ready"}, [(None, "ready")], None),
        (
            {"de": {"template": "bereit"}, "en": "Ready"},
            [("de", "bereit"), ("en", None)],
            None,
        ),
        ({"template": 7}, [], "template must be the id"),
        ({"template": "a/b"}, [], "template must be the id"),
        ({"de": {"template": None}}, [], "template must be the id"),
        ({"de": {"text": "x"}}, [], "must be a text"),
        ({"klingon!": {"template": "x"}}, [], "no language"),
    ],
)
def test_a_template_is_named_for_everyone_or_by_language(
    typed: Any, wanted: list[tuple[str | None, str | None]], problem: str | None
) -> None:
    fields = Fields({"texts": {"assigned": typed}})
    found = pool_texts.read(fields).get("assigned", ())
    assert [(text.language, text.template) for text in found] == wanted
    assert (problem or "") in (fields.problem or "") and (fields.problem is None) == (
        problem is None
    )
