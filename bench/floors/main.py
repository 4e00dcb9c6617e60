"""The floors as functions of their own, served by the same framework as the product; nothing of ours is imported."""

import importlib
import json
import os
import random
import time
from functools import cache
from typing import Any

import flask
import functions_framework
from cloudevents.http.event import CloudEvent

for _name in filter(None, os.environ.get("FLOOR_IMPORTS", "").split(",")):
    importlib.import_module(_name)

_AHEAD = 8  # candidates to choose from when several are after them


@functions_framework.http
def hello(request: flask.Request) -> str:
    """Nothing at all; with FLOOR_IMPORTS, what the imports alone cost."""
    return "hello"


@functions_framework.http
def pre_event(request: flask.Request) -> tuple[str, dict[str, str]]:
    """The signature, and one bare query."""
    _check(request)
    address = request.form["MessagingBinding.Address"]
    found = list(
        _where("customers", ("addresses", "array_contains_any", [address]))
        .limit(4)
        .stream()
    )
    wanted = {"friendly_name": found[0].get("display_name") if found else address}
    return json.dumps(wanted), {"Content-Type": "application/json"}


@functions_framework.http
def routing(request: flask.Request) -> dict[str, float]:
    """One batched read, one query, one commit, one call to Twilio, one commit."""
    _check(request)
    began = time.time()
    conversation = _read_three(request)
    worker = _free(1)[0]
    claimed = _claim(conversation, worker, request)
    _add(request, worker.id)
    _confirm(conversation, claimed)
    return {"began": began, "ended": time.time()}


@functions_framework.http
def queueing(request: flask.Request) -> dict[str, float]:
    """One batched read, one query, one commit, one query."""
    _check(request)
    began = time.time()
    conversation = _read_three(request)
    _free(1)
    batch = _db().batch()
    batch.create(conversation, _fields(request) | {"state": "queued"})
    entry = _db().document(f"pending_conversations/{conversation.id}")
    batch.set(entry, {"pool": "sales", "priority": 0, "queued_at": conversation.id})
    batch.commit()
    _free(1)
    return {"began": began, "ended": time.time()}


@functions_framework.http
def burst(request: flask.Request) -> dict[str, float]:
    """A bare claim: query outside, compare-and-set on one of the first eight, again after a lost race; then Twilio."""
    _check(request)
    began = time.time()
    conversation = _document(request)
    worker, _ = _claim_any(conversation, request)
    _add(request, worker.id)
    return {"began": began, "ended": time.time()}


@functions_framework.http
def same_calls(request: flask.Request) -> dict[str, float]:
    """Every call that the product makes for one routed conversation, one after another."""
    _check(request)
    began = time.time()
    conversation = _read_three(request)
    address, proxy = (
        request.form["MessagingBinding.Address"],
        request.form["MessagingBinding.ProxyAddress"],
    )
    list(
        _where("pools", ("addresses", "array_contains_any", [proxy])).limit(3).stream()
    )
    list(
        _where("customers", ("addresses", "array_contains_any", [address]))
        .limit(4)
        .stream()
    )
    list(_head().limit(1).stream())
    worker, claimed = _claim_any(conversation, request)
    _add(request, worker.id)
    _confirm(conversation, claimed)
    return {"began": began, "ended": time.time()}


@functions_framework.http
def state(request: flask.Request) -> tuple[str, dict[str, str]]:
    """One query, one get: a worker's conversations, and the worker."""
    worker = os.environ["FLOOR_WORKER"]
    held = _where(
        "conversations",
        ("worker", "==", worker),
        ("state", "in", ["assigning", "assigned"]),
    )
    shown = [{"sid": one.id, "name": one.get("display_name")} for one in held.stream()]
    them = _db().document(f"workers/{worker}").get()
    content = {"me": them.get("status"), "conversations": shown}
    return json.dumps(content), {"Content-Type": "application/json"}


@functions_framework.cloud_event
def available(event: CloudEvent) -> None:
    """One query, one commit, one call to Twilio."""
    from google.events.cloud import firestore

    data = firestore.DocumentEventData()._pb
    data.ParseFromString(event.data or b"")
    fields = data.value.fields
    if fields["status"].string_value != "Available" or fields["full"].boolean_value:
        return
    identity = data.value.name.rpartition("/")[2]
    waiting = list(_head().limit(1).stream())
    if not waiting:
        return
    batch = _db().batch()
    batch.update(_db().document(f"workers/{identity}"), {"active": 1, "full": True})
    batch.update(
        _db().document(f"conversations/{waiting[0].id}"),
        {"state": "assigning", "worker": identity},
    )
    batch.delete(waiting[0].reference)
    batch.commit()
    _add_to(waiting[0].id, os.environ["FLOOR_SERVICE"], identity)


