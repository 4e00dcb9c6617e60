"""The wallboard's figures against the documents, its cost, and what it answers."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient
from google.cloud import firestore
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from domain.conversation import Conversation
from functions.wallboard.refresh import board
from tests.core import forms
from tests.service import Service
from tests.wallboard import records

CUSTOMER = "+15550000001"
HOSTILE = "<script>alert(1)</script>\"'&"
Get = Callable[..., TestResponse]


@pytest.fixture
def get(client_for: Callable[[str], FlaskClient], project: str) -> Get:
    return lambda path="/", **more: client_for("wallboard").get(path, **more)


@pytest.fixture
def post(client_for: Callable[[str], FlaskClient], project: str) -> Get:
    return lambda path="/", **more: client_for("wallboard").post(path, **more)


def metrics(get: Get) -> Any:
    return get("/metrics").get_json()


def test_todays_figures_are_those_that_the_documents_give(
    get: Get, db: firestore.Client
) -> None:
    records.load(db, records.a_day(150))
    db.document("settings/routing").set({"service_level_seconds": 40})
    today, documents = metrics(get)["today"], records.since_midnight(db)
    waits = sorted(d["waited"] for d in documents if d["waited"] is not None)
    abandoned = [d for d in documents if d["waited"] is None and d["state"] == "closed"]
    within = [wait for wait in waits if wait <= 40]
    assert today["arrived"] == len(documents) > 30
    assert today["assigned"] == len(waits)
    assert today["abandoned"] == len(abandoned) > 0
    assert today["waiting"] == len(documents) - len(waits) - len(abandoned)
    assert today["within_service_level"] == len(within)
    assert today["service_level"] == pytest.approx(_level(documents, 40, outside=False))
    outside = [d for d in documents if d["outside_hours"]]
    assert today["outside_hours"] == {
        "arrived": len(outside),
        "abandoned": sum(d["outside_hours"] for d in abandoned),
        "within_service_level": sum(
            d["waited"] is not None and d["waited"] <= 40 for d in outside
        ),
        "service_level": pytest.approx(_level(documents, 40, outside=True)),
    }
    assert today["average_wait_seconds"] == pytest.approx(sum(waits) / len(waits))
    assert sum(hour["arrived"] for hour in today["hours"]) == len(documents)
    for bucket in today["waits"]:
        at_most = bucket["up_to_seconds"]
        assert at_most is None or sum(wait <= at_most for wait in waits) == sum(
            other["count"]
            for other in today["waits"]
            if (other["up_to_seconds"] or 1e9) <= at_most
        )


def _level(documents: list[dict[str, Any]], threshold: float, outside: bool) -> float:
    """The share within the threshold, of those assigned or abandoned who came outside the hours, or within them."""
    ended = [d for d in documents if d["waited"] is not None or d["state"] == "closed"]
    theirs = [d for d in ended if d["outside_hours"] is outside]
    within = [d for d in theirs if d["waited"] is not None and d["waited"] <= threshold]
    return len(within) / len(theirs)


def test_the_95th_percentile_is_right_to_within_its_bucket(
    get: Get, db: firestore.Client
) -> None:
    records.load(db, records.a_day(60))
    today, documents = metrics(get)["today"], records.since_midnight(db)
    waits = sorted(d["waited"] for d in documents if d["waited"] is not None)
    exact = waits[-(-len(waits) * 95 // 100) - 1]
    edges = [
        0,
        *(b["up_to_seconds"] for b in today["waits"] if b["up_to_seconds"]),
        1e9,
    ]
    low, high = next((a, b) for a, b in pairwise(edges) if a < exact <= b)
    assert low <= today["p95_wait_seconds"] <= high


def test_the_queue_and_the_workers_are_counted_per_pool_and_in_all(
    get: Get, db: firestore.Client
) -> None:
    now = datetime.now(UTC)
    db.document("pools/sales").set({"display_name": "Sales"})
    for number, pool in enumerate(["default", "sales", "sales"]):
        at = now - timedelta(seconds=100 + number)
        records.load(
            db,
            [
                Conversation(
                    records.sid(number), state="queued", pool=pool, queued_at=at
                )
            ],
        )
    for number, (status, full, pools) in enumerate(
        [
            ("Available", False, ["sales"]),
            ("Available", True, ["sales", "default"]),
            ("Unavailable", False, ["sales"]),
            ("available", False, ["default"]),
        ]
    ):
        db.document(f"workers/w{number}@example.com").set(
            {"status": status, "full": full, "pools": pools}
        )
    found = metrics(get)["now"]
    assert found["waiting"] == 3
    assert 102 <= found["longest_wait_seconds"] < 160
    assert found["workers"] == {"available": 1, "full": 1, "unavailable": 2}
    by_pool = {pool["pool"]: pool for pool in found["pools"]}
    assert (by_pool["sales"]["waiting"], by_pool["default"]["waiting"]) == (2, 1)
    assert by_pool["sales"]["workers"] == {"available": 1, "full": 1, "unavailable": 1}
    assert by_pool["default"]["workers"] == {
        "available": 0,
        "full": 1,
        "unavailable": 1,
    }


def test_a_queue_longer_than_the_list_is_still_counted_whole(
    get: Get, db: firestore.Client
) -> None:
    now = datetime.now(UTC)
    db.document("pools/sales").set({"display_name": "Sales"})
    for number in range(27):
        pool = "sales" if number >= 22 else "default"
        at = now - timedelta(seconds=100 - number)
        db.document(f"pending_conversations/{records.sid(number)}").set(
            {"pool": pool, "queued_at": at}
        )
    found = metrics(get)
    assert found["now"]["waiting"] == 27
    assert {p["pool"]: p["waiting"] for p in found["now"]["pools"]} == {
        "default": 22,
        "sales": 5,
    }
    assert len(found["queue"]) == 20
    assert "the first 20 of 27" in get().text


def test_ten_people_watching_cost_as_much_as_one(
    get: Get, db: firestore.Client
) -> None:
    get("/now")
    get("/today")
    before = board().meter.reads
    for _ in range(10):
        assert get("/now").status_code == 200
        assert get("/today").status_code == 200
        assert get().status_code == 200
        assert get("/metrics").status_code == 200
    assert board().meter.reads == before


def test_the_reads_do_not_grow_with_the_history(get: Get, db: firestore.Client) -> None:
    """Counted over one refresh of everything, with 0 and with 300 conversations of the last year."""
    get("/metrics")
    few = board().meter.reads
    old = datetime.now(UTC) - timedelta(days=3)
    history = [
        Conversation(
            records.sid(n), state="closed", mode="pool", created_at=old, waited=5.0
        )
        for n in range(300)
    ]
    records.load(db, history)
    fresh = type(board())()
    fresh.now()
    fresh.today()
    assert fresh.meter.reads <= few


def test_prometheus_gets_text_and_others_json(get: Get, db: firestore.Client) -> None:
    db.document('pools/we"ird').set({"display_name": "Weird"})
    for answer in (
        get("/metrics", headers={"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}),
        get("/metrics?format=prometheus"),
        get("/?view=metrics&format=prometheus"),
    ):
        assert answer.content_type.startswith("text/plain; version=0.0.4")
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        shape = r'inbound_conversations_\w+(\{\w+="([^"\\\n]|\\.)*"(,\w+="([^"\\\n]|\\.)*")*\})? [-+.e0-9]+'
        assert all(re.fullmatch(shape, line) for line in lines), lines
        assert 'inbound_conversations_wait_seconds_bucket{le="+Inf"} 0.0' in lines
    for accept in ("application/json", "*/*", "text/html"):
        assert (
            get("/metrics", headers={"Accept": accept}).content_type
            == "application/json"
        )


def test_prometheus_finds_the_same_names_types_and_labels_every_day(
    get: Get, db: firestore.Client
) -> None:
    records.load(db, [c for c in records.a_day(40) if c.state != "queued"])
    text = get("/metrics?format=prometheus").text
    families = {one.name: one for one in text_string_to_metric_families(text)}
    prefix = "inbound_conversations_"
    assert {
        name.removeprefix(prefix): (one.type, labels_of(one))
        for name, one in families.items()
    } == {
        "waiting": ("gauge", {"pool"}),
        "longest_wait_seconds": ("gauge", {"pool"}),
        "pool_workers": ("gauge", {"pool", "status"}),
        "workers": ("gauge", {"status"}),
        "arrived": ("gauge", set()),
        "abandoned": ("gauge", set()),
        "within_service_level": ("gauge", set()),
        "answered": ("gauge", set()),
        "answered_within": ("gauge", set()),
        "first_answer_seconds": ("gauge", set()),
        "went_back": ("gauge", set()),
        "not_routed": ("gauge", set()),
        "stuck": ("gauge", set()),
        "wait_seconds": ("histogram", {"le"}),
        **dict.fromkeys(
            (
                f"{one}_outside_hours"
                for one in ("arrived", "abandoned", "within_service_level")
            ),
            ("gauge", set()),
        ),
        "wallboard_reads": ("counter", set()),
    }
    today, waited = metrics(get)["today"], families[f"{prefix}wait_seconds"].samples
    edges = ["5", "15", "30", "60", "120", "300", "900", "3600", "+Inf"]
    assert [one.labels["le"] for one in waited if one.name.endswith("_bucket")] == edges
    last = {one.name.removeprefix(f"{prefix}wait_seconds"): one.value for one in waited}
    assert last["_bucket"] == last["_count"] == today["assigned"] > 0
    assert last["_sum"] == pytest.approx(
        today["assigned"] * today["average_wait_seconds"]
    )
    assert families[f"{prefix}arrived"].samples[0].value == today["arrived"]
    assert f"{prefix}wallboard_reads_total " in text


def test_answers_and_who_went_back_are_counted_by_when_they_arrived(
    get: Get, db: firestore.Client
) -> None:
    at = datetime.now(UTC)
    quick, slow, never = (
        Conversation(records.sid(number), state="assigned", mode="pool", created_at=at)
        for number in range(3)
    )
    told = [
        replace(quick, answered_in=30.0),
        replace(slow, answered_in=90.0, went_back=2),
        replace(never, went_back=1),
    ]
    records.load(db, told)
    db.document("workers/zoe@example.com").set(
        {"status": "Unavailable", "unavailable_because": "nobody was answered"}
    )
    seen = metrics(get)
    today = seen["today"]
    assert (
        today["answered"],
        today["answered_within"],
        today["average_first_answer_seconds"],
    ) == (
        2,
        0.5,
        60.0,
    )
    assert today["went_back"] == 2
    assert [
        one["why"] for one in seen["stuck"] if one["what"] == "zoe@example.com"
    ] == ["is Unavailable: nobody was answered"]


def labels_of(family: Metric) -> set[str]:
    return {label for sample in family.samples for label in sample.labels}


def test_what_is_stuck_is_shown_with_its_reason(get: Get, db: firestore.Client) -> None:
    late = datetime.now(UTC) - timedelta(minutes=2)
    stuck = Conversation(
        records.sid(1),
        state="assigning",
        worker="alice@example.com",
        display_name="Ada",
        lease_until=late,
    )
    db.document("workers/alice@example.com").set({"status": "Available", "active": 1})
    records.load(db, [stuck])
    db.document("workers/zoe@example.com").set(
        {"status": "free", "problem": "status must be exactly so."}
    )
    db.document("settings/routing").set({"time_zone": "Mars/Olympus"})
    found = {one["what"]: one for one in metrics(get)["stuck"]}
    assert "alice@example.com was to be added" in found["Ada"]["why"]
    assert found["workers/zoe@example.com"]["why"] == "status must be exactly so."
    assert "time_zone must be a time zone" in found["settings/routing"]["why"]


def test_a_holder_without_a_record_and_a_worker_nobody_knows_are_seen_at_once(
    get: Get, db: firestore.Client, service: Service
) -> None:
    db.document("workers/ann@example.com").set(
        {"status": "Available", "pools": [], "display_name": "Ann"}
    )
    db.document("customers/ada").set(
        {"display_name": "Ada", "addresses": [CUSTOMER], "worker": "nobody@example.com"}
    )
    db.document("settings/routing").set({"mode": "custom", "custom_fallback": "pool"})
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    service.standin.inbound(CUSTOMER, forms.PROXY, "Hello")
    service.settle()
    for number, worker in enumerate(("ann@example.com", "gone@example.com")):
        held = Conversation(
            records.sid(number),
            state="assigned",
            worker=worker,
            display_name=f"Held by {worker}",
        )
        records.load(db, [held])
    service.triggers.detach(service.project)  # nobody tells that the record is deleted
    db.document("workers/gone@example.com").delete()
    assert get("/now").status_code == 200  # nothing counted before is in the way
    found = {one["what"]: one["why"] for one in metrics(get)["stuck"]}
    assert (
        found["Held by gone@example.com"]
        == "is with gone@example.com, who has no record any more"
    )
    assert "Held by ann@example.com" not in found
    assert "nobody@example.com" in found["customers/ada"]
    page = get("/now").text
    assert "who has no record any more" in page and "nobody@example.com" in page


def test_people_are_shown_by_their_names(get: Get, db: firestore.Client) -> None:
    db.document("workers/ann@example.com").set(
        {"status": "Available", "display_name": "Ann Archer"}
    )
    one = Conversation(
        records.sid(1),
        state="assigned",
        worker="ann@example.com",
        others=("ben@example.com",),
    )
    records.load(db, [replace(one, created_at=datetime.now(UTC))])
    assert ">Ann Archer</td>" in get("/log").text
    story = get(f"/conversation/{one.sid}").text
    assert "Ann Archer (ann@example.com)" in story and "ben@example.com" in story


def shown(get: Get, query: str) -> set[str]:
    """The conversations on a page of the log."""
    return set(re.findall(r"sid=(CH[0-9a-f]{32})", get(f"/log?{query}").text))


def test_the_log_is_searched_by_a_customers_name(
    get: Get, db: firestore.Client, service: Service
) -> None:
    """The search terms are those that the service itself writes into the records."""
    for name, display_name in {
        "c-1": "Ada Byron",
        "c-2": "Ada Lovelace",
        "c-3": "Ångström, Anders",
    }.items():
        db.document(f"customers/{name}").set(
            {"display_name": display_name, "addresses": [f"+4477009000{name[-1]}0"]}
        )
    service.settle()
    wanted = {
        name: f"CH{number:032x}"
        for number, name in enumerate(("c-1", "c-2", "c-3", "c-4"))
    }
    for name, sid in wanted.items():
        one = Conversation(
            sid, state="queued", customer_id=name, created_at=datetime.now(UTC)
        )
        records.load(db, [one])
    for query, found in {
        "ada": ("c-1", "c-2"),
        "ADA+byr": ("c-1",),
        "lovelace+ada": ("c-2",),
        "angstr": ("c-3",),
        "ada+anders": (),
        "byron%60.ada": ("c-1",),
        "c-4": ("c-4",),
    }.items():
        assert shown(get, f"customer={query}") == {wanted[name] for name in found}, (
            query
        )


def test_no_address_on_a_page_carries_anything_of_a_customer(
    get: Get, post: Get, db: firestore.Client
) -> None:
    """Cloud Run's request log keeps addresses; what is searched for is posted."""
    now, numbers = datetime.now(UTC), range(60)
    found = [
        Conversation(
            f"CH{number:032x}",
            state="queued",
            pool="default",
            customer_id="c-ada",
            display_name="Ada Byron",
            address="+447700900010",
            worker="alice@example.com",
            queued_at=now,
            created_at=now - timedelta(minutes=number),
        )
        for number in numbers
    ]
    records.load(db, found)
    search = {"customer": "c-ada", "worker": "alice@example.com", "state": "queued"}
    answers = [get("/"), get("/log"), get(f"/conversation/{found[0].sid}")]
    answers.append(post("/?view=log", data=search))
    older = re.search(r'name="before" value="([^"]*)"', answers[-1].text)
    assert older
    answers.append(post("/?view=log", data={**search, "before": older.group(1)}))
    pages = [set(re.findall(r"sid=(CH\w{32})", one.text)) for one in answers[-2:]]
    assert [len(page) for page in pages] == [50, 10] and not pages[0] & pages[1]
    for answer in answers:
        assert answer.status_code == 200
        sent = re.findall(r'(?:href|action)="([^"]*)"', answer.text)
        told = ("ada", "byron", "447700900010", "alice", "%40", "before")
        assert not [one for one in sent if any(word in one.lower() for word in told)]
        for form in re.findall(r"<form[^>]*>", answer.text):
            assert 'method="post"' in form


