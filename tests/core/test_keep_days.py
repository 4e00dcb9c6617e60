"""`keep_days`: how long a closed conversation stays in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import settings
from tests.core.test_routing import write
from tests.service import Service

YEAR = 365


@pytest.mark.parametrize(
    ("stored", "days"),
    [(None, YEAR), (30, 30), ("30", 30), (0, YEAR), (-1, YEAR), (10**12, 36_500)],
)
def test_the_setting_is_a_number_of_days(stored: Any, days: int) -> None:
    parsed = settings.parse("routing", {"keep_days": stored})
    assert parsed.keep_days == days
    assert bool(parsed.problem) == (stored in (0, -1))


@pytest.mark.parametrize(("fields", "days"), [({}, YEAR), ({"keep_days": 30}, 30)])
def test_a_closed_conversation_is_kept_for_that_long(
    service: Service, db: Client, fields: dict[str, Any], days: int
) -> None:
    db.document("settings/routing").set(fields)
    sid = write(service)
    service.settle()
    service.standin.set_state(sid, "closed")
    service.settle()
    record = db.document(f"conversations/{sid}").get()
    assert record.get("state") == "closed"
    assert record.get("expires_at") - record.get("closed_at") == timedelta(days=days)
