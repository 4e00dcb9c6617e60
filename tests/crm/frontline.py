"""The Frontline app's requests, for tests that need no whole service around them."""

import secrets
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.service import signature

JOHN = "john@example.com"
ACCOUNT, TOKEN = f"AC{secrets.token_hex(16)}", secrets.token_hex(16)
BASE = "https://functions.example.com"
ENVIRONMENT = {
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "WEBHOOK_BASE_URL": BASE,
}


class App:
    """Frontline's app: signs as Twilio does and hands the request to the real loader."""

    def __init__(self, client_for: Callable[[str], FlaskClient]) -> None:
        self._client_for = client_for

    def post(self, function: str, **form: Any) -> TestResponse:
        sent = {name: str(value) for name, value in form.items()}
        signed = {"X-Twilio-Signature": signature(f"{BASE}/{function}", sent, TOKEN)}
        return self._client_for(function).post("/", data=sent, headers=signed)

    def customers(self, worker: str = JOHN, **form: Any) -> dict[str, Any]:
        """The `objects` of one page."""
        answer = self.post("crm", Location="GetCustomersList", Worker=worker, **form)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        objects: dict[str, Any] = answer.get_json()["objects"]
        return objects

    def names(self, **form: Any) -> list[str]:
        return [
            customer["display_name"] for customer in self.customers(**form)["customers"]
        ]

    def details(self, customer_id: str, worker: str = JOHN) -> TestResponse:
        return self.post(
            "crm",
            Location="GetCustomerDetailsByCustomerId",
            Worker=worker,
            CustomerId=customer_id,
        )

    def proxy_address(self, customer_id: str = "bobby", **form: Any) -> TestResponse:
        asked = {
            "Worker": JOHN,
            "ChannelType": "sms",
            "ChannelValue": "+15550000001",
        } | form
        return self.post(
            "outgoing-conversation",
            Location="GetProxyAddress",
            CustomerId=customer_id,
            **asked,
        )

    def templates(self, customer_id: str = "bobby", worker: str = JOHN) -> TestResponse:
        return self.post(
            "templates",
            Location="GetTemplatesByCustomerId",
            Worker=worker,
            CustomerId=customer_id,
        )