def test_the_log_is_searched_by_state_worker_and_customer(
    get: Get, post: Get, db: firestore.Client
) -> None:
    records.load(db, records.a_day(80))
    documents = {
        one.id: one.to_dict() or {} for one in db.collection("conversations").stream()
    }

    def those(**wanted: str) -> set[str]:
        return {
            sid
            for sid, d in documents.items()
            if all(d[name] == value for name, value in wanted.items())
        }

    assert shown(get, "state=unrouted") == those(state="unrouted")
    assert shown(get, "worker=bob@example.com") == those(worker="bob@example.com")
    assert shown(get, "state=closed&worker=bob@example.com") == those(
        state="closed", worker="bob@example.com"
    )
    assert shown(get, "customer=c-3") == those(customer_id="c-3") != set()
    first = get("/log").text
    older = re.search(r'name="before" value="([^"]*)"', first)
    assert older
    second = post("/?view=log", data={"before": older.group(1)}).text
    both = [set(re.findall(r"sid=(CH[0-9a-f]{32})", text)) for text in (first, second)]
    assert len(both[0]) == 50
    assert both[0] | both[1] == set(documents)


@pytest.mark.parametrize(
    "query",
    [
        "state=lost",
        "before=yesterday",
        "before=2026-01-01",
        "before=0001-01-01T00:00:00%2B14:00",
        "before=9999-12-31T23:59:59-12:00",
        f"worker={'x' * 300}",
    ],
)
def test_a_search_that_makes_no_sense_is_answered_with_a_sentence(
    get: Get, query: str
) -> None:
    answer = get(f"/log?{query}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_what_customers_write_is_text_on_every_page(
    get: Get, db: firestore.Client
) -> None:
    now = datetime.now(UTC)
    log = ({"at": now, "what": "queued", "why": HOSTILE},)
    one = Conversation(
        records.sid(1),
        state="queued",
        pool=HOSTILE.replace("/", ""),
        display_name=HOSTILE,
        log=log,
    )
    records.load(
        db, [Conversation(**{**one.__dict__, "queued_at": now, "created_at": now})]
    )
    sid = records.sid(1)
    for path in (
        "/",
        "/now",
        "/log",
        f"/conversations/{sid}",
        f"/?view=conversation&sid={sid}",
    ):
        answer = get(path)
        assert answer.status_code == 200, path
        assert "&lt;script&gt;alert(1)" in answer.text
        assert "<script>alert" not in answer.text
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_links_lead_to_the_same_function_wherever_it_is_served(
    get: Get, db: firestore.Client
) -> None:
    """At .../wallboard without a slash at the end only an address that begins with ? stays there."""
    records.load(
        db, [Conversation(records.sid(1), state="closed", created_at=datetime.now(UTC))]
    )
    for path in ("/", "/log", f"/conversations/{records.sid(1)}"):
        links = re.findall(r'(?:href|src|action)="([^"]*)"', get(path).text)
        assert len(links) > 5
        assert all(link.startswith(("?", "#")) for link in links), links


