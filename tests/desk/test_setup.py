"""Setup: what a record would report is refused, and what is typed is shown before it is saved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.conftest import MARIA, TOM, Desk, OpenDesk
from tests.inbox.page import ALICE
from tests.service import Service

OURS = "+12025550123"


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(MARIA)


def pool(service: Service, name: str, **fields: Any) -> None:
    service.db.document(f"pools/{name}").set(fields)
    service.settle()


def stored(service: Service, path: str) -> dict[str, Any]:
    return service.db.document(path).get().to_dict() or {}


def refusal(desk: Desk, path: str, **fields: object) -> tuple[str, str]:
    """Save the fields, which must be refused; return the field's name and the sentence."""
    status, answer = desk.save(path, desk.load(path)["version"], **fields)
    assert status == 400, answer
    return str(answer["field"]), str(answer["error"])


def look(desk: Desk, name: str, **fields: object) -> dict[str, Any]:
    answer = desk.post(f"setup/pools/{name}/look", {"fields": fields})
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


def test_only_supervisors_see_it(open_desk: OpenDesk) -> None:
    worker = open_desk(ALICE, role="worker")
    for path in ("setup", "setup/numbers", "setup/templates", "setup/zones"):
        assert worker.get(path).status_code == 403, path
    assert worker.post("setup/templates/sync", {}).status_code == 403
    assert worker.post("records/pools/sales/remove", {}).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("addresses", [OURS]),
        ("overflow", "nowhere"),
        ("overflow", "support"),
        ("holidays", ["Atlantis"]),
        ("texts", {"queued": {"template": "gone"}}),
        ("texts", {"queued": "Hello {Name}."}),
        ("hours", {"mon": "25-26"}),
        ("capacity", "three"),
        ("display_name", "Support"),
    ],
)
def test_the_desk_refuses_with_the_sentence_of_the_record(
    service: Service, desk: Desk, field: str, value: object
) -> None:
    support = {"display_name": "Support", "addresses": [OURS], "overflow": "sales"}
    service.db.document("pools/support").set(support)
    pool(service, "sales", capacity=2)
    name, sentence = refusal(desk, "pools/sales", **{field: value})
    assert name == field
    assert stored(service, "pools/sales") == {"capacity": 2}
    pool(service, "sales", **{field: value})
    problem = stored(service, "pools/sales")["problem"]
    assert sentence in problem
    assert sentence.endswith(".")
    assert "It is" not in sentence


def test_a_problem_that_was_there_before_stops_no_other_change(
    service: Service, desk: Desk
) -> None:
    pool(service, "sales", priority="high")
    version = desk.load("pools/sales")["version"]
    assert desk.save("pools/sales", version, capacity=3)[0] == 200


def test_a_number_is_saved_as_twilio_writes_it(service: Service, desk: Desk) -> None:
    status, answer = desk.save(
        "pools/sales", None, addresses=["+1 202 555-0123"], capacity=2
    )
    assert status == 200, answer
    assert answer["record"]["addresses"] == [OURS]  # type: ignore[index]
    service.settle()
    assert desk.load("pools/sales")["version"] == answer["version"]


def test_undo_removes_a_field_in_which_null_is_a_value(
    service: Service, desk: Desk
) -> None:
    pool(service, "sales", display_name="Sales")
    _, saved = desk.save("pools/sales", desk.load("pools/sales")["version"], capacity=3)
    body = {"version": saved["version"], "fields": {}, "removed": ["capacity"]}
    assert desk.post("records/pools/sales", body).status_code == 200
    assert stored(service, "pools/sales") == {"display_name": "Sales"}


def test_waiting_without_end_is_a_null(service: Service, desk: Desk) -> None:
    path = "settings/routing"
    version = desk.load(path)["version"]
    assert desk.save(path, version, own_worker_wait=None)[0] == 200
    assert stored(service, path)["own_worker_wait"] is None


def test_texts_are_shown_as_a_customer_reads_them(desk: Desk) -> None:
    texts = {
        "queued": {
            "default": "Hello {{Name}}. You are number {{Position}}. {{Opens}}!",
            "de": "Guten Tag, {{Name}}.",
        },
        "away": {"de": "Wir öffnen {{Opens}}."},
        "assigned": "{{Author}} is here. {{Wait}} left.",
    }
    hours = {"daily": "closed", "mon": "09:00-12:00"}
    shown = look(desk, "sales", texts=texts, hours=hours)["texts"]
    queued = {one["language"]: one["text"] for one in shown["queued"]}
    assert queued[None] == "Hello Ada Byron. You are number 2."
    assert queued["de"] == "Guten Tag, Ada Byron."
    assert "09:00" in shown["away"][0]["text"]
    assert shown["assigned"][0]["text"] == "Maria is here."


