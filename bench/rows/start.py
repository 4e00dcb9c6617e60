"""From spawning a function's process to its first 200, at a whole CPU and at a third of one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bench.events import availability
from bench.quota import Quota, quotas
from bench.result import Row, median
from bench.rows.inbox import cookie
from bench.world import ACCOUNT, FLOORS, TOKEN, World
from local import functions, raw_http
from local.functions import MAIN
from local.ports import HOST, free_port
from proof import population, webhooks
from proof.population import ADA, SALES

_FIRESTORE, _EVENTS = "google.cloud.firestore", "google.events.cloud.firestore"
_TWILIO = "twilio.rest.conversations.v1.service.conversation.participant"
_SIGNATURE, _FORMS = (
    "twilio.request_validator",
    "pydantic.main",
)  # pydantic alone imports nothing yet
# What each function cannot do without on its first request.
NEEDED = {
    "pre_event": (_SIGNATURE, _FORMS, _FIRESTORE),
    "post_event": (_SIGNATURE, _FORMS, _FIRESTORE, _TWILIO),
    "routing": (_SIGNATURE, _FORMS, _FIRESTORE, _TWILIO),
    "crm": (_SIGNATURE, _FORMS, _FIRESTORE),
    "outgoing_conversation": (_SIGNATURE, _FORMS, _FIRESTORE),
    "templates": (_SIGNATURE, _FORMS, _FIRESTORE),
    "sweep": (_FORMS, _FIRESTORE, _TWILIO),
    "wallboard": (_FIRESTORE,),
    "inbox": (_FORMS, _FIRESTORE, _TWILIO, "jinja2"),
    "desk": (_FORMS, _FIRESTORE, _TWILIO, "jinja2"),
    "worker_available": (_EVENTS, _FIRESTORE, _TWILIO),
    "customer_written": (_EVENTS, _FIRESTORE),
    "pool_written": (_EVENTS, _FIRESTORE),
    "conversation_written": (_EVENTS, _FIRESTORE),
}
_LIMIT = 1.1
_PATIENCE = 60.0


@dataclass(frozen=True)
class _First:
    """The first request of a function, once it answers."""

    method: str
    form: dict[str, str] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def cold_start(world: World) -> list[Row]:
    db = world.project()
    population.fill(db, population.Size(workers=4))
    firsts = _requests(db.project, world.service_sid)
    names = ["pre_event", "routing"] if world.quick else list(firsts)
    runs = 1 if world.quick else 5
    rows = []
    for quota in quotas():
        hello = median(
            [
                _started(world, "hello", FLOORS, quota, _First("GET"))
                for _ in range(runs)
            ]
        )
        rows += [
            _row(world, db.project, name, firsts[name], quota, hello, runs)
            for name in names
        ]
    return rows


def _row(
    world: World,
    project: str,
    name: str,
    first: _First,
    quota: Quota,
    hello: float,
    runs: int,
) -> Row:
    imports = ",".join(NEEDED[name])
    ours, bare = [], []
    for _ in range(runs):
        ours.append(_started(world, name, MAIN, quota, first, project))
        bare.append(
            _started(
                world, "hello", FLOORS, quota, _First("GET"), FLOOR_IMPORTS=imports
            )
        )
    ratio = median(ours) / median(bare)
    each = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    return Row(
        name=f"cold start of {name}, {quota.cpus:g} vCPU",
        measured="from spawning the process to its first 200, the work of a real request included",
        floor=f"hello + import {imports}",
        product_value=f"{median(ours):.2f} s",
        floor_value=f"{median(bare):.2f} s",
        wanted=f"{_LIMIT:g} x",
        is_reached=ratio <= _LIMIT,
        ratio=ratio,
        spread=(min(each), max(each)),
        note=f"hello alone: {hello:.2f} s" + (f"; {quota.note}" if quota.note else ""),
        details={"product_s": median(ours), "floor_s": median(bare), "hello_s": hello},
    )


def _started(
    world: World,
    name: str,
    source: Path,
    quota: Quota,
    first: _First,
    project: str = "demo-none",
    **more: str,
) -> float:
    """Seconds until the first 200; asked again at once while nobody listens yet."""
    port = free_port()
    url = f"http://{HOST}:{port}/"
    headers, body = list(first.headers), first.body
    if first.form is not None:
        signed, body = webhooks.signed(url, first.form, TOKEN, ACCOUNT)
        headers = list(signed.items())
    child = functions.child(name, port, world.environment(project, **more), source)
    child.args = quota.wrapped(child.args)
    began = time.perf_counter()
    child.start()
    try:
        while time.perf_counter() - began < _PATIENCE:
            try:
                answer = raw_http.send(first.method, url, headers, body)
            except OSError:
                time.sleep(0.002)
                continue
            if answer.status_code >= 300:
                raise RuntimeError(
                    f"{name} answered {answer.status_code}: {answer.text}"
                )
            return time.perf_counter() - began
        raise TimeoutError(f"{name} did not answer: {child.output()}")
    finally:
        child.kill()


def _requests(project: str, service: str) -> dict[str, _First]:
    """A genuine first request of each function, which it answers with 200."""
    frontline = {"Worker": "own@example.com", "CustomerId": "ada"}
    proxy = {"Location": "GetProxyAddress", "ChannelType": "sms", "ChannelValue": ADA}
    removed = {
        "EventType": "onConversationRemoved",
        "ConversationSid": webhooks.sid("CH"),
    }
    routed = webhooks.conversation_route(
        webhooks.sid("CH"), service, "+15557654321", population.NEWS
    )

    def event(path: str) -> _First:
        return _First("POST", None, *availability(project, path))

    return {
        "pre_event": _First("POST", webhooks.conversation_add(ADA, SALES)),
        "post_event": _First("POST", removed),
        "routing": _First("POST", routed),
        "crm": _First(
            "POST", frontline | {"Location": "GetCustomerDetailsByCustomerId"}
        ),
        "outgoing_conversation": _First("POST", frontline | proxy),
        "templates": _First(
            "POST", frontline | {"Location": "GetTemplatesByCustomerId"}
        ),
        "sweep": _First("POST"),
        "wallboard": _First("GET"),
        "inbox": _First("GET", headers=(("Cookie", cookie("w00000@example.com")),)),
        "desk": _First("GET", headers=(("Cookie", cookie("w00000@example.com")),)),
        "worker_available": event("workers/w00000@example.com"),
        "customer_written": event("customers/ada"),
        "pool_written": event("pools/sales"),
        "conversation_written": event(f"conversations/{webhooks.sid('CH')}"),
    }