def test_static_files_are_kept_by_the_browser_and_pages_are_not(get: Get) -> None:
    found = re.findall(
        r'(?:href|src)="(\?view=[^"]*&v=[^"]*|\?view=[^"]*&amp;v=[^"]*)"', get().text
    )
    assert len(found) == 3
    for address in found:
        answer = get("/" + address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    assert get().headers["Cache-Control"] == "no-store"


def test_it_can_only_be_read(
    client_for: Callable[[str], FlaskClient], project: str
) -> None:
    client = client_for("wallboard")
    assert client.head("/").status_code == 200
    for method in (client.post, client.put, client.delete, client.patch):
        assert method("/").status_code == 405


@pytest.mark.parametrize(
    "path", ["/nothing", "/conversations/CH1", "/conversations/" + "x" * 900]
)
def test_a_page_that_does_not_exist_is_404(get: Get, path: str) -> None:
    assert get(path).status_code == 404


def test_an_empty_database_is_a_page_too(get: Get) -> None:
    assert "No customer is waiting." in get().text
    found = metrics(get)
    assert found["today"]["service_level"] is None
    assert json.loads(json.dumps(found)) == found
    assert "No conversation matches." in get("/log").text


def test_a_reading_of_the_log_is_a_line_in_the_log_without_a_customer(
    get: Get, db: firestore.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    sid = "CH" + "1" * 32
    db.document(f"conversations/{sid}").set(
        {"state": "closed", "display_name": "Zoe Quimby"}
    )
    capsys.readouterr()
    for query in (
        "view=log&customer=Zoe&state=closed",
        f"view=conversation&sid={sid}",
        "view=now",
    ):
        assert get(f"/?{query}").status_code == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["severity"], one["message"]) for one in lines] == [
        ("INFO", "the wallboard's log was read, searched by: state, customer"),
        ("INFO", "the wallboard's log of a conversation was read"),
    ]
    assert lines[1]["conversation"] == sid and "Zoe" not in str(lines)
