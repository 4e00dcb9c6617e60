"""The Frontline app, and customers' records as they are once the trigger has seen them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from google.cloud.firestore import Client

from domain import customer_record
from tests.crm import frontline
from tests.crm.frontline import App

Keep = Callable[..., None]


@pytest.fixture
def app(
    project: str,
    client_for: Callable[[str], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> App:
    for name, value in frontline.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return App(client_for)


@pytest.fixture
def keep(db: Client) -> Keep:
    """keep("bobby", display_name=...): a record with what the service keeps in it."""

    def write(
        customer_id: str, worker: str | None = frontline.JOHN, **fields: Any
    ) -> None:
        record = {"worker": worker, "addresses": ["+15550000001"], **fields}
        kept = customer_record.kept(customer_id, record).fields
        db.collection("customers").document(customer_id).set(record | kept)

    return write
