"""A pool's name that no record can have is reported in the worker's record and stops nothing."""

from __future__ import annotations

import pytest
from google.cloud.firestore import Client

from tests.core import records
from tests.core.test_routing import write
from tests.service import Service


@pytest.mark.parametrize(
    "name", ["sales/east", ".", "..", "__sales__", "x" * 1501, "a//b"]
)
def test_it_is_ignored_and_told(service: Service, db: Client, name: str) -> None:
    records.worker(db, "ann@example.com", pools=[name, "default"], capacity=None)
    service.settle()
    assert "pools has" in records.read(db, "workers", "ann@example.com")["problem"]
    sid = write(service, "+15550000001")
    assert records.conversation(db, sid)["worker"] == "ann@example.com"
    assert service.post("sweep", signed=False).status_code == 200
