"""Ready-made messages: in order, in the customer's language, with every placeholder filled."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore import Client
from hypothesis import given
from hypothesis import strategies as st

from domain.template import Template, in_language, parse, rendered
from functions.frontline.templates import grouped
from tests.core import records
from tests.crm.frontline import JOHN, App

Keep = Callable[..., None]
VALUES: dict[str, Any] = {
    "Name": "Bobby {{Author}}",
    "Author": "John",
    "customer": {
        "company": "Example",
        "since": 2019.0,
        "details": {"title": "Vip"},
        "empty": " ",
        "list": ["a"],
        "yes": True,
        "day": datetime(2026, 11, 23, tzinfo=UTC),
    },
    "worker": {"phone": "5"},
}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("Hello {{Name}}, {{ Author }} here", "Hello Bobby {{Author}}, John here"),
        (
            "{{customer.company}} {{customer.since}} {{customer.day}}",
            "Example 2019 2026-11-23",
        ),
        ("{{customer.details.title}} {{worker.phone}}", "Vip 5"),
        ("{single} } {", "{single} } {"),
        ("{{customer.nothing}}", None),
        ("{{customer.empty}}", None),
        ("{{customer.list}}", None),
        ("{{customer.yes}}", None),
        ("{{customer.company.upper}}", None),
        ("{{customer.__class__}}", None),
        ("{{customer}}", None),
        ("{{7*7}}", None),
        ("{{name}}", None),
        ("{{Name", None),
        ("Name}}", None),
    ],
)
def test_a_placeholder_without_a_value_makes_the_template_disappear(
    content: str, wanted: str | None
) -> None:
    assert rendered(content, VALUES) == wanted


@given(st.text(st.sampled_from("{} Name.customer_7*"), max_size=30))
def test_no_placeholder_is_ever_shown(content: str) -> None:
    text = rendered(content, {"Name": "B", "Author": "J", "customer": {}, "worker": {}})
    assert (
        text is None or ("{{" not in text and "}}" not in text) or "{{" not in content
    )


def _categories(*found: tuple[str, str, str | None], language: str | None) -> list[str]:
    listed = [
        Template(i, content=i, category=c, language=spoken) for i, c, spoken in found
    ]
    return [template.id for template in in_language(listed, language)]


def test_each_category_shows_the_customers_language_else_none_else_all() -> None:
    found = [
        ("a", "A", "de"),
        ("b", "A", "en"),
        ("c", "A", None),
        ("d", "B", None),
        ("e", "C", "en"),
    ]
    assert _categories(*found, language="de-AT") == ["a", "d", "e"]
    assert _categories(*found, language="EN") == ["b", "d", "e"]
    assert _categories(*found, language="fr") == ["c", "d", "e"]
    assert _categories(*found, language=None) == ["c", "d", "e"]


def test_categories_stand_in_the_order_of_their_first_template() -> None:
    found = [
        Template("z", "1", "Later", 5),
        Template("a", "2", "First", 1),
        Template("b", "3", "Later", 2),
    ]
    assert grouped(in_language(found, None), {}) == [
        {"display_name": "First", "templates": [{"content": "2"}]},
        {"display_name": "Later", "templates": [{"content": "3"}, {"content": "1"}]},
    ]


def test_a_customer_who_is_only_called_by_their_number_is_not_greeted_with_it(
    app: App, keep: Keep, db: Client
) -> None:
    db.document("templates/hello").set(
        {"category": "Hello", "content": "Hello {{Name}}"}
    )
    db.document("templates/plain").set(
        {"category": "Hello", "content": "Hello from {{Author}}"}
    )
    keep("bobby", display_name="+15550000001")
    only_plain = [
        {"display_name": "Hello", "templates": [{"content": f"Hello from {JOHN}"}]}
    ]
    assert app.templates().get_json() == only_plain


def test_a_template_that_makes_no_sense_is_not_shown_and_says_so(
    app: App, keep: Keep, db: Client
) -> None:
    keep("bobby", display_name="Bobby")
    db.document("templates/wrong").set(
        {"content": "Hello {{first name}}", "order": "x"}
    )
    db.document("templates/empty").set({"category": "Hello"})
    assert app.templates().get_json() == []
    problem = records.read(db, "templates", "wrong")["problem"]
    assert "{{first name}}" in problem
    assert "order must be a whole number" in problem
    assert "content is missing" in records.read(db, "templates", "empty")["problem"]
    db.document("templates/wrong").update({"content": "Hello {{Name}}", "order": 1})
    assert app.templates().get_json() == [
        {"display_name": "General", "templates": [{"content": "Hello Bobby"}]}
    ]
    assert "problem" not in records.read(db, "templates", "wrong")


def test_many_long_templates_still_fit_into_an_answer(
    app: App, keep: Keep, db: Client
) -> None:
    keep("bobby", display_name="Bobby")
    for number in range(100):
        db.document(f"templates/{number}").set(
            {"category": f"C{number % 7}", "content": "ß" * 1600}
        )
    answer = app.templates()
    assert answer.status_code == 200
    assert len(answer.get_data()) < 64 * 1024


def test_the_default_templates_make_sense() -> None:
    path = Path(__file__).parents[2] / "tools" / "default_templates.json"
    for name, fields in json.loads(path.read_text()).items():
        assert parse(name, fields).problem is None
