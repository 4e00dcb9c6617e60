"""A worker's own customers, by name, in pages, and by what somebody types."""

from collections.abc import Callable, Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore import Client
from google.cloud.firestore_v1.types import Write

from domain import customer_record
from functions.frontline.crm import token_of
from local.emulator import Emulator
from proof.meter import Meter
from providers.customer_lists import LOOKED_THROUGH
from tests.crm.frontline import JOHN, App

Keep = Callable[..., None]


@pytest.fixture
def meter(
    app: App, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Meter]:
    with Meter(emulator.host) as counting:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", counting.host)
        yield counting


def test_only_own_customers_are_listed_by_name_whatever_its_case_and_accents(
    app: App, keep: Keep
) -> None:
    for number, name in enumerate(["zoe", "Ärger", "Bob", "adam", "Émile"]):
        keep(f"c{number}", display_name=name)
    keep("other", worker="x@example.com", display_name="Someone")
    keep("nobody", worker=None, display_name="Someone")
    assert app.names() == ["adam", "Ärger", "Bob", "Émile", "zoe"]
    assert app.customers()["searchable"] is True
    assert app.customers(worker="new@example.com") == {
        "customers": [],
        "searchable": True,
    }


def test_records_that_the_trigger_never_saw_are_listed_and_found_too(
    app: App, keep: Keep, db: Client
) -> None:
    keep("seen", display_name="Bob")
    for name in ("Zoe", "Ada", "Émile Borel"):
        db.document(f"customers/{name[0]}").set(
            {"display_name": name, "addresses": [], "worker": JOHN}
        )
    assert app.names(Query="borel") == ["Émile Borel"]
    assert app.names() == ["Ada", "Bob", "Émile Borel", "Zoe"]
    first = app.customers(PageSize=3)
    assert (
        len(
            app.customers(PageSize=3, NextPageToken=first["next_page_token"])[
                "customers"
            ]
        )
        == 1
    )


def test_both_ways_of_paging_show_everybody_once_in_order_also_with_equal_names(
    app: App, keep: Keep
) -> None:
    for number in range(7):
        keep(f"c{number}", display_name="Bob" if number % 2 else "Ada")
    wanted = ["c0", "c2", "c4", "c6", "c1", "c3", "c5"]
    by_token, token, pages = [], "", 0
    while pages == 0 or token:
        answer = app.customers(PageSize=3, NextPageToken=token)
        by_token += [customer["customer_id"] for customer in answer["customers"]]
        token, pages = answer.get("next_page_token", ""), pages + 1
    assert (by_token, pages) == (wanted, 3)
    by_anchor: list[str] = []
    while len(by_anchor) < 7:
        answer = app.customers(PageSize=3, Anchor=by_anchor[-1] if by_anchor else "")
        by_anchor += [customer["customer_id"] for customer in answer["customers"]]
    assert by_anchor == wanted


def test_a_full_last_page_has_no_token(app: App, keep: Keep) -> None:
    for number in range(4):
        keep(f"c{number}", display_name=f"Bob {number}")
    first = app.customers(PageSize=2)
    assert "next_page_token" not in app.customers(
        PageSize=2, NextPageToken=first["next_page_token"]
    )


@pytest.mark.parametrize(
    "typed",
    [
        "bob",
        "BOB",
        "sh",
        "shaftoe bob",
        "bób",
        "+1 555 123",
        "1555123",
        "(555) 123-45",
        "555",
        "bobby@exam",
        "0015551",
    ],
)
def test_a_customer_is_found_by_the_beginning_of_any_word(
    app: App, keep: Keep, typed: str
) -> None:
    keep(
        "bobby",
        display_name="Bobby Shaftoe",
        addresses=["+15551234567", "bobby@example.com"],
    )
    keep("lord", display_name="Lord Nobody", addresses=["whatsapp:+447700900001"])
    assert app.names(Query=typed) == ["Bobby Shaftoe"]


@pytest.mark.parametrize(
    "typed", ["obby", "bobby smith", "@nowhere", "1234567", "bobby bobbys"]
)
def test_what_is_no_beginning_of_a_word_finds_nobody(
    app: App, keep: Keep, typed: str
) -> None:
    keep(
        "bobby",
        display_name="Bobby Shaftoe",
        addresses=["+15551234567", "bobby@example.com"],
    )
    assert app.names(Query=typed) == []


