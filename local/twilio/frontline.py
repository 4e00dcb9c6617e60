"""The Frontline app's side: signed v2 callbacks for customers, templates and outgoing conversations."""

import json
from collections.abc import Mapping
from typing import Any

from local.twilio.errors import ApiError
from local.twilio.members import NewParticipant
from local.twilio.people import People
from local.twilio.webhooks import Webhooks

LIMIT = 6.0  # seconds
LARGEST = 64 * 1024
KINDS = ("crm", "outgoing", "templates")


class Frontline:
    """What the app asks of an integration service, and which error it shows when the answer is wrong."""

    def __init__(self, webhooks: Webhooks, people: People) -> None:
        self._webhooks = webhooks
        self._people = people
        self.urls: dict[str, str | None] = dict.fromkeys(KINDS)

    def call(self, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One callback: {status, json, error, seconds}; error is Twilio's code or None."""
        url = self.urls[kind]
        if not url:
            return {"status": None, "json": None, "error": 48001, "seconds": 0.0}
        form = {name: str(value) for name, value in params.items() if value is not None}
        name = form.get("Location", kind)
        sent = self._webhooks.send(name, url, form, kind, LIMIT)
        content, error = _read(sent)
        sent["error"] = error
        return {"status": sent["status"], "json": content, "error": error, "seconds": sent["seconds"]}

    def start_outgoing(self, worker: str, customer_id: str, channel: str, address: str) -> dict[str, Any]:
        """The app's five steps to write to a customer first; {conversation_sid, proxy_address, error}."""
        try:
            sid = self._people.create_conversation(worker)
        except ApiError:
            return {"conversation_sid": None, "proxy_address": None, "error": 48050}
        asked = {
            "Location": "GetProxyAddress",
            "Worker": worker,
            "CustomerId": customer_id,
            "ChannelType": channel,
            "ChannelValue": address,
        }
        answer = self.call("outgoing", asked)
        proxy = (answer["json"] or {}).get("proxy_address")
        error = answer["error"] or (None if proxy else 48026)
        if error is None:
            try:
                attributes = json.dumps({"customer_id": customer_id})
                customer = NewParticipant(address=address, proxy_address=proxy, attributes=attributes)
                self._people.join(sid, customer, wait=True)
                self._people.join(sid, NewParticipant(identity=worker), wait=True)
            except ApiError as refusal:
                error = {50416: 48031, 50414: 48029, 50407: 48025, 50413: 48028}.get(refusal.code, 48050)
        if error is not None:
            self._people.remove(sid, wait=True)
            return {"conversation_sid": None, "proxy_address": proxy, "error": error}
        return {"conversation_sid": sid, "proxy_address": proxy, "error": None}


def _read(sent: Mapping[str, Any]) -> tuple[Any, int | None]:
    """The answer's JSON, and the error that Frontline reports for it."""
    if sent["error"] == 50076:
        return None, 48005
    if sent["status"] is None or not 200 <= sent["status"] < 300:
        return None, 48004
    if len(sent["answer"].encode()) > LARGEST:
        return None, 48003
    try:
        return json.loads(sent["answer"]), None
    except ValueError:
        return None, 48003