@cache
def _db() -> Any:
    from google.cloud import firestore

    return firestore.Client()


def _where(collection: str, *conditions: tuple[str, str, Any]) -> Any:
    from google.cloud.firestore_v1.base_query import FieldFilter

    query = _db().collection(collection)
    for condition in conditions:
        query = query.where(filter=FieldFilter(*condition))
    return query


def _check(request: flask.Request) -> None:
    from twilio.request_validator import RequestValidator

    signature = request.headers["X-Twilio-Signature"]
    if not _validator(RequestValidator).validate(
        request.base_url, request.form, signature
    ):
        flask.abort(403)


@cache
def _validator(kind: Any) -> Any:
    return kind(os.environ["TWILIO_AUTH_TOKEN"])


def _document(request: flask.Request) -> Any:
    return _db().document(f"conversations/{request.form['ConversationSid']}")


def _read_three(request: flask.Request) -> Any:
    conversation = _document(request)
    asked = [
        conversation,
        _db().document("settings/routing"),
        _db().document("pools/default"),
    ]
    list(_db().get_all(asked))
    return conversation


def _free(limit: int) -> list[Any]:
    conditions = [
        ("pools", "array_contains", "sales"),
        ("status", "==", "Available"),
        ("full", "==", False),
    ]
    return list(
        _where("workers", *conditions)
        .order_by("last_assigned_at")
        .limit(limit)
        .stream()
    )


def _head() -> Any:
    query = _where("pending_conversations", ("pool", "in", ["sales"]))
    return query.order_by("priority", direction="DESCENDING").order_by("queued_at")


def _fields(request: flask.Request) -> dict[str, Any]:
    form = request.form
    return {
        "address": form["MessagingBinding.Address"],
        "proxy_address": form["MessagingBinding.ProxyAddress"],
    }


def _claim(conversation: Any, worker: Any, request: flask.Request) -> Any:
    """The conversation's version after the claim."""
    from google.cloud.firestore import SERVER_TIMESTAMP

    batch = _db().batch()
    held = worker.get("active") + 1
    capacity = int(os.environ.get("FLOOR_CAPACITY", "1000"))
    changes = {
        "active": held,
        "full": held >= capacity,
        "last_assigned_at": SERVER_TIMESTAMP,
    }
    batch.update(
        worker.reference,
        changes,
        option=_db().write_option(last_update_time=worker.update_time),
    )
    batch.create(
        conversation, _fields(request) | {"state": "assigning", "worker": worker.id}
    )
    return batch.commit()[1].update_time


def _claim_any(conversation: Any, request: flask.Request) -> tuple[Any, Any]:
    from google.api_core.exceptions import Aborted, FailedPrecondition

    while True:
        worker = random.choice(_free(_AHEAD))
        try:
            return worker, _claim(conversation, worker, request)
        except (FailedPrecondition, Aborted):
            continue


def _confirm(conversation: Any, claimed: Any) -> None:
    batch = _db().batch()
    batch.update(
        conversation,
        {"state": "assigned"},
        option=_db().write_option(last_update_time=claimed),
    )
    batch.commit()


def _add(request: flask.Request, identity: str) -> None:
    form = request.form
    service = form.get("ChatServiceSid") or form["ConversationServiceSid"]
    _add_to(form["ConversationSid"], service, identity)


def _add_to(conversation: str, service: str, identity: str) -> None:
    """Twilio's REST call without Twilio's SDK."""
    from urllib.parse import urlencode

    url = f"{os.environ['TWILIO_API_BASE_URL']}/v1/Services/{service}/Conversations/{conversation}/Participants"
    sent = {"Content-Type": "application/x-www-form-urlencoded", **_authorization()}
    answer = _http().request(
        "POST", url, body=urlencode({"Identity": identity}), headers=sent
    )
    if answer.status != 201:
        raise RuntimeError(f"Twilio answered {answer.status}: {answer.data[:200]!r}")


@cache
def _http() -> Any:
    import urllib3

    return urllib3.PoolManager(maxsize=64, retries=False)


@cache
def _authorization() -> dict[str, str]:
    from urllib3.util import make_headers

    pair = f"{os.environ['TWILIO_ACCOUNT_SID']}:{os.environ['TWILIO_AUTH_TOKEN']}"
    return dict(make_headers(basic_auth=pair))