@pytest.mark.parametrize("typed", [" ", "+", "--"])
def test_a_query_without_a_word_is_no_query(app: App, keep: Keep, typed: str) -> None:
    keep("bobby", display_name="Bobby")
    assert app.names(Query=typed) == ["Bobby"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"PageSize": 0}, "PageSize"),
        ({"PageSize": "many"}, "PageSize"),
        ({"NextPageToken": "mine"}, "NextPageToken"),
        ({"NextPageToken": "WyJhIiwgIi8iXQ=="}, "NextPageToken"),
        ({"Anchor": "a/b"}, "Anchor"),
        ({"Anchor": "gone"}, "Anchor"),
    ],
)
def test_malformed_input_is_refused_with_the_name_of_the_field(
    app: App, form: dict[str, object], field: str
) -> None:
    answer = app.post("crm", Location="GetCustomersList", Worker=JOHN, **form)
    assert answer.status_code == 400
    assert field in answer.get_json()["error"]


def test_of_several_words_the_rarest_is_looked_up(
    app: App, keep: Keep, db: Client, meter: Meter
) -> None:
    for number in range(20):
        keep(f"c{number}", display_name=f"Customer number {number}")
    meter.reset()
    assert app.names(Query="customer 17") == ["Customer number 17"]
    assert meter.counts().reads == 1


def test_an_answer_stays_below_64_kb_and_the_next_page_goes_on_where_it_ended(
    app: App, keep: Keep
) -> None:
    for number in range(40):
        avatar = "https://example.com/" + "x" * 2000
        keep(
            f"c{number:02}",
            display_name=f"Bob {number:02} " + "ß" * 1000,
            avatar=avatar,
        )
    seen: list[str] = []
    token = ""
    while not seen or token:
        answer = app.post(
            "crm",
            Location="GetCustomersList",
            Worker=JOHN,
            PageSize=1000,
            NextPageToken=token,
        )
        assert len(answer.get_data()) < 64 * 1024
        page = answer.get_json()["objects"]
        seen += [customer["customer_id"] for customer in page["customers"]]
        token = page.get("next_page_token", "")
    assert seen == [f"c{number:02}" for number in range(40)]


@pytest.fixture
def crowded(app: App, project: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
    """10,000 customers in an emulator of their own: one that has held so many stays slow for other tests."""
    emulator = Emulator(own=True).start()
    try:
        with Meter(emulator.host) as counting:
            monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", counting.host)
            db = firestore.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # untyped
            _write_10_000(db)
            yield counting
            db.close()  # type: ignore[no-untyped-call] # untyped
    finally:
        emulator.stop()


def test_with_10_000_customers_every_page_reads_as_few_documents_as_the_first(
    app: App, crowded: Meter
) -> None:
    token = token_of(("customer number 5000", "c5000"))
    read = {
        "first": _documents(app, crowded, PageSize=30),
        "next": _documents(app, crowded, PageSize=30, NextPageToken=token),
        "by anchor": _documents(app, crowded, PageSize=30, Anchor="c9000"),
        "search": _documents(app, crowded, PageSize=30, Query="number"),
        "two words": _documents(app, crowded, PageSize=30, Query="customer number"),
    }
    assert read == {
        "first": 31,
        "next": 31,
        "by anchor": 32,
        "search": 31,
        "two words": LOOKED_THROUGH,
    }


def _documents(app: App, meter: Meter, **form: object) -> int:
    """What one page reads; asked again, as the app does, where a busy machine's emulator is too slow."""
    for _ in range(10):
        meter.reset()
        answer = app.post("crm", Location="GetCustomersList", Worker=JOHN, **form)
        if answer.status_code != 503:
            break
    assert len(answer.get_json()["objects"]["customers"]) == 30
    assert len(answer.get_data()) < 64 * 1024
    return meter.counts().reads


def _write_10_000(db: Client) -> None:
    """Records that differ in four digits: made by replacing them, for the library takes a millisecond for each."""
    record = {
        "display_name": "Customer number 0000",
        "worker": JOHN,
        "addresses": ["+15551110000"],
    }
    batch = db.batch()
    kept = customer_record.kept("c0000", record).fields
    batch.set(db.collection("customers").document("c0000"), record | kept)
    pattern = batch._write_pbs[0]._pb.SerializeToString()
    for start in range(0, 10_000, 500):
        numbers = (f"{number:04}".encode() for number in range(start, start + 500))
        writes = [
            Write.deserialize(pattern.replace(b"0000", number)) for number in numbers
        ]
        db._firestore_api.commit(
            request={"database": db._database_string, "writes": writes},
            metadata=db._rpc_metadata,
        )