def test_a_template_in_a_text_is_shown(service: Service, desk: Desk) -> None:
    service.db.document("templates/hello").set({"content": "Hi {{Name}}, {{Author}}"})
    shown = look(desk, "sales", texts={"assigned": {"template": "hello"}})
    assert shown["texts"]["assigned"][0]["text"] == "Hi Ada Byron, Maria"


def test_hours_are_read_in_any_spelling(desk: Desk) -> None:
    week = look(desk, "sales", hours="mon-fri 9-17, sat 10-14")["week"]
    assert week == [[[540, 1020]]] * 5 + [[[600, 840]], []]
    assert look(desk, "sales")["week"] is None


def test_the_next_ten_closed_days_are_listed(desk: Desk) -> None:
    closed = look(desk, "sales", holidays=["DE-BY", "24.12."])["closed"]
    assert len(closed) == 10
    dates = [one["date"] for one in closed]
    assert dates == sorted(dates)
    names = {one["date"][5:]: one["name"] for one in closed}
    assert names["12-25"] == "Christmas Day"
    assert names["12-24"] == ""


def test_countries_and_their_regions(desk: Desk) -> None:
    assert ["DE", "Germany"] in desk.get("setup/countries").json()["countries"]
    germany = desk.get("setup/countries/DE").json()
    assert ["BY", "Bayern"] in germany["parts"]
    assert germany["needs_part"] is True
    assert desk.get("setup/countries/XX").json()["parts"] == []


def test_the_accounts_own_numbers(service: Service, desk: Desk) -> None:
    service.standin.set_autocreate(OURS, enabled=True)
    assert OURS in desk.get("setup/numbers").json()["numbers"]


def test_numbers_that_twilio_does_not_list_are_an_error(
    service: Service, desk: Desk
) -> None:
    service.standin.fail(503, path="Addresses")
    answer = desk.get("setup/numbers")
    assert answer.status_code == 503
    assert "Twilio's list of numbers" in answer.json()["error"]


def test_the_first_steps(service: Service, desk: Desk) -> None:
    start = desk.get("setup").json()["start"]
    assert start == dict.fromkeys(("numbers", "people", "hours", "message"), False)
    service.db.document(f"workers/{ALICE}").set({"pools": ["sales"]})
    pool(service, "sales", addresses=[OURS], hours="9-17")
    start = desk.get("setup").json()["start"]
    assert (start["numbers"], start["hours"], start["message"]) == (True, True, False)
    assert start["people"] is True


def test_a_pool_is_removed_as_it_was_read(
    service: Service, desk: Desk, open_desk: OpenDesk
) -> None:
    pool(service, "sales", addresses=[OURS])
    service.db.document(f"workers/{ALICE}").set({"pools": ["sales"]})
    pool(service, "help", overflow="sales")
    what = desk.get("setup/pools/sales/removal").json()
    assert what["numbers"] == [OURS]
    assert what["workers"] == 1
    assert what["overflowing"] == ["help"]
    version = desk.load("pools/sales")["version"]
    open_desk(TOM).save("pools/sales", version, capacity=3)
    path = "records/pools/sales/remove"
    lost = desk.post(path, {"version": version})
    assert lost.status_code == 409
    assert TOM in lost.json()["error"]
    version = desk.load("pools/sales")["version"]
    assert desk.post(path, {"version": version}).status_code == 200
    assert not service.db.document("pools/sales").get().exists
    changes: Any = desk.load("pools/sales")["changes"]
    assert changes[0]["did"] == "removed"


def test_customers_and_settings_are_not_removed_here(desk: Desk) -> None:
    for path in ("customers/ada", "settings/routing", "workers/maria@example.com"):
        answer = desk.post(f"records/{path}/remove", {"version": None})
        assert answer.status_code == 400, path


def test_a_template_is_shown_for_a_sample_customer(desk: Desk) -> None:
    path = "setup/templates/hello/look"
    shown = desk.post(path, {"fields": {"content": "Hi {{Name}}, {{Author}}."}}).json()
    assert shown == {"text": "Hi Ada Byron, Maria.", "faults": []}
    wrong = desk.post(path, {"fields": {"content": "Hi {Name}."}}).json()
    assert wrong["text"] is None
    assert wrong["faults"] == ["content has {Name}: did you mean {{Name}}?"]
    field, sentence = refusal(desk, "templates/hello", content="Hi {Name}.")
    assert (field, sentence) == ("content", wrong["faults"][0])


def test_templates_are_synchronized_with_twilio(service: Service, desk: Desk) -> None:
    content_sid = service.standin.add_content(
        "order", "Your order {{1}} is ready.", variables={"1": "7"}, status="approved"
    )
    answer = desk.post("setup/templates/sync", {})
    assert answer.status_code == 200, answer.text
    assert "1 content template at Twilio; 1 record written." in answer.json()["said"]
    (listed,) = desk.get("setup/templates").json()["templates"]
    assert (listed["id"], listed["approval"]) == (content_sid, "approved")
    said = desk.post("setup/templates/sync", {}).json()["said"]
    assert "every record is up to date" in said
