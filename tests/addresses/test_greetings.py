"""Templates: who is only called by an address is not greeted by it, and what was meant for a placeholder is told."""

import time
from collections.abc import Callable

import pytest
from google.cloud.firestore import Client

from domain.template import parse, rendered
from tests.core import records
from tests.crm.frontline import JOHN, App

Keep = Callable[..., None]
VALUES = {
    "Name": "Bobby",
    "Author": "John",
    "customer": {"company": "Example"},
    "worker": {"phone": "5"},
}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("+1 555 100 9300", False),
        ("whatsapp:+15551009300", False),
        ("(555) 100-9300", False),
        ("\u202a+15551009300\u202c", False),
        ("tel:+15551009300", False),
        ("Bobby@Example.com", False),
        (" ", False),
        ("Bobby", True),
        ("Studio 54", True),
    ],
)
def test_a_name_that_is_only_an_address_is_no_name(
    app: App, keep: Keep, db: Client, name: str, shown: bool
) -> None:
    keep("bobby", display_name=name, addresses=["+15551009300", "bobby@example.com"])
    db.document("templates/hello").set({"content": "Hello {{Name}}"})
    db.document("templates/plain").set({"content": "Hello"})
    contents = [one["content"] for one in app.templates().get_json()[0]["templates"]]
    assert contents == ([f"Hello {name}", "Hello"] if shown else ["Hello"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("{Name}", "{{Name}}"),
        ("[Name]", "{{Name}}"),
        ("[[Name]]", "{{Name}}"),
        ("%Name%", "{{Name}}"),
        ("<Name>", "{{Name}}"),
        ("<<name>>", "{{Name}}"),
        ("${Name}", "{{Name}}"),
        ("#Name#", "{{Name}}"),
        ("{ name }", "{{Name}}"),
        ("{{name}}", "{{Name}}"),
        ("{{ NAME }}", "{{Name}}"),
        ("{{{Name}}}", "{{Name}}"),
        ("{{Name}", "{{Name}}"),
        ("{Name}}", "{{Name}}"),
        ("[author]", "{{Author}}"),
        ("{{AUTHOR}}", "{{Author}}"),
        ("{customer.company}", "{{customer.company}}"),
        ("{{Customer.company}}", "{{customer.company}}"),
        ("%worker.phone%", "{{worker.phone}}"),
    ],
)
def test_what_was_meant_for_a_placeholder_is_told_and_not_sent(
    typed: str, meant: str
) -> None:
    content = f"Hello {typed}, {{{{Author}}}} here"
    assert f"content has {typed}: did you mean {meant}?" in (
        parse("t", {"content": content}).problem or ""
    )
    assert rendered(content, VALUES) is None


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("Hello {{Name}}", "Hello Bobby"),
        ("Hello [{{Name}}] <{{Author}}>", "Hello [Bobby] <John>"),
        ("Name: {{Name}} (Author)", "Name: Bobby (Author)"),
        ("100% Name, 50 % names %", "100% Name, 50 % names %"),
        ("[Names] {first} <b>", "[Names] {first} <b>"),
    ],
)
def test_what_was_meant_as_it_is_stays(content: str, wanted: str) -> None:
    assert parse("t", {"content": content}).problem is None
    assert rendered(content, VALUES) == wanted


@pytest.mark.parametrize(
    "piece",
    ["{{", "{", "{{a", "[ ", "{ {", "[customer.a", "%name ", "{{Name} ", "<name", "}}"],
)
def test_a_long_template_is_read_in_no_time(piece: str) -> None:
    content = piece * (100_000 // len(piece))
    began = time.perf_counter()
    parse("t", {"content": content})
    assert time.perf_counter() - began < 2


def test_the_record_says_what_was_meant_until_it_is_mended(
    app: App, keep: Keep, db: Client
) -> None:
    keep("bobby", display_name="Bobby")
    db.document("templates/hello").set({"content": "Hello {Name}"})
    assert app.templates().get_json() == []
    assert "did you mean {{Name}}?" in records.read(db, "templates", "hello")["problem"]
    db.document("templates/hello").update({"content": "Hello {{Name}}, {{Author}}"})
    assert app.templates().get_json()[0]["templates"] == [
        {"content": f"Hello Bobby, {JOHN}"}
    ]
    assert "problem" not in records.read(db, "templates", "hello")
